// Who follows whom in each series, and what is odd about the rows' times. Knows no window and no file.
// Legend: R rows.
import type { MaxGap } from "./max-gap.ts";
import type { ReadNote } from "./notes.ts";
import { laterBy, type Rows, seriesOf } from "./rows.ts";

/** Rows that follow each other without too large a gap are a run: a series, or a part of one. */
export interface RowLinks {
  /** (R) the row before each in its run, −1 before the first. */
  readonly previous: Int32Array;
  /** (R) how many come before each in its run; null where rows stand in order and it can be counted. */
  readonly positions: Int32Array | null;
  /** (R) number of each row's run; null where runs are the series. */
  readonly runs: Int32Array | null;
  /** (runs) rows of each */
  readonly lengths: Int32Array;
  /** (runs) rows of its series before each run; null where runs are the series. */
  readonly offsets: Int32Array | null;
}

/** Links in the order of the times, where equal times stay as they stand, or as rows stand; a step above `maxStep` begins a run. */
export function linkRows(rows: Rows, maxStep: number): RowLinks {
  const R = rows.count;
  const order = rows.unsorted === 0 ? null : orderByTime(rows);
  const previous = new Int32Array(R);
  const positions = order && new Int32Array(R);
  const isCut = maxStep !== Number.POSITIVE_INFINITY;
  const runs = isCut ? new Int32Array(R) : null;
  const lengths: number[] = isCut ? [] : new Array<number>(rows.series).fill(0);
  const offsets: number[] = [];
  const run = new Int32Array(rows.series).fill(-1); // the last of each series
  const last = new Int32Array(rows.series).fill(-1);
  for (let i = 0; i < R; i++) {
    const r = order?.[i] ?? i;
    const s = seriesOf(rows, r);
    const isNew = last[s] < 0 || (isCut && laterBy(rows, r, last[s]) > maxStep);
    if (!isCut) run[s] = s;
    else if (isNew) {
      offsets.push(run[s] < 0 ? 0 : offsets[run[s]] + lengths[run[s]]);
      run[s] = lengths.push(0) - 1;
    }
    previous[r] = isNew ? -1 : last[s];
    if (positions) positions[r] = lengths[run[s]];
    if (runs) runs[r] = run[s];
    lengths[run[s]]++;
    last[s] = r;
  }
  return { previous, positions, runs, lengths: Int32Array.from(lengths), offsets: isCut ? Int32Array.from(offsets) : null };
}

function orderByTime(rows: Rows): Int32Array {
  return new Int32Array(rows.count).map((_, r) => r).sort((a, b) => laterBy(rows, a, b) || a - b);
}

/** A step so many times the usual one is a gap. */
const GAP_FACTOR = 10;
/** Steps that the usual one is the median of: as many, evenly spread. */
const SAMPLED_STEPS = 100_000;

/** Says how many rows were out of order, have the time of another, or come long after the one before. */
export function noteTimes(
  rows: Rows,
  { previous, lengths }: RowLinks,
  onNote: (note: ReadNote) => void,
  { key, maxGap }: { readonly key?: string; readonly maxGap?: MaxGap },
): void {
  if (rows.time === undefined) return;
  if (rows.unsorted > 0) onNote({ code: "rows-unsorted", rows: rows.unsorted });
  const usual = usualStep(rows, previous);
  let equal = 0;
  let gaps = 0;
  for (let r = 0; r < rows.count; r++) {
    if (previous[r] < 0) continue;
    const step = laterBy(rows, r, previous[r]);
    if (step === 0) equal++;
    else if (step > GAP_FACTOR * usual) gaps++;
  }
  if (equal > 0) onNote({ code: "times-equal", rows: equal, ...(key === undefined && { isWithoutKey: true }) });
  if (gaps > 0) onNote({ code: "time-gaps", rows: gaps, factor: GAP_FACTOR, usual, areDates: rows.areDates });
  const cuts = lengths.length - rows.series;
  if (maxGap !== undefined && cuts > 0) onNote({ code: "series-cut", rows: cuts, maxGap: maxGap.text });
}

/** The median of the steps above 0; Infinity where there are none. */
function usualStep(rows: Rows, previous: Int32Array): number {
  const steps: number[] = [];
  const stride = Math.max(1, Math.floor(rows.count / SAMPLED_STEPS));
  for (let r = 0; r < rows.count; r += stride) {
    const step = previous[r] < 0 ? 0 : laterBy(rows, r, previous[r]);
    if (step > 0) steps.push(step);
  }
  return steps.length === 0 ? Number.POSITIVE_INFINITY : Float64Array.from(steps).sort()[steps.length >> 1];
}
