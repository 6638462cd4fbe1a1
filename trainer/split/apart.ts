// Sequences that share no row: of windows cut from one series those that lie a whole window apart.
import type { Padding, Shape } from "../../shared/sequence.ts";
import { findOverlap } from "./overlap.ts";

/** Positions, ascending, of sequences of `values` (N,T,F) of which no two share a row; all of them where none do. Copies count once. */
export function pickApart(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const { finding, component, offset, copy } = findOverlap(values, shape, padding);
  if (finding !== "series") return Int32Array.from(component.keys());
  const order = Int32Array.from(copy.keys()).sort((a, b) => component[a] - component[b] || offset[a] - offset[b] || a - b);
  const picked: number[] = [];
  for (const n of order) {
    const last = picked.at(-1);
    if (last === undefined || component[n] !== component[last] || offset[n] >= offset[last] + shape.timesteps) picked.push(n);
  }
  return Int32Array.from(picked).sort();
}
