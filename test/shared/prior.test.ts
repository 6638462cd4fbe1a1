import { describe, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { labelAt, score } from "../../shared/model.ts";
import { priorShift } from "../../shared/prior.ts";
import { createRandom } from "../../trainer/statistics/random.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";

const { log } = instantiateKernel(kernel);
const RATES = [1e-300, 1e-6, 0.1, 0.25, 0.5, 0.9, 1 - 2 ** -53];

describe("priorShift", () => {
  test("is the difference of the two rates' logits: 1:3 to 1:9 divides the odds by three", () => {
    expect(priorShift(0.25, 0.1, log)).toBeCloseTo(-Math.log(3), 14);
    expect(priorShift(0.1, 0.25, log)).toBeCloseTo(Math.log(3), 14);
  });

  test("is 0 for the rate it was trained at, and finite for every other", () => {
    for (const trained of RATES)
      for (const given of RATES)
        if (trained === given) expect(priorShift(trained, given, log)).toBe(0);
        else expect(Number.isFinite(priorShift(trained, given, log)), `${trained} to ${given}`).toBe(true);
  });

  test("makes the posterior at one base rate the posterior at another, where Bayes' rule is known", () => {
    // Two normals one apart in their means: ln p/(1−p) = x − ½ + ln π/(1−π).
    const random = createRandom(1);
    for (let i = 0; i < 100; i++) {
      const x = 3 * random.normal();
      const posterior = (rate: number) =>
        (rate * Math.exp(-((x - 1) ** 2) / 2)) / (rate * Math.exp(-((x - 1) ** 2) / 2) + (1 - rate) * Math.exp((-x * x) / 2));
      const logit = Math.log(posterior(0.25) / (1 - posterior(0.25)));
      expect(1 / (1 + Math.exp(-(logit + priorShift(0.25, 0.02, log))))).toBeCloseTo(posterior(0.02), 12);
    }
  });
});

describe("a score at another base rate", () => {
  const model = makeModel(kernel, { units: 8 });
  const engine = createWasmEngine(kernel, model);
  const values = makeSequences(40, 10, 5, 3);
  const at = (prior?: number, sequences = values) => score(model, engine, log, sequences, undefined, prior).probabilities;

  test("is that of a model whose intercept was moved, bit for bit", () => {
    const { slope, intercept } = model.calibration;
    const moved = createWasmEngine(kernel, { ...model, calibration: { slope, intercept: intercept + priorShift(0.25, 0.1, log) } });
    expect(at(0.1)).toEqual(score(model, moved, log, values).probabilities);
    expect(at(0.1)).not.toEqual(at());
  });

  test("does not depend on the company, and leaves no trace in the next call", () => {
    const before = at();
    const together = at(0.6);
    for (let n = 0; n < 40; n++) expect(at(0.6, values.subarray(n * 50, (n + 1) * 50))[0]).toBe(together[n]);
    expect(at()).toEqual(before);
    expect(at(model.positiveRate)).toEqual(before);
  });

  test("rises with the rate, and labels follow the moved probability", () => {
    const rates = [0.01, 0.1, 0.25, 0.5, 0.9];
    const scores = rates.map((rate) => at(rate));
    for (let i = 1; i < rates.length; i++) for (let n = 0; n < 40; n++) expect(scores[i][n]).toBeGreaterThan(scores[i - 1][n]);
    const ones = scores.map((probabilities) => probabilities.reduce((sum, p) => sum + labelAt(model.operatingPoints[0], p), 0));
    expect(ones[4]).toBeGreaterThan(ones[0]);
  });

  test("is calibrated where the base rate has changed and the classes have not", () => {
    // What the network does not know enters through Bayes' rule alone: odds times the ratio of the priors' odds.
    const ratio = 0.1 / 0.9 / (0.25 / 0.75);
    const [trained, given] = [at(), at(0.1)];
    for (let n = 0; n < 40; n++) {
      const odds = (trained[n] / (1 - trained[n])) * ratio;
      expect(Math.abs(given[n] - odds / (1 + odds))).toBeLessThan(2e-7); // three float32 roundings of the logit
    }
  });
});
