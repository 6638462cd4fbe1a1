// One logit of several: a weighted sum of members' logits whose weights are fitted on predictions that no member was fitted on
// (stacking: Wolpert 1992; weights ≥ 0: Breiman 1996). Knows no learner. Legend: N sequences, M members.
import { MEMBER_CLIP, type Stack, stackLogit } from "../../shared/members.ts";
import { factorise, solveFactorised } from "./linear-algebra.ts";
import { logLossOfLogit } from "./log-loss.ts";
import { minimise } from "./newton.ts";

/** The pull of each weight toward 1/M, and of the intercept toward 0, in sequences: the mean loss plus half of this over N times the square. */
const WEIGHT_RIDGE = 2;
const INTERCEPT_RIDGE = 1;
/** Newton steps of a fit: fewer than ten are usual. */
const NEWTON = { maxSteps: 50, lastStep: 1e-13, takeLastStep: true };
/** A slope of the loss this much below 0 lets a weight in. */
const SLOPE = 1e-10;

/**
 * Fits a stack of `logits`, M arrays (N) of predictions on sequences that the members were not fitted on, to `labels` (N, 0 to 1): the
 * mean log loss plus a ridge of 2/N toward equal weights 1/M, 1/N on the intercept, with no weight below 0. The minimum is unique; it
 * is found as Lawson & Hanson (1974) find that of least squares: weights enter one by one, and leave where they would fall below 0.
 */
export function fitStack(logits: readonly Float64Array[], labels: ArrayLike<number>): Stack {
  const M = logits.length;
  const clipped = logits.map((z) => z.map(clip));
  const all = clipped.map((_, m) => m);
  let current = fitFree(clipped, labels, [], new Float64Array(M + 1));
  const free: number[] = [];
  for (let round = 0; round < 3 * M; round++) {
    const { gradient } = derivatives(clipped, labels, current, all);
    const entering = all.filter((m) => !free.includes(m) && gradient[m] < -SLOPE).sort((a, b) => gradient[a] - gradient[b])[0];
    if (entering === undefined) break;
    free.push(entering);
    current = fitFeasible(clipped, labels, free, current);
  }
  return { weights: Array.from(current.subarray(0, M)), intercept: current[M] };
}

/** (N) the stack's logits of M members' `logits` (N), as shared/members.ts defines them. */
export function stackLogits(stack: Stack, logits: readonly ArrayLike<number>[]): Float64Array {
  const own = new Float64Array(logits.length);
  return Float64Array.from({ length: logits[0]?.length ?? 0 }, (_, n) => {
    for (let m = 0; m < own.length; m++) own[m] = logits[m][n];
    return stackLogit(stack, own, 0);
  });
}

function clip(z: number): number {
  return Math.max(-MEMBER_CLIP, Math.min(MEMBER_CLIP, z));
}

/** The minimum over the weights `free` and the intercept, from `start`, none below 0: `free` loses those that would be. */
function fitFeasible(logits: readonly Float64Array[], labels: ArrayLike<number>, free: number[], start: Float64Array): Float64Array {
  let from = start;
  for (;;) {
    const to = fitFree(logits, labels, free, from);
    const falling = free.filter((m) => to[m] < 0);
    if (falling.length === 0) return to;
    const length = Math.min(...falling.map((m) => from[m] / (from[m] - to[m])));
    from = from.map((weight, m) => weight + length * (to[m] - weight));
    for (const m of falling) if (from[m] <= 1e-12) free.splice(free.indexOf(m), 1);
    from = from.map((weight, m) => (m < logits.length && !free.includes(m) ? 0 : weight));
  }
}

/** The minimum over the weights `free`, of any sign, and the intercept, which stands last; the other weights are 0. */
function fitFree(logits: readonly Float64Array[], labels: ArrayLike<number>, free: readonly number[], start: Float64Array): Float64Array {
  const moving = [...free, logits.length];
  return minimise(
    {
      loss: (at) => lossOf(logits, labels, at),
      derivatives(at) {
        const { gradient, hessian } = derivatives(logits, labels, at, free);
        const D = moving.length;
        factorise(hessian, D, D, (left) => Math.max(left, 1e-30));
        const step = solveFactorised(
          hessian,
          D,
          Float64Array.from(moving, (m) => gradient[m]),
        );
        const direction = new Float64Array(at.length);
        moving.forEach((m, i) => {
          direction[m] = step[i];
        });
        return { gradient, direction };
      },
    },
    start,
    NEWTON,
  ).parameters;
}

function lossOf(logits: readonly Float64Array[], labels: ArrayLike<number>, at: Float64Array): number {
  const [N, M] = [labels.length, logits.length];
  let sum = (INTERCEPT_RIDGE / 2) * at[M] ** 2;
  for (let m = 0; m < M; m++) sum += (WEIGHT_RIDGE / 2) * (at[m] - 1 / M) ** 2;
  for (let n = 0; n < N; n++) sum += logLossOfLogit(labels[n], logitAt(logits, at, n));
  return sum / N;
}

/** Gradient (M+1) in all weights and the intercept, and the Hessian in `free` and the intercept, its lower triangle. */
function derivatives(
  logits: readonly Float64Array[],
  labels: ArrayLike<number>,
  at: Float64Array,
  free: readonly number[],
): { gradient: Float64Array; hessian: Float64Array } {
  const [N, M] = [labels.length, logits.length];
  const D = free.length + 1;
  const gradient = at.map((weight, m) => (m < M ? WEIGHT_RIDGE * (weight - 1 / M) : INTERCEPT_RIDGE * weight));
  const hessian = new Float64Array(D * D);
  const z = new Float64Array(D).fill(1);
  for (let n = 0; n < N; n++) {
    const p = 1 / (1 + Math.exp(-logitAt(logits, at, n)));
    const excess = p - labels[n];
    for (let m = 0; m < M; m++) gradient[m] += excess * logits[m][n];
    gradient[M] += excess;
    for (let i = 0; i < free.length; i++) z[i] = logits[free[i]][n];
    for (let i = 0; i < D; i++) for (let j = 0; j <= i; j++) hessian[i * D + j] += p * (1 - p) * z[i] * z[j];
  }
  for (let i = 0; i < D; i++) hessian[i * D + i] += i < free.length ? WEIGHT_RIDGE : INTERCEPT_RIDGE;
  return { gradient: gradient.map((slope) => slope / N), hessian: hessian.map((curvature) => curvature / N) };
}

function logitAt(logits: readonly Float64Array[], at: Float64Array, n: number): number {
  let sum = at[logits.length];
  for (let m = 0; m < logits.length; m++) sum += at[m] * logits[m][n];
  return sum;
}
