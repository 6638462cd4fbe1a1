// The columns of a tabular view as a linear model takes them: standardised by statistics of all sequences, no label used, so that the
// models of all folds can be averaged. Legend: N sequences, V columns of the view, W columns that are looked at.
import { standardiseColumn } from "../../../shared/linear.ts";
import { factorise, solveFactorised } from "../../statistics/linear-algebra.ts";

/** Standardised columns of all sequences of a view. */
export interface Design {
  /** (W) which of the view's columns, ascending: those that vary. */
  readonly columns: Uint16Array;
  /** (W) */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** (N,W) */
  readonly x: Float32Array;
  /** (W,W) mean products of columns, the lower triangle: by every so-manieth sequence where there are many. */
  readonly gram: Float64Array;
}

/** Sequences that the products are summed over, at most: they shape the steps of a fit, not its end. */
const MAX_PRODUCTS = 4000;

/** The columns `wanted` of `values` (N,V) as a design; columns without two different values are left out. */
export function createDesign(values: Float64Array, V: number, wanted: ArrayLike<number>): Design {
  const measured = Array.from(wanted, (column) => ({ column, ...measureColumn(values, V, column) })).filter(({ scale }) => scale > 0);
  const [N, W] = [values.length / V, measured.length];
  const x = new Float32Array(N * W);
  measured.forEach(({ column, mean, scale }, w) => {
    for (let n = 0; n < N; n++) x[n * W + w] = standardiseColumn(values[n * V + column], mean, scale);
  });
  return {
    columns: Uint16Array.from(measured, ({ column }) => column),
    mean: Float64Array.from(measured, ({ mean }) => mean),
    scale: Float64Array.from(measured, ({ scale }) => scale),
    x,
    gram: sumProducts(x, N, W),
  };
}

/** Mean and standard deviation of a column's values that are there; a scale of 0 where they do not vary, or vary beyond float64. */
function measureColumn(values: Float64Array, V: number, column: number): { readonly mean: number; readonly scale: number } {
  let count = 0;
  let largest = 0;
  for (let i = column; i < values.length; i += V) {
    if (Number.isNaN(values[i])) continue;
    count++;
    largest = Math.max(largest, Math.abs(values[i]));
  }
  if (count === 0 || largest === 0) return { mean: 0, scale: 0 };
  let mean = 0; // in units of the largest, so that no sum overflows
  for (let i = column; i < values.length; i += V) if (!Number.isNaN(values[i])) mean += values[i] / largest / count;
  let squares = 0;
  for (let i = column; i < values.length; i += V) if (!Number.isNaN(values[i])) squares += (values[i] / largest - mean) ** 2 / count;
  const deviation = Math.sqrt(squares);
  const isConstant = !(deviation > 1e-13 * Math.abs(mean)) || !Number.isFinite(deviation * largest) || deviation * largest === 0;
  return { mean: mean * largest, scale: isConstant ? 0 : deviation * largest };
}

function sumProducts(x: Float32Array, N: number, W: number): Float64Array {
  const stride = Math.max(1, Math.ceil(N / MAX_PRODUCTS));
  const gram = new Float64Array(W * W);
  let rows = 0;
  for (let n = 0; n < N; n += stride, rows++)
    for (let a = 0; a < W; a++) {
      const value = x[n * W + a];
      if (value === 0) continue;
      const [row, from] = [a * W, n * W];
      for (let b = 0; b <= a; b++) gram[row + b] += value * x[from + b];
    }
  return gram.map((sum) => sum / rows);
}

/** Solves (curvature · gram + l2 · I) v = b, with W numbers in b. */
export function createSolver({ gram, columns: { length: W } }: Design, curvature: number, l2: number): (b: Float64Array) => Float64Array {
  const factor = gram.map((product) => curvature * product);
  for (let w = 0; w < W; w++) factor[w * W + w] += l2;
  factorise(factor, W, W, (left) => Math.max(left, l2 * 1e-3));
  return (b) => solveFactorised(factor, W, b);
}
