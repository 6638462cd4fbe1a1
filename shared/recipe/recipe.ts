// The preprocessing as data: fitted on the training part, applied by the same function on both sides.
// drop padding rows → channels in float64 → standardise → clip → float32, left-aligned, with its length.
// Uses only + − × ÷ and the `log` it is given, so that every host computes the same bits. Knows no network.
// Legend: N sequences, T steps, F features, C channels.
import { type Padding, type Shape, validRows } from "../sequence.ts";

export type View = "level" | "delta" | "log" | "logDelta" | "centred";
export const VIEWS: readonly View[] = ["level", "delta", "log", "logDelta", "centred"];

/** What a channel looks at: feature `a`, the difference `a − b`, or the log ratio `log(a / b)` of two features. */
export type Base =
  | { readonly base: "feature"; readonly a: number }
  | { readonly base: "difference"; readonly a: number; readonly b: number }
  | { readonly base: "logRatio"; readonly a: number; readonly b: number };

/**
 * One number a step: a view of a base. `delta`: this row minus the previous valid row. `centred`: minus the sequence's own
 * mean over valid rows. `log`, `logDelta`: level and delta of the base's logarithm, so of a log ratio's too.
 */
export type Channel = Base & { readonly view: View };

export interface Plan {
  readonly timesteps: number;
  /** Feature names (F). */
  readonly features: readonly string[];
  readonly padding: Padding;
  readonly channels: readonly Channel[];
  /** false keeps mean 0 and scale 1, as the plain script does. */
  readonly standardise: boolean;
}

export interface Recipe extends Omit<Plan, "standardise"> {
  /** Standardised channels are limited to ±clip. */
  readonly clip: number;
  /** Shortest and longest number of valid rows seen in training. */
  readonly lengths: readonly [number, number];
  /** (C) over valid rows, undefined entries left out. */
  readonly mean: Float64Array;
  /** (C) population standard deviation; 1 where the channel is constant. */
  readonly scale: Float64Array;
  /** (C,3) what a value ≤ 0 becomes before a logarithm, its training minimum: of a and b in a log ratio, of the base in a log view; else 0. */
  readonly floor: Float64Array;
  /** (F) mean and standard deviation of the raw features over valid rows. Nothing is scored with them. */
  readonly featureMean: Float64Array;
  readonly featureScale: Float64Array;
}

export interface Channels {
  /** (N,T,C) left-aligned; rows from `lengths[n]` on are zero. */
  readonly channels: Float32Array;
  /** (N) valid rows; 0 when a sequence is nothing but padding. */
  readonly lengths: Int32Array;
  /** (N) 1 where the sequence lies outside what training saw: its length, or a value ≤ 0 under a logarithm. */
  readonly outOfRange: Uint8Array;
}

/** A natural logarithm for positive float64: the kernel's, since Math.log differs between hosts in the last bit. */
export type Log = (x: number) => number;

/** Standard deviations. A value ten away from the mean says "far out" as well as one a thousand away, and keeps gates finite. */
const CLIP = 10;
/** Without standardising: far above any data, yet C·clip·weight stays finite in float32 (max 3.4e38). */
export const CLIP_UNSCALED = 1e30;
/** Bases beyond this are held there, so that differences and sums over 512 rows stay finite (float64 max 1.8e308). */
const BASE_LIMIT = 1e300;

export function shapeOf(recipe: Pick<Recipe, "timesteps" | "features">): Shape {
  return { timesteps: recipe.timesteps, features: recipe.features.length };
}

/** `log(high / low)`, `Δ close`, … as people read it. */
export function describeChannel(channel: Channel, features: readonly string[]): string {
  const a = features[channel.a];
  const base =
    channel.base === "feature" ? a : channel.base === "difference" ? `${a} − ${features[channel.b]}` : `log(${a} / ${features[channel.b]})`;
  const inner = channel.base === "difference" ? `(${base})` : base;
  switch (channel.view) {
    case "level":
      return base;
    case "delta":
      return `Δ ${inner}`;
    case "log":
      return `log(${base})`;
    case "logDelta":
      return `Δ log(${base})`;
    case "centred":
      return `${inner} − its mean`;
  }
}

