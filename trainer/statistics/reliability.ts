// Whether probabilities mean what they say: bins of equal mass, what was predicted in each and what came.
// Knows no model and draws nothing. Legend: N sequences.
import type { Estimate, ReliabilityBin } from "../../shared/model.ts";
import { mean, quantile } from "./descriptive.ts";
import { drawWeights, wilson } from "./intervals.ts";
import { countOnes } from "./labels.ts";
import type { Random } from "./random.ts";
import { equalMassBins, rank } from "./ranking.ts";

/** Equal-mass bins: with 5,000 sequences each holds 333, whose positive rate is known to ±0.03. */
export const BINS = 15;
/** Of 1,000 resamples the outer 2.5 % are 25. */
const RESAMPLES = 1000;

/**
 * Bins in ascending order, cut at the scores of rank ⌈bN/15⌉, equal scores in one bin, as the calibration error has them. The
 * share of positives in each has the 2.5 and 97.5 % quantiles of a bootstrap, in blocks where a `gap` says that neighbours share
 * rows. Where a bin's labels are all the same no resample can differ: there the interval is Wilson's.
 */
export function reliabilityBins(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  random: Random,
  gap: number,
): ReliabilityBin[] {
  const N = labels.length;
  const ranked = rank(labels, probabilities);
  const weights = new Int32Array(N).fill(1);
  const binOf = new Int32Array(N); // by sequence
  const bins: { examples: number; positives: number; predicted: number; shares: number[] }[] = [];
  let start = 0;
  for (const end of equalMassBins(ranked, weights, BINS)) {
    for (const n of ranked.order.subarray(start, end)) binOf[n] = bins.length;
    const positives = countOnes(ranked.labels.subarray(start, end));
    bins.push({ examples: end - start, positives, predicted: mean(ranked.scores.subarray(start, end)), shares: [] });
    start = end;
  }
  for (let r = 0; r < RESAMPLES; r++) {
    drawWeights(weights, random, gap);
    const totals = new Float64Array(2 * bins.length);
    for (let n = 0; n < N; n++) {
      totals[2 * binOf[n]] += weights[n];
      totals[2 * binOf[n] + 1] += weights[n] * labels[n];
    }
    bins.forEach(({ shares }, b) => {
      if (totals[2 * b] > 0) shares.push(totals[2 * b + 1] / totals[2 * b]);
    });
  }
  return bins.map(({ examples, positives, predicted, shares }) => ({
    examples,
    predicted,
    observed: positives === 0 || positives === examples ? wilson(positives, examples) : percentileInterval(positives / examples, shares),
  }));
}

/** `value` with the outer 2.5 % of `shares`, widened to hold it. */
function percentileInterval(value: number, shares: number[]): Estimate {
  shares.sort((a, b) => a - b);
  return { value, low: Math.min(value, quantile(shares, 0.025)), high: Math.max(value, quantile(shares, 0.975)) };
}
