// Expected numbers from Python's decimal at 50 digits, of the floats' exact values: -(1 - Decimal(1e-3)).ln() and so on.
import { describe, expect, test } from "vitest";
import {
  crossEntropy,
  entropy,
  logitOf,
  logLosses,
  logLossesOfLogits,
  logLossOf,
  logLossOfLogit,
  meanEntropy,
} from "../../../trainer/statistics/log-loss.ts";

/** A few roundings: relative to the number itself, so that small losses are held to their own digits. */
function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual}, expected ${expected}`).toBeLessThanOrEqual(4 * 2 ** -52 * Math.abs(expected));
}

test.each([
  [1, 1e-3, 6.907755278982137],
  [0, 1e-3, 0.0010005003335835335],
  [1, 0.25, 1.3862943611198906],
  [0, 0.25, 0.2876820724517809],
  [0, 1 - 1e-12, 27.63104323789336],
  [1, 1 - 1e-12, 9.999778782803785e-13],
])("log loss of label %i at probability %d", (label, probability, expected) => {
  expectClose(logLossOf(label, probability), expected);
});

test("a certain miss costs −ln 2⁻⁵² on both sides, and a certain hit 2⁻⁵²", () => {
  for (const [label, miss] of [
    [1, 0],
    [0, 1],
  ]) {
    expectClose(logLossOf(label, miss), 36.04365338911715);
    expectClose(logLossOf(label, 1 - miss), 2 ** -52);
  }
  expect(logLossOf(1, 1e-300)).toBe(logLossOf(1, 0));
});

test.each([
  [1, -3, 3.048587351573742],
  [0, -3, 0.04858735157374206],
  [1, 40, 4.248354255291589e-18],
  [0, 1000, 1000],
  [1, -1000, 1000],
  [1, 0, Math.LN2],
])("log loss of label %i at logit %d", (label, logit, expected) => {
  expectClose(logLossOfLogit(label, logit), expected);
});

test("losses of many are those of each", () => {
  expect([...logLosses([1, 0, 0], Float32Array.of(0.5, 0.25, 1))]).toEqual([logLossOf(1, 0.5), logLossOf(0, 0.25), logLossOf(0, 1)]);
});

test("losses of logits are of the chosen sequences, in float32, finite for any logit", () => {
  expect([...logLossesOfLogits([9, 1, 0], Float32Array.of(1000, -1000, 0), Int32Array.of(2, 1, 1))]).toEqual([
    1000,
    1000,
    Math.fround(Math.LN2),
  ]);
});

describe("entropy", () => {
  test("is −p ln p − (1 − p) ln(1 − p), 0 where nothing is uncertain", () => {
    expectClose(entropy(0.25), 0.5623351446188084);
    expect([entropy(0), entropy(1)]).toEqual([0, 0]);
  });

  test("of many is the mean", () => {
    expectClose(meanEntropy([0, 1, 0.5]), Math.LN2 / 3);
  });

  test("is the least cross-entropy, which is finite for a certain q", () => {
    expectClose(crossEntropy(0.25, 0.1), 0.6546666599918811);
    expectClose(crossEntropy(0.25, 0.25), entropy(0.25));
    expectClose(crossEntropy(0.25, 0), 0.25 * 36.04365338911715);
  });
});

test("the logit of a probability, held within ±ln(2⁵⁰ − 1)", () => {
  expectClose(logitOf(0.9), 2.1972245773362196);
  expectClose(logitOf(0), -34.657359027997266);
  expectClose(logitOf(1), 34.657359027997266);
});
