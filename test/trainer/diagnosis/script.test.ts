import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import { lstmProbability } from "../../../shared/networks/lstm.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { fitRecipe } from "../../../shared/recipe/fit.ts";
import { isZeroRow } from "../../../shared/sequence.ts";
import { MAX_LINES, writeScript } from "../../../trainer/diagnosis/script.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { CASES } from "../../fixtures/script.ts";

interface Ran {
  readonly lines: string[];
  /** (N,T,F) null where a number is missing */
  readonly X: (number | null)[];
  /** (N',T,C) of the sequences that are not all padding, left-aligned; padding rows hold the mask's value */
  readonly Z: number[];
  /** Which of the N' the lines took for training. */
  readonly train: number[];
  readonly weights: Record<"kernel" | "recurrent" | "bias" | "headKernel" | "headBias", number[]>;
  /** (N') */
  readonly probability: number[];
  /** Validation loss before training and after every epoch. */
  readonly losses: number[];
}

// Made by test/fixtures/script.py, which runs the lines.
const ran: Record<string, Ran> = JSON.parse(readFileSync(new URL("../../fixtures/script.json", import.meta.url), "utf8"));
const { log } = instantiateKernel(kernel);
/** Half a float32 unit at the clip of 10 is 4.8e-7; the rest is numpy's order of sums and its logarithm, 1e-10 of a scale. */
const TOLERANCE = 1e-6;
/** PyTorch computes in float32 over six steps. */
const TOLERANCE_PROBABILITY = 1e-6;

describe.each(Object.entries(CASES))("%s", (name, input) => {
  const { plan, settings } = input;
  const { timesteps: T, channels } = plan;
  const F = plan.features.length;
  const C = channels.length;
  const { Z, train, weights, probability, losses, lines } = ran[name];
  const X = ran[name].X.map((x) => x ?? Number.NaN);
  const isEmpty = (n: number) => isZeroRow(Float64Array.from(X.slice(n * T * F, (n + 1) * T * F)), 0, { features: T * F });
  const kept = Array.from({ length: X.length / T / F }, (_, n) => n).filter((n) => plan.padding === "none" || !isEmpty(n));
  const values = Float64Array.from(kept.flatMap((n) => X.slice(n * T * F, (n + 1) * T * F)));
  const applied = applyRecipe(fitRecipe(plan, values, train, log), values, log);

  test("is what Python ran, in at most 15 lines", () => {
    expect(writeScript(input)).toEqual(lines);
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
    expect(lines.join("").includes("\n")).toBe(false);
  });

  test("numpy computes the recipe's channels, with scales and floors of the training part alone", () => {
    expect(Z.length).toBe(kept.length * T * C);
    expect(train.length).toBeLessThan(kept.length);
    let worst = 0;
    for (let n = 0; n < kept.length; n++)
      for (let t = 0; t < applied.lengths[n]; t++)
        for (let c = 0; c < C; c++) {
          const at = (n * T + t) * C + c;
          worst = Math.max(worst, Math.abs(Z[at] - applied.channels[at]));
        }
    expect(worst).toBeLessThan(TOLERANCE);
  });

  test("masks the padding rows and no other", () => {
    const mask = plan.standardise ? -99 : -1e9;
    for (let n = 0; n < kept.length; n++)
      for (let t = 0; t < T; t++) {
        const row = Z.slice((n * T + t) * C, (n * T + t + 1) * C);
        expect(row.every((z) => z === mask)).toBe(t >= applied.lengths[n]);
      }
  });

  test("the network is shared/networks/lstm.ts' network, and its lines train it", () => {
    const network = {
      channels: C,
      units: settings.units,
      kernel: Float32Array.from(weights.kernel),
      recurrent: Float32Array.from(weights.recurrent),
      bias: Float32Array.from(weights.bias),
      headKernel: Float32Array.from(weights.headKernel),
      headBias: Float32Array.from(weights.headBias),
    };
    for (let n = 0; n < kept.length; n++) {
      const own = applied.channels.slice(n * T * C, (n + 1) * T * C);
      const p = lstmProbability(network, { slope: 1, intercept: 0 }, own, applied.lengths[n]);
      expect(Math.abs(p - probability[n])).toBeLessThan(TOLERANCE_PROBABILITY);
    }
    expect(losses.length).toBeGreaterThan(1);
    expect(Math.min(...losses)).toBeLessThan(losses[0]);
  });
});

test("the cases reach every view, base, padding, split and optimizer, and the floors", () => {
  const inputs = Object.values(CASES);
  for (const padding of ["leading", "any", "none"]) {
    const seen = inputs.filter(({ plan }) => plan.padding === padding).flatMap(({ plan }) => plan.channels);
    expect(new Set(seen.map(({ base, view }) => `${base} ${view}`)).size).toBe(16);
  }
  expect(new Set(inputs.map(({ split }) => split.by))).toEqual(new Set(["random", "time"]));
  expect(new Set(inputs.map(({ settings }) => settings.optimizer))).toEqual(new Set(["adam", "rmsprop"]));
  for (const name of Object.keys(CASES).filter((title) => title.startsWith("every"))) {
    const nonPositive = ran[name].X.filter((x, i) => x !== null && x < 0 && i % 4 < 2);
    expect(nonPositive.length).toBe(2);
  }
});

test("a feature's name stays inside its comment", () => {
  const [input] = Object.values(CASES).filter(({ plan }) => !plan.standardise);
  const comment = writeScript(input).find((line) => line.includes("import os"))!;
  expect(comment).toContain("# f[0] high, f[1] low, f[2] spread, f[3] count ; import os");
});
