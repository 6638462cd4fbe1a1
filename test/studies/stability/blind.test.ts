// Labels that nothing tells: alone, and in stretches of time.
import { expect, test } from "vitest";
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { F, T } from "../quality/generators.ts";
import { blindDrift, blindLabels } from "./blind.ts";

test("a label drawn alone is 1 in three of ten sequences, wherever a sequence's level stands", () => {
  const { values, labels, probability } = blindLabels(20_000, 1);
  expect(new Set(probability)).toEqual(new Set([0.3]));
  const level = (n: number): number => mean(values.subarray(n * T * F, (n + 1) * T * F));
  const rateWhere = (isIn: (level: number) => boolean): number => mean(Array.from(labels).filter((_, n) => isIn(level(n))));
  for (const isIn of [(x: number) => x > 1, (x: number) => Math.abs(x) <= 1, (x: number) => x < -1])
    expect(Math.abs(rateWhere(isIn) - 0.3)).toBeLessThan(0.025); // four standard errors of 6,000
});

test("drifting windows follow each other by a row, and stay close to where they were", () => {
  const N = 2000;
  const { values, probability } = blindDrift(N, 1);
  expect(values.subarray(T * F, 2 * T * F - F)).toEqual(values.subarray(F, T * F));
  const logits = Array.from(probability, (p) => Math.log(p / (1 - p)));
  const steps = logits.slice(1).map((z, n) => Math.abs(z - logits[n]));
  expect(Math.max(...steps)).toBeLessThan(0.7 * 0.15 * 4.5); // √(1 − .99²) = .141 a step
  expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(1);
});

test("a seed gives the same numbers, another seed others", () => {
  for (const make of [blindLabels, blindDrift]) {
    expect(make(20, 3)).toEqual(make(20, 3));
    expect(make(20, 3).values).not.toEqual(make(20, 4).values);
  }
});
