import { describe, expect, test } from "vitest";
import { countInBins, histogramOf } from "../../../trainer/report/histogram.ts";
import { precisionRecallCurve, rocCurve, thin } from "../../../trainer/report/ranking.ts";
import { confusionAtEachScore, rank } from "../../../trainer/statistics/ranking.ts";
import { METRICS_CASES } from "../../fixtures/metrics.ts";

describe("what is drawn has the figures of scikit-learn", () => {
  test.each(METRICS_CASES)("on $name", ({ labels, probabilities, expected }) => {
    const confusions = confusionAtEachScore(rank(labels, probabilities));
    const roc = rocCurve(confusions);
    const pr = precisionRecallCurve(confusions);
    if (expected.auc === null) {
      expect([roc, pr]).toEqual([[], []]);
    } else {
      const area = roc.slice(1).reduce((sum, { x, y }, i) => sum + ((x - roc[i].x) * (y + roc[i].y)) / 2, 0);
      expect(area).toBeCloseTo(expected.auc, 10);
      expect(pr.reduce((sum, { x, y }, i) => sum + (x - (i === 0 ? 0 : pr[i - 1].x)) * y, 0)).toBeCloseTo(expected.prAuc!, 10);
      expect(thin(roc)[0]).toEqual({ x: 0, y: 0 });
      expect(thin(roc).at(-1)).toEqual({ x: 1, y: 1 });
    }
  });
});

test("thinning moves no point of a curve farther than a printed dot", () => {
  const curve = Array.from({ length: 5000 }, (_, i) => ({ x: i / 4999, y: Math.sqrt(i / 4999) }));
  const kept = thin(curve);
  expect(kept.length).toBeLessThan(700);
  for (const { x, y } of curve) expect(kept.some((k) => Math.abs(k.x - x) <= 1 / 300 && Math.abs(k.y - y) <= 1 / 300)).toBe(true);
});

describe("bins", () => {
  const spread = (values: number[], labels = values.map((_, i) => i % 2)) =>
    histogramOf(Float64Array.from(values), Uint8Array.from(labels), Float64Array.from(values).toSorted());

  test("few whole values get a bin each", () => {
    const { edges, counts, beyond } = spread([1, 2, 2, 5]);
    expect(edges).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
    expect(counts).toEqual([
      [1, 1, 0, 0, 0],
      [0, 1, 0, 0, 1],
    ]);
    expect(beyond).toBe(0);
  });

  test("long tails are left out and counted", () => {
    const { edges, counts, beyond } = spread([...Array.from({ length: 999 }, (_, i) => i / 7), 1e9]);
    expect(edges.at(-1)).toBeLessThan(143);
    expect(counts.flat().reduce((sum, n) => sum + n, 0) + beyond).toBe(1000);
    expect(beyond).toBeLessThan(12);
  });

  test("both ends of the range belong to it", () => {
    expect(countInBins([0, 1], [0, 1], [0, 1], 2).counts).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test("a constant has one bin", () => {
    expect(spread([0.1, 0.1, 0.1]).counts).toEqual([[2], [1]]);
  });
});
