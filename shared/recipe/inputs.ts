// What people give, in each row or once a sequence, and how it becomes features: a number is one, a category is one a level, 1 where
// the row has that level, else 0. Both sides do this before everything else, so that recipe and engines see numbers in rows alone.
// Legend: N sequences, T steps, I inputs, F features.

/** One thing that is given: a number, or one of so many texts. */
export interface Input {
  readonly name: string;
  /**
   * The texts that a category may have, as levelOf writes them, in the order of their features; the empty one where some rows have none.
   * Left out: a number.
   */
  readonly levels?: readonly string[];
  /** Given once a sequence. Left out: in each row. */
  readonly static?: true;
}

/** Of one category. */
export const MAX_LEVELS = 32;

/** What stands for something missing, as NumPy, pandas, R, Excel and MySQL (`\N`) write it. */
export const MISSING_TEXT = /^(?:[+-]?nan|#?n\/?a|<na>|null|none|\\n|)$/i;

/**
 * A category's level, however it is written: without spaces around it; `1.0`, as pandas writes a whole number beside a gap, is `1`; what
 * stands for a missing number is the empty text.
 */
export function levelOf(text: string): string {
  const level = text.trim();
  if (MISSING_TEXT.test(level)) return "";
  return /^-?\d+\.0+$/.test(level) ? level.slice(0, level.indexOf(".")) : level;
}

/** (F) names of the features that inputs become: `age`, `plan=basic`, `plan=pro`. */
export function expandNames(inputs: readonly Input[]): string[] {
  return inputs.flatMap(({ name, levels }) => levels?.map((level) => `${name}=${level}`) ?? [name]);
}

/** How many features an input becomes. */
export function widthOf({ levels }: Input): number {
  return levels?.length ?? 1;
}

/** How many of the features are given once a sequence: the last ones, but for a row's time. */
export function countStatics(inputs: readonly Input[]): number {
  return inputs.reduce((sum, input) => sum + (input.static ? widthOf(input) : 0), 0);
}

/** The code of a category's text in a buffer of inputs: its place among the levels from 1 on; 0 where it is none of them. */
export function codeOf({ levels = [] }: Input, text: string): number {
  return levels.indexOf(levelOf(text)) + 1;
}

/**
 * (N,T,F) features of `values` (N,T,I), where a category's level stands as codeOf gives it, and NaN for none at all; the order is that of
 * `inputs`, static ones last, then the row's time where `clock`. What is static is the last row's in all rows: no row is too early to
 * know it. A row whose own numbers are 0 and whose own categories have no level stays all zero: it may be padding.
 */
export function expandInputs(inputs: readonly Input[], values: Float64Array, timesteps: number, clock = false): Float64Array {
  const T = timesteps;
  const I = inputs.length + (clock ? 1 : 0);
  const F = inputs.reduce((sum, input) => sum + widthOf(input), clock ? 1 : 0);
  const none = inputs.map((input) => codeOf(input, ""));
  const out = new Float64Array((values.length / I) * F);
  for (let row = 0; row * I < values.length; row++) {
    const last = (Math.floor(row / T) + 1) * T - 1;
    const isEmpty = isEmptyRow(inputs, values, row * I, clock);
    let at = row * F;
    for (let i = 0; i < I; i++) {
      const input = inputs[i];
      const x = values[(input?.static ? last : row) * I + i];
      if (input?.levels === undefined) out[at++] = x;
      else {
        const code = !Number.isNaN(x) ? x : isEmpty && !input.static ? 0 : none[i];
        if (code > 0) out[at + code - 1] = 1;
        at += input.levels.length;
      }
    }
  }
  return out;
}

/** Whether the row of inputs at `from` says nothing but zeros, apart from what is static. */
export function isEmptyRow(inputs: readonly Input[], values: Float64Array, from: number, clock = false): boolean {
  const isEmpty = ({ levels }: Input, x: number): boolean => x === 0 || (levels !== undefined && Number.isNaN(x));
  if (clock && values[from + inputs.length] !== 0) return false;
  return inputs.every((input, i) => input.static || isEmpty(input, values[from + i]));
}

/** Where the features of a category stand. */
export interface CategoryPlace {
  readonly from: number;
  readonly levels: number;
}

/** The places of all categories, in their order. */
export function placeCategories(inputs: readonly Input[]): CategoryPlace[] {
  let at = 0;
  return inputs.flatMap((input): CategoryPlace[] => {
    const from = at;
    at += widthOf(input);
    return input.levels === undefined ? [] : [{ from, levels: input.levels.length }];
  });
}

/** Whether the row that begins at `row` of `values` has just one level of a category, and one whose `share` (F) of rows is above 0. */
export function hasLevel(values: Float64Array, row: number, { from, levels }: CategoryPlace, share: Float64Array): boolean {
  let ones = 0;
  for (let f = from; f < from + levels; f++) {
    if (values[row + f] === 1 && share[f] > 0) ones++;
    else if (values[row + f] !== 0) return false;
  }
  return ones === 1;
}
