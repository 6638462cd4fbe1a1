// Predictions and what came true, added up by day, and the figures of it: log loss, Brier score, AUC, calibration, reliability. Pure; log
// and exp are the kernel's.
// Legend: B bins of the probability.
import type { Estimate } from "../../shared/model.ts";
import { PREDICTION_SHARDS } from "./prediction-id.ts";

/** Bins of equal width: the AUC and the calibration are computed from their counts, losses from each prediction. */
const BINS = 200;
/** Of the reliability that is shown: so many of about equal mass. */
const SHOWN_BINS = 10;
/** z of a 95 % interval. */
export const Z = 1.959964;
const NEWTON_STEPS = 25;
/** Below this no logarithm is taken: a loss stays finite, as the trainer's does. */
const MIN_PROBABILITY = 1e-7;

/** Sums over predictions of one day, or of several. Plain data. */
export interface Tally {
  outcomes: number;
  ones: number;
  logLoss: number;
  /** Of the losses' squares. */
  logLoss2: number;
  brier: number;
  /** (B) how many 0s and 1s. */
  zerosIn: number[];
  onesIn: number[];
  /** (B) sum of the probabilities. */
  sumIn: number[];
}

/** Null where a figure is not defined, as the AUC of one class is not. */
export interface Performance {
  readonly outcomes: number;
  readonly positiveRate: number | null;
  readonly logLoss: Estimate | null;
  readonly brier: number | null;
  readonly auc: number | null;
  /** 1: probabilities are as extreme as they should be; below 1: too extreme. */
  readonly calibrationSlope: number | null;
  readonly reliability: readonly { readonly examples: number; readonly predicted: number; readonly observed: Estimate }[];
}

/** The kernel's functions. */
export interface Functions {
  readonly log: (x: number) => number;
  readonly exp: (x: number) => number;
}

/** Nothing yet. */
export function noOutcomes(): Tally {
  const zeros = () => new Array<number>(BINS).fill(0);
  return { outcomes: 0, ones: 0, logLoss: 0, logLoss2: 0, brier: 0, zerosIn: zeros(), onesIn: zeros(), sumIn: zeros() };
}

/** One prediction and its label. */
export function addOutcome(tally: Tally, probability: number, label: 0 | 1, log: Functions["log"]): void {
  const loss = lossOf(probability, label, log);
  const bin = Math.min(BINS - 1, Math.floor(probability * BINS));
  tally.outcomes++;
  tally.ones += label;
  tally.logLoss += loss;
  tally.logLoss2 += loss * loss;
  tally.brier += (probability - label) * (probability - label);
  (label === 1 ? tally.onesIn : tally.zerosIn)[bin]++;
  tally.sumIn[bin] += probability;
}

/** In nats. */
export function lossOf(probability: number, label: 0 | 1, log: Functions["log"]): number {
  return -log(Math.max(MIN_PROBABILITY, label === 1 ? probability : 1 - probability));
}

/** Adds `more` to `tally`. */
export function addTally(tally: Tally, more: Tally): void {
  for (const sum of ["outcomes", "ones", "logLoss", "logLoss2", "brier"] as const) tally[sum] += more[sum];
  for (const bins of ["zerosIn", "onesIn", "sumIn"] as const)
    more[bins].forEach((count, b) => {
      tally[bins][b] += count;
    });
}

/** The figures. */
export function describePerformance(tally: Tally, functions: Functions): Performance {
  const { outcomes: n, ones, logLoss, logLoss2, brier } = tally;
  if (n === 0) return { outcomes: 0, positiveRate: null, logLoss: null, brier: null, auc: null, calibrationSlope: null, reliability: [] };
  const mean = logLoss / n;
  const half = n < 2 ? 0 : Z * Math.sqrt(Math.max(0, logLoss2 / n - mean * mean) / (n - 1));
  const isMixed = ones > 0 && ones < n;
  return {
    outcomes: n,
    positiveRate: ones / n,
    logLoss: { value: mean, low: mean - half, high: mean + half },
    brier: brier / n,
    auc: isMixed ? aucOf(tally) : null,
    calibrationSlope: isMixed ? slopeOf(tally, functions) : null,
    reliability: reliabilityOf(tally),
  };
}

