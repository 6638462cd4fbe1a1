// Numbers that are missing, in every format: NaN where the caller takes gaps, and nothing else is let through with them.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readDataset } from "../../../trainer/readers/dataset.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/bad/${name}`, import.meta.url));

test.each(["csv-missing.csv", "csv-nan.csv", "jsonl-null.jsonl", "nan.npz", "parquet-nan.parquet", "parquet-null.parquet"])(
  "%s, which is refused where no number may be missing, is read with its gaps as NaN where one may",
  async (name) => {
    await expect(readDataset([path(name)], {})).rejects.toThrow("finite number");
    const { values, labels } = await readDataset([path(name)], { gaps: true });
    expect(values.filter(Number.isNaN).length).toBeGreaterThan(0);
    expect(values.every((x) => Number.isFinite(x) || Number.isNaN(x))).toBe(true);
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    expect(new Set(bits.filter((_, i) => Number.isNaN(values[i]))).size).toBe(1); // equal rows are equal
    expect(labels).not.toBeNull();
  },
);

test.each(["inf.npz", "csv-word.csv", "jsonl-nan.jsonl", "label-nan.npz", "csv-label.csv", "parquet-words.parquet"])(
  "%s is refused also where numbers may be missing",
  async (name) => {
    await expect(readDataset([path(name)], { gaps: true })).rejects.toThrow(path(name));
  },
);
