// Label leaks: single numbers that rank the labels almost alone: a cell of the sequences, or their length. Knows no verdict.
// Legend: T steps, F features.
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { areaUnderRoc } from "../statistics/metrics.ts";

export interface LeakingCell {
  readonly step: number;
  readonly feature: number;
  /** 0.5 to 1: in whichever direction the number ranks the labels. */
  readonly auc: number;
  /** Sequences in which that row is data. */
  readonly count: number;
}

/** Fewer sequences say nothing of an AUC near 1. */
const MIN_SEQUENCES = 50;
/** Nor do fewer of one class: among many numbers one ranks a handful well by chance. */
const MIN_OF_A_CLASS = 10;
/** Standard deviations by which chance moves an AUC. */
const NOISE = 3;

/**
 * How well a number ranks the labels, in either direction; 0.5 when it does not beyond chance, or a class has few sequences. By chance
 * an AUC has the variance (n₀ + n₁ + 1) / (12 n₀ n₁) (Mann & Whitney 1947).
 */
export function rankingAuc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  let ones = 0;
  for (let n = 0; n < labels.length; n++) ones += labels[n];
  const zeros = labels.length - ones;
  if (Math.min(ones, zeros) < MIN_OF_A_CLASS) return 0.5;
  const auc = areaUnderRoc(labels, scores) ?? 0.5;
  const deviation = Math.sqrt((labels.length + 1) / (12 * ones * zeros));
  return Math.abs(auc - 0.5) > NOISE * deviation ? Math.max(auc, 1 - auc) : 0.5;
}

/**
 * Of the sequences at `indices` of `values` (N,T,F), the cell that ranks the labels best, over those in which it is observed in a row
 * that is no padding; null where none is in enough sequences.
 */
export function findLeakingCell(
  values: Float64Array,
  labels: ArrayLike<number>,
  indices: ArrayLike<number>,
  shape: Shape,
  padding: Padding,
): LeakingCell | null {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const isValid = new Uint8Array(indices.length * T);
  for (let i = 0; i < indices.length; i++) {
    const length = validRows(values, indices[i] * T * F, shape, padding, rows);
    for (let r = 0; r < length; r++) isValid[i * T + rows[r]] = 1;
  }
  let best: LeakingCell | null = null;
  for (let step = 0; step < T; step++) {
    const here = Array.from({ length: indices.length }, (_, i) => i)
      .filter((i) => isValid[i * T + step] === 1)
      .map((i) => indices[i]);
    if (here.length < MIN_SEQUENCES) continue;
    const cellLabels = Float64Array.from(here, (n) => labels[n]);
    for (let feature = 0; feature < (shape.clock ? F - 1 : F); feature++) {
      const cells = Float64Array.from(here, (n) => values[(n * T + step) * F + feature]);
      const isObserved = (_: number, i: number): boolean => !Number.isNaN(cells[i]);
      const hasGaps = cells.includes(Number.NaN);
      const observed = hasGaps ? cells.filter(isObserved) : cells;
      if (observed.length < MIN_SEQUENCES) continue;
      const auc = rankingAuc(hasGaps ? cellLabels.filter(isObserved) : cellLabels, observed);
      if (auc > (best?.auc ?? 0)) best = { step, feature, auc, count: observed.length };
    }
  }
  return best;
}
