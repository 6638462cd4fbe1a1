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
import { type Fit, fitNetwork, type Progress, type Stepper } from "./fit.ts";
import { synthesiseGolden } from "./golden.ts";
import { fitLogistic, flattenChannels } from "./logistic.ts";
import { bootstrapIntervals, computeMetrics, entropy, recoveredInformation } from "./metrics.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork } from "./network.ts";
import { chooseOperatingPoints } from "./operating-points.ts";
import { planRecipe, type RecipeName, takesDifferences } from "./plan.ts";
import { createRandom } from "./random.ts";
import type { LabelledDataset } from "./readers/dataset.ts";
import { computeReference } from "./reference.ts";
import { type SplitMethod, splitDataset } from "./split.ts";
import { decideVerdict, type Verdict } from "./verdict.ts";

export interface TrainOptions {
  readonly units: number;
  readonly epochs: number;
  /** Undefined: chosen by the size of the training part. */
  readonly batch?: number;
  readonly seed: number;
  readonly split: SplitMethod;
  readonly horizon: number;
  readonly padding?: Padding;
  readonly recipe: RecipeName;
}

export interface StepperOptions {
  /** C, T and U. */
  readonly channels: number;
  readonly timesteps: number;
  readonly units: number;
  readonly maxBatch: number;
  readonly optimizer: "adam" | "rmsprop";
  readonly clipNorm: number;
}

/** What the machine provides: implementations are chosen by whoever calls. */
export interface Host {
  readonly kernel: Kernel;
  createEngine(network: Network, calibration: Calibration): Engine;
  createStepper(data: Channels & { readonly labels: Uint8Array }, options: StepperOptions): Stepper;
  readonly node: string;
  note(text: string): void;
  onProgress(progress: Progress): void;
  /** Keeps the run that `run` names: runs of equal names end in equal bytes. */
  keep?(run: string): Keeping;
}

export interface Trained {
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly fit: Fit;
  readonly verdict: Verdict;
  /** Where the true probability is known: its log loss on the test part, and the share of what is learnable that was learnt. */
  readonly truth?: { readonly bayesLogLoss: number; readonly recovered: number };
  readonly channels: readonly string[];
}

/** One seed, unrelated streams: drawing more in one place changes nothing elsewhere. */
const STREAM = { split: 1, weights: 2, golden: 3, bootstrap: 4, order: 1000 };
const BOOTSTRAP_RESAMPLES = 200;
/** Gradients with a larger global norm are scaled down to it (Pascanu et al. 2013). */
const CLIP_NORM = 1;

