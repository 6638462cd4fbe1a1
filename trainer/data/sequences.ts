// Labelled sequences, and some of them. Knows no part and no model.
// Legend: N sequences, T steps, F features, C channels.
import { DataError } from "../../shared/errors.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { isZeroRow, type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import type { Timeline } from "../readers/batch.ts";
import { joinLabels, type Labels, takeLabels } from "../statistics/labels.ts";

export interface Labelled {
  readonly values: Float64Array;
  readonly labels: Labels;
  readonly probability: Float64Array | null;
  readonly groups?: Int32Array;
  readonly timeline?: Timeline;
}

/** Sequences of `source` without a valid row were left out. */
export interface LeftOutNote {
  readonly code: "left-out";
  readonly source: string;
  readonly sequences: number;
}

/** The sequences with a valid row. Throws DataError when there is none. */
export function dropPaddingOnly(
  data: Labelled & { readonly source: string; readonly shape: Shape },
  padding: Padding,
  onNote: (note: LeftOutNote) => void,
): Labelled {
  const { values, labels, shape, source } = data;
  const lengths = lengthsOf(values, shape, padding);
  const valid = Int32Array.from(labels.keys()).filter((n) => lengths[n] > 0);
  if (valid.length === labels.length) return data;
  if (valid.length === 0) throw new DataError(source, `all ${labels.length} sequences are nothing but padding`);
  onNote({ code: "left-out", source, sequences: labels.length - valid.length });
  return selectSequences(data, valid, shape);
}

/** The sequences at `indices`, copies, with whatever is known of each. */
export function selectSequences(data: Labelled, indices: Int32Array, shape: Shape): Labelled {
  return { values: take(data.values, indices, shape.timesteps * shape.features), ...selectBeside(data, indices) };
}

function selectBeside({ labels, probability, groups, timeline }: Labelled, indices: Int32Array): Omit<Labelled, "values"> {
  return {
    labels: takeLabels(labels, indices),
    probability: probability && Float64Array.from(indices, (n) => probability[n]),
    groups: groups && indices.map((n) => groups[n]),
    timeline: timeline && {
      series: indices.map((n) => timeline.series[n]),
      start: indices.map((n) => timeline.start[n]),
      time: timeline.time && Float64Array.from(indices, (n) => timeline.time?.[n] ?? 0),
    },
  };
}

/** The sequences of `data` in another `order` (N); their values are moved where they are, since there may be no room for them twice. */
export function reorderSequences(data: Labelled, order: Int32Array, shape: Shape): Labelled {
  const size = shape.timesteps * shape.features;
  const { values } = data;
  const isDone = new Uint8Array(order.length);
  for (let first = 0; first < order.length; first++) {
    if (isDone[first] === 1) continue;
    const held = values.slice(first * size, (first + 1) * size);
    let to = first;
    for (let from = order[to]; from !== first; to = from, from = order[to]) {
      values.copyWithin(to * size, from * size, (from + 1) * size);
      isDone[to] = 1;
    }
    values.set(held, to * size);
    isDone[to] = 1;
  }
  return { values, ...selectBeside(data, order) };
}

/** The sequences of `data` and, behind them, `more`, each of which is a group of its own and of no series. */
export function appendSequences(data: Labelled, more: Pick<Labelled, "values" | "labels">): Labelled {
  const { probability, groups } = data;
  const [N, V] = [data.labels.length, more.labels.length];
  const values = new Float64Array(data.values.length + more.values.length);
  values.set(data.values);
  values.set(more.values, data.values.length);
  const next = groups && groups.reduce((max, group) => Math.max(max, group), -1) + 1;
  return {
    values,
    labels: joinLabels([data.labels, more.labels]),
    probability: probability && Float64Array.from({ length: N + V }, (_, n) => (n < N ? probability[n] : Number.NaN)),
    ...(groups && next !== undefined && { groups: Int32Array.from({ length: N + V }, (_, n) => (n < N ? groups[n] : next + n - N)) }),
  };
}

/** The channels and lengths of the sequences at `indices`; `size` is T·C. */
export function selectChannels(data: Channels, indices: Int32Array, size: number): [channels: Float32Array, lengths: Int32Array] {
  return [take(data.channels, indices, size), indices.map((n) => data.lengths[n])];
}

/** The items at `indices` of an array of items of `size` numbers. */
export function take<A extends Float32Array | Float64Array>(values: A, indices: Int32Array, size: number): A {
  const out = new (values.constructor as new (length: number) => A)(indices.length * size);
  indices.forEach((n, i) => {
    out.set(values.subarray(n * size, (n + 1) * size), i * size);
  });
  return out;
}

/** (N) valid rows. */
export function lengthsOf(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const rows = new Int32Array(shape.timesteps);
  const size = shape.timesteps * shape.features;
  return Int32Array.from({ length: values.length / size }, (_, n) => validRows(values, n * size, shape, padding, rows));
}

/** All-zero rows after the first other row, and all rows from there on, in the sequences at `indices`. */
export function countZeroRows(values: Float64Array, shape: Shape, indices: Int32Array): { zeros: number; total: number } {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  let zeros = 0;
  let total = 0;
  for (const n of indices) {
    const length = validRows(values, n * T * F, shape, "leading", rows);
    total += length;
    for (let t = 0; t < length; t++) if (isZeroRow(values, (n * T + rows[t]) * F, shape)) zeros++;
  }
  return { zeros, total };
}

/** Where all-zero rows stand, in rows, and the sequences that have any in front or behind. */
export interface ZeroRowPlaces {
  /** Before the first other row of a sequence (all rows where there is none), after the last one, and between. */
  readonly front: number;
  readonly behind: number;
  readonly inside: number;
  readonly sequences: number;
}

/** Counts all-zero rows of `values` (N,T,F) by where they stand. */
export function placeZeroRows(values: Float64Array, shape: Shape): ZeroRowPlaces {
  const { timesteps: T, features: F } = shape;
  let [front, behind, inside, sequences] = [0, 0, 0, 0];
  for (let offset = 0; offset < values.length; offset += T * F) {
    const isZero = (t: number): boolean => isZeroRow(values, offset + t * F, shape);
    let [first, last] = [0, T - 1];
    while (first < T && isZero(first)) first++;
    while (last > first && isZero(last)) last--;
    front += first;
    behind += T - 1 - last;
    for (let t = first + 1; t < last; t++) if (isZero(t)) inside++;
    if (first > 0 || last < T - 1) sequences++;
  }
  return { front, behind, inside, sequences };
}

/** The positive rate, 0 to 1, of the sequences at `indices`, and of `others` that are known by their labels alone. */
export function positiveRate(labels: Labels, indices: Int32Array, others?: Labels): number {
  let sum = indices.reduce((sum, n) => sum + labels[n], 0);
  for (let m = 0; m < (others?.length ?? 0); m++) sum += others![m];
  return sum / (indices.length + (others?.length ?? 0));
}

/** Throws DataError naming the part that has 0s or 1s only; soft labels are of both classes unless all are 0, or all 1. */
export function requireBothClasses(parts: Readonly<Record<string, Int32Array>>, labels: Labels, source: string): void {
  for (const [part, indices] of Object.entries(parts))
    if (![indices.length, 0].every((count) => indices.reduce((sum, n) => sum + labels[n], 0) !== count))
      throw new DataError(
        source,
        `the ${part} part (${indices.length} sequences) has one class only: give more data, or --split random if its order means nothing`,
      );
}
