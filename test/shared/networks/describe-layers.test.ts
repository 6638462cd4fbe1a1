// Networks of layers in words.
import { expect, test } from "vitest";
import { describeLayers } from "../../../shared/networks/describe-layers.ts";
import type { LayerText } from "../../../shared/networks/layers.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";

const lstm = { cell: "lstm", units: 64 } as const;
const gru = { cell: "gru", units: 32 } as const;

test.each<{ words: string; layers: LayerText[] }>([
  {
    words: "LSTM(64, every step) → LSTM(64) → Dense(16) → relu → Dense(1)",
    layers: [
      { kind: "recurrent", cell: lstm, returns: "sequence" },
      { kind: "recurrent", cell: lstm, returns: "state" },
      { kind: "dense", units: 16 },
      { kind: "activation", activation: { kind: "relu" } },
      { kind: "dense", units: 1 },
    ],
  },
  {
    words: "bidirectional LSTM(64, sum, every step) → mean over rows beside maximum over rows",
    layers: [
      { kind: "bidirectional", forward: lstm, backward: lstm, merge: "sum", returns: "sequence" },
      { kind: "globalPooling", by: ["mean", "max"] },
    ],
  },
  {
    words: "bidirectional GRU(32) and LSTM(64)",
    layers: [{ kind: "bidirectional", forward: { ...gru, recurrentBias: true }, backward: lstm, merge: "concat", returns: "state" }],
  },
  {
    words: "GRU(32, reset before, backwards, every step) → rows reversed → SimpleRNN(3, relu, initial state)",
    layers: [
      { kind: "recurrent", cell: gru, returns: "sequence", backwards: true },
      { kind: "reverse" },
      { kind: "recurrent", cell: { cell: "rnn", units: 3, activation: { kind: "relu" }, initialHidden: true }, returns: "state" },
    ],
  },
  {
    words: "LSTM(64, softsign, gates hard sigmoid 0.1667, initial state, cell state)",
    layers: [
      {
        kind: "recurrent",
        cell: { ...lstm, activation: { kind: "softsign" }, recurrentActivation: { kind: "hardSigmoid", slope: 1 / 6 }, initialCell: true },
        returns: "cell",
      },
    ],
  },
  {
    words: "(as it is beside Dense(1)) → mean over rows by attention → (Dense(2) → tanh × last row of each direction)",
    layers: [
      { kind: "branches", merge: "concat", branches: [[], [{ kind: "dense", units: 1 }]] },
      { kind: "attentionPooling" },
      {
        kind: "branches",
        merge: "mul",
        branches: [
          [
            { kind: "dense", units: 2 },
            { kind: "activation", activation: { kind: "tanh" } },
          ],
          [{ kind: "globalPooling", by: ["ends"] }],
        ],
      },
    ],
  },
  {
    words:
      "Conv1D(8, 3 rows, stride 2, dilation 4, 8 + 0 zero rows) → maximum of 2 rows, stride 2 → mean of 3 rows, 1 + 1 rows left out → flatten 4 rows",
    layers: [
      { kind: "conv", filters: 8, kernelSize: 3, strides: 2, dilationRate: 4, pads: [8, 0] },
      { kind: "pooling", by: "max", poolSize: 2, strides: 2, pads: [0, 0] },
      { kind: "pooling", by: "mean", poolSize: 3, strides: 1, pads: [1, 1] },
      { kind: "flatten", steps: 4 },
    ].map((layer) => layer as LayerText),
  },
  {
    words: "scale and shift → layer normalization → leaky relu 0.3 → elu → elu 0.5 → gelu → gelu by tanh",
    layers: [
      { kind: "affine" },
      { kind: "layerNormalization", epsilon: 1e-3 },
      { kind: "activation", activation: { kind: "leakyRelu", alpha: 0.3 } },
      { kind: "activation", activation: { kind: "elu", alpha: 1 } },
      { kind: "activation", activation: { kind: "elu", alpha: 0.5 } },
      { kind: "activation", activation: { kind: "gelu", approximate: false } },
      { kind: "activation", activation: { kind: "gelu", approximate: true } },
    ],
  },
])("$words", ({ words, layers }) => {
  expect(describeLayers({ layers })).toBe(words);
  expect(describeLayers(drawNetwork(layers, 2, createDraw(1)))).toBe(words); // with weights as without
});
