// What this machine offers to training: kernels and engines, threads, its clock. For those who choose implementations: the command line
// and `quickstep/train`.
import { readFileSync } from "node:fs";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { type CreateTrees, createTrees } from "../learners/trees/trees.ts";
import { createTrainingStep } from "../training/step.ts";
import type { CreateStepper } from "../training/stepper.ts";

/** How the training kernels are to run. */
export interface KernelOptions {
  /** Undefined: all cores. */
  readonly threads?: number;
  /** Without relaxed multiply-adds: equal bytes on every host. */
  readonly strict?: boolean;
}

/** What a training run needs of the machine. */
export interface TrainingHost {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The inference kernel and engines on it. */
  loadEngines(): Engines;
  /** Makes training steps, for the pipeline and for a diagnosis. */
  createStepper(options: KernelOptions): CreateStepper;
  /** Makes learners of boosted trees. */
  createTrees(options: KernelOptions): CreateTrees;
  /** Node's version, as artifacts name it. */
  readonly node: string;
}

/** The machine that this code runs on; `warn` hears, once each, which fast path it lacks. */
export function openHost(warn: (message: string) => void): TrainingHost {
  return {
    now: () => performance.now(),
    loadEngines,
    createStepper:
      ({ threads, strict }) =>
      (data, options) =>
        createTrainingStep(data, { ...options, threads, strict, warn }),
    createTrees:
      ({ threads }) =>
      (options) =>
        createTrees({ ...options, threads, warn }),
    node: process.versions.node,
  };
}

function loadEngines(): Engines {
  const module = new WebAssembly.Module(readFileSync(new URL("../../shared/kernel/inference.wasm", import.meta.url)));
  return {
    kernel: instantiateKernel(module),
    module,
    createEngine: (predictor) => createWasmEngine(module, predictor),
  };
}
