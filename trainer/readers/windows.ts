// Rows of one or many series, one a record, → windows: sequences of so many rows that follow each other. Rows are kept once, in
// blocks; windows are cut when they are asked for. Knows no file and no format.
// Legend: R rows, F features, T the window's length in rows.
import { DataError } from "../../shared/errors.ts";
import type { Batch, Timeline } from "./batch.ts";
import { toTimes } from "./columns.ts";
import type { ReadNote } from "./facts.ts";

export interface WindowOptions {
  /** Name of the column that says which series a row belongs to; undefined: all rows are one. */
  readonly key?: string;
  /** Name of the column that orders a series; undefined: rows stand in order. */
  readonly time?: string;
  readonly window: number;
  /** Rows from one window's start to the next one's; undefined: 1, or as many as keep the windows below `most`. */
  readonly stride?: number;
  /** The label is that of the row so many after the window's last. */
  readonly horizon: number;
  readonly most: number;
  /** All windows in one batch: nothing has to be copied to join them. */
  readonly inOne: boolean;
}

export type Windows = Batch & { readonly timeline: Timeline };

const BLOCK = 2 ** 16;
/** 2 MiB of float64 at a time. */
const BATCH_NUMBERS = 2 ** 18;
/** Int32 counts rows; long before, memory is short. */
const MAX_ROWS = 2 ** 28;

/** Rows of a batch of single-step sequences, kept in blocks: nothing is copied when they grow. */
interface Block {
  /** (BLOCK,F) */
  readonly values: Float64Array;
  readonly labels: Uint8Array;
  readonly series: Int32Array;
  readonly times: Float64Array;
}

/** Reads all rows, then cuts. Says how many windows there are where some are left out. Throws DataError. */
export async function* cutWindows(
  batches: AsyncIterable<Batch>,
  source: string,
  options: WindowOptions,
  onNote: (note: ReadNote) => void,
): AsyncGenerator<Windows> {
  const { key, time, window: T, horizon } = options;
  const blocks: Block[] = [];
  const keys = new Map<string | number, number>();
  const lastTime: number[] = []; // by series
  let frame: Batch | null = null;
  let R = 0;
  let F = 0;
  let isInOrder = true;
  let textTimes = false;
  for await (const batch of batches) {
    frame ??= { ...batch, values: new Float64Array(0), columns: {} };
    F = batch.shape.features;
    if ((batch.labels === null) !== (frame.labels === null)) throw new DataError(source, "has labels in a part of the rows only");
    const count = batch.values.length / F;
    if (R + count > MAX_ROWS) throw new DataError(source, `holds more than ${MAX_ROWS} rows: split it`);
    const names = key === undefined ? null : batch.columns[key];
    if (names !== null && typeof names[0] !== typeof (keys.keys().next().value ?? names[0]))
      throw new DataError(source, `${key} is text in some rows and a number in others: write it alike`);
    const times = time === undefined ? null : toTimes(batch.columns[time], time, source, R);
    if (time !== undefined) textTimes ||= typeof batch.columns[time][0] === "string" && !Number.isFinite(Number(batch.columns[time][0]));
    for (let i = 0; i < count; i++, R++) {
      const at = R % BLOCK;
      if (at === 0)
        blocks.push({
          values: new Float64Array(BLOCK * F),
          labels: new Uint8Array(batch.labels === null ? 0 : BLOCK),
          series: new Int32Array(key === undefined ? 0 : BLOCK),
          times: new Float64Array(time === undefined ? 0 : BLOCK),
        });
      const block = blocks[blocks.length - 1];
      for (let f = 0; f < F; f++) block.values[at * F + f] = batch.values[i * F + f];
      if (batch.labels !== null) block.labels[at] = batch.labels[i];
      let s = 0;
      if (names !== null) {
        const known = keys.get(names[i]);
        s = known ?? keys.size;
        if (known === undefined) keys.set(names[i], s);
        block.series[at] = s;
      }
      if (times !== null) {
        if (times[i] < lastTime[s]) isInOrder = false;
        lastTime[s] = times[i];
        block.times[at] = times[i];
      }
    }
  }
  if (frame === null) return;
  const seriesOf = (r: number): number => (key === undefined ? 0 : blocks[Math.floor(r / BLOCK)].series[r % BLOCK]);
  const timeOf = (r: number): number => blocks[Math.floor(r / BLOCK)].times[r % BLOCK];
  const { previous, positions, lengths } = linkRows(R, seriesOf, key === undefined ? 1 : keys.size, isInOrder ? null : timeOf);

  const countAt = (stride: number): number => {
    let total = 0;
    for (const length of lengths) total += countWindows(length - horizon, T, stride);
    return total;
  };
  const all = countAt(options.stride ?? 1);
  let stride = options.stride ?? 1;
  if (options.stride === undefined && all > options.most) {
    stride = Math.ceil(all / options.most);
    onNote({ code: "windows-thinned", source, rows: R, windows: all, window: T, stride, taken: countAt(stride) });
  }
  const tooShort = lengths.reduce((count, length) => count + (length <= horizon ? 1 : 0), 0);
  if (tooShort > 0) onNote({ code: "series-too-short", source, series: tooShort, total: lengths.length, horizon });
  const short = lengths.reduce((count, length) => count + (length > horizon && length - horizon < T ? 1 : 0), 0);
  if (short > 0) onNote({ code: "series-padded", source, series: short, total: lengths.length, window: T });
  if (countAt(stride) === 0)
    throw new DataError(source, `holds ${R} rows and no window: no series is longer than the horizon of ${horizon}`);

  const capacity = options.inOne ? countAt(stride) : Math.max(1, Math.floor(BATCH_NUMBERS / (T * F)));
  const names = [...keys.keys()];
  const ends = new Int32Array(capacity); // rows
  const starts = new Int32Array(capacity); // below 0 where the series is too short
  let N = 0;
  const labelRows = new Int32Array(capacity);
  const flush = (): Windows => {
    const values = new Float64Array(N * T * F);
    const series = new Int32Array(N);
    const start = new Int32Array(N);
    for (let n = 0; n < N; n++) {
      let r = ends[n];
      series[n] = seriesOf(r);
      start[n] = Math.max(0, starts[n]);
      for (let t = T - 1; t >= 0 && r >= 0; t--) {
        const block = blocks[Math.floor(r / BLOCK)];
        const from = (r % BLOCK) * F;
        for (let f = 0; f < F; f++) values[(n * T + t) * F + f] = block.values[from + f];
        r = previous[r];
      }
    }
    const last = Float64Array.from({ length: N }, (_, n) => (time === undefined ? 0 : timeOf(ends[n])));
    const batch = {
      ...(frame as Batch),
      values,
      labels: frame?.labels
        ? Uint8Array.from({ length: N }, (_, n) => blocks[Math.floor(labelRows[n] / BLOCK)].labels[labelRows[n] % BLOCK])
        : null,
      shape: { timesteps: T, features: F },
      columns: {
        ...(key !== undefined && { [key]: toColumn(Array.from(series, (s) => names[s])) }),
        ...(time !== undefined && { [time]: textTimes ? Array.from(last, (ms) => new Date(ms).toISOString()) : last }),
      },
      timeline: { series, start, time: time === undefined ? null : last },
    };
    N = 0;
    return batch;
  };
  // In the order of the rows that end them, or from which the label is.
  const passed = new Int32Array(lengths.length);
  for (let q = 0; q < R; q++) {
    const s = seriesOf(q);
    const usable = lengths[s] - horizon;
    const end = (positions?.[q] ?? passed[s]++) - horizon; // in its series
    const isEnd = usable < T ? end === usable - 1 : end >= T - 1 && (end - T + 1) % stride === 0;
    if (!isEnd || end < 0) continue;
    let r = q;
    for (let h = 0; h < horizon; h++) r = previous[r];
    labelRows[N] = q;
    starts[N] = end - T + 1;
    ends[N++] = r;
    if (N === capacity) yield flush();
  }
  if (N > 0) yield flush();
  // Half a gigabyte, perhaps, that the collector would leave for a while to whoever trains next.
  for (const block of blocks) for (const { buffer } of Object.values(block) as Float64Array<ArrayBuffer>[]) buffer.transfer(0);
}

