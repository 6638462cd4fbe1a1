// Found → artifact, held against the source's own forward pass on random sequences before anything is written.
// Legend: N sequences, T steps, F features, C channels.
import { decodeArtifact, encodeArtifact } from "../../shared/artifact/artifact.ts";
import { DataError } from "../../shared/errors.ts";
import { type Card, CHANNEL_BINS, checkGolden, DEFAULT_POINT, type Model, SCORE_BINS, score } from "../../shared/model.ts";
import { lstmProbability, type Network } from "../../shared/networks/lstm.ts";
import { applyRecipe, CLIP_UNSCALED, type Recipe } from "../../shared/recipe/recipe.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, validRows } from "../../shared/sequence.ts";
import { VERSION } from "../../shared/version.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { synthesiseGolden } from "../artifact/golden.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { absorbSigns, addFront, type Found, plainFront, printable } from "./found.ts";
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
}

export interface Imported {
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly found: readonly string[];
  /** Largest difference of a probability from the source's own float64 pass. */
  readonly parity: number;
}

/** The card's warning until `calibrate` has seen labelled sequences. */
export const UNCALIBRATED =
  "imported and not calibrated: the share of 1s in its training data is unknown and taken for 0.5, so a base rate given with a request is held against that";
const PARITY_SEQUENCES = 64;
/** Float32 rounds a gate of 100 units by some 1e-7; what is wrong is wrong by far more. */
const PARITY_LIMIT = 1e-5;

/** Throws DataError, `source` naming the file: what does not fit, or a difference beyond 1e-5. */
export function assembleModel(source: string, found: Found, options: ImportOptions, engines: Engines): Imported {
  const { own } = found;
  if (own && (options.scaler || options.features || options.timesteps !== undefined))
    throw new DataError(source, "brings its own recipe, as quickstep exported it: leave out --scaler, --features and --timesteps");
  const front = { ...found, ...(options.scaler && { front: withScaler(source, found, options.scaler) }) }.front;
  const network = absorbSigns(found.network, front);
  const recipe = own?.recipe ?? plainRecipe(source, { ...found, front, network }, options);
  const calibration = own?.calibration ?? { slope: 1, intercept: 0 };
  const lines = [
    ...found.lines,
    ...(options.scaler
      ? [
          `scaler: mean and scale of ${options.scaler.mean.length} features${recipe.padding === "none" ? "; all-zero rows are scaled like any other" : ""}`,
        ]
      : []),
    ...(found.timesteps === null && !own && options.timesteps === undefined
      ? [`the file does not say how many steps: ${recipe.timesteps} are taken (--timesteps N)`]
      : []),
  ].map(printable);
  const inputs = synthesiseGolden(recipe, createRandom(1, STREAMS.golden));
  const engine = engines.createEngine(network, calibration);
  const channels = applyRecipe(recipe, inputs, engines.kernel.log);
  const draft: Model = {
    name: own?.name ?? options.name,
    recipe,
    network,
    calibration,
    positiveRate: 0.5, // nothing says it: calibrate does
    operatingPoints: [{ name: DEFAULT_POINT, threshold: 0.5 }],
    golden: { inputs, probabilities: engine.probabilities(channels.channels, channels.lengths) },
    reference: {
      channelEdges: new Float32Array(network.channels * (CHANNEL_BINS - 1)),
      channelCounts: new Uint32Array(network.channels * CHANNEL_BINS),
      scoreCounts: new Uint32Array(SCORE_BINS),
    },
    card: {} as Card,
  };
  const decoded = decode(source, encodeArtifact(draft));
  const { parity, isUnderstood } = measureParity(decoded, found, options.scaler, engines);
  if (!(parity <= PARITY_LIMIT))
    throw new DataError(
      source,
      `${isUnderstood ? "is too sensitive for float32, in which quickstep computes" : "was understood wrongly"}: its own definition and the imported model differ by ${parity.toExponential(1)} in a probability, where ${PARITY_LIMIT} is allowed; nothing is written`,
    );
  const bytes = encodeArtifact({ ...decoded, card: cardOf(network, found, lines, parity, options) });
  const model = decodeArtifact(bytes);
  checkGolden(model, engines.createEngine(model.network, model.calibration), engines.kernel.log);
  return { model, bytes, found: lines, parity };
}

/** The scaler first, then what the file has in front of its LSTM. */
function withScaler(source: string, { front, network }: Found, scaler: Scaler): Found["front"] {
  if (scaler.mean.length !== network.channels)
    throw new DataError(source, `takes ${network.channels} features, but the scaler has ${scaler.mean.length}`);
  const signed = front.scale.map((scale, f) => scale * front.sign[f]);
  return addFront(addFront(plainFront(network.channels), scaler.mean, scaler.scale), front.mean, signed);
}

