// Labelled scores in order, and what follows from the order alone: bins of equal mass, and the confusion at each threshold.
// Legend: N sequences.
import { countOnes, type Labels } from "./labels.ts";

/** Sequences in ascending order of score; equal scores stay in the order they came in. */
export interface Ranked {
  /** (N) where each stood before. */
  readonly order: Int32Array;
  /** (N) ascending. */
  readonly scores: Float64Array;
  /** (N) */
  readonly labels: Labels;
  /** Where each run of equal scores ends, ascending; the last is N. */
  readonly runEnds: Int32Array;
}

/** Labels (N, 0 to 1) and scores (N, finite) in ascending order of score. Throws RangeError for none, or for two lengths. */
export function rank(labels: ArrayLike<number>, scores: ArrayLike<number>): Ranked {
  const N = labels.length;
  if (N === 0 || scores.length !== N) throw new RangeError(`got ${N} labels and ${scores.length} probabilities`);
  const order = new Int32Array(N).map((_, i) => i).sort((i, j) => scores[i] - scores[j]); // stable (ECMAScript 2019)
  const sorted = Float64Array.from(order, (i) => scores[i]);
  const at = (i: number): number => labels[i];
  const ends: number[] = [];
  for (let i = 1; i <= N; i++) if (i === N || sorted[i] !== sorted[i - 1]) ends.push(i);
  return {
    order,
    scores: sorted,
    labels: labels instanceof Float64Array ? Float64Array.from(order, at) : Uint8Array.from(order, at),
    runEnds: Int32Array.from(ends),
  };
}

/**
 * Bins of equal mass (Nixon et al. 2019, "adaptive calibration error"), cut at ranks ⌈b·N/count⌉, b = 1 … `count`, of `weights`
 * (N) that sum to N and say how often each ranked sequence counts. Equal scores share a bin, so that there may be fewer. Returns
 * where each bin ends among the ranked, ascending; what lies behind the last has no weight.
 */
export function equalMassBins({ runEnds }: Pick<Ranked, "runEnds">, weights: ArrayLike<number>, count: number): number[] {
  const N = runEnds[runEnds.length - 1];
  const ends: number[] = [];
  let passed = 0;
  let cut = Math.ceil(N / count);
  for (let run = 0, i = 0; run < runEnds.length && passed < N; run++) {
    for (; i < runEnds[run]; i++) passed += weights[i];
    if (passed < cut) continue;
    ends.push(i);
    for (let b = 1; cut <= passed && cut < N; b++) cut = Math.ceil((b * N) / count);
  }
  return ends;
}

/** How many of each label were labelled how; a soft label y is y of a 1 and 1 − y of a 0. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** The confusion where label 1 is predicted from `threshold` on. */
export interface ThresholdConfusion extends Confusion {
  readonly threshold: number;
}

/** The confusion where label 1 is predicted from `threshold` on, of labels (N, 0 to 1) and scores (N). */
export function confusionAt(threshold: number, labels: ArrayLike<number>, scores: ArrayLike<number>): Confusion {
  const counts = [0, 0, 0, 0]; // by 2 · label + predicted label
  for (let n = 0; n < labels.length; n++) {
    const isPredicted = scores[n] >= threshold ? 1 : 0;
    counts[isPredicted] += 1 - labels[n];
    counts[2 + isPredicted] += labels[n];
  }
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts;
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}

/** The confusion at every distinct score as threshold, the highest first; at the last all are labelled 1. As sklearn.metrics.roc_curve counts. */
export function confusionAtEachScore({ scores, labels, runEnds }: Ranked): ThresholdConfusion[] {
  const N = labels.length;
  const positives = countOnes(labels);
  const confusions: ThresholdConfusion[] = [];
  let truePositives = 0;
  for (let run = runEnds.length - 1; run >= 0; run--) {
    const start = run === 0 ? 0 : runEnds[run - 1];
    for (let i = start; i < runEnds[run]; i++) truePositives += labels[i];
    const falsePositives = N - start - truePositives;
    const falseNegatives = positives - truePositives;
    confusions.push({
      threshold: scores[start],
      truePositives,
      falsePositives,
      falseNegatives,
      trueNegatives: N - positives - falsePositives,
    });
  }
  return confusions;
}
