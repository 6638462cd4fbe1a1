// A challenger in the shadow beside the model that answers: what both said of the same sequences, and what came true of it. Sums, which
// add up whatever isolate they come from. Pure; the logarithm is the kernel's.
import type { Estimate } from "../../shared/model.ts";
import { type Functions, lossOf, type Tally, Z } from "./performance.ts";

/** Bins of the difference from −1 to 1. */
const DIFFERENCE_BINS = 40;

/**
 * Sums over pairs of probabilities, plain data: how many pairs; of the differences, the challenger's probability − the model's, and of their
 * squares; how many outcomes came; of the model's losses, the challenger's, and their differences' squares; pairs by the model's
 * label, then the challenger's: 00, 01, 10, 11; pairs by their difference (DIFFERENCE_BINS).
 */
export type PairSums = number[];
const [PAIRS, DIFFERENCE, DIFFERENCE2, OUTCOMES, LOSS, OTHER_LOSS, LOSS_DIFFERENCE2, LABELS, BINS] = [0, 1, 2, 3, 4, 5, 6, 7, 11];

/** Nothing yet. */
export function noPairs(): PairSums {
  return new Array<number>(BINS + DIFFERENCE_BINS).fill(0);
}

/** One sequence that both scored; labels are each at its own default operating point. */
export function addPair(sums: PairSums, probability: number, label: 0 | 1, other: number, otherLabel: 0 | 1): void {
  const difference = other - probability;
  sums[PAIRS]++;
  sums[DIFFERENCE] += difference;
  sums[DIFFERENCE2] += difference * difference;
  sums[LABELS + 2 * label + otherLabel]++;
  sums[BINS + Math.min(DIFFERENCE_BINS - 1, Math.floor(((difference + 1) / 2) * DIFFERENCE_BINS))]++;
}

/** What came true of one. Losses are in nats. */
export function judgePair(sums: PairSums, probability: number, other: number, label: 0 | 1, log: Functions["log"]): void {
  const [loss, otherLoss] = [lossOf(probability, label, log), lossOf(other, label, log)];
  sums[OUTCOMES]++;
  sums[LOSS] += loss;
  sums[OTHER_LOSS] += otherLoss;
  sums[LOSS_DIFFERENCE2] += (otherLoss - loss) * (otherLoss - loss);
}

/** Adds `more` to `sums`. */
export function addPairs(sums: PairSums, more: PairSums): void {
  for (const [i, sum] of more.entries()) sums[i] += sum;
}

/** What is known of a challenger beside the model that answers. Null where a figure is not defined, as an interval of one number is not. */
export interface Comparison {
  /** Whether each figure is of sequences that both scored; else each scored its own. */
  readonly paired: boolean;
  /** That are compared. */
  readonly sequences: { readonly model: number; readonly challenger: number };
  /** The challenger's probability − the model's. */
  readonly meanDifference: Estimate | null;
  /** From −1 to 1 in bins of equal width, how many sequences differ so. */
  readonly differences: readonly number[] | null;
  /** By the model's label, then the challenger's. */
  readonly labels: readonly (readonly number[])[] | null;
  /** The part of the sequences on whose label both agree. */
  readonly agreement: number | null;
  readonly outcomes: { readonly model: number; readonly challenger: number };
  /** In nats; `difference`: the challenger's − the model's. */
  readonly logLoss: { readonly model: number; readonly challenger: number; readonly difference: Estimate | null } | null;
}

/** Of a challenger in the shadow. */
export function describePairs(sums: PairSums): Comparison {
  const [pairs, outcomes, loss, otherLoss] = [sums[PAIRS], sums[OUTCOMES], sums[LOSS], sums[OTHER_LOSS]];
  const labels = sums.slice(LABELS, BINS);
  const variance = varianceOf(outcomes, otherLoss - loss, sums[LOSS_DIFFERENCE2]) / outcomes;
  return {
    paired: true,
    sequences: { model: pairs, challenger: pairs },
    meanDifference: estimate(sums[DIFFERENCE] / pairs, varianceOf(pairs, sums[DIFFERENCE], sums[DIFFERENCE2]) / pairs, pairs),
    differences: sums.slice(BINS),
    labels: [labels.slice(0, 2), labels.slice(2)],
    agreement: pairs === 0 ? null : (labels[0] + labels[3]) / pairs,
    outcomes: { model: outcomes, challenger: outcomes },
    logLoss: lossesOf(loss / outcomes, otherLoss / outcomes, variance, outcomes),
  };
}

/**
 * Of a challenger that answers a share: of the predictions whose outcomes came, `tally` the model's and `other` the challenger's. The
 * interval of the mean difference is a wide one, since a probability of mean m varies by at most m(1 − m).
 */
export function describeShares(tally: Tally, other: Tally): Comparison {
  const [ours, theirs] = [tally, other].map(({ outcomes: n, sumIn, logLoss, logLoss2 }) => {
    const mean = sumIn.reduce((sum, one) => sum + one, 0) / n;
    return { n, mean, error2: (mean * (1 - mean)) / n, loss: logLoss / n, lossError2: varianceOf(n, logLoss, logLoss2) / n };
  });
  const counts = { model: ours.n, challenger: theirs.n };
  const few = Math.min(ours.n, theirs.n);
  return {
    paired: false,
    sequences: counts,
    meanDifference: estimate(theirs.mean - ours.mean, ours.error2 + theirs.error2, few),
    differences: null,
    labels: null,
    agreement: null,
    outcomes: counts,
    logLoss: lossesOf(ours.loss, theirs.loss, ours.lossError2 + theirs.lossError2, few),
  };
}

/** Mean losses; null of nothing. */
function lossesOf(model: number, challenger: number, error2: number, few: number): Comparison["logLoss"] {
  return few === 0 ? null : { model, challenger, difference: estimate(challenger - model, error2, few) };
}

/** Of what sums up over n, unbiased. */
function varianceOf(n: number, sum: number, sum2: number): number {
  return Math.max(0, sum2 - (sum * sum) / n) / (n - 1);
}

/** With its 95 % interval, from the standard error's square; null of fewer than two. */
function estimate(value: number, error2: number, few: number): Estimate | null {
  const half = Z * Math.sqrt(error2);
  return few < 2 ? null : { value, low: value - half, high: value + half };
}
