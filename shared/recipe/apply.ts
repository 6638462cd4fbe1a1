// Drop padding rows → fill gaps → channels in float64 → standardise → clip → float32, left-aligned, with its length. Knows no network.
// Legend: N sequences, T steps, F features, C channels.
import { type CategoryPlace, hasLevel, placeCategories } from "./inputs.ts";
import { type Channels, type Log, type Recipe, shapeOf } from "./recipe.ts";
import { clamp, computeSeries, type EditSeries, isGap, moveTo, openRows, type SequenceRows } from "./series.ts";

/**
 * Applies a recipe to N raw sequences, `values` (N,T,F) float64, NaN where a recipe with gaps lacks a number. Finite input gives finite
 * channels. `edit` sees each channel before it is standardised.
 */
export function applyRecipe(recipe: Recipe, values: Float64Array, log: Log, edit?: EditSeries): Channels {
  const { timesteps: T, channels, clip, mean, scale } = recipe;
  const shape = shapeOf(recipe);
  const C = channels.length;
  const N = values.length / (T * shape.features);
  const out = new Float32Array(N * T * C);
  const lengths = new Int32Array(N);
  const outOfRange = new Uint8Array(N);
  const sequence = openRows(values, shape, recipe.padding, recipe.fill);
  const hadGaps = recipe.gaps && flagFeatures(recipe.gaps, shape.features);
  const categories = placeCategories(recipe.inputs ?? []);
  const series = new Float64Array(T);
  for (let n = 0; n < N; n++) {
    const length = moveTo(sequence, n);
    lengths[n] = length;
    if (length < recipe.lengths[0] || length > recipe.lengths[1]) outOfRange[n] = 1;
    if (hadGaps && hasNewGap(sequence, hadGaps)) outOfRange[n] = 1;
    if (categories.some((place) => hasNewLevel(sequence, place, recipe.featureMean))) outOfRange[n] = 1;
    if (shape.statics && hasMovingStatic(sequence, shape.statics)) outOfRange[n] = 1;
    for (let c = 0; c < C; c++) {
      const { firstDefined, floored } = computeSeries(recipe, c, sequence, log, series);
      if (floored) outOfRange[n] = 1;
      edit?.(n, c, series, firstDefined, length);
      for (let t = firstDefined; t < length; t++) {
        const standardised = clamp((series[t] - mean[c]) / scale[c], clip);
        if (!Number.isNaN(standardised)) out[(n * T + t) * C + c] = standardised; // else nothing is there, and it stays 0
      }
    }
  }
  return { channels: out, lengths, outOfRange };
}

/** (F) 1 for the features listed. */
function flagFeatures(features: readonly number[], F: number): Uint8Array {
  const flags = new Uint8Array(F);
  for (const f of features) flags[f] = 1;
  return flags;
}

/** Whether a feature that lacked no number in training lacks one here. */
function hasNewGap(sequence: SequenceRows, hadGaps: Uint8Array): boolean {
  for (let t = 0; t < sequence.length; t++)
    for (let f = 0; f < hadGaps.length; f++) if (hadGaps[f] === 0 && isGap(sequence, t, f)) return true;
  return false;
}

/** Whether a row has none of the levels that a category had in training, where `share` (F) of the rows had each. */
function hasNewLevel(
  { values, shape: { features: F }, rows, offset, length }: SequenceRows,
  place: CategoryPlace,
  share: Float64Array,
): boolean {
  for (let t = 0; t < length; t++) if (!hasLevel(values, offset + rows[t] * F, place, share)) return true;
  return false;
}

/** Whether a number that is given once a sequence differs from row to row, as plain numbers can have it. */
function hasMovingStatic({ values, shape: { features: F, clock }, rows, offset, length }: SequenceRows, statics: number): boolean {
  const end = clock ? F - 1 : F;
  for (let t = 1; t < length; t++)
    for (let f = end - statics; f < end; f++) {
      const [first, here] = [values[offset + rows[0] * F + f], values[offset + rows[t] * F + f]];
      if (first !== here && !(Number.isNaN(first) && Number.isNaN(here))) return true;
    }
  return false;
}
