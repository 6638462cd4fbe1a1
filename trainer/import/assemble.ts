// ImportedNetwork → artifact. The artifact is compared with the source's own forward pass before anything is written.
// Legend: T steps, F features.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import type { Engine } from "../../shared/engine.ts";
import { DataError } from "../../shared/errors.ts";
import { networksOf, ofNetwork, type Precision, type Predictor, takesInt16 } from "../../shared/members.ts";
import {
  atPrecision,
  type Card,
  CHANNEL_BINS,
  checkGolden,
  DEFAULT_POINT,
  type Golden,
  type Model,
  SCORE_BINS,
} from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { CLIP_UNSCALED, type Log, type Recipe } from "../../shared/recipe/recipe.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { VERSION } from "../../shared/version.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { synthesiseGolden } from "../artifact/golden.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { absorbSigns, addFront, type Front, plainFront } from "./contract/front.ts";
import type { ImportedNetwork, SettledNetwork } from "./contract/imported-network.ts";
import { printable } from "./contract/reject-file.ts";
import { measureParity, PARITY_LIMIT } from "./parity.ts";
import type { Scaler } from "./scaler.ts";

export interface ImportOptions {
  readonly name: string;
  /** Base name of the file, and the SHA-256 of its bytes. */
  readonly file: string;
  readonly sha256: string;
  readonly features?: readonly string[];
  readonly timesteps?: number;
  readonly scaler?: Scaler;
  readonly node: string;
  /** How the network is computed; default: in float32. */
  readonly precision?: Precision;
}

export interface ImportedModel {
  readonly model: Model;
  /** The artifact. */
  readonly bytes: Uint8Array;
  /** What was found and what was assumed, one line each, fit for a terminal. */
  readonly findings: readonly string[];
  /** Largest difference of a probability from the source's own float64 pass. */
  readonly parity: number;
}

/** The card's warning until `calibrate` has seen labelled sequences. */
const UNCALIBRATED =
  "imported and not calibrated: the share of 1s in its training data is unknown and taken for 0.5, so a base rate given with a request is held against that";

/**
 * Makes an artifact of `imported`. `source` names the file in errors. Throws DataError: options that do not fit the network, a
 * network that does not fit an artifact, or a probability that differs by more than 1e-5 from the source's own.
 */
export function assembleModel(source: string, imported: SettledNetwork, options: ImportOptions, engines: Engines): ImportedModel {
  if (imported.exportMetadata && (options.scaler || options.features || options.timesteps !== undefined))
    throw new DataError(source, "brings its own recipe, since quickstep exported the file: leave out --scaler, --features and --timesteps");
  const front = options.scaler ? frontBehindScaler(source, imported, options.scaler) : imported.front;
  const network = absorbSigns(imported.network, front);
  const recipe = imported.exportMetadata?.recipe ?? plainRecipe(source, { ...imported, front, channels: network.channels }, options);
  const findings = [...imported.findings, ...describeOptions(imported, recipe, options)].map(printable);

  const predictor = ofNetwork(network, imported.exportMetadata?.calibration ?? { slope: 1, intercept: 0 });
  const golden = goldenOf(recipe, engines.kernel.log, engines.createEngine(predictor));
  const drafted = draftModel(predictor, recipe, imported.exportMetadata?.name ?? options.name, golden);
  const draft = decodeDraft(source, encodeArtifact(drafted));
  const parity = checkParity(source, draft, imported, options.scaler, engines);
  const served = options.precision === "int16" ? roundDraft(source, draft, findings, engines) : draft;
  const units = "layers" in network ? 0 : network.units;
  const bytes = encodeArtifact({ ...served, card: importedCard(units, imported.format, findings, parity, options) });
  const model = decodeArtifact(bytes);
  checkGolden(model, engines.createEngine(model), engines.kernel.log);
  return { model, bytes, findings, parity };
}

/** The scaler first, then what the file has in front of its network. */
function frontBehindScaler(source: string, { front, network }: ImportedNetwork, scaler: Scaler): Front {
  if (scaler.mean.length !== network.channels)
    throw new DataError(source, `takes ${network.channels} features, but the scaler has ${scaler.mean.length}`);
  const signed = front.scale.map((scale, f) => scale * front.sign[f]);
  return addFront(addFront(plainFront(network.channels), scaler.mean, scaler.scale), front.mean, signed);
}

/** What is in front of a network of `channels` features. */
export interface PlainInput extends Pick<SettledNetwork, "front" | "padding" | "mask" | "timesteps"> {
  readonly channels: number;
}

/** A recipe that hands each feature as it is, standardised by the front, to the network. Throws DataError where options do not fit. */
export function plainRecipe(source: string, { front, channels: F, padding, mask, timesteps }: PlainInput, options: ImportOptions): Recipe {
  if (F > MAX_FEATURES) throw new DataError(source, `takes ${F} features a step, expected at most ${MAX_FEATURES}`);
  const T = timesteps ?? options.timesteps ?? DEFAULT_SHAPE.timesteps;
  if (timesteps !== null && options.timesteps !== undefined && options.timesteps !== timesteps)
    throw new DataError(source, `takes ${timesteps} steps, but --timesteps says ${options.timesteps}: leave --timesteps out`);
  if (T < 1 || T > MAX_TIMESTEPS) throw new DataError(source, `takes ${T} steps, expected 1 to ${MAX_TIMESTEPS}`);
  const names = options.features ?? Array.from({ length: F }, (_, f) => `f${f}`);
  if (names.length !== F) throw new DataError(source, `takes ${F} features, but --features names ${names.length} (${names.join(", ")})`);
  return {
    timesteps: T,
    features: names,
    padding,
    // Behind a scaler, the model's mask is no raw row
    ...(mask !== undefined && options.scaler === undefined && { mask }),
    channels: names.map((_, a) => ({ base: "feature", view: "level", a })),
    clip: CLIP_UNSCALED,
    lengths: padding === "none" && mask === undefined ? [T, T] : [1, T],
    mean: front.mean,
    scale: front.scale,
    floor: new Float64Array(3 * F),
    featureMean: front.mean,
    featureScale: front.scale,
  };
}

