// From a data set to a model: split, recipe, fit, calibration, figures on the untouched test part. Every choice is made on the
// training, validation or calibration part; every figure comes from the decoded artifact and the kernel that serves it.
import { decodeArtifact, encodeArtifact } from "../shared/artifact.ts";
import type { Engine, Kernel } from "../shared/engine.ts";
import { DataError } from "../shared/errors.ts";
import type { Calibration, Network } from "../shared/lstm.ts";
import { type Card, checkGolden, type Model, score } from "../shared/model.ts";
import { applyRecipe, type Channels, describeChannel, fitRecipe, type Plan } from "../shared/recipe.ts";
import { isZeroRow, type Padding, type Shape, validRows } from "../shared/sequence.ts";
import { VERSION } from "../shared/version.ts";
import { fitCalibration } from "./calibration.ts";
import type { Keeping } from "./checkpoint.ts";
import type { Fit, Progress, Stepper } from "./fit.ts";
import { synthesiseGolden } from "./golden.ts";
import { chooseSettings, learn, PLAIN_SETTINGS, type StepperOptions } from "./learn.ts";
import { fitLogistic, flattenChannels } from "./logistic.ts";
import { bootstrapIntervals, computeMetrics, entropy, recoveredInformation } from "./metrics.ts";
import { chooseOperatingPoints, measureOperatingPoints } from "./operating-points.ts";
import { createRandom } from "./random.ts";
import type { LabelledDataset } from "./readers/dataset.ts";
import { computeReference } from "./reference.ts";
import type { ReportInput } from "./report/gather.ts";
import { describeRelation, studyFeatures } from "./representation/features.ts";
import { choosePadding, SOFTNESS, searchChannels } from "./representation/search.ts";
import { logit, type TrialInput } from "./representation/trials.ts";
import { type SplitMethod, splitDataset } from "./split/split.ts";
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
}

/** What the machine provides: implementations are chosen by whoever calls. */
export interface Host {
  readonly kernel: Kernel;
  createEngine(network: Network, calibration: Calibration): Engine;
  createStepper(data: Channels & { readonly labels: ArrayLike<number> }, options: StepperOptions): Stepper;
  readonly node: string;
  note(text: string): void;
  onProgress(progress: Progress): void;
  /** Keeps the fit that `run` names: fits of equal names end in equal bytes. `stage` counts those of one training. */
  keep?(run: string, stage: number): Keeping;
  /** Gives the event loop a turn; may throw, to leave. */
  breathe(): Promise<void>;
}

export interface Trained {
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly fit: Fit;
  readonly verdict: Verdict;
  /** Where the true probability is known: its log loss on the test part, and the share of what is learnable that was learnt. */
  readonly truth?: { readonly bayesLogLoss: number; readonly recovered: number };
  readonly channels: readonly string[];
  /** What a report shows beyond the model. */
  readonly evidence: Pick<ReportInput, "history" | "data" | "leftOut" | "split" | "validation" | "test">;
}

/** One seed, unrelated streams: drawing more in one place changes nothing elsewhere. */
const STREAM = { split: 1, golden: 3, bootstrap: 4 };
const BOOTSTRAP_RESAMPLES = 200;
/** Training sequences that are scored to see how much better the model knows them. */
const MAX_SEEN = 10_000;
/** An AUC of the length alone from here on is said: it may be a leak. */
const TELLING_LENGTH = 0.6;

