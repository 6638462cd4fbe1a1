// Trees and logistic regression on some columns of a table, each sequence predicted by a fit that has not seen it.
// Legend: M sequences, V columns.
import type { LinearClassifier } from "../../../shared/linear.ts";
import type { TreeEnsemble } from "../../../shared/trees.ts";
import type { Learner, Path, View } from "../../learners/learner.ts";
import { createLinearLearner, STRENGTHS } from "../../learners/linear/linear.ts";
import type { BoostingSettings } from "../../learners/trees/settings.ts";
import type { CreateTrees } from "../../learners/trees/trees.ts";
import { logLossOfLogit } from "../../statistics/log-loss.ts";

/** Positions in the sample: who is learnt from, who is held out. */
export interface Parts {
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
}

export interface FitsInput {
  readonly view: View;
  /** (M) 0 or 1 */
  readonly labels: Uint8Array;
  /** Those that hold out other sequences each. */
  readonly folds: readonly Parts[];
  readonly gap: number;
  readonly seed: number;
  readonly createTrees: CreateTrees;
  yieldToEventLoop(): Promise<void>;
}

export interface OutOfFold<Member> {
  /** (M) log losses; NaN where a sequence was not held out. */
  readonly losses: Float64Array;
  /** Mean of these. */
  readonly loss: number;
  /** Rounds of the trees, or the strength of the penalty. */
  readonly step: number;
  /** Of the first fold. */
  readonly member: Member;
}

/** As scikit-learn's histogram boosting with these settings: every threshold is tried. */
export const LINE_SETTINGS: BoostingSettings = {
  leaves: 8,
  columnFraction: 1,
  minLeaf: 20,
  minHessian: 1e-3,
  l2: 1,
  learningRate: 0.05,
  rounds: 400,
  patience: 40,
  thresholds: "best",
};

/** Settings that find what there is in many columns. */
const WIDE_SETTINGS: BoostingSettings = { ...LINE_SETTINGS, columnFraction: 0.3, learningRate: 0.1, patience: 30, thresholds: "random" };

/** Boosted trees on the columns `wanted`, default all of them. */
export async function fitTrees(input: FitsInput, wanted?: readonly number[]): Promise<OutOfFold<TreeEnsemble>> {
  const { createTrees, yieldToEventLoop } = input;
  const settings = wanted === undefined ? WIDE_SETTINGS : LINE_SETTINGS;
  const few = input.labels.length < 400 ? { ...settings, minLeaf: 5 } : settings;
  const columns = wanted && Int32Array.from(wanted).sort();
  const learner = createTrees({ ...(columns && { columns }), settings: () => [few], yieldToEventLoop });
  try {
    return await fitOutOfFold(learner, input);
  } finally {
    learner.dispose();
  }
}

/** L2-penalised logistic regression on the columns `wanted`, default all of them; `step` is a place among STRENGTHS. */
export function fitLinear(input: FitsInput, wanted?: readonly number[]): Promise<OutOfFold<LinearClassifier>> {
  const columns = [...(wanted ?? input.view.columnNames.keys())].sort((a, b) => a - b);
  return fitOutOfFold(createLinearLearner([{ name: "columns", columns }]), input);
}

/** The penalty on the mean log loss at a step of fitLinear. */
export function strengthAt(step: number): number {
  return STRENGTHS[step];
}

async function fitOutOfFold<Member, Settings>(
  learner: Learner<Member, Settings>,
  { view, labels, folds, gap, seed, yieldToEventLoop }: FitsInput,
): Promise<OutOfFold<Member>> {
  const paths: Path<Member>[] = [];
  for (const { train, heldOut } of folds) {
    await yieldToEventLoop();
    paths.push(await learner.fit(view, labels, { train, validation: heldOut, gap }, learner.settings(train.length)[0], seed));
  }
  const step = bestStep(paths.map(({ losses }) => losses));
  const losses = new Float64Array(labels.length).fill(Number.NaN);
  const members = paths.map((path) => path.at(step));
  folds.forEach(({ heldOut }, k) => {
    learner.logits(members[k], view, heldOut).forEach((z, i) => {
      losses[heldOut[i]] = logLossOfLogit(labels[heldOut[i]], z);
    });
  });
  return { losses, loss: meanOfNumbers(losses), step, member: members[0] };
}

/** At which the summed losses of all folds are least; a path that ended early stays where it ended. */
function bestStep(losses: readonly Float64Array[]): number {
  const steps = Math.max(...losses.map(({ length }) => length));
  const sums = Array.from({ length: steps }, (_, step) => losses.reduce((sum, own) => sum + own[Math.min(step, own.length - 1)], 0));
  return sums.indexOf(Math.min(...sums));
}

/** The mean of those that are numbers. */
export function meanOfNumbers(values: Float64Array): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