function plainRecipe(source: string, { front, network, padding, timesteps }: Found, options: ImportOptions): Recipe {
  const F = network.channels;
  if (F > MAX_FEATURES) throw new DataError(source, `takes ${F} features a step, expected at most ${MAX_FEATURES}`);
  const T = timesteps ?? options.timesteps ?? DEFAULT_SHAPE.timesteps;
  if (timesteps !== null && options.timesteps !== undefined && options.timesteps !== timesteps)
    throw new DataError(source, `takes ${timesteps} steps, but --timesteps says ${options.timesteps}: leave it out`);
  if (T < 1 || T > MAX_TIMESTEPS) throw new DataError(source, `takes ${T} steps, expected 1 to ${MAX_TIMESTEPS}`);
  const names = options.features ?? Array.from({ length: F }, (_, f) => `f${f}`);
  if (names.length !== F) throw new DataError(source, `takes ${F} features, but --features names ${names.length} (${names.join(", ")})`);
  return {
    timesteps: T,
    features: names,
    padding,
    channels: names.map((_, a) => ({ base: "feature", view: "level", a })),
    clip: CLIP_UNSCALED,
    lengths: padding === "none" ? [T, T] : [1, T],
    mean: front.mean,
    scale: front.scale,
    floor: new Float64Array(3 * F),
    featureMean: front.mean,
    featureScale: front.scale,
  };
}

/**
 * Every length, all-zero rows in front and inside, values around the recipe's statistics. `isUnderstood`: in float64 our definition
 * agrees with the source's, so what is left is the kernel's rounding.
 */
function measureParity(
  model: Model,
  found: Found,
  scaler: Scaler | undefined,
  engines: Engines,
): { readonly parity: number; readonly isUnderstood: boolean } {
  const { recipe, network } = model;
  const { timesteps: T, features, padding } = recipe;
  const F = features.length;
  const values = randomSequences(recipe, createRandom(1, STREAMS.importParity));
  const engine = engines.createEngine(network, model.calibration);
  const { probabilities } = score(model, engine, engines.kernel.log, values);
  const { channels, lengths } = applyRecipe(recipe, values, engines.kernel.log);
  const C = network.channels;
  const rows = new Int32Array(T);
  let worst = 0;
  let misunderstood = 0;
  for (let n = 0; n < PARITY_SEQUENCES; n++) {
    let own: Float64Array;
    if (found.own) own = Float64Array.from(channels.subarray(n * T * C, (n * T + lengths[n]) * C));
    else {
      own = scale(values.slice(n * T * F, (n + 1) * T * F), F, scaler, padding !== "none");
      if (padding === "leading") own = own.subarray((T - validRows(values, n * T * F, { timesteps: T, features: F }, padding, rows)) * F);
    }
    const expected = found.forward(own);
    const oracle = lstmProbability(network, model.calibration, channels.subarray(n * T * C, (n + 1) * T * C), lengths[n]);
    // NaN counts as the largest
    if (!(Math.abs(expected - probabilities[n]) <= worst)) worst = Math.abs(expected - probabilities[n]);
    if (!(Math.abs(expected - oracle) <= misunderstood)) misunderstood = Math.abs(expected - oracle);
  }
  return { parity: worst, isUnderstood: misunderstood <= PARITY_LIMIT };
}

/** What scikit-learn does to rows before the model sees them; padding stays zero. */
function scale(rows: Float64Array, F: number, scaler: Scaler | undefined, keepsZeroRows: boolean): Float64Array {
  if (scaler === undefined) return rows;
  return rows.map((x, at) => {
    const from = at - (at % F);
    const isZero = rows.subarray(from, from + F).every((value) => value === 0);
    return keepsZeroRows && isZero ? 0 : (x - scaler.mean[at % F]) / scaler.scale[at % F];
  });
}

function randomSequences({ timesteps: T, features, padding, featureMean, featureScale }: Recipe, random: Random): Float64Array {
  const F = features.length;
  const values = new Float64Array(PARITY_SEQUENCES * T * F);
  for (let n = 0; n < PARITY_SEQUENCES; n++) {
    const shortest = padding === "none" ? 0 : 1;
    const length = n === 0 ? T : shortest + random.integer(T + 1 - shortest);
    for (let t = T - length; t < T; t++) {
      const isInside = t > T - length && t < T - 1;
      if (n % 2 === 1 && isInside && random.uniform() < 0.2) continue; // an all-zero row
      for (let f = 0; f < F; f++) values[(n * T + t) * F + f] = featureMean[f] + featureScale[f] * random.normal();
    }
  }
  return values;
}

function decode(source: string, bytes: Uint8Array): Model {
  try {
    return decodeArtifact(bytes);
  } catch (error) {
    throw new DataError(source, `cannot become an artifact: ${(error as Error).message}`);
  }
}

function cardOf(network: Network, found: Found, lines: readonly string[], parity: number, options: ImportOptions): Card {
  return {
    data: { name: options.file, sha256: options.sha256, float32: false },
    split: { by: "nothing", examples: { train: 0, validation: 0, calibration: 0, test: 0 } },
    training: { seed: 0, recipe: "imported", units: network.units, softness: 0, optimizer: "elsewhere", batch: 0, epochs: 0, bestEpoch: 0 },
    test: null,
    intervals: {},
    baselines: {},
    warnings: [UNCALIBRATED],
    versions: { quickstep: VERSION, node: options.node, path: "import" },
    imported: { file: options.file, sha256: options.sha256, format: printable(found.format), found: lines, parity },
  };
}
