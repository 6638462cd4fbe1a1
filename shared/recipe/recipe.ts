// The preprocessing as data: planned, fitted on the training part (fit.ts), applied by the same function on both sides (apply.ts).
// Legend: N sequences, T steps, F features, C channels.
import type { Padding, Shape } from "../sequence.ts";
import type { Channel } from "./channel.ts";
import { countStatics, type Input } from "./inputs.ts";

export interface Plan {
  readonly timesteps: number;
  /** Feature names (F). */
  readonly features: readonly string[];
  readonly padding: Padding;
  /** Rows of this number alone are padding, too: an imported network passes over them. Left out: none are. */
  readonly mask?: number;
  readonly channels: readonly Channel[];
  /** false keeps mean 0 and scale 1, as the plain script does. */
  readonly standardise: boolean;
  /** Features that lack numbers in training, ascending. Left out: no number may be missing. */
  readonly gaps?: readonly number[];
  /** The last feature is the row's time, in seconds since 1970. Left out: rows have no time. */
  readonly clock?: true;
  /** What the features but the time come from, where some are categories or given once a sequence. Left out: each is a number of each row. */
  readonly inputs?: readonly Input[];
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
  /** (C,3) what a value ≤ 0 becomes before a logarithm, the lowest positive value in training: of a and b in a log ratio, of the base in a log view; what less of a movement counts as in logAbsDelta, and less of a time in rate; else 0. */
  readonly floor: Float64Array;
  /** (F) what a feature is before its first observed value in a sequence: its training median. There where `gaps` is. */
  readonly fill?: Float64Array;
  /** (F) mean and standard deviation of the raw features over valid rows. Nothing is scored with them. */
  readonly featureMean: Float64Array;
  readonly featureScale: Float64Array;
}

export interface Channels {
  /** (N,T,C) left-aligned; rows from `lengths[n]` on are zero. */
  readonly channels: Float32Array;
  /** (N) valid rows; 0 when a sequence is nothing but padding. */
  readonly lengths: Int32Array;
  /** (N) 1 where the sequence lies outside what training saw: its length, a value ≤ 0 under a logarithm, a gap in a feature that had none. */
  readonly outOfRange: Uint8Array;
}

/** A natural logarithm for positive float64: the kernel's, since Math.log differs between hosts in the last bit. */
export type Log = (x: number) => number;

/** Standard deviations. A value ten away from the mean says "far out" as well as one a thousand away, and keeps gates finite. */
export const CLIP = 10;
/** Without standardising: far above any data, yet C·clip·weight stays finite in float32 (max 3.4e38). */
export const CLIP_UNSCALED = 1e30;

/** What a recipe says of the sequences that it takes. */
export type TakenRecipe = Pick<Recipe, "timesteps" | "features" | "gaps" | "clock" | "inputs" | "mask">;

/** T and F of the sequences that a recipe takes, whether numbers may be missing, whether rows have times, and what is the same in all rows. */
export function shapeOf(recipe: TakenRecipe): Shape {
  const { timesteps, features, gaps, clock, mask, inputs = [] } = recipe;
  const statics = countStatics(inputs);
  return {
    timesteps,
    features: features.length,
    ...(gaps && { gaps: true }),
    ...(clock && { clock }),
    ...(statics > 0 && { statics }),
    ...(inputs.length > 0 ? { isExpanded: true } : features[0] !== "f0" && { names: features }),
    ...(mask !== undefined && { mask }),
  };
}
