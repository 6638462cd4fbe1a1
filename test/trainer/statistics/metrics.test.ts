import { describe, expect, test } from "vitest";
import type { Metrics } from "../../../shared/model.ts";
import { bootstrapIntervals, computeMetrics, recoveredInformation } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { METRICS_CASES } from "../../fixtures/metrics.ts";

/** Sums of up to 5,000 float64 in another order than numpy's pairwise one: below 1e-12 of the value. */
const TOLERANCE = 1e-12;

describe("computeMetrics gives scikit-learn's figures", () => {
  test.each(METRICS_CASES)("on $name", ({ labels, probabilities, expected }) => {
    const metrics = computeMetrics(labels, probabilities);
    for (const name of Object.keys(expected) as (keyof Metrics)[])
      expect(Math.abs(metrics[name]! - expected[name]!), name).toBeLessThanOrEqual(TOLERANCE * Math.max(1, expected[name]!));
    expect(Object.keys(metrics).sort()).toEqual(Object.keys(expected).sort());
  });
});

test("the order of the examples changes no figure beyond rounding, also among ties", () => {
  const { labels, probabilities } = METRICS_CASES.find(({ name }) => name.includes("rounded"))!;
  const forwards = computeMetrics(labels, probabilities);
  const backwards = computeMetrics(labels.toReversed(), probabilities.toReversed());
  for (const name of Object.keys(forwards) as (keyof Metrics)[]) expect(backwards[name]).toBeCloseTo(forwards[name]!, 12);
});

test("a certain miss costs a finite loss, the same for float32 and float64", () => {
  const certain = computeMetrics([0, 1], [1, 0]).logLoss;
  expect(certain).toBeCloseTo(52 * Math.LN2, 12);
  expect(computeMetrics([0, 1], Float32Array.of(1, 0)).logLoss).toBe(certain);
});

test("areas are null, not a number, when only one class is there", () => {
  expect(computeMetrics([1, 1], [0.2, 0.9])).toMatchObject({ auc: null, prAuc: null, baseRateLogLoss: 0, majorityAccuracy: 1 });
  expect(Object.keys(bootstrapIntervals([0, 0, 0], [0.1, 0.2, 0.3], createRandom(1), 20, 0))).toEqual([
    "logLoss",
    "accuracy",
    "brier",
    "ece",
  ]);
});

test("nothing to measure is an error", () => {
  expect(() => computeMetrics([], [])).toThrow("got 0 labels and 0 probabilities");
  expect(() => computeMetrics([1, 0], [0.5])).toThrow("got 2 labels and 1 probabilities");
});

/** Labels drawn from the probabilities sigmoid(normal − 1). */
function drawn(n: number, seed: number): { labels: Uint8Array; probabilities: Float64Array } {
  const random = createRandom(seed);
  const probabilities = new Float64Array(n).map(() => 1 / (1 + Math.exp(1 - random.normal())));
  return { probabilities, labels: Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0)) };
}

test("bootstrap intervals are as wide as figures spread between data sets", () => {
  const draws = Array.from({ length: 300 }, (_, seed) => drawn(1000, seed));
  const figures = draws.map(({ labels, probabilities }) => computeMetrics(labels, probabilities));
  const intervals = bootstrapIntervals(draws[0].labels, draws[0].probabilities, createRandom(1), 300, 0);
  for (const name of ["logLoss", "accuracy", "brier", "auc", "prAuc", "ece"] as const) {
    const values = figures.map((metrics) => metrics[name]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
    // Both sides are known to 1/√600 = 4 %, and one data set's own spread differs from the average by a few percent more.
    expect(intervals[name]! / (1.96 * spread), name).toBeGreaterThan(0.8);
    // Of honest probabilities the calibration error is nothing but noise, to which a resample adds its own: a third wider.
    expect(intervals[name]! / (1.96 * spread), name).toBeLessThan(name === "ece" ? 1.5 : 1.25);
  }
});

test("bootstrap intervals of means are 1.96 standard errors", () => {
  const { labels, probabilities } = drawn(2000, 9);
  const intervals = bootstrapIntervals(labels, probabilities, createRandom(1), 2000, 0);
  const standardError = (value: (p: number, y: number) => number): number => {
    const values = Array.from(probabilities, (p, i) => value(p, labels[i]));
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0)) / values.length;
  };
  const exact = {
    logLoss: 1.96 * standardError((p, y) => -Math.log(y === 1 ? p : 1 - p)),
    accuracy: 1.96 * standardError((p, y) => Number(p >= 0.5 === (y === 1))),
    brier: 1.96 * standardError((p, y) => (p - y) ** 2),
  };
  // 2,000 resamples know a standard deviation to 1.6 %: five times that
  for (const [name, value] of Object.entries(exact))
    expect(Math.abs(intervals[name as keyof typeof exact]! / value - 1), name).toBeLessThan(0.08);
});

test("bootstrap intervals depend on the seed alone", () => {
  const { labels, probabilities } = drawn(500, 3);
  const intervals = (seed: number) => bootstrapIntervals(labels, probabilities, createRandom(seed), 50, 0);
  expect(intervals(1)).toEqual(intervals(1));
  expect(intervals(1)).not.toEqual(intervals(2));
});

describe("information", () => {
  test("the truth recovers everything, the base rate nothing, worse than it less than nothing", () => {
    const p = [0.1, 0.2, 0.4, 0.9];
    expect(recoveredInformation(p, p)).toBeCloseTo(1, 12);
    expect(recoveredInformation(p, [0.4, 0.4, 0.4, 0.4])).toBeCloseTo(0, 12);
    expect(recoveredInformation(p, [0.9, 0.9, 0.9, 0.1])).toBeLessThan(0);
    expect(recoveredInformation([0.3, 0.3], [0.3, 0.2])).toBeNaN();
  });

  test("half the logit recovers what the definition says", () => {
    const p = [0.2, 0.8];
    const q = [1 / 3, 2 / 3];
    const divergence = 0.2 * Math.log(0.2 / q[0]) + 0.8 * Math.log(0.8 / q[1]); // the same on both
    const learnable = Math.LN2 + 0.2 * Math.log(0.2) + 0.8 * Math.log(0.8);
    expect(recoveredInformation(p, q)).toBeCloseTo(1 - divergence / learnable, 12);
  });
});
