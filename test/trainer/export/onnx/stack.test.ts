// The whole stack as one graph, on ONNX Runtime, against the kernel: raw sequences in, the same probabilities out.
import * as ort from "onnxruntime-web/wasm";
import { expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../../shared/engine.ts";
import { networksOf } from "../../../../shared/members.ts";
import { type Model, score } from "../../../../shared/model.ts";
import type { Channel } from "../../../../shared/recipe/channel.ts";
import { computeColumns } from "../../../../shared/recipe/columns.ts";
import { fitView } from "../../../../shared/recipe/fit.ts";
import { columnsOf, describeColumns, type TabularView } from "../../../../shared/recipe/tabular.ts";
import { synthesiseGolden } from "../../../../trainer/artifact/golden.ts";
import { createBuilder } from "../../../../trainer/export/onnx/builder.ts";
import { encodeOnnx } from "../../../../trainer/export/onnx/export.ts";
import { port } from "../../../../trainer/export/onnx/graph.ts";
import { encodeModel } from "../../../../trainer/export/onnx/protobuf.ts";
import { buildRecipe } from "../../../../trainer/export/onnx/recipe-graph.ts";
import { DOUBLE } from "../../../../trainer/export/onnx/schema.ts";
import { buildView } from "../../../../trainer/export/onnx/view-graph.ts";
import { encodeTorch } from "../../../../trainer/export/torch.ts";
import { transpose } from "../../../../trainer/export/torch-layout.ts";
import { planView } from "../../../../trainer/features/view-plan.ts";
import { readOnnx } from "../../../../trainer/import/onnx/read-onnx.ts";
import { readSafetensors } from "../../../../trainer/import/torch/safetensors.ts";
import { readTorch } from "../../../../trainer/import/torch/state-dict.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";
import { irregularSequences, makeIrregularModel } from "../../../fixtures/irregular.ts";
import { kernel, seriesColumns } from "../../../fixtures/kernel.ts";
import { makeSequences } from "../../../fixtures/model.ts";
import { STACK_CASES, stackSequences } from "../../../fixtures/parity.ts";
import { makeStack } from "../../../fixtures/stack.ts";

ort.env.wasm.numThreads = 1;
const { log } = instantiateKernel(kernel);
/** As preprocessing.test.ts argues for networks; trees' and linear members' logits are float64 up to one rounding to float32, 5e-7 at 9. */
const TOLERANCE = 2e-6;

async function run(onnx: Uint8Array, { recipe }: Model, values: Float64Array, output: string): Promise<ArrayLike<number>> {
  const { timesteps, features } = recipe;
  const session = await ort.InferenceSession.create(onnx);
  const N = values.length / (timesteps * features.length);
  const results = await session.run({ sequences: new ort.Tensor("float64", values, [N, timesteps, features.length]) });
  await session.release();
  return results[output].data as Float64Array;
}

test.each(STACK_CASES.map((testCase) => ({ testCase, kinds: testCase.kinds!.join(", ") })))(
  "ONNX Runtime gives the kernel's probabilities of raw sequences: $kinds",
  async ({ testCase }) => {
    const model = makeStack(kernel, testCase);
    const values = stackSequences(testCase);
    const expected = score(model, createWasmEngine(kernel, model), log, values).probabilities;
    const got = await run(encodeOnnx(model, { preprocessing: true }), model, values, "probability");
    let worst = 0;
    for (let n = 0; n < expected.length; n++) {
      const difference = Math.abs(expected[n] - got[n]);
      if (!(difference <= worst)) worst = difference; // NaN counts as the largest
    }
    expect(got).toHaveLength(200);
    expect(new Set(expected).size).toBeGreaterThan(100);
    expect(worst).toBeLessThanOrEqual(TOLERANCE);
  },
);

/** The view's columns of `values`, by ONNX Runtime and by the kernel's side. */
async function expectColumns(model: Model, view: TabularView, values: Float64Array): Promise<void> {
  const { timesteps, features } = model.recipe;
  const build = createBuilder();
  const { rows } = buildRecipe(build, model.recipe);
  build.op("Identity", [buildView(build, view, rows, timesteps)], [], "columns");
  const V = columnsOf(view).length;
  const onnx = encodeModel({
    irVersion: 8,
    graph: {
      node: build.nodes,
      name: "view",
      initializer: build.constants,
      input: [port("sequences", DOUBLE, ["N", timesteps, 5])],
      output: [port("columns", DOUBLE, ["N", V])],
    },
    opsetImport: [{ domain: "", version: 17 }],
  });
  const expected = computeColumns(view, model.recipe, values, log, seriesColumns);
  const got = await run(onnx, model, values, "columns");
  const names = describeColumns(view, features);
  expect(got).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const what = `${names[i % V]} of sequence ${Math.floor(i / V)}`;
    if (Number.isNaN(expected[i])) expect(got[i], what).toBeNaN();
    else expect(Math.abs(got[i] - expected[i]), what).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(expected[i])));
  }
}

test.each([1, 2, 10, 60])("every column of the view is what the kernel's side computes: %i steps", async (timesteps) => {
  const model = makeStack(kernel, { timesteps, kinds: ["linear"] });
  const { keep: _, ...view } = model.view!;
  await expectColumns(model, view, makeSequences(80, timesteps, 5, 31));
});

