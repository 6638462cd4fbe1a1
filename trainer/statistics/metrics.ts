// Figures on labelled probabilities, as scikit-learn defines them. Knows no model and no file.
import type { Metrics } from "../../shared/model.ts";
import { drawWeights, Spread, Z95 } from "./intervals.ts";
import { crossEntropy, entropy, logLossOf, meanEntropy } from "./log-loss.ts";
import type { Random } from "./random.ts";
import { BINS } from "./reliability.ts";

/** Examples in ascending order of score. */
interface Ranked {
  /** (N) where each stood before. */
  readonly order: Int32Array;
  /** (N) */
  readonly scores: Float64Array;
  /** (N) 0 or 1 */
  readonly labels: Uint8Array;
  /** Where each run of equal scores ends, ascending; the last is N. */
  readonly runEnds: Int32Array;
}

/**
 * Figures of `probabilities` (N) for label 1 on `labels` (N, 0 or 1). Label 1 is predicted from 0.5 on.
 * Log loss: mean, unweighted, in nats. `auc`: ties count one half. `prAuc`: average precision, Σ (Rₖ − Rₖ₋₁) Pₖ over distinct scores.
 * `ece`: Σ_b (n_b / N) |mean p − positive rate| over 15 bins of equal mass, cut at the scores of rank ⌈bN/15⌉, equal scores in one bin.
 * Throws RangeError when there is nothing to measure.
 */
