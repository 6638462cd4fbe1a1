// A logistic regression on columns of a tabular view: the type and its executable definition, which is also what serves.
// Uses only + − × ÷, so that every host computes the same bits. Knows no training and no file format.
// Legend: V columns of a view, W of them that are looked at.

/** Weights on standardised columns. */
export interface LinearClassifier {
  /** (W) which of the view's columns, ascending */
  readonly columns: Uint16Array;
  /** (W) what a column's value is standardised by; `scale` is above 0 */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  /** (W) */
  readonly weights: Float64Array;
  readonly intercept: number;
}

/** Standard deviations: one far value moves a sum of weights without end, so standardised columns are limited to this. */
export const LINEAR_CLIP = 10;

/** (value − mean) / scale within ±10; 0, the mean, where the value is missing (NaN). */
export function standardiseColumn(value: number, mean: number, scale: number): number {
  const x = (value - mean) / scale;
  if (x > LINEAR_CLIP) return LINEAR_CLIP;
  if (x < -LINEAR_CLIP) return -LINEAR_CLIP;
  return Number.isNaN(x) ? 0 : x;
}

/** The logit of the sequence whose columns begin at `columns[at]`, NaN where a value is missing: one chain in the order of W, float64. */
export function linearLogit(
  { columns: looked, mean, scale, weights, intercept }: LinearClassifier,
  columns: Float64Array,
  at: number,
): number {
  let logit = intercept;
  for (let w = 0; w < looked.length; w++) logit += weights[w] * standardiseColumn(columns[at + looked[w]], mean[w], scale[w]);
  return logit;
}
