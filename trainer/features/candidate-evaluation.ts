// Compares sets of channels by short runs on held-out sequences. Counts its budget in sequences, never in seconds.
// Legend: T steps, C channels, K candidates (columns of the table), R rows of the sample.
import { sigmoid } from "../../shared/networks/lstm.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { take } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { logitOf, logLossOfLogit } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork } from "../training/parameters.ts";
import type { CreateStepper, Stepper } from "../training/stepper.ts";
import { distil } from "./distillation.ts";
import { drawEvaluationSample, type EvaluationSample, type Fold, type SampleInput, selectColumns } from "./evaluation-sample.ts";
import { fitTeacher, teacherColumns } from "./logistic-teacher.ts";
import { trainShortRun } from "./short-run.ts";
import { computeSummaryFeatures, fitSummaryMlp } from "./summary-teacher.ts";

export interface EvaluationInput extends SampleInput {
  readonly createStepper: CreateStepper;
  /** Gives others a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
}

/** How one set of channels did with one learner. */
export interface Evaluation {
  /** Columns of the table. */
  readonly set: readonly number[];
  /** Mean of `losses`. */
  readonly loss: number;
  /** Log loss of every held-out sequence, the same sequences in the same order for every evaluation. */
  readonly losses: Float64Array;
  /** (tested) probabilities of training sequences, as the models say that trained on them. */
  readonly probabilities: Float64Array;
}

/** What was evaluated is remembered: asking again costs nothing. */
export interface CandidateEvaluator {
  /** Every candidate's channels of the tested sequences, (tested,T,K) left-aligned. */
  readonly tested: Pick<Channels, "channels" | "lengths">;
  readonly testedLabels: Uint8Array;
  /** Training and validation are held out in turn, since validation alone is too small. */
  readonly isFolded: boolean;
  /** What answering the base rate does. */
  readonly baseRate: Evaluation;
  /** A small LSTM on labels; or on a logistic regression's probabilities by `distillationWeight`, and labels by the rest. */
  lstm(set: readonly number[], distillationWeight?: number): Promise<Evaluation>;
  logisticRegression(set: readonly number[]): Promise<Evaluation>;
  /** The MLP on summary features. */
  summaryMlp(set: readonly number[]): Promise<Evaluation>;
  /** Whether `a` beats `b` by more than so many standard errors of the paired difference; 1 unless given. */
  isBetter(a: Evaluation, b: Evaluation, errors?: number): boolean;
}

const UNITS = 24;
const BATCH = 128;
/** Sequences one LSTM sees: six epochs, within these bounds, but never more than so many epochs. */
const BUDGET = [24_000, 60_000];
const MAX_EPOCHS = 60;
const LEARNING_RATE = 8e-3;
/** The MLP on summary features is so much cheaper that it may see more. */
const SUMMARY_EPOCHS = 20;

/** Logits of rows of the sample. */
type Logits = (rows: Int32Array) => ArrayLike<number>;

/** An evaluator of sets of `candidates` (K), on a sample drawn by the input's seed. */
export function createCandidateEvaluator(input: EvaluationInput, candidates: readonly Channel[]): CandidateEvaluator {
  const sample = drawEvaluationSample(input, candidates);
  const { table, labels, tested, T, K } = sample;
  const known = new Map<string, Evaluation>();
  const once = async (learner: string, set: readonly number[], evaluate: () => Promise<Evaluation>): Promise<Evaluation> => {
    const key = `${learner} ${[...set].sort((a, b) => a - b)}`;
    const evaluation = known.get(key) ?? (await evaluate());
    known.set(key, evaluation);
    return evaluation;
  };
  return {
    tested: { channels: take(table.channels, tested, T * K), lengths: tested.map((n) => table.lengths[n]) },
    testedLabels: Uint8Array.from(tested, (n) => labels[n]),
    isFolded: sample.isFolded,
    baseRate: evaluateBaseRate(sample),
    lstm: (set, weight = 0) => once(`LSTM ${weight}`, set, () => evaluateLstm(input, sample, set, weight)),
    logisticRegression: (set) => once("logistic regression", set, () => evaluateLogisticRegression(input, sample, set)),
    summaryMlp: (set) => once("MLP on summary features", set, () => evaluateSummaryMlp(input, sample, set)),
    isBetter: (a, b, errors) => exceedsNoise(b.losses, a.losses, input.gap, errors),
  };
}

function evaluateBaseRate({ folds, labels, positiveRate, tested }: EvaluationSample): Evaluation {
  const logit = logitOf(positiveRate);
  const losses = folds.flatMap(({ heldOut }) => Array.from(heldOut, (n) => logLossOfLogit(labels[n], logit)));
  return {
    set: [],
    loss: mean(losses),
    losses: Float64Array.from(losses),
    probabilities: new Float64Array(tested.length).fill(positiveRate),
  };
}

/** Runs `fitFold` on every fold. */
async function evaluateOnFolds(
  { yieldToEventLoop }: EvaluationInput,
  { folds, labels, tested }: EvaluationSample,
  set: readonly number[],
  fitFold: (fold: Fold) => Logits,
): Promise<Evaluation> {
  const losses: number[] = [];
  const probabilities = new Float64Array(tested.length);
  const counts = new Uint8Array(tested.length);
  for (const fold of folds) {
    await yieldToEventLoop();
    const logits = fitFold(fold);
    const heldOut = logits(fold.heldOut);
    for (let i = 0; i < heldOut.length; i++) losses.push(logLossOfLogit(labels[fold.heldOut[i]], heldOut[i]));
    const isTrained = new Uint8Array(labels.length);
    for (const n of fold.train) isTrained[n] = 1;
    const seen = logits(tested);
    for (let i = 0; i < seen.length; i++) {
      if (isTrained[tested[i]] === 0) continue;
      probabilities[i] += sigmoid(seen[i]);
      counts[i]++;
    }
  }
  return { set, losses: Float64Array.from(losses), loss: mean(losses), probabilities: probabilities.map((p, i) => p / counts[i]) };
}

async function evaluateLstm(
  input: EvaluationInput,
  sample: EvaluationSample,
  set: readonly number[],
  distillationWeight: number,
): Promise<Evaluation> {
  const { seed, createStepper } = input;
  const { T, labels, positiveRate } = sample;
  const data = selectColumns(sample, set);
  const initial = flattenNetwork(initialNetwork(set.length, UNITS, positiveRate, createRandom(seed, STREAMS.candidateWeights)));
  const teach = distillationWeight > 0 ? createLogisticTeacher(sample, set) : undefined;
  const options = {
    channels: set.length,
    timesteps: T,
    units: UNITS,
    maxBatch: BATCH,
    optimizer: "adam",
    clipNorm: 1,
    weightDecay: 0,
  } as const;
  let stepper: Stepper | undefined; // one for all folds where the targets are the same
  try {
    return await evaluateOnFolds(input, sample, set, (fold) => {
      if (stepper === undefined || teach) {
        stepper?.dispose();
        stepper = createStepper({ ...data, labels: teach ? distil(labels, teach(fold), distillationWeight) : labels }, options);
      }
      const current = stepper;
      current.setParameters(initial);
      current.setOptimizer({ steps: 0, moments: new Float32Array(2 * initial.length) });
      const sequences = Math.min(BUDGET[1], MAX_EPOCHS * fold.train.length, Math.max(BUDGET[0], 6 * fold.train.length));
      const run = { sequences, batch: BATCH, learningRate: LEARNING_RATE };
      trainShortRun(current, fold.train, run, createRandom(seed, STREAMS.candidateOrder));
      return (rows) => current.logits(rows);
    });
  } finally {
    stepper?.dispose();
  }
}

function evaluateLogisticRegression(input: EvaluationInput, sample: EvaluationSample, set: readonly number[]): Promise<Evaluation> {
  const teach = createLogisticTeacher(sample, set);
  return evaluateOnFolds(input, sample, set, (fold) => {
    const logits = teach(fold);
    return (rows) => Float64Array.from(rows, (n) => logits[n]);
  });
}

function evaluateSummaryMlp(input: EvaluationInput, sample: EvaluationSample, set: readonly number[]): Promise<Evaluation> {
  const { seed, createStepper } = input;
  const { labels, positiveRate } = sample;
  const columns = computeSummaryFeatures(selectColumns(sample, set), sample.T);
  return evaluateOnFolds(input, sample, set, ({ train }) => {
    const sequences = SUMMARY_EPOCHS * train.length;
    const logits = fitSummaryMlp({ columns, labels, train, positiveRate, sequences, seed, createStepper });
    return (rows) => Float64Array.from(rows, (n) => logits[n]);
  });
}

/** A logistic regression of each fold, fitted on its training rows: logits (R) of all rows. */
function createLogisticTeacher(sample: EvaluationSample, set: readonly number[]): (fold: Fold) => Float64Array {
  const { labels, T } = sample;
  const columns = teacherColumns(selectColumns(sample, set), T);
  const D = columns.length / labels.length;
  return ({ train }) => {
    const { predict } = fitTeacher(
      take(columns, train, D),
      Uint8Array.from(train, (n) => labels[n]),
    );
    return predict(columns).map(logitOf);
  };
}
