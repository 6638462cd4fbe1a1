// How closely an imported model agrees with the source's own forward pass: probabilities of random sequences, by the kernel and by our
// float64 definition, against the file's.
// Legend: N sequences, T steps, F features, C channels.
import { soleLayers, soleNetwork } from "../../shared/members.ts";
import { type Model, score } from "../../shared/model.ts";
import { layersLogit } from "../../shared/networks/layers-definition.ts";
import { lstmProbability, sigmoid } from "../../shared/networks/lstm.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { isZeroRow, validRows } from "../../shared/sequence.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { ImportedNetwork } from "./contract/imported-network.ts";
import type { Scaler } from "./scaler.ts";

/** Lengths are drawn evenly; every second sequence has all-zero rows inside. */
export const PARITY_SEQUENCES = 64;
/** Of the rows inside every second sequence. */
const ZERO_ROW_RATE = 0.2;

/** The largest difference of a probability that is allowed: float32 rounds a gate of 100 units by some 1e-7; a misunderstood network differs by far more. */
export const PARITY_LIMIT = 1e-5;

/** Largest differences from the source's forward pass in a probability; NaN counts as the largest. */
export interface Parity {
  readonly kernel: number;
  readonly definition: number;
}

/**
 * Compares on 64 seeded sequences of every length, with values around the recipe's statistics and all-zero rows in front and inside.
 * `scaler` is what the user gave beside the file; `model` has the scaler in its recipe.
 */
export function measureParity(model: Model, imported: ImportedNetwork, scaler: Scaler | undefined, engines: Engines): Parity {
  const { recipe } = model;
  const {
    timesteps: T,
    channels: { length: C },
  } = recipe;
  const values = randomSequences(recipe, createRandom(1, STREAMS.importParity));
  const { probabilities } = score(model, engines.createEngine(model), engines.kernel.log, values);
  const { channels, lengths } = applyRecipe(recipe, values, engines.kernel.log);
  let kernel = 0;
  let definition = 0;
  for (let n = 0; n < PARITY_SEQUENCES; n++) {
    const rows = imported.exportMetadata
      ? Float64Array.from(channels.subarray(n * T * C, (n * T + lengths[n]) * C))
      : rowsOf(recipe, values, n, scaler);
    const expected = imported.forward(rows);
    const ours = defineProbability(model, channels.subarray(n * T * C, (n + 1) * T * C), lengths[n]);
    kernel = largest(kernel, Math.abs(expected - probabilities[n]));
    definition = largest(definition, Math.abs(expected - ours));
  }
  return { kernel, definition };
}

/** The probability of one sequence by our float64 definition; an imported model is one network. */
function defineProbability(model: Model, channels: Float32Array, length: number): number {
  const { calibration } = model;
  const layered = soleLayers(model);
  if (layered === undefined) return lstmProbability(soleNetwork(model)!, calibration, channels, length);
  return sigmoid(calibration.slope * layersLogit(layered, channels, length) + calibration.intercept);
}

/** NaN counts as the largest. */
function largest(a: number, b: number): number {
  return Number.isNaN(a) || b <= a ? a : b;
}

/** Sequence `n` as the source's model takes it: scaled, and its valid rows alone where padding is `leading`. */
function rowsOf({ timesteps: T, features, padding }: Recipe, values: Float64Array, n: number, scaler: Scaler | undefined): Float64Array {
  const F = features.length;
  const rows = scaleRows(values.slice(n * T * F, (n + 1) * T * F), F, scaler, padding !== "none");
  if (padding !== "leading") return rows;
  return rows.subarray((T - validRows(values, n * T * F, { timesteps: T, features: F }, padding, new Int32Array(T))) * F); // rows of a mask among them
}

/** What scikit-learn does to rows before the model sees them; padding stays zero. */
function scaleRows(rows: Float64Array, F: number, scaler: Scaler | undefined, keepsZeroRows: boolean): Float64Array {
  if (scaler === undefined) return rows;
  return rows.map((x, at) => {
    const from = at - (at % F);
    const isZero = isZeroRow(rows, from, { features: F });
    return keepsZeroRows && isZero ? 0 : (x - scaler.mean[at % F]) / scaler.scale[at % F];
  });
}

/** (N,T,F) */
function randomSequences({ timesteps: T, features, padding, mask, featureMean, featureScale }: Recipe, random: Random): Float64Array {
  const F = features.length;
  const values = new Float64Array(PARITY_SEQUENCES * T * F);
  for (let n = 0; n < PARITY_SEQUENCES; n++) {
    const shortest = padding === "none" ? 0 : 1;
    const length = n === 0 ? T : shortest + random.integer(T + 1 - shortest);
    for (let t = T - length; t < T; t++) {
      const isInside = t > T - length && t < T - 1;
      if (n % 2 === 1 && isInside && random.uniform() < ZERO_ROW_RATE) {
        if (mask !== undefined && n % 4 === 1) values.fill(mask, (n * T + t) * F, (n * T + t + 1) * F);
        continue; // an all-zero row, or one of the mask
      }
      for (let f = 0; f < F; f++) values[(n * T + t) * F + f] = featureMean[f] + featureScale[f] * random.normal();
      if (F > 1 && n % 4 === 2 && t === T - 1) values[(n * T + t) * F + ((n >> 2) % F)] = mask ?? 0; // one such number makes no row of padding
    }
  }
  return values;
}
