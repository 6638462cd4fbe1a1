// One event of a key, whoever sent it, and how its parts are read. Knows no body's layout, no signatures and no storage.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import { parseSequence, type Shape } from "../../shared/sequence.ts";
import { encodeHex } from "../http/encoding.ts";

export interface StreamEvent {
  /** Unique among its source's ids of this key, for as long as ids are remembered. */
  readonly id: string;
  /** Milliseconds since 1970: where in the window it belongs. */
  readonly timestamp: number;
  /** One row (F) that joins the key's window, or a whole sequence of rows that is scored as it is and leaves the window alone. */
  readonly data: { readonly values: readonly number[] } | { readonly sequence: readonly (readonly number[])[] };
  /** Two events of one id are the same if this is: `digestOf` what the sender said. */
  readonly digest: string;
}

/** Of a key and of an id, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;
/** From here on a number is milliseconds: as seconds, the year 5138. */
const MIN_MILLISECONDS = 1e11;
/** ECMA-262: the last instant a Date knows. */
const LAST_INSTANT_MS = 8.64e15;

/** A key or an id: text, or a whole number written as text. Throws SequenceError at `path`. */
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
    return Math.round(value < MIN_MILLISECONDS ? value * 1000 : value);
  const isInstant = typeof value === "string" && /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/.test(value);
  const instant = isInstant ? Date.parse(value.replace(" ", "T").toUpperCase()) : Number.NaN;
  if (Number.isNaN(instant))
    throw new SequenceError(path, "must be a time such as 2026-11-25T09:30:00Z, or seconds or milliseconds since 1970", show(value));
  return instant;
}

/** A row of F finite numbers. Throws SequenceError at the place in `path`. */
export function parseRow(value: unknown, path: Path, { features: F }: Shape): readonly number[] {
  if (!Array.isArray(value)) throw new SequenceError(path, `must be an array of ${F} numbers`, show(value));
  if (value.length !== F) throw new SequenceError(path, `must have ${F} numbers`, `${value.length}`);
  return value.map((number, f) => parseNumber(number, [...path, f]));
}

/** 1 to T rows of F finite numbers, as /v1/score takes them. Throws SequenceError at the place in `path`. */
export function parseRows(value: unknown, path: Path, shape: Shape): readonly (readonly number[])[] {
  parseSequence(value, path, shape, new Float64Array(shape.timesteps * shape.features), 0);
  return value as readonly (readonly number[])[];
}

/** A finite number. Throws SequenceError at `path`. */
export function parseNumber(value: unknown, path: Path): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new SequenceError(path, "must be a finite number", show(value));
  return value;
}

/** SHA-256 of `said` (text as UTF-8), as 64 hexadecimal digits. */
export async function digestOf(said: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : describe(value);
}
