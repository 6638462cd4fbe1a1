// Out and in again: what quickstep exports, other programs read alike, and comes back with the same bits.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import type { Model } from "../../../shared/model.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { readNpy } from "../../../shared/npy.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { encodeTorch } from "../../../trainer/export/torch.ts";
import { EXPORTED, exportedModel } from "../../fixtures/import/exported.ts";
import { importBytes, rejection, scoreBytes } from "../../fixtures/import/importing.ts";
import { irregularSequences, makeIrregularModel } from "../../fixtures/irregular.ts";
import { kernel } from "../../fixtures/kernel.ts";
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
