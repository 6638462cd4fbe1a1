// A whole training step of LSTM → Dense(1) outside tfjs: gather, forward, loss, backward, clipping, optimizer, all in the kernel on
// all threads. The data set lies once in the kernel's memory. Knows no epochs and no stopping.
import { FitError } from "../../shared/errors.ts";
import { createTrainingKernel, EVALUATE, type HostCapabilities, REDUCE, TRAIN, TRANSPOSE, type TrainingKernel, UPDATE } from "./kernel.ts";
import type { Stepper, StepperData, StepperOptions } from "./loop.ts";

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

/** Keras' defaults (keras.optimizers.Adam, RMSprop). */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const RMSPROP = { beta1: 0, beta2: 0.9, epsilon: 1e-7 };

/** Copies `data` into the kernel's memory; the caller's buffers are not needed any more. */
export function createTrainingStep(data: StepperData, options: StepOptions): TrainingStep {
  const {
    channels: C,
    timesteps: T,
    units: U,
    maxBatch,
    optimizer = "adam",
    clipNorm = Infinity,
    weightDecay = 0,
    threads,
    strict,
    warn,
    host,
  } = options;
  const N = data.lengths.length;
  if (data.channels.length !== N * T * C)
    throw new RangeError(`channels must hold ${N} × ${T} × ${C} numbers, got ${data.channels.length}`);
  if (data.labels.length !== N) throw new RangeError(`labels must be ${N}, as many as lengths, got ${data.labels.length}`);
  if (data.lengths.some((length) => length < 0 || length > T)) throw new RangeError(`lengths must be between 0 and ${T}`);

  const kernel = createTrainingKernel({
    channels: C,
    units: U,
    timesteps: T,
    maxBatch,
    sequences: N,
    keepsChunks: false,
    threads,
    strict,
    warn,
    host,
  });
  const { place, weights, total, first, second, losses, norms } = kernel;
  kernel.data.set(data.channels);
  kernel.lengths.set(data.lengths);
  kernel.labels.set(data.labels);
  const Q = norms.length - 1;
  const { beta1, beta2, epsilon } = optimizer === "adam" ? ADAM : RMSPROP;
  kernel.set({ optimizer: optimizer === "adam" ? 0 : 1, beta1, beta2, epsilon });
  let steps = 0;

  function take(indices: Int32Array): void {
    for (const n of indices) if (!(n >= 0 && n < N)) throw new RangeError(`indices must be between 0 and ${N - 1}, got ${n}`);
    kernel.indices.set(indices);
    kernel.plan(indices.length);
  }

  /** Which parameters' gradients, and which input, look like the reason. */
  function explain(loss: number, indices: Int32Array, learningRate: number): FitError {
    const sizes = { kernel: C * 4 * U, recurrent: U * 4 * U, bias: 4 * U, head: U + 1 };
    const broken: string[] = [];
    let at = 0;
    for (const [name, count] of Object.entries(sizes)) {
      if (place.subarray(at, at + count).some((p) => !Number.isFinite(total[p]))) broken.push(name);
      at += count;
    }
    let largest = { size: -1, n: 0, t: 0, c: 0 };
    for (const n of indices) {
      for (let k = 0; k < kernel.lengths[n] * C; k++) {
        const size = Math.abs(kernel.data[n * T * C + k]);
        if (size > largest.size || (Number.isNaN(size) && !Number.isNaN(largest.size)))
          largest = { size, n, t: Math.floor(k / C), c: k % C };
      }
    }
    const what = Number.isFinite(loss) ? `the gradient of ${broken.join(", ")} is not finite` : `the loss is ${loss}`;
    const where = `${options.names?.[largest.c] ?? `channel ${largest.c}`}, step ${largest.t} of sequence ${largest.n}`;
    return new FitError(
      `${what} at optimizer step ${steps + 1}: the learning rate is ${learningRate}, the largest |input| ${largest.size} (${where}); lower the one or standardise the other`,
    );
  }

  return {
    simdPath: kernel.simdPath,
    threads: kernel.threads,
    kernel,
    step(indices, learningRate) {
      const B = indices.length;
      if (B < 1 || B > maxBatch) throw new RangeError(`a step takes 1 to ${maxBatch} sequences, got ${B}`);
      take(indices);
      kernel.set({ scale: 1 / B });
      kernel.run(TRAIN, kernel.shards());
      kernel.run(REDUCE, Q + 1);
      let loss = 0;
      for (let s = 0; s < kernel.shards(); s++) loss += losses[s];
      loss /= B;
      const norm = Math.sqrt(norms.reduce((sum, squares) => sum + squares, 0));
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw explain(loss, indices, learningRate);
      steps++;
      // Keras folds both bias corrections into the step size.
      const correction = optimizer === "adam" ? Math.sqrt(1 - power(beta2, steps)) / (1 - power(beta1, steps)) : 1;
      kernel.set({ clip: norm > clipNorm ? clipNorm / norm : 1, rate: learningRate * correction, decay: learningRate * weightDecay });
      kernel.run(UPDATE, Q + 1);
      return loss;
    },
    logits(indices) {
      const out = new Float32Array(indices.length);
      for (let at = 0; at < indices.length; at += maxBatch) {
        const batch = indices.subarray(at, at + maxBatch);
        take(batch);
        kernel.run(EVALUATE, kernel.shards());
        out.set(kernel.logits.subarray(0, batch.length), at);
      }
      return out;
    },
    getParameters: () => Float32Array.from(place, (p) => weights[p]),
    setParameters(parameters) {
      if (parameters.length !== place.length) throw new RangeError(`parameters must be ${place.length} numbers, got ${parameters.length}`);
      parameters.forEach((value, n) => {
        weights[place[n]] = value;
      });
      kernel.run(TRANSPOSE, Q);
    },
    getOptimizer() {
      const moments = new Float32Array(2 * place.length);
      place.forEach((p, n) => {
        moments[n] = first[p];
        moments[place.length + n] = second[p];
      });
      return { steps, moments };
    },
    setOptimizer(state) {
      if (state.moments.length !== 2 * place.length)
        throw new RangeError(`moments must be ${2 * place.length} numbers, got ${state.moments.length}`);
      steps = state.steps;
      place.forEach((p, n) => {
        first[p] = state.moments[n];
        second[p] = state.moments[place.length + n];
      });
    },
    dispose: () => kernel.dispose(),
  };
}

/** baseⁿ by squaring: only multiplications, so a resumed run has the same bits on every host. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base; exponent > 0; exponent = Math.floor(exponent / 2), square *= square) if (exponent % 2 === 1) result *= square;
  return result;
}
