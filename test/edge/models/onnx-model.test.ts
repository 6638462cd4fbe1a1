// The second engine behind the same routes: the artifact's own network, other people's models, and what cannot be served. In the real
// runtime: ./onnx-worker.test.ts.
import { describe, expect, test } from "vitest";
import { createApp } from "../../../edge/app.ts";
import { bundledOnly } from "../../../edge/models/models.ts";
import { openOnnxModel } from "../../../edge/models/onnx-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { withPrecision } from "../../../shared/members.ts";
import { type Model, score } from "../../../shared/model.ts";
import { readEnding } from "../../../shared/onnx/ending.ts";
import { openSession } from "../../../shared/onnx/session.ts";
import { encodeOnnx } from "../../../trainer/export/onnx/export.ts";
import { floats, int, node, port, raw, tensor } from "../../../trainer/export/onnx/graph.ts";
import { DOUBLE, FLOAT, INT64 } from "../../../trainer/export/onnx/schema.ts";
import { DEPENDENCIES, openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences, randomOf } from "../../fixtures/model.ts";
import { encodeLogistic, functions, runtime } from "../../fixtures/onnx.ts";

const T = 10;
const F = 5;
const model = makeModel(kernel);
const artifact = encodeArtifact(model);

const deploy = (onnx: Uint8Array<ArrayBuffer>, declared?: string) =>
  openOnnxModel(onnx, artifact, (bytes) => openSession(runtime, bytes), functions, declared);
const openOnnx = (onnx: Uint8Array<ArrayBuffer>, declared?: string) => createApp(bundledOnly(deploy(onnx, declared)), DEPENDENCIES);
type App = ReturnType<typeof openOnnx>;

const values = makeSequences(40, T, F, 9);
const sequences = Array.from({ length: 40 }, (_, n) =>
  Array.from({ length: T }, (_, t) => [...values.subarray((n * T + t) * F, (n * T + t + 1) * F)]),
);

async function probabilitiesOf(app: App, body: object): Promise<number[]> {
  const response = await postScore(app, JSON.stringify(body));
  expect(response.status, await response.clone().text()).toBe(200);
  const { results }: { results: { probability: number }[] } = await response.json();
  return results.map(({ probability }) => probability);
}

async function reasonOf(app: App): Promise<string> {
  const ready = await app.request("/health/ready");
  expect(ready.status).toBe(503);
  expect((await postScore(app, JSON.stringify({ sequences }))).status).toBe(503);
  return (await ready.json()).detail;
}

