import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fitCalibration } from "../../../trainer/statistics/calibration.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

interface Case {
  readonly name: string;
  readonly logits: number[];
  readonly labels: number[];
  readonly slope: number;
  readonly intercept: number;
}

// Made by test/fixtures/calibration.py.
const cases: Case[] = JSON.parse(readFileSync(new URL("../../fixtures/calibration.json", import.meta.url), "utf8"));
const identity = { slope: 1, intercept: 0 };

describe("fitCalibration finds scikit-learn's unregularised slope and intercept", () => {
  test.each(cases)("for $name", ({ logits, labels, slope, intercept }) => {
    const fitted = fitCalibration(Float32Array.from(logits), labels);
    // float32 logits differ from the decimal ones by 1e-7, and so does what is fitted to them
    expect(Math.abs(fitted.slope - slope)).toBeLessThan(1e-6);
    expect(Math.abs(fitted.intercept - intercept)).toBeLessThan(1e-6);
    expect(fitted).not.toEqual(identity);
  });
});

/** Logits, and labels drawn with the probabilities sigmoid(slope · logit + intercept). */
function drawn(N: number, slope: number, intercept: number, seed: number): [logits: Float32Array, labels: Uint8Array] {
  const random = createRandom(seed);
  const logits = new Float32Array(N).map(() => 2 * random.normal() - 1);
  return [logits, Uint8Array.from(logits, (z) => (random.uniform() < 1 / (1 + Math.exp(-slope * z - intercept)) ? 1 : 0))];
}

test("199 examples are too few, 200 are enough for a slope, 1,000 for an intercept", () => {
  const [logits, labels] = drawn(1000, 0.1, -0.5, 1);
  const calibrated = (N: number) => fitCalibration(logits.subarray(0, N), labels.subarray(0, N));
  expect(calibrated(0)).toEqual(identity);
  expect(calibrated(199)).toEqual(identity);
  for (const N of [200, 999]) {
    expect(calibrated(N).slope).toBeLessThan(0.7);
    expect(calibrated(N).intercept).toBe(0);
  }
  expect(calibrated(1000).intercept).toBeLessThan(-0.2);
});

test("logits that are honest already stay as they are", () => {
  for (const N of [300, 1000, 5000]) {
    const changed = Array.from({ length: 40 }, (_, seed) => fitCalibration(...drawn(N, 1, 0, seed))).filter(({ slope }) => slope !== 1);
    expect(changed.length).toBeLessThanOrEqual(2); // measured on 300 sets of each size: 1, 0 and 1 in a hundred
  }
});

test("the order of the examples hardly matters, also when they are sorted by label", () => {
  for (let seed = 0; seed < 10; seed++) {
    const [logits, labels] = drawn(2000, 0.75, 0, seed);
    const order = Array.from(labels.keys()).sort((i, j) => labels[i] - labels[j]);
    const sorted = fitCalibration(
      order.map((n) => logits[n]),
      order.map((n) => labels[n]),
    );
    expect(sorted.slope).toBeCloseTo(fitCalibration(logits, labels).slope, 9);
    expect(sorted.slope).not.toBe(1);
  }
});

test("a ranking is never turned round", () => {
  expect(fitCalibration(...drawn(2000, -1, 0, 4))).toEqual(identity);
  expect(fitCalibration(...drawn(500, -1, 0, 4))).toEqual(identity);
});

test("labels that the logits separate have no best slope", () => {
  const [logits] = drawn(2000, 1, 0, 5);
  expect(
    fitCalibration(
      logits,
      Uint8Array.from(logits, (z) => (z > 0 ? 1 : 0)),
    ),
  ).toEqual(identity);
  expect(
    fitCalibration(
      logits.subarray(0, 500),
      Uint8Array.from(logits.subarray(0, 500), (z) => (z > 0 ? 1 : 0)),
    ),
  ).toEqual(identity);
});

test("a single class, logits that do not vary, and logits far out give a finite answer", () => {
  const [logits, labels] = drawn(2000, 1, 0, 6);
  expect(fitCalibration(logits, new Uint8Array(2000))).toEqual(identity);
  expect(fitCalibration(new Float32Array(2000).fill(0.3), labels)).toEqual(identity);
  const { slope, intercept } = fitCalibration(
    logits.map((z) => 1e4 * z),
    labels,
  );
  expect(slope).toBeGreaterThan(0);
  expect(Math.abs(slope * 1e4 - fitCalibration(...drawn(2000, 1, 0, 6)).slope)).toBeLessThan(0.2);
  expect(Math.abs(intercept)).toBeLessThan(0.3);
});
