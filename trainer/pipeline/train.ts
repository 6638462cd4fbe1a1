// From a data set to a model: split, recipe, fit, calibration, figures on the untouched test part. Every choice is made on the
// training, validation or calibration part; every figure comes from the decoded artifact and the kernel that serves it.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Engine, Kernel } from "../../shared/engine.ts";
import { DataError } from "../../shared/errors.ts";
import { type Card, checkGolden, type MeasuredCard, type Model, score } from "../../shared/model.ts";
import type { Calibration, Network } from "../../shared/networks/lstm.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import type { Padding } from "../../shared/sequence.ts";
import { VERSION } from "../../shared/version.ts";
import { synthesiseGolden } from "../artifact/golden.ts";
import { computeReference } from "../artifact/reference.ts";
import { dropPaddingOnly, positiveRate, requireBothClasses, selectChannels, selectSequences } from "../data/sequences.ts";
import { studyFeatures } from "../features/facts.ts";
import { planAuto, planRaw } from "../features/recipe-plan.ts";
import { choosePadding } from "../features/search.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import type { ReportInput } from "../report/gather.ts";
import { describeSplit } from "../split/reason.ts";
import { type SplitMethod, splitDataset } from "../split/split.ts";
import { fitCalibration } from "../statistics/calibration.ts";
import { crossEntropy, logitOf, meanEntropy } from "../statistics/log-loss.ts";
import { fitLogistic, flattenChannels } from "../statistics/logistic.ts";
import { bootstrapIntervals, computeMetrics, recoveredInformation } from "../statistics/metrics.ts";
import { type Costs, chooseOperatingPoints, measureOperatingPoints } from "../statistics/operating-points.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { reliabilityBins } from "../statistics/reliability.ts";
import type { Checkpointing } from "../training/checkpoint.ts";
import type { Fit, Progress } from "../training/loop.ts";
import { createLossWatch } from "../training/loss-watch.ts";
import type { CreateStepper } from "../training/stepper.ts";
import { findFlaw, findLabelWarnings, findRecipeWarnings } from "./data-checks.ts";
import { chooseSettings, learn, PLAIN_SETTINGS } from "./fit-network.ts";
import { decideVerdict, type Verdict } from "./verdict.ts";

export const RECIPES = ["auto", "raw"] as const;
export type RecipeName = (typeof RECIPES)[number];

export interface TrainOptions {
  /** Undefined: chosen by the size of the training part. */
  readonly units?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly seed: number;
  readonly split: SplitMethod;
  readonly horizon: number;
  readonly padding?: Padding;
  readonly recipe: RecipeName;
  /** Of the two mistakes, for the operating point `lowest-cost`. */
  readonly costs?: Costs;
}

/** What the machine provides: implementations are chosen by whoever calls. */
export interface TrainDependencies {
  readonly kernel: Kernel;
  createEngine(network: Network, calibration: Calibration): Engine;
  readonly createStepper: CreateStepper;
  readonly node: string;
  note(text: string): void;
  onProgress(progress: Progress): void;
  /** Saves the fit that `run` names: fits of equal names end in equal bytes. `stage` counts those of one training. */
  checkpoint?(run: string, stage: number): Checkpointing;
  /** Gives the event loop a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
}

export interface Trained {
  readonly model: Model & { readonly card: MeasuredCard };
  readonly bytes: Uint8Array;
  readonly fit: Fit;
  readonly verdict: Verdict;
  /** Where the true probability is known: its log loss on the test part, and the share of what is learnable that was learnt. */
  readonly truth?: { readonly bayesLogLoss: number; readonly recovered: number };
  readonly channels: readonly string[];
  /** What a report shows beyond the model. */
  readonly evidence: Pick<ReportInput, "history" | "data" | "leftOut" | "split" | "validation" | "test" | "reliability" | "gap">;
}

const BOOTSTRAP_RESAMPLES = 200;
/** Training sequences that are scored to see how much better the model knows them. */
const MAX_SEEN = 10_000;

