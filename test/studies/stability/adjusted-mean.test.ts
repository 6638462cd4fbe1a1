import { expect, test } from "vitest";
import { adjustedMean } from "./adjusted-mean.ts";

// numpy: A = np.c_[np.ones(5), x]; b = np.linalg.lstsq(A, y)[0]; r = y - A @ b; C = r @ r / 3 * np.linalg.inv(A.T @ A); b[0], C[0, 0] ** .5
// with y = [.93, .91, 1.18, 1.03, .85], x = [-.09, .07, -.12, .05, .13]
test("is the line's value where luck is 0, with least squares' standard error", () => {
  const { mean, standardError } = adjustedMean([0.93, 0.91, 1.18, 1.03, 0.85], [-0.09, 0.07, -0.12, 0.05, 0.13]);
  expect(mean).toBeCloseTo(0.98667814, 8);
  expect(standardError).toBeCloseTo(0.04806102, 8);
});

test("of figures that luck decides alone it is exact", () => {
  const { mean, standardError } = adjustedMean([1.1, 0.9, 0.7], [-0.1, 0.1, 0.3]);
  expect(mean).toBeCloseTo(1, 12);
  expect(standardError).toBeCloseTo(0, 12);
});
