// One event of a key, whoever sent it, and how its parts are read. Knows no body's layout, no signatures and no storage.
import * as v from "valibot";
import { type Path, SequenceError } from "../../shared/errors.ts";
import { numberRule, parseSequence, rowRule, type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import { encodeText } from "../http/encoding.ts";
import { digestOf } from "../http/hashes.ts";
import { MAX_INSTANT, RFC3339, readInstant } from "../http/instant.ts";
import { lazy, parseAt, type Schema } from "../http/schema.ts";

export interface StreamEvent {
  /** Unique among its source's ids of this key, for as long as ids are remembered. */
  readonly id: string;
  /** Milliseconds since 1970: where in the window it belongs. */
  readonly timestamp: number;
  /**
   * One row that joins the key's window, or a whole sequence of rows that is scored as it is and leaves the window alone; NaN is a gap.
   * `own`: a row without what is given once a sequence, its last numbers, which are the latest that the key's events gave.
   */
  readonly data: EventRow | { readonly sequence: readonly (readonly number[])[] };
  /** Two events of one id are the same if this is: `contentDigest`; of the body where the body is the id. */
  readonly digest: string;
}

/** The numbers of a row, whole or without those that are given once a sequence. */
export type EventRow = { readonly values: readonly number[] } | { readonly own: readonly number[] };

/** Of a key and of an id, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;
const NAME_RULE = `must be text of 1 to ${MAX_NAME_BYTES} bytes without control characters, not . or .., or a whole number`;
const TIME_RULE =
  "must be a time with its zone, such as 2026-11-25T09:30:00Z, or seconds, milliseconds, microseconds or nanoseconds since 1970";

/** No control characters; up to two dots, then another character, or more dots. No URL's path can hold `.` or `..`. */
const CONTROL = "\\u0000-\\u001f\\u007f-\\u009f";
const NAME = new RegExp(`^(\\.{0,2}[^.${CONTROL}]|\\.{3})[^${CONTROL}]*$`, "u");

/** A key or an id that is text. */
export const textNameSchema = lazy(() =>
  v.pipe(
    v.string(NAME_RULE),
    v.minLength(1, NAME_RULE),
    v.maxLength(MAX_NAME_BYTES, NAME_RULE),
    v.regex(NAME, NAME_RULE),
    v.check(isName, NAME_RULE),
  ),
);

/** A key or an id: text, or a whole number, which is read as its text. */
export const nameSchema = lazy(() =>
  v.union([textNameSchema(), v.pipe(v.number(NAME_RULE), v.safeInteger(NAME_RULE), v.transform(String))], NAME_RULE),
);

/** Whether `text` may be a key or an id. */
export function isName(text: string): boolean {
  if (text.length > MAX_NAME_BYTES || !NAME.test(text) || !text.isWellFormed()) return false;
  return 3 * text.length <= MAX_NAME_BYTES || encodeText(text).length <= MAX_NAME_BYTES; // a UTF-16 unit is three bytes at most
}

/** A date and time with its zone (RFC 3339), or a number since 1970; read as milliseconds since 1970. */
export const timestampSchema = lazy(() => {
  const date = v.pipe(v.string(TIME_RULE), v.regex(RFC3339, TIME_RULE));
  const instant = v.pipe(v.number(TIME_RULE), v.minValue(0, TIME_RULE), v.maxValue(MAX_INSTANT, TIME_RULE));
  const read = <T extends string | number>() => v.transform((value: T) => readInstant(value) ?? Number.NaN);
  return v.union([v.pipe(date, read<string>(), v.number(TIME_RULE)), v.pipe(instant, read<number>())], TIME_RULE); // NaN is no number
});

/** A number that JSON can hold and a double, too; where numbers may be missing also null. */
function numberSchema({ gaps }: Pick<Shape, "gaps">) {
  const rule = `must be ${numberRule({ gaps })}`;
  const finite = v.pipe(v.number(rule), v.finite(rule));
  return gaps ? v.nullable(finite) : finite;
}

/** What an event's row is like: it has its time beside it. */
export type RowShape = Pick<Shape, "features" | "gaps" | "clock" | "names">;

/** A row of finite numbers, or null where a number may be missing; without its time. */
export function rowOf(shape: RowShape): Schema<(number | null)[]> {
  const { gaps, names } = shape;
  const F = widthWithoutTime(shape);
  const numbers = rowRule({ features: F, names });
  const key = `${numbers} ${gaps === true}`;
  const known = rows.get(key);
  if (known !== undefined) return known;
  const anyRow = v.pipe(v.array(v.unknown(), `must be an array of ${numbers}`), v.length(F, `must have ${numbers}`));
  const row = v.pipe(anyRow, v.array(numberSchema(shape)));
  rows.set(key, row);
  return row;
}

/** By F, names and gaps: schemas take longer to make than to use, and a Worker serves one model. */
const rows = new Map<string, Schema<(number | null)[]>>();

/** A row as JSON has it, with null for what is missing, → the row as it is scored, with NaN. */
export function restoreGaps(row: readonly (number | null)[]): readonly number[] {
  return row.includes(null) ? row.map((number) => number ?? Number.NaN) : (row as readonly number[]);
}

/** A key or an id. Throws SequenceError at `path`. */
export function parseName(value: unknown, path: Path): string {
  return typeof value === "string" && isName(value) ? value : parseAt(nameSchema(), value, path);
}

/** Milliseconds since 1970. Throws SequenceError at `path`. */
export function parseTimestamp(value: unknown, path: Path): number {
  return readInstant(value) ?? parseAt(timestampSchema(), value, path);
}

/** F finite numbers, NaN for null where numbers may be missing. Throws SequenceError at the place in `path`. */
export function parseRow(value: unknown, path: Path, shape: RowShape): readonly number[] {
  return isRow(value, widthWithoutTime(shape)) ? value : restoreGaps(parseAt(rowOf(shape), value, path));
}

/** A finite number, NaN for null where numbers may be missing. Throws SequenceError at `path`. */
export function parseNumber(value: unknown, path: Path, shape: Pick<Shape, "gaps">): number {
  return typeof value === "number" && Number.isFinite(value) ? value : (parseAt(numberSchema(shape), value, path) ?? Number.NaN);
}

/** F finite numbers, as most rows are. */
function isRow(value: unknown, F: number): value is readonly number[] {
  return Array.isArray(value) && value.length === F && value.every(Number.isFinite);
}

/**
 * An event as POST /v1/streams/{key}/events takes it, read by hand: schemas take 9 µs longer for each (measured). Undefined where
 * `value` may be none: then the schema of the document decides, and says what is wrong.
 */
export function readEvent(
  value: unknown,
  F: number,
): (Omit<StreamEvent, "digest" | "data"> & { readonly values: readonly number[] }) | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.keys(value).length !== 3) return undefined;
  const { id, timestamp, values } = value as Partial<Record<"id" | "timestamp" | "values", unknown>>;
  const name = typeof id === "string" && isName(id) ? id : Number.isSafeInteger(id) ? String(id) : undefined;
  const instant = readInstant(timestamp);
  return name !== undefined && instant !== undefined && isRow(values, F) ? { id: name, timestamp: instant, values } : undefined;
}

