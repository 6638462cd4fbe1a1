// A plan and the training part → a recipe, or a tabular view: what fills gaps, floors, means and scales, one channel at a time. Knows no
// network.
// Legend: N sequences, T steps, F features, C channels.
import { MAX_TIMESTEPS } from "../sequence.ts";
import { type Channel, describeChannel, usesFloors } from "./channel.ts";
import { CLIP, CLIP_UNSCALED, type Log, type Plan, type Recipe, shapeOf } from "./recipe.ts";
import { BASE_LIMIT, baseValue, clamp, computeSeries, moveTo, openRows, type SequenceRows, secondsBetween } from "./series.ts";
import type { TabularPlan, TabularView } from "./tabular.ts";

/** Goes through the training sequences that have a valid row, in order. */
type Walk = (visit: (sequence: SequenceRows) => void) => void;

/**
 * Fits `plan` on the sequences `indices` of `values` (N,T,F). Sequences without a valid row are passed over.
 * A value ≤ 0 under a logarithm counts as the lowest positive one of the training part: padding rows that a plan reads as data bring zeros.
 * Throws RangeError when nothing under a logarithm is positive on the training part, unless numbers may be missing, or no row is valid:
 * the caller plans better.
 */
export function fitRecipe(plan: Plan, values: Float64Array, indices: ArrayLike<number>, log: Log): Recipe {
  const { timesteps: T, channels, standardise, ...rest } = plan;
  const F = plan.features.length;
  const C = channels.length;
  const bare = walkThrough(plan, values, indices);
  const { lengths, total } = measureLengths(bare, T);
  const column = new Float64Array(total); // one channel at a time, so that 100,000 sequences stay cheap
  const fill = plan.gaps && fitFill(F, bare, column);
  const walk = fill ? walkThrough({ ...plan, fill }, values, indices) : bare;
  const mean = new Float64Array(C);
  const scale = new Float64Array(C).fill(1);
  const floor = new Float64Array(3 * C);
  for (let c = 0; c < C; c++) {
    floor.set(fitFloors(channels[c], plan.features, walk, log), 3 * c);
    if (standardise) [mean[c], scale[c]] = meanAndScale(column, collectChannel({ channels, floor }, c, walk, log, column));
  }
  const featureMean = new Float64Array(F);
  const featureScale = new Float64Array(F);
  for (let f = 0; f < F; f++) [featureMean[f], featureScale[f]] = meanAndScale(column, collectFeature(f, walk, column));
  const clip = standardise ? CLIP : CLIP_UNSCALED;
  return { timesteps: T, channels, ...rest, clip, lengths, mean, scale, floor, ...(fill && { fill }), featureMean, featureScale };
}

/** (F) medians of what is observed, clamped; 0 where nothing is. `walk` leaves gaps as they are; `column` holds as many numbers as there are rows. */
function fitFill(F: number, walk: Walk, column: Float64Array): Float64Array {
  return Float64Array.from({ length: F }, (_, f) => {
    let count = 0;
    walk(({ values, rows, offset, length }) => {
      for (let t = 0; t < length; t++) {
        const x = values[offset + rows[t] * F + f];
        if (!Number.isNaN(x)) column[count++] = clamp(x, BASE_LIMIT);
      }
    });
    if (count === 0) return 0;
    const sorted = column.subarray(0, count).sort();
    return sorted[(count - 1) >> 1] / 2 + sorted[count >> 1] / 2;
  });
}

/**
 * Fits the series of a tabular view as fitRecipe fits channels: floors under logarithms, and means over the training part's valid rows.
 * Throws RangeError likewise.
 */
export function fitView(plan: TabularPlan, recipe: RowReading, values: Float64Array, indices: ArrayLike<number>, log: Log): TabularView {
  const { series } = plan;
  const walk = walkThrough(recipe, values, indices);
  const column = new Float64Array(measureLengths(walk, recipe.timesteps).total);
  const mean = new Float64Array(series.length);
  const floor = new Float64Array(3 * series.length);
  for (let s = 0; s < series.length; s++) {
    floor.set(fitFloors(series[s], recipe.features, walk, log), 3 * s);
    [mean[s]] = meanAndScale(column, collectChannel({ channels: series, floor }, s, walk, log, column));
  }
  return { ...plan, floor, mean };
}

/** What of a recipe says how rows are read. */
type RowReading = Pick<Recipe, "timesteps" | "features" | "padding" | "fill" | "clock" | "inputs">;

/** `fill` left out: gaps stay NaN. */
function walkThrough(recipe: RowReading, values: Float64Array, indices: ArrayLike<number>): Walk {
  const sequence = openRows(values, shapeOf(recipe), recipe.padding, recipe.fill);
  return (visit) => {
    for (let i = 0; i < indices.length; i++) if (moveTo(sequence, indices[i]) > 0) visit(sequence);
  };
}

