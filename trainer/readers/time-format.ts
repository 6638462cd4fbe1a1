// How times are written → an instant. ISO 8601 where nothing is said, strptime's letters or a unit of whole numbers where it is.
// d3-time-format is not used: it rolls 31 February over to March, and keeps milliseconds. Knows no column.
import { UsageError } from "../../shared/errors.ts";

/** Milliseconds since 1970 in UTC, whole, and the nanoseconds beyond them, 0 to 999,999. */
export interface Instant {
  readonly ms: number;
  readonly nanos: number;
}

/** What a text or number means; a string says why it is no time, undefined: it is not written so. */
export type ReadTime = (written: string) => Instant | string | undefined;

export interface TimeFormat {
  /** As it was said. */
  readonly text: string;
  readonly read: ReadTime;
}

/** Units of whole numbers, in nanoseconds. */
const UNITS: Readonly<Record<string, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n };
const NANOS_A_MS = 1_000_000n;

/** How the names of months begin, without their accents: in English, German, French, Spanish, Italian, Portuguese and Dutch. */
const MONTHS: readonly RegExp[] = [
  /^(?:jan|ene|gen)/,
  /^(?:feb|fev)/,
  /^(?:mar|maer|mrz|mrt|maa)/,
  /^(?:apr|avr|abr)/,
  /^(?:may|mai|mag|mei)/,
  /^(?:jun|juin|giu)/,
  /^(?:jul|juil|lug)/,
  /^(?:aug|aou|ago)/,
  /^(?:sep|set)/,
  /^(?:oct|okt|ott|out)/,
  /^nov/,
  /^(?:dec|dez|dic)/,
];

/** strptime's letters (docs.python.org/3/library/datetime.html#format-codes) → what they match; each is a group by its letter. */
const LETTERS: Readonly<Record<string, string>> = {
  Y: "\\d{4}",
  y: "\\d{2}",
  m: "\\d{1,2}",
  d: "\\d{1,2}",
  H: "\\d{1,2}",
  I: "\\d{1,2}",
  M: "\\d{1,2}",
  S: "\\d{1,2}",
  f: "\\d{1,9}",
  b: "\\p{L}{3,}\\.?",
  B: "\\p{L}{3,}",
  p: "[AaPp]\\.?[Mm]\\.?",
  z: "Z|[+-]\\d{2}:?\\d{2}",
  Z: "UTC|GMT|Z",
  a: "\\p{L}{2,}\\.?",
  A: "\\p{L}{2,}",
};

/** What `--time-format` calls days as spreadsheets count them. */
export const EXCEL = "excel";
/** 1970-01-01 in days since 1899-12-30, from which Excel and its kin count (ECMA-376 part 1, 18.17.4.1); the 61st is the first that all agree on. */
const EXCEL_EPOCH = 25569;
const EXCEL_FIRST = 61;
const MS_A_DAY = 86_400_000;

/** A unit (`s`, `ms`, `us`, `ns`), `excel`, or a text such as `%d/%m/%Y %H:%M`. Throws UsageError. */
export function parseTimeFormat(text: string): TimeFormat {
  const unit = Object.hasOwn(UNITS, text) ? UNITS[text] : undefined;
  if (unit !== undefined) return { text, read: (written) => readUnit(written, unit) };
  if (text === EXCEL) return { text, read: readExcel };
  const used = new Set<string>();
  const pattern = text.replace(/%(.)|[.*+?^${}()|[\]\\/]|\s+/gsu, (part, letter: string | undefined) => {
    if (letter === undefined) return /^\s/.test(part) ? "\\s+" : `\\${part}`;
    if (letter === "%") return "%";
    if (!Object.hasOwn(LETTERS, letter) || used.has(letter)) throw new UsageError(describeLetters(text, letter));
    used.add(letter);
    return `(?<${letter}>${LETTERS[letter]})`;
  });
  const hasYear = used.has("Y") || used.has("y");
  if (!hasYear) throw new UsageError(describeLetters(text));
  const expression = new RegExp(`^${pattern}$`, "u");
  return {
    text,
    read(written) {
      const groups = expression.exec(written.trim())?.groups;
      return groups && toInstant(fieldsOf(groups));
    },
  };
}

