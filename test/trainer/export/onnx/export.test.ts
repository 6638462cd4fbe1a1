import * as ort from "onnxruntime-web/wasm";
import { expect, test } from "vitest";
import { ofNetwork } from "../../../../shared/members.ts";
import type { Model } from "../../../../shared/model.ts";
import { lstmProbability, type Network } from "../../../../shared/networks/lstm.ts";
import { encodeOnnx } from "../../../../trainer/export/onnx/export.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";
import { networkOf, withNetwork } from "../../../fixtures/model.ts";

ort.env.wasm.numThreads = 1;

const T = 10;
const C = 5;

/** A network with weights large enough that gates saturate now and then, as a trained one has. */
function randomModel(U: number, seed: number): Pick<Model, "members" | "calibration" | "recipe" | "name"> {
  const random = createRandom(seed);
  const normals = (count: number, scale: number): Float32Array => Float32Array.from({ length: count }, () => scale * random.normal());
  const network: Network = {
    channels: C,
    units: U,
    kernel: normals(C * 4 * U, 0.5),
    recurrent: normals(U * 4 * U, 1 / Math.sqrt(U)),
    bias: normals(4 * U, 0.5),
    headKernel: normals(U, 1 / Math.sqrt(U)),
    headBias: normals(1, 0.5),
  };
  const channels = Array.from({ length: C }, (_, a) => ({ base: "feature", view: "delta", a }) as const);
  const recipe = {
    timesteps: T,
    features: ["f0", "f1", "f2", "f3", "f4"],
    padding: "leading",
    channels,
    clip: 10,
    lengths: [1, T],
    mean: new Float64Array(C),
    scale: new Float64Array(C).fill(1),
    floor: new Float64Array(3 * C),
    featureMean: new Float64Array(5),
    featureScale: new Float64Array(5).fill(1),
  } as const;
  return { name: "random", recipe, ...ofNetwork(network, { slope: 1.3, intercept: -0.7 }) };
}

async function run(onnx: Uint8Array, channels: Float32Array, lengths: Int32Array): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(onnx);
  const { probability } = await session.run({
    channels: new ort.Tensor("float32", channels, [lengths.length, T, C]),
    lengths: new ort.Tensor("int32", lengths, [lengths.length]),
  });
  return probability;
}

// ONNX Runtime computes in float32 with its own exp: over 10 steps of up to 105 products it strays a few 1e-7 from float64.
const TOLERANCE = 2e-6;

test.each([1, 7, 32, 100])("ONNX Runtime gives the oracle's probabilities for %i units and lengths 1 to 10", async (U) => {
  const model = randomModel(U, U);
  const N = 200;
  const random = createRandom(1000 + U);
  const channels = Float32Array.from({ length: N * T * C }, () => random.normal()); // rows behind the length hold noise: they must not count
  const lengths = Int32Array.from({ length: N }, (_, n) => 1 + (n % T));
  const probability = await run(encodeOnnx(model), channels, lengths);
  expect(probability.dims).toEqual([N]);
  let worst = 0;
  for (let n = 0; n < N; n++) {
    const expected = lstmProbability(networkOf(model), model.calibration, channels.subarray(n * T * C, (n + 1) * T * C), lengths[n]);
    worst = Math.max(worst, Math.abs((probability.data as Float32Array)[n] - expected));
  }
  expect(worst).toBeLessThanOrEqual(TOLERANCE);
});

test.each<[string, Partial<Network>]>([
  ["Keras 2's hard sigmoid", { hardGates: 0.2 }],
  ["Keras 3's hard sigmoid", { hardGates: 1 / 6 }],
  ["reading backwards", { backwards: true }],
  ["a state before the first step", { initial: { hidden: new Float32Array(7).fill(0.5), cell: new Float32Array(7).fill(-1) } }],
])("ONNX Runtime gives the oracle's probabilities with %s", async (_, variant) => {
  const plain = randomModel(7, 3);
  const model = withNetwork(plain, variant);
  const N = 50;
  const random = createRandom(5);
  const channels = Float32Array.from({ length: N * T * C }, () => random.normal());
  const lengths = Int32Array.from({ length: N }, (_, n) => 1 + (n % T));
  const { data } = await run(encodeOnnx(model), channels, lengths);
  for (let n = 0; n < N; n++) {
    const expected = lstmProbability(networkOf(model), model.calibration, channels.subarray(n * T * C, (n + 1) * T * C), lengths[n]);
    expect(Math.abs((data as Float32Array)[n] - expected)).toBeLessThanOrEqual(TOLERANCE);
  }
});

test("the number of sequences is free: one scores as it does among many", async () => {
  const onnx = encodeOnnx(randomModel(7, 1));
  const random = createRandom(2);
  const channels = Float32Array.from({ length: 3 * T * C }, () => random.normal());
  const many = (await run(onnx, channels, Int32Array.of(10, 4, 1))).data as Float32Array;
  const one = (await run(onnx, channels.slice(T * C, 2 * T * C), Int32Array.of(4))).data as Float32Array;
  expect(Math.abs(one[0] - many[1])).toBeLessThanOrEqual(TOLERANCE);
});

test("a graph names its inputs, its output and their shapes", async () => {
  const session = await ort.InferenceSession.create(encodeOnnx(randomModel(3, 1)));
  expect(session.inputMetadata).toMatchObject([
    { name: "channels", type: "float32", shape: ["N", T, C] },
    { name: "lengths", type: "int32", shape: ["N"] },
  ]);
  expect(session.outputMetadata).toMatchObject([{ name: "probability", type: "float32", shape: ["N"] }]);
});

test("the same model gives the same bytes, with the recipe in the metadata", () => {
  const bytes = encodeOnnx(randomModel(7, 1));
  expect(encodeOnnx(randomModel(7, 1))).toEqual(bytes);
  expect(new TextDecoder("latin1").decode(bytes)).toContain('"padding":"leading","channels":[{"base":"feature","view":"delta","a":0}');
});
