// The columns of a tabular view as a linear model takes them: standardised by statistics of all sequences, no label used, so that the
// models of all folds can be averaged. Legend: N sequences, V columns of the view, W columns that are looked at.
import { standardiseColumn } from "../../../shared/linear.ts";
import { type FitColumns, prepareColumns } from "../../statistics/penalised-logistic.ts";

/** Standardised columns of all sequences of a view. */
export interface Design extends FitColumns {
  /** (W) which of the view's columns, ascending: those that vary. */
  readonly columns: Uint16Array;
  /** (W) */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** The columns `wanted` of `values` (N,V) as a design; columns without two different values are left out. */
export function createDesign(values: Float64Array, V: number, wanted: ArrayLike<number>): Design {
  const measured = Array.from(wanted, (column) => ({ column, ...measureColumn(values, V, column) })).filter(({ scale }) => scale > 0);
  const [N, W] = [values.length / V, measured.length];
  const fill = (x: Float32Array): void =>
    measured.forEach(({ column, mean, scale }, w) => {
      for (let n = 0; n < N; n++) x[n * W + w] = standardiseColumn(values[n * V + column], mean, scale);
    });
  return {
    columns: Uint16Array.from(measured, ({ column }) => column),
    mean: Float64Array.from(measured, ({ mean }) => mean),
    scale: Float64Array.from(measured, ({ scale }) => scale),
    ...prepareColumns(N, W, fill),
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
