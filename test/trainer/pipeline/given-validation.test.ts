// A validation part that the data bring: nothing learns from it, and every choice is made on it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { TrainNote } from "../../../trainer/pipeline/note.ts";
import { prepare } from "../../../trainer/pipeline/prepare.ts";
import { prepareFolds, toLearnFrom } from "../../../trainer/pipeline/prepare-folds.ts";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import { type ReadOptions, readDataset, requireLabels } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { runStack } from "../../fixtures/stack-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-validation-"));
afterAll(() => rmSync(folder, { recursive: true }));
const T = 3;
const F = 2;

/** N sequences and V of a validation part, whose label is 1 where the first feature rises; `offset` is added to the validation part's numbers. */
async function write(
  name: string,
  N: number,
  V: number,
  { offset = 0, names = ["X_val", "y_val"], ones = undefined as number | undefined } = {},
) {
  const random = createRandom(11);
  const make = (count: number, shift: number) => {
    const data = Float64Array.from({ length: count * T * F }, () => random.normal() + shift);
    const y = Uint8Array.from({ length: count }, (_, n) => (data[n * T * F + 4] + random.normal() > data[n * T * F] ? 1 : 0));
    return { X: { data, shape: [count, T, F] }, y: { data: y, shape: [count] } };
  };
  const train = make(N, 0);
  const val = make(V, offset);
  if (ones !== undefined) val.y.data.fill(0).fill(1, 0, ones);
  const path = join(folder, name);
  writeFileSync(path, await encodeNpz({ X_train: train.X, y_train: train.y, [names[0]]: val.X, [names[1]]: val.y }));
  return { path, val };
}

const read = async (path: string, options: ReadOptions = {}) => requireLabels(await readDataset([path], { validation: true, ...options }));
const OPTIONS = { seed: 1, split: "auto", horizon: 1, recipe: "auto" } as const;

test.each([
  ["X_val", "y_val"],
  ["x_val", "y_val"],
  ["X_valid", "y_valid"],
  ["X_validation", "y_validation"],
])("%s and %s are read, and it is said", async (X, y) => {
  const { path, val } = await write("named.npz", 60, 30, { names: [X, y] });
  const { facts, validation, labels } = await read(path);
  expect(labels.length).toBe(60);
  expect(validation?.values).toEqual(val.X.data);
  expect(validation?.labels).toEqual(val.y.data);
  expect(describeRead(facts)).toMatch(/positive, 30 validation sequences$/);
  const other = await readDataset([path], {});
  expect(other.validation).toBeUndefined();
  expect(describeRead(other.facts)).toMatch(new RegExp(`, ${X} left out$`));
});

test("labels that are words are settled with the others, and a part without labels is refused", async () => {
  const X = { data: new Float64Array(12).map((_, i) => i + 1), shape: [2, 3, 2] };
  const path = join(folder, "words.npz");
  const words = (...data: string[]) => ({ data, shape: [data.length] });
  writeFileSync(path, await encodeNpz({ X, y: words("no", "yes"), X_val: X, y_val: words("yes", "no") }));
  expect(Array.from((await read(path)).validation?.labels ?? [])).toEqual([1, 0]);
  writeFileSync(path, await encodeNpz({ X, y: words("no", "yes"), X_val: X }));
  await expect(read(path)).rejects.toThrow("holds X_val without y_val: add it, or leave X_val out");
});

test("a stack holds out the part, and that alone; one LSTM has it as its validation part", async () => {
  const { path, val } = await write("large.npz", 2400, 300);
  const data = await read(path);
  const notes: TrainNote[] = [];
  const folded = prepareFolds(data, OPTIONS, (note) => notes.push(note));
  expect(notes.map((note) => describeNote(note, data.features))).toContain(
    "validation: the 300 sequences that the data bring are held out: nothing learns from them, and every choice is made on them",
  );
  const { plan, validation, usable } = folded;
  expect(toLearnFrom(folded).length + plan.test.length).toBe(2400);
  expect(Array.from(validation)).toEqual(Array.from({ length: 300 }, (_, v) => 2400 + v));
  const rows = (values: Float64Array, positions: Iterable<number>): string[] =>
    Array.from(positions, (n) => values.subarray(n * T * F, (n + 1) * T * F).join()).sort();
  expect(rows(usable.values, validation)).toEqual(rows(val.X.data, val.y.data.keys()));
  const { split, usable: own } = prepare(data, OPTIONS, () => {});
  expect(rows(own.values, split.validation)).toEqual(rows(val.X.data, val.y.data.keys()));
  expect(split.train.length + split.calibration.length + split.test.length).toBe(2400);
});

test("too few of a label to choose by are refused", async () => {
  const { path } = await write("few.npz", 200, 60, { ones: 9 });
  const data = await read(path);
  expect(() => prepareFolds(data, OPTIONS, () => {})).toThrow(
    "few.npz (validation part): holds 51 of label 0 and 9 of label 1, expected at least 10 of each: leave the part out",
  );
});

test("a stack of few sequences is tested on each of them, and says what stood in for folds", { timeout: 120_000 }, async () => {
  const { path } = await write("small.npz", 100, 60);
  const { trained, notes } = await runStack(await read(path), { learner: "linear" });
  const { card } = trained.model;
  expect(card.split.examples).toEqual({ train: 100, validation: 60, calibration: 0, test: 0 });
  expect(card.stack?.folds).toBe(1);
  expect(card.test.examples).toBe(100);
  expect(trained.evidence.leftOut).toBe(0);
  expect(notes).toContainEqual({ code: "nested", sequences: 100 });
});
