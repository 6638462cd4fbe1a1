// A whole training step of LSTM → Dense(1) outside tfjs: gather, forward, loss, backward, clipping, optimizer, all in the kernel on
// all threads. The data set lies once in the kernel's memory. Knows no epochs and no stopping.
import { FitError } from "../../shared/errors.ts";
import { ADAM, biasCorrection, RMSPROP } from "./flat-optimizer.ts";
import { createTrainingKernel, EVALUATE, type HostCapabilities, REDUCE, TRAIN, TRANSPOSE, type TrainingKernel, UPDATE } from "./kernel.ts";
import { layoutParameters } from "./parameters.ts";
import type { OptimizerState, Stepper, StepperData, StepperOptions } from "./stepper.ts";
import { checkCount, checkData, checkStep } from "./stepper-checks.ts";

/** Without `optimizer`: adam; without `clipNorm`: gradients as they are; without `weightDecay`: none. */
export interface StepOptions
  extends Pick<StepperOptions, "channels" | "timesteps" | "units" | "maxBatch" | "names">,
    Partial<Pick<StepperOptions, "optimizer" | "clipNorm" | "weightDecay">> {
  /** Default: the cores. The results are the same for any number. */
  readonly threads?: number;
  /** Without relaxed SIMD, so that no bit depends on the host. */
  readonly strict?: boolean;
  /** Hears, once each, which fast SIMD path this host lacks. */
  readonly warn?: (message: string) => void;
  /** Takes abilities of the host away (tests). */
  readonly host?: Partial<HostCapabilities>;
}

/** Parameters are one flat (P) buffer: kernel (C,4U), recurrent (U,4U), bias (4U), headKernel (U), headBias (1). */
export interface TrainingStep extends Stepper {
  readonly simdPath: "fma" | "strict";
  readonly threads: number;
  /** The kernel below, for measurements and tests. */
  readonly kernel: TrainingKernel;
}

/** Copies `data` into the kernel's memory; the caller's buffers are not needed any more. Throws RangeError where sizes do not fit. */
export function createTrainingStep(data: StepperData, options: StepOptions): TrainingStep {
  checkData(data, options);
  const { channels, lengths, labels, further } = data;
  const kernel = createTrainingKernel({ ...options, sequences: lengths.length + (further?.count ?? 0) });
  kernel.data.set(channels);
  kernel.lengths.set(lengths);
  kernel.labels.set(labels);
  if (further) {
    further.fill(kernel.data.subarray(channels.length), kernel.lengths.subarray(lengths.length));
    kernel.labels.set(further.labels, lengths.length);
  }
  const optimizer = createOptimizer(kernel, options);
  return {
    simdPath: kernel.simdPath,
    threads: kernel.threads,
    kernel,
    step(indices, learningRate) {
      checkStep(indices, options.maxBatch);
      selectBatch(kernel, indices);
      const { loss, norm } = computeGradients(kernel, indices.length);
      if (!Number.isFinite(loss) || !Number.isFinite(norm))
        throw explainFailure(kernel, options, { loss, indices, learningRate, step: optimizer.steps() + 1 });
      optimizer.update(norm, learningRate);
      return loss;
    },
    logits(indices) {
      const out = new Float32Array(indices.length);
      for (let at = 0; at < indices.length; at += options.maxBatch) {
        const batch = indices.subarray(at, at + options.maxBatch);
        selectBatch(kernel, batch);
        kernel.run(EVALUATE, kernel.shards());
        out.set(kernel.logits.subarray(0, batch.length), at);
      }
      return out;
    },
    getParameters: () => Float32Array.from(kernel.packed, (p) => kernel.weights[p]),
    setParameters(parameters) {
      checkCount("parameters", parameters, kernel.packed.length);
      parameters.forEach((value, n) => {
        kernel.weights[kernel.packed[n]] = value;
      });
      kernel.run(TRANSPOSE, unitBlocksOf(kernel));
    },
    getOptimizer: optimizer.state,
    setOptimizer: optimizer.setState,
    dispose: () => kernel.dispose(),
  };
}

function unitBlocksOf(kernel: TrainingKernel): number {
  return kernel.norms.length - 1;
}

