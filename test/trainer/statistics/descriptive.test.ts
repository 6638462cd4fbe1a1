import { expect, test } from "vitest";
import { mean, meanWithError, median, quantile } from "../../../trainer/statistics/descriptive.ts";

test("the mean and its standard error: of 1, 2, 3, 6 the variance is 14/3", () => {
  expect(mean([1, 2, 3, 6])).toBe(3);
  const { mean: same, standardError } = meanWithError(Float64Array.of(1, 2, 3, 6));
  expect(same).toBe(3);
  expect(standardError).toBeCloseTo(Math.sqrt(14 / 3 / 4), 15);
  expect(meanWithError([5])).toEqual({ mean: 5, standardError: 0 });
  expect(mean([])).toBeNaN();
});

test("the median is the middle of the values as numbers, or the mean of the two in the middle", () => {
  expect(median([10, 9, 2])).toBe(9);
  expect(median([100, 9, 20, 1])).toBe(14.5);
  expect(median([])).toBeNaN();
});

test("a quantile is a value that occurred, the outermost at 0 and 1", () => {
  const sorted = [1, 2, 4, 8];
  expect([0, 0.3, 0.5, 0.9, 1].map((q) => quantile(sorted, q))).toEqual([1, 2, 4, 8, 8]);
});
