// Raw sequences with their rows left-aligned, as permutations take them, and back. Legend: N sequences, T steps, F features.
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";

/** (N,T,F) valid rows first, in their order, then zeros; and how many there are (N). */
export interface AlignedRows {
  readonly channels: Float64Array;
  readonly lengths: Int32Array;
}

/** The valid rows of `values` (N,T,F), which raw sequences may hold anywhere. */
export function alignRows(values: Float64Array, shape: Shape, padding: Padding): AlignedRows {
  const { timesteps: T, features: F } = shape;
  const channels = new Float64Array(values.length);
  const rows = new Int32Array(T);
  const lengths = Int32Array.from({ length: values.length / (T * F) }, (_, n) => {
    const length = validRows(values, n * T * F, shape, padding, rows);
    for (let i = 0; i < length; i++) channels.set(values.subarray((n * T + rows[i]) * F, (n * T + rows[i] + 1) * F), (n * T + i) * F);
    return length;
  });
  return { channels, lengths };
}

/** (N,T,F) raw sequences of aligned rows: padding in front. */
export function placeRows({ channels, lengths }: AlignedRows, { timesteps: T, features: F }: Shape): Float64Array {
  const values = new Float64Array(channels.length);
  for (let n = 0; n < lengths.length; n++) values.set(channels.subarray(n * T * F, (n * T + lengths[n]) * F), (n * T + T - lengths[n]) * F);
  return values;
}