describe("a model.onnx that export wrote", () => {
  const own = openOnnx(encodeOnnx(model));
  const wasm = openApp(kernel, artifact);

  test("scores raw sequences by the artifact's recipe, within 2e-6 of the kernel, with another base rate too", async () => {
    for (const more of [{}, { prior: 0.05 }]) {
      const expected = await probabilitiesOf(wasm, { sequences, ...more });
      const found = await probabilitiesOf(own, { sequences, ...more });
      for (const [n, p] of found.entries()) expect(Math.abs(p - expected[n])).toBeLessThanOrEqual(2e-6);
    }
  });

  test("of a model in whole numbers of 16 bits is held to that model in float32", async () => {
    const int16 = withPrecision(model, "int16");
    const { inputs } = model.golden;
    const { probabilities } = score(int16, functions.createEngine(int16), functions.log, inputs);
    expect(Math.max(...probabilities.map((p, k) => Math.abs(p - model.golden.probabilities[k])))).toBeGreaterThan(2e-6);
    const open = (golden: Model["golden"]) =>
      openOnnxModel(encodeOnnx(int16), encodeArtifact({ ...int16, golden }), (bytes) => openSession(runtime, bytes), functions);
    const app = createApp(bundledOnly(open({ inputs, probabilities })), DEPENDENCIES);
    expect(await probabilitiesOf(app, { sequences })).toEqual(await probabilitiesOf(own, { sequences }));
    expect(open(model.golden)).toMatchObject({ unready: expect.stringContaining("golden vector") }); // that are not its own
  });

  test("answers on every route what the default does, probabilities apart", async () => {
    const sequence = sequences[9];
    const routes: [string, string, Record<string, string>][] = [
      ["/v1/score", JSON.stringify({ sequence, explain: true, operatingPoint: "sensitive" }), { "content-type": "application/json" }],
      ["/v1/score", JSON.stringify(sequence), { "content-type": "application/x-ndjson" }],
      [
        "/v2/models/test/infer",
        JSON.stringify({ inputs: [{ name: "sequences", datatype: "FP64", shape: [1, T, F], data: [sequence] }] }),
        { "content-type": "application/json" },
      ],
    ];
    const blind = (text: string) => text.replace(/-?\d+\.\d+(e-\d+)?/g, "#").replace(/test@[0-9a-f]+|"[0-9a-f]{12}"/g, "id");
    for (const [path, body, headers] of routes) {
      const [expected, found] = await Promise.all([wasm, own].map((app) => post(app, path, body, headers)));
      expect([found.status, blind(await found.text())]).toEqual([200, blind(await expected.text())]);
    }
    expect((await (await own.request("/v1/model")).json()).metrics).toEqual(model.card.test);
    expect(await (await own.request("/openapi.json")).text()).toBe(await (await wasm.request("/openapi.json")).text());
  });

  test("has an id of its own, since other numbers come from it", async () => {
    const [here, there] = [await own.request("/health/ready"), await wasm.request("/health/ready")];
    expect(here.headers.get("x-quickstep-model")).not.toBe(there.headers.get("x-quickstep-model"));
  });

  test("is unready where it is the network of another artifact", async () => {
    const other = { ...model, members: makeModel(kernel, { seed: 2 }).members };
    expect(await reasonOf(openOnnx(encodeOnnx(other)))).toMatch(/^golden vector 0 scored .* this onnxruntime-web engine does not compute/);
    const narrow = makeModel(kernel, { channels: model.recipe.channels.slice(0, 3) });
    expect(await reasonOf(openOnnx(encodeOnnx(narrow)))).toBe(
      "model.onnx cannot be served: its first input must be (N, 10, 6) to go with model.safetensors, got channels: float32 (N, 10, 3)",
    );
  });
});

