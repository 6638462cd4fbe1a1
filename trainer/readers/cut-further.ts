// Which windows are a sample, and those between them: rows are kept once, series after series, and windows are cut when they are asked
// for. Knows no file, no part and no model. Legend: R rows, F features, T the window's length in rows, M further windows, S series.
import { takeLabels } from "../statistics/labels.ts";
import { freeNow } from "./free-now.ts";
import type { FurtherWindows } from "./further-windows.ts";
import { openLabels } from "./issues.ts";
import type { RowLinks } from "./row-links.ts";
import { labelOf, type Rows, seriesOf } from "./rows.ts";
import type { TimedRows } from "./timed-rows.ts";

/** Which windows there are, and which of them are the sample. */
export interface Spacing {
  /** Rows from one window's start to the next one's. */
  readonly stride: number;
  /** Of the windows of a run, evenly spread: above 0, at most 1. */
  readonly share: number;
}

/** Whether the window that begins `start` rows into its run is one of the sample. The first of a run is. */
export function isSampled(start: number, { stride, share }: Spacing): boolean {
  if (start % stride !== 0) return false;
  const w = start / stride;
  return Math.floor(w * share) > Math.floor((w - 1) * share);
}

/** How many of the first `windows` windows of a run are sampled. */
export function countSampled(windows: number, { share }: Spacing): number {
  return windows === 0 ? 0 : Math.floor((windows - 1) * share) + 1;
}

/** All windows that are not sampled; rows are copied, and `rows` is not needed any more. */
export function cutFurther(
  rows: Rows,
  links: RowLinks,
  timed: TimedRows,
  { window: T, horizon, spacing }: { readonly window: number; readonly horizon: number; readonly spacing: Spacing },
): FurtherWindows {
  const { values, labels, runFirst, seriesFirst } = arrangeRows(rows, links, timed);
  const F = timed.features;
  const first = listFurther(runFirst, links.lengths, T + horizon, spacing);
  return {
    first,
    seriesFirst,
    labels:
      labels &&
      takeLabels(
        labels,
        first.map((row) => row + T - 1 + horizon),
      ),
    read(wanted) {
      const out = new Float64Array(wanted.length * T * F);
      for (let n = 0; n < wanted.length; n++) out.set(values.subarray(wanted[n] * F, (wanted[n] + T) * F), n * T * F);
      return out;
    },
    free: () => freeNow(values),
  };
}

/** Values (R,F) and labels (R) series after series, each in order of time; which row begins each run and each series. */
function arrangeRows(rows: Rows, { runs, positions, offsets, lengths }: RowLinks, { features: F, copy }: TimedRows) {
  const { count: R, frame } = rows;
  const seriesFirst = new Int32Array(rows.series);
  for (let r = 0; r < R; r++) seriesFirst[seriesOf(rows, r)]++;
  for (let s = 0, next = 0; s < seriesFirst.length; s++) {
    const own = seriesFirst[s];
    seriesFirst[s] = next;
    next += own;
  }
  const values = new Float64Array(R * F);
  const labels = frame.labels && openLabels(R, frame.labels instanceof Float64Array);
  const runFirst = new Int32Array(lengths.length);
  const passed = new Int32Array(lengths.length); // rows of each run
  for (let r = 0; r < R; r++) {
    const s = seriesOf(rows, r);
    const run = runs?.[r] ?? s;
    const position = positions?.[r] ?? passed[run]++; // in its run
    const place = seriesFirst[s] + (offsets?.[run] ?? 0) + position;
    if (position === 0) runFirst[run] = place;
    copy(r, values, place * F);
    if (labels) labels[place] = labelOf(rows, r);
  }
  return { values, labels, runFirst, seriesFirst };
}

/** Where windows begin in runs of so many rows; `span` is a window's rows and its horizon. Shorter runs have none: the sample has their one. */
function listFurther(runFirst: Int32Array, lengths: Int32Array, span: number, spacing: Spacing): Int32Array {
  const starts = (visit: (start: number) => void): void => {
    for (let run = 0; run < lengths.length; run++)
      for (let start = 0; start + span <= lengths[run]; start += spacing.stride)
        if (!isSampled(start, spacing)) visit(runFirst[run] + start);
  };
  let count = 0;
  starts(() => count++);
  const first = new Int32Array(count);
  let m = 0;
  starts((start) => {
    first[m++] = start;
  });
  return first.sort();
}
