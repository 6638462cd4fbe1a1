// Out and in again: what quickstep exports, other programs read alike, and comes back with the same bits.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { soleLayers } from "../../../shared/members.ts";
import type { Model } from "../../../shared/model.ts";
import { describeLayers } from "../../../shared/networks/describe-layers.ts";
import type { LayerText } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { readNpy } from "../../../shared/npy.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { decodeModel, encodeModel } from "../../../trainer/export/onnx/protobuf.ts";
import type { GraphProto } from "../../../trainer/export/onnx/schema.ts";
import { encodeTorch } from "../../../trainer/export/torch.ts";
import { createDraw, drawNetwork } from "../../fixtures/draw-layers.ts";
import { EXPORTED, exportedModel } from "../../fixtures/import/exported.ts";
import { importBytes, rejection, scoreBytes } from "../../fixtures/import/importing.ts";
import { irregularSequences, makeIrregularModel } from "../../fixtures/irregular.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeLayeredModel } from "../../fixtures/layered-model.ts";
import { makeModel, makeSequences, withNetwork } from "../../fixtures/model.ts";

const folder = new URL("../../fixtures/import/", import.meta.url);
const TOLERANCE = 2e-6;

describe.each(EXPORTED)("--safetensors-torch of a model with padding %s", (padding) => {
  const model = exportedModel(padding);
  const committed = readFileSync(new URL(`exported/${padding}.safetensors`, folder));

  test("is the file that torch.nn.LSTM was asked about", () => {
    expect(Buffer.from(encodeTorch(model)).equals(committed)).toBe(true);
  });

  test("scores as torch.nn.LSTM does, within 2e-6, for lengths 0 to 10", () => {
    const expected: (number | null)[] = JSON.parse(readFileSync(new URL(`exported/${padding}.json`, folder), "utf8"));
    const X = readNpy(readFileSync(new URL("sequences.npy", folder)), "X").data as Float64Array;
    const values = X.map((x, at) => (X.subarray(at - (at % 5), at - (at % 5) + 5).every((value) => value === 0) ? 0 : x * 0.1 + 1.2));
    const scores = scoreBytes(encodeArtifact(model), values);
    expect(new Set(expected).size).toBeGreaterThan(20);
    for (const [n, p] of expected.entries())
      if (p === null) expect(scores[n]).toBeNaN();
      else expect(Math.abs(scores[n] - p)).toBeLessThanOrEqual(TOLERANCE);
  });
});

/** Everything that decides a score; operating points and figures do not travel. */
function scoring({ name, recipe, members, calibration }: Model) {
  return {
    name,
    recipe,
    members,
    calibration: { slope: Math.fround(calibration.slope), intercept: Math.fround(calibration.intercept) },
  };
}

const UNUSUAL: Partial<Network> = {
  backwards: true,
  hardGates: 0.2,
  initial: { hidden: new Float32Array(8).fill(0.25), cell: new Float32Array(8).fill(-0.5) },
};
const model = makeModel(kernel);
const values = makeSequences(60, 10, 5, 9);

test.each<[string, Model, Uint8Array]>([
  ["--safetensors-torch", model, encodeTorch(model)],
  ["--onnx", model, encodeOnnx(model)],
  ["--onnx --preprocessing", model, encodeOnnx(model, { preprocessing: true })],
  ["--onnx of Keras 2's hard gates, backwards, from a state", withNetwork(model, UNUSUAL), encodeOnnx(withNetwork(model, UNUSUAL))],
  ["--onnx of Keras 3's hard gates", withNetwork(model, { hardGates: 1 / 6 }), encodeOnnx(withNetwork(model, { hardGates: 1 / 6 }))],
])("%s and import: recipe, calibration and weights come back, and every score has its bits", async (_, original, exported) => {
  const imported = await importBytes(exported);
  expect(scoring(imported.model)).toEqual(scoring(original));
  expect(scoreBytes(imported.bytes, values)).toEqual(scoreBytes(encodeArtifact(original), values));
  expect(imported.parity).toBeLessThanOrEqual(TOLERANCE);
});

/** What a network of layers may have on top of makeLayers: convolutions and pools whose rows run out, branches, states, every function of a cell. */
const MANY_LAYERS: readonly LayerText[] = [
  { kind: "conv", filters: 6, kernelSize: 3, strides: 1, dilationRate: 2, pads: [4, 0] },
  {
    kind: "branches",
    merge: "sum",
    branches: [[], [{ kind: "recurrent", cell: { cell: "rnn", units: 6, activation: { kind: "linear" } }, returns: "sequence" }]],
  },
  { kind: "pooling", by: "mean", poolSize: 3, strides: 1, pads: [1, 1] },
  { kind: "conv", filters: 5, kernelSize: 3, strides: 2, dilationRate: 1, pads: [1, 1] },
  { kind: "pooling", by: "max", poolSize: 2, strides: 2, pads: [1, 1] },
  { kind: "reverse" },
  {
    kind: "branches",
    merge: "concat",
    branches: [
      [{ kind: "attentionPooling" }],
      [
        {
          kind: "recurrent",
          cell: { cell: "gru", units: 4, initialHidden: true, recurrentActivation: { kind: "hardSigmoid", slope: 0.2 } },
          returns: "state",
        },
        { kind: "activation", activation: { kind: "gelu", approximate: true } },
      ],
      [{ kind: "recurrent", cell: { cell: "lstm", units: 3, initialHidden: true, initialCell: true }, backwards: true, returns: "cell" }],
      [{ kind: "globalPooling", by: ["first", "last"] }],
    ],
  },
  { kind: "layerNormalization", epsilon: 1e-5 },
  { kind: "dense", units: 1 },
];
const layered = [
  ["most kinds of layers", makeLayeredModel(kernel)],
  [
    "layers of fewer and fewer rows, in branches",
    makeLayeredModel(kernel, { network: drawNetwork(MANY_LAYERS, model.recipe.channels.length, createDraw(7)) }),
  ],
] as const;

