// What quickstep's own exports carry beside the weights, as JSON: name, calibration and recipe. Checked as far as an artifact's
// decoder does not do it anyway: whoever imports it encodes and decodes it.
import { DataError } from "../../shared/errors.ts";
import type { Calibration } from "../../shared/networks/lstm.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";

export interface Own {
  readonly name: string;
  readonly recipe: Recipe;
  readonly calibration: Calibration;
}

/** `C` channels, as the weights have them. Throws DataError. */
export function parseOwn(text: string, C: number, source: string): Own {
  try {
    const { name, recipe, calibration } = JSON.parse(text) as Own;
    return restoreOwn(name, recipe, calibration, C);
  } catch {
    throw new DataError(source, "carries a recipe that cannot be read: it is damaged; export it again");
  }
}

/** Lists become arrays again; statistics of the features, which nothing is scored with, are missing in older files. Throws where it does not fit. */
export function restoreOwn(name: string, recipe: Recipe, calibration: Calibration, C: number): Own {
  const F = recipe.features.length;
  const numbers = (list: ArrayLike<number> | undefined, length: number, missing?: number): Float64Array => {
    const array = Float64Array.from(list ?? (missing === undefined ? [] : Array(length).fill(missing)));
    if (array.length !== length || !array.every(Number.isFinite)) throw new RangeError("not the recipe of these weights");
    return array;
  };
  if (typeof name !== "string" || recipe.channels.length !== C) throw new RangeError("not the recipe of these weights");
  return {
    name,
    calibration: { slope: Number(calibration.slope), intercept: Number(calibration.intercept) },
    recipe: {
      timesteps: recipe.timesteps,
      features: recipe.features,
      padding: recipe.padding,
      channels: recipe.channels,
      clip: recipe.clip,
      lengths: recipe.lengths,
      mean: numbers(recipe.mean, C),
      scale: numbers(recipe.scale, C),
      floor: numbers(recipe.floor, 3 * C),
      featureMean: numbers(recipe.featureMean, F, 0),
      featureScale: numbers(recipe.featureScale, F, 1),
    },
  };
}
