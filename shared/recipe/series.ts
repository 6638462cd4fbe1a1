// One channel over one sequence, before it is standardised: the same numbers for fitting and for applying.
// Uses only + − × ÷ and the `log` it is given, so that every host computes the same bits.
// Legend: N sequences, T steps, F features.
import { type Padding, type Shape, validRows } from "../sequence.ts";
import { type Base, type Channel, secondFeature, takesLogarithm, tellsOfGaps } from "./channel.ts";
import type { Log, Recipe } from "./recipe.ts";

/** Bases beyond this are clamped, so that differences and sums over 512 rows stay finite (float64 max 1.8e308). */
export const BASE_LIMIT = 1e300;

/**
 * The valid rows of one sequence: row t's feature f is `values[offset + rows[t]·F + f]`. One object goes from sequence to sequence
 * (moveTo): nothing is allocated for each.
 */
export interface SequenceRows {
  /** (N,T,F) as they came */
  readonly source: Float64Array;
  /** `source`, or where numbers may be missing (T,F): this sequence's valid rows with their gaps filled. */
  readonly values: Float64Array;
  /** (T,F) the same with medians in all gaps; there where numbers may be missing. */
  readonly medians?: Float64Array;
  /** (T,F) rows since each number was last observed, as the base sinceObserved says; there where numbers may be missing. */
  readonly since?: Int32Array;
  /** (F) as Recipe.fill */
  readonly fill?: Float64Array;
  readonly shape: Shape;
  readonly padding: Padding;
  /** (T) indices of the sequence's valid rows; the first `length` count. */
  readonly rows: Int32Array;
  length: number;
  /** Where the sequence begins in `values`. */
  offset: number;
}

/** Valid rows of the sequences in `values` (N,T,F), gaps filled by `fill` where it is given; stands before the first: moveTo says which. */
export function openRows(values: Float64Array, shape: Shape, padding: Padding, fill?: Float64Array): SequenceRows {
  const size = shape.timesteps * shape.features;
  const filled = fill && { fill, values: new Float64Array(size), medians: new Float64Array(size), since: new Int32Array(size) };
  return { source: values, values, ...filled, shape, padding, rows: new Int32Array(shape.timesteps), length: 0, offset: 0 };
}

/** Moves on to sequence `n`. Returns its length in valid rows. */
export function moveTo(sequence: SequenceRows, n: number): number {
  const { source, shape, padding, rows } = sequence;
  sequence.offset = n * shape.timesteps * shape.features;
  sequence.length = validRows(source, sequence.offset, shape, padding, rows);
  if (sequence.fill) fillGaps(sequence, sequence.fill);
  return sequence.length;
}

/** Last observation carried forward; before the first, `fill` (F). */
function fillGaps(sequence: SequenceRows, fill: Float64Array): void {
  const { source, values, shape, rows, offset, length } = sequence;
  const since = sequence.since!;
  const medians = sequence.medians!;
  const F = shape.features;
  for (let t = 0, at = 0; t < length; t++) {
    const from = offset + rows[t] * F;
    for (let f = 0; f < F; f++, at++) {
      const x = source[from + f];
      const isGap = Number.isNaN(x);
      medians[at] = isGap ? fill[f] : x;
      values[at] = !isGap ? x : t === 0 ? fill[f] : values[at - F];
      since[at] = !isGap ? 0 : t === 0 ? 1 : since[at - F] + 1;
    }
    rows[t] = t;
  }
  sequence.offset = 0;
}

/** Whether feature `f` is missing in valid row `t`. */
export function isGap({ since, shape }: SequenceRows, t: number, f: number): boolean {
  return since !== undefined && since[t * shape.features + f] > 0;
}

/**
 * Overwrites a series in place, for explanations: `x[from] … x[to − 1]` are the defined values of sequence `n`'s series, or channel, `s`.
 */
export type EditSeries = (n: number, s: number, x: Float64Array, from: number, to: number) => unknown;

