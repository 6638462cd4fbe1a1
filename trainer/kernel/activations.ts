// Sigmoid and hyperbolic tangent of four float32 at once.
import { madd } from "./products";

/**
 * tanh as the rational x·P(x²)/Q(x²) of degree 13/6 fitted for float32 in Eigen (generic_fast_tanh_float), |x| ≤ 7.905 where
 * float32 tanh reaches 1. Loaded from memory, since the engine would otherwise build each constant anew at every use.
 */
// prettier-ignore
const CONSTANTS = memory.data<f32>([
  7.90531110763549805, 7.90531110763549805, 7.90531110763549805, 7.90531110763549805,
  -7.90531110763549805, -7.90531110763549805, -7.90531110763549805, -7.90531110763549805,
  -2.76076847742355e-16, -2.76076847742355e-16, -2.76076847742355e-16, -2.76076847742355e-16,
  2.00018790482477e-13, 2.00018790482477e-13, 2.00018790482477e-13, 2.00018790482477e-13,
  -8.60467152213735e-11, -8.60467152213735e-11, -8.60467152213735e-11, -8.60467152213735e-11,
  5.12229709037114e-8, 5.12229709037114e-8, 5.12229709037114e-8, 5.12229709037114e-8,
  1.48572235717979e-5, 1.48572235717979e-5, 1.48572235717979e-5, 1.48572235717979e-5,
  6.37261928875436e-4, 6.37261928875436e-4, 6.37261928875436e-4, 6.37261928875436e-4,
  4.89352455891786e-3, 4.89352455891786e-3, 4.89352455891786e-3, 4.89352455891786e-3,
  1.19825839466702e-6, 1.19825839466702e-6, 1.19825839466702e-6, 1.19825839466702e-6,
  1.18534705686654e-4, 1.18534705686654e-4, 1.18534705686654e-4, 1.18534705686654e-4,
  2.268434632439e-3, 2.268434632439e-3, 2.268434632439e-3, 2.268434632439e-3,
  4.89352518554385e-3, 4.89352518554385e-3, 4.89352518554385e-3, 4.89352518554385e-3,
  0.5, 0.5, 0.5, 0.5,
], 16);

/** NaN stays NaN: pmin and pmax return their first operand when the comparison fails. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, v128.load(CONSTANTS)), v128.load(CONSTANTS, 16));
  const s = f32x4.mul(x, x);
  let p = madd(s, v128.load(CONSTANTS, 32), v128.load(CONSTANTS, 48));
  p = madd(s, p, v128.load(CONSTANTS, 64));
  p = madd(s, p, v128.load(CONSTANTS, 80));
  p = madd(s, p, v128.load(CONSTANTS, 96));
  p = madd(s, p, v128.load(CONSTANTS, 112));
  p = madd(s, p, v128.load(CONSTANTS, 128));
  let q = madd(s, v128.load(CONSTANTS, 144), v128.load(CONSTANTS, 160));
  q = madd(s, q, v128.load(CONSTANTS, 176));
  q = madd(s, q, v128.load(CONSTANTS, 192));
  return f32x4.div(f32x4.mul(x, p), q);
}

/** ½ + ½ tanh(½x): absolute error that of tanh. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const half = v128.load(CONSTANTS, 208);
  return madd(tanh(f32x4.mul(x, half)), half, half);
}
