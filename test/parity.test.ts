// The heart of it: five computations of one model agree. The kernel is compared bit for bit with itself in workerd (there in
// test/workerd/parity.test.ts); tfjs' own LSTM layer, the float64 oracle and onnxruntime-web within a tolerance.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as ort from "onnxruntime-web/wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeArtifact } from "../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import type { Model } from "../shared/model.ts";
import { lstmProbability, sigmoid } from "../shared/networks/lstm.ts";
import { applyRecipe } from "../shared/recipe/apply.ts";
import type { Channels } from "../shared/recipe/recipe.ts";
import { encodeOnnx } from "../trainer/export/onnx/export.ts";
import { kernel } from "./fixtures/kernel.ts";
import { networkOf } from "./fixtures/model.ts";
import { FLOAT_CASES, parityModel, paritySequences } from "./fixtures/parity.ts";

/**
 * Probabilities, absolute. Each gate sums at most 8 + 100 float32 products of magnitude about 1: an error of some 1e-6 in a
 * gate's input, which the sigmoid's slope of at most 1/4 and ten contracting steps do not enlarge; the head adds its 100
 * products. Two float32 implementations that round in another order may differ by the sum of both errors.
 */
const TOLERANCE = 2e-6;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
});

/** tfjs' own layer, unmasked, on the valid rows: sequences of one length at a time. */
function scoreWithTfjs(served: Model, { channels, lengths }: Channels, T: number): Float32Array {
  const { calibration } = served;
  const network = networkOf(served);
  const { channels: C, units: U } = network;
  const layer = tf.layers.lstm({
    units: U,
    recurrentActivation: "sigmoid",
    activation: "tanh",
    inputShape: [null as unknown as number, C],
  });
  const model = tf.sequential({ layers: [layer, tf.layers.dense({ units: 1 })] });
  model.setWeights([
    tf.tensor2d(network.kernel, [C, 4 * U]),
    tf.tensor2d(network.recurrent, [U, 4 * U]),
    tf.tensor1d(network.bias),
    tf.tensor2d(network.headKernel, [U, 1]),
    tf.tensor1d(network.headBias),
  ]);
  const out = new Float32Array(lengths.length);
  for (const length of new Set(lengths)) {
    const members = Array.from(lengths.keys()).filter((n) => lengths[n] === length);
    const rows = members.flatMap((n) => Array.from(channels.subarray(n * T * C, (n * T + length) * C)));
    const logits = tf.tidy(() => (model.predict(tf.tensor3d(rows, [members.length, length, C])) as tf.Tensor).dataSync());
    members.forEach((n, i) => {
      out[n] = sigmoid(calibration.slope * logits[i] + calibration.intercept);
    });
  }
  model.dispose();
  return out;
}

async function scoreWithOnnx(model: Model, { channels, lengths }: Channels, T: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(encodeOnnx(model), { executionProviders: ["wasm"] });
  const { probability } = await session.run({
    channels: new ort.Tensor("float32", channels, [lengths.length, T, networkOf(model).channels]),
    lengths: new ort.Tensor("int32", lengths, [lengths.length]),
  });
  await session.release();
  return probability.data as Float32Array;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let n = 0; n < a.length; n++) {
    const difference = Math.abs(a[n] - b[n]);
    if (!(difference <= largest)) largest = difference; // NaN counts as the largest
  }
  return largest;
}

const trained = decodeArtifact(readFileSync(new URL("fixtures/format-1/sp500.safetensors", import.meta.url)));
const CASES = [
  ...FLOAT_CASES.map((testCase) => ({
    title: `${testCase.units} units, padding ${testCase.padding}`,
    model: parityModel(kernel, testCase),
    values: paritySequences(testCase),
  })),
  { title: `a trained network, of ${trained.name}`, model: trained, values: trained.golden.inputs },
];

describe.each(CASES)("$title", ({ model, values }) => {
  const { recipe, calibration } = model;
  const network = networkOf(model);
  const T = recipe.timesteps;
  const channels = applyRecipe(recipe, values, instantiateKernel(kernel).log);
  const ours = createWasmEngine(kernel, model).probabilities(channels);

  it("has sequences of every length it can have, and answers that differ", () => {
    expect(new Set(channels.lengths).size).toBe(recipe.padding === "none" ? 1 : 10);
    expect(new Set(ours).size).toBeGreaterThan(ours.length / 2);
  });

  it("agrees with the float64 oracle", () => {
    const C = network.channels;
    const oracle = Float64Array.from(channels.lengths, (length, n) =>
      lstmProbability(network, calibration, channels.channels.subarray(n * T * C, (n + 1) * T * C), length),
    );
    expect(largestDifference(ours, oracle)).toBeLessThanOrEqual(TOLERANCE);
  });

  it("agrees with tfjs' own LSTM layer", () => {
    expect(largestDifference(ours, scoreWithTfjs(model, channels, T))).toBeLessThanOrEqual(TOLERANCE);
  });

  it("agrees with onnxruntime-web", async () => {
    expect(largestDifference(ours, await scoreWithOnnx(model, channels, T))).toBeLessThanOrEqual(TOLERANCE);
  });

  it("gives one sequence alone the bits it has in any batch", () => {
    const engine = createWasmEngine(kernel, model);
    const size = T * network.channels;
    const alone = Float32Array.from(
      channels.lengths,
      (_, n) =>
        engine.probabilities({ channels: channels.channels.slice(n * size, (n + 1) * size), lengths: channels.lengths.slice(n, n + 1) })[0],
    );
    expect(alone).toEqual(ours);
  });
});
