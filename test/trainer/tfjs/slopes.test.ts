// The gradients of fused layers are slopes: central differences of the layers' float64 definition, at sampled inputs and weights.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Cell } from "../../../shared/networks/layers.ts";
import { runLayer } from "../../../shared/networks/layers-definition.ts";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { generator } from "../../fixtures/sequences.ts";

const [B, T, C, U] = [5, 6, 3, 7];
/** In float64: truncation h²/6 · third derivative and rounding are below 1e-8. */
const H = 1e-5;
/** float32 sums, relative to the largest gradient of the tensor or 1. */
const TOLERANCE = 5e-6;
const SAMPLES = 12;

beforeAll(() => tf.setBackend("cpu"));

test.each(["lstm", "gru"] as const)("of every step of a %s, for inputs and all weights", (cell) => {
  const random = generator(21);
  const G = cell === "gru" ? 3 : 4;
  const draw = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * random() - 1);
  const parts = { x: draw(B * T * C), kernel: draw(C * G * U), recurrent: draw(U * G * U), bias: draw(G * U) };
  const factors = draw(B * T * U);

  const { fusedLstm, fusedGru } = openNodeLayers(1);
  const config = { units: U, returnSequences: true, recurrentActivation: "sigmoid" } as const;
  const layer = cell === "gru" ? fusedGru(config) : fusedLstm(config);
  const x = tf.tensor3d(parts.x, [B, T, C]);
  layer.apply(x);
  layer.setWeights([tf.tensor2d(parts.kernel, [C, G * U]), tf.tensor2d(parts.recurrent, [U, G * U]), tf.tensor1d(parts.bias)]);
  const total = (given: tf.Tensor): tf.Scalar => (layer.apply(given) as tf.Tensor).mul(tf.tensor3d(factors, [B, T, U])).sum();
  const ofWeights = Object.values(tf.variableGrads(() => total(x)).grads).map((gradient) => gradient.dataSync() as Float32Array);
  const gradients = { x: tf.grad(total)(x).dataSync() as Float32Array, kernel: ofWeights[0], recurrent: ofWeights[1], bias: ofWeights[2] };

  const exact = Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, Float64Array.from(values)]));
  const project = (): number => {
    const { kernel, recurrent, bias } = exact;
    const definition = {
      kind: "recurrent",
      returns: "sequence",
      cell: { cell, units: U, kernel, recurrent, bias } as unknown as Cell,
    } as const;
    let sum = 0;
    for (let b = 0; b < B; b++)
      runLayer(
        definition,
        Array.from({ length: T }, (_, t) => exact.x.slice((b * T + t) * C, (b * T + t + 1) * C)),
      ).forEach((row, t) => {
        row.forEach((h, u) => {
          sum += h * factors[(b * T + t) * U + u];
        });
      });
    return sum;
  };
  for (const name of ["x", "kernel", "recurrent", "bias"] as const) {
    const largest = gradients[name].reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const n = Math.floor(exact[name].length * random());
      const kept = exact[name][n];
      exact[name][n] = kept + H;
      const above = project();
      exact[name][n] = kept - H;
      const below = project();
      exact[name][n] = kept;
      expect(Math.abs(gradients[name][n] - (above - below) / (2 * H)), `${name}[${n}]`).toBeLessThan(TOLERANCE * largest);
    }
  }
});