export async function trainModel(data: LabelledDataset, options: TrainOptions, host: Host): Promise<Trained> {
  const { shape } = data;
  const padding = options.padding ?? (options.recipe === "raw" ? "none" : "leading");
  const usable = dropPaddingOnly(data, padding, host);
  const planOn = (indices: ArrayLike<number>): ReturnType<typeof planRecipe> =>
    planRecipe(options.recipe, { values: usable.values, shape, features: data.features, indices, padding });
  if (planOn(Int32Array.from(usable.labels.keys())).plan.channels.length === 0)
    throw new DataError(data.source, "every feature is constant: there is nothing to learn from");
  const split = splitDataset({
    values: usable.values,
    labels: usable.labels,
    shape,
    padding,
    method: options.split,
    horizon: options.horizon,
    groups: usable.groups,
    hasTest: data.test !== null,
    random: createRandom(options.seed, STREAM.split),
  });
  host.note(`split by ${split.by}: ${split.reason}`);
  const { train, validation, calibration } = split;
  for (const [part, indices] of Object.entries({ train, validation }))
    if (new Set(Array.from(indices, (n) => usable.labels[n])).size < 2)
      throw new DataError(
        data.source,
        `the ${part} part (${indices.length} sequences) has one class only: give more data, or --split random if its order means nothing`,
      );

  const { plan, constant } = planOn(train);
  if (constant.length > 0) host.note(`constant on the training part, left out: ${constant.join(", ")}`);
  if (plan.channels.length === 0)
    throw new DataError(data.source, "every feature is constant on the training part: there is nothing to learn from");
  const warnings = findWarnings(data, usable, plan);
  for (const warning of warnings) host.note(`note: ${warning}`);
  const recipe = fitRecipe(plan, usable.values, train, host.kernel.log);
  const channels = applyRecipe(recipe, usable.values, host.kernel.log);
  const names = plan.channels.map((channel) => describeChannel(channel, data.features));
  host.note(`channels: ${names.join(", ")}`);

  const { units, epochs, seed, horizon } = options;
  const identity = {
    data: data.sha256,
    units,
    epochs,
    seed,
    horizon,
    split: split.by,
    padding,
    recipe: options.recipe,
    version: VERSION,
    node: host.node,
  };
  const C = plan.channels.length;
  const optimizer = options.recipe === "raw" ? "rmsprop" : "adam";
  const batch = options.batch ?? (options.recipe === "raw" ? 1000 : chooseBatch(train.length));
  const initial = initialNetwork(C, options.units, positiveRate(usable.labels, train), createRandom(options.seed, STREAM.weights));
  const stepper = host.createStepper(
    { ...channels, labels: usable.labels },
    { channels: C, timesteps: shape.timesteps, units: options.units, maxBatch: batch, optimizer, clipNorm: CLIP_NORM },
  );
  stepper.setParameters(flattenNetwork(initial));
  let fitted: Fit;
  let calibrated: Calibration;
  try {
    fitted = await fitNetwork(stepper, {
      ...host.keep?.(JSON.stringify({ ...identity, channels: plan.channels, batch, path: stepper.path })),
      train,
      validation,
      labels: usable.labels,
      epochs: options.epochs,
      batch,
      learningRate: options.recipe === "raw" ? 1e-3 : 2e-3,
      plateau: 3,
      patience: 10,
      shuffle: (order, epoch) => createRandom(options.seed, STREAM.order + epoch).shuffle(order),
      onProgress: host.onProgress,
    });
    stepper.setParameters(fitted.parameters);
    calibrated = fitCalibration(
      stepper.logits(calibration),
      Uint8Array.from(calibration, (n) => usable.labels[n]),
    );
  } finally {
    stepper.dispose();
  }

  const network = unflattenNetwork(C, options.units, fitted.parameters);
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
    positiveRate: positiveRate(usable.labels, train),
    operatingPoints: chooseOperatingPoints(
      Uint8Array.from(validation, (n) => usable.labels[n]),
      probabilitiesOf(validation),
    ),
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
  const logistic = fitLogisticBaseline(channels, recipe.timesteps, C, train, usable.labels);
  const logisticProbabilities = logistic(applyRecipe(recipe, test.values, host.kernel.log));
  const baseRate = new Float64Array(test.labels.length).fill(positiveRate(usable.labels, train));
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
    training: { seed: options.seed, recipe: options.recipe, optimizer, batch, epochs: fitted.history.length, bestEpoch: fitted.bestEpoch },
    test: metrics,
    intervals: bootstrapIntervals(test.labels, testProbabilities, createRandom(options.seed, STREAM.bootstrap), BOOTSTRAP_RESAMPLES),
    baselines,
    warnings,
    versions: { quickstep: VERSION, node: host.node, path: stepper.path },
  };
  const bytes = encodeArtifact({ ...decoded, card });
  const model = decodeArtifact(bytes);
  checkGolden(model, host.createEngine(model.network, model.calibration), host.kernel.log);
  const verdict = decideVerdict(test.labels, testProbabilities, baselines, {
    "base rate": baseRate,
    "logistic regression": logisticProbabilities,
  });
  const truth =
    test.probability === null
      ? undefined
      : { bayesLogLoss: entropy(test.probability), recovered: recoveredInformation(test.probability, testProbabilities) };
  return { model, bytes, fit: fitted, verdict, truth, channels: names };
}

/** Small sets need many small steps, large ones gain from wide ones: about 100 steps an epoch, 32 to 512 sequences each. */
function chooseBatch(examples: number): number {
  return Math.min(512, Math.max(32, 2 ** Math.round(Math.log2(examples / 100))));
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

/** Facts about the data that whoever uses the model should know. */
function findWarnings(data: LabelledDataset, usable: Labelled, plan: Plan): string[] {
  const warnings: string[] = [];
  if (data.float32 && takesDifferences(plan.channels))
    warnings.push(
      "the data came as float32, about seven digits, and the recipe takes differences: small movements on a large offset are rounded away; save it as float64",
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