/** Entries before `firstDefined`, and those that are NaN, are undefined, as a first difference is; `floored`: a value ≤ 0 stood under a logarithm. */
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
  const values = channel.medianFilled ? (sequence.medians ?? sequence.values) : sequence.values;
  let floored = 0;
  if (channel.base === "logRatio") floored = fillLogRatio(channel, recipe.floor, 3 * c, values, sequence, log, series);
  else if (channel.base === "observed" || channel.base === "sinceObserved") fillSince(channel, sequence, series);
  else fillBase(channel, values, sequence, series);
  if (channel.whereObserved) eraseGaps(channel, sequence, series);
  if (takesLogarithm(channel)) floored |= takeLogarithms(series, length, recipe.floor[3 * c + 2], log);
  switch (channel.view) {
    case "delta":
    case "logDelta":
      for (let t = length - 1; t > 0; t--) series[t] -= series[t - 1];
      return FACTS[1][floored as 0 | 1];
    case "absDelta":
    case "logAbsDelta":
      takeMovements(series, length);
      // a row that stays where it was is nothing out of range: what hardly moves counts as what moves a little
      if (channel.view === "logAbsDelta") for (let t = 1; t < length; t++) series[t] = log(Math.max(recipe.floor[3 * c + 2], series[t]));
      return FACTS[1][floored as 0 | 1];
    case "rate":
      takeRates(channel, sequence, series, recipe.floor[3 * c + 2]);
      return FACTS[1][floored as 0 | 1];
    case "centred":
      subtractMean(series, length);
  }
  return FACTS[0][floored as 0 | 1];
}

/** What is known of gaps alone. */
function fillSince({ base, a }: Base, { since, shape: { features: F }, length }: SequenceRows, series: Float64Array): void {
  for (let t = 0; t < length; t++) {
    const rows = since?.[t * F + a] ?? 0;
    series[t] = base === "sinceObserved" ? rows : rows === 0 ? 1 : 0;
  }
}

/** Makes NaN again what a channel's series has where a number that it looks at is missing; what tells of gaps stays. */
export function eraseGaps(channel: Base, sequence: SequenceRows, series: Float64Array): void {
  for (let t = 0; t < sequence.length; t++) if (lacksNumber(channel, sequence, t)) series[t] = Number.NaN;
}

/** Whether a number that a base looks at is missing in valid row `t`. */
function lacksNumber(base: Base, sequence: SequenceRows, t: number): boolean {
  if (sequence.since === undefined || tellsOfGaps(base)) return false;
  return isGap(sequence, t, base.a) || isGap(sequence, t, secondFeature(base) ?? base.a);
}

/** `values` are the sequence's own, or its medians. */
function fillBase(
  base: Base,
  values: Float64Array,
  { shape: { features: F }, rows, offset, length }: SequenceRows,
  series: Float64Array,
): void {
  for (let t = 0; t < length; t++) series[t] = baseValue(base, values, offset + rows[t] * F);
}

/** log a − log b, with the floors at `floor[at]` and the next. Returns 1 where a floor stood in, else 0. */
function fillLogRatio(
  { a, b }: Channel & { readonly base: "logRatio" },
  floor: ArrayLike<number>,
  at: number,
  values: Float64Array,
  { shape: { features: F }, rows, offset, length }: SequenceRows,
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

/** How far each row is from the one before. */
function takeMovements(series: Float64Array, length: number): void {
  for (let t = length - 1; t > 0; t--) series[t] = Math.abs(series[t] - series[t - 1]);
}

/**
 * How far a base moved a second since it was last observed; rows that are closer in time than `floor` seconds count as that far apart.
 * 0 in a row that does not observe it, and in the first that does. `whereObserved`: NaN there.
 */
function takeRates(channel: Channel, sequence: SequenceRows, series: Float64Array, floor: number): void {
  const unknown = channel.whereObserved ? Number.NaN : 0;
  let last = -1;
  let before = Number.NaN;
  for (let t = 0; t < sequence.length; t++) {
    if (lacksNumber(channel, sequence, t)) {
      series[t] = unknown;
      continue;
    }
    const x = series[t];
    series[t] = last < 0 ? unknown : clamp((x - before) / Math.max(floor, secondsBetween(sequence, last, t)), BASE_LIMIT);
    last = t;
    before = x;
  }
}

/** Seconds from valid row `from` to valid row `to`, by the last feature. */
export function secondsBetween({ values, shape: { features: F }, rows, offset }: SequenceRows, from: number, to: number): number {
  return values[offset + (rows[to] + 1) * F - 1] - values[offset + (rows[from] + 1) * F - 1];
}

/** Of what is defined. */
function subtractMean(series: Float64Array, length: number): void {
  let sum = 0;
  let count = 0;
  for (let t = 0; t < length; t++) {
    if (Number.isNaN(series[t])) continue;
    sum += series[t];
    count++;
  }
  const mean = sum / count;
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