/** Shortest and longest of the sequences, and all their rows. */
function measureLengths(walk: Walk, T: number): { lengths: readonly [number, number]; total: number } {
  let shortest = T;
  let longest = 0;
  let total = 0;
  walk(({ length }) => {
    shortest = Math.min(shortest, length);
    longest = Math.max(longest, length);
    total += length;
  });
  if (total === 0) throw new RangeError("no training sequence has a valid row");
  return { lengths: [shortest, longest], total };
}

/** (3) lowest positive values as Recipe.floor holds them, 0 where the channel needs none. Throws RangeError where no value is positive and none can be missing. */
function fitFloors(channel: Channel, features: readonly string[], walk: Walk, log: Log): number[] {
  if (channel.view === "logAbsDelta") {
    const moved = { ...channel, view: "absDelta" } as const;
    const [a, b] = fitFloors(moved, features, walk, log);
    return [a, b, fitMovementFloor(moved, [a, b, 0], walk, log)];
  }
  if (channel.view === "rate") {
    const [a, b] = fitFloors({ ...channel, view: "delta" }, features, walk, log);
    return [a, b, fitShortestTime(walk)];
  }
  const isUsed = usesFloors(channel);
  if (!isUsed.includes(true)) return [0, 0, 0];
  const lowest = [Infinity, Infinity, Infinity];
  const lower = (k: number, x: number): void => {
    if (x > 0) lowest[k] = Math.min(lowest[k], x);
  };
  let canLack = false;
  walk(({ values, shape, rows, offset, length, fill }) => {
    canLack = fill !== undefined;
    for (let t = 0; t < length; t++) {
      const row = offset + rows[t] * shape.features;
      if (channel.base !== "logRatio") {
        lower(2, baseValue(channel, values, row));
        continue;
      }
      const a = values[row + channel.a];
      const b = values[row + channel.b];
      lower(0, a);
      lower(1, b);
      if (isUsed[2] && a > 0 && b > 0) lower(2, log(a) - log(b));
    }
  });
  return lowest.map((floor, k) => {
    if (!isUsed[k]) return 0;
    if (floor === Infinity && canLack) return 1; // of a fold that observes nothing of the feature nothing is known
    if (floor === Infinity) throw new RangeError(`${describeChannel(channel, features)} needs a positive value on the training part`);
    return Math.min(BASE_LIMIT, floor);
  });
}

/** The shortest time above 0 between two rows of the training part, in seconds; 1 where no time passes. */
function fitShortestTime(walk: Walk): number {
  let shortest = Infinity;
  walk((sequence) => {
    for (let t = 1; t < sequence.length; t++) {
      const seconds = secondsBetween(sequence, t - 1, t);
      if (seconds > 0) shortest = Math.min(shortest, seconds);
    }
  });
  return shortest === Infinity ? 1 : shortest;
}

/** Of the mean movement, what less counts as: logarithms of rounding would outweigh all others. */
const LEAST_MOVEMENT = 1e-3;

/** LEAST_MOVEMENT of how far the base of `moved`, of view absDelta, moves on average on the training part; 1 where nothing moves. */
function fitMovementFloor(moved: Channel, floors: readonly number[], walk: Walk, log: Log): number {
  const recipe = { channels: [moved], floor: Float64Array.from(floors) };
  const series = new Float64Array(MAX_TIMESTEPS);
  let mean = 0;
  let count = 0;
  walk((sequence) => {
    const { firstDefined } = computeSeries(recipe, 0, sequence, log, series);
    for (let t = firstDefined; t < sequence.length; t++) if (!Number.isNaN(series[t])) mean += (series[t] - mean) / ++count; // no sum that overflows
  });
  return mean > 0 ? Math.max(Number.MIN_VALUE, Math.min(BASE_LIMIT, LEAST_MOVEMENT * mean)) : 1;
}

/** Writes the defined entries of channel `c` to `column`. Returns how many there are. */
function collectChannel(recipe: Pick<Recipe, "channels" | "floor">, c: number, walk: Walk, log: Log, column: Float64Array): number {
  const series = new Float64Array(MAX_TIMESTEPS);
  let count = 0;
  walk((sequence) => {
    const { firstDefined } = computeSeries(recipe, c, sequence, log, series);
    for (let t = firstDefined; t < sequence.length; t++) if (!Number.isNaN(series[t])) column[count++] = series[t];
  });
  return count;
}

/** Writes feature `f` of all valid rows to `column`, clamped. Returns how many there are. */
function collectFeature(f: number, walk: Walk, column: Float64Array): number {
  let count = 0;
  walk(({ values, shape, rows, offset, length }) => {
    for (let t = 0; t < length; t++) column[count++] = clamp(values[offset + rows[t] * shape.features + f], BASE_LIMIT);
  });
  return count;
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
