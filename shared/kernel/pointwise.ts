// What is done to each number, or each row, by itself. Four lanes are four numbers of one sequence or one number of four sequences: it
// makes no difference here, and where a row is looked at as a whole, one sequence takes the way of eight with three idle lanes.
// Accuracy: sigmoid and tanh as ./activations says; e^x has a relative error of 1.8e-7 and that of x·log2 e, rounded; softplus is
// float64 rounded; gelu by erf errs by at most 7.5e-8·|x| before it is rounded.
import { exp2, hardSigmoid, inverseSigmoid, multiplyAdd, one, sigmoidScaled, tanhOver, tanhScaled } from "./activations";

// As shared/layers/pack-layers.ts numbers them.
const LINEAR: i32 = 0;
const RELU: i32 = 1;
const LEAKY_RELU: i32 = 2;
const ELU: i32 = 3;
const SELU: i32 = 4;
const SILU: i32 = 5;
const GELU_TANH: i32 = 6;
const GELU_ERF: i32 = 7;
const TANH: i32 = 8;
const SIGMOID: i32 = 9;
const HARD_SIGMOID: i32 = 10;
const SOFTPLUS: i32 = 11;
const SOFTSIGN: i32 = 12;

/** Replaces `count` vectors from `at` on by the function `kind` of them; `parameter` is its alpha or slope. */
export function activate(kind: i32, parameter: f32, at: usize, count: usize): void {
  if (kind == LINEAR) return;
  const p = f32x4.splat(parameter);
  for (const end = at + (count << 4); at < end; at += 16) v128.store(at, activateVector(kind, p, v128.load(at)));
}

function activateVector(kind: i32, p: v128, x: v128): v128 {
  const zero = f32x4.splat(0);
  switch (kind) {
    case RELU:
      return f32x4.pmax(x, zero); // NaN stays NaN
    case LEAKY_RELU:
      return v128.bitselect(f32x4.mul(p, x), x, f32x4.lt(x, zero));
    case ELU:
      return v128.bitselect(f32x4.mul(p, expMinusOne(x)), x, f32x4.lt(x, zero));
    case SELU: // Klambauer et al. 2017
      return f32x4.mul(
        f32x4.splat(1.0507009873554805),
        v128.bitselect(f32x4.mul(f32x4.splat(1.6732632423543772), expMinusOne(x)), x, f32x4.lt(x, zero)),
      );
    case SILU:
      return f32x4.div(x, inverseSigmoid(sigmoidScaled(x)));
    case GELU_TANH: {
      const cube = f32x4.mul(f32x4.mul(f32x4.mul(x, x), x), f32x4.splat(0.044715));
      const inner = f32x4.mul(f32x4.splat(0.7978845608028654), f32x4.add(x, cube)); // √(2/π)
      return f32x4.mul(f32x4.mul(f32x4.splat(0.5), x), f32x4.add(one(), tanhOver(tanhScaled(inner), one())));
    }
    case GELU_ERF:
    case SOFTPLUS:
      return eachLane(kind, x);
    case TANH:
      return tanhOver(tanhScaled(x), one());
    case SIGMOID:
      return f32x4.div(one(), inverseSigmoid(sigmoidScaled(x)));
    case HARD_SIGMOID:
      return hardSigmoid(multiplyAdd(f32x4.splat(0.5), x, p));
    case SOFTSIGN:
      return f32x4.div(x, f32x4.add(one(), f32x4.abs(x)));
    default:
      return x;
  }
}

/** e^x − 1 for x below 0. */
// @ts-ignore: decorator
@inline
function expMinusOne(x: v128): v128 {
  return f32x4.sub(exp2(f32x4.mul(x, f32x4.splat(1.4426950408889634))), one());
}

