import { expect, test } from "vitest";
import { comparePairs, holm, type Losses } from "../../../trainer/diagnosis/paired-bootstrap.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const M = 1200;
/** Differences of mean exactly 0 and standard deviation exactly 0.1. */
const noise = Float64Array.from({ length: M }, (_, i) => (i % 2 === 0 ? 0.1 : -0.1));
const STANDARD_ERROR = 0.1 / Math.sqrt(M);
const asLosses = (all: Float64Array): Losses => ({
  losses: all,
  seeds: [0, 1].map((seed) => all.map((x, i) => (Math.floor(i / 2) % 2 === seed ? x : Number.NaN))),
});
const before = asLosses(new Float64Array(M).fill(0.6));
const betterBy = (errors: number): Losses => asLosses(noise.map((x) => 0.6 + x - errors * STANDARD_ERROR));
const alone = Int32Array.from({ length: M }, (_, i) => i);

test("three standard errors are beyond chance and half a one is not; the interval has its textbook width", () => {
  const [large, small] = comparePairs(
    [
      [before, betterBy(3)],
      [before, betterBy(0.5)],
    ],
    alone,
    createRandom(1),
  );
  expect(large.mean).toBeCloseTo(3 * STANDARD_ERROR, 10);
  expect(large.seeds).toEqual([expect.closeTo(large.mean, 10), expect.closeTo(large.mean, 10)]);
  expect(large.p).toBeLessThan(0.01); // 0.0027 by the normal distribution, resampled 2,000 times
  expect(small.p).toBeGreaterThan(0.4); // 0.62
  expect((large.interval[1] - large.interval[0]) / STANDARD_ERROR).toBeCloseTo(2 * 1.96, 0);
});

test("sequences that are the same one ten times over count once", () => {
  const tenfold = asLosses(
    Float64Array.from({ length: M }, (_, i) => 0.6 + (Math.floor(i / 10) % 2 === 0 ? 0.1 : -0.1) - 3 * STANDARD_ERROR),
  );
  const blocks = alone.map((i) => Math.floor(i / 10));
  const [[blind], [aware]] = [alone, blocks].map((drawn) => comparePairs([[before, tenfold]], drawn, createRandom(1)));
  expect(blind.p).toBeLessThan(0.01);
  expect(aware.p).toBeGreaterThan(0.2); // 3/√10 standard errors: 0.34
});

test("what was not held out is passed over", () => {
  const partly = asLosses(betterBy(3).losses.map((x, i) => (i < 600 ? x : Number.NaN)));
  const [{ mean, p }] = comparePairs([[before, partly]], alone, createRandom(1));
  expect(mean).toBeCloseTo(3 * STANDARD_ERROR, 10);
  expect(p).toBeLessThan(0.05);
});

test("Holm: the smallest of m p-values must stand at 1/m of the level, and the first that falls takes the larger ones along", () => {
  expect(holm([0.01, 0.04, 0.03], 0.05)).toEqual([true, false, false]);
  expect(holm([0.01, 0.04, 0.02], 0.05)).toEqual([true, true, true]);
  expect(holm([0.02], 0.05)).toEqual([true]);
});
