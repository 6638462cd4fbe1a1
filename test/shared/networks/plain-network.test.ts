// Which networks of layers are the plain one.
import { expect, test } from "vitest";
import type { LayerText } from "../../../shared/networks/layers.ts";
import { layersLogit } from "../../../shared/networks/layers-definition.ts";
import { lstmProbability } from "../../../shared/networks/lstm.ts";
import { plainNetwork } from "../../../shared/networks/plain-network.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";

const [C, T] = [3, 5];
const cell = { cell: "lstm", units: 4 } as const;
const head = { kind: "dense", units: 1 } as const;

test.each<{ name: string; lstm: LayerText }>([
  { name: "an LSTM", lstm: { kind: "recurrent", cell, returns: "state" } },
  { name: "one that reads backwards", lstm: { kind: "recurrent", cell, returns: "state", backwards: true } },
  {
    name: "hard gates",
    lstm: { kind: "recurrent", cell: { ...cell, recurrentActivation: { kind: "hardSigmoid", slope: 0.2 } }, returns: "state" },
  },
  { name: "initial states", lstm: { kind: "recurrent", cell: { ...cell, initialHidden: true, initialCell: true }, returns: "state" } },
  { name: "one initial state", lstm: { kind: "recurrent", cell: { ...cell, initialCell: true }, returns: "state" } },
])("$name under a dense layer computes the same as the plain network", ({ lstm }) => {
  const draw = createDraw(7);
  const layered = drawNetwork([lstm, head], C, draw);
  const rows = draw(T, C);
  const plain = plainNetwork(layered)!;
  const expected = 1 / (1 + Math.exp(-layersLogit(layered, rows, 4)));
  expect(lstmProbability(plain, { slope: 1, intercept: 0 }, rows, 4)).toBeCloseTo(expected, 14);
});

test.each<{ name: string; layers: LayerText[] }>([
  { name: "another cell", layers: [{ kind: "recurrent", cell: { cell: "gru", units: 4 }, returns: "state" }, head] },
  { name: "a relu cell", layers: [{ kind: "recurrent", cell: { ...cell, activation: { kind: "relu" } }, returns: "state" }, head] },
  { name: "relu gates", layers: [{ kind: "recurrent", cell: { ...cell, recurrentActivation: { kind: "relu" } }, returns: "state" }, head] },
  { name: "the cell state", layers: [{ kind: "recurrent", cell, returns: "cell" }, head] },
  { name: "a hidden layer", layers: [{ kind: "recurrent", cell, returns: "state" }, { kind: "dense", units: 2 }, head] },
  { name: "no LSTM", layers: [{ kind: "globalPooling", by: ["last"] }, head] },
])("$name is not the plain network", ({ layers }) => {
  expect(plainNetwork(drawNetwork(layers, C, createDraw(1)))).toBeUndefined();
});
