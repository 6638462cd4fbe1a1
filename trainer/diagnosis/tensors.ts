// What the network's own numbers say: can it learn one small batch by heart, at which learning rates does its loss fall, do its gates
// still move. Symptoms, not causes: they are said beside the experiments. Legend: T steps, C channels, U units, G = 4U gates in order i,f,c,o.
import { FitError } from "../../shared/errors.ts";
import { type Network, sigmoid } from "../../shared/networks/lstm.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { selectChannels } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork } from "../training/parameters.ts";
import type { Stepper } from "../training/stepper.ts";
import type { TrainingSetup } from "./experiment-setup.ts";
import type { DiagnosisDependencies } from "./input.ts";

export interface Tensors {
  /** Log loss on one small balanced batch after 300 steps on it alone: near 0 where the numbers reach the network. */
  readonly batchLoss: number;
  /** Learning rates between which the loss of a short ramp falls; null where it falls nowhere. */
  readonly rates: readonly [low: number, high: number] | null;
}

export interface Subject {
  /** (M,T,C) */
  readonly data: Channels;
  readonly labels: Uint8Array;
  readonly width: number;
  readonly timesteps: number;
  /** Positions to train on. */
  readonly train: Int32Array;
  readonly training: TrainingSetup;
  readonly seed: number;
}

/** Karpathy's recipe: overfit a batch of a few examples. */
const BY_HEART = { sequences: 32, steps: 300, rate: 1e-2 };
/** The ramp of Smith 2017 (cyclical learning rates): exponentially from the one to the other. */
const RAMP = { low: 1e-6, high: 1, steps: 120, batch: 64, smoothing: 0.85 };
/** Longer sequences get fewer steps. */
const LONG = 64;
/** A fall of the smoothed loss that counts, as a share of what it starts from. */
const NOTICEABLE = 0.02;

/** Trains one network in a ramp of learning rates, and one on a single batch. A loss that is not finite ends a run and is no error. */
export function examineTensors(subject: Subject, createStepper: DiagnosisDependencies["createStepper"]): Tensors {
  const { labels, timesteps, width, training, seed } = subject;
  const shuffled = subject.train.slice();
  createRandom(seed, STREAMS.tensorsOrder).shuffle(shuffled);
  const rampSteps = scaledSteps(RAMP.steps, timesteps);
  const positions = shuffled.subarray(0, rampSteps * RAMP.batch);
  const [channels, lengths] = selectChannels(subject.data, positions, timesteps * width);
  const { optimizer, units } = training;
  const initial = flattenNetwork(initialNetwork(width, units, 0.5, createRandom(seed, STREAMS.tensorsWeights)));
  const stepper = createStepper(
    { channels, lengths, labels: Uint8Array.from(positions, (n) => labels[n]) },
    { channels: width, timesteps, units, maxBatch: RAMP.batch, optimizer, clipNorm: 1, weightDecay: 0 },
  );
  try {
    stepper.setParameters(initial);
    const rates = fallingRates(rampLosses(stepper, lengths.length, rampSteps));
    stepper.setParameters(initial);
    stepper.setOptimizer({ steps: 0, moments: new Float32Array(2 * initial.length) });
    const batch = balancedBatch(shuffled, labels, positions);
    const losses = walk(scaledSteps(BY_HEART.steps, timesteps), () => stepper.step(batch, BY_HEART.rate));
    return { batchLoss: mean(losses.slice(-10)), rates };
  } finally {
    stepper.dispose();
  }
}

function scaledSteps(count: number, timesteps: number): number {
  return Math.max(40, Math.round(count * Math.min(1, LONG / timesteps)));
}

/** One step a learning rate, from RAMP.low to RAMP.high, on the next batch of `examples` sequences. */
function rampLosses(stepper: Stepper, examples: number, steps: number): number[] {
  const size = Math.min(RAMP.batch, examples);
  return walk(steps, (step) => {
    const from = (step * RAMP.batch) % Math.max(1, examples - RAMP.batch + 1);
    const rate = RAMP.low * (RAMP.high / RAMP.low) ** (step / (steps - 1));
    return stepper.step(
      Int32Array.from({ length: size }, (_, i) => from + i),
      rate,
    );
  });
}

/** The first sequences of either label, as places among `positions`; 0 for what is not among them. */
function balancedBatch(shuffled: Int32Array, labels: Uint8Array, positions: Int32Array): Int32Array {
  const half = BY_HEART.sequences / 2;
  const batch = [0, 1].flatMap((label) => Array.from(shuffled.filter((n) => labels[n] === label).subarray(0, half)));
  const indexOf = new Map(Array.from(positions, (n, i) => [n, i]));
  return Int32Array.from(batch, (n) => indexOf.get(n) ?? 0);
}

/** Losses of so many steps, or until one is not finite. */
function walk(steps: number, step: (step: number) => number): number[] {
  const losses: number[] = [];
  try {
    for (let k = 0; k < steps; k++) losses.push(step(k));
  } catch (error) {
    if (!(error instanceof FitError)) throw error;
  }
  return losses;
}

function fallingRates(losses: readonly number[]): readonly [number, number] | null {
  let [sum, weight] = [0, 0];
  const smooth = losses.map((loss) => {
    sum = RAMP.smoothing * sum + loss;
    weight = RAMP.smoothing * weight + 1;
    return sum / weight;
  });
  const settled = smooth.slice(10); // before, one batch's chance
  if (settled.length === 0) return null;
  const lowest = settled.indexOf(Math.min(...settled));
  const start = mean(settled.slice(0, 10));
  const falls = settled.findIndex((loss) => loss < (1 - NOTICEABLE) * start);
  if (falls < 0 || falls > lowest) return null;
  const rateAt = (i: number): number => RAMP.low * (RAMP.high / RAMP.low) ** ((i + 10) / (losses.length - 1));
  return [rateAt(falls), rateAt(lowest)];
}

/** Share of the gates i, f and o that stand below 0.05 or above 0.95 over valid steps of the sequences at `indices`. */
export function saturation(network: Network, data: Channels, T: number, indices: Int32Array): number {
  const { channels: C, units: U, kernel, recurrent, bias } = network;
  let [saturated, count] = [0, 0];
  for (const n of indices) {
    let h = new Float64Array(U);
    const c = new Float64Array(U);
    for (let t = 0; t < data.lengths[n]; t++) {
      const gates = Float64Array.from(bias); // (4U)
      const at = (n * T + t) * C;
      for (let j = 0; j < C; j++) for (let g = 0; g < 4 * U; g++) gates[g] += data.channels[at + j] * kernel[j * 4 * U + g];
      for (let j = 0; j < U; j++) for (let g = 0; g < 4 * U; g++) gates[g] += h[j] * recurrent[j * 4 * U + g];
      h = h.map((_, u) => {
        const [i, f, o] = [sigmoid(gates[u]), sigmoid(gates[U + u]), sigmoid(gates[3 * U + u])];
        for (const gate of [i, f, o]) if (gate < 0.05 || gate > 0.95) saturated++;
        count += 3;
        c[u] = f * c[u] + i * Math.tanh(gates[2 * U + u]);
        return o * Math.tanh(c[u]);
      });
    }
  }
  return count === 0 ? 0 : saturated / count;
}
