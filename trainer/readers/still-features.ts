// Which features never change within a sequence, though they differ between sequences: they could be given once. Knows no file.
// Legend: N sequences, T steps, F features.
import { expandNames, type Input, widthOf } from "../../shared/recipe/inputs.ts";
import { type Shape, validRows } from "../../shared/sequence.ts";

/**
 * Names of the inputs of rows, features where `inputs` are left out, that are the same in all valid rows of each sequence; `blocks` gives all
 * sequences (N,T,F), some at a time, whenever it is asked.
 */
export function findStill(blocks: Blocks, shape: Shape, features: readonly string[], inputs?: readonly Input[]): string[] {
  const { features: F, statics = 0, clock } = shape;
  const own = F - statics - (clock ? 1 : 0);
  const isStill = findStillFeatures(blocks, shape, own);
  if (inputs === undefined) return features.slice(0, own).filter((_, f) => isStill[f]);
  const given = inputs.filter((input) => !input.static);
  return given
    .filter((input, i) => {
      const from = expandNames(given.slice(0, i)).length;
      const places = Array.from({ length: widthOf(input) }, (_, k) => from + k);
      return places.some((f) => isStill[f]) && places.every((f) => isStill[f] || isConstant(blocks, F, f));
    })
    .map(({ name }) => name);
}

export type Blocks = () => Iterable<Float64Array>;

/** (F) whether a feature, of the first `own`, is one number in each sequence, not the same in all, and some sequence has two rows. */
function findStillFeatures(blocks: Blocks, shape: Shape, own: number): boolean[] {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const isStill = Array.from({ length: own }, () => true);
  const differs = isStill.map(() => false);
  const first = isStill.map(() => Number.NaN);
  let [isFirst, isLong] = [true, false];
  for (const values of blocks()) {
    if (!isStill.includes(true)) break;
    for (let offset = 0; offset < values.length; offset += T * F) {
      const length = validRows(values, offset, shape, "leading", rows);
      for (let f = 0; f < own && length > 0; f++) {
        if (!isStill[f]) continue;
        const x = values[offset + rows[0] * F + f];
        for (let t = 1; t < length && isStill[f]; t++) isStill[f] = Object.is(values[offset + rows[t] * F + f], x);
        if (isFirst) first[f] = x;
        differs[f] ||= !Object.is(x, first[f]);
      }
      isFirst = false;
      isLong ||= length > 1;
    }
  }
  return isStill.map((is, f) => is && differs[f] && isLong);
}

function isConstant(blocks: Blocks, F: number, f: number): boolean {
  let first: number | undefined;
  for (const values of blocks())
    for (let at = f; at < values.length; at += F) {
      first ??= values[at];
      if (values[at] !== first) return false;
    }
  return true;
}
