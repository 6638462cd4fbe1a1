// How a table of text is written: what separates its columns, which sign stands before decimals, and what its first lines say beside
// the data. Found from the file's first lines, where the options do not say. Lines → Dialect. Knows no file and no layout.
import { parse } from "csv-parse/sync";
import { DataError } from "../../shared/errors.ts";
import { MISSING_TEXT } from "../../shared/recipe/inputs.ts";

/** What may separate columns; of two that fit alike the first is taken. */
export const SEPARATORS = [",", ";", "\t", "|", " "] as const;
export type Separator = (typeof SEPARATORS)[number];
export const DECIMALS = [".", ","] as const;
export type Decimal = (typeof DECIMALS)[number];

export interface Dialect {
  readonly separator: Separator;
  readonly decimal: Decimal;
  /** Whether a separator ends every line, and no column follows it. */
  readonly isTrailed: boolean;
}

/** What is said by options. */
export interface SaidDialect {
  readonly separator?: Separator;
  readonly decimal?: Decimal;
}

export interface Head extends Dialect {
  /** Whether the first cell of every line of data that was looked at stands in quotes, as R writes the names of rows. */
  readonly isFirstQuoted: boolean;
  /** The first lines, with those emptied that are not data, so that lines keep their numbers. */
  readonly lines: readonly string[];
  /** Lines that begin with # and are no header. */
  readonly comments: number;
}

const SEPARATOR_NAMES: Readonly<Record<Separator, string>> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "|", " ": "spaces" };

