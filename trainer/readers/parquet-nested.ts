// A Parquet list column → sequences: a list of rows, each a list of numbers, or a flat list of 10 × 5 numbers.
// Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import type { Wanted } from "./batch.ts";
import { expectNumber } from "./issues.ts";
import { padInFront } from "./padding.ts";
import { describeCell, isMissing, placeOf, type RecordRange, toNumber } from "./parquet-cells.ts";
import type { Cursor } from "./parquet-cursor.ts";

/** Numbers of a flat sequence. */
const FLAT_NUMBERS = DEFAULT_SHAPE.timesteps * DEFAULT_SHAPE.features;

/**
 * Reads the next sequences of a list of `levels` levels, 2 for rows and 1 for flat. Those shorter than the longest are padded in
 * front. `what` names the column in errors. Throws DataError.
 */
export function readNested(
  cursor: Cursor,
  levels: number,
  what: string,
  range: RecordRange,
  { onIssue, gaps, gapAdvice, onRounded }: Wanted,
): { values: Float64Array; shape: Shape } {
  const fail = (n: number, message: string): never => {
    throw new DataError(placeOf(range, n), `${what} ${message}`);
  };
  if (levels > 2) fail(0, `is nested ${levels} deep, expected a list of rows, each a list of numbers`);
  const rows = createRowCounter(levels, fail);
  const numbers: number[] = [];
  const starts = new Int32Array(range.count + 1); // in numbers
  let current = -1;
  const endRecord = (): void => {
    if (current < 0) return;
    rows.endRecord(current);
    starts[current + 1] = numbers.length;
  };
  cursor.take(range.count, (n, cell, repetition) => {
    if (n !== current) {
      endRecord();
      current = n;
      rows.startRecord();
    } else if (repetition < levels) rows.nextRow(n);
    const number = toNumber(cell);
    if ((number === undefined || !Number.isFinite(number)) && !(gaps && isMissing(cell)))
      onIssue(placeOf(range, n), `${what} holds ${describeCell(cell)}, ${expectNumber(isMissing(cell), { gapAdvice })}`);
    if (typeof cell === "bigint" && BigInt(number ?? 0) !== cell) onRounded?.(1);
    numbers.push(number ?? Number.NaN);
    rows.addNumber();
  });
  endRecord();
  const shape = rows.shape();
  return { values: padInFront(numbers, starts, shape.timesteps * shape.features), shape };
}

/** Counts rows and their numbers; finds F, which all rows share, and T, the longest record's. */
function createRowCounter(levels: number, fail: (n: number, message: string) => never) {
  let F = levels === 1 ? DEFAULT_SHAPE.features : 0;
  let T = 1;
  let rows = 0; // of the record that is read
  let inRow = 0;
  const endRow = (n: number): void => {
    if (levels === 1) {
      if (inRow !== FLAT_NUMBERS) fail(n, `has ${inRow} numbers, expected ${FLAT_NUMBERS} (10 × 5), or a list of rows`);
      rows = DEFAULT_SHAPE.timesteps;
      return;
    }
    if (F === 0) F = inRow;
    if (inRow !== F || F > MAX_FEATURES)
      fail(n, `has a row of ${inRow} numbers, expected ${F > MAX_FEATURES ? `at most ${MAX_FEATURES}` : F}`);
    if (rows > MAX_TIMESTEPS) fail(n, `has more than ${MAX_TIMESTEPS} rows`);
  };
  return {
    startRecord(): void {
      rows = 1;
      inRow = 0;
    },
    addNumber(): void {
      inRow++;
    },
    nextRow(n: number): void {
      endRow(n);
      rows++;
      inRow = 0;
    },
    endRecord(n: number): void {
      endRow(n);
      T = Math.max(T, rows);
    },
    shape: (): Shape => ({ timesteps: T, features: F }),
  };
}
