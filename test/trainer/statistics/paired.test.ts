import { describe, expect, test } from "vitest";
import { exceedsNoise, pairedGain } from "../../../trainer/statistics/paired.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

test("the gain is the mean of before − after, its error that of independent pairs where there is no gap", () => {
  // Differences 1, 2, 3, 6: mean 3, variance 14/3.
  const { mean, standardError } = pairedGain(Float64Array.of(2, 4, 6, 8), Float64Array.of(1, 2, 3, 2), 0);
  expect(mean).toBe(3);
  expect(standardError).toBeCloseTo(Math.sqrt(14 / 3 / 4), 15);
});

test("with a gap the error is that of means over blocks twice as long, the last of them shorter", () => {
  // Blocks of two gaps: means of (1, 3), (5, 7) and (9).
  const { mean, standardError } = pairedGain(Float64Array.of(1, 3, 5, 7, 9), new Float64Array(5), 1);
  expect(mean).toBeCloseTo((2 + 6 + 9) / 3, 15);
  expect(standardError).toBeCloseTo(Math.sqrt((2 - 17 / 3) ** 2 + (6 - 17 / 3) ** 2 + (9 - 17 / 3) ** 2) / Math.sqrt(6), 14);
});

describe("beyond noise", () => {
  const random = createRandom(1);
  const before = Float64Array.from({ length: 400 }, () => 1 + random.normal());
  const by = (gain: number): Float64Array => before.map((loss) => loss - gain - random.normal());

  test("a gain of many standard errors is, none is not, and a loss never", () => {
    expect(exceedsNoise(before, by(0.5), 0, 3)).toBe(true); // a standard error is 1/√400
    expect(exceedsNoise(before, before, 0)).toBe(false);
    expect(exceedsNoise(before, by(-0.5), 0)).toBe(false);
  });

  test("chance is beyond two standard errors once in 44 times", () => {
    const count = Array.from({ length: 2000 }, () => exceedsNoise(before, by(0), 0, 2)).filter(Boolean).length;
    expect(Math.abs(count - 2000 * 0.02275)).toBeLessThan(4 * Math.sqrt(2000 * 0.02275)); // four standard errors
  });
});
