// From channels to a network: the settings that fit the data's size, one training run or two, and the better of them.
// Legend: N sequences, T steps, C channels.
import type { Network } from "../../shared/networks/lstm.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { take } from "../data/sequences.ts";
import { distil } from "../features/candidate-evaluation.ts";
import { fitTeacher, teacherColumns } from "../features/logistic-teacher.ts";
import type { DistillationTarget } from "../features/search.ts";
import { computeSummaryFeatures, fitSummaryMlp, summaryMlpBudget } from "../features/summary-teacher.ts";
import { logitOf, logLossesOfLogits, logLossOfLogit } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { Checkpointing } from "../training/checkpoint.ts";
import { type Fit, fitNetwork, type Progress } from "../training/loop.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork } from "../training/parameters.ts";
import type { CreateStepper } from "../training/stepper.ts";

export interface Settings {
  readonly units: number;
  readonly batch: number;
  readonly epochs: number;
  readonly optimizer: "adam" | "rmsprop";
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly schedule: "constant" | "cosine";
  readonly learningRatePatience: number;
  readonly patience: number;
}

/** What Keras users start from, and the design's case: it is kept to be compared with. */
export const PLAIN_SETTINGS: Settings = {
  units: 100,
  batch: 1000,
  epochs: 100,
  optimizer: "rmsprop",
  learningRate: 1e-3,
  weightDecay: 0,
  schedule: "constant",
  learningRatePatience: 3,
  patience: 10,
};

/**
 * Settings for so many training sequences: few, and a small network sees them many times in small batches; many, and a larger
 * one a few times in larger ones. Tuned once on made data with other seeds than those that are reported.
 */
export function chooseSettings(examples: number): Settings {
  const units = examples < 3000 ? 16 : examples < 20_000 ? 32 : 64;
  const epochs = Math.max(10, Math.min(40, Math.round(700_000 / examples)));
  return {
    units,
    batch: examples < 10_000 ? 64 : 256,
    epochs,
    optimizer: "adam",
    learningRate: 4e-3 * Math.sqrt(64 / units) * (examples < 10_000 ? 0.5 : 1),
    weightDecay: 0.1,
    schedule: "cosine",
    learningRatePatience: epochs, // the schedule lowers the rate, and its last epochs are its best: whoever stops before misses them
    patience: epochs,
  };
}

export interface LearnInput {
  readonly channels: Channels;
  /** C and T */
  readonly width: number;
  /** (C) */
  readonly names: readonly string[];
  readonly timesteps: number;
  /** (N) */
  readonly labels: Uint8Array;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly settings: Settings;
  /** One training run each. Who is taught errs less by chance, so a later target is taken unless it validates worse beyond noise. */
  readonly targets: readonly DistillationTarget[];
  readonly positiveRate: number;
  /** Nothing has bettered the base rate so far: what is learnt must do so on validation beyond doubt, or the base rate is served. */
  readonly requireSignificance: boolean;
  /** As in a split by time: neighbours closer than this share rows. */
  readonly gap: number;
  readonly seed: number;
  readonly createStepper: CreateStepper;
  checkpoint?(target: DistillationTarget, stage: number, simdPath: string): Checkpointing;
  note(text: string): void;
  onProgress(progress: Progress): void;
}

export interface Learnt {
  readonly network: Network;
  readonly fit: Fit;
  readonly target: DistillationTarget;
  /** Which arithmetic trained. */
  readonly simdPath: string;
}

/** Gradients with a larger global norm are scaled down to it (Pascanu et al. 2013). */
const CLIP_NORM = 1;

export async function learn(input: LearnInput): Promise<Learnt> {
  const { channels, width, timesteps, labels, train, validation, settings, positiveRate, seed, targets, note } = input;
  const { units, batch, optimizer, weightDecay } = settings;
  const initial = flattenNetwork(initialNetwork(width, units, positiveRate, createRandom(seed, STREAMS.weights)));
  let best: (Learnt & { readonly losses: Float32Array }) | undefined;
  for (const [stage, target] of targets.entries()) {
    const { teacher, distillationWeight } = target;
    if (targets.length > 1)
      note(teacher === "none" ? "on labels alone:" : `on a teacher's probabilities (${teacher}, ${distillationWeight}) and labels:`);
    const softLabels = teacher === "none" ? labels : distil(labels, TEACHERS[teacher](input), distillationWeight);
    const options = {
      channels: width,
      timesteps,
      units,
      maxBatch: batch,
      optimizer,
      clipNorm: CLIP_NORM,
      weightDecay: teacher === "none" ? weightDecay : 0,
      names: input.names,
    };
    const stepper = input.createStepper({ ...channels, labels: softLabels }, options);
    try {
      stepper.setParameters(initial);
      const { simdPath } = stepper;
      const fit = await fitNetwork(stepper, {
        ...settings,
        ...input.checkpoint?.(target, stage, simdPath),
        train,
        validation,
        labels,
        gap: input.gap,
        shuffle: (order, epoch) => createRandom(seed, STREAMS.epochOrder + epoch).shuffle(order),
        onProgress: input.onProgress,
      });
      stepper.setParameters(fit.parameters);
      const logits = stepper.logits(validation);
      const isProven = !input.requireSignificance || bettersBaseRate(logits, input);
      if (!isProven) note("not better than the base rate on validation beyond doubt: the model answers the base rate");
      const network = unflattenNetwork(width, units, isProven ? fit.parameters : zeroHead(initial, units));
      const losses = logLossesOfLogits(labels, logits, validation);
      if (best === undefined || !exceedsNoise(losses, best.losses, input.gap)) best = { network, fit, target, simdPath, losses };
    } finally {
      stepper.dispose();
    }
  }
  if (best === undefined) throw new RangeError("targets must name at least one target to learn from");
  return best;
}

/** Standard errors by which something unexpected has to better the base rate. */
const PROOF = 3;

function bettersBaseRate(logits: Float32Array, { labels, validation, positiveRate, gap }: LearnInput): boolean {
  const baseRate = logitOf(positiveRate);
  const before = Float64Array.from(validation, (n) => logLossOfLogit(labels[n], baseRate));
  const after = Float64Array.from(validation, (n, i) => logLossOfLogit(labels[n], logits[i]));
  return exceedsNoise(before, after, gap, PROOF);
}

/** The initial parameters with a head that listens to no unit: its bias is the base rate's logit. */
function zeroHead(initial: Float32Array, units: number): Float32Array {
  return initial.map((weight, p) => (p >= initial.length - 1 - units && p < initial.length - 1 ? 0 : weight));
}

/** Each knows a teacher's (N) logits, after it has seen the training part. */
const TEACHERS = { "logistic regression": teachSteps, "MLP on summary features": teachSummaryMlp } as const;

function teachSteps({ channels, timesteps, labels, train }: LearnInput): Float64Array {
  const columns = teacherColumns(channels, timesteps);
  const own = take(columns, train, columns.length / labels.length);
  const { predict } = fitTeacher(
    own,
    Uint8Array.from(train, (n) => labels[n]),
  );
  return predict(columns).map(logitOf);
}

function teachSummaryMlp({ channels, timesteps, labels, train, positiveRate, seed, createStepper }: LearnInput): Float32Array {
  const columns = computeSummaryFeatures(channels, timesteps);
  return fitSummaryMlp({ columns, labels, train, positiveRate, sequences: summaryMlpBudget(train.length), seed, createStepper });
}
