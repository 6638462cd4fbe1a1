// Short training runs that differ in one thing: on the folds of a sample, all within one budget, counted in sequences.
// Legend: M sequences of the sample, T steps, C channels, U units.

import { FitError } from "../../shared/errors.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Channels, Log } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { mean } from "../statistics/descriptive.ts";
import { logLossOfLogit } from "../statistics/log-loss.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork } from "../training/parameters.ts";
import type { DiagnosisHost } from "./diagnose.ts";
import type { Fold } from "./folds.ts";
import { examineTensors, saturation, type Tensors } from "./tensors.ts";

/** What the network is given. */
export interface View {
  readonly padding: Padding;
  /** Whether the levels are there, where anything else is. */
  readonly levels: boolean;
  /** Levels standardised; and whatever else there is. */
  readonly scaled: boolean;
  readonly addedScaled: boolean;
  readonly movement: boolean;
  readonly difference: boolean;
}

/** How it is trained. */
export interface Regime {
  readonly optimizer: "adam" | "rmsprop";
  readonly units: number;
  readonly batch: number;
  readonly steps: number;
  readonly rate: number;
  /** `cycle`: the rate rises over a tenth of the steps, then falls to zero. */
  readonly schedule: "cycle" | "constant";
  /** Answers with the best checkpoint instead of the last. */
  readonly stops: boolean;
}

export interface Setup {
  readonly view: View;
  readonly regime: Regime;
}

/** How one setup did on all folds. */
export interface Run {
  /** (M) held-out losses in nats, mean over the runs that held a sequence out; NaN where none did. */
  readonly losses: Float64Array;
  /** The same of each seed. */
  readonly seeds: readonly Float64Array[];
  readonly loss: number;
  /** (M) probabilities. */
  readonly probabilities: Float64Array;
  /** Loss on the sequences trained on, over the last tenth of the steps. */
  readonly trainLoss: number;
  /** Mean held-out loss at each checkpoint, the first before any step. */
  readonly curve: readonly number[];
  /** Mean change of a weight in one of the last steps, as a share of the weight (about 1e-3 where training goes well). */
  readonly updateRatio: number;
  /** Share of gates below 0.05 or above 0.95 in the end. */
  readonly saturation: number;
}

export interface Lab {
  run(setup: Setup): Promise<Run>;
  /** One small batch by heart and a ramp of learning rates, on the first fold. */
  examine(setup: Setup): Tensors;
}

export interface LabInput {
  /** (M,T,F) */
  readonly values: Float64Array;
  readonly labels: Uint8Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly folds: readonly Fold[];
  readonly channels: readonly Channel[];
  /** Channels beyond the levels, as positions in `channels`; differences are those that each fold chose for itself. */
  readonly movement: readonly number[];
  readonly difference: readonly (readonly number[])[];
  readonly seed: number;
  readonly host: DiagnosisHost;
}

/** Shares of the steps after which the held-out sequences are looked at. */
export const CHECKPOINTS = [0.03, 0.06, 0.12, 0.2, 0.35, 0.5, 0.75, 1];
/** Sequences whose gates are looked into. */
const LOOKED_INTO = 30;
/** Gradients with a larger global norm are scaled down to it, as in training. */
const CLIP_NORM = 1;

