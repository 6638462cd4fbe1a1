// The training loop: epochs, early stopping that keeps the best weights, a learning rate that falls on a plateau. Can be left
// after any step and taken up again there, with the same bytes in the end. Knows sequences only by index, and the network only
// as something that steps.
import { FitError } from "../../shared/errors.ts";
import { logLossesOfLogits } from "../statistics/log-loss.ts";
import { exceedsNoise, mean } from "../statistics/paired.ts";

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
  readonly units: number;
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
  /** (N) */
  readonly labels: ArrayLike<number>;
}

/** Makes a stepper over a data set; the caller disposes of it. Throws LimitError where memory does not suffice. */
export type CreateStepper = (data: StepperData, options: StepperOptions) => Stepper;

export interface FitOptions {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** (N) 0 or 1, of the whole data set. */
  readonly labels: Uint8Array;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Validation sequences closer than this share rows and are not independent; 0 when none do. */
  readonly gap: number;
  /** `cosine`: the learning rate rises over the first twentieth of all steps and falls to zero with the last (Loshchilov & Hutter 2017). */
  readonly schedule: "constant" | "cosine";
  /** Epochs without a better validation loss before the learning rate is halved. */
  readonly learningRatePatience: number;
  /** Epochs without a better validation loss before training stops. */
  readonly patience: number;
  /** Reorders the sequences of an epoch (from 1), in place, by that epoch's own seed. */
  readonly shuffle: (order: Int32Array, epoch: number) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Called after every step; may take a snapshot, and may keep the loop waiting. */
  readonly afterStep?: (snapshot: () => FitState) => Promise<void> | undefined;
  /** Called before a FitError leaves, with the state before the step that failed. */
  readonly onFailure?: (state: FitState) => void;
  /** Called at the end, with a state from which nothing is left to do. */
  readonly onEnd?: (state: FitState) => void;
  /** Where to go on. */
  readonly from?: FitState;
}

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Sequences seen in this epoch, and in a whole one. */
  readonly seen: number;
  readonly total: number;
  /** Mean over the batches of this epoch so far. */
  readonly trainLoss: number;
  /** Of the last finished epoch; of the initial weights before there is one. */
  readonly validationLoss: number;
  readonly learningRate: number;
  /** Whether this call ends an epoch. */
  readonly isEpochEnd: boolean;
}

export interface EpochRecord {
  readonly trainLoss: number;
  readonly validationLoss: number;
  readonly learningRate: number;
}

/** The epoch with the lowest validation loss. */
interface Best {
  readonly epoch: number;
  readonly loss: number;
  /** (validation) float32, so that a checkpoint keeps every bit */
  readonly losses: Float32Array;
}

/** The weights to be returned. */
interface Kept {
  readonly epoch: number;
  readonly loss: number;
  readonly parameters: Float32Array;
}

/** Everything the loop knows between two steps. */
export interface FitState {
  readonly epoch: number;
  /** Sequences of the epoch already seen. */
  readonly seen: number;
  readonly lossSum: number;
  readonly learningRate: number;
  readonly validationLoss: number;
  readonly history: readonly EpochRecord[];
  readonly best: Best;
  readonly kept: Kept;
  readonly parameters: Float32Array;
  readonly optimizer: OptimizerState;
}

export interface Fit {
  /** The flat parameters of the epoch that is kept. */
  readonly parameters: Float32Array;
  /** 1-based; 0 when the initial weights were never bettered. */
  readonly bestEpoch: number;
  /** Validation loss of the returned parameters. */
  readonly validationLoss: number;
  readonly history: readonly EpochRecord[];
}

/** A better validation loss must be better by more than rounding. */
const MIN_IMPROVEMENT = 1e-5;

/**
 * Trains until the validation loss stops falling. Returned are the weights of the best epoch, not of the last; where the learning
 * rate falls by a schedule, those of the latest epoch that is not worse than the best by more than noise, since the best of many
 * noisy figures is often an early accident.
 */
export async function fitNetwork(stepper: Stepper, options: FitOptions): Promise<Fit> {
  const {
    train,
    validation,
    labels,
    epochs,
    batch,
    schedule,
    gap,
    learningRatePatience,
    patience,
    shuffle,
    onProgress,
    afterStep,
    onFailure,
    onEnd,
    from,
  } = options;
  if (from) {
    stepper.setParameters(from.parameters);
    stepper.setOptimizer(from.optimizer);
  }
  const validate = (): Float32Array => logLossesOfLogits(labels, stepper.logits(validation), validation);
  const initial = from === undefined ? validate() : undefined;
  let validationLoss = from?.validationLoss ?? mean(initial ?? []);
  let best: Best = from?.best ?? { epoch: 0, loss: validationLoss, losses: initial ?? new Float32Array(0) };
  let kept: Kept = from?.kept ?? { epoch: 0, loss: validationLoss, parameters: stepper.getParameters() };
  let learningRate = from?.learningRate ?? options.learningRate;
  const history = [...(from?.history ?? [])];
  for (let epoch = from?.epoch ?? 1; epoch <= epochs; epoch++) {
    const order = train.slice();
    shuffle(order, epoch);
    const resumed = from?.epoch === epoch ? from : undefined;
    let lossSum = resumed?.lossSum ?? 0;
    let seen = resumed?.seen ?? 0;
    const report = (isEpochEnd: boolean): void =>
      onProgress?.({ epoch, epochs, seen, total: order.length, trainLoss: lossSum / seen, validationLoss, learningRate, isEpochEnd });
    const snapshot = (): FitState => ({
      epoch,
      seen,
      lossSum,
      learningRate,
      validationLoss,
      history: [...history],
      best,
      kept,
      parameters: stepper.getParameters(),
      optimizer: stepper.getOptimizer(),
    });
    while (seen < order.length) {
      const indices = order.subarray(seen, seen + batch);
      const done = (epoch - 1 + seen / order.length) / epochs;
      try {
        lossSum += stepper.step(indices, learningRate * (schedule === "cosine" ? cosine(done) : 1)) * indices.length;
      } catch (error) {
        if (error instanceof FitError) onFailure?.(snapshot()); // nothing was updated: these are the last good weights
        throw error;
      }
      seen += indices.length;
      report(false);
      const wait = afterStep?.(snapshot);
      if (wait) await wait; // not when there is nothing to wait for: a step may be shorter than a turn of the event loop
    }
    const losses = validate();
    validationLoss = mean(losses);
    history.push({ trainLoss: lossSum / order.length, validationLoss, learningRate });
    report(true);
    const isBest = validationLoss < best.loss - MIN_IMPROVEMENT;
    if (isBest) best = { epoch, loss: validationLoss, losses };
    if (isBest || (schedule === "cosine" && best.epoch > 0 && !exceedsNoise(losses, best.losses, gap)))
      kept = { epoch, loss: validationLoss, parameters: stepper.getParameters() };
    const stale = epoch - best.epoch;
    if (stale >= patience) break;
    if (stale > 0 && stale % learningRatePatience === 0) learningRate /= 2;
  }
  onEnd?.({
    epoch: epochs + 1,
    seen: 0,
    lossSum: 0,
    learningRate,
    validationLoss,
    history,
    best,
    kept,
    parameters: kept.parameters,
    optimizer: stepper.getOptimizer(),
  });
  return { parameters: kept.parameters, bestEpoch: kept.epoch, validationLoss: kept.loss, history };
}

const WARM_UP = 0.05;

/** The share of the learning rate after the share `done` of all steps. */
function cosine(done: number): number {
  return Math.min(1, (done + 0.002) / WARM_UP) * 0.5 * (1 + Math.cos(Math.PI * done));
}