export async function trainModel(data: LabelledDataset, options: TrainOptions, host: Host): Promise<Trained> {
  const { shape, features } = data;
  const { seed, recipe: recipeName } = options;
  const { note } = host;
  const { log } = host.kernel;
  const isRaw = recipeName === "raw";
  const reading = options.padding ?? (isRaw ? "none" : "leading"); // until the data have been asked
  const usable = dropPaddingOnly(data, reading, host);
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
    hasTest: data.test !== null,
    random: createRandom(seed, STREAM.split),
  });
  note(`split by ${split.by}: ${split.reason}`);
  const { train, validation, calibration } = split;
  for (const [part, indices] of Object.entries({ train, validation }))
    if (new Set(Array.from(indices, (n) => labels[n])).size < 2)
      throw new DataError(
        data.source,
        `the ${part} part (${indices.length} sequences) has one class only: give more data, or --split random if its order means nothing`,
      );

  const gap = split.by === "time" ? shape.timesteps - 1 + options.horizon : 0;
  const sampled = {
    values,
    labels,
    shape,
    features,
    train,
    validation,
    gap,
    log,
    seed,
    createStepper: host.createStepper,
    breathe: host.breathe,
  };
  let padding = reading;
  if (options.padding === undefined && !isRaw) {
    const chosen = await choosePadding(sampled);
    padding = chosen.padding;
    note(`padding: ${padding} (${chosen.note})`);
  }
  const { plan, softness, isPromising } = isRaw
    ? planRaw(shape, features, padding)
    : await planAuto({ ...sampled, padding }, data.source, note);
  const warnings = findWarnings(data, usable, plan);
  for (const warning of warnings) note(`note: ${warning}`);
  const recipe = fitRecipe(plan, values, train, log);
  const channels = applyRecipe(recipe, values, log);
  const names = plan.channels.map((channel) => describeChannel(channel, features));
  note(`channels: ${names.join(", ")}`);

  const C = plan.channels.length;
  const settings = { ...(isRaw ? PLAIN_SETTINGS : chooseSettings(train.length)), ...given(options, ["units", "batch", "epochs"]) };
  const { units, batch, epochs, optimizer } = settings;
  const { horizon } = options;
  const run = { data: data.sha256, seed, horizon, split: split.by, plan, units, batch, epochs, version: VERSION, node: host.node };
  const learnt = await learn({
    ...{
      channels,
      width: C,
      names,
      timesteps: shape.timesteps,
      labels,
      train,
      validation,
      settings,
      softness,
      needsProof: !isPromising,
      gap,
      seed,
    },
    positiveRate: positiveRate(labels, train),
    createStepper: host.createStepper,
    keep: host.keep && ((share, stage, path) => host.keep?.(JSON.stringify({ ...run, share, path }), stage) ?? {}),
    note,
    onProgress: host.onProgress,
  });
  const { network, fit } = learnt;
  const labelsOf = (indices: Int32Array): Uint8Array => Uint8Array.from(indices, (n) => labels[n]);
  const uncalibrated = host
    .createEngine(network, { slope: 1, intercept: 0 })
    .probabilities(...select(channels, calibration, shape.timesteps * C));
  const calibrated = fitCalibration(
    Float32Array.from(uncalibrated, (p) => logit(p)),
    labelsOf(calibration),
  );

  const engine = host.createEngine(network, calibrated);
  const probabilitiesOf = (indices: Int32Array): Float32Array => engine.probabilities(...select(channels, indices, shape.timesteps * C));
  const held = Int32Array.from([...validation, ...calibration]);
  const goldenInputs = synthesiseGolden(recipe, createRandom(options.seed, STREAM.golden));
  const goldenChannels = applyRecipe(recipe, goldenInputs, host.kernel.log);
  const [heldChannels, heldLengths] = select(channels, held, shape.timesteps * C);
  const withoutFigures: Model = {
    name: data.name,
    recipe,
    network,
    calibration: calibrated,
    positiveRate: positiveRate(labels, train),
    operatingPoints: chooseOperatingPoints(labelsOf(validation), probabilitiesOf(validation), { note: (text) => warnings.push(text) }),
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
  const decodedEngine = host.createEngine(decoded.network, decoded.calibration);
  const test =
    data.test === null
      ? selectRaw(usable, split.test, shape)
      : dropPaddingOnly({ ...data.test, source: `${data.source} (test part)`, shape }, padding, host);
  const testProbabilities = score(decoded, decodedEngine, host.kernel.log, test.values).probabilities;
  const metrics = computeMetrics(test.labels, testProbabilities);
  const logistic = fitLogisticBaseline(channels, recipe.timesteps, C, train, labels);
  const logisticProbabilities = logistic(applyRecipe(recipe, test.values, host.kernel.log));
  const baseRate = new Float64Array(test.labels.length).fill(positiveRate(labels, train));
  const baselines = {
    "base rate": computeMetrics(test.labels, baseRate),
    "logistic regression": computeMetrics(test.labels, logisticProbabilities),
  };
  const card: Card = {
    data: { name: data.name, sha256: data.sha256, float32: data.float32 },
    split: {
      by: split.by,
      examples: { train: train.length, validation: validation.length, calibration: calibration.length, test: test.labels.length },
    },
    training: {
      seed: options.seed,
      recipe: recipeName,
      units,
      softness: learnt.softness,
      optimizer,
      batch,
      epochs: fit.history.length,
      bestEpoch: fit.bestEpoch,
    },
    test: metrics,
    intervals: bootstrapIntervals(test.labels, testProbabilities, createRandom(options.seed, STREAM.bootstrap), BOOTSTRAP_RESAMPLES),
    baselines,
    warnings,
    versions: { quickstep: VERSION, node: host.node, path: learnt.path },
  };
  const operatingPoints = measureOperatingPoints(decoded.operatingPoints, test.labels, testProbabilities);
  const bytes = encodeArtifact({ ...decoded, operatingPoints, card });
  const model = decodeArtifact(bytes);
  checkGolden(model, host.createEngine(model.network, model.calibration), host.kernel.log);
  const seen = train.subarray(0, MAX_SEEN);
  const trainLogLoss = computeMetrics(labelsOf(seen), probabilitiesOf(seen)).logLoss;
  const baselineProbabilities = { "base rate": baseRate, "logistic regression": logisticProbabilities };
  const verdict = decideVerdict(test.labels, testProbabilities, baselines, baselineProbabilities, trainLogLoss);
  const truth =
    test.probability === null
      ? undefined
      : { bayesLogLoss: entropy(test.probability), recovered: recoveredInformation(test.probability, testProbabilities) };
  const [validationChannels, validationLengths] = select(channels, validation, shape.timesteps * C);
  const evidence: Trained["evidence"] = {
    history: fit.history,
    data: usable,
    leftOut: data.labels.length - labels.length,
    split,
    validation: {
      "base rate": new Float64Array(validation.length).fill(positiveRate(labels, train)),
      "logistic regression": logistic({ channels: validationChannels, lengths: validationLengths, outOfRange: new Uint8Array(0) }),
    },
    test: {
      values: test.values,
      labels: test.labels,
      probabilities: testProbabilities,
      baselines: { "base rate": baseRate, "logistic regression": logisticProbabilities },
    },
  };
  return { model, bytes, fit, verdict, truth, channels: names, evidence };
}

