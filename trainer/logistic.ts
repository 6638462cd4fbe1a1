// L2-regularised logistic regression by Newton's method: the baseline every network has to beat, and the core of calibration.
// Legend: N examples, D inputs.

export interface Logistic {
  /** (D) */
  readonly weights: Float64Array;
  readonly intercept: number;
  /** Probabilities (N) of `x` (N,D). */
  predict(x: ArrayLike<number>): Float64Array;
}

const MAX_ITERATIONS = 50;
/** Newton's decrement, half of which bounds what is left to gain in the total loss. */
const TOLERANCE = 1e-10;

/**
 * Minimises Σ log loss + l2/2 · ‖weights‖², the intercept unpenalised: scikit-learn's LogisticRegression(C=1/l2). `x` (N,D).
 * Steps are halved until the loss falls, so separable data converge too as long as l2 > 0.
 */
export function fitLogistic(x: ArrayLike<number>, labels: ArrayLike<number>, { l2 }: { readonly l2: number }): Logistic {
  const N = labels.length;
  const D = x.length / N;
  const P = D + 1; // the intercept is the last
  let theta = new Float64Array(P);
  const positives = sum(labels, N);
  if (positives > 0 && positives < N) theta[D] = Math.log(positives / (N - positives));
  let loss = totalLoss(x, labels, theta, l2);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(x, labels, theta, l2);
    const step = solveCholesky(hessian, gradient, P);
    const decrement = dot(step, gradient);
    if (decrement < TOLERANCE) break;
    let scale = 1;
    for (; scale > 1e-6; scale /= 2) {
      const next = theta.map((value, p) => value - scale * step[p]);
      const nextLoss = totalLoss(x, labels, next, l2);
      if (nextLoss <= loss) {
        theta = next;
        loss = nextLoss;
        break;
      }
    }
    if (scale <= 1e-6) break; // rounding: no step lowers the loss any more
  }
  const weights = theta.slice(0, D);
  return { weights, intercept: theta[D], predict: (inputs) => logits(inputs, inputs.length / D, theta).map((z) => 1 / (1 + Math.exp(-z))) };
}

/** (N) x · weights + intercept, `theta` (D+1). */
function logits(x: ArrayLike<number>, N: number, theta: Float64Array): Float64Array {
  const D = theta.length - 1;
  const out = new Float64Array(N);
  for (let n = 0; n < N; n++) {
    let z = theta[D];
    for (let d = 0; d < D; d++) z += x[n * D + d] * theta[d];
    out[n] = z;
  }
  return out;
}

function totalLoss(x: ArrayLike<number>, labels: ArrayLike<number>, theta: Float64Array, l2: number): number {
  const N = labels.length;
  const z = logits(x, N, theta);
  let loss = 0;
  for (let n = 0; n < N; n++) loss += Math.max(z[n], 0) - labels[n] * z[n] + Math.log1p(Math.exp(-Math.abs(z[n])));
  for (let d = 0; d < theta.length - 1; d++) loss += (l2 / 2) * theta[d] * theta[d];
  return loss;
}

/** Rows of X are weighted and multiplied this many at a time, so that a block of them stays in cache. */
const BLOCK = 64;

function derivatives(
  x: ArrayLike<number>,
  labels: ArrayLike<number>,
  theta: Float64Array,
  l2: number,
): { gradient: Float64Array; hessian: Float64Array } {
  const N = labels.length;
  const P = theta.length;
  const D = P - 1;
  const z = logits(x, N, theta);
  const gradient = new Float64Array(P);
  const hessian = new Float64Array(P * P); // lower triangle
  const rows = new Float64Array(P * BLOCK); // (P,BLOCK): one input's values side by side
  const weighted = new Float64Array(BLOCK);
  const curvature = new Float64Array(BLOCK);
  for (let from = 0; from < N; from += BLOCK) {
    const count = Math.min(BLOCK, N - from);
    for (let i = 0; i < count; i++) {
      const n = from + i;
      const p = 1 / (1 + Math.exp(-z[n]));
      curvature[i] = p * (1 - p);
      const residual = p - labels[n];
      for (let d = 0; d < D; d++) {
        const value = x[n * D + d];
        rows[d * BLOCK + i] = value;
        gradient[d] += residual * value;
      }
      rows[D * BLOCK + i] = 1;
      gradient[D] += residual;
    }
    for (let a = 0; a < P; a++) {
      for (let i = 0; i < count; i++) weighted[i] = rows[a * BLOCK + i] * curvature[i];
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < count; i++) product += weighted[i] * rows[b * BLOCK + i];
        hessian[a * P + b] += product;
      }
    }
  }
  for (let d = 0; d < D; d++) {
    gradient[d] += l2 * theta[d];
    hessian[d * P + d] += l2;
  }
  for (let p = 0; p < P; p++) hessian[p * P + p] += 1e-9; // a constant input without penalty has no curvature of its own
  return { gradient, hessian };
}

/** Solves A·x = b for a positive definite A (P,P), of which the lower triangle is read and overwritten. */
function solveCholesky(A: Float64Array, b: Float64Array, P: number): Float64Array {
  for (let j = 0; j < P; j++) {
    for (let k = 0; k < j; k++) {
      const factor = A[j * P + k];
      for (let i = j; i < P; i++) A[i * P + j] -= factor * A[i * P + k];
    }
    const pivot = Math.sqrt(Math.max(A[j * P + j], 1e-300));
    for (let i = j; i < P; i++) A[i * P + j] /= pivot;
  }
  const x = b.slice();
  for (let i = 0; i < P; i++) {
    for (let k = 0; k < i; k++) x[i] -= A[i * P + k] * x[k];
    x[i] /= A[i * P + i];
  }
  for (let i = P - 1; i >= 0; i--) {
    for (let k = i + 1; k < P; k++) x[i] -= A[k * P + i] * x[k];
    x[i] /= A[i * P + i];
  }
  return x;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

function sum(values: ArrayLike<number>, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[i];
  return total;
}

/**
 * (N, T·C) from a recipe's channels, right-aligned with zeros in front, so that the last step is always the same columns.
 * `channels` (N,T,C) left-aligned, `lengths` (N).
 */
export function flattenChannels(
  data: { readonly channels: Float32Array; readonly lengths: Int32Array },
  T: number,
  C: number,
): Float64Array {
  const { channels, lengths } = data;
  const out = new Float64Array(lengths.length * T * C);
  for (let n = 0; n < lengths.length; n++) {
    const valid = lengths[n] * C;
    out.set(channels.subarray(n * T * C, n * T * C + valid), (n + 1) * T * C - valid);
  }
  return out;
}
