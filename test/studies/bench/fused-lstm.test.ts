// The fused LSTM against a float64 reference and against tfjs' own LSTM layer, on any number of threads and on poorer hosts.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { afterEach, expect, test } from "vitest";
import { drawNetwork, drawSequences, drawValues, generator, relativeDifference } from "../../fixtures/sequences.ts";
import { lastStates, statesGradients, toWeights } from "../../trainer/training/lstm-reference.ts";
import { createFusedLstm, type FusedLstmOptions } from "./fused-lstm.ts";

const T = 10;
const C = 5;
/** Sums of up to 10,000 products in float32 (2^−24 = 6e-8 each); what is seen is 3e-7 of the largest gradient at most. */
const TOLERANCE = 2e-6;

const open: { dispose(): void }[] = [];
afterEach(() => {
  for (const lstm of open.splice(0)) lstm.dispose();
});

function fused(options: Partial<FusedLstmOptions> & { units: number; maxBatch: number }) {
  const lstm = createFusedLstm({ channels: C, timesteps: T, threads: 1, ...options });
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
    const lstm = fused({ units: U, maxBatch: B, strict });
    expect(relativeDifference(lstm.forward(sequences.x, sequences.lengths, network), lastStates(weights, sequences))).toBeLessThan(
      TOLERANCE,
    );
    const { kernel, recurrent, bias, x } = lstm.backward(dStates, true);
    expect(relativeDifference(kernel, expected.kernel)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(recurrent, expected.recurrent)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(bias, expected.bias)).toBeLessThan(TOLERANCE);
    expect(relativeDifference(x!, expected.x)).toBeLessThan(TOLERANCE);
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
  const lstm = fused({ channels, units, timesteps, maxBatch: 25 });
  lstm.forward(sequences.x, sequences.lengths, network);
  const gradients = lstm.backward(dStates, true);
  for (const name of ["kernel", "recurrent", "bias", "x"] as const)
    expect(relativeDifference(gradients[name]!, expected[name]), name).toBeLessThan(TOLERANCE);
});

test("gradients are the same bytes for 1, 2 and 4 threads", () => {
  const random = generator(5);
  const [U, B] = [36, 500];
  const network = drawNetwork(C, U, 0.7, random);
  const { x, lengths } = drawSequences(B, T, C, random);
  const dStates = drawValues(B * U, random);
  const [one, ...others] = [1, 2, 4].map((threads) => {
    const lstm = fused({ units: U, maxBatch: B, threads });
    expect(lstm.threads).toBe(threads);
    return { states: lstm.forward(x, lengths, network), ...lstm.backward(dStates, true) };
  });
  for (const other of others) expect(other).toEqual(one);
});

test("a host without relaxed SIMD, shared memory or workers is told so once and gets the same results", () => {
  const random = generator(6);
  const [U, B] = [20, 70];
  const network = drawNetwork(C, U, 0.7, random);
  const { x, lengths } = drawSequences(B, T, C, random);
  const dStates = drawValues(B * U, random);
  const run = (options: Partial<FusedLstmOptions>) => {
    const warnings: string[] = [];
    const lstm = fused({ units: U, maxBatch: B, threads: 2, warn: (message) => warnings.push(message), ...options });
    return { lstm, warnings, result: { states: lstm.forward(x, lengths, network), ...lstm.backward(dStates, true) } };
  };
  const fast = run({});
  const strict = run({ strict: true });
  const plain = run({ host: { relaxedSimd: false } });
  const single = run({ host: { sharedMemory: false } });
  const alone = run({ host: { workers: false } });
  expect([fast, strict, plain, single, alone].map(({ lstm }) => [lstm.simdPath, lstm.threads])).toEqual([
    ["fma", 2],
    ["strict", 2],
    ["strict", 2],
    ["strict", 1],
    ["fma", 1],
  ]);
  expect([fast, strict, plain, single, alone].map(({ warnings }) => warnings)).toEqual([
    [],
    [],
    [expect.stringContaining("no relaxed SIMD")],
    [expect.stringContaining("no threads")],
    [expect.stringContaining("no threads")],
  ]);
  expect(plain.result).toEqual(strict.result);
  expect(single.result).toEqual(strict.result);
  expect(alone.result).toEqual(fast.result);
  for (const name of ["states", "kernel", "recurrent", "bias", "x"] as const)
    expect(relativeDifference(fast.result[name]!, strict.result[name]!)).toBeLessThan(TOLERANCE);
});

test("a backward call needs a forward call of its own", () => {
  const random = generator(7);
  const lstm = fused({ units: 4, maxBatch: 3 });
  const { x, lengths } = drawSequences(3, T, C, random);
  const network = drawNetwork(C, 4, 1, random);
  expect(() => lstm.backward(new Float32Array(12))).toThrow("needs a forward call");
  lstm.forward(x, lengths, network);
  lstm.backward(new Float32Array(12));
  expect(() => lstm.backward(new Float32Array(12))).toThrow("needs a forward call");
});

