// Splits a data set into a test part and folds, each of which is held out once. Sequences that belong together share a fold; where the
// order means nothing, the order of the file decides nothing. Knows rows, labels and where windows lie in time: no recipe, no model.
// Legend: N sequences, T steps, F features.
import { FitError } from "../../shared/errors.ts";
import { takeLabels } from "../statistics/labels.ts";
import type { Random } from "../statistics/random.ts";
import { ascending, type Clock, cutByTime, maximum } from "./chronology.ts";
import { drawByContent, drawByDigest } from "./content-order.ts";
import { assignGroups, countCrossing, renumber } from "./groups.ts";
import type { Overlap } from "./overlap.ts";
import type { SplitReason } from "./reason.ts";
import {
  type Chronology,
  chooseMethod,
  examine,
  explainTime,
  explainWhole,
  findWholes,
  readTime,
  type Situation,
  type SplitBy,
  type SplitInput,
} from "./situation.ts";

/** Positions of sequences in the plan's order. */
export interface Fold {
  /** Everything else, but what stands too close in time. */
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
}

export interface FoldPlan {
  readonly by: SplitBy;
  readonly reason: SplitReason;
  /** (N) the sequences as they came, in the order in which all that follows counts them: by time, or drawn by their content. */
  readonly order: Int32Array;
  /** Positions, ascending: the sequences to learn from, and the test part, which is empty where the data bring their own or are few. */
  readonly train: Int32Array;
  readonly test: Int32Array;
  /** (N) by position: sequences of the same number are not independent. */
  readonly cluster: Int32Array;
  /** Sequences closer than this in order share rows, where the split is by time; else 0. */
  readonly gap: number;
  /** Sequences of the test part that share rows, not by coincidence, with one to learn from, and the reverse. */
  readonly crossesParts: number;
  /** Sequences left out to keep a gap before the test part. */
  readonly dropped: number;
  /** By position: who shares rows with whom, as it was found. */
  readonly overlap: Overlap;
  /** Deals `positions` into folds of about these shares, which sum to 1. Equal arguments give equal folds. Throws FitError where one is empty. */
  deal(positions: Int32Array, shares: readonly number[]): readonly Fold[];
}

export interface FoldInput extends Omit<SplitInput, "hasTest" | "hasValidation" | "random"> {
  /** The share of all that becomes the test part; 0 for none. */
  readonly testShare: number;
  /** A new stream at every call, the same numbers each. */
  createRandom(): Random;
}

/** Folds that a plan is usually dealt into: fewer starve the learners, more cost time (LEARNERS: five). */
export const FOLDS = 5;

/** Says who is tested and how the others are dealt. Throws UsageError when groups are asked for but not given, FitError for an empty part. */
export function planFolds(input: FoldInput): FoldPlan {
  const split: SplitInput = { ...input, hasTest: input.testShare === 0, random: input.createRandom() };
  const situation = examine(split, Math.min(1 / FOLDS, input.testShare || 1));
  return chooseMethod(split, situation) === "time" ? planByTime(input, split, situation) : planWhole(input, split, situation);
}

function planByTime({ testShare }: FoldInput, split: SplitInput, situation: Situation): FoldPlan {
  const { gap } = situation;
  const { order, clocks } = arrange(readTime(split, situation));
  const positions = ascending(order.length);
  const { part, dropped } = cutByTime(positions, clocks, gap, testShare === 0 ? [1] : [1 - testShare, testShare]);
  return {
    by: "time",
    reason: explainTime(split, situation, dropped),
    order,
    train: positions.filter((n) => part[n] === 0),
    test: positions.filter((n) => part[n] === 1),
    cluster: positions.map((n) => Math.floor(n / Math.max(1, 2 * gap))),
    gap,
    crossesParts: 0,
    dropped,
    overlap: reorderOverlap(situation.overlap, order),
    deal: (among, shares) =>
      requireRows(
        "time",
        cutInPieces(among, shares).map((heldOut) => ({ heldOut, train: keepApart(among, heldOut, clocks, gap) })),
      ),
  };
}

/** Everything by position. */
function arrange({ order, clocks }: Chronology): Chronology {
  const at = ({ series, time }: Clock): Clock => ({ series: order.map((n) => series[n]), time: order.map((n) => time[n]) });
  return { order, clocks: clocks.map(at) };
}

/** Contiguous pieces of `positions`. */
function cutInPieces(positions: Int32Array, shares: readonly number[]): Int32Array[] {
  let passed = 0;
  return shares.map((share) => {
    const from = Math.round(passed * positions.length);
    passed += share;
    return positions.subarray(from, Math.round(passed * positions.length));
  });
}

