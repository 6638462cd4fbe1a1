// Rows of one or many series, one a record, kept once and in blocks: nothing is copied when they grow. Knows no file, no format and
// no window. Legend: R rows, F features.
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import type { Batch, Column } from "./batch.ts";
import { freeNow } from "./free-now.ts";
import { openLabels } from "./issues.ts";
import { requireKey } from "./keys.ts";
import { type PackedTexts, packTexts } from "./packed-texts.ts";
import { mergeRemarks, type Remark } from "./reading.ts";
import type { TimeFormat } from "./time-format.ts";
import { createTimeReader, type Times } from "./times.ts";

/** Rows of a block: 2^16. */
const BLOCK_BITS = 16;
const BLOCK = 2 ** BLOCK_BITS;
const IN_BLOCK = BLOCK - 1;
/** Int32 counts rows; long before, memory is short. */
const MAX_ROWS = 2 ** 28;

interface Block {
  /** (BLOCK,F) */
  readonly values: Float64Array;
  /** (BLOCK) each, or empty where there are none */
  readonly labels: Labels;
  readonly series: Int32Array;
  readonly times: Float64Array;
  /** What `times` leave out, in millionths. */
  readonly nanos: Int32Array;
}

/** Which columns say what a row belongs to, and when it was. */
export interface RowColumns {
  /** Name of the column that says which series a row belongs to; undefined: all rows are one. */
  readonly key?: string;
  /** Name of the column that orders a series; undefined: rows stand in order. */
  readonly time?: string;
  readonly timeFormat?: TimeFormat;
  /** Whether times are kept as the files have them, too. */
  readonly keepTimes?: boolean;
}

/** All rows of the files. Rows are numbered 0 … R − 1 as they come. */
export interface Rows extends RowColumns {
  /** R */
  readonly count: number;
  /** F */
  readonly features: number;
  /** What the first batch says beside its rows. */
  readonly frame: Batch;
  /** Names of the series as their numbers have them; one, unnamed, where there is no key. */
  readonly keys: readonly (string | number)[];
  readonly series: number;
  /** Rows that stand behind a later row of their series; 0 where all are in order. */
  readonly unsorted: number;
  /** Whether times stand as dates and not as numbers. */
  readonly areDates: boolean;
  /** Of all batches. */
  readonly remarks: readonly Remark[];
  readonly blocks: readonly Block[];
  /** Times as the files have them, block by block; undefined where they are not kept. */
  readonly writtenTimes?: readonly PackedTexts[];
}

/** Number of the series of row `r`. */
export function seriesOf({ key, blocks }: Rows, r: number): number {
  return key === undefined ? 0 : blocks[r >>> BLOCK_BITS].series[r & IN_BLOCK];
}

/** Time of row `r`, milliseconds where it is a date; 0 where rows have none. */
export function timeOf({ time, blocks }: Rows, r: number): number {
  return time === undefined ? 0 : blocks[r >>> BLOCK_BITS].times[r & IN_BLOCK];
}

/** Time of row `r` as its file has it; only where times are kept. */
export function writtenTimeOf({ writtenTimes }: Pick<Rows, "writtenTimes">, r: number): string | number {
  return writtenTimes![r >>> BLOCK_BITS].at(r & IN_BLOCK);
}

/** How much later row `r` is than row `before`: below, at or above 0, and exact as an order. */
export function laterBy({ time, blocks }: Rows, r: number, before: number): number {
  if (time === undefined) return 0;
  const [a, b] = [blocks[r >>> BLOCK_BITS], blocks[before >>> BLOCK_BITS]];
  return a.times[r & IN_BLOCK] - b.times[before & IN_BLOCK] || (a.nanos[r & IN_BLOCK] - b.nanos[before & IN_BLOCK]) / 1e6;
}

/** Label of row `r`; only where `frame.labels` is not null. */
export function labelOf({ blocks }: Rows, r: number): number {
  return blocks[r >>> BLOCK_BITS].labels[r & IN_BLOCK];
}

/** Copies the F values of row `r` to `out[offset …]`. */
export function copyRow({ blocks, features: F }: Rows, r: number, out: Float64Array, offset: number): void {
  const { values } = blocks[r >>> BLOCK_BITS];
  const from = (r & IN_BLOCK) * F;
  for (let f = 0; f < F; f++) out[offset + f] = values[from + f];
}

/** Frees the blocks now: half a gigabyte, perhaps, that the collector would leave for a while to whoever trains next. */
export function freeRows({ blocks }: Rows): void {
  for (const block of blocks) freeNow(...(Object.values(block) as Float64Array[]));
}

