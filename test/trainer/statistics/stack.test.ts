import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { fitStack, stackLogits } from "../../../trainer/statistics/stack.ts";

interface Case {
  readonly name: string;
  readonly logits: number[][];
  readonly labels: number[];
  readonly weights: number[];
  readonly intercept: number;
}

// Made by test/fixtures/stack.py.
const cases: Case[] = JSON.parse(readFileSync(new URL("../../fixtures/stack.json", import.meta.url), "utf8"));

describe("fitStack finds SciPy's bounded minimum", () => {
  // L-BFGS-B stops at a projected gradient near 1e-8, over a curvature near 0.1.
  test.each(cases)("for $name", ({ logits, labels, weights, intercept }) => {
    const stack = fitStack(
      logits.map((z) => Float64Array.from(z)),
      labels,
    );
    weights.forEach((weight, m) => {
      expect(stack.weights[m]).toBeCloseTo(weight, 5);
    });
    expect(stack.intercept).toBeCloseTo(intercept, 5);
  });
});

test("gives a member that speaks against the others a weight of exactly 0", () => {
  const { logits, labels } = cases.find(({ name }) => name === "one that speaks against")!;
  expect(
    fitStack(
      logits.map((z) => Float64Array.from(z)),
      labels,
    ).weights[2],
  ).toBe(0);
});

test("leaves few sequences near equal weights", () => {
  const random = createRandom(5);
  const logits = [0, 1, 2].map(() => Float64Array.from({ length: 8 }, () => 0.3 * random.normal()));
  const { weights } = fitStack(logits, [0, 1, 0, 1, 1, 0, 0, 1]);
  for (const weight of weights) expect(Math.abs(weight - 1 / 3)).toBeLessThan(0.35);
});

test("clips each member's logit to ±9 before it weighs it", () => {
  expect([
    ...stackLogits({ weights: [0.5, 1], intercept: 1 }, [
      [100, -100],
      [1, Number.NEGATIVE_INFINITY],
    ]),
  ]).toEqual([6.5, -12.5]);
});