/** Puts the sequences at `indices` into the batch. */
function selectBatch(kernel: TrainingKernel, indices: Int32Array): void {
  const N = kernel.lengths.length;
  for (const n of indices) if (!(n >= 0 && n < N)) throw new RangeError(`indices must be between 0 and ${N - 1}, got ${n}`);
  kernel.indices.set(indices);
  kernel.plan(indices.length);
}

/** Mean loss of the batch of B sequences, and the global norm of its mean gradient, which the kernel holds. */
function computeGradients(kernel: TrainingKernel, B: number): { loss: number; norm: number } {
  kernel.set({ scale: 1 / B });
  kernel.run(TRAIN, kernel.shards());
  kernel.run(REDUCE, unitBlocksOf(kernel) + 1);
  let loss = 0;
  for (let s = 0; s < kernel.shards(); s++) loss += kernel.losses[s];
  loss /= B;
  return { loss, norm: Math.sqrt(kernel.norms.reduce((sum, squares) => sum + squares, 0)) };
}

/** The optimizer's steps and moments, and the step that it takes with the gradient that the kernel holds. */
function createOptimizer(kernel: TrainingKernel, { optimizer = "adam", clipNorm = Infinity, weightDecay = 0 }: StepOptions) {
  const { packed, first, second } = kernel;
  const P = packed.length;
  const { beta1, beta2, epsilon } = optimizer === "adam" ? ADAM : RMSPROP;
  kernel.set({ optimizer: optimizer === "adam" ? 0 : 1, beta1, beta2, epsilon });
  let steps = 0;
  return {
    steps: () => steps,
    /** `norm` is the gradient's. */
    update(norm: number, learningRate: number): void {
      steps++;
      const correction = biasCorrection(optimizer, steps);
      kernel.set({ clip: norm > clipNorm ? clipNorm / norm : 1, rate: learningRate * correction, decay: learningRate * weightDecay });
      kernel.run(UPDATE, unitBlocksOf(kernel) + 1);
    },
    state(): OptimizerState {
      const moments = new Float32Array(2 * P);
      packed.forEach((p, n) => {
        moments[n] = first[p];
        moments[P + n] = second[p];
      });
      return { steps, moments };
    },
    setState(state: OptimizerState): void {
      checkCount("moments", state.moments, 2 * P);
      steps = state.steps;
      packed.forEach((p, n) => {
        first[p] = state.moments[n];
        second[p] = state.moments[P + n];
      });
    },
  };
}

interface FailedStep {
  readonly loss: number;
  readonly indices: Int32Array;
  readonly learningRate: number;
  /** Which optimizer step it would have been, from 1. */
  readonly step: number;
}

/** Which parameters' gradients, and which input, look like the reason. */
function explainFailure(kernel: TrainingKernel, options: StepOptions, { loss, indices, learningRate, step }: FailedStep): FitError {
  const { channels: C, units: U, names } = options;
  const isBroken = ({ start, end }: { start: number; end: number }): boolean =>
    kernel.packed.subarray(start, end).some((p) => !Number.isFinite(kernel.total[p]));
  const broken = layoutParameters(C, U).parts.filter(isBroken);
  const brokenNames = new Set(broken.map(({ name }) => (name === "headKernel" || name === "headBias" ? "head" : name)));
  const what = Number.isFinite(loss) ? `the gradient of ${[...brokenNames].join(", ")} is not finite` : `the loss is ${loss}`;
  const { size, n, t, c } = findLargestInput(kernel, options, indices);
  return new FitError(
    `${what} at optimizer step ${step}: the learning rate is ${learningRate}, the largest |input| ${size} (${names?.[c] ?? `channel ${c}`}, step ${t} of sequence ${n}); lower the one or standardise the other`,
  );
}

/** NaN counts as larger than any number. */
function findLargestInput(kernel: TrainingKernel, { channels: C, timesteps: T }: StepOptions, indices: Int32Array) {
  let largest = { size: -1, n: 0, t: 0, c: 0 };
  for (const n of indices) {
    for (let k = 0; k < kernel.lengths[n] * C; k++) {
      const size = Math.abs(kernel.data[n * T * C + k]);
      if (size > largest.size || (Number.isNaN(size) && !Number.isNaN(largest.size))) largest = { size, n, t: Math.floor(k / C), c: k % C };
    }
  }
  return largest;
}
