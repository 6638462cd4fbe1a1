// Numbers that are missing, in every format: NaN where the caller takes gaps, and nothing else is let through with them.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { fillFrom } from "../../../trainer/readers/options.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/bad/${name}`, import.meta.url));

const MISSING = ["csv-missing.csv", "csv-nan.csv", "jsonl-null.jsonl", "nan.npz", "parquet-nan.parquet", "parquet-null.parquet"];
const FEATURES = ["open", "high", "low", "close", "volume"];

test.each(MISSING)("%s, which is refused where no number may be missing, is read with its gaps as NaN where one may", async (name) => {
  await expect(readDataset([path(name)], {})).rejects.toThrow("finite number");
  const { values, labels } = await readDataset([path(name)], { gaps: true });
  expect(values.filter(Number.isNaN).length).toBeGreaterThan(0);
  expect(values.every((x) => Number.isFinite(x) || Number.isNaN(x))).toBe(true);
  const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
  expect(new Set(bits.filter((_, i) => Number.isNaN(values[i]))).size).toBe(1); // equal rows are equal
  expect(labels).not.toBeNull();
});

test.each(MISSING)("a model without gaps refuses %s with the way to one that takes gaps", async (name) => {
  const options = fillFrom({ byPosition: true }, { timesteps: 10, features: FEATURES });
  await expect(readDataset([path(name)], options)).rejects.toThrow(
    /finite number.*: the model was trained without gaps, so fill the number, or train again with --missing carry$/,
  );
});

test.each(["inf.npz", "csv-word.csv"])("a model without gaps speaks of none where %s lacks no number", async (name) => {
  const options = fillFrom({ byPosition: true }, { timesteps: 10, features: FEATURES });
  await expect(readDataset([path(name)], options)).rejects.toThrow(/finite number(?!.*without gaps)/);
});

test.each(["inf.npz", "csv-word.csv", "jsonl-nan.jsonl", "label-nan.npz", "csv-label.csv", "parquet-words.parquet"])(
  "%s is refused also where numbers may be missing",
  async (name) => {
    await expect(readDataset([path(name)], { gaps: true })).rejects.toThrow(path(name));
  },
);