/** Which of a channel's three floors it needs, as Recipe.floor orders them. */
export function usesFloors({ base, view }: Channel): readonly [boolean, boolean, boolean] {
  const isRatio = base === "logRatio";
  return [isRatio, isRatio, view === "log" || view === "logDelta"];
}

/**
 * Fits `plan` on the sequences `indices` of `values` (N,T,F). Sequences without a valid row are passed over.
 * Throws RangeError when a logarithm's base is not positive on the training part, or no row is valid: the caller plans better.
 */
export function fitRecipe(plan: Plan, values: Float64Array, indices: ArrayLike<number>, log: Log): Recipe {
  const { timesteps: T, channels, standardise, ...rest } = plan;
  const shape = shapeOf(plan);
  const F = shape.features;
  const C = channels.length;
  const rows = new Int32Array(T);
  let shortest = T;
  let longest = 0;
  let total = 0;
  for (let i = 0; i < indices.length; i++) {
    const length = validRows(values, indices[i] * T * F, shape, plan.padding, rows);
    if (length === 0) continue;
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
    total += length;
  }
  if (total === 0) throw new RangeError("no training sequence has a valid row");

  const mean = new Float64Array(C);
  const scale = new Float64Array(C).fill(1);
  const floor = new Float64Array(3 * C);
  const column = new Float64Array(total); // one channel at a time, so that 100,000 sequences stay cheap
  const series = new Float64Array(T);
  const eachSequence = (visit: (offset: number, length: number) => void): void => {
    for (let i = 0; i < indices.length; i++) {
      const offset = indices[i] * T * F;
      const length = validRows(values, offset, shape, plan.padding, rows);
      if (length > 0) visit(offset, length);
    }
  };
  for (let c = 0; c < C; c++) {
    const channel = channels[c];
    const [ofRatio, , ofBase] = usesFloors(channel);
    if (ofRatio || ofBase) {
      const lowest = [BASE_LIMIT, BASE_LIMIT, BASE_LIMIT];
      eachSequence((offset, length) => {
        for (let t = 0; t < length; t++) {
          const at = offset + rows[t] * F;
          if (channel.base === "logRatio") {
            lowest[0] = Math.min(lowest[0], values[at + channel.a]);
            lowest[1] = Math.min(lowest[1], values[at + channel.b]);
            if (ofBase)
              lowest[2] = Math.min(lowest[2], log(Math.max(values[at + channel.a], 0)) - log(Math.max(values[at + channel.b], 0)));
          } else lowest[2] = Math.min(lowest[2], baseValue(channel, values, at));
        }
      });
      usesFloors(channel).forEach((isUsed, k) => {
        if (!isUsed) return;
        if (!(lowest[k] > 0)) throw new RangeError(`${describeChannel(channel, plan.features)} needs positive values on the training part`);
        floor[3 * c + k] = lowest[k];
      });
    }
    if (!standardise) continue;
    let count = 0;
    eachSequence((offset, length) => {
      const first = computeSeries(channel, floor, c, values, offset, F, rows, length, log, series).firstDefined;
      for (let t = first; t < length; t++) column[count++] = series[t];
    });
    [mean[c], scale[c]] = meanAndScale(column, count);
  }

  const featureMean = new Float64Array(F);
  const featureScale = new Float64Array(F);
  for (let f = 0; f < F; f++) {
    let count = 0;
    eachSequence((offset, length) => {
      for (let t = 0; t < length; t++) column[count++] = limit(values[offset + rows[t] * F + f], BASE_LIMIT);
    });
    [featureMean[f], featureScale[f]] = meanAndScale(column, count);
  }
  const clip = standardise ? CLIP : CLIP_UNSCALED;
  return { timesteps: T, channels, ...rest, clip, lengths: [shortest, longest], mean, scale, floor, featureMean, featureScale };
}

