// The kernel's LSTM against a float64 reference and against tfjs' own layer, on any number of threads and on poorer hosts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { afterEach, expect, test } from "vitest";
import { type KernelHost, openDevice } from "../../../trainer/tfjs/device.ts";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { ThreadPool } from "../../../trainer/training/thread-pool.ts";
import { type KernelLstmOptions, openKernelLstm } from "../../fixtures/kernel-lstm.ts";
import { drawNetwork, drawSequences, drawValues, generator, relativeDifference } from "../../fixtures/sequences.ts";
import { lastStates, statesGradients, toWeights } from "../training/lstm-reference.ts";

const T = 10;
const C = 5;
/** Sums of up to 10,000 products in float32 (2^−24 = 6e-8 each); what is seen is 3e-7 of the largest gradient at most. */
const TOLERANCE = 2e-6;

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const lstm of open.splice(0)) lstm.dispose();
});

function fused(options: Partial<KernelLstmOptions> & { units: number }) {
  const lstm = openKernelLstm({ channels: C, timesteps: T, ...options });
  open.push(lstm);
  return lstm;
}

const sizes = [1, 7, 32, 100].flatMap((U) => [1, 3, 64, 1000].map((B) => [U, B] as const));

test.each(sizes.filter(([U, B]) => U * B <= 32_000))("states and all gradients of %i units, %i ragged sequences", (U, B) => {
  const random = generator(U + B);
  const network = drawNetwork(C, U, 0.7, random);
  const sequences = drawSequences(B, T, C, random);
  const dStates = drawValues(B * U, random);
  const weights = toWeights(network);
  const expected = statesGradients(weights, sequences, dStates);
  for (const strict of [false, true]) {
    const lstm = fused({ units: U, strict });
    expect(relativeDifference(lstm.forward(sequences.x, sequences.lengths, network), lastStates(weights, sequences))).toBeLessThan(
      TOLERANCE,
    );
    const { kernel, recurrent, bias, x } = lstm.backward(dStates);
    expect(relativeDifference(kernel, expected.kernel)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(recurrent, expected.recurrent)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(bias, expected.bias)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(x, expected.x)).toBeLessThan(TOLERANCE);
  }
});

test.each([
  [1, 1, 1],
  [3, 2, 6],
  [4, 13, 3],
  [11, 6, 2],
  [2, 3, 40],
])("%i channels, %i units, %i steps", (channels, units, timesteps) => {
  const random = generator(channels);
  const B = 21;
  const network = drawNetwork(channels, units, 0.7, random);
  const sequences = drawSequences(B, timesteps, channels, random);
  const dStates = drawValues(B * units, random);
  const expected = statesGradients(toWeights(network), sequences, dStates);
  const lstm = fused({ channels, units, timesteps });
  lstm.forward(sequences.x, sequences.lengths, network);
  const gradients = lstm.backward(dStates);
  for (const name of ["kernel", "recurrent", "bias", "x"] as const)
    expect(relativeDifference(gradients[name], expected[name]), name).toBeLessThan(TOLERANCE);
});

test("gradients are the same bytes for 1, 2 and 4 threads", () => {
  const random = generator(5);
  const [U, B] = [36, 500];
  const network = drawNetwork(C, U, 0.7, random);
  const { x, lengths } = drawSequences(B, T, C, random);
  const dStates = drawValues(B * U, random);
  const [one, ...others] = [1, 2, 4].map((threads) => {
    const lstm = fused({ units: U, threads });
    expect(lstm.threads).toBe(threads);
    return { states: lstm.forward(x, lengths, network), ...lstm.backward(dStates) };
  });
  for (const other of others) expect(other).toEqual(one);
});

/** What Node offers, with less of it. */
function describeHost(warn: (message: string) => void, less: "relaxed SIMD" | "shared memory" | "workers" | "nothing"): KernelHost {
  const read = (name: string) => readFileSync(new URL(`../../../trainer/kernel/${name}.wasm`, import.meta.url));
  const broken = Uint8Array.of(0); // what a host refuses
  const relaxed = (name: string) => (less === "relaxed SIMD" ? broken : read(name));
  const shared = { relaxed: relaxed("training"), strict: less === "shared memory" ? broken : read("training-strict") };
  const openPool: KernelHost["openPool"] = (start) => {
    if (less === "workers") throw new Error("no workers here");
    return new ThreadPool(start);
  };
  return {
    builds: { shared, single: { relaxed: relaxed("training-single-relaxed"), strict: read("training-single") } },
    threads: 2,
    openPool,
    warn,
  };
}

