// Metrics of labelled probabilities, as scikit-learn defines them, and how far each could be off. Knows no model and no file.
// Legend: N sequences.
import type { Metrics } from "../../shared/model.ts";
import { drawWeights, Spread, Z95 } from "./intervals.ts";
import { crossEntropy, entropy, logLossOf, meanEntropy } from "./log-loss.ts";
import type { Random } from "./random.ts";
import { equalMassBins, type Ranked, rank } from "./ranking.ts";
import { BINS } from "./reliability.ts";

/**
 * The metrics of `probabilities` (N) of label 1 on `labels` (N, 0 to 1), as scikit-learn defines them; label 1 is predicted from
 * 0.5 on. A soft label y counts as y of a 1 and 1 − y of a 0, as scikit-learn's `sample_weight` has it. Throws RangeError for no sequences, or for two lengths. A metric that needs both labels is null where one is missing.
 *
 * | metric | definition |
 * |---|---|
 * | `logLoss` | `log_loss`: mean, unweighted, in nats |
 * | `baseRateLogLoss` | entropy of these labels' positive rate |
 * | `accuracy`, `majorityAccuracy` | `accuracy_score`, of the model and of always saying the more frequent label |
 * | `auc` | `roc_auc_score`: ties count one half |
 * | `prAuc` | `average_precision_score`: Σ (Rₖ − Rₖ₋₁) Pₖ over distinct scores |
 * | `brier` | `brier_score_loss`: mean (p − y)² |
 * | `ece` | expected calibration error Σ_b (n_b / N) · abs(mean p − positive rate) (Naeini, Cooper & Hauskrecht 2015), over 15 bins of equal mass |
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
    squares += squareOf(y, p);
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

/** Half-widths of 95 % intervals; those that could not be had are left out. */
export type Intervals = Readonly<Partial<Record<"logLoss" | "accuracy" | "brier" | "auc" | "prAuc" | "ece", number>>>;

/**
 * Half-widths of 95 % intervals of the metrics of `labels` and `probabilities` (N): 1.96 standard deviations over `resamples`
 * bootstrap samples (Efron 1979). At 200 resamples that is known to 5 %, the half-distance of the outer percentiles to 7 %. Areas
 * are left out when a class is missing. With a `gap` the sequences are in the order of time and share rows with those closer than
 * it: they are drawn in blocks. The interval of the calibration error is up to a third too wide (measured) where probabilities
 * are honest: resampling adds its own noise to a metric that is all noise. Throws RangeError as computeMetrics does.
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
      squares += w * squareOf(y, p);
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

/** `roc_auc_score` of any finite scores (N) on labels (N, 0 to 1), ties one half; null when a class is missing. Throws RangeError as computeMetrics does. */
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

function hit(label: number, p: number): number {
  return p >= 0.5 ? label : 1 - label;
}

/** The squared distance to the label; of a soft label y, that to a 1, counted y, and that to a 0, counted 1 − y. */
function squareOf(label: number, p: number): number {
  return label === 0 || label === 1 ? (p - label) * (p - label) : label * (1 - p) * (1 - p) + (1 - label) * p * p;
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
function calibrationError(ranked: Ranked, weights: Int32Array): number {
  const { scores, labels } = ranked;
  let sum = 0;
  let i = 0;
  for (const end of equalMassBins(ranked, weights, BINS)) {
    let excess = 0;
    for (; i < end; i++) excess += weights[i] * (scores[i] - labels[i]);
    sum += Math.abs(excess);
  }
  return sum / scores.length;
}
