// Which sequences are looked at, in which order, and which are held out in turn: never one together with another that shares
// its rows. Legend: N sequences, M of them sampled.
import { maximum, orderInTime } from "../split/chronology.ts";
import type { Overlap } from "../split/overlap.ts";
import type { Random } from "../statistics/random.ts";

/** One training run: who trains, who is held out, by which seed. */
export interface Fold {
  /** From 0. Where there are many sequences each fold has its own seed; where there are few, every seed goes through all folds. */
  readonly seed: number;
  /** Positions in the sample. */
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
}

export interface Sample {
  /** (M) indices of sequences: in the order of time where rows are shared along long series, else in random order, families together. */
  readonly order: Int32Array;
  /** Neighbours in `order` closer than this share rows; 0 where the order means nothing. */
  readonly gap: number;
  /** (M) the block of each position, for resampling: what shares rows is resampled together. */
  readonly blocks: Int32Array;
  readonly folds: readonly Fold[];
}

/** Sequences that one diagnosis looks at, at most. */
export const MAX_SEQUENCES = 24_000;
/** Up to so many sequences three folds: more to train on where there is little. */
const FEW = 8000;
/** Up to so many every fold is trained with two seeds: less is left to the luck of a run. */
const VERY_FEW = 4000;
/** What shares rows stays together if there are so many such families; a series that holds more is cut by time. */
const MIN_FAMILIES = 12;
/** A fold with fewer of a label to train on teaches nothing. */
const MIN_OF_A_LABEL = 5;
/** More blocks than this add nothing to an interval. */
const MAX_BLOCKS = 2000;

/**
 * At most `maxSequences` of those that `overlap` knows, and the folds of them; `labels` (N) of all. No folds where one would train on
 * one label only.
 */
export function drawSample(overlap: Overlap, labels: Uint8Array, timesteps: number, maxSequences: number, random: Random): Sample {
  const { order, families, gap } = orderSequences(overlap, timesteps, maxSequences, random);
  const folds = cutFolds(families, gap);
  const isUsable = folds.every(({ train, heldOut }) => {
    const positives = train.reduce((sum, i) => sum + labels[order[i]], 0);
    return heldOut.length > 0 && Math.min(positives, train.length - positives) >= MIN_OF_A_LABEL;
  });
  const isRepeated = order.length <= VERY_FEW;
  const repeated = isRepeated ? [0, 1].flatMap((seed) => folds.map((fold) => ({ ...fold, seed }))) : folds;
  return { order, gap, blocks: numberBlocks(families), folds: isUsable ? repeated : [] };
}

interface OrderedSequences {
  /** (M) */
  readonly order: Int32Array;
  /** (M) what stays together: runs of equal numbers. */
  readonly families: Int32Array;
  readonly gap: number;
}

/** In the order of time where one series is most of the file; else shuffled, and what shares rows stays together if possible. */
function orderSequences(overlap: Overlap, timesteps: number, maxSequences: number, random: Random): OrderedSequences {
  const { component, components } = overlap;
  const N = overlap.copy.length;
  const sizes = new Int32Array(components);
  for (const c of component) sizes[c]++;
  const isHeavy = maximum(sizes) > N / MIN_FAMILIES;
  if (overlap.finding === "series" && isHeavy) {
    const reach = timesteps; // rows apart from which two windows of one series share nothing, with the label's horizon of 1
    const all = orderInTime(overlap, reach);
    const from = N <= maxSequences ? 0 : random.integer(N - maxSequences);
    const order = all.slice(from, from + maxSequences);
    return { order, families: Int32Array.from(order.keys(), (i) => Math.floor(i / (2 * reach))), gap: reach };
  }
  if (components === N || isHeavy) {
    // copies of one sequence that are half the file cannot stay together
    const all = Int32Array.from({ length: N }, (_, n) => n);
    random.shuffle(all);
    const order = all.slice(0, maxSequences);
    return { order, families: order, gap: 0 };
  }
  const shuffled = Int32Array.from({ length: components }, (_, c) => c);
  random.shuffle(shuffled);
  const rank = new Int32Array(components);
  shuffled.forEach((c, i) => {
    rank[c] = i;
  });
  const all = Int32Array.from({ length: N }, (_, n) => n).sort((a, b) => rank[component[a]] - rank[component[b]] || a - b);
  const order = all.slice(0, maxSequences);
  return { order, families: order.map((n) => component[n]), gap: 0 };
}

/** Parts of about equal size, each held out once; a family lies in one part, and `gap` positions around a part train on nothing. */
function cutFolds(families: Int32Array, gap: number): Fold[] {
  const M = families.length;
  const count = M > FEW ? 2 : 3;
  /** The first position from `at` on that starts a new family; in the order of time the gap keeps them apart. */
  const borderFrom = (at: number): number => {
    let i = at;
    while (gap === 0 && i > 0 && i < M && families[i] === families[i - 1]) i++;
    return i;
  };
  const all = Int32Array.from({ length: M }, (_, i) => i);
  return Array.from({ length: count }, (_, k): Fold => {
    const [from, to] = [borderFrom(Math.floor((k * M) / count)), borderFrom(Math.floor(((k + 1) * M) / count))];
    return { seed: k, heldOut: all.subarray(from, to), train: all.filter((i) => i < from - gap || i >= to + gap) };
  });
}

/** Runs of equal entries, bundled where there are very many. */
function numberBlocks(families: Int32Array): Int32Array {
  const blocks = new Int32Array(families.length);
  for (let i = 1; i < families.length; i++) blocks[i] = blocks[i - 1] + (families[i] === families[i - 1] ? 0 : 1);
  const count = families.length === 0 ? 0 : blocks[families.length - 1] + 1;
  const bundle = Math.ceil(count / MAX_BLOCKS);
  return blocks.map((block) => Math.floor(block / bundle));
}
