// Values in bins, one count a class; a soft label y counts as y of a 1 and 1 − y of a 0.
import { quantile } from "../statistics/descriptive.ts";

export interface ClassHistogram {
  /** (B+1) ascending. */
  readonly edges: readonly number[];
  /** (B) of sequences with label 0 and label 1, soft ones in part. */
  readonly counts: readonly [zeros: readonly number[], ones: readonly number[]];
  /** Values outside the edges, not counted. */
  readonly beyond: number;
}

const BINS = 30;
/** So many whole values, at most, get a bin each. */
const MAX_WHOLE = 40;

/** Bins of equal width over `range`, which both ends belong to; values outside it are counted as beyond. One value is all in the first bin. */
export function countInBins(
  values: ArrayLike<number>,
  labels: ArrayLike<number>,
  [low, high]: readonly [number, number],
  bins = BINS,
): ClassHistogram {
  const counts = [new Array<number>(bins).fill(0), new Array<number>(bins).fill(0)] as const;
  let beyond = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (x < low || x > high) beyond++;
    else {
      const bin = high > low ? Math.min(bins - 1, Math.floor(((x - low) / (high - low)) * bins)) : 0;
      counts[0][bin] += 1 - labels[i];
      counts[1][bin] += labels[i];
    }
  }
  return { edges: Array.from({ length: bins + 1 }, (_, b) => low + ((high - low) / bins) * b), counts, beyond };
}

/**
 * Bins that suit the values: one each for few whole ones, else over their range; where tails make that more than four times the
 * middle 99 %, over the middle 99 %. `sorted` holds the same values ascending, all within ±1e300.
 */
export function histogramOf(values: Float64Array, labels: ArrayLike<number>, sorted: Float64Array): ClassHistogram {
  const lowest = sorted[0];
  const highest = sorted[sorted.length - 1];
  if (highest - lowest < MAX_WHOLE && sorted.every(Number.isInteger))
    return countInBins(values, labels, [lowest - 0.5, highest + 0.5], highest - lowest + 1);
  const middle: [number, number] = [quantile(sorted, 0.005), quantile(sorted, 0.995)];
  const range: [number, number] = highest - lowest > 4 * (middle[1] - middle[0]) && middle[1] > middle[0] ? middle : [lowest, highest];
  // A spread below the last digits of the values cannot be divided into bins.
  return countInBins(values, labels, range, Math.max(1, Math.min(BINS, Math.round((range[1] - range[0]) / ulp(range)))));
}

function ulp([low, high]: readonly [number, number]): number {
  return Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE * 2 ** 53) * 2 ** -52;
}
