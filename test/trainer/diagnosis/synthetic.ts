// Small synthetic data sets for the tests of diagnosis, by the generators of the quality benchmark and by hand.
import { readFileSync } from "node:fs";
import { instantiateKernel } from "../../../shared/engine.ts";
import type { DiagnosisData, DiagnosisDependencies } from "../../../trainer/diagnosis/input.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));

export const dependencies: DiagnosisDependencies = {
  log: instantiateKernel(module).log,
  createStepper: (data, options) => createTrainingStep(data, { ...options, threads: 1 }),
  createTrees: (options) => createTrees({ ...options, threads: 1 }),
  yieldToEventLoop: async () => {},
};

export function asData(
  { values, labels, features }: { values: Float64Array; labels: ArrayLike<number> | null; features: readonly string[] },
  timesteps = 10,
): DiagnosisData {
  return { source: "synthetic", values, labels, shape: { timesteps, features: features.length }, features, float32: false, test: null };
}

/** (N,T,F) by `value`, (N) by `label`. */
export function make(
  [N, T, F]: readonly [number, number, number],
  value: (n: number, t: number, f: number) => number,
  label: (n: number) => number,
): DiagnosisData {
  const values = Float64Array.from({ length: N * T * F }, (_, i) => value(Math.floor(i / (T * F)), Math.floor(i / F) % T, i % F));
  const features = Array.from({ length: F }, (_, f) => `f${f}`);
  return asData({ values, labels: Float64Array.from({ length: N }, (_, n) => label(n)), features }, T);
}

/** (N,6,3) of 2 to 6 rows, zeros in front: prices of any level whose label follows the movement of log(f2 / f1). */
export function movingRatios(N: number, seed: number): DiagnosisData {
  const random = createRandom(seed);
  const [T, F] = [6, 3];
  const values = new Float64Array(N * T * F);
  const labels = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    const first = T - 2 - random.integer(T - 1);
    const prices = Array.from({ length: F }, () => Math.exp(1 + 0.6 * random.normal()));
    let moved = 0;
    for (let t = first; t < T; t++) {
      const steps = prices.map(() => 0.02 * random.normal());
      if (t > first) moved += steps[2] - steps[1];
      for (let f = 0; f < F; f++) prices[f] *= Math.exp(steps[f]);
      values.set(prices, (n * T + t) * F);
    }
    labels[n] = random.uniform() < 1 / (1 + Math.exp(-120 * moved)) ? 1 : 0;
  }
  return asData({ values, labels, features: ["f0", "f1", "f2"] }, T);
}
