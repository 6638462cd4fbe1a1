// What names a series, or a group: one entry of a column. Knows no format.
import { DataError } from "../../shared/errors.ts";

/** What an entry is called among groups and series: `1.0`, as pandas writes a whole number beside a gap, is `1`. */
function keyOf(entry: number | string): number | string {
  return typeof entry === "string" && /^-?\d+\.0*$/.test(entry) ? entry.slice(0, entry.indexOf(".")) : entry;
}

/** Whether nothing stands there: an empty cell, or NaN. */
export function isBlank(entry: number | string): boolean {
  return typeof entry === "string" ? entry.trim() === "" : Number.isNaN(entry);
}

/** keyOf the entry `n` of the column `name`. Throws DataError where nothing stands there: that would be a series, or a group, of its own. */
export function requireKey(entry: number | string, name: string, n: number, source: string): number | string {
  if (!isBlank(entry)) return keyOf(entry);
  const shown = typeof entry === "string" ? JSON.stringify(entry) : entry;
  throw new DataError(source, `${name}[${n}] is ${shown}, expected what the row belongs to: fill it in, or leave the row out`);
}
