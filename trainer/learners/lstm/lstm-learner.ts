// The network as a learner of a stack: its path runs from epoch to epoch, its settings are what it learns from.
// Legend: N sequences, T steps, C channels, U units.
import type { MemberEngine } from "../../../shared/engine.ts";
import { asMember, type Predictor } from "../../../shared/members.ts";
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { positiveRate } from "../../data/sequences.ts";
import type { DistillationTarget } from "../../features/distillation.ts";
import type { Labels } from "../../statistics/labels.ts";
import { logLossOfLogit } from "../../statistics/log-loss.ts";
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import type { FitRecord } from "../../training/journal.ts";
import { cosineRate } from "../../training/loop.ts";
import type { CreateStepper, FurtherData, OptimizerState, Stepper } from "../../training/stepper.ts";
import { type Learner, type Path, type Rows, selectView, type View } from "../learner.ts";
import { designNetwork } from "./design.ts";
import { openStepper } from "./lstm.ts";
import type { LstmSettings } from "./settings.ts";

/** A network's size and schedule, and what it learns from. */
export interface LstmPathSettings {
  readonly network: LstmSettings;
  readonly target: DistillationTarget;
}

export interface LstmLearnerOptions {
  /** What the feature search found worth learning from, at least one. */
  readonly targets: readonly DistillationTarget[];
  /** For so many training sequences. */
  settingsFor(examples: number): LstmSettings;
  /** What is learnt from beside each fold's own sequences, on labels alone: a teacher knows the view's. */
  readonly further?: FurtherData;
}

export interface LstmLearnerDependencies {
  readonly createStepper: CreateStepper;
  createEngine(predictor: Predictor): Pick<MemberEngine, "memberLogits">;
  /** Called between steps; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
  /** Hears which share of a fit is done. */
  onShare?(share: number): void;
}

type TrainedNetwork = Network | LayeredNetwork;

/** Steps between two turns of the event loop. */
const TURN = 20;

/** LSTM(units) → Dense(1), or the settings' layers, every epoch of a schedule. A member is networks whose logits are averaged. `fit` throws FitError when a loss is not finite. */
export function createLstmLearner(
  { targets, settingsFor, further }: LstmLearnerOptions,
  dependencies: LstmLearnerDependencies,
): Learner<readonly TrainedNetwork[], LstmPathSettings> {
  const furtherOf = ({ teacher }: DistillationTarget) => (teacher === "none" ? further : undefined);
  return {
    settings: (examples) => targets.map((target) => ({ network: settingsFor(examples + (furtherOf(target)?.count ?? 0)), target })),
    fitsNoNoise: ({ target }) => target.teacher !== "none", // on labels alone later epochs fit noise (measured: docs/experiments.md)
    fit: (view, labels, rows, settings, seed, record) =>
      fitPath({ view, labels, rows, settings, seed, record, further: furtherOf(settings.target) }, dependencies),
    logits(networks, view, indices) {
      const calibration = { slope: 1, intercept: 0 };
      const engine = dependencies.createEngine({ members: [asMember(networks)], calibration });
      return engine.memberLogits(selectView(view, indices));
    },
    average: (members) => members.flat(),
  };
}

interface FitInput {
  readonly view: View;
  /** (N) */
  readonly labels: Labels;
  readonly rows: Rows;
  readonly settings: LstmPathSettings;
  readonly seed: number;
  readonly record?: FitRecord;
  readonly further?: FurtherData;
}

/** The epochs so far. */
interface Epochs {
  /** Flat, after each. */
  readonly parameters: readonly Float32Array[];
  /** Summed over the validation sequences, after each. */
  readonly losses: readonly number[];
  /** After the last. */
  readonly optimizer?: OptimizerState;
}

async function fitPath(input: FitInput, dependencies: LstmLearnerDependencies): Promise<Path<readonly TrainedNetwork[]>> {
  const { view, settings, record } = input;
  const { units, epochs, layers } = settings.network;
  const { network } = designNetwork(view.names.length, units, layers);
  const known = (record?.from as Epochs | undefined) ?? { parameters: [], losses: [] };
  const { parameters, losses } = known.losses.length < epochs ? await trainEpochs(input, known, dependencies) : known;
  const at = (step: number): Float32Array => parameters[Math.min(step, parameters.length - 1)];
  return { losses: Float64Array.from(losses), at: (step) => [network(at(step))] };
}

/** The epochs that are left after those of `known`. */
async function trainEpochs(
  { view, labels, rows, settings: { network, target }, seed, record, further }: FitInput,
  known: Epochs,
  { createStepper, yieldToEventLoop, onShare }: LstmLearnerDependencies,
): Promise<Epochs> {
  const { units, epochs, layers } = network;
  const rate = positiveRate(labels, rows.train);
  const initial = designNetwork(view.names.length, units, layers).initial(rate, createRandom(seed, STREAMS.weights));
  const stepper = openStepper({ view, labels, train: rows.train, seed, settings: network, createStepper, further }, target);
  const train = withFurther(rows.train, view.lengths.length, further);
  let { parameters, losses } = known;
  try {
    stepper.setParameters(parameters.at(-1) ?? initial);
    if (known.optimizer) stepper.setOptimizer(known.optimizer);
    for (let epoch = losses.length + 1; epoch <= epochs; epoch++) {
      await trainEpoch(stepper, train, network, epoch, seed, yieldToEventLoop);
      const logits = stepper.logits(rows.validation);
      losses = [...losses, rows.validation.reduce((sum, n, i) => sum + logLossOfLogit(labels[n], logits[i]), 0)];
      parameters = [...parameters, stepper.getParameters()];
      record?.save({ parameters, losses, optimizer: stepper.getOptimizer() } satisfies Epochs);
      onShare?.(epoch / epochs);
    }
  } finally {
    stepper.dispose();
  }
  return { parameters, losses };
}

/** The sequences at `train`, and the further ones, which stand behind all N of a view. */
function withFurther(train: Int32Array, N: number, further: FurtherData | undefined): Int32Array {
  if (further === undefined) return train;
  const all = new Int32Array(train.length + further.count);
  all.set(train);
  for (let m = 0; m < further.count; m++) all[train.length + m] = N + m;
  return all;
}

async function trainEpoch(
  stepper: Stepper,
  train: Int32Array,
  { batch, epochs, learningRate, schedule }: LstmSettings,
  epoch: number,
  seed: number,
  yieldToEventLoop: () => Promise<void>,
): Promise<void> {
  const order = train.slice();
  createRandom(seed, STREAMS.epochOrder + epoch).shuffle(order);
  for (let seen = 0, step = 0; seen < order.length; seen += batch, step++) {
    const done = (epoch - 1 + seen / order.length) / epochs;
    stepper.step(order.subarray(seen, seen + batch), learningRate * (schedule === "cosine" ? cosineRate(done) : 1));
    if (step % TURN === 0) await yieldToEventLoop();
  }
}
