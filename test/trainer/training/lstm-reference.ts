// The slow, obvious definition of LSTM training in float64, in the style of shared/networks/lstm.ts: states and losses of ragged
// batches, and their gradients by backpropagation through time, which the test of this file compares with finite differences.
// Legend: B sequences, T steps, C channels, U units, G = 4U gates in order i,f,c,o.
import { type Network, sigmoid } from "../../../shared/networks/lstm.ts";

export interface Sequences {
  /** (B,T,C) left-aligned */
  readonly x: Float32Array;
  /** (B) valid rows */
  readonly lengths: Int32Array;
  readonly timesteps: number;
}

/** float64 weights, so that a finite difference can move them by less than float32 resolves. */
export type Weights = { channels: number; units: number } & Record<
  "kernel" | "recurrent" | "bias" | "headKernel" | "headBias",
  Float64Array
>;

export function toWeights(network: Network): Weights {
  const { channels, units, kernel, recurrent, bias, headKernel, headBias } = network;
  const [k, r, b, hk, hb] = [kernel, recurrent, bias, headKernel, headBias].map((part) => Float64Array.from(part));
  return { channels, units, kernel: k, recurrent: r, bias: b, headKernel: hk, headBias: hb };
}

/** What one step of one sequence computed, and the state it came from. */
interface Step {
  readonly before: { h: Float64Array; c: Float64Array };
  readonly gates: { i: number; f: number; g: number; o: number; c: number; tanhC: number }[];
}

/** The last state (U) of sequence b, and every step on the way. */
function run(weights: Weights, { x, lengths, timesteps }: Sequences, b: number): { h: Float64Array; steps: Step[] } {
  const { channels: C, units: U, kernel, recurrent, bias } = weights;
  let h = new Float64Array(U);
  let c = new Float64Array(U);
  const steps: Step[] = [];
  for (let t = 0; t < lengths[b]; t++) {
    const z = bias.slice(); // (4U)
    for (let j = 0; j < C; j++) for (let g = 0; g < 4 * U; g++) z[g] += x[(b * timesteps + t) * C + j] * kernel[j * 4 * U + g];
    if (t > 0) for (let j = 0; j < U; j++) for (let g = 0; g < 4 * U; g++) z[g] += h[j] * recurrent[j * 4 * U + g];
    const gates = Array.from({ length: U }, (_, u) => {
      const [i, f, g, o] = [sigmoid(z[u]), sigmoid(z[U + u]), Math.tanh(z[2 * U + u]), sigmoid(z[3 * U + u])];
      const cell = f * c[u] + i * g;
      return { i, f, g, o, c: cell, tanhC: Math.tanh(cell) };
    });
    steps.push({ before: { h, c }, gates });
    h = Float64Array.from(gates, ({ o, tanhC }) => o * tanhC);
    c = Float64Array.from(gates, (gate) => gate.c);
  }
  return { h, steps };
}

/** (B,U) */
export function lastStates(weights: Weights, sequences: Sequences): Float64Array {
  const U = weights.units;
  const states = new Float64Array(sequences.lengths.length * U);
  for (let b = 0; b < sequences.lengths.length; b++) states.set(run(weights, sequences, b).h, b * U);
  return states;
}

export function logit(weights: Weights, sequences: Sequences, b: number): number {
  return run(weights, sequences, b).h.reduce((sum, h, u) => sum + h * weights.headKernel[u], weights.headBias[0]);
}

/** Mean binary cross-entropy. */
export function meanLoss(weights: Weights, sequences: Sequences, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let b = 0; b < labels.length; b++) {
    const z = logit(weights, sequences, b);
    sum += Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - labels[b] * z;
  }
  return sum / labels.length;
}

export type Gradients = Record<"kernel" | "recurrent" | "bias" | "headKernel" | "headBias" | "x", Float64Array>;

function zeros(weights: Weights, sequences: Sequences): Gradients {
  const like = (part: ArrayLike<number>): Float64Array => new Float64Array(part.length);
  const { kernel, recurrent, bias, headKernel, headBias } = weights;
  return {
    kernel: like(kernel),
    recurrent: like(recurrent),
    bias: like(bias),
    headKernel: like(headKernel),
    headBias: like(headBias),
    x: like(sequences.x),
  };
}

/** Gradients of Σ dStates · lastStates, dStates (B,U). The head's are zero. */
export function statesGradients(weights: Weights, sequences: Sequences, dStates: ArrayLike<number>): Gradients {
  const gradients = zeros(weights, sequences);
  const U = weights.units;
  for (let b = 0; b < sequences.lengths.length; b++) {
    const { steps } = run(weights, sequences, b);
    backward(
      weights,
      sequences,
      b,
      steps,
      Float64Array.from({ length: U }, (_, u) => dStates[b * U + u]),
      gradients,
    );
  }
  return gradients;
}

/** Gradients of meanLoss. */
export function lossGradients(weights: Weights, sequences: Sequences, labels: ArrayLike<number>): Gradients {
  const gradients = zeros(weights, sequences);
  const B = labels.length;
  for (let b = 0; b < B; b++) {
    const { h, steps } = run(weights, sequences, b);
    const z = h.reduce((sum, value, u) => sum + value * weights.headKernel[u], weights.headBias[0]);
    const dz = (sigmoid(z) - labels[b]) / B;
    gradients.headBias[0] += dz;
    h.forEach((value, u) => {
      gradients.headKernel[u] += dz * value;
    });
    backward(
      weights,
      sequences,
      b,
      steps,
      weights.headKernel.map((w) => dz * w),
      gradients,
    );
  }
  return gradients;
}

/** Adds the gradients that `dh` (U) on the last state of sequence b brings. */
function backward(weights: Weights, { x, timesteps }: Sequences, b: number, steps: Step[], dh: Float64Array, gradients: Gradients): void {
  const { channels: C, units: U, kernel, recurrent } = weights;
  let dc = new Float64Array(U);
  for (let t = steps.length - 1; t >= 0; t--) {
    const { before, gates } = steps[t];
    const dz = new Float64Array(4 * U);
    const dcBefore = new Float64Array(U);
    gates.forEach(({ i, f, g, o, tanhC }, u) => {
      const dCell = dc[u] + dh[u] * o * (1 - tanhC * tanhC);
      dz[u] = dCell * g * i * (1 - i);
      dz[U + u] = dCell * before.c[u] * f * (1 - f);
      dz[2 * U + u] = dCell * i * (1 - g * g);
      dz[3 * U + u] = dh[u] * tanhC * o * (1 - o);
      dcBefore[u] = dCell * f;
    });
    const dhBefore = new Float64Array(U);
    for (let g = 0; g < 4 * U; g++) {
      gradients.bias[g] += dz[g];
      for (let j = 0; j < C; j++) {
        gradients.kernel[j * 4 * U + g] += x[(b * timesteps + t) * C + j] * dz[g];
        gradients.x[(b * timesteps + t) * C + j] += kernel[j * 4 * U + g] * dz[g];
      }
      for (let j = 0; j < U; j++) {
        gradients.recurrent[j * 4 * U + g] += before.h[j] * dz[g];
        dhBefore[j] += recurrent[j * 4 * U + g] * dz[g];
      }
    }
    dh = dhBefore;
    dc = dcBefore;
  }
}
