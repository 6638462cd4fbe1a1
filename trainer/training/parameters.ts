// The network before training: Keras' initial weights, from one seed. Knows nothing of how it is trained.

import type { Network } from "../../shared/networks/lstm.ts";
import { logitOf } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";

/**
 * LSTM(units) → Dense(1) as Keras initialises it: Glorot uniform kernels, orthogonal recurrent kernel, forget bias 1 (Jozefowicz
 * et al. 2015). The head's bias starts at ln(p/(1−p)), so that no epoch is spent on learning the base rate `positiveRate`.
 */
export function initialNetwork(channels: number, units: number, positiveRate: number, random: Random): Network {
  const bias = new Float32Array(4 * units).fill(1, units, 2 * units);
  return {
    channels,
    units,
    kernel: glorotUniform(channels, 4 * units, random),
    recurrent: orthogonal(units, 4 * units, random),
    bias,
    headKernel: glorotUniform(units, 1, random),
    headBias: Float32Array.of(logitOf(positiveRate)),
  };
}

/** Glorot & Bengio 2010: uniform in ±sqrt(6 / (in + out)). */
function glorotUniform(inputs: number, outputs: number, random: Random): Float32Array {
  const bound = Math.sqrt(6 / (inputs + outputs));
  return Float32Array.from({ length: inputs * outputs }, () => bound * (2 * random.uniform() - 1));
}

/** `rows` orthonormal rows of length `columns` ≥ rows: normal numbers, Gram–Schmidt twice for float64 orthogonality. */
function orthogonal(rows: number, columns: number, random: Random): Float32Array {
  const matrix = Array.from({ length: rows }, () => Float64Array.from({ length: columns }, () => random.normal()));
  for (let i = 0; i < rows; i++) {
    for (let pass = 0; pass < 2; pass++) for (let j = 0; j < i; j++) addScaled(matrix[i], matrix[j], -dot(matrix[i], matrix[j]));
    const norm = Math.sqrt(dot(matrix[i], matrix[i]));
    for (let k = 0; k < columns; k++) matrix[i][k] /= norm;
  }
  return Float32Array.from(matrix.flatMap((row) => Array.from(row)));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function addScaled(a: Float64Array, b: Float64Array, scale: number): void {
  for (let k = 0; k < a.length; k++) a[k] += scale * b[k];
}

/** The sizes of (kernel, recurrent, bias, headKernel, headBias), the order in which parameters lie in one flat buffer. */
export function parameterSizes(channels: number, units: number): [number, number, number, number, number] {
  return [channels * 4 * units, units * 4 * units, 4 * units, units, 1];
}

export function flattenNetwork(network: Network): Float32Array {
  const parts = [network.kernel, network.recurrent, network.bias, network.headKernel, network.headBias];
  const flat = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    flat.set(part, at);
    at += part.length;
  }
  return flat;
}

export function unflattenNetwork(channels: number, units: number, flat: Float32Array): Network {
  let at = 0;
  const [kernel, recurrent, bias, headKernel, headBias] = parameterSizes(channels, units).map((size) => flat.slice(at, (at += size)));
  return { channels, units, kernel, recurrent, bias, headKernel, headBias };
}
