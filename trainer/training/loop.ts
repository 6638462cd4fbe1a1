// The training loop: epochs, early stopping that keeps the best weights, a learning rate that falls on a plateau. Can be left
// after any step and taken up again there, with the same bytes in the end. Knows sequences only by index, and the network only
// as something that steps.
import { FitError } from "../../shared/errors.ts";
import { mean } from "../statistics/descriptive.ts";
import type { Labels } from "../statistics/labels.ts";
import { logLossesOfLogits } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import type { OptimizerState, Stepper } from "./stepper.ts";

export interface FitOptions {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** (N) of the whole data set. */
  readonly labels: Labels;
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
  /** Whether, at the end of an epoch, the validation loss is above the lowest one beyond noise: two standard errors, paired. */
  readonly isWorse?: boolean;
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
  /** The epoch that is kept, from 1; 0 when the initial weights were never bettered. */
  readonly bestEpoch: number;
  /** The epoch with the lowest validation loss, likewise. */
  readonly lowestEpoch: number;
  /** Validation loss of the returned parameters. */
  readonly validationLoss: number;
  readonly history: readonly EpochRecord[];
}

/** A better validation loss must be better by more than rounding. */
const MIN_IMPROVEMENT = 1e-5;

/** Standard errors by which a validation loss is above the lowest one for certain. */
const WORSE = 2;

/** The state between two steps, as the loop moves it on. */
interface Loop {
  epoch: number;
  seen: number;
  lossSum: number;
  learningRate: number;
  validationLoss: number;
  readonly history: EpochRecord[];
  best: Best;
  kept: Kept;
}

/**
 * Trains until the validation loss stops falling. Returned are the weights of the best epoch, not of the last; where the learning
 * rate falls by a schedule, those of the latest epoch that is not worse than the best by more than noise, since the best of many
 * noisy losses is often an early accident. Throws FitError when a loss or a gradient is not finite.
 */
export async function fitNetwork(stepper: Stepper, options: FitOptions): Promise<Fit> {
  const { epochs, onEnd, from } = options;
  const loop = from === undefined ? startLoop(stepper, options) : resumeLoop(stepper, from);
  while (loop.epoch <= epochs) {
    await trainEpoch(loop, stepper, options);
    if (endEpoch(loop, stepper, options)) break;
    loop.epoch++;
    loop.seen = 0;
    loop.lossSum = 0;
  }
  const { kept, best, history } = loop;
  onEnd?.({ ...takeSnapshot({ ...loop, epoch: epochs + 1, seen: 0, lossSum: 0 }, stepper), parameters: kept.parameters });
  return { parameters: kept.parameters, bestEpoch: kept.epoch, lowestEpoch: best.epoch, validationLoss: kept.loss, history };
}

function startLoop(stepper: Stepper, options: FitOptions): Loop {
  const losses = validate(stepper, options);
  const loss = mean(losses);
  return {
    epoch: 1,
    seen: 0,
    lossSum: 0,
    learningRate: options.learningRate,
    validationLoss: loss,
    history: [],
    best: { epoch: 0, loss, losses },
    kept: { epoch: 0, loss, parameters: stepper.getParameters() },
  };
}

function resumeLoop(stepper: Stepper, { parameters, optimizer, ...from }: FitState): Loop {
  stepper.setParameters(parameters);
  stepper.setOptimizer(optimizer);
  return { ...from, history: [...from.history] };
}

function takeSnapshot(loop: Loop, stepper: Stepper): FitState {
  return { ...loop, history: [...loop.history], parameters: stepper.getParameters(), optimizer: stepper.getOptimizer() };
}

function validate(stepper: Stepper, { validation, labels }: FitOptions): Float32Array {
  return logLossesOfLogits(labels, stepper.logits(validation), validation);
}

/** The steps of an epoch that are left. */
async function trainEpoch(loop: Loop, stepper: Stepper, options: FitOptions): Promise<void> {
  const { train, epochs, batch, schedule, shuffle, afterStep, onFailure } = options;
  const order = train.slice();
  shuffle(order, loop.epoch);
  const snapshot = (): FitState => takeSnapshot(loop, stepper);
  while (loop.seen < order.length) {
    const indices = order.subarray(loop.seen, loop.seen + batch);
    const done = (loop.epoch - 1 + loop.seen / order.length) / epochs;
    try {
      loop.lossSum += stepper.step(indices, loop.learningRate * (schedule === "cosine" ? cosineRate(done) : 1)) * indices.length;
    } catch (error) {
      if (error instanceof FitError) onFailure?.(snapshot()); // nothing was updated: these are the last good weights
      throw error;
    }
    loop.seen += indices.length;
    reportProgress(loop, options, false);
    const wait = afterStep?.(snapshot);
    if (wait) await wait; // not when there is nothing to wait for: a step may be shorter than a turn of the event loop
  }
}

/** Validates, keeps what is best, lowers the learning rate. Returns whether patience has run out. */
function endEpoch(loop: Loop, stepper: Stepper, options: FitOptions): boolean {
  const { train, schedule, gap, learningRatePatience, patience } = options;
  const { epoch } = loop;
  const losses = validate(stepper, options);
  const loss = mean(losses);
  loop.validationLoss = loss;
  loop.history.push({ trainLoss: loop.lossSum / train.length, validationLoss: loss, learningRate: loop.learningRate });
  reportProgress(loop, options, true, exceedsNoise(losses, loop.best.losses, gap, WORSE));
  const isBest = loss < loop.best.loss - MIN_IMPROVEMENT;
  if (isBest) loop.best = { epoch, loss, losses };
  if (isBest || (schedule === "cosine" && loop.best.epoch > 0 && !exceedsNoise(losses, loop.best.losses, gap)))
    loop.kept = { epoch, loss, parameters: stepper.getParameters() };
  const stale = epoch - loop.best.epoch;
  if (stale >= patience) return true;
  if (stale > 0 && stale % learningRatePatience === 0) loop.learningRate /= 2;
  return false;
}

function reportProgress(loop: Loop, { epochs, train, onProgress }: FitOptions, isEpochEnd: boolean, isWorse = false): void {
  const { epoch, seen, lossSum, validationLoss, learningRate } = loop;
  onProgress?.({ epoch, epochs, seen, total: train.length, trainLoss: lossSum / seen, validationLoss, learningRate, isEpochEnd, isWorse });
}

const WARM_UP = 0.05;

/** The share of the learning rate after the share `done`, 0 to 1, of all steps of a cosine schedule. */
export function cosineRate(done: number): number {
  return Math.min(1, (done + 0.002) / WARM_UP) * 0.5 * (1 + Math.cos(Math.PI * done));
}
