// What labelled probabilities look like when they are ranked: curves. Knows no model and draws nothing. Legend: N sequences.

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

function rankDescending(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, n) => n).sort((a, b) => scores[b] - scores[a] || a - b);
}
