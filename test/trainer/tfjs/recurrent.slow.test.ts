// The sizes that float64 needs minutes for: the kernel against central differences at sampled coordinates.
import { expect, test } from "vitest";
import { openKernelLstm } from "../../fixtures/kernel-lstm.ts";
import { drawNetwork, drawSequences, drawValues, generator } from "../../fixtures/sequences.ts";
import { lastStates, toWeights } from "../training/lstm-reference.ts";

const T = 10;
const C = 5;
const SAMPLES = 6;
/** In float64: truncation h²/6 · third derivative, rounding 1e-13/h for a sum of 1e5 terms; together below 1e-8. */
const H = 1e-5;
/** float32 sums of up to 10,000 terms, relative to the largest gradient of the tensor, or to 1 where that is less. */
const TOLERANCE = 2e-6;

const sizes = [1, 7, 32, 100].flatMap((U) => [1, 3, 64, 1000].map((B) => [U, B] as const));

test.each(sizes)("gradients of %i units, %i ragged sequences are slopes", (U, B) => {
  const random = generator(100 * U + B);
  const network = drawNetwork(C, U, 0.7, random);
  const sequences = { ...drawSequences(B, T, C, random) };
  const dStates = drawValues(B * U, random);
  const lstm = openKernelLstm({ channels: C, timesteps: T, units: U, threads: 2 });
  lstm.forward(sequences.x, sequences.lengths, network);
  const gradients = lstm.backward(dStates);
  lstm.dispose();

  const weights = toWeights(network);
  const inputs = { ...sequences, x: Float64Array.from(sequences.x) as unknown as Float32Array };
  const project = (): number => lastStates(weights, inputs).reduce((sum, h, n) => sum + h * dStates[n], 0);
  for (const name of ["kernel", "recurrent", "bias", "x"] as const) {
    const values = name === "x" ? inputs.x : weights[name];
    const gradient = gradients[name]!;
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (let sample = 0; sample < SAMPLES; sample++) {
      const n = Math.floor(gradient.length * random());
      const kept = values[n];
      values[n] = kept + H;
      const above = project();
      values[n] = kept - H;
      const below = project();
      values[n] = kept;
      expect(Math.abs(gradient[n] - (above - below) / (2 * H)), `${name}[${n}]`).toBeLessThan(TOLERANCE * Math.max(largest, 1));
    }
  }
});
