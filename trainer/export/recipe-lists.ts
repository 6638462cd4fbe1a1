// A recipe as exports carry it beside weights: trainer/import/contract/export-metadata.ts reads it back.
import type { Recipe } from "../../shared/recipe/recipe.ts";

/** The recipe with its arrays as lists, as JSON has them, in the recipe's own order. */
export function recipeLists(recipe: Recipe): Record<string, unknown> {
  return Object.fromEntries(Object.entries(recipe).map(([key, value]) => [key, value instanceof Float64Array ? [...value] : value]));
}
