// An event's row as it is given → the numbers of a row: a text for a category, what is given once a sequence beside it or left out; or all
// features as numbers already.
import { expandGivenRow, expandOwnRow, type Place } from "../../shared/recipe/given-rows.ts";
import type { TakenRecipe } from "../../shared/recipe/recipe.ts";

/** Where the row stands, and what is given once a sequence beside it. */
interface Beside {
  readonly path: Place;
  readonly statics: unknown;
  readonly staticPath: Place;
}

/**
 * The row of a model with inputs as features, without the time, null where a number is missing; `isOwn`: without those that are given once
 * a sequence, which the event leaves out. What is no row of inputs and may be one of features comes back as it is. Throws SequenceError.
 */
export function expandEventRow(
  values: unknown,
  { path, statics, staticPath }: Beside,
  recipe: TakenRecipe,
): { readonly row: unknown; readonly isOwn: boolean } {
  const F = recipe.features.length - (recipe.clock ? 1 : 0);
  if (statics !== undefined) return { row: expandGivenRow(values, path, statics, staticPath, recipe), isOwn: false };
  const isFeature = (value: unknown): boolean => Number.isFinite(value) || (value === null && recipe.gaps !== undefined);
  if (Array.isArray(values) && values.length === F && values.every(isFeature)) return { row: values, isOwn: false };
  return { row: expandOwnRow(values, path, recipe), isOwn: recipe.inputs?.some((input) => input.static) === true };
}
