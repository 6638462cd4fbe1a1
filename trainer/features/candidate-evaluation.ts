// Compares sets of channels by short runs on held-out sequences. Counts its budget in sequences, never in seconds.
// Legend: T steps, C channels, K candidates (columns of the table), R rows of the sample.
import { sigmoid } from "../../shared/networks/lstm.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { take } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { logitOf, logLossOfLogit } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import type { CreateStepper } from "../training/stepper.ts";
import { drawEvaluationSample, type EvaluationSample, type Fold, type SampleInput } from "./evaluation-sample.ts";
import { type Logits, openLstm, openSetLearner, type SetLearner, type SetLearnerName } from "./set-learners.ts";

export interface EvaluationInput extends SampleInput {
  readonly createStepper: CreateStepper;
  /** Gives others a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
}

/** Log losses of held-out sequences by one learner on one set of channels. */
export interface Losses {
  /** Columns of the table. */
  readonly set: readonly number[];
  /** Mean of `losses`. */
  readonly loss: number;
  /** Of every held-out sequence, the same sequences in the same order for every evaluation of the same effort. */
  readonly losses: Float64Array;
}

/** How one set of channels did with one learner. */
export interface Evaluation extends Losses {
  /** Which learner; none for the base rate. */
  readonly learner?: SetLearnerName;
  /** (tested) probabilities of training sequences, as the models say that trained on them. */
  readonly probabilities: Float64Array;
}

/**
 * Screening: a run of a part of the budget, which tells who falls behind, but not what a set is worth. Teaching: twice the budget, since a
 * teacher sees more in the end than whoever is compared by the way. Where parts are held out in turn, each takes the whole budget once.
 */
export type Effort = "screening" | "whole" | "teaching";

/** What was evaluated is remembered: asking again costs nothing. */
export interface CandidateEvaluator {
  /** Every candidate's channels of the tested sequences, (tested,T,K) left-aligned. */
  readonly tested: Pick<Channels, "channels" | "lengths">;
  readonly testedLabels: Labels;
  /** Training and validation are held out in turn, since validation alone is too small. */
  readonly isFolded: boolean;
  /** Screening is no less than an evaluation. */
  readonly isExhaustive: boolean;
  /** What answering the base rate does. */
  readonly baseRate: Evaluation;
  /** What a set does with the learner that does best on it. */
  evaluate(set: readonly number[]): Promise<Evaluation>;
  /** The same by screening, with `learner` alone if it is given: to be compared with what was screened alike. */
  screen(set: readonly number[], learner?: SetLearnerName): Promise<Losses>;
  /**
   * As `screen`, but undefined where the set falls behind `rival`, which was screened alike, on the first of several folds: then it is not run
   * on the others.
   */
  race(set: readonly number[], learner: SetLearnerName | undefined, rival: Losses): Promise<Losses | undefined>;
  /** What a set does with one learner; with the MLP, by twice the budget. */
  by(learner: SetLearnerName, set: readonly number[]): Promise<Evaluation>;
  /** With an LSTM on a logistic regression's probabilities by `distillationWeight`, and labels by the rest. */
  taught(set: readonly number[], distillationWeight: number): Promise<Evaluation>;
  /** Whether `a` beats `b` by more than so many standard errors of the paired difference; 1 unless given. */
  isBetter(a: Losses, b: Losses, errors?: number): boolean;
}

/** Of the budget. */
const SHARES: Readonly<Record<Effort, number>> = { screening: 1 / 4, whole: 1, teaching: 2 };

/**
 * A set falls behind by so many standard errors of the paired difference on the folds that were run, of so many blocks at least: it would have
 * to make up for all of that on the others.
 */
const BEHIND = 3;
const ENOUGH_BLOCKS = 30;

/** What a learner says that one fold has trained. */
interface FoldRun {
  /** (held out) */
  readonly losses: Float64Array;
  /** (tested) probabilities, NaN of rows that the fold has not trained on; none where it was screened. */
  readonly probabilities?: Float64Array;
}

/** Runs a learner on a set, fold by fold. `name` tells learners apart; ends with a fold that is not the last where `rival` is better. */
type RunFolds = (
  name: string,
  open: () => SetLearner,
  set: readonly number[],
  effort: Effort,
  rival?: Losses,
) => Promise<readonly FoldRun[]>;

/** What was run before is remembered. */
function rememberRuns({ isExhaustive, gap, yieldToEventLoop }: EvaluationInput, sample: EvaluationSample): RunFolds {
  const { folds, isFolded } = sample;
  const known = new Map<string, FoldRun>();
  const isBehind = (rival: Losses, runs: readonly FoldRun[]): boolean => {
    const { losses } = joinLosses([], runs);
    if (losses.length < ENOUGH_BLOCKS * Math.max(1, 2 * gap)) return false;
    return exceedsNoise(losses, rival.losses.subarray(0, losses.length), gap, BEHIND);
  };
  return async (name, open, set, effort, rival) => {
    const share = isFolded || isExhaustive ? 1 : SHARES[effort];
    const runs: FoldRun[] = [];
    let learner: SetLearner | undefined;
    try {
      for (const [k, fold] of folds.entries()) {
        const key = `${name} ${[...set].sort((a, b) => a - b)} ${k} ${share}`;
        if (!known.has(key)) {
          await yieldToEventLoop();
          learner ??= open();
          known.set(key, runFold(sample, fold, learner.fit(fold, share), effort !== "screening" || isFolded));
        }
        runs.push(known.get(key)!);
        if (rival && k + 1 < folds.length && isBehind(rival, runs)) break;
      }
    } finally {
      learner?.dispose?.();
    }
    return runs;
  };
}

/** An evaluator of sets of `candidates` (K), on a sample drawn by the input's seed. */
export function createCandidateEvaluator(input: EvaluationInput, candidates: readonly Channel[]): CandidateEvaluator {
  const sample = drawEvaluationSample(input, candidates);
  const { table, labels, tested, T, K, isFolded } = sample;
  const run = rememberRuns(input, sample);
  const open = (name: SetLearnerName, set: readonly number[]): SetLearner => openSetLearner(name, input, sample, set);
  const whole = async (name: SetLearnerName, set: readonly number[], effort: Effort = "whole"): Promise<Evaluation> => {
    const runs = await run(name, () => open(name, set), set, effort);
    return { ...joinLosses(set, runs), learner: name, probabilities: averageTested(runs) };
  };
  const screened = async (name: SetLearnerName, set: readonly number[], rival?: Losses): Promise<Losses | undefined> => {
    const runs = await run(name, () => open(name, set), set, "screening", rival);
    return runs.length === sample.folds.length ? joinLosses(set, runs) : undefined;
  };
  /** What a teacher can learn from a set counts as much as what the network can: on small data the logistic regression, which is cheap there. */
  const teacher = isFolded ? "logistic regression" : "MLP on summary features";

  const evaluate = async (set: readonly number[]): Promise<Evaluation> => lower(await whole("LSTM", set), await whole(teacher, set));

  const screen = async (set: readonly number[], name: SetLearnerName | undefined, rival?: Losses): Promise<Losses | undefined> => {
    if (input.isExhaustive) return evaluate(set);
    if (name !== undefined) return screened(name, set, rival);
    const [network, taught] = [await screened("LSTM", set, rival), await screened(teacher, set, rival)];
    return network && taught ? lower(network, taught) : (network ?? taught);
  };

  return {
    tested: { channels: take(table.channels, tested, T * K), lengths: tested.map((n) => table.lengths[n]) },
    testedLabels: takeLabels(labels, tested),
    isFolded,
    isExhaustive: input.isExhaustive === true,
    baseRate: evaluateBaseRate(sample),
    evaluate,
    screen: async (set, name) => (await screen(set, name))!, // without a rival it is run on all folds
    race: screen,
    async taught(set, weight) {
      const runs = await run(`LSTM, taught by ${weight}`, () => openLstm(input, sample, set, weight), set, "whole");
      return { ...joinLosses(set, runs), learner: "LSTM", probabilities: averageTested(runs) };
    },
    by: (name, set) => whole(name, set, name === "MLP on summary features" ? "teaching" : "whole"),
    isBetter: (a, b, errors) => exceedsNoise(b.losses, a.losses, input.gap, errors),
  };
}

/** The first of equals. */
function lower<Own extends Losses>(a: Own, b: Own): Own {
  return b.loss < a.loss ? b : a;
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

function runFold({ labels, tested }: EvaluationSample, fold: Fold, logits: Logits, asksTested: boolean): FoldRun {
  const heldOut = logits(fold.heldOut);
  const losses = Float64Array.from(fold.heldOut, (n, i) => logLossOfLogit(labels[n], heldOut[i]));
  if (!asksTested) return { losses };
  const isTrained = new Uint8Array(labels.length);
  for (const n of fold.train) isTrained[n] = 1;
  const seen = logits(tested);
  return { losses, probabilities: Float64Array.from(tested, (n, i) => (isTrained[n] === 1 ? sigmoid(seen[i]) : Number.NaN)) };
}

function joinLosses(set: readonly number[], runs: readonly FoldRun[]): Losses {
  const losses = Float64Array.from(runs.flatMap((run) => Array.from(run.losses)));
  return { set, loss: mean(losses), losses };
}

/** (tested) the mean over the folds that have trained on a row. */
function averageTested(runs: readonly FoldRun[]): Float64Array {
  return runs[0].probabilities!.map((_, i) => mean(runs.map(({ probabilities }) => probabilities![i]).filter((p) => !Number.isNaN(p))));
}