/** Those of `among` that are not held out and start, on no clock, within `gap` steps of the series' part that is. */
function keepApart(among: Int32Array, heldOut: Int32Array, clocks: readonly Clock[], gap: number): Int32Array {
  const isHeldOut = new Uint8Array(maximum(among) + 1);
  for (const n of heldOut) isHeldOut[n] = 1;
  const spans = clocks.map(({ series, time }) => {
    const count = maximum(series) + 1;
    const span = { first: new Int32Array(count).fill(2 ** 30), last: new Int32Array(count).fill(-(2 ** 30)) };
    for (const n of heldOut) {
      span.first[series[n]] = Math.min(span.first[series[n]], time[n]);
      span.last[series[n]] = Math.max(span.last[series[n]], time[n]);
    }
    return span;
  });
  const isClose = (n: number): boolean =>
    clocks.some(({ series, time }, c) => time[n] >= spans[c].first[series[n]] - gap && time[n] <= spans[c].last[series[n]] + gap);
  return among.filter((n) => isHeldOut[n] === 0 && !isClose(n));
}

function planWhole(input: FoldInput, split: SplitInput, situation: Situation): FoldPlan {
  const { labels: given, testShare, createRandom } = input;
  const { by, whole } = findWholes(split, situation);
  const isRandom = by === "random";
  const order = isRandom ? drawOrder(input) : ascending(given.length);
  const labels = takeLabels(given instanceof Float64Array ? given : Uint8Array.from(given), order);
  const overlap = reorderOverlap(situation.overlap, order);
  const group = renumber(order.map((n) => whole[n]));
  // Rows that recur by coincidence make copies by coincidence: new data will hold them, too, so every part gets its share of each.
  const isSpread = isRandom && situation.overlap.finding === "coincidence";
  const partsOf = (among: Int32Array, shares: readonly number[]): Int8Array => {
    const groups = among.map((n) => group[n]);
    const ownLabels = takeLabels(labels, among);
    return isSpread ? spread(groups, ownLabels, shares, createRandom()) : assignGroups(renumber(groups), ownLabels, shares, createRandom());
  };
  const positions = ascending(order.length);
  const part = testShare === 0 ? new Int8Array(order.length) : partsOf(positions, [1 - testShare, testShare]);
  const crossesParts = overlap.finding === "coincidence" ? 0 : countCrossing(overlap.component, part);
  return {
    by,
    reason: explainWhole(split, situation, crossesParts),
    order,
    train: positions.filter((n) => part[n] === 0),
    test: positions.filter((n) => part[n] === 1),
    cluster: isSpread ? positions : group,
    gap: 0,
    crossesParts,
    dropped: 0,
    overlap,
    deal(among, shares) {
      const dealt = partsOf(among, shares);
      const folds = shares.map((_, k) => ({
        train: among.filter((_, i) => dealt[i] !== k),
        heldOut: among.filter((_, i) => dealt[i] === k),
      }));
      return requireRows(by, folds);
    },
  };
}

/** An order of the sequences that their content decides; a function of its own, so that what is dealt later does not hold on to all of `input`. */
function drawOrder({ values, digests, labels, shape, createRandom }: FoldInput): Int32Array {
  const random = createRandom();
  return digests ? drawByDigest(digests.content, labels, random) : drawByContent(values, labels, shape.timesteps * shape.features, random);
}

/** Deals sequences into parts one by one, those of one label and one pattern in a row, so that each part gets its share of each. */
function spread(pattern: Int32Array, labels: ArrayLike<number>, shares: readonly number[], random: Random): Int8Array {
  const rank = ascending(maximum(pattern) + 1);
  random.shuffle(rank);
  const order = ascending(pattern.length).sort((a, b) => labels[a] - labels[b] || rank[pattern[a]] - rank[pattern[b]] || a - b);
  const part = new Int8Array(pattern.length);
  const counts = shares.map(() => 0);
  order.forEach((n, i) => {
    let most = 0;
    for (let k = 1; k < shares.length; k++) if (shares[k] * (i + 1) - counts[k] > shares[most] * (i + 1) - counts[most]) most = k;
    part[n] = most;
    counts[most]++;
  });
  return part;
}

function requireRows(by: SplitBy, folds: readonly Fold[]): readonly Fold[] {
  for (const { train, heldOut } of folds)
    if (train.length === 0 || heldOut.length === 0)
      throw new FitError(`${folds.length} folds by ${by} leave one of them empty: give more data, or another --split`);
  return folds;
}

function reorderOverlap(overlap: Overlap, order: Int32Array): Overlap {
  const at = (values: Int32Array): Int32Array => order.map((n) => values[n]);
  return { ...overlap, copy: renumber(at(overlap.copy)), component: renumber(at(overlap.component)), offset: at(overlap.offset) };
}
