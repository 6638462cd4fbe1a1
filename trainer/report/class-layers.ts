// How the two classes look in a histogram, the same in every figure.
import { BLUE, ORANGE } from "../html/palette.ts";
import type { Layer } from "../html/plot.ts";
import type { ClassHistogram } from "./histogram.ts";

/** Each class in percent of its own total; all 0 where it has none. */
export function classShares({ counts }: ClassHistogram): [zeros: number[], ones: number[]] {
  const [zeros, ones] = counts.map((of) => {
    const total = of.reduce((sum, n) => sum + n, 0);
    return of.map((n) => (total === 0 ? 0 : (100 * n) / total));
  });
  return [zeros, ones];
}

/** Label 0 as a filled blue outline, label 1 as an orange one: steps, each class in shares of its own total. */
export function classLayers(histogram: ClassHistogram): Layer[] {
  const { edges } = histogram;
  return classShares(histogram).map((shares, label): Layer => {
    const color = label === 0 ? BLUE.light : ORANGE.light;
    const outline = shares.flatMap((y, b) => [
      { x: edges[b], y },
      { x: edges[b + 1], y },
    ]);
    const closed = [{ x: edges[0], y: 0 }, ...outline, { x: edges[edges.length - 1], y: 0 }];
    return {
      mark: {
        type: "line",
        stroke: color,
        strokeWidth: label === 0 ? 1.2 : 1.8,
        strokeJoin: "miter",
        fill: color,
        fillOpacity: label === 0 ? 0.28 : 0.16,
      },
      data: closed,
    };
  });
}

/** The highest bin of either class, in percent; never 0. */
export function highestShare(histogram: ClassHistogram): number {
  return Math.max(...classShares(histogram).flat(), Number.MIN_VALUE);
}
