// The proof of an import: inputs and outputs that the model itself gave, against what the artifact gives.
// Legend: N sequences, T steps, F features.
import type { Engine } from "../../shared/engine.ts";
import { DataError } from "../../shared/errors.ts";
import { type Model, score } from "../../shared/model.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import type { Engines } from "../artifact/artifact-file.ts";
import { openNpz } from "../readers/npz.ts";
import { PARITY_LIMIT } from "./parity.ts";

/** A few of the model's own inputs and outputs. */
export interface Pairs {
  /** Names the file in errors. */
  readonly source: string;
  readonly N: number;
  readonly T: number;
  readonly F: number;
  /** (N,T,F) raw sequences, as the model takes them before any scaler. */
  readonly values: Float64Array;
  /** (N) the model's probabilities. */
  readonly probabilities: Float64Array;
}

/** Fewer would prove little; equal outputs would prove nothing. */
const MIN_PAIRS = 3;
const MIN_SPREAD = 1e-3;

/** Reads an .npz with `X` (N,T,F) and `p` (N) or (N,1). Throws DataError: other arrays, too few pairs, outputs that are no probabilities. */
export async function readPairs(bytes: Uint8Array, source: string): Promise<Pairs> {
  const npz = await openNpz(bytes, source);
  const [X, p] = [await npz.read("X"), await npz.read("p")];
  const [N, T, F] = X.shape;
  if (X.shape.length !== 3 || typeof X.data[0] !== "number")
    throw new DataError(source, `X has the shape (${X.shape.join(", ")}), expected (N, steps, features)`);
  if (p.data.length !== N)
    throw new DataError(source, `p has ${p.data.length} numbers for ${N} sequences, expected one probability for each`);
  const [values, probabilities] = [Float64Array.from(X.data as ArrayLike<number>), Float64Array.from(p.data as ArrayLike<number>)];
  const bad = probabilities.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0)
    throw new DataError(
      source,
      `p[${bad}] is ${probabilities[bad]}, expected a probability from 0 to 1: put the model's sigmoid behind its logits`,
    );
  if (N < MIN_PAIRS) throw new DataError(source, `has ${N} sequences, expected at least ${MIN_PAIRS}`);
  if (Math.max(...probabilities) - Math.min(...probabilities) < MIN_SPREAD)
    throw new DataError(
      source,
      `p is nearly the same for all ${N} sequences, which proves nothing: take sequences of different probabilities`,
    );
  return { source, N, T, F, values, probabilities };
}

/** Engines of any kind. */
interface CheckEngines extends Pick<Engines, "kernel"> {
  createEngine(model: Model): Engine;
}

/** The largest difference of a probability. Throws DataError where it is above 1e-5, and where the pairs do not fit the model. */
export function checkPairs(
  model: Model,
  { source, N, T, F, values, probabilities }: Pairs,
  { createEngine, kernel }: CheckEngines,
): number {
  const { timesteps, features } = model.recipe;
  if (T !== timesteps || F !== features.length)
    throw new DataError(source, `X has ${T} steps × ${F} features, but the model takes ${timesteps} × ${features.length}`);
  const { probabilities: ours } = score(model, createEngine(model), kernel.log, values);
  let worst = 0;
  for (let n = 1; n < N; n++) if (Math.abs(ours[n] - probabilities[n]) > Math.abs(ours[worst] - probabilities[worst])) worst = n;
  const difference = Math.abs(ours[worst] - probabilities[worst]);
  if (difference > PARITY_LIMIT)
    throw new DataError(
      source,
      `p[${worst}] is ${probabilities[worst]}, but the imported model says ${ours[worst]} (${difference.toExponential(1)} apart, ${PARITY_LIMIT} is allowed): ${hintOf(model, values, T, F)}the model computes something else than was read, and nothing is written`,
    );
  return difference;
}

/** Packed sequences have their padding behind, which a recipe of leading padding takes as data. */
function hintOf({ recipe }: Model, values: Float64Array, T: number, F: number): string {
  const isZero = (row: number): boolean => isZeroRow(values, row * F, { features: F });
  const endsInZeros = Array.from({ length: values.length / (T * F) }, (_, n) => isZero((n + 1) * T - 1)).includes(true);
  if (recipe.padding !== "leading" || !endsInZeros) return "";
  return "X has all-zero rows behind the last row of a sequence, which --padding leading takes as data (--padding any passes over them); else ";
}
