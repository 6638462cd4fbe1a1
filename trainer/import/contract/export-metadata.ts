// What quickstep's exports carry beside the weights, as JSON: name, recipe and calibration. Checked as far as an artifact's decoder
// does not do it anyway: an import encodes and decodes an artifact.
// Legend: C channels, F features.
import { DataError } from "../../../shared/errors.ts";
import type { Calibration } from "../../../shared/networks/lstm.ts";
import type { Recipe } from "../../../shared/recipe/recipe.ts";

export interface ExportMetadata {
  readonly name: string;
  readonly recipe: Recipe;
  readonly calibration: Calibration;
}

/** Reads the JSON of name, recipe and calibration beside weights for `C` channels. Throws DataError where it does not fit them. */
export function parseExportMetadata(text: string, C: number, source: string): ExportMetadata {
  try {
    const { name, recipe, calibration } = JSON.parse(text) as ExportMetadata;
    return restoreExportMetadata(name, recipe, calibration, C);
  } catch {
    throw new DataError(source, "carries a recipe that cannot be read: the file is damaged; export the model again");
  }
}

/**
 * The metadata with its lists as arrays again, for weights of `C` channels. Older files lack statistics of the features, with which
 * nothing is scored: 0 and 1 are taken. Throws RangeError or TypeError where the recipe is not one of `C` channels.
 */
export function restoreExportMetadata(name: string, recipe: Recipe, calibration: Calibration, C: number): ExportMetadata {
  const F = recipe.features.length;
  if (typeof name !== "string" || recipe.channels.length !== C) throw new RangeError("not the recipe of these weights");
  return {
    name,
    calibration: { slope: Number(calibration.slope), intercept: Number(calibration.intercept) },
    recipe: {
      timesteps: recipe.timesteps,
      features: recipe.features,
      padding: recipe.padding,
      ...(recipe.mask !== undefined && { mask: recipe.mask }),
      channels: recipe.channels,
      clip: recipe.clip,
      lengths: recipe.lengths,
      mean: numbersOf(recipe.mean, C),
      scale: numbersOf(recipe.scale, C),
      floor: numbersOf(recipe.floor, 3 * C),
      featureMean: numbersOf(recipe.featureMean, F, 0),
      featureScale: numbersOf(recipe.featureScale, F, 1),
      ...(recipe.gaps && { gaps: recipe.gaps, fill: numbersOf(recipe.fill, F) }),
      ...(recipe.clock && { clock: recipe.clock }),
      ...(recipe.inputs && { inputs: recipe.inputs }),
    },
  };
}

/** `length` finite numbers; `missing` where the list is absent. */
function numbersOf(list: ArrayLike<number> | undefined, length: number, missing?: number): Float64Array {
  const array = Float64Array.from(list ?? (missing === undefined ? [] : Array(length).fill(missing)));
  if (array.length !== length || !array.every(Number.isFinite)) throw new RangeError("not the recipe of these weights");
  return array;
}
