// The first records of a CSV → the names of its columns: one line of names, pandas' two or three of a MultiIndex, R's with one name
// less, or none. Knows texts only.

import { type Decimal, isNumber, parseNumber } from "./dialect.ts";

/** Records that are looked at: three of a MultiIndex, and two of data. */
export const FIRST_RECORDS = 5;

export interface FirstLines {
  /** (columns) trimmed names, empty where a column has none; null where the first line holds numbers. */
  readonly header: readonly string[] | null;
  /** Records that are names. */
  readonly lines: number;
}

/** A step as a MultiIndex holds it. */
const STEP = /^(?:-?\d{1,9}|t(?:[+-]?\d{1,9})?|lag[\s_-]?\d{1,9})$/i;

/** A number, as `decimal` writes it; NaN for what stands for a missing one; undefined for other text. */
export function parseCell(text: string, decimal: Decimal): number | undefined {
  const cell = text.trim();
  const number = parseNumber(cell, decimal);
  if (number !== undefined) return number;
  if (/^true$/i.test(cell)) return 1; // pandas writes bool labels so
  return /^false$/i.test(cell) ? 0 : undefined;
}

/**
 * Says what the first records are; `records` holds FIRST_RECORDS of them, or all. `isFirstQuoted` as Head has it. `areRows`: each is one row
 * of a series, whose columns have no steps.
 */
export function readFirstLines(
  records: readonly (readonly string[])[],
  decimal: Decimal,
  isFirstQuoted = false,
  areRows = false,
): FirstLines {
  const [first, second = [], third = []] = records.map((record) => record.map((cell) => cell.trim()));
  const hasIndex = isIndexName(third) || isCounted(records.slice(2));
  const joined = areRows ? null : joinLevels(first, second, decimal, hasIndex);
  if (joined) return { header: joined, lines: isIndexName(third) ? 3 : 2 };
  if (!isHeader(first, decimal) && !isCount(first)) return { header: null, lines: 0 };
  return { header: hasRowNames(first, records.slice(1), decimal, isFirstQuoted) ? ["", ...first] : first, lines: 1 };
}

/** Names, among them perhaps whole numbers; a line of numbers with one bad cell is not a header. */
function isHeader(record: readonly string[], decimal: Decimal): boolean {
  const numbers = record.filter((cell) => isNumber(cell, decimal));
  const namesOnly = numbers.every((cell) => /^\d+$/.test(cell)) && new Set(numbers).size === numbers.length;
  return namesOnly && record.some((cell) => parseCell(cell, decimal) === undefined);
}

/** 0, 1, …, n − 1, as pandas names columns without names; an index without a name may stand in front. */
function isCount(record: readonly string[]): boolean {
  const cells = record[0] === "" ? record.slice(1) : record;
  return cells.length > 1 && cells.every((cell, i) => cell === String(i));
}

/**
 * `open[0]` from `open` above `0`, or from `0` above `open`; null where the lines are no MultiIndex of features and steps. Above an index in
 * front stand the names of the levels, or nothing.
 */
function joinLevels(first: readonly string[], second: readonly string[], decimal: Decimal, hasIndex: boolean): string[] | null {
  if (first.length !== second.length || new Set(first).size === first.length) return null;
  const isName = (cell: string): boolean => parseCell(cell, decimal) === undefined;
  const isEmpty = (cell: string): boolean => cell === "" || /^Unnamed: \d+_level_\d+$/.test(cell);
  const inFirst = first.slice(hasIndex ? 1 : 0).filter((cell) => !isEmpty(cell));
  const [names, steps] = inFirst.every((cell) => STEP.test(cell)) ? [second, first] : [first, second];
  const pairs = names.map((name, i) => {
    if (i === 0 && hasIndex && !/\d/.test(steps[0])) return "";
    if (isEmpty(steps[i])) return isEmpty(name) ? "" : name;
    if (isEmpty(name)) return steps[i];
    return isName(name) && STEP.test(steps[i]) ? `${name}[${steps[i]}]` : null;
  });
  const joined = pairs.filter((pair) => pair !== null);
  const stepped = joined.filter((name) => name.endsWith("]")).length;
  const counts = names.filter((_, i) => joined[i]?.endsWith("]")).map((name, _, all) => all.filter((other) => other === name).length);
  if (Math.min(...counts) === 1 && Math.max(...counts) > 1) return null; // as "a, a, label" stands above numbers
  return joined.length === names.length && 2 * stepped >= names.length && new Set(joined).size === joined.length ? joined : null;
}

/** Whether records begin with 0, 1, 2, …, as the index does that pandas makes. */
function isCounted(records: readonly (readonly string[])[]): boolean {
  return records.length > 1 && records.every((record, n) => record[0].trim() === String(n));
}

/** The line below the levels of a MultiIndex that names the index, and nothing else. */
function isIndexName(record: readonly string[]): boolean {
  return record.length > 1 && record[0] !== "" && record.slice(1).every((cell) => cell === "");
}

/** Whether every line has one cell more than the header, and begins with what R calls it: 1, 2, 3, …, a text, or anything in quotes. */
function hasRowNames(
  header: readonly string[],
  records: readonly (readonly string[])[],
  decimal: Decimal,
  isFirstQuoted: boolean,
): boolean {
  const isName = (cell: string, n: number): boolean => isFirstQuoted || cell === String(n + 1) || parseCell(cell, decimal) === undefined;
  return records.length > 0 && records.every((record, n) => record.length === header.length + 1 && isName(record[0].trim(), n));
}