/** Each digit fits one place only, so that a long cell that is no number takes no longer than its length. */
const NUMBERS: Readonly<Record<Decimal, RegExp>> = {
  ".": /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i,
  ",": /^[+-]?(?:\d+(?:,\d*)?|,\d+)(?:e[+-]?\d+)?$/i,
};
const INFINITE = /^[+-]?inf(?:inity)?$/i;
/** 1,234 and 1,234,567: a thousand and more, or a decimal comma. */
const GROUPED = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+$/;
/** A decimal comma, and nothing else. */
const WITH_COMMA = /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i;
/** 1,234.5 · 1.234,5 · 1.234.567 · 1 234,5 · 1'234.5 */
const THOUSANDS = /^[+-]?\d{1,3}(?:([,. '’\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?$/;

/** Records of the first lines that are looked at. */
const MAX_RECORDS = 64;

/** `separated by semicolons`, as sentences say it. */
export function nameSeparator(separator: Separator): string {
  return SEPARATOR_NAMES[separator];
}

/** The number in a trimmed cell, perhaps infinite; NaN for what stands for a missing one; undefined for other text. */
export function parseNumber(cell: string, decimal: Decimal): number | undefined {
  if (NUMBERS[decimal].test(cell)) return Number(decimal === "," ? cell.replace(",", ".") : cell);
  if (INFINITE.test(cell)) return cell.startsWith("-") ? -Infinity : Infinity;
  return MISSING_TEXT.test(cell) ? Number.NaN : undefined;
}

/** Whether a trimmed cell is a finite number as it is written. */
export function isNumber(cell: string, decimal: Decimal): boolean {
  return NUMBERS[decimal].test(cell);
}

/** Signs that people write where they have no number. */
const NO_VALUE = /^(?:-+|\?|\.|#.*|[–—]|missing|unknown|none|nil|n\.a\.?)$/i;
/** A currency or a percent sign before or behind a number. */
const UNIT = /^[$€£¥]\s*|\s*(?:%|[$€£¥]|[A-Z]{3})$/u;

/** What to do about a cell that is no number in this file, as `: …`; empty where nothing is known. */
export function adviseOnNumber(text: string, decimal: Decimal): string {
  const cell = text.trim();
  if (decimal === "." && WITH_COMMA.test(cell) && !GROUPED.test(cell)) return ": where decimals are commas, say --decimal ,";
  if (NO_VALUE.test(cell)) return ": where it says that the number is missing, leave the cell empty";
  const bare = cell.replace(UNIT, "");
  if (bare !== cell && isNumber(bare, decimal)) return ": write the number without its sign or unit";
  if (THOUSANDS.test(cell)) return ": it has thousands separators; write numbers without them";
  return decimal === "," && NUMBERS["."].test(cell) ? ": decimals are commas here; where they are points, say --decimal ." : "";
}

/** Finds the dialect of a file that begins with `lines`. Throws DataError where a decimal comma and thousands cannot be told apart. */
export function readHead(lines: readonly string[], said: SaidDialect, source: string): Head {
  const kept = [...lines];
  const first = kept.findIndex((line) => line.trim() !== "");
  const ownSeparator = /^"?sep=(.)"?\s*$/i.exec(kept[first] ?? "")?.[1]; // as Excel writes and reads it
  if (ownSeparator !== undefined) kept[first] = "";
  const separators = separatorsOf(said, ownSeparator);
  const comments = findComments(kept);
  for (const i of comments) kept[i] = "";
  const found = bestTable(kept, separators);
  const header = comments.length === 0 ? null : headerOf(lines[comments[comments.length - 1]], found);
  if (header !== null) kept[comments[comments.length - 1]] = header;
  const cells = found.records.flat();
  return {
    separator: found.separator,
    decimal: said.decimal ?? findDecimal(cells, source),
    isTrailed: found.isTrailed,
    isFirstQuoted: isFirstQuoted(kept),
    lines: kept,
    comments: comments.length - (header === null ? 0 : 1),
  };
}

/** Of lines behind the first, which is a header where it matters. */
function isFirstQuoted(lines: readonly string[]): boolean {
  const data = lines.filter((line) => line.trim() !== "").slice(1);
  return data.length > 0 && data.every((line) => line.startsWith('"'));
}

function separatorsOf({ separator }: SaidDialect, own: string | undefined): readonly Separator[] {
  const known = SEPARATORS.find((one) => one === (separator ?? own));
  return known === undefined ? SEPARATORS : [known];
}

/** Numbers of the lines that begin with # before the first other one; a first column that is called # is none. */
function findComments(lines: readonly string[]): number[] {
  const comments: number[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    if (!/^#(?![,;\t|])/.test(line)) break;
    comments.push(i);
  }
  return comments;
}

/** The line without its #, as np.savetxt writes a header, where it has as many columns as the data; else null. */
function headerOf(line: string, { separator, records, isTrailed }: Table): string | null {
  const text = line.replace(/^#+ ?/, "");
  const [record] = split(text, separator) ?? [];
  const columns = (record?.length ?? 0) - (isTrailed && record?.at(-1) === "" ? 1 : 0);
  return records.length > 0 && columns === records[0].length ? text : null;
}

interface Table {
  readonly separator: Separator;
  /** The first records without the empty cell behind a trailing separator. */
  readonly records: readonly (readonly string[])[];
  readonly isTrailed: boolean;
}

/** The first lines, cut at the separator under which most of their cells are numbers; of two such, at the one with more columns. */
function bestTable(lines: readonly string[], separators: readonly Separator[]): Table {
  const text = lines.join("\n");
  let best: Table = { separator: separators[0], records: [], isTrailed: false };
  let bestScore = -1;
  for (const separator of separators) {
    const table = toTable(text, separator);
    if (table === null) continue;
    const score = scoreOf(table);
    if (score > bestScore) {
      best = table;
      bestScore = score;
    }
  }
  return best;
}

function toTable(text: string, separator: Separator): Table | null {
  const records = split(text, separator);
  if (records === null || records.length === 0) return null;
  const endsEmpty = (record: readonly string[]): boolean => record.length > 1 && record[record.length - 1].trim() === "";
  const [first, ...rest] = records;
  const isTrailed =
    (endsEmpty(first) || (rest.length > 0 && rest.every(({ length }) => length === first.length + 1))) && rest.every(endsEmpty);
  const trim = (record: readonly string[]): readonly string[] => (isTrailed && endsEmpty(record) ? record.slice(0, -1) : record);
  return { separator, records: records.map(trim), isTrailed };
}

/** Records of text; null where its quotes do not fit. */
function split(text: string, separator: Separator): string[][] | null {
  try {
    const records = parse(text, { delimiter: separator, relax_column_count: true, skip_empty_lines: true, to: MAX_RECORDS }) as string[][];
    return separator === " " ? records.map((record) => record.filter((cell) => cell !== "")) : records;
  } catch {
    return null;
  }
}

/** How well the first records fit: −1 where they are no table, else the share of numbers, and the columns as what breaks a tie. */
function scoreOf({ records: [first, ...rest], separator }: Table): number {
  const rows = rest.length === 0 ? [first] : rest;
  const columns = mostFrequent(rows.map(({ length }) => length));
  if (columns < 2 || first.length < 2 || Math.abs(first.length - columns) > 1) return -1;
  let numbers = 0;
  let cells = 0;
  for (const row of rows)
    for (const text of row) {
      const cell = text.trim();
      if (MISSING_TEXT.test(cell)) continue;
      cells++;
      if (row.length === columns && (NUMBERS["."].test(cell) || (separator !== "," && WITH_COMMA.test(cell)))) numbers++;
    }
  return (cells === 0 ? 0 : numbers / cells) + columns / 2 ** 20; // columns are fewer than 2^20: they only break ties
}

function mostFrequent(counts: readonly number[]): number {
  const times = new Map<number, number>();
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  return [...times].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** A comma where some cell can be nothing else and none has a point. Throws DataError where all that is known may be thousands. */
function findDecimal(cells: readonly string[], source: string): Decimal {
  let grouped: string | null = null;
  let hasComma = false;
  let hasPoint = false;
  for (const text of cells) {
    const cell = text.trim();
    if (GROUPED.test(cell)) grouped ??= cell;
    else if (WITH_COMMA.test(cell)) hasComma = true;
    else if (cell.includes(".") && NUMBERS["."].test(cell)) hasPoint = true;
  }
  if (grouped !== null && !hasComma && !hasPoint)
    throw new DataError(
      source,
      `holds ${JSON.stringify(grouped)}, which may have a decimal comma or a thousands separator: say --decimal , for the first; write numbers without thousands separators`,
    );
  return hasComma && !hasPoint ? "," : ".";
}
