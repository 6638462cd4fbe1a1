// A training run of the library on made data, and what it says of sequences that nobody trains with.
import { readFileSync } from "node:fs";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { score } from "../../../shared/model.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { type TrainDependencies, trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { F, type Generated, T } from "../quality/generators.ts";

const module = new WebAssembly.Module(readFileSync(new URL("../../../shared/kernel/inference.wasm", import.meta.url)));
const dependencies: TrainDependencies = {
  kernel: instantiateKernel(module),
  createEngine: (predictor) => createWasmEngine(module, predictor),
  createStepper: (data, options) => createTrainingStep(data, options),
  createTrees: (options) => createTrees(options),
  node: process.versions.node,
  onNote: () => {},
  onProgress: () => {},
  yieldToEventLoop: async () => {},
};

/** What `train` says of `fresh` (fresh): probabilities. `split`: how sequences are dealt. `test` is given so that nothing is held out. */
export async function trainAndScore(
  made: Generated,
  fresh: Generated,
  seed: number,
  split: "auto" | "time" = "auto",
): Promise<Float32Array> {
  const part = ({ values, labels, probability, features }: Generated) => ({ values, labels, probability, features });
  const data = {
    ...part(made),
    source: "made",
    name: "made",
    sha256: "0".repeat(64),
    shape: { timesteps: T, features: F },
    float32: false,
    test: firstOf(fresh, TEST),
  } as unknown as LabelledDataset;
  const { model } = await trainModel(data, { seed, split, horizon: 1, recipe: "auto" }, dependencies);
  return score(model, dependencies.createEngine(model), dependencies.kernel.log, fresh.values).probabilities;
}

/** Sequences of a test part, which the trainer asks for; what is measured is measured on all fresh ones. */
const TEST = 200;

function firstOf({ values, labels, probability }: Generated, count: number): Pick<Generated, "values" | "labels" | "probability"> {
  return { values: values.slice(0, count * T * F), labels: labels.slice(0, count), probability: probability.slice(0, count) };
}