export function computeMetrics(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Metrics {
  const ranked = rank(labels, probabilities);
  const N = labels.length;
  let positives = 0;
  let loss = 0;
  let hits = 0;
  let squares = 0;
  for (let i = 0; i < N; i++) {
    const p = ranked.scores[i];
    const y = ranked.labels[i];
    positives += y;
    loss += logLossOf(y, p);
    hits += hit(y, p);
    squares += (p - y) * (p - y);
  }
  const positiveRate = positives / N;
  const once = new Int32Array(N).fill(1);
  const areas = computeAreas(ranked, once);
  return {
    examples: N,
    positiveRate,
    logLoss: loss / N,
    baseRateLogLoss: entropy(positiveRate),
    accuracy: hits / N,
    majorityAccuracy: Math.max(positiveRate, 1 - positiveRate),
    auc: areas?.auc ?? null,
    prAuc: areas?.prAuc ?? null,
    brier: squares / N,
    ece: calibrationError(ranked, once),
  };
}

export type Intervals = Readonly<Partial<Record<"logLoss" | "accuracy" | "brier" | "auc" | "prAuc" | "ece", number>>>;

/**
 * Half-widths of 95 % intervals: 1.96 standard deviations over `resamples` bootstrap samples. At 200 resamples that is known to
 * 5 %, the half-distance of the outer percentiles to 7 %. Areas are left out when a class is missing. With a `gap` the examples
 * are in the order of time and share rows with those closer than it: they are drawn in blocks. That of the calibration error is
 * up to a third too wide (measured) where probabilities are honest: resampling adds its own noise to a figure that is all noise.
 */
export function bootstrapIntervals(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  random: Random,
  resamples: number,
  gap: number,
): Intervals {
  const ranked = rank(labels, probabilities);
  const N = labels.length;
  const losses = ranked.scores.map((p, i) => logLossOf(ranked.labels[i], p));
  const drawn = new Int32Array(N); // how often each example was drawn, in the given order and in the order of score
  const weights = new Int32Array(N);
  const names = ["logLoss", "accuracy", "brier", "auc", "prAuc", "ece"] as const;
  const spreads = Object.fromEntries(names.map((name) => [name, new Spread()])) as Record<(typeof names)[number], Spread>;
  for (let r = 0; r < resamples; r++) {
    drawWeights(drawn, random, gap);
    let loss = 0;
    let hits = 0;
    let squares = 0;
    for (let i = 0; i < N; i++) {
      const w = drawn[ranked.order[i]];
      const p = ranked.scores[i];
      const y = ranked.labels[i];
      weights[i] = w;
      loss += w * losses[i];
      hits += w * hit(y, p);
      squares += w * (p - y) * (p - y);
    }
    spreads.logLoss.add(loss / N);
    spreads.accuracy.add(hits / N);
    spreads.brier.add(squares / N);
    spreads.ece.add(calibrationError(ranked, weights));
    const areas = computeAreas(ranked, weights);
    if (areas === null) continue; // a class was not drawn
    spreads.auc.add(areas.auc);
    spreads.prAuc.add(areas.prAuc);
  }
  return Object.fromEntries(
    Object.entries(spreads)
      .filter(([, spread]) => spread.count > 1)
      .map(([name, spread]) => [name, Z95 * spread.standardDeviation()]),
  );
}

/** AUC of any finite scores, ties one half; null when a class is missing. */
export function areaUnderRoc(labels: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  return computeAreas(rank(labels, scores), new Int32Array(labels.length).fill(1))?.auc ?? null;
}

/**
 * The share of what can be learnt that predictions `q` (N) have learnt, given the true probabilities `p` (N):
 * 1 − mean KL(p‖q) / (H(mean p) − mean H(p)). 1 when q is p, 0 when q is the base rate, below 0 when it is worse. NaN when p is constant.
 */
export function recoveredInformation(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const N = p.length;
  let divergence = 0;
  let sum = 0;
  let varies = false;
  for (let i = 0; i < N; i++) {
    divergence += crossEntropy(p[i], q[i]) - entropy(p[i]);
    sum += p[i];
    varies ||= p[i] !== p[0];
  }
  return varies ? 1 - divergence / N / (entropy(sum / N) - meanEntropy(p)) : Number.NaN;
}

function hit(label: number, p: number): 0 | 1 {
  return p >= 0.5 === (label === 1) ? 1 : 0;
}

function rank(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Ranked {
  const N = labels.length;
  if (N === 0 || probabilities.length !== N) throw new RangeError(`got ${N} labels and ${probabilities.length} probabilities`);
  const order = new Int32Array(N).map((_, i) => i).sort((i, j) => probabilities[i] - probabilities[j]);
  const scores = Float64Array.from(order, (i) => probabilities[i]);
  const ends: number[] = [];
  for (let i = 1; i <= N; i++) if (i === N || scores[i] !== scores[i - 1]) ends.push(i);
  return { order, scores, labels: Uint8Array.from(order, (i) => labels[i]), runEnds: Int32Array.from(ends) };
}

/** Both areas with example i counted `weights[i]` times; null when a class has no weight. Sums are whole numbers, hence exact. */
function computeAreas({ labels, runEnds }: Ranked, weights: Int32Array): { auc: number; prAuc: number } | null {
  let truePositives = 0;
  let falsePositives = 0;
  let pairs = 0; // twice the pairs in which the positive scores higher, ties once
  let precisionSum = 0;
  for (let run = runEnds.length - 1; run >= 0; run--) {
    let positives = 0;
    let total = 0;
    for (let i = run === 0 ? 0 : runEnds[run - 1]; i < runEnds[run]; i++) {
      total += weights[i];
      positives += weights[i] * labels[i];
    }
    if (total === 0) continue;
    pairs += (total - positives) * (2 * truePositives + positives);
    truePositives += positives;
    falsePositives += total - positives;
    precisionSum += (positives * truePositives) / (truePositives + falsePositives);
  }
  if (truePositives === 0 || falsePositives === 0) return null;
  return { auc: pairs / (2 * truePositives * falsePositives), prAuc: precisionSum / truePositives };
}

/** With example i counted `weights[i]` times; the bins are cut anew, at equal mass. */
function calibrationError({ scores, labels, runEnds }: Ranked, weights: Int32Array): number {
  const N = scores.length;
  let sum = 0;
  let excess = 0;
  let passed = 0;
  let cut = Math.ceil(N / BINS);
  for (let run = 0, i = 0; run < runEnds.length; run++) {
    for (; i < runEnds[run]; i++) {
      excess += weights[i] * (scores[i] - labels[i]);
      passed += weights[i];
    }
    if (passed < cut) continue;
    sum += Math.abs(excess);
    excess = 0;
    for (let b = 1; cut <= passed && cut < N; b++) cut = Math.ceil((b * N) / BINS);
  }
  return sum / N;
}