test("a host without relaxed SIMD, shared memory or workers gets the same results, and hears what it lacks for its threads", () => {
  const random = generator(6);
  const [U, B] = [20, 70];
  const network = drawNetwork(C, U, 0.7, random);
  const { x, lengths } = drawSequences(B, T, C, random);
  const dStates = drawValues(B * U, random);
  const run = (less: Parameters<typeof describeHost>[1]) => {
    const warnings: string[] = [];
    const device = openDevice(describeHost((message) => warnings.push(message), less))!;
    const lstm = fused({ units: U, device });
    return { lstm, warnings, result: { states: lstm.forward(x, lengths, network), ...lstm.backward(dStates) } };
  };
  const [fast, plain, single, alone] = [run("nothing"), run("relaxed SIMD"), run("shared memory"), run("workers")];
  const strict = fused({ units: U, strict: true, threads: 2 });
  const slow = { states: strict.forward(x, lengths, network), ...strict.backward(dStates) };
  expect([fast, plain, single, alone].map(({ lstm }) => [lstm.simdPath, lstm.threads])).toEqual([
    [fast.lstm.simdPath, 2],
    ["strict", 2],
    [fast.lstm.simdPath, 1],
    [fast.lstm.simdPath, 1],
  ]);
  expect([fast, plain, single, alone].map(({ warnings }) => warnings)).toEqual([
    [],
    [],
    [expect.stringContaining("no shared memory")],
    [expect.stringContaining("no threads (no workers here)")],
  ]);
  expect(plain.result).toEqual(slow);
  expect(single.result).toEqual(fast.result);
  expect(alone.result).toEqual(fast.result);
  for (const name of ["states", "kernel", "recurrent", "bias", "x"] as const)
    expect(relativeDifference(fast.result[name], slow[name])).toBeLessThan(TOLERANCE);
});

test("a backward call needs a forward call of its own", () => {
  const random = generator(7);
  const lstm = fused({ units: 4 });
  const { x, lengths } = drawSequences(3, T, C, random);
  const network = drawNetwork(C, 4, 1, random);
  expect(() => lstm.backward(new Float32Array(12))).toThrow("needs a forward pass of its own");
  lstm.forward(x, lengths, network);
  lstm.backward(new Float32Array(12));
  expect(() => lstm.backward(new Float32Array(12))).toThrow("needs a forward pass of its own");
});

test("the layer's gradients on the wasm backend equal those of tfjs' LSTM", async () => {
  const [U, B] = [32, 64];
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
  const random = generator(U);
  const network = drawNetwork(C, U, 0.7, random);
  const { x } = drawSequences(B, T, C, random, true);
  const config = { units: U, recurrentActivation: "sigmoid", recurrentInitializer: "zeros" } as const;
  tf.tidy(() => {
    const xs = tf.tensor3d(x, [B, T, C]);
    const target = tf.tensor2d(drawValues(B * U, random), [B, U]);
    const [theirs, ours] = [tf.layers.lstm(config), openNodeLayers(2).fusedLstm(config)].map((layer) => {
      layer.apply(xs);
      layer.setWeights([tf.tensor2d(network.kernel, [C, 4 * U]), tf.tensor2d(network.recurrent, [U, 4 * U]), tf.tensor1d(network.bias)]);
      const own = layer.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
      const { value, grads } = tf.variableGrads(() => (layer.apply(xs) as tf.Tensor2D).sub(target).square().mean<tf.Scalar>(), own);
      return { loss: value.dataSync()[0], gradients: own.map(({ name }) => grads[name].dataSync()) };
    });
    expect(ours.loss).toBeCloseTo(theirs.loss, 6);
    // tfjs sums in float32 too, and its wasm tanh errs by 1e-6
    for (const [k, gradient] of ours.gradients.entries()) expect(relativeDifference(gradient, theirs.gradients[k])).toBeLessThan(2e-5);
  });
});
