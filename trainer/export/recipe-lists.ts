// A recipe as exports carry it beside weights: trainer/import/contract/export-metadata.ts reads it back.
import type { Recipe } from "../../shared/recipe/recipe.ts";

/** The recipe with its arrays as lists, as JSON has them. */
export function recipeLists(recipe: Recipe): Record<string, unknown> {
  const { timesteps, features, padding, mask, channels, clip, lengths, gaps, clock, fill, inputs } = recipe;
  const [mean, scale, floor] = [recipe.mean, recipe.scale, recipe.floor].map((array) => [...array]);
  const [featureMean, featureScale] = [recipe.featureMean, recipe.featureScale].map((array) => [...array]);
  const rows = { timesteps, features, padding, mask, gaps, fill: fill && [...fill], clock, inputs };
  return { ...rows, channels, clip, lengths, mean, scale, floor, featureMean, featureScale };
}
