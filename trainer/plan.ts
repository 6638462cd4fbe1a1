// Which channels a model gets, before anything is fitted. Looks at the training part only.
import type { Channel, Plan, View } from "../shared/recipe.ts";
import { type Padding, type Shape, validRows } from "../shared/sequence.ts";

export const RECIPES = ["auto", "raw"] as const;
export type RecipeName = (typeof RECIPES)[number];

export interface PlanInput {
  /** (N,T,F) */
  readonly values: Float64Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  /** The training part. */
  readonly indices: ArrayLike<number>;
  readonly padding: Padding;
}

/**
 * `raw`: the plain script for comparison, every feature as it is, unscaled. `auto`: level and delta of every feature that is
 * not constant, in logarithms where the training part is positive. Returns the plan and the features left out as constant.
 */
export function planRecipe(name: RecipeName, input: PlanInput): { plan: Plan; constant: string[] } {
  const { shape, features, padding } = input;
  const base = { timesteps: shape.timesteps, features, padding };
  if (name === "raw") return { plan: { ...base, channels: features.map((_, a) => channel(a, "level")), standardise: false }, constant: [] };
  const { lowest, highest } = ranges(input);
  const channels: Channel[] = [];
  const constant: string[] = [];
  for (let f = 0; f < shape.features; f++) {
    if (lowest[f] === highest[f]) constant.push(features[f]);
    else if (lowest[f] > 0) channels.push(channel(f, "log"), channel(f, "logDelta"));
    else channels.push(channel(f, "level"), channel(f, "delta"));
  }
  // With one row a sequence, a delta is never defined.
  const useful = shape.timesteps > 1 ? channels : channels.filter(({ view }) => view !== "delta" && view !== "logDelta");
  return { plan: { ...base, channels: useful, standardise: true }, constant };
}

function channel(a: number, view: View): Channel {
  return { base: "feature", a, view };
}

/** Smallest and largest value of each feature over the valid rows. */
function ranges({ values, shape, indices, padding }: PlanInput): { lowest: Float64Array; highest: Float64Array } {
  const { timesteps: T, features: F } = shape;
  const lowest = new Float64Array(F).fill(Infinity);
  const highest = new Float64Array(F).fill(-Infinity);
  const rows = new Int32Array(T);
  for (let i = 0; i < indices.length; i++) {
    const offset = indices[i] * T * F;
    const length = validRows(values, offset, shape, padding, rows);
    for (let t = 0; t < length; t++) {
      for (let f = 0; f < F; f++) {
        const x = values[offset + rows[t] * F + f];
        if (x < lowest[f]) lowest[f] = x;
        if (x > highest[f]) highest[f] = x;
      }
    }
  }
  return { lowest, highest };
}

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature sits on a large offset. */
export function takesDifferences(channels: readonly Channel[]): boolean {
  return channels.some((c) => c.view === "delta" || c.view === "logDelta" || c.view === "centred" || c.base !== "feature");
}
