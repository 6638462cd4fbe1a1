// The trainer as a library: the command's bytes, data in memory, events instead of output, errors that name the place, a run that is left.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { type TrainingData, type TrainingEvent, trainModel } from "../../../trainer/library/package-entry.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-library-"));
const at = (name: string): string => join(folder, name);
const [N, T, F] = [240, 10, 5];
const { values, labels } = generateFx(N, 3);
const sequences = Array.from({ length: N }, (_, n) =>
  Array.from({ length: T }, (_, t) => Array.from(values.subarray((n * T + t) * F, (n * T + t + 1) * F))),
);
const data: TrainingData = { sequences, labels };
/** One small network: seconds. */
const QUICK = { learner: "lstm", splitVersion: 1, recipe: "raw", units: 4, epochs: 2, threads: 1 } as const;

beforeAll(async () => {
  writeFileSync(at("fx.npz"), await encodeNpz({ X: { data: values, shape: [N, T, F] }, y: { data: labels, shape: [N] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("gives the bytes that the command writes for the same file and options", async () => {
  const argv = "train fx.npz --learner lstm --split-version 1 --recipe raw --units 4 --epochs 2 --threads 2 --out m.safetensors".split(" ");
  const { status, stderr } = spawnSync(process.execPath, [join(root, "trainer/main.ts"), ...argv], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const { artifact, id } = await trainModel(at("fx.npz"), QUICK);
  expect(Buffer.from(artifact).equals(readFileSync(at("m.safetensors")))).toBe(true);
  expect(stderr).toContain(`wrote m.safetensors (${id}, `);
});

test("learns from sequences in memory what it learns from the file, and tells of it by events", async () => {
  const events: TrainingEvent[] = [];
  const features = ["a", "b", "c", "d", "e"];
  const ofMemory = await trainModel({ ...data, features, name: "mine" }, QUICK, (event) => events.push(event));
  const ofFile = await trainModel([at("fx.npz")], { ...QUICK, name: "named" });
  expect(ofFile.id).toMatch(/^named@[0-9a-f]{12}$/);
  expect(ofFile.card.data.name).toBe("fx");
  const [own, read] = [decodeArtifact(ofMemory.artifact), decodeArtifact(ofFile.artifact)];
  expect(own.golden).toEqual(read.golden);
  expect(own.recipe.features).toEqual(features);
  expect(ofMemory.id).toMatch(/^mine@[0-9a-f]{12}$/);
  expect(ofMemory.card.test).toEqual(ofFile.card.test);
  expect(ofMemory.verdict.text).not.toBe("");
  expect(events[0]).toEqual({ kind: "read", text: "240 sequences in memory", sequences: N, timesteps: T, features });
  expect(events.filter(({ kind }) => kind === "note").map((event) => "code" in event && event.code)).toContain("split");
  const ends = events.filter((event) => event.kind === "step" && event.isEpochEnd);
  expect(ends.map((event) => event.kind === "step" && event.epoch)).toEqual([1, 2]);
  expect(await ofMemory.renderReport()).toContain("<svg");
});

test.each<[what: string, given: TrainingData, message: string]>([
  [
    "a text in a row",
    { ...data, sequences: [[["1"]] as never] },
    "sequences[0][0][0] must be a finite number, or null where it is missing",
  ],
  ["rows of different widths", { ...data, sequences: [[[1, 2], [3]], ...sequences] }, "sequences[0][1] must have 2 numbers, got 1"],
  ["no sequence", { sequences: [], labels: [] }, "sequences[0][0] must be an array of numbers"],
  ["a third class", { ...data, labels: labels.map((y, n) => (n === 7 ? 2 : y)) }, "labels[7] is 2, expected 0 or 1"],
  ["too few labels", { ...data, labels: [0, 1] }, "labels holds 2 labels, expected one for each of 240 sequences"],
  ["too few names", { ...data, features: ["a"] }, "features names 1 features, but rows have 5 numbers"],
  ["one class", { ...data, labels: new Uint8Array(N) }, "holds only the label 0, expected both 0 and 1"],
  ["too few groups", { ...data, groups: [1] }, "groups holds 1 numbers"],
])("refuses %s and names the place", async (_, given, message) => {
  await expect(trainModel(given, QUICK)).rejects.toThrow(message);
});

test("leaves a run once its signal is aborted, keeps the run where that is asked for, and goes on to the same bytes", async () => {
  const checkpoint = at("run.checkpoint");
  const options = { ...QUICK, epochs: 40, batch: 8, checkpoint };
  const controller = new AbortController();
  const left = trainModel(data, { ...options, signal: controller.signal }, (event) => {
    if (event.kind === "step" && event.epoch === 2) controller.abort();
  });
  await expect(left).rejects.toMatchObject({ name: "Interrupted" });
  expect(existsSync(checkpoint)).toBe(true);
  const resumed = await trainModel(data, { ...options, resume: true });
  expect(existsSync(checkpoint)).toBe(false);
  const whole = await trainModel(data, { ...options, checkpoint: undefined });
  expect(Buffer.from(resumed.artifact).equals(Buffer.from(whole.artifact))).toBe(true);
});

test("a run that is kept nowhere can be left, too", async () => {
  await expect(trainModel(data, { ...QUICK, signal: { aborted: true } })).rejects.toThrow("interrupted: nothing to keep yet");
});

test("docs/examples/train-in-node.mjs trains, and prints nothing but what it prints itself", () => {
  const source = readFileSync(join(root, "docs/examples/train-in-node.mjs"), "utf8");
  writeFileSync(at("example.mjs"), source.replace("quickstep/train", join(root, "trainer/library/package-entry.ts")));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^waves@[0-9a-f]{12}: log loss 0\.\d{3}\. .+\n$/);
  expect(stderr).toContain("channels: ");
  expect(decodeArtifact(readFileSync(at("waves.safetensors"))).name).toBe("waves");
});