/** Windows in a series of `usable` rows that may end one; one that is shorter than T is a single window. */
function countWindows(usable: number, T: number, stride: number): number {
  if (usable <= 0) return 0;
  return usable < T ? 1 : Math.floor((usable - T) / stride) + 1;
}

/**
 * (R) the row before each in its series, −1 before the first; (R) how many come before it, null where rows stand in order and it
 * can be counted; and each series' length. In the order of `timeOf`, where equal times stay as they stand, or as rows stand.
 */
function linkRows(
  R: number,
  seriesOf: (r: number) => number,
  count: number,
  timeOf: ((r: number) => number) | null,
): { previous: Int32Array; positions: Int32Array | null; lengths: Int32Array } {
  const previous = new Int32Array(R);
  const positions = timeOf && new Int32Array(R);
  const lengths = new Int32Array(count);
  const last = new Int32Array(count).fill(-1);
  let order: Int32Array | null = null;
  if (timeOf !== null) {
    const times = Float64Array.from({ length: R }, (_, r) => timeOf(r));
    order = new Int32Array(R).map((_, r) => r).sort((a, b) => times[a] - times[b] || a - b);
  }
  for (let i = 0; i < R; i++) {
    const r = order?.[i] ?? i;
    const s = seriesOf(r);
    previous[r] = last[s];
    if (positions) positions[r] = lengths[s];
    lengths[s]++;
    last[s] = r;
  }
  return { previous, positions, lengths };
}

function toColumn(cells: (string | number)[]): Float64Array | string[] {
  return cells.every((cell) => typeof cell === "number") ? Float64Array.from(cells as number[]) : cells.map(String);
}
