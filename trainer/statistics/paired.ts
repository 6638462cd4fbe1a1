// Two models on the same sequences: whether the one is better beyond noise. The paired difference says it, for both err on the same.
import { type MeanWithError, meanWithError } from "./descriptive.ts";

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
