// Raw inputs made from a recipe's statistics, to be scored wherever the artifact is loaded. No row of anyone's data is in them.
import { GOLDEN_COUNT } from "../../shared/artifact/tensors.ts";
import { looksAt, takesLogarithm } from "../../shared/recipe/channel.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import type { Random } from "../statistics/random.ts";

/** Of the numbers of golden inputs, where a recipe takes gaps. */
const GAP_SHARE = 0.3;

/**
 * (K,T,F) inputs of every length up to T (evenly spread where T > K), in turn: independent rows, random walks, values far
 * beyond the clip up to the largest float64, and rows with zeros, among them all-zero rows inside the sequence; with gaps where the recipe takes them.
 */
export function synthesiseGolden(recipe: Recipe, random: Random): Float64Array {
  const { timesteps: T, features, channels, scale, featureMean, featureScale, gaps } = recipe;
  const F = features.length;
  const shape = shapeOf(recipe);
  const inputs = new Float64Array(GOLDEN_COUNT * T * F);
  const isPositive = features.map((_, f) => channels.some((c) => (takesLogarithm(c) || c.base === "logRatio") && looksAt(c, f)));
  const movement = features.map((_, f) => {
    const delta = channels.findIndex((c) => c.base === "feature" && c.a === f && c.view === "delta");
    return delta >= 0 ? scale[delta] : featureScale[f] / 10;
  });
  for (let k = 0; k < GOLDEN_COUNT; k++) {
    const length = 1 + Math.floor((k * T) / GOLDEN_COUNT);
    const kind = k % 4;
    for (let t = T - length; t < T; t++) {
      for (let f = 0; f < F; f++) {
        const at = (k * T + t) * F + f;
        const draw = featureMean[f] + featureScale[f] * random.normal();
        let x = draw;
        if (kind === 1 && t > T - length) x = inputs[at - F] + movement[f] * random.normal();
        if (kind === 2) x = random.uniform() < 0.1 ? Math.sign(draw) * Number.MAX_VALUE : draw * 1000;
        if (kind === 3 && random.uniform() < 0.3) x = 0;
        inputs[at] = isPositive[f] && kind < 2 ? Math.abs(x) : x;
      }
      const from = (k * T + t) * F;
      const isInside = t > T - length && t < T - 1;
      if (kind === 3 && isInside && random.uniform() < 0.3) inputs.fill(recipe.mask ?? 0, from, from + F);
      // The first and last rows hold data, whatever all-zero rows mean.
      if (!isInside && isZeroRow(inputs, from, shape)) inputs[from] = featureScale[0];
      // Walks stay whole: one of them is what people are shown.
      if (gaps && kind !== 1) for (let f = 0; f < F; f++) if (random.uniform() < GAP_SHARE) inputs[from + f] = Number.NaN;
    }
    if (recipe.clock) tellTimes(recipe, inputs.subarray(k * T * F, (k + 1) * T * F), length, random);
  }
  return inputs;
}

/** Writes a time to the last number of each of the last `length` of `rows` (T,F): about as far apart as in training, and seldom at once. */
function tellTimes({ channels, floor, featureMean }: Recipe, rows: Float64Array, length: number, random: Random): void {
  const F = featureMean.length;
  const c = channels.findIndex(({ a, view }) => view === "rate" || (view === "logAbsDelta" && a === F - 1));
  const least = c < 0 ? 1 : floor[3 * c + 2];
  let time = Math.max(1, Math.round(featureMean[F - 1]));
  for (let at = rows.length - length * F + F - 1; at < rows.length; at += F) {
    time += random.uniform() < 0.1 ? 0 : least * Math.exp(7 * random.uniform());
    rows[at] = time;
  }
}
