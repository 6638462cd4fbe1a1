// Exports for tfjs, loaded by tf.loadLayersModel and fed by their own recipe.js, give the kernel's probabilities for every length.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeArtifact } from "../../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../../shared/engine.ts";
import { computeInputs, type Model, score } from "../../../../shared/model.ts";
import type { Activation } from "../../../../shared/networks/activation.ts";
import type { LayerText } from "../../../../shared/networks/layers.ts";
import { shapeOf } from "../../../../shared/recipe/recipe.ts";
import { encodeTfjs } from "../../../../trainer/export/tfjs/export.ts";
import type { Prepare } from "../../../../trainer/export/tfjs/recipe-module.ts";
import { createDraw, drawNetwork } from "../../../fixtures/draw-layers.ts";
import { kernel, seriesColumns } from "../../../fixtures/kernel.ts";
import { makeLayeredModel } from "../../../fixtures/layered-model.ts";
import { makeModel, makeNetwork, makeSequences, withNetwork } from "../../../fixtures/model.ts";
import { makeStack } from "../../../fixtures/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-tfjs-"));
const TOLERANCE = 2e-6;
const N = 60;
const { log } = instantiateKernel(kernel);

beforeAll(() => tf.setBackend("cpu"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As tfjs fetches a model, from files. */
const load = (path: string): Promise<tf.LayersModel> =>
  tf.loadLayersModel(tf.io.http(path, { fetchFunc: async (url: string) => new Response(readFileSync(url)) } as never));

/** Weights within ±`size`, so that no logit is far beyond what a probability shows. */
function draw(size: number, seed = 1): (...shape: number[]) => Float32Array {
  const numbers = createDraw(seed);
  return (...shape) => numbers(...shape).map((x) => size * x);
}

let exports = 0;
/** Writes the export, and gives its folder. */
function write(model: Model): string {
  const to = join(folder, `export-${exports++}`);
  for (const [name, bytes] of encodeTfjs(model).files) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), bytes);
  }
  return to;
}

/** Sequences of every length, as rows, and the flat (N,T,F) buffer. */
function rowsOf(model: Model) {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  const values = makeSequences(N, T, F, 5);
  const all = Array.from({ length: N }, (_, n) =>
    Array.from({ length: T }, (_, t) => Array.from(values.subarray((n * T + t) * F, (n * T + t + 1) * F))),
  );
  const sequences = all.map((rows, n) => rows.slice(n % T)); // the last rows
  sequences.forEach((rows, n) => {
    values.fill(0, n * T * F, (n * T + T - rows.length) * F);
  });
  return { sequences, values };
}

async function compare(model: Model): Promise<void> {
  const to = write(model);
  const { prepare } = (await import(join(to, "recipe.js"))) as { prepare: Prepare };
  const { sequences, values } = rowsOf(model);
  const valid = sequences.map((_, n) => n).filter((n) => sequences[n].some((row) => row.some((x) => x !== 0)));
  const { channels, channelsShape } = prepare(valid.map((n) => sequences[n]));
  const expected = score(model, createWasmEngine(kernel, model), log, pick(model, values, valid)).probabilities;
  const loaded = await load(join(to, "model.json"));
  const predicted = (loaded.predict(tf.tensor3d(channels, [...channelsShape])) as tf.Tensor).dataSync();
  expect(predicted).toHaveLength(valid.length);
  for (let n = 0; n < valid.length; n++) expect(Math.abs(predicted[n] - expected[n]), `sequence ${n}`).toBeLessThan(TOLERANCE);
}

function pick(model: Model, values: Float64Array, indices: readonly number[]): Float64Array {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  return Float64Array.from(indices.flatMap((n) => Array.from(values.subarray(n * T * F, (n + 1) * T * F))));
}

describe("one network", () => {
  const plain = makeModel(kernel, { name: "plain" });
  test("with its calibration", () => compare({ ...plain, calibration: { slope: 1.3, intercept: -0.4 } }));
  test.each(["any", "none"] as const)("where padding is %s", (padding) => compare({ ...plain, recipe: { ...plain.recipe, padding } }));
  test("with hard gates of Keras 1 and 2, and of Keras 3", async () => {
    await compare(withNetwork(plain, { hardGates: 0.2 }));
    await compare(withNetwork(plain, { hardGates: 1 / 6 }));
  });
  test("that reads steps backwards", () => compare(withNetwork(plain, { backwards: true })));
  test("with a state before the first step is refused in words", () => {
    const { units } = makeNetwork(1, 8, 1);
    const initial = { hidden: new Float32Array(units), cell: new Float32Array(units) };
    expect(() => encodeTfjs(withNetwork(plain, { initial }))).toThrow("has a state before the first step: tfjs' LSTM layer cannot hold");
  });
});

