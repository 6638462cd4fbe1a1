// Which channel and which step a model leans on: how much the log loss rises when their values are permuted among sequences
// (Breiman 2001; Fisher, Rudin & Dominici 2019). Knows no recipe: scoring arrives as a function. A channel may be a raw feature.
// Legend: N sequences, T steps, C channels.
import { take } from "../data/sequences.ts";
import { meanWithError } from "../statistics/descriptive.ts";
import { groupPositions } from "../statistics/grouping.ts";
import { Z95 } from "../statistics/intervals.ts";
import { logLosses } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";

export interface Effect {
  /** Rise of the mean log loss, in nats. */
  readonly rise: number;
  /** Of its 95 % interval, over sequences. */
  readonly halfWidth: number;
}

export interface StepEffect extends Effect {
  /** Rows before the last one: 0 is the last row. */
  readonly from: number;
  readonly to: number;
}

export interface Importance {
  readonly sequences: number;
  readonly repeats: number;
  /** (C) */
  readonly channels: readonly Effect[];
  /** The latest first. */
  readonly steps: readonly StepEffect[];
}

/** Channels are float32, raw features float64. */
type Numbers = Float32Array | Float64Array;

export interface Scored<A extends Numbers = Float32Array> {
  /** (N,T,C) left-aligned. */
  readonly channels: A;
  /** (N) */
  readonly lengths: Int32Array;
  /** (N) */
  readonly labels: ArrayLike<number>;
}

type ProbabilitiesOf<A> = (channels: A, lengths: Int32Array) => Float32Array;

const MAX_SEQUENCES = 2000;
const MIN_SEQUENCES = 100;
const MAX_REPEATS = 5;
/** Rows scored in all: at 3.5 µs a row (100 units, measured) about four seconds. */
const ROW_BUDGET = 1_200_000;
/** Longer sequences are permuted a band of rows at a time. */
const MAX_BANDS = 20;

/** Sequences of the permutations, and how often each is permuted. */
export interface Rounds {
  readonly sequences: number;
  readonly repeats: number;
}

/**
 * Permutation importance of each channel and each row. Values change hands only between sequences of one length, so that steps keep
 * their distance from the end and no row becomes padding. Takes the first sequences after a shuffle, as many as the budget of rows
 * allows, or as `rounds` says. `probabilitiesOf` scores (n,T,C) with n lengths. No channels, no effects of channels.
 */
export function permutationImportance<A extends Numbers>(
  scored: Scored<A>,
  T: number,
  probabilitiesOf: ProbabilitiesOf<A>,
  random: Random,
  rounds?: Rounds,
): Importance {
  const N = scored.lengths.length;
  const C = scored.channels.length / (N * T);
  const longest = scored.lengths.reduce((max, length) => Math.max(max, length), 0);
  const bands = Math.min(longest, MAX_BANDS);
  const { sequences, repeats } = rounds ?? planRounds(N, (C + bands) * longest);
  const sample = drawSample(scored, T * C, sequences, random);
  const before = logLosses(sample.labels, probabilitiesOf(sample.channels, sample.lengths));

  const effectOf = (isPermuted: IsPermuted): Effect =>
    measureRise(repeats, sample.labels, before, () => probabilitiesOf(permute(sample, T, C, isPermuted, random), sample.lengths));
  const ofChannels = Array.from({ length: C }, (_, channel) => effectOf((_age, c) => c === channel));
  const steps = Array.from({ length: bands }, (_, b) => {
    const from = Math.floor((b * longest) / bands);
    const to = Math.floor(((b + 1) * longest) / bands) - 1;
    return { from, to, ...effectOf((age) => age >= from && age <= to) };
  });
  return { sequences, repeats, channels: ofChannels, steps };
}

/** How much the losses rise, from `before` (n), with probabilities that each call of `permuted` draws anew. */
export function measureRise(repeats: number, labels: ArrayLike<number>, before: Float64Array, permuted: () => Float32Array): Effect {
  const rises = new Float64Array(before.length);
  for (let r = 0; r < repeats; r++) {
    const after = logLosses(labels, permuted());
    for (let i = 0; i < rises.length; i++) rises[i] += (after[i] - before[i]) / repeats;
  }
  const { mean, standardError } = meanWithError(rises);
  return { rise: mean, halfWidth: Z95 * standardError };
}

/** Within the budget of rows, `rowsOfOne` of which one sequence takes in one repeat. */
export function planRounds(N: number, rowsOfOne: number, budget = ROW_BUDGET): Rounds {
  const sequences = Math.min(N, MAX_SEQUENCES, Math.max(MIN_SEQUENCES, Math.floor(budget / rowsOfOne)));
  return { sequences, repeats: Math.max(1, Math.min(MAX_REPEATS, Math.floor(budget / rowsOfOne / sequences))) };
}

interface Sample<A extends Numbers> extends Scored<A> {
  /** Positions in the sample of the sequences of one length. */
  readonly groups: readonly Int32Array[];
}

/** The first `n` after a shuffle, in their order; a sequence holds `size` numbers. */
function drawSample<A extends Numbers>({ channels, lengths, labels }: Scored<A>, size: number, n: number, random: Random): Sample<A> {
  const chosen = Int32Array.from({ length: lengths.length }, (_, i) => i);
  random.shuffle(chosen);
  const indices = chosen.subarray(0, n).toSorted();
  const sampled = take(channels, indices, size);
  const sampledLengths = indices.map((from) => lengths[from]);
  return {
    channels: sampled,
    lengths: sampledLengths,
    labels: Array.from(indices, (from) => labels[from]),
    groups: groupPositions(sampledLengths),
  };
}

/** Whether channel c of the row `age` before the last is permuted. */
type IsPermuted = (age: number, c: number) => boolean;

/** A copy of the sample's channels in which every group gets the values at some places in another order. */
function permute<A extends Numbers>(
  { channels, lengths, groups }: Sample<A>,
  T: number,
  C: number,
  isPermuted: IsPermuted,
  random: Random,
): A {
  const permuted = channels.slice() as A;
  for (const group of groups) {
    const donors = group.slice();
    random.shuffle(donors);
    const length = lengths[group[0]];
    for (let t = 0; t < length; t++)
      for (let c = 0; c < C; c++)
        if (isPermuted(length - 1 - t, c))
          for (let k = 0; k < group.length; k++) permuted[(group[k] * T + t) * C + c] = channels[(donors[k] * T + t) * C + c];
  }
  return permuted;
}
