// Weights for int16.ts: its header says what lies where.

/** An output of 1 as a whole number. Smaller networks err less with more, LSTM(100) with less (measured: docs/experiments.md). */
const STATE_SCALE: f64 = 16383;
/** Sums of products stay below 2^31: so large may the weights of a gate be together, in size. */
const MAX_SUM: f64 = 131080; // ⌊(2^31 − 1) / 16383⌋
const MAX_WEIGHT: f64 = 32767;

/**
 * Weights as in packWeights. A gate's recurrent weights are rounded at the largest scale at which none passes 16 bits and no sum of
 * products can pass 32, whatever the outputs are.
 */
export function packInt16(C: usize, U: usize, matrix: usize, weights: usize, gateScale: f64, tanhScale: f64): void {
  const P = (U + 1) >> 1;
  const recurrent = matrix + (((1 + C) * U) << 4);
  for (let first: usize = 0; first < U; first += 4) {
    for (let row: usize = 0; row <= C; row++)
      for (let gate: usize = 0; gate < 4; gate++) {
        const scale = gate == 2 ? tanhScale : gateScale;
        for (let u = first; u < first + 4; u++) {
          store<f32>(weights, u < U ? f32(scale * f64(load<f32>(matrix + (((row * 4 + gate) * U + u) << 2)))) : 0);
          weights += 4;
        }
      }
    for (let gate: usize = 0; gate < 4; gate++)
      for (let u = first; u < first + 4; u++) {
        if (u < U) packGate(P, U, recurrent + ((gate * U + u) << 2), weights, gate == 2 ? tanhScale : gateScale);
        else clearGate(P, weights);
        weights += 4;
      }
    weights += P << 6;
  }
}

/** The factor of one gate of one unit to `at`, its pairs behind it, 64 bytes apart; `recurrent`: (U) weights, 16·U bytes apart. */
function packGate(P: usize, U: usize, recurrent: usize, at: usize, scale: f64): void {
  let sum: f64 = 0;
  let largest: f64 = 0;
  for (let j: usize = 0; j < U; j++) {
    const size = Math.abs(scale * f64(load<f32>(recurrent + ((j * U) << 4))));
    sum += size;
    largest = Math.max(largest, size);
  }
  // Rounding adds at most ½ a weight.
  const steps = largest > 0 ? Math.min(MAX_WEIGHT / largest, (MAX_SUM - 0.5 * f64(U)) / sum) : 0;
  store<f32>(at, steps > 0 ? f32(1 / (steps * STATE_SCALE)) : 0);
  for (let j: usize = 0; j < P << 1; j++) {
    const weight = j < U ? nearest(steps * (scale * f64(load<f32>(recurrent + ((j * U) << 4))))) : 0;
    store<i16>(at + ((1 + (j >> 1)) << 6) + ((j & 1) << 1), i16(weight));
  }
}

function clearGate(P: usize, at: usize): void {
  for (let p: usize = 0; p <= P; p++) store<i32>(at + (p << 6), 0);
}