/** The chance that a 1 has a higher bin than a 0, half where both have the same. */
function aucOf({ zerosIn, onesIn, ones, outcomes }: Tally): number {
  let below = 0;
  let sum = 0;
  for (let b = 0; b < BINS; b++) {
    sum += onesIn[b] * (below + zerosIn[b] / 2);
    below += zerosIn[b];
  }
  return sum / (ones * (outcomes - ones));
}

/** The slope of a logistic regression of the labels on the logit, each bin at its mean probability, by Newton's method. Null where it does not converge. */
function slopeOf({ zerosIn, onesIn, sumIn }: Tally, { log, exp }: Functions): number | null {
  const points = zerosIn.flatMap((zeros, b) => {
    const n = zeros + onesIn[b];
    if (n === 0) return [];
    const p = Math.min(1 - MIN_PROBABILITY, Math.max(MIN_PROBABILITY, sumIn[b] / n));
    return [{ n, ones: onesIn[b], z: log(p) - log(1 - p) }];
  });
  let [slope, intercept] = [1, 0];
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0];
    for (const { n, ones, z } of points) {
      const q = 1 / (1 + exp(-Math.max(-40, Math.min(40, slope * z + intercept))));
      const w = n * q * (1 - q);
      g0 += ones - n * q;
      g1 += (ones - n * q) * z;
      h00 += w;
      h01 += w * z;
      h11 += w * z * z;
    }
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 1e-12)) return null;
    const [dIntercept, dSlope] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    slope += dSlope;
    intercept += dIntercept;
    if (Math.abs(dSlope) < 1e-9 && Math.abs(dIntercept) < 1e-9) return slope;
  }
  return null;
}

/** Bins of about equal mass, with Wilson's interval (1927). */
function reliabilityOf({ zerosIn, onesIn, sumIn, outcomes }: Tally): Performance["reliability"] {
  const shown: { examples: number; predicted: number; observed: Estimate }[] = [];
  let [n, ones, sum] = [0, 0, 0];
  for (let b = 0; b < BINS; b++) {
    n += zerosIn[b] + onesIn[b];
    ones += onesIn[b];
    sum += sumIn[b];
    if (n === 0 || (n < outcomes / SHOWN_BINS && b < BINS - 1)) continue;
    shown.push({ examples: n, predicted: sum / n, observed: wilson(ones, n) });
    [n, ones, sum] = [0, 0, 0];
  }
  return shown;
}

function wilson(ones: number, n: number): Estimate {
  const value = ones / n;
  const centre = (value + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z * Math.sqrt((value * (1 - value)) / n + (Z * Z) / (4 * n * n))) / (1 + (Z * Z) / n);
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Whether probabilities still mean what they say: bets that outcomes follow other probabilities, moved on the logit or stretched. If the
 * model's are right, the chance that the mean of all bets ever reaches 1/α is at most α (Ville's inequality). Plain data.
 */
export type Wealth = number[];

/** Moves and stretches of the logit that are bet on. */
const BETS: readonly (readonly [stretch: number, move: number])[] = [
  [1, 0.3],
  [1, -0.3],
  [1, 0.8],
  [1, -0.8],
  [0.7, 0],
  [0.3, 0],
  [1.4, 0],
];
const MAX_WEALTH = 1e100;
/** Of each of a model's objects, which watch by themselves: together .001. */
export const PERFORMANCE_ALPHA = 0.001 / PREDICTION_SHARDS;

/** Before the first bet. */
export function openWealth(): Wealth {
  return BETS.map(() => 1);
}

/** One outcome more. Returns the mean of all bets. */
export function betOn(wealth: Wealth, probability: number, label: 0 | 1, { log, exp }: Functions): number {
  const p = Math.min(1 - MIN_PROBABILITY, Math.max(MIN_PROBABILITY, probability));
  const z = log(p) - log(1 - p);
  BETS.forEach(([stretch, move], i) => {
    const q = 1 / (1 + exp(-(stretch * z + move)));
    wealth[i] = Math.min(MAX_WEALTH, wealth[i] * (label === 1 ? q / p : (1 - q) / (1 - p)));
  });
  return evidenceOf(wealth);
}

/** The mean of all bets. */
export function evidenceOf(wealth: Wealth): number {
  return wealth.reduce((sum, one) => sum + one, 0) / wealth.length;
}