/** Reads batches of single-step sequences to the end; null where there are none. Throws DataError. */
export async function gatherRows(
  batches: AsyncIterable<Batch>,
  source: string,
  { key, time, timeFormat, keepTimes = false }: RowColumns,
): Promise<Rows | null> {
  const blocks: Block[] = [];
  const written = keepTimes && time !== undefined ? openWritten(time) : undefined;
  const numbering = createNumbering(key, source);
  const clock = createClock(time, source, timeFormat);
  let frame: Batch | null = null;
  let remarks: readonly Remark[] = [];
  let count = 0;
  for await (const batch of batches) {
    frame ??= { ...batch, values: new Float64Array(0), columns: {} };
    const F = batch.shape.features;
    if (batch.remarks) remarks = mergeRemarks(remarks, batch.remarks);
    if ((batch.labels === null) !== (frame.labels === null)) throw new DataError(source, "has labels in a part of the rows only");
    const rows = batch.values.length / F;
    if (count + rows > MAX_ROWS) throw new DataError(source, `holds more than ${MAX_ROWS} rows: split it`);
    const series = numbering.number(batch, count);
    const times = clock.read(batch, series, count);
    for (let i = 0; i < rows; ) {
      const at = (count + i) & IN_BLOCK;
      if (at === 0) blocks.push(createBlock(F, batch.labels, series !== null, times !== null));
      const block = blocks[blocks.length - 1];
      const end = Math.min(rows, i + BLOCK - at);
      block.values.set(batch.values.subarray(i * F, end * F), at * F);
      if (batch.labels) block.labels.set(batch.labels.subarray(i, end), at);
      if (series) block.series.set(series.subarray(i, end), at);
      if (times) block.times.set(times.coarse.subarray(i, end), at);
      if (times?.fine) block.nanos.set(times.fine.subarray(i, end), at);
      written?.add(batch, i, end);
      i = end;
    }
    count += rows;
  }
  if (frame === null) return null;
  const keys = [...numbering.keys.keys()];
  return {
    key,
    time,
    count,
    features: frame.shape.features,
    frame,
    keys,
    series: key === undefined ? 1 : keys.length,
    unsorted: clock.unsorted(),
    areDates: clock.areDates(),
    remarks,
    blocks,
    writtenTimes: written?.finish(),
  };
}

/** Keeps the column `time` as it comes, block by block; the last one's cells are not packed yet. */
function openWritten(time: string) {
  const packed: PackedTexts[] = [];
  let cells: (string | number)[] = [];
  const pack = (): void => {
    packed.push(packTexts(cells));
    cells = [];
  };
  return {
    /** Rows `from` to before `to` of a batch, all of one block. */
    add({ columns }: Batch, from: number, to: number): void {
      for (let i = from; i < to; i++) cells.push(columns[time][i]);
      if (cells.length === BLOCK) pack();
    },
    finish(): readonly PackedTexts[] {
      if (cells.length > 0) pack();
      return packed;
    },
  };
}

function createBlock(F: number, labels: Labels | null, isKeyed: boolean, isTimed: boolean): Block {
  return {
    values: new Float64Array(BLOCK * F),
    labels: openLabels(labels === null ? 0 : BLOCK, labels instanceof Float64Array),
    series: new Int32Array(isKeyed ? BLOCK : 0),
    times: new Float64Array(isTimed ? BLOCK : 0),
    nanos: new Int32Array(isTimed ? BLOCK : 0),
  };
}

/** Numbers series in the order in which they appear. */
function createNumbering(key: string | undefined, source: string) {
  const keys = new Map<string | number, number>();
  return {
    keys,
    /** (rows) numbers of a batch's series, or null without a key. Throws DataError where keys are of two kinds, or one is missing, counted from `first`. */
    number(batch: Batch, first: number): Int32Array | null {
      if (key === undefined) return null;
      const names = alike(batch.columns[key], keys.keys().next().value);
      if (names === null) throw new DataError(source, `${key} is text in some rows and a number in others: write it alike`);
      const series = new Int32Array(names.length);
      for (let i = 0; i < names.length; i++) {
        const name = requireKey(names[i], key, first + i, source);
        const known = keys.get(name);
        series[i] = known ?? keys.size;
        if (known === undefined) keys.set(name, series[i]);
      }
      return series;
    },
  };
}

/**
 * Names as the first one that was read is, a number or text; null where a text is no whole number. Whole numbers beyond 2^53 come as
 * text, and so do those beside them in a batch.
 */
function alike(names: Column, first: string | number | undefined): ArrayLike<string | number> | null {
  if (first === undefined || typeof names[0] === typeof first) return names;
  if (typeof first === "string") return /^-?\d+$/.test(first) ? Array.from(names, String) : null;
  const numbers = Array.from(names as readonly string[], (name) => (Number.isSafeInteger(Number(name)) ? Number(name) : name));
  return (names as readonly string[]).every((name) => /^-?\d+$/.test(name)) ? numbers : null;
}

/** Reads times, and sees whether each series' rise. */
function createClock(time: string | undefined, source: string, format: TimeFormat | undefined) {
  const lastTime: number[] = []; // by series
  const lastNanos: number[] = [];
  const reader = time === undefined ? null : createTimeReader(time, source, format);
  let unsorted = 0;
  return {
    unsorted: () => unsorted,
    areDates: () => reader?.areDates() ?? false,
    /** Times of a batch, or null without a time column; an error counts rows from `first`. Throws DataError. */
    read(batch: Batch, series: Int32Array | null, first: number): Times | null {
      if (reader === null || time === undefined) return null;
      const times = reader.read(batch.columns[time], first);
      const { coarse, fine } = times;
      for (let i = 0; i < coarse.length; i++) {
        const s = series?.[i] ?? 0;
        const nanos = fine?.[i] ?? 0;
        if (coarse[i] < lastTime[s] || (coarse[i] === lastTime[s] && nanos < lastNanos[s])) unsorted++;
        lastTime[s] = coarse[i];
        lastNanos[s] = nanos;
      }
      return times;
    },
  };
}
