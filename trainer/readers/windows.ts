// Rows of series → windows: sequences of so many rows that follow each other. Rows are kept once; windows are cut when they are
// asked for. Knows no file and no format. Legend: R rows, F features, T the window's length in rows, N windows of a batch.
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import { BATCH_NUMBERS, type Batch, type Timeline, toColumn } from "./batch.ts";
import { countSampled, cutFurther, isSampled, type Spacing } from "./cut-further.ts";
import { type MaxGap, toStep } from "./max-gap.ts";
import type { ReadNote } from "./notes.ts";
import type { Remark } from "./reading.ts";
import { linkRows, noteTimes, type RowLinks } from "./row-links.ts";
import { freeRows, gatherRows, labelOf, type RowColumns, type Rows, seriesOf, timeOf, writtenTimeOf } from "./rows.ts";
import { type TimedRows, timeRows } from "./timed-rows.ts";

export interface WindowOptions extends RowColumns {
  readonly window: number;
  /** Rows from one window's start to the next one's; undefined: 1, or as many as keep the windows at or below `maxWindows`. */
  readonly stride?: number;
  /** The label is that of the row so many after the window's last. */
  readonly horizon: number;
  readonly maxWindows: number;
  /** Where there are more than `maxWindows`, those are a sample, whatever the stride, and the others come as `further`; only with `inOne`. */
  readonly further?: boolean;
  /** A series begins anew where a row comes later than so after the one before. */
  readonly maxGap?: MaxGap;
  /** The time of each row comes as a last feature, in seconds since 1970. */
  readonly clock?: boolean;
  /** All windows in one batch: nothing has to be copied to join them. */
  readonly inOne: boolean;
}

export type Windows = Batch & { readonly timeline: Timeline };

/** Reads all rows, then cuts. `onNote` hears what is left out. Throws DataError. */
export async function* cutWindows(
  batches: AsyncIterable<Batch>,
  source: string,
  options: WindowOptions,
  onNote: (note: ReadNote) => void,
): AsyncGenerator<Windows> {
  const rows = await gatherRows(batches, source, options);
  if (rows === null) return;
  const links = linkRows(rows, toStep(options.maxGap, rows, source));
  noteTimes(rows, links, onNote, options);
  const spacing = spaceWindows(rows.count, links.lengths, options, onNote);
  noteShortSeries(links.lengths, options, onNote);
  const total = countWindows(links.lengths, options, spacing);
  if (total === 0)
    throw new DataError(source, `holds ${rows.count} rows and no window: no series is longer than the horizon of ${options.horizon}`);
  const capacity = options.inOne ? total : Math.max(1, Math.floor(BATCH_NUMBERS / (options.window * rows.features)));
  const timed = timeRows(rows, options.clock, source);
  const scan = createScan(rows, links, options, spacing, capacity);
  const isOneRowEach = options.key !== undefined && links.lengths.length > 1 && links.lengths.every((length) => length === 1);
  let remarks: readonly Remark[] = [...rows.remarks, describeSeries(options, isOneRowEach)];
  while (scan.next() > 0) {
    const batch = { ...buildBatch(rows, links, scan.windows, options, timed), remarks };
    remarks = []; // said once
    yield spacing.share === 1 ? batch : { ...batch, further: cutFurther(rows, links, timed, { ...options, spacing }) };
  }
  freeRows(rows);
}

/** How windows are cut, for whoever reads rows for the same model later. */
function describeSeries({ key, time, timeFormat, maxGap, horizon }: WindowOptions, isOneRowEach: boolean): Remark {
  return {
    ...{ code: "series", key, time },
    ...(timeFormat && { timeFormat: timeFormat.text }),
    ...(maxGap && { maxGap: maxGap.text }),
    ...(horizon > 0 && { horizon }),
    ...(isOneRowEach && { isOneRowEach }),
  };
}

/**
 * The stride is as asked, or the smallest that keeps the windows at or below `maxWindows`; where the others are wanted, too, the stride stays
 * and a share of the windows is the sample. Both are noted.
 */
function spaceWindows(rows: number, lengths: Int32Array, options: WindowOptions, onNote: (note: ReadNote) => void): Spacing {
  const { stride: asked, further, window, maxWindows } = options;
  const all = { stride: asked ?? 1, share: 1 };
  const windows = countWindows(lengths, options, all);
  if (windows <= maxWindows) return all;
  if (further) {
    const sample = { ...all, share: maxWindows / windows };
    onNote({ code: "windows-sampled", windows, taken: countWindows(lengths, options, sample) });
    return sample;
  }
  if (asked !== undefined) return all;
  const thinned = { ...all, stride: Math.ceil(windows / maxWindows) };
  onNote({ code: "windows-thinned", rows, windows, window, stride: thinned.stride, taken: countWindows(lengths, options, thinned) });
  return thinned;
}

