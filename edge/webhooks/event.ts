// A verified body → the event it tells of: whose stream, which event, when, and its numbers. Knows no signatures and no storage.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { parseSequence, type Shape } from "../../shared/sequence.ts";
import type { StreamEvent } from "../streams/event.ts";
import { follow } from "./pointer.ts";

/** Where in a source's bodies things stand, as reference tokens. */
export interface Pointers {
  readonly key: readonly string[];
  /** Undefined: the scheme's own signed id, or else a digest of the body. */
  readonly id?: readonly string[];
  readonly timestamp: readonly string[];
  readonly content: Content;
}

/** `row`: one array of F numbers; `numbers`: F places, in the model's order of features; `sequence`: a whole sequence of rows. */
export type Content =
  | { readonly kind: "row"; readonly at: readonly string[] }
  | { readonly kind: "numbers"; readonly at: readonly (readonly string[])[] }
  | { readonly kind: "sequence"; readonly at: readonly string[] };

/** What a webhook says: an event, and whose stream it belongs to. */
export interface HookEvent {
  readonly key: string;
  readonly event: StreamEvent;
}

/** Of a key and of an id, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;
/** From here on a number is milliseconds: as seconds, the year 5138. */
const LEAST_MILLISECONDS = 1e11;
/** ECMA-262: the last instant a Date knows. */
const LAST_INSTANT_MS = 8.64e15;

/**
 * Throws SequenceError at the place a pointer names. `digest`: of the body as it came, by which the same event is known when it comes
 * again. `signedId`: what the sender calls it, if it signed that.
 */
export function extractEvent(document: unknown, pointers: Pointers, shape: Shape, digest: string, signedId?: string): HookEvent {
  const at = <T>(tokens: readonly string[], parse: (value: unknown, path: Path) => T): T => {
    const { value, path } = follow(document, tokens);
    return parse(value, path);
  };
  const { key, id, timestamp, content } = pointers;
  const data = (): StreamEvent["data"] => {
    switch (content.kind) {
      case "row":
        return { values: at(content.at, (value, path) => parseRow(value, path, shape)) };
      case "numbers":
        return { values: content.at.map((tokens) => at(tokens, parseNumber)) };
      case "sequence":
        return { sequence: at(content.at, (value, path) => parseRows(value, path, shape)) };
    }
  };
  return {
    key: at(key, parseName),
    event: {
      // a name that nobody signed could be changed to have the same body counted twice
      id: id === undefined ? (signedId ?? `sha256:${digest}`) : at(id, parseName),
      timestamp: at(timestamp, parseTimestamp),
      data: data(),
      digest,
    },
  };
}

/** A key or an id: text, or a whole number written as text. Throws SequenceError. */
export function parseName(value: unknown, path: Path): string {
  const name = Number.isSafeInteger(value) ? String(value) : value;
  const isName =
    typeof name === "string" &&
    !/^\.{0,2}$/.test(name) && // no URL's path can hold . or ..
    name.isWellFormed() &&
    !/\p{Cc}/u.test(name) &&
    new TextEncoder().encode(name).length <= MAX_NAME_BYTES;
  if (!isName)
    throw new SequenceError(
      path,
      `must be text of 1 to ${MAX_NAME_BYTES} bytes without control characters, not . or .., or a whole number`,
      show(value),
    );
  return name;
}

/** Milliseconds since 1970, from a date and time with its zone (RFC 3339), or from a number of seconds or milliseconds. Throws SequenceError. */
export function parseTimestamp(value: unknown, path: Path): number {
  if (typeof value === "number" && value >= 0 && value <= LAST_INSTANT_MS)
    return Math.round(value < LEAST_MILLISECONDS ? value * 1000 : value);
  const isInstant = typeof value === "string" && /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/.test(value);
  const instant = isInstant ? Date.parse(value.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(instant))
    throw new SequenceError(path, "must be a time such as 2026-11-25T09:30:00Z, or seconds or milliseconds since 1970", show(value));
  return instant;
}

/** F finite numbers. Throws SequenceError. */
export function parseRow(value: unknown, path: Path, { features: F }: Shape): readonly number[] {
  if (!Array.isArray(value)) throw new SequenceError(path, `must be an array of ${F} numbers`, show(value));
  if (value.length !== F) throw new SequenceError(path, `must have ${F} numbers`, `${value.length}`);
  return value.map((number, f) => parseNumber(number, [...path, f]));
}

/** 1 to T rows, as /v1/score takes them. */
function parseRows(value: unknown, path: Path, shape: Shape): readonly (readonly number[])[] {
  parseSequence(value, path, shape, new Float64Array(shape.timesteps * shape.features), 0);
  return value as readonly (readonly number[])[];
}

function parseNumber(value: unknown, path: Path): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new SequenceError(path, "must be a finite number", show(value));
  return value;
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : describe(value);
}
