// How weights begin, as Keras begins them. Knows no network.
import { dot, orthogonalise } from "../statistics/linear-algebra.ts";
import type { Random } from "../statistics/random.ts";

/** Glorot & Bengio 2010: uniform in ±sqrt(6 / (in + out)), for `count` weights, default each input with each output. */
export function glorotUniform(inputs: number, outputs: number, random: Random, count = inputs * outputs): Float32Array {
  const bound = Math.sqrt(6 / (inputs + outputs));
  return Float32Array.from({ length: count }, () => bound * (2 * random.uniform() - 1));
}

/** `rows` orthonormal rows of length `columns` ≥ rows: normal numbers, then Gram–Schmidt. */
export function orthogonal(rows: number, columns: number, random: Random): Float32Array {
  const matrix = Array.from({ length: rows }, () => Float64Array.from({ length: columns }, () => random.normal()));
  for (let i = 0; i < rows; i++) {
    orthogonalise(matrix[i], matrix.slice(0, i));
    const norm = Math.sqrt(dot(matrix[i], matrix[i]));
    for (let k = 0; k < columns; k++) matrix[i][k] /= norm;
  }
  return Float32Array.from(matrix.flatMap((row) => Array.from(row)));
}
