// L2-penalised logistic regression without a Hessian. Made for paths of penalties: a fit can start where another ended.
// Legend: N sequences, W columns.
import { type ColumnTable, createColumnTable } from "./column-kernel.ts";
import { dot, factorise, solveFactorised } from "./linear-algebra.ts";
import { logLossOfLogit } from "./log-loss.ts";

/** Columns of about unit size, as fits on some or all of the sequences share them. */
export interface FitColumns {
  /** W */
  readonly width: number;
  /** (N,W) */
  readonly table: ColumnTable;
  /** (W,W) mean products of columns, the lower triangle: by every so-manieth sequence where there are many. */
  readonly gram: Float64Array;
}

/** (W+1) weights, then the intercept. */
export type Coefficients = Float64Array;

/** Sequences that the products are summed over, at most: they shape the steps of a fit, not its end. */
const MAX_PRODUCTS = 4000;

/** Columns (N,W) that `fill` writes, ready to fit on. */
export function prepareColumns(N: number, width: number, fill: (x: Float32Array) => void): FitColumns {
  const table = createColumnTable(N, width);
  fill(table.x);
  const stride = Math.max(1, Math.ceil(N / MAX_PRODUCTS));
  const gram = table.meanProducts(Int32Array.from({ length: Math.ceil(N / stride) }, (_, i) => i * stride));
  return { width, table, gram };
}

/** Solves (curvature · gram + l2 · I) v = b, with W numbers in b. */
function createSolver({ gram, width: W }: FitColumns, curvature: number, l2: number): (b: Float64Array) => Float64Array {
  const factor = gram.map((product) => curvature * product);
  for (let w = 0; w < W; w++) factor[w * W + w] += l2;
  factorise(factor, W, W, (left) => Math.max(left, l2 * 1e-3));
  return (b) => solveFactorised(factor, W, b);
}

/** Pairs of steps and gradients that shape the next step (Nocedal 1980; Liu & Nocedal 1989). */
const MEMORY = 8;
const MAX_ITERATIONS = 1000;
/** A step must gain this share of what it promises (Armijo 1966). */
const SUFFICIENT = 1e-4;

/**
 * Minimises the mean log loss of the sequences `rows` plus l2/2 · ‖weights‖²; the intercept is free. As scikit-learn's LogisticRegression
 * with C = 1/(N · l2) on the same columns. `start` is where a fit of another strength ended; by default all weights are 0. L-BFGS, whose
 * first metric is the inverse of the Hessian at the base rate: about ten steps from a strength to the next (measured). Ends where a step
 * promises less than `lastStep` of the loss. The rows must hold both labels.
 */
export function fitPenalised(
  columns: FitColumns,
  labels: ArrayLike<number>,
  rows: Int32Array,
  l2: number,
  start?: Coefficients,
  lastStep = 1e-7,
): Coefficients {
  const W = columns.width;
  const rate = rows.reduce((sum, n) => sum + labels[n], 0) / rows.length;
  const curvature = rate * (1 - rate);
  const solve = createSolver(columns, curvature, l2);
  const precondition = (b: Float64Array): Float64Array => {
    const out = new Float64Array(W + 1);
    out.set(solve(b.subarray(0, W)));
    out[W] = b[W] / curvature;
    return out;
  };
  const objective = (at: Coefficients): Point => evaluate(columns, labels, rows, l2, at);
  const pairs: Pair[] = [];
  let point = objective(start ?? startAtRate(W, rate));
  for (let i = 0; i < MAX_ITERATIONS; i++) {
    const direction = directionOf(point.gradient, pairs, precondition);
    const promised = dot(direction, point.gradient);
    if (!(promised > lastStep * point.loss)) break;
    const next = search(objective, point, direction, promised);
    if (next === undefined) break; // rounding is larger than what is left to gain
    remember(pairs, point, next);
    point = next;
  }
  return point.at;
}

/** (rows) their logits; overwritten by the next call, and by fits. */
export function logitsAt({ table }: FitColumns, at: Coefficients, rows: Int32Array): Float64Array {
  return table.logits(rows, at);
}

function startAtRate(W: number, rate: number): Coefficients {
  const at = new Float64Array(W + 1);
  at[W] = Math.log(rate / (1 - rate));
  return at;
}

/** The loss and its gradient (W+1) at some coefficients. */
interface Point {
  readonly at: Coefficients;
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** A step that was taken, and how the gradient changed along it. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

function remember(pairs: Pair[], before: Point, after: Point): void {
  const step = after.at.map((value, w) => value - before.at[w]);
  const change = after.gradient.map((value, w) => value - before.gradient[w]);
  const product = dot(step, change);
  if (!(product > 0)) return;
  pairs.push({ step, change, product });
  if (pairs.length > MEMORY) pairs.shift();
}

/** The inverse Hessian that `pairs` and `precondition` suggest, times `gradient` (Nocedal & Wright 2006, algorithm 7.4). */
function directionOf(gradient: Float64Array, pairs: readonly Pair[], precondition: (b: Float64Array) => Float64Array): Float64Array {
  const q = gradient.slice();
  const shares = pairs.map(() => 0);
  for (let k = pairs.length - 1; k >= 0; k--) {
    shares[k] = dot(pairs[k].step, q) / pairs[k].product;
    addScaled(q, pairs[k].change, -shares[k]);
  }
  const direction = precondition(q);
  pairs.forEach(({ step, change, product }, k) => {
    addScaled(direction, step, shares[k] - dot(change, direction) / product);
  });
  return direction;
}

/** The first point along −`direction`, each step half of the last, that gains enough. Undefined where none does. */
function search(objective: (at: Coefficients) => Point, { at, loss }: Point, direction: Float64Array, promised: number): Point | undefined {
  for (let length = 1; length > 1e-10; length /= 2) {
    const next = objective(at.map((value, w) => value - length * direction[w]));
    if (next.loss <= loss - SUFFICIENT * length * promised) return next;
  }
  return undefined;
}

function evaluate({ table, width: W }: FitColumns, labels: ArrayLike<number>, rows: Int32Array, l2: number, at: Coefficients): Point {
  const numbers = table.logits(rows, at); // from here on the excess of each probability over its label
  let loss = 0;
  let excess = 0;
  for (let i = 0; i < rows.length; i++) {
    const logit = numbers[i];
    const label = labels[rows[i]];
    loss += logLossOfLogit(label, logit);
    numbers[i] = 1 / (1 + Math.exp(-logit)) - label;
    excess += numbers[i];
  }
  const gradient = new Float64Array(W + 1);
  gradient.set(table.sumRows(rows, numbers));
  gradient[W] = excess;
  loss /= rows.length;
  for (let w = 0; w <= W; w++) gradient[w] /= rows.length;
  for (let w = 0; w < W; w++) {
    loss += (l2 / 2) * at[w] * at[w];
    gradient[w] += l2 * at[w];
  }
  return { at, loss, gradient };
}

function addScaled(to: Float64Array, by: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * by[i];
}
