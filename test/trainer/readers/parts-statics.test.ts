// Parts of an archive with what is given once a sequence: each part's own columns join its rows, by the levels of the training data alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeNpy } from "../../../shared/npy.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-parts-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

type Arrays = Parameters<typeof encodeNpz>[0];
/** `count` sequences of 2 steps × 2 features that count up from `first`. */
const sequences = (count: number, first: number) => ({
  shape: [count, 2, 2],
  data: Float64Array.from({ length: 4 * count }, (_, i) => first + i),
});
const column = (data: Float64Array | readonly string[]) => ({ shape: [data.length], data });
const labels = (count: number) => column(Float64Array.from({ length: count }, (_, n) => n % 2));
const train: Arrays = {
  X_train: sequences(4, 1),
  y_train: labels(4),
  plan: column(["pro", "basic", "pro", "basic"]),
  age: column(Float64Array.of(20, 30, 40, 50)),
};
const testPart: Arrays = {
  X_test: sequences(2, 101),
  y_test: labels(2),
  plan_test: column(["gold", "pro"]),
  age_test: column(Float64Array.of(25, 35)),
};
const validation: Arrays = {
  X_val: sequences(2, 201),
  y_val: labels(2),
  plan_val: column(["basic", ""]),
  age_val: column(Float64Array.of(60, 70)),
};
const STATIC = { static: ["plan", "age"], validation: true };

beforeAll(async () => {
  const write = async (name: string, arrays: Arrays) => writeFileSync(at(name), await encodeNpz(arrays));
  await write("whole.npz", { ...train, ...testPart, ...validation });
  const { plan_test: _, ...lacking } = testPart;
  await write("lacking.npz", { ...train, ...lacking });
  await write("text.npz", { ...train, ...testPart, age_test: column(["25", "old"]) });
  writeFileSync(at("rows.npy"), encodeNpy(sequences(2, 1).data, [2, 2, 2]));
});

test("the statics of X_test and X_val stand in their rows, and a text that only they have is no level", async () => {
  const { features, test: tested, validation: validated } = await readDataset([at("whole.npz")], STATIC);
  expect(features).toEqual(["f0", "f1", "plan=basic", "plan=pro", "age"]);
  expect([...tested!.values]).toEqual([101, 102, 0, 0, 25, 103, 104, 0, 0, 25, 105, 106, 0, 1, 35, 107, 108, 0, 1, 35]);
  expect([...validated!.values]).toEqual([201, 202, 1, 0, 60, 203, 204, 1, 0, 60, 205, 206, 0, 0, 70, 207, 208, 0, 0, 70]);
});

test("a part without them, and one with text for a number, are refused by name", async () => {
  await expect(readDataset([at("lacking.npz")], STATIC)).rejects.toThrow(
    "lacking.npz: holds X_test without plan_test, what is static of its sequences: add it, or leave X_test out",
  );
  await expect(readDataset([at("text.npz")], STATIC)).rejects.toThrow('text.npz: the test part: age[0] is "25", expected a finite number');
});

test("numbers of rows are never taken for a category's levels", async () => {
  const sentence = (name: string): string =>
    `holds numbers alone, but "${name}" is a category of each row: give CSV, Parquet, Arrow or JSON lines`;
  await expect(readDataset([at("whole.npz")], { ...STATIC, category: ["f1"] })).rejects.toThrow(sentence("f1"));
  const inputs = [{ name: "x" }, { name: "mode", levels: ["down", "up"] }];
  const target = { timesteps: 2, features: ["x", "mode"], source: "the model" };
  for (const name of ["whole.npz", "rows.npy"])
    await expect(readDataset([at(name)], { inputs, target, ignoreLabels: true })).rejects.toThrow(sentence("mode"));
});