describe("another's model.onnx", () => {
  const random = randomOf(3);
  const weights = Float32Array.from({ length: T * F }, () => random() - 0.5);
  const other = openOnnx(encodeLogistic(T, F, weights));

  test("gets the rows as they are, zero rows in front of a shorter sequence", async () => {
    const short = sequences.map((rows) => rows.slice(rows.findIndex((row) => row.some((x) => x !== 0))));
    const expected = Array.from(sequences, (rows) => {
      const logit = rows.flat().reduce((sum, x, i) => sum + Math.fround(x) * weights[i], 0);
      return 1 / (1 + Math.exp(-logit));
    });
    for (const [n, p] of (await probabilitiesOf(other, { sequences: short })).entries())
      expect(Math.abs(p - expected[n])).toBeLessThanOrEqual(2e-6);
    expect(new Set(expected.map((p) => p.toFixed(3))).size).toBeGreaterThan(10);
  });

  test("gets rows and their number where it takes lengths", async () => {
    const app = openOnnx(encodeLogistic(3, 1, Float32Array.of(1, 10, 100), { takesLengths: true }));
    const [p] = await probabilitiesOf(app, { sequence: [[0.01], [0.02]] }); // 1 · 0.01 + 10 · 0.02, and the length 2
    expect(Math.log(p / (1 - p))).toBeCloseTo(2.21, 5);
  });

  test("has its own shape: steps and features of the graph", async () => {
    const app = openOnnx(encodeLogistic(3, 2, Float32Array.of(0, 0, 0, 0, 1, 0)));
    expect(await probabilitiesOf(app, { sequence: [[0, 9]] })).toEqual([0.5]);
    const refused = await postScore(app, JSON.stringify({ sequence: [[1, 2, 3]] }));
    expect(await refused.json()).toMatchObject({ status: 422, detail: "sequence[0] must have 2 numbers, got 3" });
  });

  test("says of its training that nothing is known, and takes no other base rate", async () => {
    const card = await (await other.request("/v1/model")).json();
    expect(card).toMatchObject({ name: "onnx", timesteps: T, features: ["f0", "f1", "f2", "f3", "f4"] });
    for (const key of ["metrics", "units", "calibration", "data"]) expect(card).not.toHaveProperty(key);
    const refused = await postScore(other, JSON.stringify({ sequences, prior: 0.1 }));
    expect(refused.status).toBe(422);
    expect((await refused.json()).detail).toMatch(/^prior must be left out, since how common 1s were .* is not known, got 0.1$/);
    expect((await postScore(other, JSON.stringify({ sequences }))).status).toBe(200);
    const { components } = await (await other.request("/openapi.json")).json();
    expect(components.schemas.ScoreOne.properties.prior).toBeUndefined();
  });

  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["no ONNX", new TextEncoder().encode("<html>"), /^the ONNX model cannot be opened: /],
    ["nothing", new Uint8Array(), /^the ONNX model cannot be opened: /],
    [
      "raw float64 sequences, the recipe inside",
      encodeOnnx(model, { preprocessing: true }),
      /its first input must be float32 \(N, steps, features\), got sequences: float64 \(N, 10, 5\)$/,
    ],
    [
      "rows without steps",
      encodeLogistic(1, F, weights.subarray(0, F), { input: port("rows", FLOAT, ["batch", F]) }),
      /got rows: float32 \(batch, 5\)$/,
    ],
    [
      "three classes",
      encodeLogistic(T, F, new Float32Array(3 * T * F), { width: 3, ending: "Softmax" }),
      /its first output must be float32 \(N\), \(N, 1\) or \(N, 2\), got answer: float32 \(batch, 3\)$/,
    ],
    ["a fixed batch of 4", encodeLogistic(T, F, weights, { input: port("rows", FLOAT, [4, T, F]) }), /does not run: .*Expected: 4/s],
    [
      "float64 rows",
      encodeLogistic(T, F, weights, { input: port("rows", DOUBLE, ["batch", T, F]) }),
      /^the ONNX model cannot be opened: .*Type/,
    ],
  ])("is unready with the reason where it holds %s", async (_, onnx, reason) => {
    expect(await reasonOf(openOnnx(onnx))).toMatch(reason);
  });

  test("that answers with no probability for some sequence gives an error for it, never a score", async () => {
    const app = openOnnx(
      encodeLogistic(
        T,
        2,
        Float32Array.from({ length: 2 * T }, (_, i) => (i % 2 === 0 ? 1e30 : -1e30)),
      ),
    ); // ∞ − ∞ from 1e9 on
    expect(await probabilitiesOf(app, { sequence: [[3, 3]] })).toEqual([0.5]);
    const response = await postScore(app, JSON.stringify({ sequences: [[[3, 3]], [[1e9, 1e9]]] }));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/^model.onnx cannot be served: .* got NaN/) });
  });
});

