// The training kernel's LSTM as one operation: on typed arrays, and as a tfjs op with its own gradient, so that tfjs' autodiff, layers
// and optimizers stay in charge and the LSTM alone is replaced. The product trains without tfjs; this op holds the kernel's gradients
// against tfjs' own and is a contestant of the training bench. Knows no loss.
// Legend: B sequences of a batch, T steps, C channels, U units, gates in order i,f,c,o.
import * as tf from "@tensorflow/tfjs";
import { BACKWARD, createTrainingKernel, FORWARD, type HostCapabilities, REDUCE, TRANSPOSE } from "../../../trainer/training/kernel.ts";

export interface FusedLstmOptions {
  /** C */
  readonly channels: number;
  /** U */
  readonly units: number;
  /** T */
  readonly timesteps: number;
  readonly maxBatch: number;
  /** Default: the cores. The results are the same for any number. */
  readonly threads?: number;
  /** Without relaxed SIMD, so that no bit depends on the host. */
  readonly strict?: boolean;
  /** Hears, once each, which fast SIMD path this host lacks. */
  readonly warn?: (message: string) => void;
  /** Takes abilities of the host away (tests). */
  readonly host?: Partial<HostCapabilities>;
}

/** tfjs' and Keras' layout. */
export interface LstmWeights {
  /** (C,4U) */
  readonly kernel: ArrayLike<number>;
  /** (U,4U) */
  readonly recurrent: ArrayLike<number>;
  /** (4U) */
  readonly bias: ArrayLike<number>;
}

export interface LstmGradients {
  readonly kernel: Float32Array;
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
  /** (B,T,C), zero beyond a sequence's length; only when asked for */
  readonly x?: Float32Array;
}

export interface FusedLstm {
  readonly simdPath: "fma" | "strict";
  readonly threads: number;
  /** Last states (B,U) of left-aligned sequences x (B,T,C) with `lengths` (B) valid rows; zero where there is none. */
  forward(x: ArrayLike<number>, lengths: Int32Array, weights: LstmWeights): Float32Array;
  /** Gradients of the latest `forward`, given those of its last states (B,U). Once a forward call. */
  backward(statesGradient: ArrayLike<number>, wantsInputs?: boolean): LstmGradients;
  /** `forward` as a tfjs op on (B,T,C), (C,4U), (U,4U), (4U), differentiable in all four; → (B,U). */
  apply(x: tf.Tensor3D, lengths: Int32Array, kernel: tf.Tensor2D, recurrent: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D;
  dispose(): void;
}

/** Starts the kernel and its threads; dispose() ends them. The op's methods throw RangeError for shapes that do not fit. */
export function createFusedLstm(options: FusedLstmOptions): FusedLstm {
  const { channels: C, units: U, timesteps: T } = options;
  const kernel = createTrainingKernel({ ...options, sequences: options.maxBatch, keepsChunks: true });
  const { packed, weights: packedWeights, total } = kernel;
  kernel.indices.forEach((_, b) => {
    kernel.indices[b] = b;
  });
  let batch = 0;
  /** Counts forward calls: only the latest one's activations are there, and a backward call consumes them. */
  let calls = 0;
  let isKept = false;

  function forward(x: ArrayLike<number>, lengths: Int32Array, weights: LstmWeights): Float32Array {
    checkForward(options, x, lengths, weights);
    let at = 0;
    for (const part of [weights.kernel, weights.recurrent, weights.bias])
      for (let n = 0; n < part.length; n++) packedWeights[packed[at++]] = part[n];
    kernel.data.set(x);
    kernel.lengths.set(lengths);
    batch = lengths.length;
    kernel.plan(batch);
    kernel.run(FORWARD, kernel.shards());
    calls++;
    isKept = true;
    return kernel.states.slice(0, batch * U);
  }

  function backward(statesGradient: ArrayLike<number>, wantsInputs = false): LstmGradients {
    if (!isKept) throw new Error("backward needs a forward call of its own: it consumes what that one kept");
    isKept = false;
    if (statesGradient.length !== batch * U)
      throw new RangeError(`gradients must hold ${batch} × ${U} numbers, got ${statesGradient.length}`);
    kernel.statesGradient.set(statesGradient);
    kernel.set({ inputsGradient: wantsInputs ? kernel.fields.inputsGradient : 0, scale: 1 });
    kernel.run(TRANSPOSE, Math.ceil(U / 4));
    kernel.run(BACKWARD, kernel.shards());
    kernel.run(REDUCE, Math.ceil(U / 4));
    let at = 0;
    const [kernelPart, recurrent, bias] = weightSizes(options).map((size) =>
      Float32Array.from({ length: size }, () => total[packed[at++]]),
    );
    const gradients = { kernel: kernelPart, recurrent, bias };
    return wantsInputs ? { ...gradients, x: kernel.inputsGradient.slice(0, batch * T * C) } : gradients;
  }

  function apply(x: tf.Tensor3D, lengths: Int32Array, ...weights: [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D]): tf.Tensor2D {
    const run = ([xs, k, r, b]: tf.Tensor[]): Float32Array =>
      forward(xs.dataSync(), lengths, { kernel: k.dataSync(), recurrent: r.dataSync(), bias: b.dataSync() });
    const op = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
      const save = inputs.pop() as tf.GradSaveFunc;
      const tensors = inputs as tf.Tensor[];
      const states = run(tensors);
      const call = calls;
      save(tensors);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
        if (calls !== call || !isKept) run(saved); // another batch went forward in between, or this one back already
        const gradients = backward(dy.dataSync(), true);
        return [gradients.x!, gradients.kernel, gradients.recurrent, gradients.bias].map((values, n) => tf.tensor(values, saved[n].shape));
      };
      return { value: tf.tensor2d(states, [lengths.length, U]), gradFunc };
    });
    return op(x, ...weights) as tf.Tensor2D;
  }

  return { simdPath: kernel.simdPath, threads: kernel.threads, forward, backward, apply, dispose: () => kernel.dispose() };
}

/** Of kernel, recurrent kernel and bias. */
function weightSizes({ channels: C, units: U }: FusedLstmOptions): [number, number, number] {
  return [C * 4 * U, U * 4 * U, 4 * U];
}

function checkForward(options: FusedLstmOptions, x: ArrayLike<number>, lengths: Int32Array, weights: LstmWeights): void {
  const { channels: C, timesteps: T, maxBatch } = options;
  const B = lengths.length;
  if (B < 1 || B > maxBatch) throw new RangeError(`a batch takes 1 to ${maxBatch} sequences, got ${B}`);
  if (x.length !== B * T * C) throw new RangeError(`x must hold ${B} × ${T} × ${C} numbers, got ${x.length}`);
  if (lengths.some((length) => length < 0 || length > T)) throw new RangeError(`lengths must be between 0 and ${T}`);
  const sizes = weightSizes(options);
  for (const [k, name] of (["kernel", "recurrent", "bias"] as const).entries())
    if (weights[name].length !== sizes[k]) throw new RangeError(`${name} must hold ${sizes[k]} numbers, got ${weights[name].length}`);
}