describe("a network of layers", () => {
  const recurrent = (cell: "lstm" | "gru" | "rnn", units: number, returns: "state" | "sequence"): LayerText => ({
    kind: "recurrent",
    cell: { cell, units },
    returns,
  });
  const both = (cell: "lstm" | "gru" | "rnn", units: number, merge: "concat" | "sum", returns: "state" | "sequence"): LayerText => ({
    kind: "bidirectional",
    forward: { cell, units },
    backward: { cell, units },
    merge,
    returns,
  });
  const act = (activation: Activation): LayerText => ({ kind: "activation", activation });
  const pool = (...by: ("first" | "last" | "mean" | "max" | "ends")[]): LayerText => ({ kind: "globalPooling", by });
  const conv = (kernelSize: number, pads: [number, number]): LayerText => ({
    kind: "conv",
    filters: 6,
    kernelSize,
    strides: 1,
    dilationRate: 1,
    pads,
  });
  const head: LayerText = { kind: "dense", units: 1 };
  const modelOf = (layers: LayerText[], padding: "leading" | "none" = "leading") =>
    makeLayeredModel(kernel, { padding, network: drawNetwork([...layers, head], makeModel(kernel).recipe.channels.length, draw(0.3)) });

  test.each<[string, LayerText[]]>([
    [
      "two directions, then one",
      [both("lstm", 6, "concat", "sequence"), recurrent("lstm", 5, "state"), { kind: "dense", units: 4 }, act({ kind: "relu" })],
    ],
    ["GRU", [both("gru", 5, "sum", "sequence"), recurrent("gru", 4, "state"), act({ kind: "softsign" })]],
    ["simple cells", [recurrent("rnn", 5, "sequence"), both("rnn", 3, "concat", "state"), act({ kind: "selu" })]],
    [
      "normalisations between",
      [
        { kind: "dense", units: 6 },
        act({ kind: "silu" }),
        { kind: "affine" },
        recurrent("lstm", 5, "sequence"),
        { kind: "layerNormalization", epsilon: 1e-3 },
        recurrent("gru", 3, "state"),
      ],
    ],
    [
      "functions with a slope",
      [
        recurrent("lstm", 6, "state"),
        act({ kind: "leakyRelu", alpha: 0.1 }),
        { kind: "dense", units: 4 },
        act({ kind: "elu", alpha: 1 }),
        { kind: "dense", units: 4 },
        act({ kind: "softplus" }),
      ],
    ],
  ])("of %s, for every length", { timeout: 120_000 }, (_, layers) => compare(modelOf(layers)));

  test.each<[string, LayerText[]]>([
    ["convolutions and the maximum", [conv(3, [1, 1]), act({ kind: "relu" }), conv(2, [0, 1]), pool("max")]],
    ["a convolution and the mean beside the last row", [conv(3, [0, 0]), pool("mean", "last")]],
    [
      "pooled rows, flattened",
      [
        { kind: "pooling", by: "max", poolSize: 2, strides: 2, pads: [0, 0] },
        { kind: "flatten", steps: 5 },
      ],
    ],
    ["rows of an LSTM and the first", [recurrent("lstm", 4, "sequence"), pool("first")]],
    [
      "an LSTM beside a residual convolution",
      [
        {
          kind: "branches",
          merge: "concat",
          branches: [
            [both("lstm", 4, "concat", "sequence"), pool("ends", "mean")],
            [conv(3, [0, 0]), { kind: "branches", merge: "sum", branches: [[], [conv(3, [1, 1]), act({ kind: "relu" })]] }, pool("max")],
          ],
        },
      ],
    ],
  ])("of %s, where every sequence has all rows", { timeout: 120_000 }, (_, layers) => compare(modelOf(layers, "none")));

  test.each<[string, LayerText[], string]>([
    ["a pooling of several lengths", [recurrent("lstm", 4, "sequence"), pool("max")], "has maximum over rows: tfjs' layer knows no mask"],
    [
      "attention",
      [{ kind: "dense", units: 2 }, { kind: "attentionPooling" }],
      "has mean over rows by attention: tfjs has no layer that weights rows so",
    ],
    [
      "branches of several lengths",
      [{ kind: "branches", merge: "sum", branches: [[], []] }],
      "has (as it is + as it is): tfjs' layers that merge know no mask",
    ],
    [
      "a GRU that resets behind",
      [{ kind: "recurrent", cell: { cell: "gru", units: 3, recurrentBias: true }, returns: "state" }],
      "has GRU(3): tfjs' GRU has its reset gate",
    ],
    [
      "a state before the first step",
      [{ kind: "recurrent", cell: { cell: "lstm", units: 3, initialCell: true }, returns: "state" }],
      "cannot hold a state before the first step",
    ],
  ])("with %s is refused by name", (_, layers, sentence) => {
    expect(() => encodeTfjs(modelOf(layers))).toThrow(sentence);
  });
});

