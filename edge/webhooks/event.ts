// One event of a key, whoever sent it, and how its parts are read. Knows no body's layout, no signatures and no storage.
import * as z from "zod/mini";
import type { Path } from "../../shared/errors.ts";
import { parseSequence, type Shape } from "../../shared/sequence.ts";
import { encodeHex } from "../http/encoding.ts";
import { lazy, parseAt } from "../http/schema.ts";

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

const NAME_RULE = `must be text of 1 to ${MAX_NAME_BYTES} bytes without control characters, not . or .., or a whole number`;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/;
const TIME_RULE = "must be a time such as 2026-11-25T09:30:00Z, or seconds or milliseconds since 1970";

/** A key or an id: text, or a whole number, which is read as its text. */
export const nameSchema = lazy(() =>
  z.union(
    [
      z.string(NAME_RULE).check(z.minLength(1, NAME_RULE), z.maxLength(MAX_NAME_BYTES, NAME_RULE), z.refine(isName, NAME_RULE)),
      z.pipe(z.int(NAME_RULE), z.transform(String)),
    ],
    NAME_RULE,
  ),
);

/** No URL's path can hold `.` or `..`. */
function isName(text: string): boolean {
  if (/^\.{1,2}$/.test(text) || !text.isWellFormed() || /\p{Cc}/u.test(text)) return false;
  return new TextEncoder().encode(text).length <= MAX_NAME_BYTES;
}

/** A date and time with its zone (RFC 3339), or a number of seconds or milliseconds; read as milliseconds since 1970. */
export const timestampSchema = lazy(() => {
  const date = z.string(TIME_RULE).check(z.regex(RFC3339, TIME_RULE));
  const instant = z.number(TIME_RULE).check(z.minimum(0, TIME_RULE), z.maximum(LAST_INSTANT_MS, TIME_RULE));
  return z.union(
    [
      z.pipe(
        z.pipe(
          date,
          z.transform((text) => Date.parse(text.replace(" ", "T").toUpperCase())),
        ),
        z.number(TIME_RULE), // NaN, as of a month 13, is none
      ),
      z.pipe(
        instant,
        z.transform((number) => Math.round(number < MIN_MILLISECONDS ? number * 1000 : number)),
      ),
    ],
    TIME_RULE,
  );
});

/** A number that JSON can hold and a double, too. */
export const numberSchema = lazy(() => z.number("must be a finite number"));

/** A row of F finite numbers. */
export function rowOf(F: number) {
  const known = rows.get(F);
  if (known !== undefined) return known;
  const row = z.array(numberSchema(), `must be an array of ${F} numbers`).check(z.length(F, `must have ${F} numbers`));
  rows.set(F, row);
  return row;
}

/** By F: schemas take longer to make than to use, and a Worker serves one model. */
const rows = new Map<number, z.ZodMiniArray<z.ZodMiniNumber<number>>>();

/** A key or an id. Throws SequenceError at `path`. */
export function parseName(value: unknown, path: Path): string {
  return parseAt(nameSchema(), value, path);
}

/** Milliseconds since 1970. Throws SequenceError at `path`. */
export function parseTimestamp(value: unknown, path: Path): number {
  return parseAt(timestampSchema(), value, path);
}

/** 1 to T rows of F finite numbers, as /v1/score takes them. Throws SequenceError at the place in `path`. */
export function parseRows(value: unknown, path: Path, shape: Shape): readonly (readonly number[])[] {
  parseSequence(value, path, shape, new Float64Array(shape.timesteps * shape.features), 0);
  return value as readonly (readonly number[])[];
}

/** SHA-256 of `said` (text as UTF-8), as 64 hexadecimal digits. */
export async function digestOf(said: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof said === "string" ? new TextEncoder().encode(said) : said;
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
