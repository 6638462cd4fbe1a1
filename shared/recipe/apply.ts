// Drop padding rows → channels in float64 → standardise → clip → float32, left-aligned, with its length. Knows no network.
// Legend: N sequences, T steps, F features, C channels.
import { type Channels, type Log, type Recipe, shapeOf } from "./recipe.ts";
import { clamp, computeSeries, moveTo, openRows } from "./series.ts";

/** Applies a recipe to N raw sequences, `values` (N,T,F) float64. Every finite input gives finite channels. */
export function applyRecipe(recipe: Recipe, values: Float64Array, log: Log): Channels {
  const { timesteps: T, channels, clip, mean, scale } = recipe;
  const shape = shapeOf(recipe);
  const C = channels.length;
  const N = values.length / (T * shape.features);
  const out = new Float32Array(N * T * C);
  const lengths = new Int32Array(N);
  const outOfRange = new Uint8Array(N);
  const sequence = openRows(values, shape, recipe.padding);
  const series = new Float64Array(T);
  for (let n = 0; n < N; n++) {
    const length = moveTo(sequence, n);
    lengths[n] = length;
    if (length < recipe.lengths[0] || length > recipe.lengths[1]) outOfRange[n] = 1;
    for (let c = 0; c < C; c++) {
      const { firstDefined, floored } = computeSeries(recipe, c, sequence, log, series);
      if (floored) outOfRange[n] = 1;
      for (let t = firstDefined; t < length; t++) out[(n * T + t) * C + c] = clamp((series[t] - mean[c]) / scale[c], clip);
    }
  }
  return { channels: out, lengths, outOfRange };
}