/** What the options added, and what they left open. */
function describeOptions({ timesteps, mask, exportMetadata }: ImportedNetwork, recipe: Recipe, options: ImportOptions): string[] {
  const zeroRows = recipe.padding === "none" ? "; all-zero rows are scaled like any other" : "";
  return [
    ...(options.scaler && mask !== undefined
      ? [`rows of ${mask} behind the scaler stand for padding, which --padding says of raw rows`]
      : []),
    ...(options.scaler ? [`scaler: mean and scale of ${options.scaler.mean.length} features${zeroRows}`] : []),
    ...(timesteps === null && !exportMetadata && options.timesteps === undefined
      ? [`the file does not say how many steps: ${recipe.timesteps} are taken (--timesteps N)`]
      : []),
  ];
}

/** Golden vectors of a recipe, scored by `engine`. */
export function goldenOf(
  recipe: Recipe,
  log: Log,
  engine: Engine,
  inputs = synthesiseGolden(recipe, createRandom(1, STREAMS.golden)),
): Golden {
  const { channels, lengths } = applyRecipe(recipe, inputs, log);
  return { inputs, probabilities: engine.probabilities({ channels, lengths }) };
}

/** The model without a card, with empty counts where training would have left its reference. */
export function draftModel(predictor: Predictor, recipe: Recipe, name: string, golden: Golden): Model {
  const C = recipe.channels.length;
  return {
    name,
    recipe,
    ...predictor,
    positiveRate: 0.5, // not in any file: `calibrate` measures the rate
    operatingPoints: [{ name: DEFAULT_POINT, threshold: 0.5 }],
    golden,
    reference: {
      channelEdges: new Float32Array(C * (CHANNEL_BINS - 1)),
      channelCounts: new Uint32Array(C * CHANNEL_BINS),
      scoreCounts: new Uint32Array(SCORE_BINS),
    },
    card: {} as Card,
  };
}

/** The largest difference of a probability. Throws DataError where it is above PARITY_LIMIT. */
function checkParity(source: string, draft: Model, imported: ImportedNetwork, scaler: Scaler | undefined, engines: Engines): number {
  const { kernel, definition } = measureParity(draft, imported, scaler, engines);
  if (kernel <= PARITY_LIMIT) return kernel;
  // Where our float64 definition agrees with the source's, the kernel's rounding is what is left.
  const cause = definition <= PARITY_LIMIT ? "is too sensitive for float32, the precision of quickstep's kernel" : "was understood wrongly";
  throw new DataError(
    source,
    `${cause}: its own definition and the imported model differ by ${kernel.toExponential(1)} in a probability, where ${PARITY_LIMIT} is allowed; nothing is written`,
  );
}

/** The model in whole numbers of 16 bits, of which `findings` then speak. Throws DataError where it stays in float32. */
function roundDraft(source: string, draft: Model, findings: string[], { createEngine, kernel }: Engines): Model {
  const networks = networksOf(draft);
  if (networks.length === 0 || !networks.every(takesInt16))
    throw new DataError(
      source,
      "is no LSTM of sigmoid gates that begins with zeros, and others are computed in float32: leave out --precision",
    );
  const int16 = atPrecision(draft, "int16", createEngine, kernel.log);
  const [before, after] = [draft.golden.probabilities, int16.golden.probabilities];
  const moved = after.reduce((most, p, k) => Math.max(most, Math.abs(p - before[k])), 0);
  findings.push(
    `computed in whole numbers of 16 bits, which moves no probability of a golden vector by more than ${moved.toExponential(1)}`,
  );
  return int16;
}

/** What the decoder finds wrong in the artifact is the file's fault. */
function decodeDraft(source: string, bytes: Uint8Array): Model {
  try {
    return decodeArtifact(bytes);
  } catch (error) {
    throw new DataError(source, `cannot become an artifact: ${(error as Error).message}`);
  }
}

/** The card of a model of whose training nothing is known; `units` of its one LSTM, 0 of anything else. */
export function importedCard(
  units: number,
  format: string,
  findings: readonly string[],
  parity: number,
  { file, sha256, node }: ImportOptions,
): Card {
  return {
    data: { name: file, sha256, float32: false },
    split: { by: "nothing", examples: { train: 0, validation: 0, calibration: 0, test: 0 } },
    training: {
      seed: 0,
      recipe: "imported",
      units,
      softness: 0,
      optimizer: "elsewhere",
      batch: 0,
      epochs: 0,
      bestEpoch: 0,
    },
    test: null,
    intervals: {},
    baselines: {},
    warnings: [UNCALIBRATED],
    warningCodes: ["not-calibrated"],
    versions: { quickstep: VERSION, node, path: "import" },
    imported: { file, sha256, format: printable(format), found: findings, parity },
  };
}