export async function trainModel(data: LabelledDataset, options: TrainOptions, dependencies: TrainDependencies): Promise<Trained> {
  const { shape, features } = data;
  const { seed, recipe: recipeName } = options;
  const { note } = dependencies;
  const { log } = dependencies.kernel;
  const isRaw = recipeName === "raw";
  const reading = options.padding ?? (isRaw ? "none" : "leading"); // until the data have been asked
  const usable = dropPaddingOnly(data, reading, note);
  const { values, labels } = usable;
  const everything = Int32Array.from(labels.keys());
  const everyFeature = studyFeatures(values, shape, everything, reading);
  if (everyFeature.constant.length === shape.features)
    throw new DataError(data.source, "every feature is constant: there is nothing to learn from");
  const split = splitDataset({
    values,
    labels,
    shape,
    padding: reading,
    method: options.split,
    horizon: options.horizon,
    groups: usable.groups,
    timeline: usable.timeline,
    hasTest: data.test !== null,
    random: createRandom(seed, STREAMS.split),
  });
  note(describeSplit(split));
  const { train, validation, calibration } = split;
  const warnings = findLabelWarnings(usable, data, split.overlap);
  for (const warning of warnings) note(`note: ${warning}`);
  requireBothClasses({ train, validation }, labels, data.source);

  const gap = split.by === "time" ? shape.timesteps - 1 + options.horizon : 0;
  const sampled = {
    values,
    labels,
    shape,
    features,
    train,
    validation,
    gap,
    areStrangers: split.by === "random",
    log,
    seed,
    createStepper: dependencies.createStepper,
    yieldToEventLoop: dependencies.yieldToEventLoop,
  };
  let padding = reading;
  if (options.padding === undefined && !isRaw) {
    const chosen = await choosePadding(sampled);
    padding = chosen.padding;
    note(`padding: ${padding} (${chosen.note})`);
  }
  const { plan, targets, isSignificant } = isRaw
    ? planRaw(shape, features, padding)
    : await planAuto({ ...sampled, padding }, data.source, note);
  for (const warning of findRecipeWarnings(data, usable, plan)) {
    note(`note: ${warning}`);
    warnings.push(warning);
  }
  const recipe = fitRecipe(plan, values, train, log);
  const channels = applyRecipe(recipe, values, log);
  const names = plan.channels.map((channel) => describeChannel(channel, features));
  note(`channels: ${names.join(", ")}`);

  const C = plan.channels.length;
  const rate = positiveRate(labels, train);
  const settings = { ...(isRaw ? PLAIN_SETTINGS : chooseSettings(train.length)), ...given(options, ["units", "batch", "epochs"]) };
  const { units, batch, epochs, optimizer } = settings;
  const { horizon } = options;
  const run = {
    data: data.sha256,
    reading: data.reading,
    seed,
    horizon,
    split: split.by,
    plan,
    units,
    batch,
    epochs,
    version: VERSION,
    node: dependencies.node,
  };
  const watch = createLossWatch(baseRateLoss(labels, validation, rate), note);
  const learnt = await learn({
    channels,
    width: C,
    names,
    timesteps: shape.timesteps,
    labels,
    train,
    validation,
    settings,
    targets,
    requireSignificance: !isSignificant,
    gap,
    seed,
    positiveRate: rate,
    createStepper: dependencies.createStepper,
    checkpoint:
      dependencies.checkpoint &&
      ((target, stage, simdPath) => dependencies.checkpoint?.(JSON.stringify({ ...run, target, simdPath }), stage) ?? {}),
    note,
    onProgress: (progress) => {
      watch(progress);
      dependencies.onProgress(progress);
    },
  });
  const { network, fit } = learnt;
  const labelsOf = (indices: Int32Array): Uint8Array => Uint8Array.from(indices, (n) => labels[n]);
  const uncalibrated = dependencies
    .createEngine(network, { slope: 1, intercept: 0 })
    .probabilities(...selectChannels(channels, calibration, shape.timesteps * C));
  const calibrated = fitCalibration(
    Float32Array.from(uncalibrated, (p) => logitOf(p)),
    labelsOf(calibration),
  );

  const engine = dependencies.createEngine(network, calibrated);
  const probabilitiesOf = (indices: Int32Array): Float32Array =>
    engine.probabilities(...selectChannels(channels, indices, shape.timesteps * C));
  const held = Int32Array.from([...validation, ...calibration]);
  const goldenInputs = synthesiseGolden(recipe, createRandom(seed, STREAMS.golden));
  const goldenChannels = applyRecipe(recipe, goldenInputs, log);
  const [heldChannels, heldLengths] = selectChannels(channels, held, shape.timesteps * C);
  const withoutFigures: Model = {
    name: data.name,
    recipe,
    network,
    calibration: calibrated,
    positiveRate: rate,
    operatingPoints: chooseOperatingPoints(labelsOf(validation), probabilitiesOf(validation), {
      costs: options.costs,
      note: (text) => warnings.push(text),
    }),
    golden: { inputs: goldenInputs, probabilities: engine.probabilities(goldenChannels.channels, goldenChannels.lengths) },
    reference: computeReference(
      { channels: heldChannels, lengths: heldLengths, outOfRange: new Uint8Array(held.length) },
      shape.timesteps,
      probabilitiesOf(held),
    ),
    card: {} as Card,
  };

  // From here on only the decoded file counts.
  const decoded = decodeArtifact(encodeArtifact(withoutFigures));
  const decodedEngine = dependencies.createEngine(decoded.network, decoded.calibration);
  const test =
    data.test === null
      ? selectSequences(usable, split.test, shape)
      : dropPaddingOnly({ ...data.test, source: `${data.source} (test part)`, shape }, padding, note);
  const testProbabilities = score(decoded, decodedEngine, log, test.values).probabilities;
  const metrics = computeMetrics(test.labels, testProbabilities);
  const logistic = fitLogisticBaseline(channels, recipe.timesteps, C, train, labels);
  const logisticProbabilities = logistic(applyRecipe(recipe, test.values, log));
  const baseRate = new Float64Array(test.labels.length).fill(rate);
  const baselines = {
    "base rate": computeMetrics(test.labels, baseRate),
    "logistic regression": computeMetrics(test.labels, logisticProbabilities),
  };
  const reliability = reliabilityBins(test.labels, testProbabilities, createRandom(seed, STREAMS.reliability), gap);
  const card: MeasuredCard = {
    data: { name: data.name, sha256: data.sha256, float32: data.float32 },
    split: {
      by: split.by,
      examples: { train: train.length, validation: validation.length, calibration: calibration.length, test: test.labels.length },
    },
    training: {
      seed,
      recipe: recipeName,
      units,
      softness: learnt.target.distillationWeight,
      optimizer,
      batch,
      epochs: fit.history.length,
      bestEpoch: fit.bestEpoch,
    },
    test: metrics,
    intervals: bootstrapIntervals(test.labels, testProbabilities, createRandom(seed, STREAMS.bootstrap), BOOTSTRAP_RESAMPLES, gap),
    reliability,
    baselines,
    warnings,
    versions: { quickstep: VERSION, node: dependencies.node, path: learnt.simdPath },
  };
  const operatingPoints = measureOperatingPoints(decoded.operatingPoints, test.labels, testProbabilities, options.costs);
  const bytes = encodeArtifact({ ...decoded, operatingPoints, card });
  const model = { ...decodeArtifact(bytes), card };
  checkGolden(model, dependencies.createEngine(model.network, model.calibration), log);
  const seen = train.subarray(0, MAX_SEEN);
  const trainLogLoss = computeMetrics(labelsOf(seen), probabilitiesOf(seen)).logLoss;
  const baselineProbabilities = { "base rate": baseRate, "logistic regression": logisticProbabilities };
  const flaw = findFlaw({ data: usable, features, split, test: data.test === null ? null : test, shape, padding });
  const verdict = decideVerdict(test.labels, testProbabilities, baselines, baselineProbabilities, trainLogLoss, gap, flaw);
  const truth =
    test.probability === null
      ? undefined
      : { bayesLogLoss: meanEntropy(test.probability), recovered: recoveredInformation(test.probability, testProbabilities) };
  const [validationChannels, validationLengths] = selectChannels(channels, validation, shape.timesteps * C);
  const evidence: Trained["evidence"] = {
    history: fit.history,
    data: usable,
    leftOut: data.labels.length - labels.length,
    split,
    validation: {
      "base rate": new Float64Array(validation.length).fill(rate),
      "logistic regression": logistic({ channels: validationChannels, lengths: validationLengths, outOfRange: new Uint8Array(0) }),
    },
    test: {
      values: test.values,
      labels: test.labels,
      probabilities: testProbabilities,
      baselines: baselineProbabilities,
    },
    reliability,
    gap,
  };
  return { model, bytes, fit, verdict, truth, channels: names, evidence };
}

/** Those of the options that are given. */
function given<K extends keyof TrainOptions>(
  options: TrainOptions,
  keys: readonly K[],
): Partial<{ [P in K]: NonNullable<TrainOptions[P]> }> {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]))) as Partial<{
    [P in K]: NonNullable<TrainOptions[P]>;
  }>;
}

/** Logistic regression on the flattened channels of the training part. */
function fitLogisticBaseline(
  data: Channels,
  T: number,
  C: number,
  train: Int32Array,
  labels: Uint8Array,
): (test: Channels) => Float64Array {
  const [channels, lengths] = selectChannels(data, train, T * C);
  const { predict } = fitLogistic(
    flattenChannels({ channels, lengths }, T, C),
    Uint8Array.from(train, (n) => labels[n]),
    { l2: 1 },
  );
  return (test) => predict(flattenChannels(test, T, C));
}

/** Mean log loss of answering `rate` to all at `indices`. */
function baseRateLoss(labels: Uint8Array, indices: Int32Array, rate: number): number {
  const own = positiveRate(labels, indices);
  return crossEntropy(own, rate);
}
