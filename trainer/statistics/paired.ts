// Two models on the same sequences: whether the one is better beyond noise. The paired difference says it, for both err on the same.

import { type MeanWithError, meanWithError } from "./descriptive.ts";

type Losses = Float32Array | Float64Array;

/** Whether the mean of `before − after` exceeds so many standard errors. */
export function exceedsNoise(before: Losses, after: Losses, gap: number, errors = 1): boolean {
  const gain = pairedGain(before, after, gap);
  return gain.mean > errors * gain.standardError;
}

/**
 * The mean of `before − after`. Neighbours that share rows are not independent: with a `gap` the error is that of means over
 * blocks twice as long.
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
