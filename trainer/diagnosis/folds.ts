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
  /** (M) indices of sequences: in the order of time where rows are shared along long series, else in random order, kin together. */
  readonly order: Int32Array;
  /** Neighbours in `order` closer than this share rows; 0 where the order means nothing. */
  readonly gap: number;
  /** (M) the block of each position, for resampling: what shares rows is resampled together. */
  readonly blocks: Int32Array;
  readonly folds: readonly Fold[];
}

/** Sequences that one diagnosis looks at, at most. */
export const MAX_SEQUENCES = 24_000;
/** Up to here three folds: more to train on where there is little. Up to there twice, so that less is left to the luck of a run. */
const FEW = 8000;
const VERY_FEW = 4000;
/** What shares rows stays together if there are so many such families; a series that holds more is cut by time. */
const MIN_FAMILIES = 12;
/** A fold with fewer of a label to train on teaches nothing. */
const MIN_OF_A_LABEL = 5;
/** More blocks than this add nothing to an interval. */
const MAX_BLOCKS = 2000;

/** At most `most` sequences of those that `overlap` knows; `labels` of all. No folds where they would hold one label only. */
export function drawSample(overlap: Overlap, labels: Uint8Array, timesteps: number, most: number, random: Random): Sample {
  const N = overlap.copy.length;
  const reach = timesteps; // rows apart from which two windows of one series share nothing, with the label's horizon of 1
  const sizes = new Int32Array(overlap.components);
  for (const c of overlap.component) sizes[c]++;
  const isHeavy = maximum(sizes) > N / MIN_FAMILIES;
  const isSeries = overlap.finding === "series" && isHeavy;
  const isSingle = overlap.components === N || isHeavy; // copies of one sequence that are half the file cannot stay together
  let order: Int32Array;
  if (isSeries) {
    const all = orderInTime(overlap, reach);
    const from = N <= most ? 0 : random.integer(N - most);
    order = all.slice(from, from + most);
  } else {
    order = Int32Array.from({ length: isSingle ? N : overlap.components }, (_, i) => i);
    random.shuffle(order);
    if (!isSingle) {
      const rank = new Int32Array(overlap.components);
      order.forEach((component, i) => {
        rank[component] = i;
      });
      order = Int32Array.from({ length: N }, (_, n) => n).sort((a, b) => rank[overlap.component[a]] - rank[overlap.component[b]] || a - b);
    }
    order = order.slice(0, most);
  }
  const M = order.length;
  const gap = isSeries ? reach : 0;
  const kin = isSeries
    ? Int32Array.from(order.keys(), (i) => Math.floor(i / (2 * reach)))
    : isSingle
      ? order
      : order.map((n) => overlap.component[n]);
  const count = M > FEW ? 2 : 3;
  /** The first position from `at` on that starts a new family. */
  const border = (at: number): number => {
    let i = at;
    while (!isSeries && i > 0 && i < M && kin[i] === kin[i - 1]) i++;
    return i;
  };
  const folds = Array.from({ length: count }, (_, k): Fold => {
    const [from, to] = [border(Math.floor((k * M) / count)), border(Math.floor(((k + 1) * M) / count))];
    const all = Int32Array.from({ length: M }, (_, i) => i);
    return { seed: k, heldOut: all.subarray(from, to), train: all.filter((i) => i < from - gap || i >= to + gap) };
  });
  const isUsable = folds.every(({ train, heldOut }) => {
    const positives = train.reduce((sum, i) => sum + labels[order[i]], 0);
    return heldOut.length > 0 && Math.min(positives, train.length - positives) >= MIN_OF_A_LABEL;
  });
  if (!isUsable) return { order, gap, blocks: numberBlocks(kin), folds: [] };
  const runs = M > VERY_FEW ? folds : [0, 1].flatMap((seed) => folds.map((fold) => ({ ...fold, seed })));
  return { order, gap, blocks: numberBlocks(kin), folds: runs };
}

/** Runs of equal entries, bundled where there are very many. */
function numberBlocks(kin: Int32Array): Int32Array {
  const blocks = new Int32Array(kin.length);
  for (let i = 1; i < kin.length; i++) blocks[i] = blocks[i - 1] + (kin[i] === kin[i - 1] ? 0 : 1);
  const count = kin.length === 0 ? 0 : blocks[kin.length - 1] + 1;
  const bundle = Math.ceil(count / MAX_BLOCKS);
  return blocks.map((block) => Math.floor(block / bundle));
}
