// `train --layers`: the same path as the LSTM's, from data to an artifact that the kernel scores, and the same bytes however it is run.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { checkGolden } from "../../../shared/model.ts";
import { trainModel } from "../../../trainer/library/package-entry.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { LINEAR, makeData } from "../../fixtures/stack-runs.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-layers-"));
const at = (name: string): string => join(folder, name);
const N = 400;
const LAYERS = "bilstm:4,dropout:0.2,gru:3,dense:3:relu";
/** One network on raw numbers: seconds. */
const QUICK = { layers: LAYERS, learner: "layers", splitVersion: 1, recipe: "raw", batch: 50, epochs: 3 } as const;

beforeAll(async () => {
  const { values, labels } = generateFx(N, 3);
  writeFileSync(at("fx.npz"), await encodeNpz({ X: { data: values, shape: [N, 10, 5] }, y: { data: labels, shape: [N] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("one network of layers becomes an artifact whose card says the layers, the same bytes on any number of threads, without a word on the console", {
  timeout: 60_000,
}, async () => {
  const [warn, log] = [vi.spyOn(console, "warn"), vi.spyOn(console, "log")];
  const { artifact, card, renderReport } = await trainModel(at("fx.npz"), { ...QUICK, threads: 1 });
  expect(warn).not.toHaveBeenCalled();
  expect(log).not.toHaveBeenCalled();
  const again = await trainModel(at("fx.npz"), { ...QUICK, threads: 1 });
  const onTwo = await trainModel(at("fx.npz"), { ...QUICK, threads: 2 });
  expect(Buffer.from(again.artifact).equals(artifact)).toBe(true);
  expect(Buffer.from(onTwo.artifact).equals(artifact)).toBe(true);
  const model = decodeArtifact(artifact);
  expect(model.members).toMatchObject([
    { kind: "layers", networks: [{ layers: [{ kind: "bidirectional" }, { kind: "recurrent" }, {}, {}, {}] }] },
  ]);
  checkGolden(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log);
  const words = "bidirectional LSTM(4, every step) → GRU(3, reset before) → Dense(3) → relu → Dense(1)";
  expect(card.training).toMatchObject({ layers: words, optimizer: "rmsprop", epochs: 3 });
  const page = await renderReport();
  expect(page).toContain(`${words}, on 5 channels, `);
  expect(page).not.toContain("0 parameters");
});

test("in a stack five networks are averaged, the learner is called layers, and it may be left out", { timeout: 120_000 }, async () => {
  const { values, labels } = makeData({ N: 240, T: 2, F: 1 }, LINEAR);
  const sequences = Array.from(labels, (_, n) => [[values[2 * n]], [values[2 * n + 1]]]);
  const [own, test] = [
    [0, 160],
    [160, 240],
  ].map(([from, to]) => ({ sequences: sequences.slice(from, to), labels: labels.slice(from, to) }));
  const data = { ...own, test };
  const { artifact, card } = await trainModel(data, { layers: "gru:3,dense:2:tanh", learner: "layers", epochs: 120 });
  const model = decodeArtifact(artifact);
  expect(model.members).toMatchObject([{ kind: "layers", networks: Array(5).fill({ layers: [{ kind: "recurrent" }, {}, {}, {}] }) }]);
  checkGolden(model, createWasmEngine(kernel, model), instantiateKernel(kernel).log);
  expect(card.training.layers).toContain("GRU(3");
  const notes: string[] = [];
  const stack = await trainModel(data, { layers: "gru:3", epochs: 1 }, (event) => event.kind === "note" && notes.push(event.text));
  expect(stack.card.stack?.learners.map(({ name }) => name)).toEqual(["linear", "trees", "quantile trees", "layers"]);
  expect(stack.card.stack?.gate).toMatchObject({ learner: "layers" });
  expect(notes.join()).toMatch(/the network of layers (joins|is left out): beside the others it gains/);
});

describe("a run that is left", () => {
  /** Leaves the run in epoch `epoch`. */
  const leave = async (checkpoint: string, epoch: number, more: object = {}): Promise<void> => {
    const signal = { aborted: false };
    const left = trainModel(at("fx.npz"), { ...QUICK, ...more, checkpoint, signal }, (event) => {
      if (event.kind === "step" && event.epoch === epoch) signal.aborted = true;
    });
    await expect(left).rejects.toThrow("keeps the run");
  };

  test("goes on, on another number of threads, to the same bytes", { timeout: 60_000 }, async () => {
    const { artifact } = await trainModel(at("fx.npz"), QUICK);
    const checkpoint = at("left.checkpoint");
    await leave(checkpoint, 2, { threads: 2 });
    const epochs: number[] = [];
    const again = await trainModel(at("fx.npz"), { ...QUICK, threads: 1, checkpoint, resume: true }, (event) => {
      if (event.kind === "step") epochs.push(event.epoch);
    });
    expect(Math.min(...epochs)).toBe(2);
    expect(Buffer.from(again.artifact).equals(artifact)).toBe(true);
    expect(existsSync(checkpoint)).toBe(false);
  });

  test("is refused for other layers, which are named", { timeout: 60_000 }, async () => {
    const checkpoint = at("other.checkpoint");
    await leave(checkpoint, 1);
    const other = trainModel(at("fx.npz"), { ...QUICK, layers: "gru:3", checkpoint, resume: true });
    await expect(other).rejects.toThrow("belongs to another run (layers: ");
  });
});

test.each([
  [["--learner", "layers"], "--learner layers needs --layers, which says the network: --layers bilstm:32,dense:16:relu"],
  [["--layers", "lstm:4", "--learner", "lstm"], "--layers says the network in the place of the lstm, got --learner lstm"],
  [["--layers", "lstm:4", "--units", "8"], "--layers says the units of each layer, got --units 8: leave --units out"],
  [["--layers", "lstm:4,lstn:2"], "--layers, layer 2 (character 8): must begin with one of lstm, bilstm"],
])("%j is refused in a sentence", (options, sentence) => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "train", at("fx.npz"), "--out", at("x.safetensors"), ...options], {
    encoding: "utf8",
  });
  expect(status).toBe(2);
  expect(stderr).toContain(sentence);
});
