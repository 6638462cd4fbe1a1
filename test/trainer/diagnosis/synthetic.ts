// Small synthetic data sets for the tests of diagnosis, by the generators of the quality benchmark and by hand.
import { readFileSync } from "node:fs";
import { instantiateKernel } from "../../../shared/engine.ts";
import type { DiagnosisData, DiagnosisDependencies } from "../../../trainer/diagnosis/input.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));

export const dependencies: DiagnosisDependencies = {
  log: instantiateKernel(module).log,
  createStepper: (data, options) => createTrainingStep(data, { ...options, threads: 1 }),
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
