// What labelled probabilities look like when they are ranked: curves, bins of equal mass, decisions at thresholds.
// Knows no model and draws nothing. Legend: N sequences.

/** At a threshold: how many positives and negatives score at or above it. */
export interface Cut {
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** One cut a distinct score, from the highest down; the last takes all. */
export function cutAtEachScore(labels: ArrayLike<number>, scores: ArrayLike<number>): Cut[] {
  const order = rankDescending(scores);
  const cuts: Cut[] = [];
  let truePositives = 0;
  order.forEach((n, k) => {
    truePositives += labels[n];
    if (k + 1 === order.length || scores[order[k + 1]] !== scores[n]) cuts.push({ truePositives, falsePositives: k + 1 - truePositives });
  });
  return cuts;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** False positive rate against recall, from (0,0); empty when a class is missing. */
export function rocCurve(cuts: readonly Cut[]): Point[] {
  const { truePositives: P, falsePositives: N } = cuts[cuts.length - 1];
  if (P === 0 || N === 0) return [];
  return [{ x: 0, y: 0 }, ...cuts.map((cut) => ({ x: cut.falsePositives / N, y: cut.truePositives / P }))];
}

/** Recall against precision; Σ (xₖ − xₖ₋₁) yₖ is the average precision. Empty when a class is missing. */
export function precisionRecallCurve(cuts: readonly Cut[]): Point[] {
  const { truePositives: P, falsePositives: N } = cuts[cuts.length - 1];
  if (P === 0 || N === 0) return [];
  return cuts.map(({ truePositives, falsePositives }) => ({ x: truePositives / P, y: truePositives / (truePositives + falsePositives) }));
}

/** The curve without the points that lie within 1/300 of the last kept one in both directions: less than a printed dot. */
export function thin(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  points.forEach((point, i) => {
    const last = kept[kept.length - 1];
    const isFar = last === undefined || Math.abs(point.x - last.x) > 1 / 300 || Math.abs(point.y - last.y) > 1 / 300;
    if (isFar || i === points.length - 1) kept.push(point);
  });
  return kept;
}

export interface ReliabilityBin {
  readonly examples: number;
  /** Mean predicted probability. */
  readonly predicted: number;
  /** Share of positives, with its 95 % interval. */
  readonly observed: number;
  readonly interval: readonly [number, number];
}

/** As many as the calibration error of ../metrics.ts has, cut at the same places: the diagram shows what the figure sums. */
const RELIABILITY_BINS = 15;

/** Bins of equal mass in ascending order, equal scores in one bin. */
export function reliabilityBins(labels: ArrayLike<number>, probabilities: ArrayLike<number>): ReliabilityBin[] {
  const order = rankDescending(probabilities).reverse();
  const N = order.length;
  const bins: ReliabilityBin[] = [];
  let start = 0;
  for (let b = 1; b <= RELIABILITY_BINS; b++) {
    let end = Math.max(start, Math.ceil((b * N) / RELIABILITY_BINS));
    while (end < N && end > 0 && probabilities[order[end]] === probabilities[order[end - 1]]) end++;
    if (end === start) continue;
    const members = order.slice(start, end);
    const examples = members.length;
    const positives = members.reduce((sum, n) => sum + labels[n], 0);
    const predicted = members.reduce((sum, n) => sum + probabilities[n], 0) / examples;
    bins.push({ examples, predicted, observed: positives / examples, interval: wilsonInterval(positives, examples) });
    start = end;
  }
  return bins;
}

/** Normal quantile of a two-sided 95 % interval. */
const Z = 1.959963984540054;

/** 95 % interval of a share of `successes` in `trials` (Wilson 1927). [0, 1] without trials. */
export function wilsonInterval(successes: number, trials: number): [low: number, high: number] {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const centre = share + (Z * Z) / (2 * trials);
  const half = Z * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  const scale = 1 + (Z * Z) / trials;
  // At the ends the formula gives 0 and 1 only up to rounding.
  return [successes === 0 ? 0 : Math.max(0, (centre - half) / scale), successes === trials ? 1 : Math.min(1, (centre + half) / scale)];
}

/** A share of counted sequences with its 95 % interval; null where nothing was counted. */
export interface Share {
  readonly value: number;
  readonly interval: readonly [number, number];
}

export function shareOf(part: number, whole: number): Share | null {
  return whole === 0 ? null : { value: part / whole, interval: wilsonInterval(part, whole) };
}

function rankDescending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, n) => n).sort((a, b) => scores[b] - scores[a] || a - b);
}
