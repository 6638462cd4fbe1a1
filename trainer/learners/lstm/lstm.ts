// A network alone: one training run a target, and the better network of them.
// Legend: N sequences, T steps, C channels, U units.
import type { MemberEngine } from "../../../shared/engine.ts";
import { ofNetwork, type Predictor } from "../../../shared/members.ts";
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { positiveRate } from "../../data/sequences.ts";
import { type DistillationTarget, distil } from "../../features/distillation.ts";
import type { Labels } from "../../statistics/labels.ts";
import { logitOf, logLossesOfLogits, logLossOfLogit } from "../../statistics/log-loss.ts";
import { exceedsNoise } from "../../statistics/paired.ts";
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import type { Checkpointing } from "../../training/checkpoint.ts";
import { type Fit, fitNetwork, type Progress } from "../../training/loop.ts";
import type { CreateStepper, FurtherData, Stepper } from "../../training/stepper.ts";
import type { ChannelView, Rows } from "../learner.ts";
import { designNetwork } from "./design.ts";
import type { LstmSettings } from "./settings.ts";
import { type TeachingInput, teachLogits } from "./teachers.ts";

export interface LstmOptions {
  readonly settings: LstmSettings;
  /**
   * One training run each, at least one. A network that was taught errs less by chance, so a later target's network is taken unless
   * it validates worse beyond noise.
   */
  readonly targets: readonly DistillationTarget[];
  /** Nothing has bettered the base rate so far: a network must do so on validation beyond doubt, or the base rate is served. */
  readonly requireSignificance: boolean;
}

export interface LstmDependencies {
  readonly createStepper: CreateStepper;
  createEngine(predictor: Predictor): MemberEngine;
  /** Saves the run on a target, the `stage`-th from 0. */
  checkpoint?(target: DistillationTarget, stage: number, simdPath: string): Checkpointing;
  onNote(note: LstmNote): void;
  onProgress(progress: Progress): void;
}

export type LstmNote =
  /** One of several targets is next. */
  | { readonly code: "training-target"; readonly target: DistillationTarget }
  /** A network is not better than the base rate on validation beyond doubt, so the base rate stands in for it. */
  | { readonly code: "base-rate-stands-in" };

export interface LstmMember {
  readonly network: Network | LayeredNetwork;
  readonly fit: Fit;
  /** What it was trained on. */
  readonly target: DistillationTarget;
  /** Which arithmetic trained. */
  readonly simdPath: string;
}

/** Gradients with a larger global norm are scaled down to it (Pascanu et al. 2013). */
const CLIP_NORM = 1;
/** Standard errors by which something unexpected has to better the base rate. */
const SIGNIFICANT = 3;

/** One network, stopped by its validation part. */
export interface LstmTrainer {
  /** `labels` (N) are those of all sequences of the view. Equal arguments give equal bits, whatever the number of threads. */
  fit(view: ChannelView, labels: Labels, rows: Rows, seed: number): Promise<LstmMember>;
  /** (N) uncalibrated logits, with the arithmetic that serves. */
  logits(member: LstmMember, view: ChannelView): Float32Array;
}

/** LSTM(units) → Dense(1), or the settings' layers. `fit` throws FitError when a loss is not finite, and whatever `checkpoint` throws to leave. */
export function createLstmTrainer(options: LstmOptions, dependencies: LstmDependencies): LstmTrainer {
  return {
    fit: (view, labels, rows, seed) => fitLstm({ view, labels, rows, seed, options, dependencies }),
    logits({ network }, { channels, lengths }) {
      const engine = dependencies.createEngine(ofNetwork(network, { slope: 1, intercept: 0 }));
      return Float32Array.from(engine.probabilities({ channels, lengths }), (p) => logitOf(p));
    },
  };
}

interface FitInput {
  readonly view: ChannelView;
  readonly labels: Labels;
  readonly rows: Rows;
  readonly seed: number;
  readonly options: LstmOptions;
  readonly dependencies: LstmDependencies;
}

