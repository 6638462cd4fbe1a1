// What labelled sequences can still do for a finished network: calibration, operating points, figures and the drift reference.
// The network is not touched. Parts as in training, so that what overlaps never meets: what would train fits the calibration.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import { type Card, checkGolden, type MeasuredCard, type Model, score } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Log, Recipe } from "../../shared/recipe/recipe.ts";
import { type Engines, fitShape } from "../artifact/artifact-file.ts";
import { synthesiseGolden } from "../artifact/golden.ts";
import { computeReference } from "../artifact/reference.ts";
import { dropPaddingOnly, positiveRate, requireBothClasses, selectChannels, selectSequences } from "../data/sequences.ts";
import { UNCALIBRATED } from "../import/assemble.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { describeSplit } from "../split/reason.ts";
import { type SplitMethod, splitDataset } from "../split/split.ts";
import { fitCalibration } from "../statistics/calibration.ts";
import { logitOf } from "../statistics/log-loss.ts";
import { bootstrapIntervals, computeMetrics } from "../statistics/metrics.ts";
import { chooseOperatingPoints, measureOperatingPoints } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { reliabilityBins } from "../statistics/reliability.ts";

export interface CalibrateOptions {
  readonly seed: number;
  readonly split: SplitMethod;
  readonly horizon: number;
}

const BOOTSTRAP_RESAMPLES = 200;

/** The model with everything refitted but its network, and its bytes. Throws DataError. */
export function recalibrate(
  model: Model,
  data: LabelledDataset,
  { seed, split: method, horizon }: CalibrateOptions,
  engines: Engines,
  note: (text: string) => void,
): { readonly model: Model & { readonly card: MeasuredCard }; readonly bytes: Uint8Array } {
  const { log } = engines.kernel;
  const { timesteps: T, features, padding } = model.recipe;
  const shape = { timesteps: T, features: features.length };
  const { values, labels, groups, timeline } = dropPaddingOnly(
    { ...data, values: fitShape(data, data.source, model), shape },
    padding,
    note,
  );
  const split = splitDataset({
    values,
    labels,
    shape,
    padding,
    method,
    horizon,
    groups,
    timeline,
    hasTest: false,
    random: createRandom(seed, STREAMS.split),
  });
  note(describeSplit(split));
  const gap = split.by === "time" ? T - 1 + horizon : 0;
  const parts = { calibration: Int32Array.from([...split.train, ...split.calibration]), validation: split.validation, test: split.test };
  requireBothClasses(parts, labels, data.source);

  const labelsOf = (indices: Int32Array): Uint8Array => Uint8Array.from(indices, (n) => labels[n]);
  const recipe = model.card.imported ? withFacts(model.recipe, values, parts.calibration, log) : model.recipe;
  const channels = applyRecipe(recipe, values, log);
  const size = T * recipe.channels.length;
  const before = engines.createEngine(model.network, model.calibration).probabilities(...selectChannels(channels, parts.calibration, size));
  // On top of what the model has: where nothing is gained, that stays.
  const fitted = fitCalibration(
    Float64Array.from(before, (p) => logitOf(p)),
    labelsOf(parts.calibration),
  );
  const calibration = {
    slope: fitted.slope * model.calibration.slope,
    intercept: fitted.slope * model.calibration.intercept + fitted.intercept,
  };
  const isChanged = fitted.slope !== 1 || fitted.intercept !== 0;
  note(
    isChanged
      ? `calibration: slope ${calibration.slope.toFixed(4)}, intercept ${calibration.intercept.toFixed(4)}`
      : "calibration: no slope above 0 gains more than chance would, so it stays",
  );
  const engine = engines.createEngine(model.network, calibration);
  const inputs = synthesiseGolden(recipe, createRandom(seed, STREAMS.golden));
  const golden = applyRecipe(recipe, inputs, log);
  const held = Int32Array.from([...parts.calibration, ...parts.validation]);
  const [heldChannels, heldLengths] = selectChannels(channels, held, size);
  const warnings = model.card.warnings.filter((warning) => warning !== UNCALIBRATED && !/cannot be attained/.test(warning));
  const rate = positiveRate(labels, parts.calibration);
  const draft: Model = {
    ...model,
    recipe,
    calibration,
    positiveRate: isChanged || model.card.imported ? rate : model.positiveRate,
    operatingPoints: chooseOperatingPoints(
      labelsOf(parts.validation),
      engine.probabilities(...selectChannels(channels, parts.validation, size)),
      { note: (text) => warnings.push(text) },
    ),
    golden: { inputs, probabilities: engine.probabilities(golden.channels, golden.lengths) },
    reference: computeReference(
      { channels: heldChannels, lengths: heldLengths, outOfRange: new Uint8Array(held.length) },
      T,
      engine.probabilities(heldChannels, heldLengths),
    ),
  };

  const decoded = decodeArtifact(encodeArtifact(draft));
  const test = selectSequences({ values, labels, probability: null }, parts.test, shape);
  const { probabilities } = score(decoded, engines.createEngine(decoded.network, decoded.calibration), log, test.values);
  const card: MeasuredCard = {
    ...(model.card as Card),
    test: computeMetrics(test.labels, probabilities),
    intervals: bootstrapIntervals(test.labels, probabilities, createRandom(seed, STREAMS.bootstrap), BOOTSTRAP_RESAMPLES, gap),
    reliability: reliabilityBins(test.labels, probabilities, createRandom(seed, STREAMS.reliability), gap),
    baselines: { "base rate": computeMetrics(test.labels, new Float64Array(test.labels.length).fill(rate)) },
    warnings,
    calibrated: {
      data: { name: data.name, sha256: data.sha256, float32: data.float32 },
      by: split.by,
      examples: { calibration: parts.calibration.length, validation: parts.validation.length, test: parts.test.length },
    },
  };
  const operatingPoints = measureOperatingPoints(decoded.operatingPoints, test.labels, probabilities);
  const bytes = encodeArtifact({ ...decoded, operatingPoints, card });
  const written = { ...decodeArtifact(bytes), card };
  checkGolden(written, engines.createEngine(written.network, written.calibration), log);
  return { model: written, bytes };
}

/** An imported recipe knows nothing of its data: lengths and the features' statistics come from these. No channel changes. */
function withFacts(recipe: Recipe, values: Float64Array, indices: Int32Array, log: Log): Recipe {
  const { timesteps, features, padding, channels } = recipe;
  const plan = { timesteps, features, padding, channels, standardise: false };
  const { lengths, featureMean, featureScale } = fitRecipe(plan, values, indices, log);
  return { ...recipe, lengths, featureMean, featureScale };
}
