// Which features never change within a sequence, though they differ between sequences: they could be given once. Knows no file.
// Legend: N sequences, T steps, F features.
import { expandNames, type Input, widthOf } from "../../shared/recipe/inputs.ts";
import { type Shape, validRows } from "../../shared/sequence.ts";

/** Names of the inputs of rows, features where `inputs` are left out, that are the same in all valid rows of each sequence of `values` (N,T,F). */
export function findStill(values: Float64Array, shape: Shape, features: readonly string[], inputs?: readonly Input[]): string[] {
  const { features: F, statics = 0, clock } = shape;
  const own = F - statics - (clock ? 1 : 0);
  const isStill = Array.from({ length: own }, (_, f) => isStillWithin(values, shape, f));
  if (inputs === undefined) return features.slice(0, own).filter((_, f) => isStill[f]);
  const given = inputs.filter((input) => !input.static);
  return given
    .filter((input, i) => {
      const from = expandNames(given.slice(0, i)).length;
      const places = Array.from({ length: widthOf(input) }, (_, k) => from + k);
      return places.some((f) => isStill[f]) && places.every((f) => isStill[f] || isConstant(values, F, f));
    })
    .map(({ name }) => name);
}

/** Whether feature `f` is one number in each sequence, not the same in all, and some sequence has two rows. */
function isStillWithin(values: Float64Array, shape: Shape, f: number): boolean {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  let [first, differs, isLong] = [Number.NaN, false, false];
  for (let offset = 0; offset < values.length; offset += T * F) {
    const length = validRows(values, offset, shape, "leading", rows);
    if (length === 0) continue;
    const x = values[offset + rows[0] * F + f];
    for (let t = 1; t < length; t++) if (!Object.is(values[offset + rows[t] * F + f], x)) return false;
    if (offset === 0) first = x;
    differs ||= !Object.is(x, first);
    isLong ||= length > 1;
  }
  return differs && isLong;
}

function isConstant(values: Float64Array, F: number, f: number): boolean {
  for (let at = f; at < values.length; at += F) if (values[at] !== values[f]) return false;
  return true;
}
