// L2-regularised logistic regression by Newton's method: the baseline every network is measured against.
// Knows numbers in columns; standardising them is the caller's.
// Legend: N examples, D columns.
import { FitError } from "../../shared/errors.ts";
import { sigmoid } from "../../shared/networks/lstm.ts";
import type { Channels } from "../../shared/recipe/recipe.ts";
import { addProducts, BLOCK_ROWS, factorise, solveFactorised } from "./linear-algebra.ts";
import { logLossOfLogit } from "./log-loss.ts";
import { minimise } from "./newton.ts";

export interface Logistic {
  /** (D) */
  readonly weights: Float64Array;
  readonly intercept: number;
  /** Probabilities (N) of label 1 for `x` (N,D). */
  predict(x: Float32Array | Float64Array): Float64Array;
}

/** Five to ten steps are usual (measured). */
const NEWTON = { maxSteps: 100, lastStep: 1e-12, takeLastStep: true };

/**
 * Minimises Σ log loss + l2/2 · ‖weights‖², as scikit-learn's LogisticRegression with C = 1/l2; the intercept is free.
 * `x` (N,D) row by row, `labels` (N) from 0 to 1. Converges on separable data as long as l2 > 0. Throws FitError for a single class.
 */
export function fitLogistic(x: Float32Array | Float64Array, labels: ArrayLike<number>, { l2 }: { l2: number }): Logistic {
  const N = labels.length;
  const D = x.length / N;
  let positives = 0;
  for (let n = 0; n < N; n++) positives += labels[n];
  if (positives === 0 || positives === N)
    throw new FitError(`logistic regression needs both labels, got ${N} examples of label ${positives === 0 ? 0 : 1}`);

  const start = new Float64Array(D + 1); // the intercept last
  start[D] = Math.log(positives / (N - positives));
  const loss = (weights: Float64Array): number => {
    let sum = 0;
    for (let d = 0; d < D; d++) sum += (l2 / 2) * weights[d] * weights[d];
    for (let n = 0; n < N; n++) sum += logLossOfLogit(labels[n], logit(x, n * D, weights));
    return sum;
  };
  const { parameters: weights } = minimise({ loss, derivatives: (at) => newtonStep(x, labels, at, l2) }, start, NEWTON);
  return {
    weights: weights.slice(0, D),
    intercept: weights[D],
    predict: (rows) => new Float64Array(rows.length / D).map((_, n) => sigmoid(logit(rows, n * D, weights))),
  };
}

/**
 * The channels of a recipe (N,T,C), left-aligned, as rows of T·C numbers, right-aligned with zeros in front: a sequence's last
 * step is always in the same columns.
 */
export function flattenChannels({ channels, lengths }: Pick<Channels, "channels" | "lengths">, timesteps: number, C: number): Float32Array {
  const flat = new Float32Array(channels.length);
  const size = timesteps * C;
  for (let n = 0; n < lengths.length; n++)
    flat.set(channels.subarray(n * size, n * size + lengths[n] * C), (n + 1) * size - lengths[n] * C);
  return flat;
}

/** The row at `from` of `x` times the weights (D), plus the intercept behind them. */
function logit(x: Float32Array | Float64Array, from: number, weights: Float64Array): number {
  const D = weights.length - 1;
  let sum = weights[D];
  for (let d = 0; d < D; d++) sum += x[from + d] * weights[d];
  return sum;
}

/** Gradient (D+1) of the objective, and its Newton step (D+1). */
function newtonStep(
  x: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  weights: Float64Array,
  l2: number,
): { gradient: Float64Array; direction: Float64Array } {
  const { gradient, hessian, stride } = derivatives(x, labels, weights, l2);
  factorise(hessian, stride, gradient.length, holdAboveZero);
  return { gradient, direction: solveFactorised(hessian, stride, gradient) };
}

/** Of a column that the ones before it span rounding may leave 0 or less; the second bound keeps steps finite. */
function holdAboveZero(left: number, own: number): number {
  return Math.max(left, Math.max(own * 1e-14, 1e-30));
}

/** Gradient (D+1) and Hessian, its lower triangle in rows of `stride` ≥ D + 1 numbers, of the objective. */
function derivatives(
  x: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  weights: Float64Array,
  l2: number,
): { gradient: Float64Array; hessian: Float64Array; stride: number } {
  const N = labels.length;
  const D = weights.length - 1;
  const stride = Math.ceil(weights.length / 4) * 4;
  const gradient = weights.map((weight, d) => (d < D ? l2 * weight : 0));
  const hessian = new Float64Array(stride * stride);
  const block = new Float64Array(stride * BLOCK_ROWS); // (stride,rows) the columns of √(p(1 − p)) · [x, 1], then zeros
  for (let start = 0; start < N; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, N - start);
    if (rows < BLOCK_ROWS) block.fill(0);
    for (let r = 0; r < rows; r++) {
      const from = (start + r) * D;
      const p = sigmoid(logit(x, from, weights));
      const excess = p - labels[start + r];
      const root = Math.sqrt(p * (1 - p));
      for (let d = 0; d < D; d++) {
        gradient[d] += excess * x[from + d];
        block[d * BLOCK_ROWS + r] = root * x[from + d];
      }
      gradient[D] += excess;
      block[D * BLOCK_ROWS + r] = root;
    }
    addProducts(block, stride, hessian);
  }
  for (let d = 0; d < D; d++) hessian[d * stride + d] += l2;
  return { gradient, hessian, stride };
}