function eachLane(kind: i32, x: v128): v128 {
  let y = x;
  y = f32x4.replace_lane(y, 0, alone(kind, f32x4.extract_lane(x, 0)));
  y = f32x4.replace_lane(y, 1, alone(kind, f32x4.extract_lane(x, 1)));
  y = f32x4.replace_lane(y, 2, alone(kind, f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(y, 3, alone(kind, f32x4.extract_lane(x, 3)));
}

function alone(kind: i32, x: f64): f32 {
  return f32(kind == GELU_ERF ? gelu(x) : max(x, 0) + NativeMath.log(1 + NativeMath.exp(-abs(x))));
}

/** x·Φ(x), with erfc of Abramowitz & Stegun 7.1.26: |error| ≤ 1.5e-7. */
function gelu(x: f64): f64 {
  const z = abs(x) * 0.7071067811865476;
  const t = 1 / (1 + 0.3275911 * z);
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * polynomial * NativeMath.exp(-z * z);
  return x < 0 ? x * tail : x * (1 - tail);
}

/** Merges `count` vectors at `others` into those at `at`: the sum, the product or the mean of the two. */
export function mergeRows(kind: i32, at: usize, others: usize, count: usize): void {
  for (const end = at + (count << 4); at < end; at += 16) {
    const a = v128.load(at);
    const b = v128.load(others);
    if (kind == 0) v128.store(at, f32x4.add(a, b));
    else if (kind == 1) v128.store(at, f32x4.mul(a, b));
    else v128.store(at, f32x4.mul(f32x4.add(a, b), f32x4.splat(0.5)));
    others += 16;
  }
}

/** A number of one sequence, or of four. */
// @ts-ignore: decorator
@inline
function loadLanes(lanes: usize, at: usize): v128 {
  return lanes == 1 ? v128.load32_splat(at) : v128.load(at);
}

// @ts-ignore: decorator
@inline
function storeLanes(lanes: usize, at: usize, x: v128): void {
  if (lanes == 1) store<f32>(at, f32x4.extract_lane(x, 0));
  else v128.store(at, x);
}

/** x · scale + shift over `rows` rows of width W, `scale` and `shift` (W). */
export function scaleRows(lanes: usize, rows: usize, W: usize, scale: usize, shift: usize, at: usize, stride: usize): void {
  for (; rows; rows--) {
    for (let w: usize = 0; w < W; w++)
      for (let half: usize = 0; half < lanes << 2; half += 16) {
        const to = at + ((w * lanes) << 2) + half;
        const scaled = f32x4.mul(loadLanes(lanes, to), v128.load32_splat(scale + (w << 2)));
        storeLanes(lanes, to, f32x4.add(scaled, v128.load32_splat(shift + (w << 2))));
      }
    at += stride;
  }
}

/** Of each lane's rows, W numbers and a score each, the mean weighted by the softmax of the scores, in whose place the weights are left. */
export function attendRows(lanes: usize, rows: usize, W: usize, lengths: usize, at: usize, stride: usize, target: usize): void {
  const step = lanes << 2;
  for (let half: usize = 0; half < step; half += 16) {
    const length = v128.load(lengths + half);
    const score = at + W * step + half;
    let top = loadLanes(lanes, score);
    for (let r: usize = 1; r < rows; r++) {
      const isRow = i32x4.gt_s(length, i32x4.splat(i32(r)));
      top = v128.bitselect(f32x4.max(top, loadLanes(lanes, score + r * stride)), top, isRow);
    }
    let total = f32x4.splat(0);
    for (let r: usize = 0; r < rows; r++) {
      const to = score + r * stride;
      const weight = exp2(f32x4.mul(f32x4.sub(loadLanes(lanes, to), top), f32x4.splat(1.4426950408889634))); // log2 e
      const held = v128.and(weight, i32x4.gt_s(length, i32x4.splat(i32(r))));
      storeLanes(lanes, to, held);
      total = f32x4.add(total, held);
    }
    for (let x = half; x < W * step + half; x += step) {
      let sum = f32x4.splat(0);
      for (let r: usize = 0; r < rows; r++) {
        const next = multiplyAdd(sum, loadLanes(lanes, at + x + r * stride), loadLanes(lanes, score + r * stride));
        sum = v128.bitselect(next, sum, i32x4.gt_s(length, i32x4.splat(i32(r))));
      }
      storeLanes(lanes, target + x, f32x4.div(sum, total));
    }
  }
}

/** (x − mean) / √(variance + epsilon) · gamma + beta over each of `rows` rows of width W. */
export function normaliseRows(
  lanes: usize,
  rows: usize,
  W: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
  at: usize,
  stride: usize,
): void {
  const step = lanes << 2;
  const count = f32x4.splat(f32(W));
  for (; rows; rows--) {
    for (let half: usize = 0; half < step; half += 16) {
      const from = at + half;
      const end = from + W * step;
      let mean = f32x4.splat(0);
      for (let x = from; x < end; x += step) mean = f32x4.add(mean, loadLanes(lanes, x));
      mean = f32x4.div(mean, count);
      let variance = f32x4.splat(0);
      for (let x = from; x < end; x += step) {
        const d = f32x4.sub(loadLanes(lanes, x), mean);
        variance = multiplyAdd(variance, d, d);
      }
      const scale = f32x4.div(one(), f32x4.sqrt(f32x4.add(f32x4.div(variance, count), f32x4.splat(epsilon))));
      let w: usize = 0;
      for (let x = from; x < end; x += step) {
        const normal = f32x4.mul(f32x4.sub(loadLanes(lanes, x), mean), scale);
        storeLanes(lanes, x, multiplyAdd(v128.load32_splat(beta + w), normal, v128.load32_splat(gamma + w)));
        w += 4;
      }
    }
    at += stride;
  }
}