describe("what the numbers of another's model.onnx are", () => {
  const random = randomOf(4);
  const weights = Float32Array.from({ length: T * F }, () => (random() - 0.5) / 50); // logits of the sequences: mostly within 0 to 1
  const two = Float32Array.from({ length: 2 * T * F }, (_, i) => (i % 2 === 0 ? -weights[i >> 1] / 2 : weights[i >> 1] / 2));
  const logitOf = (rows: number[][]): number => rows.flat().reduce((sum, x, i) => sum + x * weights[i], 0);
  const expected = sequences.map((rows) => 1 / (1 + Math.exp(-logitOf(rows))));
  const squeeze = { nodes: [node("Flatten", ["answer"], "flat1", int("axis", 0)), node("Squeeze", ["flat1"], "shown")], shape: ["batch"] };
  const second = {
    nodes: [node("Gather", ["answer", "one"], "shown", int("axis", 1))],
    constants: [tensor("one", INT64, [], raw(BigInt64Array.of(1n)))],
    shape: ["batch"],
  };

  test.each<[string, Uint8Array<ArrayBuffer>, string?]>([
    ["a Sigmoid", encodeLogistic(T, F, weights)],
    ["a Sigmoid and changes of shape", encodeLogistic(T, F, weights, { behind: squeeze })],
    ["a Sigmoid, declared as probabilities", encodeLogistic(T, F, weights), "probabilities"],
    ["a Softmax of two", encodeLogistic(T, F, two, { width: 2, ending: "Softmax" })],
    ["a Softmax of which the second is picked", encodeLogistic(T, F, two, { width: 2, ending: "Softmax", behind: second })],
    ["nothing, declared as logits", encodeLogistic(T, F, weights, { ending: null }), "logits"],
    ["nothing and two numbers, declared as logits", encodeLogistic(T, F, two, { width: 2, ending: null }), "logits"],
    [
      "a logistic function written out, declared as probabilities",
      encodeLogistic(T, F, weights, {
        ending: null,
        behind: {
          nodes: [
            node("Neg", ["answer"], "n"),
            node("Exp", ["n"], "e"),
            node("Add", ["e", "one"], "s"),
            node("Reciprocal", ["s"], "shown"),
          ],
          constants: [floats("one", [1], raw(Float32Array.of(1)))],
          shape: ["batch", 1],
        },
      }),
      "probabilities",
    ],
  ])("a graph that ends in %s is scored as the probability that it means", async (_, onnx, declared) => {
    for (const [n, p] of (await probabilitiesOf(openOnnx(onnx, declared), { sequences })).entries())
      expect(Math.abs(p - expected[n])).toBeLessThanOrEqual(2e-6);
  });

  const OTHERWISE = 'add one, or declare ONNX_OUTPUT = "logits", or "probabilities" where its numbers are that';
  test.each<[string, Uint8Array<ArrayBuffer>, string | undefined, string]>([
    [
      "logits that are not declared",
      encodeLogistic(T, F, weights, { ending: null }),
      undefined,
      `its graph ends in MatMul, expected a Sigmoid or a Softmax of two: ${OTHERWISE}`,
    ],
    [
      "two logits that are not declared",
      encodeLogistic(T, F, two, { width: 2, ending: null }),
      "",
      "its graph ends in MatMul, expected a Sigmoid",
    ],
    [
      "a Sigmoid that is not the end",
      encodeLogistic(T, F, weights, { behind: { nodes: [node("Neg", ["answer"], "shown")], shape: ["batch", 1] } }),
      undefined,
      "its graph ends in Neg, expected a Sigmoid",
    ],
    [
      "logits declared as probabilities",
      encodeLogistic(T, F, weights, { ending: null }),
      "probabilities",
      "it must give a probability, from 0 to 1, for a sequence, got -",
    ],
    [
      "probabilities declared as logits",
      encodeLogistic(T, F, weights),
      "logits",
      'its graph ends in Sigmoid, so ONNX_OUTPUT = "logits" would be wrong: leave it out',
    ],
    [
      "probabilities that do not show as such, declared as logits",
      encodeLogistic(T, F, weights, { behind: { nodes: [node("Abs", ["answer"], "shown")], shape: ["batch", 1] } }),
      "logits",
      "ONNX_OUTPUT says logits, but its answers to 36 sequences of all sizes lie from 0 to 1: are these probabilities?",
    ],
    [
      "a Softmax of one",
      encodeLogistic(T, F, weights, { ending: "Softmax" }),
      undefined,
      "its graph ends in a Softmax of one number, which is always 1",
    ],
    ["another word", encodeLogistic(T, F, weights), "logit", 'ONNX_OUTPUT must be "logits", "probabilities" or "", got "logit"'],
    [
      "NaN",
      encodeLogistic(T, F, new Float32Array(T * F).fill(Number.NaN), { ending: null }),
      "logits",
      "it must give numbers for a sequence, got NaN and nothing else for 36",
    ],
  ])("%s: unready with the reason, not served", async (_, onnx, declared, reason) => {
    expect(await reasonOf(openOnnx(onnx, declared))).toContain(`model.onnx cannot be served: ${reason}`);
  });

  test("whatever bytes the end is read from, it is found or null", () => {
    const bytes = encodeLogistic(T, F, weights);
    expect(readEnding(bytes)).toEqual({ operator: "Sigmoid", isPicked: false });
    for (let k = 0; k < 2000; k++) {
      const damaged = Uint8Array.from(k % 4 === 0 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes);
      if (damaged.length > 0) damaged[Math.floor(random() * damaged.length)] ^= 1 << (k % 8);
      expect(["string", "undefined"]).toContain(typeof readEnding(damaged)?.operator);
    }
  });
});
