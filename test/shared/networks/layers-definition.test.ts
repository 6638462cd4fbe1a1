// The definition of every layer against Keras 3 and PyTorch, both in float64: test/fixtures/layers/layers.py.
import { describe, expect, test } from "vitest";
import type { Layer } from "../../../shared/networks/layers.ts";
import { rowsAfter, widthAfter } from "../../../shared/networks/layers.ts";
import { activate, layersLogit, runLayer } from "../../../shared/networks/layers-definition.ts";
import { lstmProbability } from "../../../shared/networks/lstm.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";
import { CASE_SHAPE, readLayersCases } from "../../fixtures/layers.ts";

const { N, T, C } = CASE_SHAPE;

describe.each(["keras", "torch"] as const)("%s", (framework) => {
  test.each(readLayersCases(framework))("$name", ({ name, seed, lengths, layers, logits }) => {
    const draw = createDraw(seed);
    const x = draw(N, T, C);
    const network = drawNetwork(layers, C, draw);
    // Both compute in float64, and differ by the order of sums; but Keras rounds these two's constants to float32
    const digits = framework === "keras" && /gelu|leakyRelu/.test(name) ? 7 : 11;
    for (let n = 0; n < N; n++)
      expect(layersLogit(network, x.subarray(n * T * C, (n + 1) * T * C), lengths[n])).toBeCloseTo(logits[n], digits);
  });
});

test("every kind of layer is in the fixtures of a framework", () => {
  const kinds = new Set([...readLayersCases("keras"), ...readLayersCases("torch")].flatMap(({ layers }) => layers.map(({ kind }) => kind)));
  expect([...kinds].sort()).toEqual(
    [
      "activation",
      "affine",
      "attentionPooling",
      "bidirectional",
      "branches",
      "conv",
      "dense",
      "flatten",
      "globalPooling",
      "layerNormalization",
      "pooling",
      "recurrent",
    ]
      .concat("reverse")
      .sort(),
  );
});

test.each(["keras", "torch"] as const)("of %s' networks, sizes are what the layers leave", (framework) => {
  for (const { seed, lengths, layers } of readLayersCases(framework)) {
    const draw = createDraw(seed);
    const x = draw(N, T, C);
    for (const length of lengths) {
      let rows = Array.from({ length }, (_, t) => Float64Array.from(x.subarray(t * C, (t + 1) * C)));
      for (const layer of drawNetwork(layers, C, draw).layers) {
        const [R, W] = [rowsAfter(layer, rows.length), widthAfter(layer, rows[0].length)];
        rows = runLayer(layer, rows);
        expect([rows.length, rows[0].length]).toEqual([R, W]);
      }
    }
  }
});

test("an LSTM under a dense layer is the network that training makes", () => {
  const draw = createDraw(1);
  const [kernel, recurrent, bias] = [draw(C, 20), draw(5, 20), draw(20)];
  const [headKernel, headBias, channels] = [draw(5), draw(1), draw(T, C)];
  const layers: Layer[] = [
    { kind: "recurrent", cell: { cell: "lstm", units: 5, kernel, recurrent, bias }, returns: "state" },
    { kind: "dense", units: 1, kernel: headKernel, bias: headBias },
  ];
  const logit = layersLogit({ channels: C, layers }, channels, 4);
  const network = { channels: C, units: 5, kernel, recurrent, bias, headKernel, headBias };
  expect(1 / (1 + Math.exp(-logit))).toBeCloseTo(lstmProbability(network, { slope: 1, intercept: 0 }, channels, 4), 15);
});

test("gelu has erf to the last digits on both sides of where its series ends", () => {
  // Python 3.11: 0.5 * x * math.erfc(-x / math.sqrt(2))
  const exact = { "-6": -5.919525870226207e-9, "-4.2": -5.6052145866806655e-5, "-0.5": -0.15426876936299344, 0: 0, 4.3: 4.299963278406475 };
  for (const [x, y] of Object.entries(exact))
    expect(Math.abs(activate({ kind: "gelu", approximate: false }, Number(x)) - y)).toBeLessThan(1e-15);
});