/** Each member that is written gives its own probability, within the tolerance. */
async function compareMembers(stack: Model): Promise<void> {
  const to = write(stack);
  expect([existsSync(join(to, "trees")), existsSync(join(to, "model.json"))]).toEqual([false, false]);
  const { prepare } = (await import(join(to, "recipe.js"))) as { prepare: Prepare };
  const { sequences, values } = rowsOf(stack);
  const valid = sequences.map((_, n) => n).filter((n) => sequences[n].some((row) => row.some((x) => x !== 0)));
  const { channels, channelsShape, columns, columnsShape } = prepare(valid.map((n) => sequences[n]));
  const inputs = computeInputs(stack, pick(stack, values, valid), log, seriesColumns);
  for (const member of stack.members) {
    if (!existsSync(join(to, member.kind))) continue;
    const alone = { members: [member], stack: { weights: [1], intercept: 0 }, calibration: { slope: 1, intercept: 0 } };
    const expected = createWasmEngine(kernel, alone).probabilities(inputs);
    const model = await load(join(to, `${member.kind}/model.json`));
    const input = member.kind === "linear" ? tf.tensor2d(columns!, [...columnsShape!]) : tf.tensor3d(channels, [...channelsShape]);
    const predicted = (model.predict(input) as tf.Tensor).dataSync();
    for (let n = 0; n < valid.length; n++)
      if (Math.abs(Math.log(expected[n] / (1 - expected[n]))) < 8.99) expect(Math.abs(predicted[n] - expected[n])).toBeLessThan(TOLERANCE);
  }
}

test("a stack writes its LSTM and its linear member, and says that tfjs has no trees", async () => {
  const stack = makeStack(kernel);
  const { held, missing } = encodeTfjs(stack);
  expect(missing).toEqual(["trees: tfjs has no layer of decision trees"]);
  expect(held.map((sentence) => sentence.split(" ")[0]).sort()).toEqual(["linear/model.json", "lstm/model.json"]);
  await compareMembers(stack);
});

test("a stack writes the average of its networks of layers, or says which layer tfjs cannot hold", async () => {
  const stack = makeStack(kernel, { kinds: ["layers", "linear"] });
  expect(encodeTfjs(stack).missing).toEqual([expect.stringMatching(/^layers: has bidirectional GRU\(5\) and LSTM\(4/)]);
  const layers: LayerText[] = [
    { kind: "recurrent", cell: { cell: "gru", units: 5 }, returns: "state" },
    { kind: "dense", units: 1 },
  ];
  const networks = [1, 2, 3].map((seed) => drawNetwork(layers, stack.recipe.channels.length, draw(0.5, seed)));
  const held = { ...stack, members: [{ kind: "layers" as const, networks }, stack.members[1]] };
  expect(encodeTfjs(held).missing).toEqual([]);
  await compareMembers(held);
});

test("a stack of trees alone is refused, with the way forward", () => {
  const stack = makeStack(kernel);
  const members = stack.members.filter(({ kind }) => kind === "trees");
  expect(() => encodeTfjs({ ...stack, members })).toThrow(
    /^has nothing that tfjs can hold \(trees: .*\): export with --onnx FILE --preprocessing$/,
  );
});

test("recipe.js depends on nothing, and names the place of what it cannot take", async () => {
  const to = write(makeModel(kernel));
  const text = readFileSync(join(to, "recipe.js"), "utf8");
  expect(text).not.toMatch(/^\s*import\b|\brequire\(|\bprocess\b/m);
  const { prepare } = (await import(join(to, "recipe.js"))) as { prepare: Prepare };
  expect(() => prepare([[[1, 2, 3, 4, "x"]]])).toThrow("sequences[0][0][4] must be a finite number");
  expect(() => prepare([[[0, 0, 0, 0, 0]]])).toThrow("sequences[0] must have at least one row that is not all zeros, got only padding");
});

test("export --tfjs writes the folder, and says what is in it", () => {
  const artifact = join(folder, "stack.safetensors");
  writeFileSync(artifact, encodeArtifact(makeStack(kernel)));
  const main = fileURLToPath(new URL("../../../../trainer/main.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [main, "export", artifact, "--tfjs", "out"], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stderr).toContain("recipe.js makes channels of raw rows");
  expect(stderr).toContain("not written: trees: tfjs has no layer of decision trees; --onnx FILE --preprocessing holds the whole model");
  for (const name of ["recipe.js", "lstm/model.json", "lstm/weights.bin", "linear/model.json"])
    expect(existsSync(join(folder, "out", name))).toBe(true);
});
