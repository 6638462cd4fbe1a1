// The executable definition of the network in plain TypeScript: slow, obvious, the oracle the kernels are tested against.
// Everything in float64 with Math.exp and Math.tanh, so it is exact to far below float32 and not bit-equal between hosts.
// Legend: T steps, C channels, U units, G = 4U gates in order i,f,c,o.

/** Weights of LSTM → Dense(1), in tfjs' and Keras' layout. */
export interface Network {
  /** C */
  readonly channels: number;
  /** U */
  readonly units: number;
  /** (C,4U) */
  readonly kernel: Float32Array;
  /** (U,4U) */
  readonly recurrent: Float32Array;
  /** (4U) */
  readonly bias: Float32Array;
  /** (U) */
  readonly headKernel: Float32Array;
  /** (1) */
  readonly headBias: Float32Array;
  /** Given: gates are hard sigmoids, min(max(hardGates · x + ½, 0), 1). Keras 1 and 2 have 0.2 there, Keras 3 has 1/6. */
  readonly hardGates?: number;
  /** Given: steps are read from the last to the first (Keras' go_backwards, ONNX' reverse). */
  readonly backwards?: true;
  /** Given: the kernel multiplies outputs and recurrent weights in whole numbers of 16 bits (shared/kernel/int16.ts). What the network is stays in float32. */
  readonly precision?: "int16";
  /** Given: the state before the first step, (U) each; else zeros. */
  readonly initial?: { readonly hidden: Float32Array; readonly cell: Float32Array };
}

/** The calibrated logit is slope · logit + intercept. */
export interface Calibration {
  readonly slope: number;
  readonly intercept: number;
}

/** 1 / (1 + e^−x), by Math.exp: not bit-equal between hosts. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * The probability of one sequence: `channels` (T,C) left-aligned, of which the first `length` rows are read.
 * LSTM as in Hochreiter & Schmidhuber with Gers' forget gate; sigmoid gates, tanh candidate and output (Keras' defaults), unless
 * the network says otherwise.
 */
export function lstmProbability(network: Network, calibration: Calibration, channels: ArrayLike<number>, length: number): number {
  const { channels: C, units: U, kernel, recurrent, bias, headKernel, headBias, hardGates, backwards, initial } = network;
  const gate = hardGates === undefined ? sigmoid : (x: number): number => Math.min(Math.max(hardGates * x + 0.5, 0), 1);
  let h = Float64Array.from(initial?.hidden ?? new Float64Array(U));
  const c = Float64Array.from(initial?.cell ?? new Float64Array(U));
  for (let step = 0; step < length; step++) {
    const t = backwards ? length - 1 - step : step;
    const gates = Float64Array.from(bias); // (4U)
    for (let j = 0; j < C; j++) for (let g = 0; g < 4 * U; g++) gates[g] += channels[t * C + j] * kernel[j * 4 * U + g];
    for (let j = 0; j < U; j++) for (let g = 0; g < 4 * U; g++) gates[g] += h[j] * recurrent[j * 4 * U + g];
    const next = new Float64Array(U);
    for (let u = 0; u < U; u++) {
      const i = gate(gates[u]);
      const f = gate(gates[U + u]);
      const candidate = Math.tanh(gates[2 * U + u]);
      const o = gate(gates[3 * U + u]);
      c[u] = f * c[u] + i * candidate;
      next[u] = o * Math.tanh(c[u]);
    }
    h = next;
  }
  let logit = headBias[0];
  for (let u = 0; u < U; u++) logit += h[u] * headKernel[u];
  return sigmoid(calibration.slope * logit + calibration.intercept);
}
