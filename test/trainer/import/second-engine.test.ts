// `import --engine onnx`: any graph, the artifact beside it, and what the second engine makes of both.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createApp } from "../../../edge/app.ts";
import { bundledOnly } from "../../../edge/models/models.ts";
import { openOnnxModel } from "../../../edge/models/onnx-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine } from "../../../shared/engine.ts";
import { openSession } from "../../../shared/onnx/session.ts";
import { inspectCommand } from "../../../trainer/commands/inspect.ts";
import { decodeModel, encodeModel } from "../../../trainer/export/onnx/protobuf.ts";
import { EXTERNAL } from "../../../trainer/export/onnx/schema.ts";
import { embedWeights } from "../../../trainer/import/onnx/embed-weights.ts";
import { assembleGraph } from "../../../trainer/import/second-engine.ts";
import { DEPENDENCIES, postScore } from "../../fixtures/app.ts";
import { engines } from "../../fixtures/import/importing.ts";
import { normals } from "../../fixtures/import/onnx-graphs.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { encodeLogistic, functions, runtime } from "../../fixtures/onnx.ts";

const [T, F] = [4, 3];
const weights = normals(3, T * F);
const onnx = encodeLogistic(T, F, weights);
const open = (bytes: Uint8Array) => openSession(runtime, bytes);
const options = { name: "mine", file: "mine.onnx", sha256: "0".repeat(64), node: "24" };
const said = { timesteps: null, isLogit: false };
const scaler = { mean: Float64Array.of(1, 2, 3), scale: Float64Array.of(2, 4, 8) };
const sequences = Array.from({ length: 5 }, (_, n) =>
  Array.from({ length: T }, (_, t) => Array.from({ length: F }, (_, f) => n + 2 * t - f)),
);

async function serve(graph: Uint8Array<ArrayBuffer>, artifact: Uint8Array<ArrayBuffer>) {
  return createApp(bundledOnly(openOnnxModel(graph, artifact, open, functions)), DEPENDENCIES);
}

async function probabilitiesOf(app: Awaited<ReturnType<typeof serve>>): Promise<number[]> {
  const response = await postScore(app, JSON.stringify({ sequences }));
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()).results.map(({ probability }: { probability: number }) => probability);
}

test("the graph is served with the artifact's features, scaler and calibration, and its golden vectors", async () => {
  const { model } = assembleGraph("mine.onnx", onnx, open, said, { ...options, features: ["a", "b", "c"], scaler }, engines);
  const calibration = { slope: 0.5, intercept: 1 };
  const calibrated = { ...model, calibration };
  const app = await serve(onnx, encodeArtifact(model) as Uint8Array<ArrayBuffer>);
  expect((await (await app.request("/v1/model")).json()).features).toEqual(["a", "b", "c"]);
  const logits = sequences.map((rows) =>
    rows.flat().reduce((sum, x, k) => sum + weights[k] * ((x - scaler.mean[k % F]) / scaler.scale[k % F]), 0),
  );
  for (const [n, p] of (await probabilitiesOf(app)).entries()) expect(p).toBeCloseTo(1 / (1 + Math.exp(-logits[n])), 5);
  // other golden vectors belong to another calibration
  const golden = {
    ...model.golden,
    probabilities: model.golden.probabilities.map((p) => 1 / (1 + Math.exp(-(0.5 * Math.log(p / (1 - p)) + 1)))),
  };
  const moved = await serve(onnx, encodeArtifact({ ...calibrated, golden }) as Uint8Array<ArrayBuffer>);
  for (const [n, p] of (await probabilitiesOf(moved)).entries()) expect(p).toBeCloseTo(1 / (1 + Math.exp(-(0.5 * logits[n] + 1))), 5);
});

test("inspect sends nobody to a command that refuses the artifact", async () => {
  const { bytes } = assembleGraph("mine.onnx", onnx, open, said, { ...options, features: ["a", "b", "c"], scaler }, engines);
  const path = join(mkdtempSync(join(tmpdir(), "quickstep-graph-")), "mine.safetensors");
  writeFileSync(path, bytes);
  const printed: string[] = [];
  const dependencies = { loadEngines: () => engines, terminal: { print: (text: string) => printed.push(text) } };
  await inspectCommand.run({ files: [path], json: false } as never, dependencies as never);
  expect(printed.join("\n")).toContain("metrics    none: the graph runs on the second engine alone, where quickstep computes none");
  expect(printed.join("\n")).not.toContain("quickstep calibrate");
});

test("another graph beside the artifact is not served, and the default engine says where the graph runs", async () => {
  const { model, bytes } = assembleGraph("mine.onnx", onnx, open, said, options, engines);
  const other = await serve(encodeLogistic(T, F, normals(4, T * F)), bytes as Uint8Array<ArrayBuffer>);
  expect((await (await other.request("/health/ready")).json()).detail).toMatch(/^golden vector \d+ scored/);
  expect(() => createWasmEngine(kernel, model)).toThrow(/an ONNX graph, which the second engine runs: put it at edge\/model\.onnx/);
});

test.each([
  [
    "neither a sigmoid nor --logits",
    () => encodeLogistic(T, F, weights, { ending: null }),
    /ends in MatMul, expected a Sigmoid or a Softmax of two: add one, or declare --logits/,
  ],
  ["no graph at all", () => new Uint8Array(40), /^mine\.onnx: the ONNX model cannot be opened/],
] as const)("%s is refused", (_, make, sentence) => {
  expect(() => assembleGraph("mine.onnx", make(), open, said, options, engines)).toThrow(sentence);
});

test("weights beside the file are put into the graph, and every other byte stays", () => {
  const model = decodeModel(onnx);
  const [tensor] = model.graph!.initializer!;
  const numbers = tensor.rawData!;
  const entry = (key: string, value: string) => ({ key, value });
  const external = {
    ...tensor,
    rawData: undefined,
    dataLocation: EXTERNAL,
    externalData: [entry("location", "w.data"), entry("offset", "4")],
  };
  const outside = encodeModel({ ...model, graph: { ...model.graph, initializer: [external] } });
  // a field that the schema does not name: ir_version's neighbour, a model's domain
  const named = new Uint8Array([...outside, 0x22, 3, 0x61, 0x62, 0x63]);
  const data = new Uint8Array(4 + numbers.length);
  data.set(numbers, 4);
  const inside = embedWeights(named, () => data, "mine.onnx");
  expect(decodeModel(inside).graph!.initializer![0].rawData).toEqual(new Uint8Array(numbers));
  expect([...inside.slice(-5)]).toEqual([0x22, 3, 0x61, 0x62, 0x63]);
  expect(open(inside).run([{ type: 1, shape: [1, T, F], data: new Float32Array(T * F) }])[0]).toBe(0.5);
});
