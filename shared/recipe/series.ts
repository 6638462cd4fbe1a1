// One channel over one sequence, before it is standardised: the same numbers for fitting and for applying.
// Uses only + − × ÷ and the `log` it is given, so that every host computes the same bits.
// Legend: N sequences, T steps, F features.
import { type Padding, type Shape, validRows } from "../sequence.ts";
import { type Base, type Channel, takesLogarithm } from "./channel.ts";
import type { Log, Recipe } from "./recipe.ts";

/** Bases beyond this are clamped, so that differences and sums over 512 rows stay finite (float64 max 1.8e308). */
export const BASE_LIMIT = 1e300;

/** The valid rows of one sequence. One object goes from sequence to sequence (moveTo): nothing is allocated for each. */
export interface SequenceRows {
  /** (N,T,F) */
  readonly values: Float64Array;
  readonly shape: Shape;
  readonly padding: Padding;
  /** (T) indices of the sequence's valid rows; the first `length` count. */
  readonly rows: Int32Array;
  length: number;
  /** Where the sequence begins in `values`. */
  offset: number;
}

/** Valid rows of the sequences in `values` (N,T,F); stands before the first: moveTo says which. */
export function openRows(values: Float64Array, shape: Shape, padding: Padding): SequenceRows {
  return { values, shape, padding, rows: new Int32Array(shape.timesteps), length: 0, offset: 0 };
}

/** Moves on to sequence `n`. Returns its length in valid rows. */
export function moveTo(sequence: SequenceRows, n: number): number {
  const { values, shape, padding, rows } = sequence;
  sequence.offset = n * shape.timesteps * shape.features;
  sequence.length = validRows(values, sequence.offset, shape, padding, rows);
  return sequence.length;
}

/** Entries before `firstDefined` are undefined, as a first difference is; `floored`: a value ≤ 0 stood under a logarithm. */
interface SeriesFacts {
  readonly firstDefined: 0 | 1;
  readonly floored: boolean;
}

/** Shared answers, [firstDefined][floored]: nothing is allocated per channel. */
const FACTS: readonly (readonly [SeriesFacts, SeriesFacts])[] = [
  [
    { firstDefined: 0, floored: false },
    { firstDefined: 0, floored: true },
  ],
  [
    { firstDefined: 1, floored: false },
    { firstDefined: 1, floored: true },
  ],
];

/**
 * Fills `series[0 … length)` with channel `c` over the sequence's valid rows. Of `recipe`, the channel's floors stand in for values
 * ≤ 0 under a logarithm; its means and scales are not looked at.
 */
export function computeSeries(
  recipe: Pick<Recipe, "channels" | "floor">,
  c: number,
  sequence: SequenceRows,
  log: Log,
  series: Float64Array,
): SeriesFacts {
  const channel = recipe.channels[c];
  const { length } = sequence;
  let floored = 0;
  if (channel.base === "logRatio") floored = fillLogRatio(channel, recipe.floor, 3 * c, sequence, log, series);
  else fillBase(channel, sequence, series);
  if (takesLogarithm(channel)) floored |= takeLogarithms(series, length, recipe.floor[3 * c + 2], log);
  switch (channel.view) {
    case "delta":
    case "logDelta":
      for (let t = length - 1; t > 0; t--) series[t] -= series[t - 1];
      return FACTS[1][floored as 0 | 1];
    case "centred":
      subtractMean(series, length);
  }
  return FACTS[0][floored as 0 | 1];
}

function fillBase(base: Base, { values, shape: { features: F }, rows, offset, length }: SequenceRows, series: Float64Array): void {
  for (let t = 0; t < length; t++) series[t] = baseValue(base, values, offset + rows[t] * F);
}

/** log a − log b, with the floors at `floor[at]` and the next. Returns 1 where a floor stood in, else 0. */
function fillLogRatio(
  { a, b }: Channel & { readonly base: "logRatio" },
  floor: ArrayLike<number>,
  at: number,
  { values, shape: { features: F }, rows, offset, length }: SequenceRows,
  log: Log,
  series: Float64Array,
): number {
  let floored = 0;
  for (let t = 0; t < length; t++) {
    const row = offset + rows[t] * F;
    let x = values[row + a];
    let y = values[row + b];
    if (x <= 0) [x, floored] = [floor[at], 1];
    if (y <= 0) [y, floored] = [floor[at + 1], 1];
    series[t] = log(x) - log(y);
  }
  return floored;
}

/** Returns 1 where the floor stood in, else 0. */
function takeLogarithms(series: Float64Array, length: number, floor: number, log: Log): number {
  let floored = 0;
  for (let t = 0; t < length; t++) {
    if (series[t] <= 0) [series[t], floored] = [floor, 1];
    series[t] = log(series[t]);
  }
  return floored;
}

function subtractMean(series: Float64Array, length: number): void {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += series[t];
  const mean = sum / length;
  for (let t = 0; t < length; t++) series[t] -= mean;
}

/** A feature or a difference in the row that begins at `row`, clamped to ±BASE_LIMIT. */
export function baseValue(base: Base, values: Float64Array, row: number): number {
  const a = clamp(values[row + base.a], BASE_LIMIT);
  return base.base === "difference" ? clamp(a - clamp(values[row + base.b], BASE_LIMIT), BASE_LIMIT) : a;
}

/** `x` within ±bound. */
export function clamp(x: number, bound: number): number {
  return Math.max(-bound, Math.min(bound, x));
}
