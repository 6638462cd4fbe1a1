// Sigmoid and hyperbolic tangent of four float32 at once.
import { madd } from "./products";

/**
 * tanh as the rational (x + x³·P(x²)) / Q(x²) of degree 9/8 that Eigen fits for float32 (ptanh_float), held at ±8.0177, where it
 * reaches 1. Largest error 2.9e-7 absolute and relative (every 5e-6 on ±10). In memory, four lanes each, because the engine
 * builds a constant anew at every use, of three instructions.
 */
const CONSTANTS = memory.data<f32>([
  8.01773357391357422, 8.01773357391357422, 8.01773357391357422, 8.01773357391357422,
  -8.01773357391357422, -8.01773357391357422, -8.01773357391357422, -8.01773357391357422,
  1.394553628e-8, 1.394553628e-8, 1.394553628e-8, 1.394553628e-8,
  2.102733560e-5, 2.102733560e-5, 2.102733560e-5, 2.102733560e-5,
  3.520756727e-3, 3.520756727e-3, 3.520756727e-3, 3.520756727e-3,
  1.340216100e-1, 1.340216100e-1, 1.340216100e-1, 1.340216100e-1,
  8.015776984e-7, 8.015776984e-7, 8.015776984e-7, 8.015776984e-7,
  3.326951409e-4, 3.326951409e-4, 3.326951409e-4, 3.326951409e-4,
  2.597254514e-2, 2.597254514e-2, 2.597254514e-2, 2.597254514e-2,
  4.673548340e-1, 4.673548340e-1, 4.673548340e-1, 4.673548340e-1,
  1, 1, 1, 1,
  0.5, 0.5, 0.5, 0.5,
], 16);

/** NaN stays NaN: pmin and pmax return their first operand when the comparison fails. */
// @ts-ignore: decorator
@inline
export function tanh(a: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(a, v128.load(CONSTANTS)), v128.load(CONSTANTS, 16));
  const s = f32x4.mul(x, x);
  let p = madd(s, v128.load(CONSTANTS, 32), v128.load(CONSTANTS, 48));
  p = madd(s, p, v128.load(CONSTANTS, 64));
  p = madd(s, p, v128.load(CONSTANTS, 80));
  let q = madd(s, v128.load(CONSTANTS, 96), v128.load(CONSTANTS, 112));
  q = madd(s, q, v128.load(CONSTANTS, 128));
  q = madd(s, q, v128.load(CONSTANTS, 144));
  q = madd(s, q, v128.load(CONSTANTS, 160));
  return f32x4.div(madd(f32x4.mul(s, x), p, x), q);
}

/** ½ + ½ tanh(½x): half its absolute error. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const half = v128.load(CONSTANTS, 176);
  return madd(tanh(f32x4.mul(x, half)), half, half);
}

/** What a gate does: `sigmoid` where G is f32; Keras' hard sigmoid, 0.2x + 0.5 within [0, 1], where G is i32. */
// @ts-ignore: decorator
@inline
export function gate<G>(x: v128): v128 {
  if (isFloat<G>()) return sigmoid(x);
  return f32x4.pmin(f32x4.splat(1), f32x4.pmax(f32x4.splat(0), f32x4.add(f32x4.mul(x, f32x4.splat(0.2)), f32x4.splat(0.5))));
}

/** The slope of a gate that came to `y`. */
// @ts-ignore: decorator
@inline
export function gateSlope<G>(y: v128): v128 {
  const one = f32x4.splat(1);
  if (isFloat<G>()) return f32x4.mul(y, f32x4.sub(one, y));
  return v128.and(f32x4.splat(0.2), v128.and(f32x4.gt(y, f32x4.splat(0)), f32x4.lt(y, one)));
}
