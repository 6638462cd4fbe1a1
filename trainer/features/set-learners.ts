// What learns from a set of channels in a short run: a small LSTM, a logistic regression, an MLP on summary features. Counts its budget in
// sequences, never in seconds. Legend: T steps, C channels, R rows of the sample.
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork } from "../training/parameters.ts";
import type { CreateStepper, Stepper } from "../training/stepper.ts";
import { distil } from "./distillation.ts";
import { type EvaluationSample, type Fold, selectColumns } from "./evaluation-sample.ts";
import { prepareTeacher, teacherColumns } from "./logistic-teacher.ts";
import { trainShortRun } from "./short-run.ts";
import { computeSummaryFeatures, fitSummaryMlp } from "./summary-teacher.ts";

const UNITS = 24;
const BATCH = 128;
/**
 * Sequences one LSTM sees: 22 epochs while that is fewer than so many, six epochs of more; at least and at most so many, but never more than 60
 * epochs. (A thousand sequences teach a short run no more in 45 epochs than in 22: docs/experiments.md.)
 */
const BUDGET = { least: 12_000, few: 24_000, most: 60_000 } as const;
const EPOCHS = { few: 22, many: 6, most: 60 } as const;
const LEARNING_RATE = 8e-3;
/** The MLP on summary features is so much cheaper that it may see more: so many epochs, within a bound. */
const SUMMARY_EPOCHS = 20;
const SUMMARY_BUDGET = 200_000;

/** Logits of rows of the sample. */
export type Logits = (rows: Int32Array) => ArrayLike<number>;

/** A learner on one set of channels. */
export interface SetLearner {
  /** Learns from the fold's training rows, by a share of its budget. */
  fit(fold: Fold, share: number): Logits;
  dispose?(): void;
}

/** A small LSTM on labels, a logistic regression of steps, an MLP on summary features. */
export type SetLearnerName = "LSTM" | "logistic regression" | "MLP on summary features";

/** Opens a learner on the columns `set` of the sample's table; the caller disposes of it. */
export function openSetLearner(name: SetLearnerName, input: LearnerSource, sample: EvaluationSample, set: readonly number[]): SetLearner {
  switch (name) {
    case "LSTM":
      return openLstm(input, sample, set, 0);
    case "logistic regression":
      return openLogisticRegression(input, sample, set);
    case "MLP on summary features":
      return openSummaryMlp(input, sample, set);
  }
}

/** What all learners need beside the sample. */
export interface LearnerSource {
  readonly createStepper: CreateStepper;
  readonly seed: number;
  /** As EvaluationInput.isExhaustive. */
  readonly isExhaustive?: boolean;
}

/** On labels; or on a logistic regression's probabilities by `distillationWeight`, and labels by the rest. */
export function openLstm(input: LearnerSource, sample: EvaluationSample, set: readonly number[], distillationWeight: number): SetLearner {
  const { seed, createStepper } = input;
  const { T, labels, positiveRate } = sample;
  const data = selectColumns(sample, set);
  const initial = flattenNetwork(initialNetwork(set.length, UNITS, positiveRate, createRandom(seed, STREAMS.candidateWeights)));
  const teach = distillationWeight > 0 ? createLogisticTeacher(input, sample, set) : undefined;
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
  return {
    fit(fold, share) {
      if (stepper === undefined || teach) {
        stepper?.dispose();
        stepper = createStepper({ ...data, labels: teach ? distil(labels, teach(fold), distillationWeight) : labels }, options);
      }
      const current = stepper;
      current.setParameters(initial);
      current.setOptimizer({ steps: 0, moments: new Float32Array(2 * initial.length) });
      const shortRun = { sequences: share * budgetFor(fold.train.length), batch: BATCH, learningRate: LEARNING_RATE };
      trainShortRun(current, fold.train, shortRun, createRandom(seed, STREAMS.candidateOrder));
      return (rows) => current.logits(rows);
    },
    dispose: () => stepper?.dispose(),
  };
}

function budgetFor(examples: number): number {
  const wanted = Math.max(BUDGET.least, Math.min(EPOCHS.few * examples, BUDGET.few), EPOCHS.many * examples);
  return Math.min(wanted, BUDGET.most, EPOCHS.most * examples);
}

/** Takes no share of a budget: it is cheap. */
function openLogisticRegression(input: LearnerSource, sample: EvaluationSample, set: readonly number[]): SetLearner {
  const teach = createLogisticTeacher(input, sample, set);
  return {
    fit(fold) {
      const logits = teach(fold);
      return (rows) => Float64Array.from(rows, (n) => logits[n]);
    },
  };
}

/** The MLP on summary features. */
function openSummaryMlp(input: LearnerSource, sample: EvaluationSample, set: readonly number[]): SetLearner {
  const { seed, createStepper, isExhaustive } = input;
  const { labels, positiveRate } = sample;
  const columns = computeSummaryFeatures(selectColumns(sample, set), sample.T);
  return {
    fit({ train }, share) {
      const budget = SUMMARY_EPOCHS * train.length;
      const sequences = share * (isExhaustive ? budget : Math.min(SUMMARY_BUDGET, budget));
      const logits = fitSummaryMlp({ columns, labels, train, positiveRate, sequences, seed, createStepper });
      return (rows) => Float64Array.from(rows, (n) => logits[n]);
    },
  };
}

/** A logistic regression of each fold, fitted on its training rows: logits (R) of all rows. */
function createLogisticTeacher(
  { isExhaustive }: LearnerSource,
  sample: EvaluationSample,
  set: readonly number[],
): (fold: Fold) => ArrayLike<number> {
  const teach = prepareTeacher(teacherColumns(selectColumns(sample, set), sample.T), sample.labels, isExhaustive ? "Newton" : "few steps");
  return ({ train }) => teach(train);
}