export function createLab(input: LabInput): Lab {
  const { values, labels, shape, features, folds, channels, seed, host } = input;
  const { timesteps: T, features: F } = shape;
  const tables = new Map<string, Channels>();
  const known = new Map<string, FoldRun>();

  const tableOf = (k: number, padding: Padding, standardise: boolean, columns: readonly number[]): Channels => {
    const key = `${k} ${padding} ${standardise} ${columns}`;
    const found =
      tables.get(key) ??
      prepare(
        values,
        columns.map((c) => channels[c]),
        shape,
        features,
        padding,
        standardise,
        folds[k].train,
        host.log,
      );
    tables.set(key, found);
    return found;
  };
  const dataOf = (k: number, view: View): { channels: Channels; width: number } => {
    const levels = Array.from({ length: F }, (_, f) => f);
    const added = [...(view.movement ? input.movement : []), ...(view.difference ? input.difference[k] : [])];
    if (added.length > 0 && !view.levels) return { channels: tableOf(k, view.padding, view.addedScaled, added), width: added.length };
    if (added.length === 0 || view.scaled === view.addedScaled) {
      const columns = [...levels, ...added];
      return { channels: tableOf(k, view.padding, view.scaled, columns), width: columns.length };
    }
    const [a, b] = [tableOf(k, view.padding, view.scaled, levels), tableOf(k, view.padding, view.addedScaled, added)];
    return { channels: { ...a, channels: beside(a.channels, b.channels, F, added.length) }, width: F + added.length };
  };

  const examine = ({ view, regime }: Setup): Tensors => {
    const { channels: data, width } = dataOf(0, view);
    return examineTensors({ data, labels, width, timesteps: T, train: folds[0].train, regime, seed }, host);
  };
  const run = async ({ view, regime }: Setup): Promise<Run> => {
    const count = Math.max(...folds.map((fold) => fold.seed)) + 1;
    const losses = Array.from({ length: count }, () => new Float64Array(labels.length).fill(Number.NaN));
    const probabilities = losses.map((of) => of.slice());
    const runs: FoldRun[] = [];
    for (const [k, fold] of folds.entries()) {
      await host.yieldToEventLoop();
      const { channels: data, width } = dataOf(k, view);
      const hasAdded = width > F;
      const seen = {
        ...view,
        movement: view.movement && input.movement.length > 0,
        difference: view.difference && input.difference[k].length > 0,
      };
      const { stops, ...way } = regime;
      const key = JSON.stringify([k, hasAdded ? seen : { ...seen, addedScaled: seen.scaled }, way]);
      const run = known.get(key) ?? train(data, width, T, labels, fold, regime, seed + 31 * k + fold.seed, host);
      known.set(key, run);
      runs.push(run);
      const logits = stops ? run.best : run.last;
      fold.held.forEach((n, i) => {
        losses[fold.seed][n] = logLossOfLogit(labels[n], logits[i]);
        probabilities[fold.seed][n] = 1 / (1 + Math.exp(-logits[i]));
      });
    }
    const all = average(losses);
    return {
      losses: all,
      seeds: losses,
      probabilities: average(probabilities),
      loss: mean(all.filter((loss) => !Number.isNaN(loss))),
      trainLoss: mean(runs.map(({ trainLoss }) => trainLoss)),
      curve: runs[0].curve.map((_, i) => mean(runs.map(({ curve }) => curve[i]))),
      updateRatio: mean(runs.map(({ updateRatio }) => updateRatio)),
      saturation: mean(runs.map((of) => of.saturation)),
    };
  };
  return { run, examine };
}

interface FoldRun {
  /** (held) logits of the last checkpoint; of the best, which the other half of the held-out sequences chose. */
  readonly last: Float32Array;
  readonly best: Float32Array;
  readonly trainLoss: number;
  readonly curve: readonly number[];
  readonly updateRatio: number;
  readonly saturation: number;
}

