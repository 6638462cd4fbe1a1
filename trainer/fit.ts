// The training loop: epochs, early stopping that keeps the best weights, a learning rate that falls on a plateau.
// Knows sequences only by index, and the network only as something that steps.
import type { Random } from "./random.ts";

/** One network with its optimizer, over a data set it holds. Parameters are one flat float32 buffer. */
export interface Stepper {
  /** Which arithmetic computes: with data, seed and version it fixes every bit. */
  readonly path: string;
  /** One optimizer step on the mean log loss of the sequences at `indices`. Returns that loss, before the step. */
  step(indices: Int32Array, learningRate: number): number;
  /** Logits of the sequences at `indices`, with the parameters as they are. */
  logits(indices: Int32Array): Float32Array;
  getParameters(): Float32Array;
  setParameters(parameters: Float32Array): void;
  dispose(): void;
}

export interface FitOptions {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** (N) 0 or 1, of the whole data set. */
  readonly labels: Uint8Array;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Epochs without a better validation loss before the learning rate is halved. */
  readonly plateau: number;
  /** Epochs without a better validation loss before training stops. */
  readonly patience: number;
  readonly random: Random;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Sequences seen in this epoch, and in a whole one. */
  readonly seen: number;
  readonly total: number;
  /** Mean over the batches of this epoch so far. */
  readonly trainLoss: number;
  /** Of the last finished epoch; NaN before there is one. */
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

export interface Fit {
  /** The flat parameters of the epoch with the lowest validation loss. */
  readonly parameters: Float32Array;
  /** 1-based; 0 when the initial weights were never bettered. */
  readonly bestEpoch: number;
  readonly history: readonly EpochRecord[];
}

/** A better validation loss must be better by more than rounding. */
const MIN_IMPROVEMENT = 1e-5;

/** Trains until the validation loss stops falling. The best weights are returned, not the last. */
export function fitNetwork(stepper: Stepper, options: FitOptions): Fit {
  const { train, validation, labels, epochs, batch, plateau, patience, random, onProgress } = options;
  let learningRate = options.learningRate;
  let best = { loss: meanLogLoss(stepper.logits(validation), labels, validation), parameters: stepper.getParameters(), epoch: 0 };
  let validationLoss = best.loss;
  const history: EpochRecord[] = [];
  const order = train.slice();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    random.shuffle(order);
    let lossSum = 0;
    const report = (seen: number, isEpochEnd: boolean): void =>
      onProgress?.({ epoch, epochs, seen, total: order.length, trainLoss: lossSum / seen, validationLoss, learningRate, isEpochEnd });
    for (let at = 0; at < order.length; at += batch) {
      const indices = order.subarray(at, at + batch);
      lossSum += stepper.step(indices, learningRate) * indices.length;
      report(at + indices.length, false);
    }
    validationLoss = meanLogLoss(stepper.logits(validation), labels, validation);
    history.push({ trainLoss: lossSum / order.length, validationLoss, learningRate });
    report(order.length, true);
    if (validationLoss < best.loss - MIN_IMPROVEMENT) best = { loss: validationLoss, parameters: stepper.getParameters(), epoch };
    const stale = epoch - best.epoch;
    if (stale >= patience) break;
    if (stale > 0 && stale % plateau === 0) learningRate /= 2;
  }
  return { parameters: best.parameters, bestEpoch: best.epoch, history };
}

/** Mean binary cross-entropy in nats from logits, stable for any logit. */
export function meanLogLoss(logits: Float32Array, labels: Uint8Array, indices: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const z = logits[i];
    sum += Math.max(z, 0) - z * labels[indices[i]] + Math.log1p(Math.exp(-Math.abs(z)));
  }
  return sum / logits.length;
}
