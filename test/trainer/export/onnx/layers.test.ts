// Networks of layers as ONNX, run by ONNX Runtime, against their definition.
import fc from "fast-check";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../../shared/engine.ts";
import { ofNetwork } from "../../../../shared/members.ts";
import { score } from "../../../../shared/model.ts";
import type { LayeredNetwork, LayerText } from "../../../../shared/networks/layers.ts";
import { layersLogit } from "../../../../shared/networks/layers-definition.ts";
import { encodeOnnx } from "../../../../trainer/export/onnx/export.ts";
import { createDraw, drawNetwork, makeLayers } from "../../../fixtures/draw-layers.ts";
import { kernel } from "../../../fixtures/kernel.ts";
import { makeLayeredModel } from "../../../fixtures/layered-model.ts";
import { makeSequences } from "../../../fixtures/model.ts";
import { randomLayers } from "../../../fixtures/random-layers.ts";
import { makeStack } from "../../../fixtures/stack.ts";

ort.env.wasm.numThreads = 1;

const T = 7;
const C = 3;
const CALIBRATION = { slope: 1.3, intercept: -0.7 };

function modelOf(network: LayeredNetwork) {
  const recipe = {
    timesteps: T,
    features: ["a", "b", "c"],
    padding: "leading",
    channels: Array.from({ length: C }, (_, a) => ({ base: "feature", view: "level", a }) as const),
    clip: 10,
    lengths: [1, T],
    mean: new Float64Array(C),
    scale: new Float64Array(C).fill(1),
    floor: new Float64Array(3 * C),
    featureMean: new Float64Array(C),
    featureScale: new Float64Array(C).fill(1),
  } as const;
  return { name: "layers", recipe, ...ofNetwork(network, CALIBRATION) };
}

async function run(onnx: Uint8Array, feeds: Record<string, ort.Tensor>): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx);
  const { probability } = await session.run(feeds);
  await session.release();
  return probability.data as Float32Array;
}

describe.each([{ isFixed: false }, { isFixed: true }])("sequences of one length alone: $isFixed", ({ isFixed }) => {
  test("ONNX Runtime computes what the definition of random networks says", async () => {
    await fc.assert(
      fc.asyncProperty(randomLayers(T, isFixed, C), fc.nat(1e6), async (layers, seed) => {
        const draw = createDraw(seed);
        const network = drawNetwork(layers, C, draw);
        const lengths = Int32Array.from({ length: 9 }, (_, n) => (isFixed ? T : 1 + (n % T)));
        const channels = draw(9, T, C); // rows behind the length hold noise: they must not count
        const got = await run(encodeOnnx(modelOf(network)), {
          channels: new ort.Tensor("float32", channels, [9, T, C]),
          lengths: new ort.Tensor("int32", lengths, [9]),
        });
        lengths.forEach((length, n) => {
          const logit = layersLogit(network, channels.subarray(n * T * C, (n + 1) * T * C), length);
          const expected = 1 / (1 + Math.exp(-(CALIBRATION.slope * logit + CALIBRATION.intercept)));
          // ONNX Runtime computes in float32: as the kernel, some 2e-5 of a logit of several layers
          expect(Math.abs(got[n] - expected)).toBeLessThan(2e-5);
        });
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

test.each<{ name: string; make: () => ReturnType<typeof makeLayeredModel> }>([
  { name: "a network of layers", make: () => makeLayeredModel(kernel) },
  { name: "a stack with one", make: () => makeStack(kernel, { kinds: ["layers", "linear", "lstm"] }) },
])("$name takes raw sequences with --preprocessing", async ({ make }) => {
  const model = make();
  const values = makeSequences(20, 10, 5, 3);
  const got = await run(encodeOnnx(model, { preprocessing: true }), { sequences: new ort.Tensor("float64", values, [20, 10, 5]) });
  const { probabilities } = score(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log, values);
  for (const [n, p] of probabilities.entries()) expect(Math.abs(got[n] - p)).toBeLessThan(5e-6);
});

test("a cell with a function that ONNX' operators lack is refused by name", () => {
  const layers: LayerText[] = [
    { kind: "recurrent", cell: { cell: "lstm", units: 2, activation: { kind: "selu" } }, returns: "state" },
    { kind: "dense", units: 1 },
  ];
  expect(() => encodeOnnx(modelOf(drawNetwork(layers, C, createDraw(1))))).toThrow("has a cell with selu, which ONNX' LSTM does not know");
});

test("every kind of layer is drawn", () => {
  expect(makeLayers(C, 1).layers.map(({ kind }) => kind)).toContain("bidirectional");
  const kinds = new Set(
    fc
      .sample(randomLayers(T, true, C), { numRuns: 300, seed: 1 })
      .flat()
      .map(({ kind }) => kind),
  );
  expect(kinds.size).toBe(13);
});