function train(
  data: Channels,
  width: number,
  T: number,
  labels: Uint8Array,
  { train: own, held }: Fold,
  regime: Regime,
  seed: number,
  host: DiagnosisHost,
): FoldRun {
  const { optimizer, units, steps, rate, schedule } = regime;
  const batch = Math.min(regime.batch, own.length);
  const positives = own.reduce((sum, n) => sum + labels[n], 0);
  const base = Math.max(0.5, Math.min(own.length - 0.5, positives)) / own.length;
  const options = { channels: width, timesteps: T, units, maxBatch: Math.max(batch, 64), optimizer, clipNorm: CLIP_NORM, weightDecay: 0 };
  const stepper = host.createStepper({ ...data, labels }, options);
  try {
    stepper.setParameters(flattenNetwork(initialNetwork(width, units, base, createRandom(seed, STREAMS.experimentWeights))));
    const random = createRandom(seed, STREAMS.experimentOrder);
    const order = own.slice();
    random.shuffle(order);
    const checkpoints = [finite(stepper.logits(held))];
    let trainSum = 0;
    let trainCount = 0;
    let updateRatio = 0;
    for (let step = 0, at = 0; step < steps; step++, at += batch) {
      if (at + batch > order.length) {
        random.shuffle(order);
        at = 0;
      }
      const share = schedule === "constant" ? 1 : Math.min(1, (10 * (step + 1)) / steps) * (1 - step / steps);
      const before = step === Math.floor(0.9 * steps) ? stepper.getParameters() : undefined;
      try {
        const loss = stepper.step(order.subarray(at, at + batch), rate * share);
        if (step >= 0.9 * steps) {
          trainSum += loss;
          trainCount++;
        }
      } catch (error) {
        if (!(error instanceof FitError)) throw error;
        break; // the loss is not finite: what was reached stands
      }
      if (before) updateRatio = ratio(before, stepper.getParameters());
      if (CHECKPOINTS.some((share) => Math.ceil(share * steps) === step + 1)) checkpoints.push(finite(stepper.logits(held)));
    }
    while (checkpoints.length <= CHECKPOINTS.length) checkpoints.push(checkpoints[checkpoints.length - 1]);
    return {
      last: checkpoints[checkpoints.length - 1],
      best: chooseCrosswise(checkpoints, held, labels),
      trainLoss: trainCount === 0 ? Number.NaN : trainSum / trainCount,
      curve: checkpoints.map((logits) => mean(held.length === 0 ? [] : Array.from(held, (n, i) => logLossOfLogit(labels[n], logits[i])))),
      updateRatio,
      saturation: saturation(unflattenNetwork(width, units, stepper.getParameters()), data, T, held.subarray(0, LOOKED_INTO)),
    };
  } finally {
    stepper.dispose();
  }
}

/** Each half of the held-out sequences is answered by the checkpoint that is best on the other half: nothing chooses for itself. */
function chooseCrosswise(checkpoints: readonly Float32Array[], held: Int32Array, labels: Uint8Array): Float32Array {
  const half = held.length >> 1;
  const bestOn = (from: number, to: number): Float32Array => {
    const losses = checkpoints.map((logits) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += logLossOfLogit(labels[held[i]], logits[i]);
      return sum;
    });
    return checkpoints[losses.indexOf(Math.min(...losses))];
  };
  const out = new Float32Array(held.length);
  out.set(bestOn(half, held.length).subarray(0, half));
  out.set(bestOn(0, half).subarray(half), half);
  return out;
}

/** Logits that stay comparable: beyond ±30 a probability is 0 or 1 in float32, and what is not a number knows nothing. */
function finite(logits: Float32Array): Float32Array {
  return logits.map((z) => (Number.isNaN(z) ? 0 : Math.max(-30, Math.min(30, z))));
}

/** Place by place over those that are numbers. */
function average(arrays: readonly Float64Array[]): Float64Array {
  return arrays[0].map((_, i) => {
    const own = arrays.map((array) => array[i]).filter((x) => !Number.isNaN(x));
    return own.length === 0 ? Number.NaN : mean(own);
  });
}

function ratio(before: Float32Array, after: Float32Array): number {
  let [moved, size] = [0, 0];
  for (let p = 0; p < before.length; p++) {
    moved += (after[p] - before[p]) ** 2;
    size += before[p] ** 2;
  }
  return Math.sqrt(moved / size);
}

function prepare(
  values: Float64Array,
  channels: readonly Channel[],
  shape: Shape,
  features: readonly string[],
  padding: Padding,
  standardise: boolean,
  train: Int32Array,
  log: Log,
): Channels {
  return applyRecipe(fitRecipe({ timesteps: shape.timesteps, features, padding, channels, standardise }, values, train, log), values, log);
}

/** (rows,A) and (rows,B) to (rows,A+B). */
function beside(a: Float32Array, b: Float32Array, A: number, B: number): Float32Array {
  const rows = a.length / A;
  const out = new Float32Array(rows * (A + B));
  for (let row = 0; row < rows; row++) {
    out.set(a.subarray(row * A, (row + 1) * A), row * (A + B));
    out.set(b.subarray(row * B, (row + 1) * B), row * (A + B) + A);
  }
  return out;
}