/** Of series of so many rows. One that is shorter than T, its labels counted, is a single window. */
function countWindows(lengths: Int32Array, { window: T, horizon }: WindowOptions, spacing: Spacing): number {
  let total = 0;
  for (const length of lengths) {
    const usable = length - horizon;
    if (usable > 0) total += usable < T ? 1 : countSampled(Math.floor((usable - T) / spacing.stride) + 1, spacing);
  }
  return total;
}

function noteShortSeries(lengths: Int32Array, { window, horizon }: WindowOptions, onNote: (note: ReadNote) => void): void {
  const total = lengths.length;
  const tooShort = lengths.reduce((count, length) => count + (length <= horizon ? 1 : 0), 0);
  if (tooShort > 0) onNote({ code: "series-too-short", series: tooShort, total, horizon });
  const padded = lengths.reduce((count, length) => count + (length > horizon && length - horizon < window ? 1 : 0), 0);
  if (padded > 0) onNote({ code: "series-padded", series: padded, total, window });
}

/** Windows that were found; the first `count` of each array. */
interface FoundWindows {
  count: number;
  /** Last row of each. */
  readonly ends: Int32Array;
  /** Rows of its series before each. */
  readonly starts: Int32Array;
  /** The row whose label it has. */
  readonly labelRows: Int32Array;
}

/** Goes through the rows once and finds windows in the order of the rows that end them, or whose label they have. */
function createScan(
  rows: Rows,
  { previous, positions, lengths, runs, offsets }: RowLinks,
  options: WindowOptions,
  spacing: Spacing,
  capacity: number,
) {
  const { window: T, horizon } = options;
  const windows: FoundWindows = {
    count: 0,
    ends: new Int32Array(capacity),
    starts: new Int32Array(capacity),
    labelRows: new Int32Array(capacity),
  };
  const passed = new Int32Array(lengths.length); // rows of each run
  let q = 0;
  return {
    windows,
    /** Finds the next windows, up to the capacity. Returns how many. */
    next(): number {
      windows.count = 0;
      for (; q < rows.count && windows.count < capacity; q++) {
        const s = runs?.[q] ?? seriesOf(rows, q);
        const usable = lengths[s] - horizon;
        const end = (positions?.[q] ?? passed[s]++) - horizon; // in its series
        const isEnd = usable < T ? end === usable - 1 : end >= T - 1 && isSampled(end - T + 1, spacing);
        if (!isEnd || end < 0) continue;
        let r = q;
        for (let h = 0; h < horizon; h++) r = previous[r];
        windows.labelRows[windows.count] = q;
        windows.starts[windows.count] = Math.max(0, end - T + 1) + (offsets?.[s] ?? 0);
        windows.ends[windows.count++] = r;
      }
      return windows.count;
    },
  };
}

function labelsOf(rows: Rows, at: Int32Array): Labels | null {
  const { labels } = rows.frame;
  if (labels === null) return null;
  const read = (row: number): number => labelOf(rows, row);
  return labels instanceof Float64Array ? Float64Array.from(at, read) : Uint8Array.from(at, read);
}

function buildBatch(rows: Rows, { previous }: RowLinks, windows: FoundWindows, { window: T }: WindowOptions, timed: TimedRows): Windows {
  const { key, time, frame, keys } = rows;
  const F = timed.features;
  const clock = timed.time;
  const { count: N, starts, ends, labelRows } = windows;
  const values = new Float64Array(N * T * F);
  const series = new Int32Array(N);
  const last = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    series[n] = seriesOf(rows, ends[n]);
    last[n] = timeOf(rows, ends[n]);
    for (let t = T - 1, r = ends[n]; t >= 0 && r >= 0; t--, r = previous[r]) timed.copy(r, values, (n * T + t) * F);
  }
  return {
    ...frame,
    values,
    labels: labelsOf(rows, labelRows.subarray(0, N)),
    shape: { timesteps: T, features: F, ...(clock !== undefined && { clock: true }) },
    ...(clock !== undefined && { features: [...(frame.features ?? Array.from({ length: F - 1 }, (_, f) => `f${f}`)), clock] }),
    columns: {
      ...(key !== undefined && { [key]: toColumn(Array.from(series, (s) => keys[s])) }),
      ...(time !== undefined && rows.writtenTimes && { [time]: toColumn(Array.from(ends.subarray(0, N), (r) => writtenTimeOf(rows, r))) }),
    },
    timeline: { series, start: starts.slice(0, N), time: time === undefined ? null : last },
  };
}
