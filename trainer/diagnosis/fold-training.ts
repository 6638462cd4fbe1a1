// One training run: a network from its first weights through a fixed number of steps on one fold's training part, with the held-out
// part looked at along the way. Legend: M sequences of the sample, H of them held out, T steps, C channels, U units.
import { FitError } from "../../shared/errors.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { mean } from "../statistics/descriptive.ts";
import { logLossOfLogit } from "../statistics/log-loss.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork } from "../training/parameters.ts";
import type { Stepper } from "../training/stepper.ts";
import type { TrainingSetup } from "./experiment-setup.ts";
import type { Fold } from "./folds.ts";
import type { DiagnosisDependencies } from "./input.ts";
import { saturation } from "./tensors.ts";

export interface FoldTraining {
  /** (M,T,C) */
  readonly channels: Channels;
  readonly width: number;
  readonly timesteps: number;
  /** (M) */
  readonly labels: Uint8Array;
  readonly fold: Fold;
  readonly training: TrainingSetup;
  readonly seed: number;
}

export interface FoldRun {
  /** (H) logits of the last checkpoint; of the best, which the other half of the held-out sequences chose. */
  readonly last: Float32Array;
  readonly best: Float32Array;
  readonly trainLoss: number;
  readonly curve: readonly number[];
  readonly updateRatio: number;
  readonly saturation: number;
}

/** Shares of the steps after which the held-out sequences are looked at. */
export const CHECKPOINTS = [0.03, 0.06, 0.12, 0.2, 0.35, 0.5, 0.75, 1];
/** From this share of the steps on, losses count as those of the end; the step there tells how far weights move. */
const NEAR_THE_END = 0.9;
/** Sequences whose gates are looked into. */
const MAX_GATE_SEQUENCES = 30;
/** Gradients with a larger global norm are scaled down to it, as in training. */
const CLIP_NORM = 1;
/** Beyond, a probability is 0 or 1 in float32. */
const MAX_LOGIT = 30;

/** Trains and disposes of the network. A loss that is not finite ends the run: what was reached stands. */
export function trainFold(input: FoldTraining, createStepper: DiagnosisDependencies["createStepper"]): FoldRun {
  const { channels, width, timesteps, labels, fold, training, seed } = input;
  const { optimizer, units } = training;
  const batch = Math.min(training.batch, fold.train.length);
  const stepper = createStepper(
    { ...channels, labels },
    { channels: width, timesteps, units, maxBatch: Math.max(batch, 64), optimizer, clipNorm: CLIP_NORM, weightDecay: 0 },
  );
  try {
    const initial = initialNetwork(width, units, positiveRate(labels, fold.train), createRandom(seed, STREAMS.experimentWeights));
    stepper.setParameters(flattenNetwork(initial));
    const { checkpoints, trainLoss, updateRatio } = runSteps(stepper, fold, training, batch, createRandom(seed, STREAMS.experimentOrder));
    const { heldOut } = fold;
    return {
      last: checkpoints[checkpoints.length - 1],
      best: chooseCrosswise(checkpoints, heldOut, labels),
      trainLoss,
      curve: checkpoints.map((logits) => mean(Array.from(heldOut, (n, i) => logLossOfLogit(labels[n], logits[i])))),
      updateRatio,
      saturation: saturation(
        unflattenNetwork(width, units, stepper.getParameters()),
        channels,
        timesteps,
        heldOut.subarray(0, MAX_GATE_SEQUENCES),
      ),
    };
  } finally {
    stepper.dispose();
  }
}

/** Kept off 0 and 1 by half a sequence: the head's bias starts at its logit. */
function positiveRate(labels: Uint8Array, train: Int32Array): number {
  const positives = train.reduce((sum, n) => sum + labels[n], 0);
  return Math.max(0.5, Math.min(train.length - 0.5, positives)) / train.length;
}

interface Course {
  /** One more than CHECKPOINTS: the first before any step; after a loss that is not finite, the last one again. */
  readonly checkpoints: readonly Float32Array[];
  /** Mean over the last tenth of the steps; NaN where none of them was reached. */
  readonly trainLoss: number;
  /** 0 where the step was not reached. */
  readonly updateRatio: number;
}

function runSteps(stepper: Stepper, { train, heldOut }: Fold, training: TrainingSetup, batch: number, random: Random): Course {
  const { steps } = training;
  const batches = dealBatches(train, batch, random);
  const checkpoints = [clampLogits(stepper.logits(heldOut))];
  const lastLosses: number[] = [];
  let updateRatio = 0;
  for (let step = 0; step < steps; step++) {
    const before = step === Math.floor(NEAR_THE_END * steps) ? stepper.getParameters() : undefined;
    const loss = finiteLoss(() => stepper.step(batches.next().value, rateAt(step, training)));
    if (loss === undefined) break;
    if (step >= NEAR_THE_END * steps) lastLosses.push(loss);
    if (before) updateRatio = relativeChange(before, stepper.getParameters());
    if (CHECKPOINTS.some((share) => Math.ceil(share * steps) === step + 1)) checkpoints.push(clampLogits(stepper.logits(heldOut)));
  }
  while (checkpoints.length <= CHECKPOINTS.length) checkpoints.push(checkpoints[checkpoints.length - 1]);
  return { checkpoints, trainLoss: mean(lastLosses), updateRatio };
}

/** Batches without end; shuffles at the start, and whenever what is left is no whole batch. Each is a view of one buffer. */
function* dealBatches(train: Int32Array, batch: number, random: Random): Generator<Int32Array, never> {
  const order = train.slice();
  while (true) {
    random.shuffle(order);
    for (let at = 0; at + batch <= order.length; at += batch) yield order.subarray(at, at + batch);
  }
}

function rateAt(step: number, { rate, schedule, steps }: TrainingSetup): number {
  return rate * (schedule === "constant" ? 1 : Math.min(1, (10 * (step + 1)) / steps) * (1 - step / steps));
}

/** Undefined where the step says that the loss is not finite. */
function finiteLoss(step: () => number): number | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof FitError) return undefined;
    throw error;
  }
}

/** Each half of the held-out sequences is answered by the checkpoint that is best on the other half: nothing chooses for itself. */
function chooseCrosswise(checkpoints: readonly Float32Array[], heldOut: Int32Array, labels: Uint8Array): Float32Array {
  const half = heldOut.length >> 1;
  const bestOn = (from: number, to: number): Float32Array => {
    const losses = checkpoints.map((logits) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += logLossOfLogit(labels[heldOut[i]], logits[i]);
      return sum;
    });
    return checkpoints[losses.indexOf(Math.min(...losses))];
  };
  const out = new Float32Array(heldOut.length);
  out.set(bestOn(half, heldOut.length).subarray(0, half));
  out.set(bestOn(0, half).subarray(half), half);
  return out;
}

/** Logits that stay comparable: within ±MAX_LOGIT, and 0 for what is not a number. */
function clampLogits(logits: Float32Array): Float32Array {
  return logits.map((z) => (Number.isNaN(z) ? 0 : Math.max(-MAX_LOGIT, Math.min(MAX_LOGIT, z))));
}

/** Size of the change, as a share of the size before. */
function relativeChange(before: Float32Array, after: Float32Array): number {
  let [moved, size] = [0, 0];
  for (let p = 0; p < before.length; p++) {
    moved += (after[p] - before[p]) ** 2;
    size += before[p] ** 2;
  }
  return Math.sqrt(moved / size);
}
