// Curves over all thresholds. Knows no model and draws nothing.
import type { Confusion } from "../statistics/ranking.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** False positive rate against recall, from (0,0); empty when a class is missing. */
export function rocCurve(confusions: readonly Confusion[]): Point[] {
  const { truePositives: P, falsePositives: N } = confusions[confusions.length - 1];
  if (P === 0 || N === 0) return [];
  return [{ x: 0, y: 0 }, ...confusions.map((at) => ({ x: at.falsePositives / N, y: at.truePositives / P }))];
}

/** Recall against precision; Σ (xₖ − xₖ₋₁) yₖ is the average precision. Empty when a class is missing. */
export function precisionRecallCurve(confusions: readonly Confusion[]): Point[] {
  const { truePositives: P, falsePositives: N } = confusions[confusions.length - 1];
  if (P === 0 || N === 0) return [];
  return confusions.map(({ truePositives, falsePositives }) => ({
    x: truePositives / P,
    y: truePositives / (truePositives + falsePositives),
  }));
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
