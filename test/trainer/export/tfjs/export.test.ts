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
import { shapeOf } from "../../../../shared/recipe/recipe.ts";
import { encodeTfjs } from "../../../../trainer/export/tfjs/export.ts";
import type { Prepare } from "../../../../trainer/export/tfjs/recipe-module.ts";
import { kernel } from "../../../fixtures/kernel.ts";
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

test("a stack writes its LSTM and its linear member, and says that tfjs has no trees", async () => {
  const stack = makeStack(kernel);
  const { held, missing } = encodeTfjs(stack);
  expect(missing).toEqual(["trees: tfjs has no layer of decision trees"]);
  expect(held.map((sentence) => sentence.split(" ")[0]).sort()).toEqual(["linear/model.json", "lstm/model.json"]);
  const to = write(stack);
  expect([existsSync(join(to, "trees")), existsSync(join(to, "model.json"))]).toEqual([false, false]);
  const { prepare } = (await import(join(to, "recipe.js"))) as { prepare: Prepare };
  const { sequences, values } = rowsOf(stack);
  const valid = sequences.map((_, n) => n).filter((n) => sequences[n].some((row) => row.some((x) => x !== 0)));
  const { channels, channelsShape, columns, columnsShape } = prepare(valid.map((n) => sequences[n]));
  const inputs = computeInputs(stack, pick(stack, values, valid), log);
  for (const member of stack.members) {
    if (member.kind === "trees") continue;
    const alone = { members: [member], stack: { weights: [1], intercept: 0 }, calibration: { slope: 1, intercept: 0 } };
    const expected = createWasmEngine(kernel, alone).probabilities(inputs);
    const model = await load(join(to, `${member.kind}/model.json`));
    const input = member.kind === "linear" ? tf.tensor2d(columns!, [...columnsShape!]) : tf.tensor3d(channels, [...channelsShape]);
    const predicted = (model.predict(input) as tf.Tensor).dataSync();
    for (let n = 0; n < valid.length; n++)
      if (Math.abs(Math.log(expected[n] / (1 - expected[n]))) < 8.99) expect(Math.abs(predicted[n] - expected[n])).toBeLessThan(TOLERANCE);
  }
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
