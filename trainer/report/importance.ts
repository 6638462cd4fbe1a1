// Which channel and which step a model leans on: how much the log loss rises when their values are dealt out anew among
// sequences (Breiman 2001; Fisher, Rudin & Dominici 2019). Knows no recipe: scoring arrives as a function.
// Legend: N sequences, T steps, C channels.

import { meanWithError } from "../statistics/descriptive.ts";
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

export interface Scored {
  /** (N,T,C) left-aligned. */
  readonly channels: Float32Array;
  /** (N) */
  readonly lengths: Int32Array;
  /** (N) */
  readonly labels: ArrayLike<number>;
}

type ProbabilitiesOf = (channels: Float32Array, lengths: Int32Array) => Float32Array;

const MAX_SEQUENCES = 2000;
const MIN_SEQUENCES = 100;
const MAX_REPEATS = 5;
/** Rows scored in all: at 3.5 µs a row (100 units, measured) about four seconds. */
const ROW_BUDGET = 1_200_000;
/** Longer sequences are permuted a band of rows at a time. */
const MAX_BANDS = 20;

/**
 * Values change hands only between sequences of one length, so that steps keep their distance from the end and no row becomes
 * padding. Takes the first sequences after a shuffle, as many as the budget of rows allows. Null without channels.
 */
export function permutationImportance(
  { channels, lengths, labels }: Scored,
  T: number,
  probabilitiesOf: ProbabilitiesOf,
  random: Random,
): Importance {
  const N = lengths.length;
  const C = channels.length / (N * T);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const bands = Math.min(longest, MAX_BANDS);
  const rounds = (C + bands) * longest;
  const n = Math.min(N, MAX_SEQUENCES, Math.max(MIN_SEQUENCES, Math.floor(ROW_BUDGET / rounds)));
  const repeats = Math.max(1, Math.min(MAX_REPEATS, Math.floor(ROW_BUDGET / rounds / n)));

  const chosen = Int32Array.from({ length: N }, (_, i) => i);
  random.shuffle(chosen);
  const indices = chosen.subarray(0, n).toSorted();
  const own = new Float32Array(n * T * C);
  indices.forEach((from, to) => {
    own.set(channels.subarray(from * T * C, (from + 1) * T * C), to * T * C);
  });
  const ownLengths = indices.map((from) => lengths[from]);
  const ownLabels = Array.from(indices, (from) => labels[from]);
  const before = logLosses(ownLabels, probabilitiesOf(own, ownLengths));
  const groups = Object.values(Object.groupBy(ownLengths.keys(), (i) => ownLengths[i])).map((members) => Int32Array.from(members!));

  /** `concerns(age, c)`: whether channel c of the row `age` before the last is dealt out anew. */
  const effectOf = (concerns: (age: number, c: number) => boolean): Effect => {
    const rises = new Float64Array(n);
    for (let r = 0; r < repeats; r++) {
      const dealt = own.slice();
      for (const group of groups) {
        const donors = group.slice();
        random.shuffle(donors);
        const length = ownLengths[group[0]];
        for (let t = 0; t < length; t++)
          for (let c = 0; c < C; c++)
            if (concerns(length - 1 - t, c))
              for (let k = 0; k < group.length; k++) dealt[(group[k] * T + t) * C + c] = own[(donors[k] * T + t) * C + c];
      }
      const after = logLosses(ownLabels, probabilitiesOf(dealt, ownLengths));
      for (let i = 0; i < n; i++) rises[i] += (after[i] - before[i]) / repeats;
    }
    return meanWithInterval(rises);
  };

  const ofChannels = Array.from({ length: C }, (_, channel) => effectOf((_age, c) => c === channel));
  const steps = Array.from({ length: bands }, (_, b) => {
    const from = Math.floor((b * longest) / bands);
    const to = Math.floor(((b + 1) * longest) / bands) - 1;
    return { from, to, ...effectOf((age) => age >= from && age <= to) };
  });
  return { sequences: n, repeats, channels: ofChannels, steps };
}

function meanWithInterval(values: Float64Array): Effect {
  const { mean, standardError } = meanWithError(values);
  return { rise: mean, halfWidth: Z95 * standardError };
}
