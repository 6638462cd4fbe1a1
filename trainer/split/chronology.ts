// Sequences in order of time, and cut with a gap into parts that come one after the other. Knows starts in steps, not rows.
// Legend: N sequences.
import type { SeriesOffsets } from "./series-offsets.ts";

/** The part of a sequence left out. */
export const DROPPED = -1;

/** In a shuffled file only series of this many gaps advance together: three cuts cost them at most 10 %. */
export const MIN_GAPS = 30;
/** Above this share of steps forward, a file counts as being in order of time. */
const IN_ORDER = 0.95;

/** For each series, how many different starts it has, and how many steps there are from its first start to its last. */
export function measureSeries({ component, components, offset }: SeriesOffsets): { starts: Int32Array; steps: Int32Array } {
  const steps = new Int32Array(components);
  for (let n = 0; n < component.length; n++) steps[component[n]] = Math.max(steps[component[n]], offset[n] + 1);
  const base = new Int32Array(components);
  for (let c = 1; c < components; c++) base[c] = base[c - 1] + steps[c - 1];
  const isCounted = new Uint8Array(base[components - 1] + steps[components - 1]);
  const starts = new Int32Array(components);
  for (let n = 0; n < component.length; n++) {
    const at = base[component[n]] + offset[n];
    if (isCounted[at] === 0) starts[component[n]]++;
    isCounted[at] = 1;
  }
  return { starts, steps };
}

/** Time in steps within each series; sequences of different series cannot overlap. */
export interface Clock {
  /** (N) */
  readonly series: Int32Array;
  /** (N) */
  readonly time: Int32Array;
}

/**
 * All sequences in order of time: each series takes the slots that it has in the file, and fills them in order of its time.
 * In a file that is in order nothing moves. In a shuffled one all long series thus advance together; a short one would lose many
 * of its sequences to the cuts, and stands together where its middle is.
 */
export function orderInTime({ component: series, offset: time }: SeriesOffsets, gap: number): Int32Array {
  const N = series.length;
  const slots = ascending(N).sort((i, j) => series[i] - series[j] || i - j); // series by series, in file order
  const members = ascending(N).sort((i, j) => series[i] - series[j] || time[i] - time[j] || i - j); // and in order of time
  const isInOrder = followsTime(slots, series, time);
  const slot = new Int32Array(N);
  for (let start = 0, end = 0; start < N; start = end) {
    const s = series[slots[start]];
    while (end < N && series[slots[end]] === s) end++;
    const advances = isInOrder || time[members[end - 1]] - time[members[start]] >= MIN_GAPS * gap;
    for (let i = start; i < end; i++) slot[members[i]] = slots[advances ? i : (start + end) >> 1];
  }
  return ascending(N).sort((i, j) => slot[i] - slot[j] || time[i] - time[j] || i - j);
}

/** Whether from one sequence to the next of its series, in file order, time goes forward nearly always. */
function followsTime(slots: Int32Array, series: Int32Array, time: Int32Array): boolean {
  let steps = 0;
  let forward = 0;
  for (let i = 1; i < slots.length; i++) {
    if (series[slots[i]] !== series[slots[i - 1]]) continue;
    steps++;
    if (time[slots[i]] >= time[slots[i - 1]]) forward++;
  }
  return forward >= IN_ORDER * steps;
}

/** All sequences in the order of `times` (N); at equal times those of one series together, and as they follow each other. */
export function orderByTimes({ component: series, offset }: SeriesOffsets, times: Float64Array): Int32Array {
  return ascending(times.length).sort((i, j) => times[i] - times[j] || series[i] - series[j] || offset[i] - offset[j]);
}

/** (N) how many different times come before each. */
export function rankTimes(times: Float64Array): Int32Array {
  const order = ascending(times.length).sort((i, j) => times[i] - times[j]);
  const ranks = new Int32Array(times.length);
  let rank = 0;
  for (let i = 1; i < order.length; i++) {
    if (times[order[i]] > times[order[i - 1]]) rank++;
    ranks[order[i]] = rank;
  }
  return ranks;
}

/** Rounds after which parts keep the sizes they have. */
const MAX_ROUNDS = 8;

/**
 * Cuts `order` into parts of about the given shares. On every clock, a sequence is left out that starts up to `gap` steps after
 * one of an earlier part. Returns (N) each sequence's part, DROPPED where it is left out, and how many are.
 */
export function cutByTime(
  order: Int32Array,
  clocks: readonly Clock[],
  gap: number,
  shares: readonly number[],
): { part: Int8Array; dropped: number } {
  let usable = order.length;
  // What is left out depends on where the cuts are, and these on what is left: settles in a few rounds.
  for (let round = 0; ; round++) {
    const sizes = shares.map((share) => Math.round(share * usable));
    const cut = cutInSizes(
      order,
      clocks,
      gap,
      sizes,
      shares.findLastIndex((share) => share > 0),
    );
    if (order.length - cut.dropped === usable || round === MAX_ROUNDS) return cut;
    usable = order.length - cut.dropped;
  }
}

/** Parts of so many sequences, those left out not counted; part `last` takes what remains. */
function cutInSizes(
  order: Int32Array,
  clocks: readonly Clock[],
  gap: number,
  sizes: readonly number[],
  last: number,
): { part: Int8Array; dropped: number } {
  const gates = clocks.map((clock) => createGate(clock, gap));
  const part = new Int8Array(order.length);
  let k = 0;
  let size = 0;
  let dropped = 0;
  for (const n of order) {
    while (k < last && size >= sizes[k]) {
      k++;
      size = 0;
    }
    let isFree = true;
    for (const gate of gates) if (!gate.isOpen(n, k)) isFree = false; // each has to see the sequence
    part[n] = isFree ? k : DROPPED;
    if (isFree) {
      size++;
      for (const gate of gates) gate.pass(n);
    } else dropped++;
  }
  return { part, dropped };
}

/** Keeps the parts apart on one clock: by series, the latest start taken, and that of the parts before. */
function createGate({ series, time }: Clock, gap: number) {
  const count = maximum(series) + 1;
  const part = new Int8Array(count);
  const latest = new Int32Array(count).fill(-1);
  const closed = new Int32Array(count).fill(-1);
  return {
    /** Whether sequence `n` starts more than `gap` steps after all of its series in parts before `k`. Parts come in order. */
    isOpen(n: number, k: number): boolean {
      const s = series[n];
      if (part[s] !== k) {
        part[s] = k;
        closed[s] = latest[s];
      }
      return closed[s] < 0 || time[n] - closed[s] > gap;
    },
    /** Takes sequence `n` into the part. */
    pass(n: number): void {
      const s = series[n];
      latest[s] = Math.max(latest[s], time[n]);
    },
  };
}

/** (n) 0 … n − 1 */
export function ascending(n: number): Int32Array {
  return new Int32Array(n).map((_, i) => i);
}

/** The largest of `values`, −1 where there are none. */
export function maximum(values: Int32Array): number {
  return values.reduce((largest, value) => Math.max(largest, value), -1);
}
