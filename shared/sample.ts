// A sequence to show and to try a model with: a golden vector of full length, with the bars of a market made plausible.
import type { ScorableModel } from "./model.ts";
import { shapeOf } from "./recipe/recipe.ts";
import { isZeroRow } from "./sequence.ts";

/** Of golden vectors, the third last is a random walk of full length, each feature for itself. */
const FROM_THE_END = 3;
/** What people read. */
const DIGITS = 8;

/** T rows of F numbers, without padding. Where features are called open, high, low and close, high is the highest and low the lowest. */
export function sampleSequence({ recipe, golden }: Pick<ScorableModel, "recipe" | "golden">): number[][] {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const k = Math.max(0, golden.probabilities.length - FROM_THE_END);
  const rows: number[][] = [];
  for (let t = 0; t < T; t++) {
    const from = (k * T + t) * F;
    if (isZeroRow(golden.inputs, from, shape)) continue;
    const row = Array.from(golden.inputs.subarray(from, from + F), (x, f) =>
      recipe.clock && f === F - 1 ? Math.round(x) : Number(x.toPrecision(DIGITS)),
    );
    rows.push(withPlausibleBar(row, recipe.features));
  }
  return rows;
}

function withPlausibleBar(row: number[], features: readonly string[]): number[] {
  const place = (name: string): number => features.findIndex((feature) => feature.toLowerCase() === name);
  const [high, low] = [place("high"), place("low")];
  if (high < 0 || low < 0) return row;
  const bar = [high, low, place("open"), place("close")].filter((f) => f >= 0).map((f) => row[f]);
  row[high] = Math.max(...bar);
  row[low] = Math.min(...bar);
  return row;
}
