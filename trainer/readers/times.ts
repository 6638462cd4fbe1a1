// A column of times → numbers that order rows, exact to the nanosecond. Knows no rows and no file. Legend: N entries.
import { DataError } from "../../shared/errors.ts";
import type { Column } from "./batch.ts";
import { isBlank } from "./keys.ts";
import { type Instant, readIso, type TimeFormat } from "./time-format.ts";
import { guessDigits, guessFormats } from "./time-guesses.ts";

export interface Times {
  /** (N) milliseconds since 1970 in UTC; of numbers without a unit, the numbers. */
  readonly coarse: Float64Array;
  /** (N) what `coarse` leaves out, in its millionths; null where that is 0 everywhere. */
  readonly fine: Int32Array | null;
}

/**
 * What the first entry is, all entries are: dates, numbers, or whole numbers beyond 2^53, which stand in `coarse` by the million and
 * with their last six digits in `fine`.
 */
type TimeKind = "date" | "number" | "long-number";

export interface TimeReader {
  /** Entries of the column `name`; an error counts them from `first`. Throws DataError. */
  read(column: Column, first?: number): Times;
  /** Whether entries are instants; false for numbers without a unit, and before the first one. */
  areDates(): boolean;
}

const MAX_EXACT = 2 ** 53;
const WHOLE = /^[+-]?\d+$/;
const MILLION = 1_000_000n;

/** A reader of one column through all batches; `format` undefined: numbers and ISO 8601. */
export function createTimeReader(name: string, source: string, format?: TimeFormat): TimeReader {
  let kind: TimeKind | null = null;
  const readOne = (entry: string | number, n: number): Instant => {
    const refuse = (why: string): never => {
      throw new DataError(source, `${name}[${n}] is ${typeof entry === "string" ? JSON.stringify(entry) : entry}, ${why}`);
    };
    if (isBlank(entry)) refuse("expected a time: fill it in, or leave the row out");
    const digits = format || kind !== null ? undefined : guessDigits(String(entry).trim());
    if (digits !== undefined)
      refuse(`which may be a date or a number: say --time-format ${digits} for dates, or --time-format s for numbers`);
    const found = format ? "date" : kindOf(entry);
    kind ??= found;
    if (kind !== found) refuse(describeMixture(kind, found));
    const instant = format ? format.read(String(entry)) : readKind(entry, kind);
    if (instant === undefined)
      return refuse(
        format
          ? `expected a time as --time-format ${format.text} has it, which was said now or in training: say the format in which it is written`
          : describeExpected(String(entry)),
      );
    return typeof instant === "string" ? refuse(instant) : instant;
  };
  return {
    areDates: () => kind === "date",
    read(column, first = 0) {
      const coarse = new Float64Array(column.length);
      let fine: Int32Array | null = null;
      for (let n = 0; n < column.length; n++) {
        const { ms, nanos } = readOne(column[n], first + n);
        coarse[n] = ms;
        if (nanos === 0) continue;
        fine ??= new Int32Array(column.length);
        fine[n] = nanos;
      }
      return { coarse, fine };
    },
  };
}

function kindOf(entry: string | number): TimeKind {
  if (typeof entry === "number") return "number";
  const text = entry.trim();
  if (!Number.isFinite(Number(text))) return "date";
  return WHOLE.test(text) && Math.abs(Number(text)) > MAX_EXACT ? "long-number" : "number";
}

function readKind(entry: string | number, kind: TimeKind): Instant | string | undefined {
  if (kind === "date") return readIso(String(entry));
  if (kind === "number") return Number.isFinite(Number(entry)) ? { ms: Number(entry), nanos: 0 } : undefined;
  const whole = BigInt(String(entry).trim());
  const nanos = ((whole % MILLION) + MILLION) % MILLION;
  return { ms: Number((whole - nanos) / MILLION), nanos: Number(nanos) };
}

const KIND_NAMES: Readonly<Record<TimeKind, string>> = {
  date: "dates",
  number: "numbers",
  "long-number": "whole numbers beyond 2^53",
};

function describeMixture(kind: TimeKind, found: TimeKind): string {
  if (found === "date") return `while entries before are ${KIND_NAMES[kind]}: write all times alike`;
  return kind === "date"
    ? "while entries before are dates: write all times alike"
    : `while entries before are ${KIND_NAMES[kind]}: say their unit with --time-format s, ms, us or ns`;
}

function describeExpected(written: string): string {
  const formats = guessFormats(written).map((format) => (format.includes(" ") ? `"${format}"` : format));
  const advice = formats.length === 0 ? "" : `: say --time-format ${formats.join(", or ")}`;
  return `expected a number or ISO 8601 such as 2024-05-31T12:00Z${advice}`;
}
