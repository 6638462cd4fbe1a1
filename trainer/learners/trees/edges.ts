// Bins of a tabular view's columns: where the edges lie, and which bin a value falls in. Sees no label, so one table serves all folds.
// Legend: N sequences, V columns of the view, W columns that are looked at.
import { MISSING_LEFT } from "../../../shared/trees.ts";

/** One table of bin edges, in the layout of TreeEnsemble. */
export interface BinEdges {
  /** (V+1) column v's edges are edges[edgeStart[v] … edgeStart[v+1] − 1] */
  readonly edgeStart: Uint32Array;
  /** Ascending within a column; each lies strictly between two neighbouring values that were observed. */
  readonly edges: Float64Array;
}

/** The bin of a missing value; a value's bin is the number of edges below the value. */
export const MISSING_BIN = 255;
/** One less than bins of values, which fit a byte beside the missing one. */
const MAX_EDGES = 254;
/** Values beyond so many, evenly spaced in the sequences' order, move no edge by more than noise; LightGBM and scikit-learn take 200,000. */
const MAX_VALUES = 10_000;
/**
 * The last edge of a column with missing values: every value goes left, so that a split can part missing from present. Above ±1e300,
 * where recipes hold values, and nobody's number.
 */
const PRESENT = Number.MAX_VALUE;

/**
 * Edges of the columns `wanted` of `columns` (N,V): between all neighbouring values where a column has few different ones, else so that
 * bins hold about equally many (greedily, as LightGBM finds bins). A constant column has none, nor has one that is not wanted.
 */
export function findBinEdges(columns: Float64Array, columnCount: number, wanted: Int32Array): BinEdges {
  const edgeStart = new Uint32Array(columnCount + 1);
  const found: (readonly number[])[] = Array(columnCount).fill([]);
  const sequences = columns.length / columnCount;
  const stride = Math.max(1, sequences / MAX_VALUES);
  const values = new Float64Array(Math.min(sequences, MAX_VALUES));
  for (const v of wanted) {
    let present = 0;
    for (let i = 0; i < values.length; i++) {
      const value = columns[Math.floor(i * stride) * columnCount + v];
      if (!Number.isNaN(value)) values[present++] = value;
    }
    const edges = cutSorted(values.subarray(0, present).sort(), MAX_EDGES - 1);
    if (present > 0 && present < values.length) edges.push(PRESENT);
    found[v] = edges;
  }
  for (const [v, { length }] of found.entries()) edgeStart[v + 1] = edgeStart[v] + length;
  const edges = new Float64Array(edgeStart[columnCount]);
  for (const [v, own] of found.entries()) edges.set(own, edgeStart[v]);
  return { edgeStart, edges };
}

/** At most `maxEdges` edges of ascending values. A bin is closed as soon as it holds its part of what was left when it was opened. */
function cutSorted(values: Float64Array, maxEdges: number): number[] {
  const edges: number[] = [];
  const isFew = countDistinct(values, maxEdges + 1) <= maxEdges + 1;
  let start = 0;
  for (let i = 1; i < values.length && edges.length < maxEdges; i++) {
    if (values[i] === values[i - 1]) continue;
    if (!isFew && i - start < (values.length - start) / (maxEdges + 1 - edges.length)) continue;
    const middle = values[i - 1] / 2 + values[i] / 2; // a sum of two could be infinite
    if (!(middle > values[i - 1] && middle < values[i])) continue; // no number lies between, or none that is finite
    edges.push(middle);
    start = i;
  }
  return edges;
}

/** How many different values `values`, ascending, has; counted up to one more than `limit`. */
function countDistinct(values: Float64Array, limit: number): number {
  let count = Math.min(1, values.length);
  for (let i = 1; i < values.length && count <= limit; i++) if (values[i] !== values[i - 1]) count++;
  return count;
}

/** (W,N) bins of all N sequences in the W columns `wanted` of `columns` (N,V), column after column. */
export function binColumns({ edgeStart, edges }: BinEdges, columns: Float64Array, wanted: Int32Array): Uint8Array {
  const columnCount = edgeStart.length - 1;
  const sequences = columns.length / columnCount;
  const bins = new Uint8Array(wanted.length * sequences);
  const padded = new Float64Array(256);
  for (const [w, v] of wanted.entries()) {
    padded.fill(Number.POSITIVE_INFINITY).set(edges.subarray(edgeStart[v], edgeStart[v + 1]));
    for (let n = 0, at = w * sequences; n < sequences; n++, at++) bins[at] = binOf(padded, columns[n * columnCount + v]);
  }
  return bins;
}

/** The number of edges below `value`: 8 steps of bisection without a branch, which would be guessed wrong half the time. */
function binOf(padded: Float64Array, value: number): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let low = 0;
  low += Number(padded[127] < value) << 7;
  low += Number(padded[low + 63] < value) << 6;
  low += Number(padded[low + 31] < value) << 5;
  low += Number(padded[low + 15] < value) << 4;
  low += Number(padded[low + 7] < value) << 3;
  low += Number(padded[low + 3] < value) << 2;
  low += Number(padded[low + 1] < value) << 1;
  low += Number(padded[low] < value);
  return low;
}

/** A split's field `edge` in an ensemble. */
export function edgeField(edge: number, missingLeft: boolean): number {
  return edge + (missingLeft ? MISSING_LEFT : 0);
}
