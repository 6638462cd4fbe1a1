// What a stream takes: one event of a key, whoever sent it; and the limits of its names. Knows no body's layout: whoever reads
// one names the places.
// Legend: F features.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import type { Shape } from "../../shared/sequence.ts";

export interface StreamEvent {
  /** Unique among its source's ids of this key, for as long as ids are remembered. */
  readonly id: string;
  /** Milliseconds since 1970: where in the window it belongs. */
  readonly timestamp: number;
  /** One row that joins the key's window, or a whole sequence that is scored as it is and leaves the window alone. */
  readonly data: { readonly values: readonly number[] } | { readonly sequence: readonly (readonly number[])[] };
  /** Two events of one id are the same if this is: `digestOf` what the sender said. */
  readonly digest: string;
}

/** UTF-8 bytes of a key or an id: what SQLite indexes and logs carry without thinking. */
export const MAX_NAME_BYTES = 256;
/** 9999-12-31T23:59:59.999Z: beyond it, numbers count microseconds. */
const MAX_TIMESTAMP_MS = 253_402_300_799_999;
/** Numbers below are seconds (until the year 5138), above milliseconds (from 1973 on). */
const MAX_SECONDS = 1e11;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Throws SequenceError at `path`. `.` and `..` are no keys, since no URL's path can hold them. */
export function parseKey(value: unknown, path: Path): string {
  const key = parseName(value, path);
  if (key === "." || key === "..") throw new SequenceError(path, "must not be . or ..", describe(key));
  return key;
}

/** Throws SequenceError at `path`. */
export function parseId(value: unknown, path: Path): string {
  return parseName(value, path);
}

function parseName(value: unknown, path: Path): string {
  if (typeof value !== "string" || value === "") throw new SequenceError(path, "must be text that is not empty", describe(value));
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > MAX_NAME_BYTES) throw new SequenceError(path, `must have at most ${MAX_NAME_BYTES} bytes`, `${bytes}`);
  if (/[\p{Cc}\p{Cs}]/u.test(value)) throw new SequenceError(path, "must be without control characters", describe(value));
  return value;
}

/** Seconds or milliseconds since 1970, or ISO 8601 with its zone → milliseconds. Throws SequenceError at `path`. */
export function parseTimestamp(value: unknown, path: Path): number {
  const number = typeof value === "string" ? (ISO.test(value) ? Date.parse(value) : Number.NaN) : value;
  const isSeconds = typeof value === "number" && value < MAX_SECONDS;
  const timestamp = isSeconds ? (number as number) * 1000 : number;
  if (typeof timestamp !== "number" || !(timestamp >= 0 && timestamp <= MAX_TIMESTAMP_MS))
    throw new SequenceError(
      path,
      'must be seconds or milliseconds since 1970, or ISO 8601 with its zone as in "2026-01-31T12:00:00Z"',
      describe(value),
    );
  return timestamp;
}

/** F finite numbers. Throws SequenceError at the place below `path`. */
export function parseValues(value: unknown, path: Path, { features: F }: Shape): number[] {
  if (!Array.isArray(value)) throw new SequenceError(path, `must be an array of ${F} numbers`, describe(value));
  if (value.length !== F) throw new SequenceError(path, `must have ${F} numbers`, `${value.length}`);
  return value.map((number: unknown, f) => {
    if (typeof number !== "number" || !Number.isFinite(number))
      throw new SequenceError([...path, f], "must be a finite number", describe(number));
    return number;
  });
}

/** SHA-256 as hexadecimal digits. */
export async function digestOf(said: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
