// What is kept of a model whose gain over the base rate may be chance.
import { expect, test } from "vitest";
import { chooseShare, shrinkCalibration } from "../../../trainer/statistics/shrinkage.ts";

test("what is beyond doubt is kept, what may be chance is not, and something always is", () => {
  const shareAt = (t: number): number => chooseShare({ mean: t * 0.01, standardError: 0.01 });
  expect(shareAt(5)).toBeCloseTo(0.9936, 10);
  expect(shareAt(3)).toBeCloseTo(1 - 4 / 81, 10);
  expect(shareAt(2)).toBeCloseTo(0.75, 10);
  expect(shareAt(1.4)).toBe(0.05);
  for (const t of [1, 0, -3]) expect(shareAt(t)).toBe(0.05);
});

test("a gain without any error is kept whole, one whose error nobody knows is not", () => {
  expect(chooseShare({ mean: 0.1, standardError: 0 })).toBe(1);
  expect(chooseShare({ mean: 0.1, standardError: Number.POSITIVE_INFINITY })).toBe(0.05);
  expect(chooseShare({ mean: Number.NaN, standardError: 0 })).toBe(0.05);
});

test("a shrunk logit lies between the base rate's and the calibrated one", () => {
  const { slope, intercept } = shrinkCalibration({ slope: 1.2, intercept: 0.1 }, 0.25, -2);
  for (const z of [-3, 0, 4]) expect(slope * z + intercept).toBeCloseTo(-2 + 0.25 * (1.2 * z + 0.1 + 2), 12);
});
