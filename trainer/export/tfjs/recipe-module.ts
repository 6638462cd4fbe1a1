// What an exported recipe.js runs, bundled: raw rows → what the exported models take. Depends on nothing, in Node and in browsers.
// Legend: N sequences, T steps, C channels, W columns.
import { SequenceError } from "../../../shared/errors.ts";
import { type LinearClassifier, standardiseColumn } from "../../../shared/linear.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { expandGiven } from "../../../shared/recipe/given-rows.ts";
import { type Recipe, shapeOf } from "../../../shared/recipe/recipe.ts";
import { defineSeriesColumns } from "../../../shared/recipe/series-definition.ts";
import type { TabularView } from "../../../shared/recipe/tabular.ts";
import { parseSequences } from "../../../shared/sequence.ts";

/** A model's preprocessing as JSON holds it: arrays are lists. */
export interface RecipeText {
  readonly recipe: Recipe;
  /** What stands in rows behind a sequence's last: the models pass over them. No channel has that value. */
  readonly maskValue: number;
  /** Of a linear member. */
  readonly linear?: { readonly view: TabularView; readonly columns: Pick<LinearClassifier, "columns" | "mean" | "scale"> };
}

export interface Prepared {
  /** (N,T,C) */
  readonly channels: Float32Array;
  readonly channelsShape: readonly [number, number, number];
  /** (N,W) standardised, of a model with a linear member */
  readonly columns?: Float32Array;
  readonly columnsShape?: readonly [number, number];
  /** (N) whether a sequence lies outside what training saw */
  readonly outOfRange: readonly boolean[];
}

/** As quickstep/score takes sequences and what is given once a sequence. Throws an Error that names the place. */
export type Prepare = (sequences: readonly unknown[], statics?: readonly Readonly<Record<string, unknown>>[]) => Prepared;

/** Numbers of a recipe that JSON has as lists. */
const ARRAYS = ["mean", "scale", "floor", "fill", "featureMean", "featureScale"] as const;

/** The function that recipe.js exports. Math.log stands in for the kernel's: the channels agree to the last bit of float32 but for rounding. */
export function openRecipe({ recipe: text, maskValue, linear }: RecipeText): Prepare {
  const arrays = ARRAYS.filter((name) => text[name]).map((name) => [name, Float64Array.from(text[name]!)]);
  const recipe: Recipe = { ...text, ...Object.fromEntries(arrays) };
  const T = recipe.timesteps;
  const C = recipe.channels.length;
  const series = defineSeriesColumns();
  return (sequences, statics) => {
    const rows = Array.isArray(sequences)
      ? sequences.map((sequence: unknown, n) => expandGiven(sequence, ["sequences", n], statics?.[n], ["static", n], recipe))
      : sequences;
    const values = parseSequences(rows, ["sequences"], shapeOf(recipe), Number.POSITIVE_INFINITY);
    const { channels, lengths, outOfRange } = applyRecipe(recipe, values, Math.log);
    lengths.forEach((length, n) => {
      if (length === 0) throw new SequenceError(["sequences", n], "must have at least one row that is not all zeros", "only padding");
      channels.fill(maskValue, (n * T + length) * C, (n + 1) * T * C);
    });
    const N = lengths.length;
    const prepared = { channels, channelsShape: [N, T, C] as const };
    const columns = linear && standardise(linear, computeColumns(linear.view, recipe, values, Math.log, series, { outOfRange }), N);
    const flags = Array.from(outOfRange, (flag) => flag === 1);
    return { ...prepared, ...(columns && { columns, columnsShape: [N, columns.length / N] as const }), outOfRange: flags };
  };
}

/** (N,W) of all columns (N,V). */
function standardise({ columns: { columns, mean, scale } }: NonNullable<RecipeText["linear"]>, all: Float64Array, N: number): Float32Array {
  const W = columns.length;
  const V = all.length / N;
  return Float32Array.from({ length: N * W }, (_, i) => {
    const w = i % W;
    return standardiseColumn(all[Math.floor(i / W) * V + columns[w]], mean[w], scale[w]);
  });
}
