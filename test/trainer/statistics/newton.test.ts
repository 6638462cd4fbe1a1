import { expect, test } from "vitest";
import { minimise, type Objective } from "../../../trainer/statistics/newton.ts";

const OPTIONS = { maxSteps: 50, lastStep: 1e-12, takeLastStep: true };

/** Σ √(1 + xᵢ²) around (3, −2): far out a whole step goes to −x³, so that undamped steps run away from |x| > 1 on. */
const bowl: Objective = {
  loss: ([x, y]) => Math.hypot(1, x - 3) + Math.hypot(1, y + 2),
  derivatives: (at) => {
    const out = [at[0] - 3, at[1] + 2];
    const gradient = Float64Array.from(out, (d) => d / Math.hypot(1, d));
    return { gradient, direction: gradient.map((g, i) => g * Math.hypot(1, out[i]) ** 3) };
  },
};

test("finds the minimum from where undamped steps run away", () => {
  const { parameters, isFound } = minimise(bowl, Float64Array.of(10, 10), OPTIONS);
  expect(isFound).toBe(true);
  expect(parameters[0]).toBeCloseTo(3, 9);
  expect(parameters[1]).toBeCloseTo(-2, 9);
});

test("no step raises the loss", () => {
  const seen: number[] = [];
  minimise(
    {
      ...bowl,
      derivatives: (at) => {
        seen.push(bowl.loss(at));
        return bowl.derivatives(at);
      },
    },
    Float64Array.of(10, -40),
    OPTIONS,
  );
  expect(seen.length).toBeGreaterThan(3);
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});

test("the last step is taken where that is asked for", () => {
  const start = Float64Array.of(3 + 1e-8, -2);
  expect(minimise(bowl, start, OPTIONS).parameters[0]).toBe(3);
  expect(minimise(bowl, start, { ...OPTIONS, takeLastStep: false })).toEqual({ parameters: start, isFound: true });
});

test("says so when the steps run out, or when a step is no number", () => {
  const exponential: Objective = {
    loss: ([x]) => Math.exp(-x),
    derivatives: ([x]) => ({ gradient: Float64Array.of(-Math.exp(-x)), direction: Float64Array.of(-1) }),
  };
  const endless = minimise(exponential, Float64Array.of(0), { ...OPTIONS, lastStep: 0 });
  expect([endless.isFound, endless.parameters[0]]).toEqual([false, 50]);
  const flat: Objective = {
    loss: () => 1,
    derivatives: () => ({ gradient: Float64Array.of(0), direction: Float64Array.of(Number.NaN) }),
  };
  expect(minimise(flat, Float64Array.of(7), OPTIONS)).toEqual({ parameters: Float64Array.of(7), isFound: false });
});
