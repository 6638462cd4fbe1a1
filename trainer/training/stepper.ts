// The contract of a network that steps: what the loop, the feature search, the teachers and the experiments train. step.ts implements
// it on the training kernel; tests bring stubs. Legend: N sequences, T steps, C channels, U units, P parameters.
import type { LayerSpec } from "./layer-spec.ts";

/** One network with its optimizer, over a data set it holds. Parameters are one flat float32 buffer. */
export interface Stepper {
  /** Which arithmetic computes: with data, seed and version it fixes every bit. */
  readonly simdPath: string;
  /**
   * One optimizer step on the mean log loss of the sequences at `indices`. Returns that loss, before the step.
   * Throws FitError, and leaves all as it was, when the loss or a gradient is not finite.
   */
  step(indices: Int32Array, learningRate: number): number;
  /** Logits of any number of sequences, with the parameters as they are. The same bits whatever else is asked for. */
  logits(indices: Int32Array): Float32Array;
  getParameters(): Float32Array;
  setParameters(parameters: Float32Array): void;
  getOptimizer(): OptimizerState;
  setOptimizer(state: OptimizerState): void;
  /** Ends what it started, threads above all. */
  dispose(): void;
}

/** What an optimizer remembers: (2P) first and second moments in the parameters' order, after so many steps. */
export interface OptimizerState {
  readonly steps: number;
  readonly moments: Float32Array;
}

/** What a stepper is made for. */
export interface StepperOptions {
  /** C, T and U. */
  readonly channels: number;
  readonly timesteps: number;
  /** Of an LSTM under a dense layer; not looked at where `layers` are given. */
  readonly units: number;
  /** A network of these layers instead. `seed`: what dropout drops. */
  readonly layers?: { readonly specs: readonly LayerSpec[]; readonly seed: number };
  /** Sequences of one step at most. */
  readonly maxBatch: number;
  /** As Keras defines them: adam with β 0.9 and 0.999, rmsprop with ρ 0.9, both ε 1e-7. */
  readonly optimizer: "adam" | "rmsprop";
  /** Gradients with a larger global norm are scaled down to it. */
  readonly clipNorm: number;
  /** Decoupled (Loshchilov & Hutter 2019): weights shrink by learning rate × this, biases do not. */
  readonly weightDecay: number;
  /** (C) What to call a channel in errors. */
  readonly names?: readonly string[];
}

/** Sequences as the recipe leaves them, with what the probability should be: 0, 1, or a softer target between them. */
export interface StepperData {
  /** (N,T,C) left-aligned */
  readonly channels: Float32Array;
  /** (N) valid rows, 0 … T */
  readonly lengths: Int32Array;
  /** (N) from 0 to 1, held as float32: a teacher's are between. */
  readonly labels: ArrayLike<number>;
  /** Sequences behind these, from index N on. */
  readonly further?: FurtherData;
}

/** M sequences that are written to where they are needed, and stand nowhere else. */
export interface FurtherData {
  /** M */
  readonly count: number;
  /** (M) */
  readonly labels: ArrayLike<number>;
  /** Writes (M,T,C) channels, left-aligned, and (M) valid rows. */
  fill(channels: Float32Array, lengths: Int32Array): void;
}

/** Makes a stepper over a data set; the caller disposes of it. Throws LimitError where memory does not suffice. */
export type CreateStepper = (data: StepperData, options: StepperOptions) => Stepper;
