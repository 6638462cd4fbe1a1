// What is read off losses of one test part: two models' difference and its clustered standard error, the calibration slope, and
// geometric means over sets. Pure. Legend: N sequences.
import type { MeanWithError } from "../../../trainer/statistics/descriptive.ts";
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { logitOf, logLossOfLogit } from "../../../trainer/statistics/log-loss.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { coxSlope } from "../quality/calibration-slopes.ts";

/** Logits beyond separate the labels; a slope there says nothing. */
const MAX_SLOPE = 20;

/** (N) losses of logits. */
export function lossesOf(labels: ArrayLike<number>, logits: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: labels.length }, (_, n) => logLossOfLogit(labels[n], logits[n]));
}

/**
 * The mean of `ours − theirs`, losses (N) of the same sequences, and its standard error where sequences of one cluster are not
 * independent: √(C/(C−1) Σ_c (Σ_{n∈c} (d_n − mean))²) / N over C clusters (Liang & Zeger 1986).
 */
export function clusteredDifference(ours: Float64Array, theirs: Float64Array, clusters: ArrayLike<number>): MeanWithError {
  const differences = ours.map((loss, n) => loss - theirs[n]);
  const average = mean(differences);
  const sums = new Map<number, number>();
  for (let n = 0; n < differences.length; n++) sums.set(clusters[n], (sums.get(clusters[n]) ?? 0) + differences[n] - average);
  const squares = [...sums.values()].reduce((sum, x) => sum + x * x, 0);
  const C = sums.size;
  return { mean: average, standardError: Math.sqrt((squares * C) / Math.max(1, C - 1)) / differences.length };
}

/** Ways of halving a test part, over which is averaged. */
const HALVINGS = 20;
/** Of which clusters lie in a half. */
const HALVING_SEED = 1;

/**
 * (N) losses of whoever has the lowest loss on the other half of the clusters: a choice that a user could have made, with half of the test
 * part to choose by. The best on the sequences that it is judged by is luck, in part. Means over HALVINGS ways of halving; two clusters at least.
 */
export function lossesOfChosen(peers: readonly Float64Array[], clusters: ArrayLike<number>): Float64Array {
  const numbers = new Map([...new Set(Array.from(clusters))].map((cluster, c) => [cluster, c]));
  const order = Int32Array.from(numbers.values());
  const random = createRandom(HALVING_SEED);
  const losses = new Float64Array(clusters.length);
  const rows = Int32Array.from(losses.keys());
  const sum = (values: Float64Array, rows: Int32Array): number => rows.reduce((total, n) => total + values[n], 0);
  for (let halving = 0; halving < HALVINGS; halving++) {
    random.shuffle(order);
    const place = Int32Array.from(order.keys());
    order.forEach((cluster, at) => {
      place[cluster] = at;
    });
    const isFirst = (n: number): boolean => 2 * place[numbers.get(clusters[n])!] < order.length;
    const halves = [rows.filter(isFirst), rows.filter((n) => !isFirst(n))];
    halves.forEach((half, h) => {
      const chosen = peers.reduce((best, own) => (sum(own, halves[1 - h]) < sum(best, halves[1 - h]) ? own : best));
      for (const n of half) losses[n] += chosen[n] / HALVINGS;
    });
  }
  return losses;
}

/** The slope of the logistic regression of labels on logits (Cox 1958): 1 is calibrated. Null where logits separate the labels. */
export function calibrationSlope(labels: ArrayLike<number>, probabilities: ArrayLike<number>): number | null {
  const slope = coxSlope(Array.from(probabilities, logitOf), labels);
  return slope > 0 && slope < MAX_SLOPE ? slope : null;
}

/** Below it both models are certain of nearly all, and the ratio of two such losses says nothing. Nats. */
const LOSS_FLOOR = 0.02;

/** Our log loss over theirs, both at least 0.02. */
export function lossRatio(ours: number, theirs: number): number {
  return Math.max(LOSS_FLOOR, ours) / Math.max(LOSS_FLOOR, theirs);
}

/** NaN of none. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(mean(ratios.map(Math.log)));
}
