// What this machine offers to training: kernels and engines, threads, its clock. For those who choose implementations: the command line
// and `quickstep/train`.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { LimitError } from "../../shared/errors.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { findCompanion } from "../files/companions.ts";
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

/** What trains networks of layers. */
export interface LayersTrainer {
  readonly createStepper: CreateStepper;
  /** Ends its threads. */
  dispose(): void;
}

/** What a training run needs of the machine. */
export interface TrainingHost {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The inference kernel and engines on it. */
  loadEngines(): Engines;
  /** Makes training steps, for the pipeline and for a diagnosis. */
  createStepper(options: KernelOptions): CreateStepper;
  /**
   * Makes training steps of networks of layers, by tfjs. Throws DataError where @tensorflow/tfjs is not installed, LimitError where the host
   * has no WebAssembly with SIMD.
   */
  openLayers(options: KernelOptions): Promise<LayersTrainer>;
  /** Makes learners of boosted trees. */
  createTrees(options: KernelOptions): CreateTrees;
  /** Node's version, as artifacts name it. */
  readonly node: string;
}

/** The machine that this code runs on; `onLack` hears, once each, which fast path it lacks. */
export function openHost(onLack: (message: string) => void): TrainingHost {
  const warn = onceEach(onLack);
  return {
    now: () => performance.now(),
    loadEngines,
    createStepper:
      ({ threads, strict }) =>
      (data, options) =>
        createTrainingStep(data, { ...options, threads, strict, warn }),
    openLayers: (options) => openLayers(options, warn),
    createTrees:
      ({ threads }) =>
      (options) =>
        createTrees({ ...options, threads, warn }),
    node: process.versions.node,
  };
}

/** Passes on what is new: a run opens many kernels, and each says what it lacks. */
function onceEach(hear: (message: string) => void): (message: string) => void {
  const heard = new Set<string>();
  return (message) => {
    if (!heard.has(message)) hear(message);
    heard.add(message);
  };
}

/** tfjs takes a second to load, and is not there in every installation: it is loaded for who needs it. */
async function openLayers(
  { threads = availableParallelism(), strict }: KernelOptions,
  warn: (message: string) => void,
): Promise<LayersTrainer> {
  findCompanion("@tensorflow/tfjs", "to train networks of --layers");
  const [{ openNodeDevice }, { createLayersStepper }] = await Promise.all([
    import("../tfjs/node.ts"),
    import("../layers/layers-stepper.ts"),
  ]);
  const device = openNodeDevice({ threads, strict, warn });
  if (device === undefined) throw new LimitError([], "--layers needs WebAssembly with SIMD, which this host lacks", 0);
  return { createStepper: (data, options) => createLayersStepper(device, data, options), dispose: device.dispose };
}

function loadEngines(): Engines {
  const module = new WebAssembly.Module(readFileSync(new URL("../../shared/kernel/inference.wasm", import.meta.url)));
  return {
    kernel: instantiateKernel(module),
    module,
    createEngine: (predictor) => createWasmEngine(module, predictor),
  };
}