test("shapes that do not fit are named", () => {
  const random = generator(8);
  const lstm = fused({ units: 4, maxBatch: 3 });
  const { x, lengths } = drawSequences(3, T, C, random);
  const network = drawNetwork(C, 4, 1, random);
  expect(() => lstm.forward(x, lengths.subarray(1), network)).toThrow("x must hold 2 × 10 × 5 numbers, got 150");
  expect(() => lstm.forward(x, Int32Array.of(1, 11, 2), network)).toThrow("lengths must be between 0 and 10");
  expect(() => lstm.forward(x, lengths, { ...network, bias: [1] })).toThrow("bias must hold 16 numbers, got 1");
  expect(() => lstm.forward(new Float32Array(200), new Int32Array(4), network)).toThrow("a batch takes 1 to 3 sequences, got 4");
});

test.each([
  ["cpu", 7, 3],
  ["wasm", 32, 64],
] as const)("gradients equal those of tfjs' LSTM layer on its %s backend", async (backend, U, B) => {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend(backend);
  const random = generator(U);
  const network = drawNetwork(C, U, 0.7, random);
  const { x, lengths } = drawSequences(B, T, C, random, true);
  const lstm = fused({ units: U, maxBatch: B, threads: 2 });
  const layer = tf.layers.lstm({ units: U, recurrentActivation: "sigmoid", recurrentInitializer: "zeros" });
  tf.tidy(() => {
    const xs = tf.tensor3d(x, [B, T, C]);
    const weights = [
      tf.tensor2d(network.kernel, [C, 4 * U]),
      tf.tensor2d(network.recurrent, [U, 4 * U]),
      tf.tensor1d(network.bias),
    ] as const;
    layer.apply(xs);
    layer.setWeights([...weights]);
    const target = tf.tensor2d(drawValues(B * U, random), [B, U]);
    const theirs = tf.variableGrads(() => (layer.apply(xs) as tf.Tensor2D).sub(target).square().mean<tf.Scalar>());
    const ours = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
      const [x3, kernel, recurrent, bias] = inputs as [tf.Tensor3D, tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
      return lstm.apply(x3, lengths, kernel, recurrent, bias).sub(target).square().mean<tf.Scalar>();
    })([xs, ...weights]);
    expect(ours.value.dataSync()[0]).toBeCloseTo(theirs.value.dataSync()[0], 6);
    const expected = layer.trainableWeights.map((weight) => theirs.grads[weightName(weight)].dataSync());
    ours.grads.slice(1).forEach((gradient, n) => {
      // tfjs sums in float32 too, and its wasm tanh errs by 1e-6
      expect(relativeDifference(gradient.dataSync(), expected[n])).toBeLessThan(2e-5);
    });
    // the layer's input is no variable: its gradient is held by the reference
    const dStates = tf
      .grad((h: tf.Tensor) => h.sub(target).square().mean())(lstm.apply(xs, lengths, ...weights))
      .dataSync();
    const reference = statesGradients(toWeights(network), { x, lengths, timesteps: T }, dStates);
    expect(relativeDifference(ours.grads[0].dataSync(), reference.x)).toBeLessThan(TOLERANCE);
  });
  layer.dispose();
});

/** The name under which tfjs' engine knows a layer's variable. */
function weightName(weight: tf.LayerVariable): string {
  return (weight as unknown as { val: tf.Variable }).val.name;
}

test("two batches may go forward before either goes back", async () => {
  await tf.setBackend("cpu");
  const random = generator(9);
  const [U, B] = [6, 5];
  const lstm = fused({ units: U, maxBatch: B });
  const network = drawNetwork(C, U, 0.7, random);
  const batches = [drawSequences(B, T, C, random), drawSequences(B - 2, T, C, random)];
  tf.tidy(() => {
    const weights = [tf.tensor2d(network.kernel, [C, 4 * U]), tf.tensor2d(network.recurrent, [U, 4 * U]), tf.tensor1d(network.bias)];
    const run = (chosen: typeof batches) =>
      tf
        .grads((kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor) =>
          chosen
            .map(({ x, lengths }) => {
              const xs = tf.tensor3d(x, [lengths.length, T, C]);
              return lstm
                .apply(xs, lengths, kernel as tf.Tensor2D, recurrent as tf.Tensor2D, bias as tf.Tensor1D)
                .square()
                .sum();
            })
            .reduce((sum, loss) => sum.add(loss)),
        )(weights)
        .map((gradient) => gradient.dataSync());
    const [both, first, second] = [run(batches), run([batches[0]]), run([batches[1]])];
    both.forEach((gradient, k) => {
      const sum = first[k].map((value, n) => value + second[k][n]);
      expect(relativeDifference(gradient, sum)).toBeLessThan(TOLERANCE);
    });
  });
});