/** Applies a recipe to N raw sequences, `values` (N,T,F) float64. Every finite input gives finite channels. */
export function applyRecipe(recipe: Recipe, values: Float64Array, log: Log): Channels {
  const { timesteps: T, channels, clip, mean, scale, floor } = recipe;
  const shape = shapeOf(recipe);
  const F = shape.features;
  const C = channels.length;
  const N = values.length / (T * F);
  const out = new Float32Array(N * T * C);
  const lengths = new Int32Array(N);
  const outOfRange = new Uint8Array(N);
  const rows = new Int32Array(T);
  const series = new Float64Array(T);
  for (let n = 0; n < N; n++) {
    const length = validRows(values, n * T * F, shape, recipe.padding, rows);
    lengths[n] = length;
    if (length < recipe.lengths[0] || length > recipe.lengths[1]) outOfRange[n] = 1;
    for (let c = 0; c < C; c++) {
      const { firstDefined, floored } = computeSeries(channels[c], floor, c, values, n * T * F, F, rows, length, log, series);
      if (floored) outOfRange[n] = 1;
      for (let t = firstDefined; t < length; t++) out[(n * T + t) * C + c] = limit((series[t] - mean[c]) / scale[c], clip);
    }
  }
  return { channels: out, lengths, outOfRange };
}

const DEFINED = [
  [
    { firstDefined: 0, floored: false },
    { firstDefined: 0, floored: true },
  ],
  [
    { firstDefined: 1, floored: false },
    { firstDefined: 1, floored: true },
  ],
] as const; // shared answers: nothing is allocated per channel

/** One channel over the valid rows of one sequence, before standardising: fills `series[0 … length)`, float64. */
function computeSeries(
  channel: Channel,
  floor: Float64Array,
  c: number,
  values: Float64Array,
  offset: number,
  F: number,
  rows: Int32Array,
  length: number,
  log: Log,
  series: Float64Array,
): { readonly firstDefined: 0 | 1; readonly floored: boolean } {
  const { view } = channel;
  let floored = 0;
  for (let t = 0; t < length; t++) {
    const at = offset + rows[t] * F;
    let x: number;
    if (channel.base === "logRatio") {
      let a = values[at + channel.a];
      let b = values[at + channel.b];
      if (a <= 0) [a, floored] = [floor[3 * c], 1];
      if (b <= 0) [b, floored] = [floor[3 * c + 1], 1];
      x = log(a) - log(b);
    } else x = baseValue(channel, values, at);
    if (view === "log" || view === "logDelta") {
      if (x <= 0) [x, floored] = [floor[3 * c + 2], 1];
      x = log(x);
    }
    series[t] = x;
  }
  if (view === "delta" || view === "logDelta") {
    for (let t = length - 1; t > 0; t--) series[t] -= series[t - 1];
    return DEFINED[1][floored];
  }
  if (view === "centred") {
    let sum = 0;
    for (let t = 0; t < length; t++) sum += series[t];
    const own = sum / length;
    for (let t = 0; t < length; t++) series[t] -= own;
  }
  return DEFINED[0][floored];
}

/** A feature or a difference at one row, held within ±BASE_LIMIT. */
function baseValue(base: Base, values: Float64Array, at: number): number {
  const a = limit(values[at + base.a], BASE_LIMIT);
  return base.base === "difference" ? limit(a - limit(values[at + base.b], BASE_LIMIT), BASE_LIMIT) : a;
}

function limit(x: number, bound: number): number {
  return Math.max(-bound, Math.min(bound, x));
}

/** Mean and population standard deviation of the first `count` values, scaled by the largest so that no square overflows. */
function meanAndScale(values: Float64Array, count: number): [mean: number, scale: number] {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (largest === 0) return [0, 1];
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i] / largest;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const distance = values[i] / largest - mean;
    squares += distance * distance;
  }
  // A spread within the rounding of the mean is a constant, not a scale.
  const deviation = Math.sqrt(squares / count);
  return [mean * largest, deviation > 1e-14 * Math.abs(mean) ? Math.max(deviation * largest, Number.MIN_VALUE) : 1];
}
