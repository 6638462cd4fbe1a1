// Logistic regression as a learner: its path runs from a strong penalty to a weak one; its settings are sets of columns.
// Legend: N sequences, V columns of the view, W columns that are looked at.
import { type LinearClassifier, linearLogit } from "../../../shared/linear.ts";
import type { Labels } from "../../statistics/labels.ts";
import { logLossOfLogit } from "../../statistics/log-loss.ts";
import { type Coefficients, fitPenalised, logitsAt } from "../../statistics/penalised-logistic.ts";
import type { Learner, View } from "../learner.ts";
import { createDesign, type Design } from "./design.ts";

/** Some of the view's columns, by a name that says which. */
export interface LinearSettings {
  readonly name: string;
  readonly columns: readonly number[];
}

/** Penalties on the mean log loss, the strongest first: 10 … 1e-4, two a decade. */
export const STRENGTHS: readonly number[] = Array.from({ length: 11 }, (_, step) => 10 ** (1 - step / 2));
/** Strengths after which a path ends that has become worse with each: what follows is worse still. */
const PATIENCE = 3;

/** The whole path, and the summed losses along it. */
interface Fitted {
  readonly path: Coefficients[];
  readonly losses: number[];
}

/** A learner that tries each of `variants`. `fit` needs both labels in `rows.train`. */
export function createLinearLearner(variants: readonly LinearSettings[]): Learner<LinearClassifier, LinearSettings> {
  const designs = new WeakMap<Float64Array, Map<string, Design>>(); // the folds of a view share one
  const designOf = ({ columns, columnNames: { length: V } }: View, { name, columns: wanted }: LinearSettings): Design => {
    const known = designs.get(columns) ?? new Map<string, Design>();
    designs.set(columns, known);
    const design = known.get(name) ?? createDesign(columns, V, wanted);
    known.set(name, design);
    return design;
  };
  return {
    settings: () => variants,
    async fit(view, labels, { train, validation }, settings, _seed, record) {
      const design = designOf(view, settings);
      const { path, losses } = (record?.from as Fitted | undefined) ?? { path: [], losses: [] };
      for (const strength of path.length > 0 ? [] : STRENGTHS) {
        path.push(fitPenalised(design, labels, train, strength, path.at(-1)));
        losses.push(sumLosses(design, labels, validation, path[path.length - 1]));
        if (hasRisen(losses)) break;
      }
      record?.save({ path, losses } satisfies Fitted);
      return {
        losses: Float64Array.from(losses),
        at: (step) => classifierOf(design, path[Math.min(step, path.length - 1)]),
      };
    },
    logits: (member, { columns, columnNames: { length: V } }, indices) =>
      Float64Array.from(indices, (n) => linearLogit(member, columns, n * V)),
    average: averageClassifiers,
  };
}

function sumLosses(design: Design, labels: Labels, rows: Int32Array, at: Coefficients): number {
  return logitsAt(design, at, rows).reduce((sum, logit, i) => sum + logLossOfLogit(labels[rows[i]], logit), 0);
}

function hasRisen(losses: readonly number[]): boolean {
  const last = losses.slice(-PATIENCE - 1);
  return last.length > PATIENCE && last.every((loss, i) => i === 0 || loss > last[i - 1]);
}

function classifierOf({ columns, mean, scale }: Design, at: Coefficients): LinearClassifier {
  const W = columns.length;
  return { columns, mean, scale, weights: at.slice(0, W), intercept: at[W] };
}

/** Throws RangeError where the members do not look at the same columns alike. */
function averageClassifiers(members: readonly LinearClassifier[]): LinearClassifier {
  const [first] = members;
  const isAlike = ({ columns, mean, scale }: LinearClassifier): boolean =>
    columns.length === first.columns.length &&
    columns.every((column, w) => column === first.columns[w] && mean[w] === first.mean[w] && scale[w] === first.scale[w]);
  if (!members.every(isAlike)) throw new RangeError("classifiers must look at the same columns, standardised alike, to be averaged");
  const meanOf = (value: (member: LinearClassifier) => number): number =>
    members.reduce((sum, member) => sum + value(member), 0) / members.length;
  return {
    ...first,
    weights: first.weights.map((_, w) => meanOf(({ weights }) => weights[w])),
    intercept: meanOf(({ intercept }) => intercept),
  };
}
