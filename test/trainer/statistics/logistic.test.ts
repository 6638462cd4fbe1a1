import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fitLogistic, flattenChannels } from "../../../trainer/statistics/logistic.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

interface Case {
  readonly name: string;
  readonly x: number[];
  readonly labels: number[];
  readonly l2: number;
  readonly weights: number[];
  readonly intercept: number;
  readonly probabilities: number[];
}

// Made by test/fixtures/logistic.py.
const cases: Case[] = JSON.parse(readFileSync(new URL("../../fixtures/logistic.json", import.meta.url), "utf8"));

/** scikit-learn stops at a gradient of about 1e-10, which leaves its coefficients good to 1e-9. */
const TOLERANCE = 1e-8;

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(expected, (value, i) => Math.abs(actual[i] - value)).reduce((a, b) => Math.max(a, b), 0);
}

describe("fitLogistic finds scikit-learn's coefficients", () => {
  test.each(cases)("for $name", ({ x, labels, l2, weights, intercept, probabilities }) => {
    const fitted = fitLogistic(Float64Array.from(x), labels, { l2 });
    expect(largestDifference(fitted.weights, weights)).toBeLessThan(TOLERANCE);
    expect(Math.abs(fitted.intercept - intercept)).toBeLessThan(TOLERANCE);
    expect(largestDifference(fitted.predict(Float64Array.from(x.slice(0, 5 * weights.length))), probabilities)).toBeLessThan(TOLERANCE);
  });
});

/** The gradient of the objective, written out: 0 at the optimum, whatever the size. */
function gradient(x: Float32Array, labels: Uint8Array, l2: number, weights: Float64Array, intercept: number): number[] {
  const D = weights.length;
  const sums = [...Array.from(weights, (weight) => l2 * weight), 0];
  for (let n = 0; n < labels.length; n++) {
    let z = intercept;
    for (let d = 0; d < D; d++) z += weights[d] * x[n * D + d];
    const excess = 1 / (1 + Math.exp(-z)) - labels[n];
    for (let d = 0; d < D; d++) sums[d] += excess * x[n * D + d];
    sums[D] += excess;
  }
  return sums;
}

// Numbers of columns around the blocking by four and two, numbers of rows around the blocks.
test.each([1, 2, 3, 4, 5, 7, 8, 13])("with %i columns the gradient vanishes, for float32 rows in any number", (D) => {
  const random = createRandom(D);
  for (const N of [60, 128, 129, 1000]) {
    const x = new Float32Array(N * D).map(() => random.normal());
    const labels = new Uint8Array(N).map((_, n) => (random.normal() + x[n * D] > 0.5 ? 1 : 0));
    const { weights, intercept } = fitLogistic(x, labels, { l2: 1 });
    expect(Math.max(...gradient(x, labels, 1, weights, intercept).map(Math.abs))).toBeLessThan(1e-7);
  }
});

test("converges where undamped Newton steps run away: one positive, far out, among 500", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed);
    const x = new Float32Array(500 * 3).map((_, i) => random.normal() * (i < 3 ? 30 : 1));
    const labels = new Uint8Array(500).fill(1, 0, 1);
    const { weights, intercept } = fitLogistic(x, labels, { l2: 1 });
    expect(Math.max(...gradient(x, labels, 1, weights, intercept).map(Math.abs))).toBeLessThan(1e-6);
  }
});

test("gives finite answers on columns whose size drowns the penalty, the same twice", () => {
  const random = createRandom(1);
  const x = new Float64Array(300 * 3);
  for (let n = 0; n < 300; n++) x.fill(1e9 * random.normal(), 3 * n, 3 * n + 2).fill(random.normal(), 3 * n + 2, 3 * n + 3);
  const labels = Uint8Array.from({ length: 300 }, (_, n) => (x[3 * n] / 1e9 + x[3 * n + 2] + random.normal() > 0 ? 1 : 0));
  const { predict } = fitLogistic(x, labels, { l2: 1 });
  const hits = predict(x).reduce((sum, p, n) => sum + (p >= 0.5 === (labels[n] === 1) ? 1 : 0), 0);
  expect(hits).toBeGreaterThan(200);
});

test("a single class is an error", () => {
  expect(() => fitLogistic(Float64Array.of(1, 2), [1, 1], { l2: 1 })).toThrow("needs both labels, got 2 examples of label 1");
});

test("flattenChannels puts the last step of every sequence in the same columns, with zeros in front", () => {
  // Two channels, three steps; what lies behind the length is not data.
  const channels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99);
  expect(flattenChannels({ channels, lengths: Int32Array.of(3, 1, 0) }, 3, 2)).toEqual(
    Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 7, 8, 0, 0, 0, 0, 0, 0),
  );
});