test.each(layered.flatMap(([name, original]) => [false, true].map((preprocessing) => ({ name, original, preprocessing }))))(
  "--onnx of a network of $name and import, preprocessing $preprocessing: every weight and score has its bits",
  async ({ original, preprocessing }) => {
    const imported = await importBytes(encodeOnnx(original, { preprocessing }));
    expect(scoring(imported.model)).toEqual(scoring(original));
    expect(scoreBytes(imported.bytes, values)).toEqual(scoreBytes(encodeArtifact(original), values));
    expect(imported.parity).toBeLessThanOrEqual(TOLERANCE);
    expect(imported.findings[0]).toBe(`${describeLayers(soleLayers(original)!)} on ${original.recipe.channels.length} channels`);
  },
);

const changed = (graph: GraphProto, name: string, dims?: number[]): GraphProto => ({
  ...graph,
  initializer: graph.initializer!.flatMap((one) => (one.name !== name ? [one] : dims ? [{ ...one, dims }] : [])),
});

test.each<[string, (graph: GraphProto) => GraphProto, string]>([
  ["a weight is not there", (graph) => changed(graph, "layer0.scale"), "has a node that reads what nothing makes"],
  [
    "a weight has another shape",
    (graph) => changed(graph, "layer5.bias", [1, 5]),
    "has the constant layer5.bias of shape (1,5), expected (5): the file is damaged",
  ],
  [
    "the graph computes something else",
    (graph) => ({
      ...graph,
      node: graph.node!.map((one) => (one.input!.includes("layer0.shift") ? { ...one, input: [one.input![0], "layer0.scale"] } : one)),
    }),
    "was understood wrongly",
  ],
])("an export of layers in which %s is refused", async (_, damage, sentence) => {
  const decoded = decodeModel(encodeOnnx(makeLayeredModel(kernel)));
  expect(await rejection(encodeModel({ ...decoded, graph: damage(decoded.graph!) }))).toContain(sentence);
});

test.each(["[{}]", "no JSON", '[{"kind":"dense","units":1}]'])("an export of layers whose metadata say %s is refused", async (value) => {
  const decoded = decodeModel(encodeOnnx(makeLayeredModel(kernel)));
  const metadataProps = decoded.metadataProps!.map((one) => (one.key === "layers" ? { key: "layers", value } : one));
  expect(await rejection(encodeModel({ ...decoded, metadataProps }))).toMatch(/the file is damaged: export the model again$/);
});

test.each([
  ["--safetensors-torch", encodeTorch],
  ["--onnx", encodeOnnx],
] as const)(
  "%s and import of a model of missing numbers and times: what fills gaps comes back, and every score has its bits",
  async (_, encode) => {
    const gaps = [0, 3];
    const irregular = makeIrregularModel(kernel, { gaps, clock: true, channels: IRREGULAR });
    const imported = await importBytes(encode(irregular));
    expect(scoring(imported.model)).toEqual(scoring(irregular));
    const rows = irregularSequences(60, { gaps, clock: true }, 9);
    expect(scoreBytes(imported.bytes, rows)).toEqual(scoreBytes(encodeArtifact(irregular), rows));
  },
);

const IRREGULAR: readonly Channel[] = [
  { base: "feature", a: 0, view: "rate" },
  { base: "sinceObserved", a: 3, view: "level" },
  { base: "feature", a: 3, view: "level", whereObserved: true },
];

test("an export with its own recipe takes no other", async () => {
  expect(await rejection(encodeTorch(model), { timesteps: 10 })).toContain("brings its own recipe, since quickstep exported the file");
});

test.each<[string, Partial<Network>]>([
  ["hard sigmoids", { hardGates: 0.2 }],
  ["steps read backwards", { backwards: true }],
  ["a state before the first step", { initial: UNUSUAL.initial }],
])("a state dict of PyTorch has no place for %s", (what, variant) => {
  expect(() => encodeTorch(withNetwork(model, variant))).toThrow(`has ${what}: a state dict of PyTorch cannot hold ${what}`);
});

test("an artifact is recognised: there is nothing to import", async () => {
  expect(await rejection(encodeArtifact(model))).toBe(
    "DataError: model: is already an artifact of quickstep: there is nothing to import: evaluate, score and serve take the file as it is (quickstep/2)",
  );
});
