// Rows' times among the features: whether they tell anything, and the data without them. Knows no model.
// Legend: N sequences, T steps, F features.
import { type Shape, validRows } from "../../shared/sequence.ts";
import { editFurther, type FurtherWindows } from "../readers/further-windows.ts";

/** Times between rows that differ by less than this share of the longest are one tick. */
const REGULAR = 0.01;

/** Whether rows of `values` (N,T,F) follow each other at differing times, by their last feature. */
export function isIrregular(values: Float64Array, shape: Shape): boolean {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  let [shortest, longest] = [Infinity, -Infinity];
  for (let offset = 0; offset < values.length; offset += T * F) {
    const length = validRows(values, offset, shape, "leading", rows);
    for (let t = 1; t < length; t++) {
      const seconds = values[offset + (rows[t] + 1) * F - 1] - values[offset + (rows[t - 1] + 1) * F - 1];
      shortest = Math.min(shortest, seconds);
      longest = Math.max(longest, seconds);
    }
  }
  return longest - shortest > REGULAR * longest;
}

/** (N,T,F − 1) without the last feature. */
export function dropLastFeature(values: Float64Array, F: number): Float64Array {
  const out = new Float64Array((values.length / F) * (F - 1));
  for (let from = 0, to = 0; from < values.length; from += F, to += F - 1) out.set(values.subarray(from, from + F - 1), to);
  return out;
}

/** What has sequences whose last feature is their rows' time. */
interface Clocked {
  readonly values?: Float64Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly test: { readonly values: Float64Array } | null;
  readonly further?: FurtherWindows;
}

/** The data without the times of rows. */
export function withoutClock<D extends Clocked>(data: D): D {
  const { values, shape, features, test, further } = data;
  const { features: F, clock: _, ...rest } = shape;
  return {
    ...data,
    ...(values && { values: dropLastFeature(values, F) }),
    shape: { ...rest, features: F - 1 },
    features: features.slice(0, -1),
    test: test && { ...test, values: dropLastFeature(test.values, F) },
    ...(further && { further: editFurther(further, (read) => dropLastFeature(read, F)) }),
  };
}