/** Throws SequenceError at `path` where `timestamp` is later than `latest`, both in milliseconds since 1970. */
export function refuseFuture(timestamp: number, latest: number, path: Path): void {
  if (timestamp <= latest) return;
  throw new SequenceError(
    path,
    `must be ${new Date(latest).toISOString()} at the latest (this Worker's clock and STREAM_FUTURE_S): check the sender's clock and unit`,
    new Date(timestamp).toISOString(),
  );
}

/** Throws SequenceError at `path` where `timestamp` is before `earliest`, both in milliseconds since 1970. */
export function refusePast(timestamp: number, earliest: number, path: Path): void {
  if (timestamp >= earliest) return;
  throw new SequenceError(
    path,
    `must be ${new Date(earliest).toISOString()} at the earliest (ids of older events are forgotten, and this source signs no time of sending)`,
    new Date(timestamp).toISOString(),
  );
}

/** Of what an event says, whatever else stands in its body: two events of one id are the same if this is. */
export function contentDigest(timestamp: number, data: StreamEvent["data"]): Promise<string> {
  return digestOf(JSON.stringify([timestamp, "values" in data ? data.values : "own" in data ? data.own : data.sequence]));
}

/** 1 to T rows of F numbers, as /v1/score takes them, NaN for null. Throws SequenceError at the place in `path`. */
export function parseRows(value: unknown, path: Path, shape: Shape): readonly (readonly number[])[] {
  parseSequence(value, path, shape, new Float64Array(shape.timesteps * shape.features), 0);
  return (value as readonly (readonly (number | null)[])[]).map(restoreGaps);
}
