// Rows of series → windows: sequences of so many rows that follow each other. Rows are kept once; windows are cut when they are
// asked for. Knows no file and no format. Legend: R rows, F features, T the window's length in rows, N windows of a batch.
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import { BATCH_NUMBERS, type Batch, type Timeline, toColumn } from "./batch.ts";
import { type MaxGap, toStep } from "./max-gap.ts";
import type { ReadNote } from "./notes.ts";
import type { Remark } from "./reading.ts";
import { linkRows, noteTimes, type RowLinks } from "./row-links.ts";
import { copyRow, freeRows, gatherRows, labelOf, type RowColumns, type Rows, seriesOf, timeOf } from "./rows.ts";

export interface WindowOptions extends RowColumns {
  readonly window: number;
  /** Rows from one window's start to the next one's; undefined: 1, or as many as keep the windows at or below `maxWindows`. */
  readonly stride?: number;
  /** The label is that of the row so many after the window's last. */
  readonly horizon: number;
  readonly maxWindows: number;
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
  noteTimes(rows, links, onNote, options.maxGap);
  const stride = chooseStride(rows.count, links.lengths, options, onNote);
  noteShortSeries(links.lengths, options, onNote);
  const total = countWindows(links.lengths, options, stride);
  if (total === 0)
    throw new DataError(source, `holds ${rows.count} rows and no window: no series is longer than the horizon of ${options.horizon}`);
  const capacity = options.inOne ? total : Math.max(1, Math.floor(BATCH_NUMBERS / (options.window * rows.features)));
  const scan = createScan(rows, links, options, stride, capacity);
  let remarks: readonly Remark[] = [...rows.remarks, { code: "series", key: options.key, time: options.time }];
  while (scan.next() > 0) {
    yield { ...buildBatch(rows, links, scan.windows, options), remarks };
    remarks = []; // said once
  }
  freeRows(rows);
}

/** As asked, or the smallest that keeps the windows at or below `maxWindows`, which is noted. */
function chooseStride(rows: number, lengths: Int32Array, options: WindowOptions, onNote: (note: ReadNote) => void): number {
  if (options.stride !== undefined) return options.stride;
  const windows = countWindows(lengths, options, 1);
  if (windows <= options.maxWindows) return 1;
  const stride = Math.ceil(windows / options.maxWindows);
  const taken = countWindows(lengths, options, stride);
  onNote({ code: "windows-thinned", rows, windows, window: options.window, stride, taken });
  return stride;
}

/** Of series of so many rows. One that is shorter than T, its labels counted, is a single window. */
function countWindows(lengths: Int32Array, { window: T, horizon }: WindowOptions, stride: number): number {
  let total = 0;
  for (const length of lengths) {
    const usable = length - horizon;
    if (usable > 0) total += usable < T ? 1 : Math.floor((usable - T) / stride) + 1;
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
  stride: number,
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
        const isEnd = usable < T ? end === usable - 1 : end >= T - 1 && (end - T + 1) % stride === 0;
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

function buildBatch(rows: Rows, { previous }: RowLinks, windows: FoundWindows, { window: T, clock }: WindowOptions): Windows {
  const { key, time, frame, keys } = rows;
  const hasClock = clock === true && time !== undefined;
  const F = rows.features + (hasClock ? 1 : 0);
  const perSecond = hasClock ? unitsPerSecond(rows) : 1;
  const { count: N, starts, ends, labelRows } = windows;
  const values = new Float64Array(N * T * F);
  const series = new Int32Array(N);
  const last = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    series[n] = seriesOf(rows, ends[n]);
    last[n] = timeOf(rows, ends[n]);
    for (let t = T - 1, r = ends[n]; t >= 0 && r >= 0; t--, r = previous[r]) {
      copyRow(rows, r, values, (n * T + t) * F);
      if (hasClock) values[(n * T + t) * F + F - 1] = timeOf(rows, r) / perSecond;
    }
  }
  return {
    ...frame,
    values,
    labels: labelsOf(rows, labelRows.subarray(0, N)),
    shape: { timesteps: T, features: F, ...(hasClock && { clock: true }) },
    ...(hasClock && { features: [...(frame.features ?? Array.from({ length: F - 1 }, (_, f) => `f${f}`)), time] }),
    columns: {
      ...(key !== undefined && { [key]: toColumn(Array.from(series, (s) => keys[s])) }),
      ...(time !== undefined && { [time]: rows.areDates ? Array.from(last, (ms) => new Date(ms).toISOString()) : last }),
    },
    timeline: { series, start: starts.slice(0, N), time: time === undefined ? null : last },
  };
}

/** Times below are seconds, then milliseconds, then microseconds, from the last on nanoseconds: as the edge tells numbers apart. */
const UNITS = [1e11, 1e14, 1e17];

/** How many units of the rows' times make a second: dates stand in milliseconds, numbers say it by their magnitude. */
function unitsPerSecond(rows: Rows): number {
  if (rows.areDates) return 1000;
  const last = timeOf(rows, rows.count - 1);
  const unit = UNITS.findIndex((limit) => Math.abs(last) < limit);
  return 1000 ** (unit < 0 ? UNITS.length : unit);
}
