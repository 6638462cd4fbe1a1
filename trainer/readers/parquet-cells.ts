// A Parquet column's cells → labels, numbers or texts of the next records. Knows no layout and no bytes.
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import { type Column, toColumn, type Wanted } from "./batch.ts";
import { adviseOnText, type InputReading, readCell } from "./input-table.ts";
import { expectLabel, expectNumber, openLabels, toLabel } from "./issues.ts";
import { NO_LABEL } from "./no-label.ts";
import type { Cell, Cursor } from "./parquet-cursor.ts";
import { show } from "./quoting.ts";

/** The records that are read next. */
export interface RecordRange {
  readonly source: string;
  /** Number of the first in the file. */
  readonly first: number;
  readonly count: number;
}

/** As an error names record `n` of a range: rows count from 1, as a table shows them. */
export function placeOf({ source, first }: RecordRange, n: number): string {
  return `${source}: row ${first + n + 1}`;
}

/** (count) labels, NO_LABEL after onIssue has heard of one that is none. */
export function readLabels(cursor: Cursor, name: string, range: RecordRange, wanted: Wanted): Labels {
  const labels = openLabels(range.count, wanted.softLabels);
  const what = `column ${show(name)}`;
  cursor.take(range.count, (n, cell) => {
    const value = typeof cell === "string" && wanted.labelCodes ? cell : toNumber(cell);
    if (value !== undefined) labels[n] = toLabel(value, what, placeOf(range, n), wanted);
    else {
      wanted.onIssue(
        placeOf(range, n),
        `${what} is ${describeCell(cell)}, ${isMissing(cell) ? expectLabel() : "expected a label 0 or 1"}`,
        Number.NaN,
      );
      labels[n] = NO_LABEL;
    }
  });
  return labels;
}

/** Writes `count` numbers, of `out.input` where it is a category codes, to `out[offset]`, `out[offset + step]`, …; NaN where one may be missing, or after onIssue has heard of one that is none. */
export function readNumbers(
  cursor: Cursor,
  name: string,
  range: RecordRange,
  { onIssue, gaps, gapAdvice, onRounded }: Wanted,
  out: { readonly values: Float64Array; readonly offset: number; readonly step: number; readonly input?: InputReading },
): void {
  const { values, offset, step, input } = out;
  cursor.take(range.count, (n, cell) => {
    if (input && input.kind !== "number") {
      const value = readCell(input, cell, placeOf(range, n));
      if (input.kind === "category" && value !== undefined) {
        values[offset + n * step] = value;
        return;
      }
    }
    const number = toNumber(cell);
    if ((number === undefined || !Number.isFinite(number)) && !(gaps && isMissing(cell)))
      onIssue(
        placeOf(range, n),
        `column ${show(name)} is ${describeCell(cell)}, ${expectNumber(isMissing(cell), { gapAdvice }, adviseOnText(input, cell))}`,
      );
    if (typeof cell === "bigint" && BigInt(number ?? 0) !== cell) onRounded?.(1);
    values[offset + n * step] = number ?? Number.NaN;
  });
}

/** (count) numbers or texts; dates as ISO texts. Throws DataError where a cell is neither. */
export function readColumn(cursor: Cursor, name: string, range: RecordRange): Column {
  const cells: (number | string)[] = [];
  cursor.take(range.count, (n, cell) => {
    if (cell instanceof Date && Number.isFinite(cell.getTime())) cells.push(cell.toISOString());
    else if (typeof cell === "bigint") cells.push(Number.isSafeInteger(Number(cell)) ? Number(cell) : String(cell));
    else if (typeof cell === "number" || typeof cell === "string") cells.push(cell);
    else throw new DataError(placeOf(range, n), `column ${show(name)} is ${describeCell(cell)}, expected a number or text`);
  });
  return toColumn(cells);
}

/** Undefined where a cell is no number; 1 and 0 for true and false. */
export function toNumber(cell: Cell): number | undefined {
  if (typeof cell === "number") return cell;
  return typeof cell === "bigint" || typeof cell === "boolean" ? Number(cell) : undefined;
}

/** Whether a number is missing: null, or NaN. */
export function isMissing(cell: Cell): boolean {
  return cell === null || cell === undefined || Number.isNaN(cell);
}

/** A cell as an error shows it. */
export function describeCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "null";
  if (cell instanceof Date) return "a date";
  return typeof cell === "string" ? show(cell) : typeof cell === "object" ? "an object" : String(cell);
}
