// Recurrent products in whole numbers of 16 bits: what the kernel computes against the rules of shared/kernel/int16.ts in float64, and
// what the rules promise.
import { describe, expect, test } from "vitest";
import { createWasmEngine } from "../../shared/engine.ts";
import { ofNetwork, takesInt16, withPrecision } from "../../shared/members.ts";
import { lstmProbability, type Network, sigmoid } from "../../shared/networks/lstm.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeNetwork, randomOf } from "../fixtures/model.ts";

const CALIBRATION = { slope: 1.25, intercept: -0.5 };
const [T, C, N] = [10, 5, 90];
const STATE_SCALE = 16383;

function makeInputs(seed: number) {
  const random = randomOf(seed);
  const lengths = Int32Array.from({ length: N }, (_, n) => 1 + (n % T));
  return { channels: Float32Array.from({ length: N * T * C }, () => 6 * random() - 3), lengths };
}

/** (U,4U) whole numbers, and what one of each gate is worth. */
function roundWeights({ units: U, recurrent }: Network) {
  const rounded = new Float64Array(recurrent.length);
  const worth = Array.from({ length: 4 * U }, (_, g) => {
    const weights = Array.from({ length: U }, (_, j) => recurrent[j * 4 * U + g]);
    const largest = Math.max(...weights.map(Math.abs));
    const steps = Math.min(
      32767 / largest,
      (Math.floor((2 ** 31 - 1) / STATE_SCALE) - U / 2) / weights.reduce((sum, w) => sum + Math.abs(w), 0),
    );
    if (largest > 0) for (const [j, w] of weights.entries()) rounded[j * 4 * U + g] = Math.round(w * steps);
    return largest > 0 ? 1 / (steps * STATE_SCALE) : 0;
  });
  return { rounded, worth };
}

/** As lstmProbability, with outputs and recurrent weights in whole numbers. */
function emulate(network: Network, rows: Float32Array, length: number): number {
  const { units: U, kernel: inputs, bias, headKernel, headBias } = network;
  const { rounded, worth } = roundWeights(network);
  let h = new Float64Array(U);
  const c = new Float64Array(U);
  for (let t = 0; t < length; t++) {
    const whole = h.map((x) => Math.round(x * STATE_SCALE));
    const gates = Array.from({ length: 4 * U }, (_, g) => {
      const sum = whole.reduce((so, x, j) => so + x * rounded[j * 4 * U + g], 0);
      if (Math.abs(sum) >= 2 ** 31) throw new Error(`a sum of products is ${sum}`);
      return Array.from({ length: C }, (_, j) => rows[t * C + j] * inputs[j * 4 * U + g]).reduce((a, b) => a + b, bias[g] + sum * worth[g]);
    });
    h = h.map((_, u) => {
      c[u] = sigmoid(gates[U + u]) * c[u] + sigmoid(gates[u]) * Math.tanh(gates[2 * U + u]);
      return sigmoid(gates[3 * U + u]) * Math.tanh(c[u]);
    });
  }
  return sigmoid(CALIBRATION.slope * h.reduce((sum, x, u) => sum + x * headKernel[u], headBias[0]) + CALIBRATION.intercept);
}

const engineOf = (network: Network) => createWasmEngine(kernel, withPrecision(ofNetwork(network, CALIBRATION), "int16"));
const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1];

describe.each([1, 2, 3, 4, 7, 8, 32, 33, 100])("%i units", (U) => {
  const network = makeNetwork(C, U, 10 * U);
  const input = makeInputs(U);
  const probabilities = engineOf(network).probabilities(input);
  const rowsOf = (n: number) => input.channels.subarray(n * T * C, (n + 1) * T * C);

  test("computes what the rules say", () => {
    const differences = Array.from(probabilities, (p, n) => Math.abs(p - emulate(network, rowsOf(n), input.lengths[n])));
    // As float32 against float64; but where an output is rounded the other way, that is one part in 16383 of a weight.
    expect(median(differences)).toBeLessThan(3e-7);
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  test("is near the network", () => {
    const differences = Array.from(probabilities, (p, n) =>
      Math.abs(p - lstmProbability(network, CALIBRATION, rowsOf(n), input.lengths[n])),
    );
    expect(Math.max(...differences)).toBeLessThan(2e-4);
    if (U >= 8) expect(Math.max(...differences)).toBeGreaterThan(1e-6); // so that float32 would be seen
  });

  test("one alone has the bits it has among others", () => {
    const engine = engineOf(network);
    for (let n = 0; n < N; n++) {
      const alone = engine.probabilities({ channels: rowsOf(n).slice(), lengths: input.lengths.slice(n, n + 1) });
      expect(alone[0]).toBe(probabilities[n]);
    }
  });
});

test("weights of any size: sums stay within 32 bits where outputs are ±1 and weights have one sign", () => {
  for (const scale of [1e-30, 0, 1, 1000]) {
    const U = 100;
    const plain = makeNetwork(C, U, 3);
    const recurrent = plain.recurrent.map((w) => scale * Math.abs(w));
    const network: Network = { ...plain, recurrent, bias: new Float32Array(4 * U).fill(9) };
    const input = makeInputs(4);
    const probabilities = engineOf(network).probabilities(input);
    for (let n = 0; n < N; n += 11) {
      const rows = input.channels.subarray(n * T * C, (n + 1) * T * C);
      expect(Math.abs(probabilities[n] - emulate(network, rows, input.lengths[n]))).toBeLessThan(1e-5);
    }
  }
});

test("backwards, and an average with a network in float32", () => {
  const [a, b] = [1, 2].map((seed) => makeNetwork(C, 12, seed));
  const input = makeInputs(5);
  const logitsOf = (networks: readonly Network[]) =>
    createWasmEngine(kernel, { members: [{ kind: "lstm", networks }], calibration: CALIBRATION }).memberLogits(input);
  const first: Network = { ...a, precision: "int16", backwards: true };
  const [one, two, both] = [[first], [b], [first, b]].map(logitsOf);
  expect(Array.from(both)).toEqual(Array.from(one, (z, n) => (z + two[n]) / 2));
});

test("a network of hard gates, or with a state to begin with, stays in float32", () => {
  const network = makeNetwork(C, 4, 1);
  const state = { hidden: new Float32Array(4).fill(2), cell: new Float32Array(4) };
  for (const variant of [{ hardGates: 0.2 }, { initial: state }]) {
    const varied: Network = { ...network, ...variant };
    expect(takesInt16(varied)).toBe(false);
    expect(withPrecision(ofNetwork(varied, CALIBRATION), "int16")).toEqual(ofNetwork(varied, CALIBRATION));
  }
  const there = withPrecision(ofNetwork(network, CALIBRATION), "int16");
  expect(withPrecision(there, "float")).toEqual(ofNetwork(network, CALIBRATION));
});