/** The plain script's recipe, to be compared with: every feature as it is. */
function planRaw(shape: Shape, features: readonly string[], padding: Padding): Planned {
  const channels = features.map((_, a) => ({ base: "feature", a, view: "level" }) as const);
  return { plan: { timesteps: shape.timesteps, features, padding, channels, standardise: false }, softness: [0], isPromising: true };
}

interface Planned {
  readonly plan: Plan;
  /** The ways to learn that are to be tried. */
  readonly softness: readonly number[];
  /** Whether there is reason to expect that something can be learnt. */
  readonly isPromising: boolean;
}

/** What the data can be learnt from, said as it is found. */
async function planAuto(input: TrialInput, source: string, note: (text: string) => void): Promise<Planned> {
  const { values, shape, train, padding, features } = input;
  const facts = studyFeatures(values, shape, train, padding);
  if (facts.constant.length > 0) note(`constant on the training part, left out: ${facts.constant.map((f) => features[f]).join(", ")}`);
  for (const relation of facts.relations) note(`redundant, left out: ${describeRelation(relation, features)}`);
  if (facts.constant.length === shape.features)
    throw new DataError(source, "every feature is constant on the training part: there is nothing to learn from");
  const found = await searchChannels(input, facts);
  for (const line of found.notes) note(`  ${line}`);
  note(
    `held-out log loss in the search: base rate ${found.baseRateLoss.toFixed(4)}, levels and deltas ${found.plainLoss.toFixed(4)}, chosen ${found.loss.toFixed(4)}`,
  );
  const plan = { timesteps: shape.timesteps, features, padding, channels: found.channels, standardise: true };
  return { plan, softness: found.softness === "undecided" ? [0, SOFTNESS] : [found.softness], isPromising: found.isPromising };
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

interface Labelled {
  readonly values: Float64Array;
  readonly labels: Uint8Array;
  readonly probability: Float64Array | null;
  readonly groups?: Int32Array;
}

/** Sequences without a valid row are left out, counted and said. */
function dropPaddingOnly(
  data: Labelled & { readonly source: string; readonly shape: Shape },
  padding: Padding,
  host: Pick<Host, "note">,
): Labelled {
  const { values, labels, shape } = data;
  const rows = new Int32Array(shape.timesteps);
  const size = shape.timesteps * shape.features;
  const kept = Int32Array.from(labels.keys()).filter((n) => validRows(values, n * size, shape, padding, rows) > 0);
  if (kept.length === labels.length) return data;
  if (kept.length === 0) throw new DataError(data.source, `all ${labels.length} sequences are nothing but padding`);
  host.note(`${data.source}: left out ${labels.length - kept.length} sequences without a valid row`);
  return selectRaw(data, kept, shape);
}

function selectRaw(data: Labelled, indices: Int32Array, shape: Shape): Labelled {
  const size = shape.timesteps * shape.features;
  const values = new Float64Array(indices.length * size);
  indices.forEach((n, i) => {
    values.set(data.values.subarray(n * size, (n + 1) * size), i * size);
  });
  const { probability, groups } = data;
  return {
    values,
    labels: Uint8Array.from(indices, (n) => data.labels[n]),
    probability: probability && Float64Array.from(indices, (n) => probability[n]),
    groups: groups && indices.map((n) => groups[n]),
  };
}

/** The channels and lengths of the sequences at `indices`; `size` is T·C. */
function select(data: Channels, indices: Int32Array, size: number): [channels: Float32Array, lengths: Int32Array] {
  const channels = new Float32Array(indices.length * size);
  indices.forEach((n, i) => {
    channels.set(data.channels.subarray(n * size, (n + 1) * size), i * size);
  });
  return [channels, indices.map((n) => data.lengths[n])];
}

/** Logistic regression on the flattened channels of the training part. */
function fitLogisticBaseline(
  data: Channels,
  T: number,
  C: number,
  train: Int32Array,
  labels: Uint8Array,
): (test: Channels) => Float64Array {
  const [channels, lengths] = select(data, train, T * C);
  const { predict } = fitLogistic(
    flattenChannels({ channels, lengths }, T, C),
    Uint8Array.from(train, (n) => labels[n]),
    { l2: 1 },
  );
  return (test) => predict(flattenChannels(test, T, C));
}

function positiveRate(labels: Uint8Array, indices: Int32Array): number {
  return indices.reduce((sum, n) => sum + labels[n], 0) / indices.length;
}

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature stands on a large offset. */
function takesDifferences({ channels }: Plan): boolean {
  return channels.some(({ base, view }) => base !== "feature" || view === "delta" || view === "logDelta" || view === "centred");
}

/** (N) valid rows. */
function lengthsOf(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const rows = new Int32Array(shape.timesteps);
  const size = shape.timesteps * shape.features;
  return Int32Array.from({ length: values.length / size }, (_, n) => validRows(values, n * size, shape, padding, rows));
}

/** Facts about the data that whoever uses the model should know. */
function findWarnings(data: LabelledDataset, usable: Labelled, plan: Plan): string[] {
  const warnings: string[] = [];
  if (data.float32 && takesDifferences(plan))
    warnings.push(
      "the data came as float32, about seven digits, and the recipe takes differences: small movements on a large offset are rounded away; save it as float64",
    );
  const lengths = lengthsOf(usable.values, data.shape, plan.padding);
  const { auc } = computeMetrics(
    usable.labels,
    Float64Array.from(lengths, (length) => length / data.shape.timesteps),
  );
  if (auc !== null && Math.max(auc, 1 - auc) > TELLING_LENGTH)
    warnings.push(
      `the length of a sequence alone tells its label with AUC ${Math.max(auc, 1 - auc).toFixed(3)}: make sure that it is known when the score is needed`,
    );
  if (plan.padding === "leading") {
    const { timesteps: T, features: F } = data.shape;
    const rows = new Int32Array(T);
    let zeroRows = 0;
    for (let n = 0; n < usable.labels.length; n++) {
      const length = validRows(usable.values, n * T * F, data.shape, "leading", rows);
      for (let t = 0; t < length; t++) if (isZeroRow(usable.values, (n * T + rows[t]) * F, F)) zeroRows++;
    }
    if (zeroRows > 0)
      warnings.push(
        `${zeroRows} all-zero rows stand after the first data row of their sequence and count as data: use --padding any if they are padding too`,
      );
  }
  return warnings;
}
