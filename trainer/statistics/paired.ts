// Two models on the same sequences: whether the one is better beyond noise. The paired difference says it, for both err on the same.
import { type MeanWithError, mean as meanOf, meanWithError } from "./descriptive.ts";

type Losses = Float32Array | Float64Array;

/** Whether the mean of `before − after`, losses (N) of the same sequences, exceeds `errors` of its standard errors; `gap` as below. */
export function exceedsNoise(before: Losses, after: Losses, gap: number, errors = 1): boolean {
  const gain = pairedGain(before, after, gap);
  return gain.mean > errors * gain.standardError;
}

/**
 * The mean of `before − after`, losses (N) of the same sequences, and its standard error. With a `gap` sequences are in the order of
 * time and share rows with those closer than it: the means of blocks twice as long take their place (batch means), the last block
 * being shorter. 0 where the order means nothing.
 */
export function pairedGain(before: Losses, after: Losses, gap: number): MeanWithError {
  const length = Math.max(1, 2 * gap);
  const means: number[] = [];
  for (let from = 0; from < before.length; from += length) {
    let sum = 0;
    const to = Math.min(before.length, from + length);
    for (let n = from; n < to; n++) sum += before[n] - after[n];
    means.push(sum / (to - from));
  }
  return meanWithError(means);
}

/**
 * clusteredGain of sequences in the order of time, in stretches of `sizes` sequences: what changes from stretch to stretch is doubt, too, so the
 * larger of the clusters' error and of that between the stretches' means counts. Fewer than two stretches: that of the clusters.
 */
export function stretchedGain(before: Losses, after: Losses, cluster: ArrayLike<number>, sizes: readonly number[]): MeanWithError {
  const { mean, standardError: within } = clusteredGain(before, after, cluster);
  if (sizes.length < 2) return { mean, standardError: within };
  let from = 0;
  const means = sizes.map((size) => {
    const to = from + size;
    const own = meanOf(before.subarray(from, to)) - meanOf(after.subarray(from, to));
    from = to;
    return own;
  });
  return { mean, standardError: Math.max(within, meanWithError(means).standardError) };
}

/**
 * The mean of `before − after`, losses (N) of the same sequences, and its standard error where sequences of the same `cluster` (N) are
 * not independent: from the clusters' summed deviations (Liang & Zeger 1986), with G/(G − 1) for G clusters; infinite for one cluster.
 */
export function clusteredGain(before: Losses, after: Losses, cluster: ArrayLike<number>): MeanWithError {
  const N = before.length;
  let mean = 0;
  for (let n = 0; n < N; n++) mean += (before[n] - after[n]) / N;
  const deviations = new Map<number, number>();
  for (let n = 0; n < N; n++) deviations.set(cluster[n], (deviations.get(cluster[n]) ?? 0) + before[n] - after[n] - mean);
  const G = deviations.size;
  let squares = 0;
  for (const deviation of deviations.values()) squares += deviation * deviation;
  return { mean, standardError: G < 2 ? Number.POSITIVE_INFINITY : Math.sqrt((squares * G) / (G - 1)) / N };
}
