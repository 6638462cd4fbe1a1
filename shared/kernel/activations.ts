// Sigmoid and tanh of four float32 at once, from + − × ÷ and compares alone, so that every host computes the same bits.
// Both rest on 2^t: sigmoid(x) = 1 / (1 + 2^t) with t = −x·log2 e, tanh(x) = (2^t − 1) / (2^t + 1) with t = 2x·log2 e. The cell
// takes t as it is, for its weights are packed with that factor, and shares divisions: so here are 1 + 2^t and tanh over d.
// Largest absolute error against float64, over every float32 between 2^−31 and 2^7 in size: sigmoid 1.06e-7, tanh 1.42e-7.
// tanh(0) = 0 exactly; neither leaves [0,1] or [−1,1]. ±Infinity saturates, NaN stays NaN.
// Not taken: a rational tanh of degree 9/8 is no faster, errs by 3.5e-7 in float32 and passes 1.

// Constants, four equal lanes each, at the start of memory: V8 makes a v128 constant of three instructions on the ports that
// arithmetic needs, but loads one for nothing (measured: 10 % of a score). `prepare` writes them, once an instance.
const SIGMOID_SCALE: usize = 0;
const TANH_SCALE: usize = 16;
const UPPER: usize = 32;
const LOWER: usize = 48;
const ROUND: usize = 64;
const C5: usize = 80;
const C4: usize = 96;
const C3: usize = 112;
const C2: usize = 128;
const C1: usize = 144;
const ONE: usize = 160;
const STATE_SCALE: usize = 176;
/** Gates on their way from their sums to the cells that they update: (32,4,4) vector of cells, gate i,f,c,o, lane. */
export const GATES: usize = 192; // a multiple of 64, where cache lines begin
/** More or fewer at a time make no difference (measured, from 16 to 64). */
export const GATES_END: usize = GATES + 32 * 64;

/** Writes the constants of this file to the start of memory, which ends at GATES_END. */
export function writeConstants(): void {
  v128.store(SIGMOID_SCALE, f32x4.splat(-1.4426950408889634)); // −log2 e
  v128.store(TANH_SCALE, f32x4.splat(2.8853900817779268)); // 2·log2 e
  // 2^±126 is the last power both sides of which are normal numbers; sigmoid and tanh are flat far before it.
  v128.store(UPPER, f32x4.splat(126));
  v128.store(LOWER, f32x4.splat(-126));
  v128.store(ROUND, f32x4.splat(12582912)); // 1.5·2^23: float32 numbers around it are the integers
  // 2^f on [−1/2, 1/2] ≈ 1 + f·(C1 + f·(C2 + …)): minimax of the relative error under a constant term of exactly 1, by linear
  // programming over 3001 Chebyshev points, rounded to float32 from C1 up with the rest refitted. Relative error 9.4e-8.
  v128.store(C5, f32x4.splat(0.0013269521));
  v128.store(C4, f32x4.splat(0.009671291));
  v128.store(C3, f32x4.splat(0.05550711));
  v128.store(C2, f32x4.splat(0.24022247));
  v128.store(C1, f32x4.splat(0.693147));
  v128.store(ONE, f32x4.splat(1));
  v128.store(STATE_SCALE, f32x4.splat(16383)); // as in int16-weights.ts
}

/** acc + a·b with two roundings: a fused multiply-add would round once, and only where the host has one. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(acc: v128, a: v128, b: v128): v128 {
  return f32x4.add(acc, f32x4.mul(a, b));
}

/** 2^t, t held within ±126, the constants above being given. Relative error 1.8e-7, apart from the rounding that t itself carries. */
// @ts-ignore: decorator
@inline
function exp2By(t: v128, upper: v128, lower: v128, round: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128): v128 {
  // pmin and pmax in this order are one instruction each and let NaN through.
  const held = f32x4.pmax(f32x4.pmin(t, upper), lower);
  const rounded = f32x4.add(held, round); // its low bits are the nearest integer, n
  const f = f32x4.sub(held, f32x4.sub(rounded, round));
  let p = multiplyAdd(c4, c5, f);
  p = multiplyAdd(c3, p, f);
  p = multiplyAdd(c2, p, f);
  p = multiplyAdd(c1, p, f);
  p = multiplyAdd(one, p, f);
  return i32x4.add(p, i32x4.shl(rounded, 23)); // p·2^n: n is added to the exponent
}

/** 2^t, as exp2By says. */
// @ts-ignore: decorator
@inline
export function exp2(t: v128): v128 {
  return exp2By(
    t,
    v128.load(UPPER),
    v128.load(LOWER),
    v128.load(ROUND),
    v128.load(C5),
    v128.load(C4),
    v128.load(C3),
    v128.load(C2),
    v128.load(C1),
    v128.load(ONE),
  );
}

/**
 * Replaces `count` vectors from `at` on by 2 to their power. In a pass over many their chains overlap, while whoever needs one waits
 * for it; and the constants stay in registers.
 */
export function exponentials(at: usize, count: usize): void {
  const upper = v128.load(UPPER);
  const lower = v128.load(LOWER);
  const round = v128.load(ROUND);
  const c5 = v128.load(C5);
  const c4 = v128.load(C4);
  const c3 = v128.load(C3);
  const c2 = v128.load(C2);
  const c1 = v128.load(C1);
  const one = v128.load(ONE);
  for (const end = at + (count << 4); at < end; at += 16)
    v128.store(at, exp2By(v128.load(at), upper, lower, round, c5, c4, c3, c2, c1, one));
}

/** 1 / sigmoid(x), for t = −x·log2 e. */
// @ts-ignore: decorator
@inline
export function inverseSigmoid(t: v128): v128 {
  return f32x4.add(exp2(t), v128.load(ONE));
}

/** tanh(x) / d, for t = 2x·log2 e and d ≥ 1. Where the product overflows the quotient is 0, which it nearly is. */
// @ts-ignore: decorator
@inline
export function tanhOver(t: v128, d: v128): v128 {
  const e = exp2(t);
  return f32x4.div(f32x4.sub(e, v128.load(ONE)), f32x4.mul(f32x4.add(e, v128.load(ONE)), d));
}

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return v128.load(ONE);
}

/**
 * Outputs, within ±1, as whole numbers, times STATE_SCALE of int16-weights.ts: in the low 16 bits. `asInteger` takes away what lies
 * above them.
 */
// @ts-ignore: decorator
@inline
export function quantise(outputs: v128): v128 {
  return multiplyAdd(v128.load(ROUND), outputs, v128.load(STATE_SCALE));
}

// @ts-ignore: decorator
@inline
export function asInteger(quantised: v128): v128 {
  return i32x4.sub(quantised, v128.load(ROUND));
}

/** x held within [0,1]; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function hardSigmoid(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, one()), f32x4.splat(0));
}

/** x·2·log2 e, as tanhOver takes it. */
// @ts-ignore: decorator
@inline
export function tanhScaled(x: v128): v128 {
  return f32x4.mul(x, v128.load(TANH_SCALE));
}

/** −x·log2 e, as inverseSigmoid takes it. */
// @ts-ignore: decorator
@inline
export function sigmoidScaled(x: v128): v128 {
  return f32x4.mul(x, v128.load(SIGMOID_SCALE));
}

export function sigmoid(x: f32): f32 {
  const t = f32x4.mul(f32x4.splat(x), v128.load(SIGMOID_SCALE));
  return 1 / f32x4.extract_lane(inverseSigmoid(t), 0);
}

export function tanh(x: f32): f32 {
  return f32x4.extract_lane(tanhOver(tanhScaled(f32x4.splat(x)), v128.load(ONE)), 0);
}
