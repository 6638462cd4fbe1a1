// Nested cross-validation: the whole path is walked once for every fold, on the others, and judged on the fold that it has not seen. What it
// says is of the path, and so of the model that the path gives on all sequences: a little more than on four fifths of them.
// Legend: N sequences to learn from.
import { score } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { selectSequences } from "../data/sequences.ts";
import { FOLDS, type Fold } from "../split/folds.ts";
import type { Journal } from "../training/journal.ts";
import { fitBaselines } from "./baselines.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { type FoldedData, toLearnFrom } from "./prepare-folds.ts";
import { fitStackPath } from "./stack-path.ts";

/** What paths that have not seen a sequence say of it. */
export interface NestedPredictions {
  /** (N) in the order of the sequences to learn from, as toLearnFrom gives them. */
  readonly probabilities: Float32Array;
  readonly baselines: Readonly<Record<string, Float64Array>>;
}

/** Walks the path FOLDS times; `journal` keeps what each comes to. Throws as the path does. */
export async function crossValidate(
  folded: FoldedData,
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<NestedPredictions> {
  const { plan, validation } = folded;
  const toJudge = toLearnFrom(folded);
  const place = new Map(Array.from(toJudge, (n, i) => [n, i]));
  const probabilities = new Float32Array(toJudge.length);
  const baselines: Record<string, Float64Array> = {};
  const folds = plan.deal(toJudge, new Array<number>(FOLDS).fill(1 / FOLDS));
  for (const [outer, { train, heldOut }] of folds.entries()) {
    const quiet: TrainDependencies = {
      ...dependencies,
      onNote: () => {},
      onSearchProgress: (at) => dependencies.onSearchProgress?.({ ...at, outer, outers: FOLDS }),
      onFold: (at) => dependencies.onFold?.({ ...at, outer, outers: FOLDS }),
    };
    const learnt = Int32Array.from([...train, ...validation]);
    const judge = (inner: Journal) => judgeHeldOut(folded, { train: learnt, heldOut }, options, quiet, inner);
    const { scored, judged } = await journal.once(`nested fold ${outer}`, judge);
    heldOut.forEach((n, i) => {
      probabilities[place.get(n)!] = scored[i];
    });
    for (const [name, own] of Object.entries(judged)) {
      baselines[name] ??= new Float64Array(toJudge.length);
      heldOut.forEach((n, i) => {
        baselines[name][place.get(n)!] = own[i];
      });
    }
  }
  return { probabilities, baselines };
}

/** What a path that is walked on `train` says of `heldOut`. */
async function judgeHeldOut(
  folded: FoldedData,
  { train, heldOut }: Fold,
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<{ readonly scored: Float32Array; readonly judged: Readonly<Record<string, Float64Array>> }> {
  const { data, usable } = folded;
  const { kernel, createEngine } = dependencies;
  const fit = await fitStackPath(folded, train, options, dependencies, journal);
  const { values } = selectSequences(usable, heldOut, data.shape);
  const { probabilities } = score(fit, createEngine(fit.predictor), kernel.log, values, (n) => ["sequences", n], fit.positiveRate);
  const baselines = fitBaselines(fit.seen, fit.learnt.labels, Int32Array.from(fit.learnt.labels.keys()));
  return { scored: probabilities, judged: baselines({ ...fit.seen, ...applyRecipe(fit.recipe, values, kernel.log) }) };
}
