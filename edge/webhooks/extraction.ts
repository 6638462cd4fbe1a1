// A verified body → the event it describes: whose stream, which event, when, and its numbers. Knows no signatures and no storage.
import { type Path, SequenceError } from "../../shared/errors.ts";
import type { Shape } from "../../shared/sequence.ts";
import { followPointer } from "../config/json-pointer.ts";
import { parseName, parseNumber, parseRow, parseRows, parseTimestamp, refuseFuture, refusePast, type StreamEvent } from "./event.ts";

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

/** Of a body, which is read before it is known to be the source's: what senders say beside one row, GitHub above all. */
export const MAX_EVENT_BODY_BYTES = 256 * 1024;
/** The same where it holds a whole sequence, so far as the model's shape needs it. */
export const MAX_HOOK_BYTES = 1024 * 1024;
/** A number of JSON. */
const NUMBER_BYTES = 25;

/** How long a body with this content may be, for a model of T steps and F features. */
export function maxBodyBytes({ kind }: Content, { timesteps: T, features: F }: Shape): number {
  return kind === "sequence" ? Math.min(MAX_HOOK_BYTES, MAX_EVENT_BODY_BYTES + T * F * NUMBER_BYTES) : MAX_EVENT_BODY_BYTES;
}

/** What a webhook says: an event, and whose stream it belongs to. */
export interface HookEvent {
  readonly key: string;
  readonly event: StreamEvent;
}

/** What is known of a body beside its JSON. Instants in milliseconds since 1970. */
export interface BodyFacts {
  /** Of the body as it came: the event's id where it has no other. */
  readonly digest: string;
  /** The sender's id of the event, if the sender signed the id. */
  readonly signedId?: string;
  /** Later instants are refused. */
  readonly latest: number;
  /** Earlier ones, too; absent: none. */
  readonly earliest?: number;
}

/**
 * The event in `document`, a body's JSON; `shape` is the model's. Throws SequenceError at the place a pointer names.
 */
export function extractEvent(
  document: unknown,
  pointers: Pointers,
  shape: Shape,
  { digest, signedId, latest, earliest }: BodyFacts,
): HookEvent {
  if (Array.isArray(document)) throw new SequenceError([], "must be one event, as an object", "an array: send its events one by one");
  const at = <T>(tokens: readonly string[], parse: (value: unknown, path: Path) => T): T => {
    const { value, path } = followPointer(document, tokens);
    return parse(value, path);
  };
  const { key, id, timestamp, content } = pointers;
  const data = (): StreamEvent["data"] => {
    switch (content.kind) {
      case "row":
        return { values: at(content.at, (value, path) => parseRow(value, path, shape)) };
      case "numbers":
        return { values: content.at.map((tokens) => at(tokens, (value, path) => parseNumber(value, path, shape))) };
      case "sequence":
        return { sequence: at(content.at, (value, path) => parseRows(value, path, shape)) };
    }
  };
  return {
    key: at(key, parseName),
    event: {
      // a name that nobody signed could be changed to have the same body counted twice
      id: id === undefined ? (signedId ?? `sha256:${digest}`) : at(id, parseName),
      timestamp: at(timestamp, (value, path) => {
        const instant = parseTimestamp(value, path);
        refuseFuture(instant, latest, path);
        if (earliest !== undefined) refusePast(instant, earliest, path);
        return instant;
      }),
      data: data(),
      digest,
    },
  };
}