function describeLetters(text: string, letter?: string): string {
  const what = letter === undefined ? "it has no year, %Y or %y" : `%${letter} is not known or there twice`;
  return `--time-format must be s, ms, us, ns, excel, or a text with ${Object.keys(LETTERS)
    .map((known) => `%${known}`)
    .join(" ")} such as "%d/%m/%Y %H:%M", got ${text}: ${what}`;
}

/** A count of `unit` nanoseconds; with decimals, to the millisecond's float64. */
function readUnit(written: string, unit: bigint): Instant | undefined {
  const text = written.trim();
  if (/^[+-]?\d+(?:\.0*)?$/.test(text)) return toParts(BigInt(text.replace(/\.0*$/, "")) * unit);
  const number = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? { ms: (number * Number(unit)) / Number(NANOS_A_MS), nanos: 0 } : undefined;
}

/** Days as spreadsheets count them, to the millisecond. */
function readExcel(written: string): Instant | undefined {
  const days = written.trim() === "" ? Number.NaN : Number(written);
  return days >= EXCEL_FIRST && days < 10 * EXCEL_EPOCH ? { ms: Math.round((days - EXCEL_EPOCH) * MS_A_DAY), nanos: 0 } : undefined;
}

function toParts(nanoseconds: bigint): Instant {
  const nanos = ((nanoseconds % NANOS_A_MS) + NANOS_A_MS) % NANOS_A_MS;
  return { ms: Number((nanoseconds - nanos) / NANOS_A_MS), nanos: Number(nanos) };
}

/** Date, and time and zone where they are there: RFC 3339, ISO 8601's basic form, pandas' and SQL's space, ` UTC`. */
const ISO =
  /^(?<Y>\d{4})(?:-(?<m>\d{2})(?:-(?<d>\d{2}))?|(?<m2>\d{2})(?<d2>\d{2})(?=T))(?:[T ](?<H>\d{2})(?::?(?<M>\d{2})(?::?(?<S>\d{2})(?:[.,](?<f>\d{1,9}))?)?)?(?: ?(?<z>Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?$/i;

/** An ISO 8601 date or date and time; without a zone, UTC on every machine. */
export function readIso(written: string): Instant | string | undefined {
  const groups = ISO.exec(written.trim())?.groups;
  return groups && toInstant(fieldsOf({ ...groups, m: groups.m ?? groups.m2, d: groups.d ?? groups.d2 }));
}

interface Fields {
  readonly year: number;
  /** 1 to 12; 0 for a month's name that is none. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Digits of the second's fraction. */
  readonly fraction: string;
  /** Minutes ahead of UTC. */
  readonly zone: number;
}

function fieldsOf(groups: Readonly<Record<string, string | undefined>>): Fields {
  const number = (text: string | undefined, missing: number): number => (text === undefined ? missing : Number(text));
  const name = groups.b ?? groups.B;
  const isLate = groups.p === undefined ? null : /^p/i.test(groups.p);
  const hour = number(groups.H ?? groups.I, 0);
  return {
    // two digits as POSIX has them: 69 to 99 are of the last century
    year: groups.Y === undefined ? number(groups.y, 0) + (number(groups.y, 0) < 69 ? 2000 : 1900) : Number(groups.Y),
    month: name === undefined ? number(groups.m, 1) : monthOf(name),
    day: number(groups.d, 1),
    hour: isLate === null ? hour : hour >= 1 && hour <= 12 ? (hour % 12) + (isLate ? 12 : 0) : Number.NaN,
    minute: number(groups.M, 0),
    second: number(groups.S, 0),
    fraction: groups.f ?? "",
    zone: zoneOf(groups.z),
  };
}

/** 1 to 12; 0 for a name that is no month's. */
function monthOf(name: string): number {
  const bare = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return MONTHS.findIndex((month) => month.test(bare)) + 1;
}

function zoneOf(text = "Z"): number {
  const [, sign, hours, minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? [];
  return sign === undefined ? 0 : (sign === "-" ? -1 : 1) * (60 * Number(hours) + Number(minutes));
}

/** The instant, or why there is none. */
function toInstant({ year, month, day, hour, minute, second, fraction, zone }: Fields): Instant | string {
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes a year below 100 for one of the last century
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return "which is no date of the calendar";
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return "which is no time of a day";
  const nanoseconds = Number(fraction.padEnd(9, "0"));
  const ms = date.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + Math.floor(nanoseconds / 1e6);
  return { ms, nanos: nanoseconds % 1e6 };
}