/** What one target came to: `losses` (validation). */
type Candidate = LstmMember & { readonly losses: Float32Array };

async function fitLstm(input: FitInput): Promise<LstmMember> {
  const { view, labels, rows, seed, options, dependencies } = input;
  const { targets, settings } = options;
  const rate = positiveRate(labels, rows.train);
  const { initial: begin } = designNetwork(view.names.length, settings.units, settings.layers);
  const initial = begin(rate, createRandom(seed, STREAMS.weights));
  let best: Candidate | undefined;
  for (const [stage, target] of targets.entries()) {
    if (targets.length > 1) dependencies.onNote({ code: "training-target", target });
    const candidate = await fitOnTarget(input, target, stage, initial);
    if (best === undefined || !exceedsNoise(candidate.losses, best.losses, rows.gap)) best = candidate;
  }
  if (best === undefined) throw new RangeError("targets must name at least one target to learn from");
  const { network, fit, target, simdPath } = best;
  return { network, fit, target, simdPath };
}

async function fitOnTarget(input: FitInput, target: DistillationTarget, stage: number, initial: Float32Array): Promise<Candidate> {
  const { view, labels, rows, seed, options, dependencies } = input;
  const { settings } = options;
  const { createStepper } = dependencies;
  const stepper = openStepper({ view, labels, train: rows.train, seed, settings, createStepper, solver: "Newton" }, target);
  try {
    stepper.setParameters(initial);
    const { simdPath } = stepper;
    const fit = await fitNetwork(stepper, {
      ...settings,
      ...dependencies.checkpoint?.(target, stage, simdPath),
      ...rows,
      labels,
      shuffle: (order, epoch) => createRandom(seed, STREAMS.epochOrder + epoch).shuffle(order),
      onProgress: dependencies.onProgress,
    });
    stepper.setParameters(fit.parameters);
    const logits = stepper.logits(rows.validation);
    const isServed = !options.requireSignificance || bettersBaseRate(logits, labels, rows);
    if (!isServed) dependencies.onNote({ code: "base-rate-stands-in" });
    const design = designNetwork(view.names.length, settings.units, settings.layers);
    const network = design.network(isServed ? fit.parameters : design.withoutSignal(initial));
    return { network, fit, target, simdPath, losses: logLossesOfLogits(labels, logits, rows.validation) };
  } finally {
    stepper.dispose();
  }
}

/** What a network is trained on. */
export interface StepperInput extends TeachingInput {
  readonly settings: LstmSettings;
  /** Behind those of the view, with their labels; not where there is a teacher, who knows nothing of them. */
  readonly further?: FurtherData;
}

/** A stepper over the view's sequences, with what `target` makes of their labels; the caller disposes of it. */
export function openStepper({ settings, further, ...input }: StepperInput, { teacher, distillationWeight }: DistillationTarget): Stepper {
  const { view, labels, createStepper } = input;
  const { units, layers, batch, optimizer, weightDecay } = settings;
  const targets = teacher === "none" ? labels : distil(labels, teachLogits(teacher, input), distillationWeight);
  return createStepper(
    { channels: view.channels, lengths: view.lengths, labels: targets, ...(further && { further }) },
    {
      channels: view.names.length,
      timesteps: view.timesteps,
      units,
      ...(layers && { layers: { specs: layers, seed: input.seed } }),
      maxBatch: batch,
      optimizer,
      clipNorm: CLIP_NORM,
      weightDecay: teacher === "none" ? weightDecay : 0, // a teacher's probabilities hold no noise to fit
      names: view.names,
    },
  );
}

function bettersBaseRate(logits: Float32Array, labels: Labels, { train, validation, gap }: Rows): boolean {
  const baseRate = logitOf(positiveRate(labels, train));
  const before = Float64Array.from(validation, (n) => logLossOfLogit(labels[n], baseRate));
  const after = Float64Array.from(validation, (n, i) => logLossOfLogit(labels[n], logits[i]));
  return exceedsNoise(before, after, gap, SIGNIFICANT);
}
