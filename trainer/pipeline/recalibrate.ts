// What labelled sequences can still do for a finished network: calibration, operating points, metrics and the drift reference.
// The network is not touched. Parts as in training, so that what overlaps never meets: what would train fits the calibration.
import { type Card, computeInputs, type MeasuredCard, type Model } from "../../shared/model.ts";
import type { Calibration } from "../../shared/networks/lstm.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import { type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import type { Shape } from "../../shared/sequence.ts";
import { openSeriesColumns } from "../../shared/series-columns.ts";
import { fitShape } from "../artifact/artifact-file.ts";
import { dropPaddingOnly, type Labelled, positiveRate, requireBothClasses, selectSequences } from "../data/sequences.ts";
import { type ChannelView, selectView } from "../learners/learner.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { type Split, type SplitMethod, splitDataset } from "../split/split.ts";
import { fitCalibration } from "../statistics/calibration.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { logitOf } from "../statistics/log-loss.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import type { Costs } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { type Assessment, assess, type Sealed, seal } from "./assess.ts";
import type { ScoringDependencies } from "./contract.ts";
import { describeData } from "./data-card.ts";
import type { TrainNote } from "./note.ts";
import { packageModel } from "./package.ts";
import { gapOf } from "./prepare.ts";
import { describeWarning } from "./sentences.ts";
import { BASE_RATE } from "./verdict.ts";
import { toCardWarnings, type Warning, type WarningCode, withoutWarnings } from "./warning.ts";

export interface CalibrateOptions {
  readonly seed: number;
  readonly split: SplitMethod;
  /** How many steps after a sequence's last row its label is known. */
  readonly horizon: number;
  /** Of the two mistakes, for the operating point `lowest-cost`. */
  readonly costs?: Costs;
}

/** What a recalibration answers, so that a warning of before says nothing any more. */
const ANSWERED: readonly WarningCode[] = ["not-calibrated", "precision-unattained", "recall-unattained"];

/** Positions of labelled sequences: what fits the calibration, chooses operating points, and measures. */
type Parts = Readonly<Record<"calibration" | "validation" | "test", Int32Array>>;

/** The model with everything refitted but its network, and its bytes. Throws DataError. */
export function recalibrate(
  model: Model,
  data: LabelledDataset,
  options: CalibrateOptions,
  dependencies: ScoringDependencies,
  onNote: (note: TrainNote) => void,
): Sealed {
  const { kernel } = dependencies;
  const { log } = kernel;
  const { timesteps, features, padding } = model.recipe;
  const shape = shapeOf(model.recipe);
  const usable = dropPaddingOnly({ ...data, values: fitShape(data, data.source, model), shape }, padding, onNote);
  const split = splitLabelled(usable, shape, model, options);
  onNote({ code: "split", split });
  const parts = { calibration: Int32Array.from([...split.train, ...split.calibration]), validation: split.validation, test: split.test };
  requireBothClasses(parts, usable.labels, data.source);

  const recipe = model.card.imported ? withFacts(model.recipe, usable.values, parts.calibration, log) : model.recipe;
  const { channels, lengths, columns } = computeInputs({ ...model, recipe }, usable.values, log, openSeriesColumns(kernel));
  const names = recipe.channels.map((channel) => describeChannel(channel, features));
  const view = { channels, lengths, timesteps, names, ...(columns && { columns }) };
  const { calibration, isChanged } = refineCalibration(model, selectView(view, parts.calibration), usable, parts, dependencies);
  onNote(isChanged ? { code: "calibration", ...calibration } : { code: "calibration-stays" });
  const rate = positiveRate(usable.labels, parts.calibration);
  const packaged = packageModel(
    {
      ...options,
      ...parts,
      model: { ...model, recipe, calibration, positiveRate: isChanged || model.card.imported ? rate : model.positiveRate },
      view,
      values: usable.values,
      labels: usable.labels,
    },
    dependencies,
  );

  const test = selectSequences({ ...usable, probability: null }, parts.test, shape);
  const assessment = assess(packaged, test, gapOf(split, timesteps, options.horizon), options.seed);
  const card = writeCard(model.card, data, split, parts, assessment, rate, test.labels, packaged.unattained);
  return seal(packaged, card, test, assessment.probabilities, options.costs, dependencies);
}

function splitLabelled({ values, labels, groups, timeline }: Labelled, shape: Shape, model: Model, options: CalibrateOptions): Split {
  const { seed, split: method, horizon } = options;
  const random = createRandom(seed, STREAMS.split);
  const { padding } = model.recipe;
  return splitDataset({ values, labels, groups, timeline, shape, padding, method, horizon, hasTest: false, random });
}

/** A calibration on top of what the model has: where nothing is gained, that stays. */
function refineCalibration(
  model: Model,
  view: ChannelView,
  { labels }: Labelled,
  parts: Parts,
  { createEngine }: ScoringDependencies,
): { readonly calibration: Calibration; readonly isChanged: boolean } {
  const probabilities = createEngine(model).probabilities(view);
  const before = model.calibration;
  const { slope, intercept } = fitCalibration(
    Float64Array.from(probabilities, (p) => logitOf(p)),
    takeLabels(labels, parts.calibration),
  );
  return {
    calibration: { slope: slope * before.slope, intercept: slope * before.intercept + intercept },
    isChanged: slope !== 1 || intercept !== 0,
  };
}

function writeCard(
  card: Card,
  data: LabelledDataset,
  { by }: Split,
  { calibration, validation, test: { length } }: Parts,
  { test, intervals, reliability }: Assessment,
  rate: number,
  labels: Labels,
  warnings: readonly Warning[],
): MeasuredCard {
  const kept = withoutWarnings(card, ANSWERED);
  const added = toCardWarnings(warnings, (warning) => describeWarning(warning, data.features));
  return {
    ...card,
    test,
    intervals,
    reliability,
    baselines: { [BASE_RATE]: computeMetrics(labels, new Float64Array(length).fill(rate)) },
    warnings: [...kept.warnings, ...added.warnings],
    warningCodes: [...kept.warningCodes, ...added.warningCodes],
    calibrated: {
      data: describeData(data),
      by,
      examples: { calibration: calibration.length, validation: validation.length, test: length },
    },
  };
}

/** An imported recipe knows nothing of its data: lengths and the features' statistics come from these. No channel changes. */
function withFacts(recipe: Recipe, values: Float64Array, indices: Int32Array, log: Log): Recipe {
  const { timesteps, features, padding, channels } = recipe;
  const plan = { timesteps, features, padding, channels, standardise: false };
  const { lengths, featureMean, featureScale } = fitRecipe(plan, values, indices, log);
  return { ...recipe, lengths, featureMean, featureScale };
}