test.each([2, 10, 60])("the same where numbers are missing and rows have times: %i steps", async (timesteps) => {
  const given = { timesteps, gaps: [0, 1, 3], clock: true } as const;
  const channels: readonly Channel[] = [
    { base: "feature", a: 0, view: "rate" },
    { base: "feature", a: 1, view: "delta", whereObserved: true },
    { base: "difference", a: 1, b: 3, view: "absDelta" },
    { base: "observed", a: 3, view: "level" },
    { base: "sinceObserved", a: 0, view: "level" },
    { base: "feature", a: 3, view: "centred" },
    { base: "difference", a: 0, b: 1, view: "delta", medianFilled: true },
  ];
  const model = makeIrregularModel(kernel, { ...given, channels });
  const plan = planView({ timesteps, moving: [0, 1, 2, 3], positive: [1, 3], channels });
  const fitted = irregularSequences(100, given, 12);
  const view = fitView(
    plan,
    model.recipe,
    fitted,
    Array.from({ length: 100 }, (_, n) => n),
    log,
  );
  await expectColumns(model, view, irregularSequences(80, given, 31));
});

test("ONNX Runtime gives the kernel's probabilities where numbers are missing", async () => {
  const model = makeStack(kernel, { gaps: [0, 1, 3] });
  const values = irregularSequences(200, { gaps: [0, 1, 3] }, 900);
  const expected = score(model, createWasmEngine(kernel, model), log, values).probabilities;
  const got = await run(encodeOnnx(model, { preprocessing: true }), model, values, "probability");
  expect(new Set(expected).size).toBeGreaterThan(100);
  for (const [n, p] of expected.entries()) expect(Math.abs(got[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
});

test("ONNX Runtime gives the kernel's probabilities where some is given once a sequence, which stands in padding too", async () => {
  const inputs = [{ name: "x" }, { name: "mode", levels: ["a", "b"] }, { name: "y" }, { name: "age", static: true }] as const;
  const model = makeStack(kernel, { inputs });
  const values = makeSequences(200, 10, 5, 900);
  for (let row = 4; row < values.length; row += 5) values[row] = 0.5 + (Math.floor(row / 50) % 7);
  const expected = score(model, createWasmEngine(kernel, model), log, values).probabilities;
  const got = await run(encodeOnnx(model, { preprocessing: true }), model, values, "probability");
  expect(new Set(expected).size).toBeGreaterThan(100);
  for (const [n, p] of expected.entries()) expect(Math.abs(got[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
});

test("numbers of every size: golden inputs, values up to the largest float64", async () => {
  for (const seed of [1, 2]) {
    const model = makeStack(kernel, { seed, trees: 100 });
    const values = synthesiseGolden(model.recipe, createRandom(seed));
    const expected = score(model, createWasmEngine(kernel, model), log, values).probabilities;
    const got = await run(encodeOnnx(model, { preprocessing: true }), model, values, "probability");
    for (const [n, p] of expected.entries()) expect(Math.abs(got[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
  }
});

test("nothing but padding is no score", async () => {
  const model = makeStack(kernel);
  const values = makeSequences(3, 10, 5, 1);
  values.fill(0, 50, 100);
  const got = await run(encodeOnnx(model, { preprocessing: true }), model, values, "probability");
  expect([got[0], got[1], got[2]]).toEqual([expect.any(Number), Number.NaN, expect.any(Number)]);
});

test("what cannot hold a stack says so", () => {
  const model = makeStack(kernel);
  expect(() => encodeOnnx(model)).toThrow("has several members, which look at raw sequences: --onnx needs --preprocessing");
  expect(() => encodeTorch(makeStack(kernel, { kinds: ["linear", "trees"] }))).toThrow("has no LSTM, only linear and trees");
  expect(() =>
    readOnnx(encodeOnnx(model, { preprocessing: true }), "stack.onnx", { timesteps: null, isChecked: false }, () => new Uint8Array()),
  ).toThrow("is an export of several members: import reads one network");
});

test("a state dict of PyTorch holds the LSTM member: each of its networks, bit for bit, and the stack in the metadata", () => {
  const model = makeStack(kernel);
  const bytes = encodeTorch(model);
  const { tensors, metadata } = readSafetensors(bytes, "stack.safetensors");
  const networks = networksOf(model);
  expect(networks).toHaveLength(2);
  for (const [i, { units: U, channels: C, kernel: W, recurrent: R, bias, headKernel, headBias }] of networks.entries()) {
    const tensor = (name: string): number[] => [...tensors.get(`${i}.${name}`)!.data];
    expect(tensors.get(`${i}.lstm.weight_ih_l0`)!.shape).toEqual([4 * U, C]);
    expect(tensor("lstm.weight_ih_l0")).toEqual([...transpose(W, C, 4 * U)]);
    expect(tensor("lstm.weight_hh_l0")).toEqual([...transpose(R, U, 4 * U)]);
    expect(tensor("lstm.bias_ih_l0")).toEqual([...bias]);
    expect(new Set(tensor("lstm.bias_hh_l0"))).toEqual(new Set([0]));
    expect([tensor("fc.weight"), tensor("fc.bias")]).toEqual([[...headKernel], [...headBias]]);
  }
  expect(JSON.parse(metadata.quickstep)).toMatchObject({ member: "lstm", members: ["lstm", "linear", "trees"], stack: model.stack });
  expect(() => readTorch({ tensors, metadata }, "stack.safetensors", { timesteps: null, isChecked: true })).toThrow(
    "is an export of one member of several",
  );
});
