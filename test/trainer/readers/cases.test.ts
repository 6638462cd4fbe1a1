// One set of sequences in the forms that pandas, polars, pyarrow, NumPy and spreadsheets write by default. test/fixtures/readers/cases/make.py
// made them. Each is scored by the deployed sample: to the bits of the array they were written from, or to a question that names what
// settles it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { DataError } from "../../../shared/errors.ts";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { createReadTally } from "../../../trainer/readers/facts.ts";
import { fillFrom, type ReadOptions } from "../../../trainer/readers/options.ts";
import { parseTimeFormat } from "../../../trainer/readers/time-format.ts";

const file = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/cases/${name}`, import.meta.url));
const model = decodeArtifact(readFileSync(fileURLToPath(new URL("../../../edge/model.safetensors", import.meta.url))));

interface Read {
  readonly values: number[][];
  readonly line: string;
  readonly columns: Record<string, unknown[]>;
}

/** As `score` reads: for the model, without labels. */
async function read(name: string, options: ReadOptions = {}, gaps?: readonly number[]): Promise<Read> {
  const path = file(name);
  const tally = createReadTally(name, undefined, true);
  const values: number[][] = [];
  const columns: Record<string, unknown[]> = {};
  for await (const batch of readBatches([path], { ...fillFrom(options, { ...model.recipe, gaps }), ignoreLabels: true })) {
    tally.add(batch);
    const size = batch.shape.timesteps * batch.shape.features;
    for (let n = 0; n * size < batch.values.length; n++) values.push(Array.from(batch.values.subarray(n * size, (n + 1) * size)));
    for (const [key, column] of Object.entries(batch.columns)) (columns[key] ??= []).push(...column);
  }
  return { values, line: describeRead(tally.facts()), columns };
}

const truth = (await read("truth.npz")).values;
const rows: ReadOptions = { key: "key", time: "time" };

const CASES: readonly [name: string, said: RegExp, options?: ReadOptions][] = [
  ["integer-header.csv", /columns by position/],
  ["wide-sorted-columns.csv", /put in the model's order by name/],
  ["wide-lags-by-feature.csv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-multiindex.csv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-index-column.csv", /index column without a name left out/],
  ["wide-index-named.csv", /index "index" left out/],
  ["numpy-savetxt.csv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-semicolon-comma.csv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide.tsv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-utf16.csv", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-label-last.csv", /label "y" left out/],
  ["wide-label-words.csv", /label "Target" left out/],
  ["wide-pandas.parquet", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-pandas-index.parquet", /index "__index_level_0__" left out/],
  ["wide-polars.parquet", /10 steps × 5 features \(open, high, low, close, volume\)/],
  ["wide-bool-label.parquet", /label "y" left out/],
  ["steps-first.npz", /features × steps turned/, { axes: "nft" }],
  ["nested-pyarrow.parquet", /label "y" left out/],
  ["lines.jsonl", /label "y" left out/],
  ["wide-pandas.feather", /open, high, low, close, volume/],
  ["wide-polars.arrow", /open, high, low, close, volume/],
  ["records.json", /label "y" left out/],
  ["long.csv", /8 windows of 8 series/, rows],
  ["long-epoch-us.csv", /8 windows of 8 series/, rows],
  ["long-shuffled-utc.csv", /8 windows of 8 series/, rows],
  ["long-day-first.csv", /8 windows of 8 series/, { ...rows, timeFormat: parseTimeFormat("%d/%m/%Y") }],
];

describe("a file is read as its owner meant it", () => {
  test.each(CASES)("%s", async (name, said, options) => {
    const { values, line, columns } = await read(name, options);
    const order = (columns.key ?? truth).map((key, n) => (columns.key ? Number(/^k(\d)$/.exec(String(key))?.[1]) : n));
    expect(values).toEqual(order.map((n) => truth[n]));
    expect(order.toSorted()).toEqual([...truth.keys()]);
    expect(line).toMatch(said);
  });

  test("ragged.npz, with sequences as short as they are", async () => {
    const { values } = await read("ragged.npz");
    expect(values).toEqual(truth.map((sequence, n) => [...Array<number>(5 * (n % 4)).fill(0), ...sequence.slice(5 * (n % 4))]));
  });

  test.each(["long-gaps.csv", "long-gaps-pandas.parquet"])("%s, for a model that takes gaps", async (name) => {
    const { values, columns } = await read(name, rows, [1]);
    const missing = new Set([...[3, 27, 41].map((row) => 5 * row + 1), ...[0, 1, 2, 3, 4].map((f) => 5 * 12 + f)]);
    expect(columns.key).toEqual(Array.from(truth.keys(), (n) => `k${n}`));
    expect(values).toEqual(truth.map((sequence, n) => sequence.map((value, i) => (missing.has(50 * n + i) ? Number.NaN : value))));
  });
});

describe("a file that may mean two things is asked about, and the sentence names the option", () => {
  test.each<[name: string, question: RegExp, options?: ReadOptions]>([
    ["long-day-first.csv", /--time-format/, rows],
    ["long-gaps.csv", /line 5: column "high" is "", expected a finite number/, rows],
    ["long-gaps-pandas.parquet", /row 13: column "open" is null, expected a finite number/, rows],
    ["steps-first.npz", /X has shape \(8, 5, 10\), which is 5 steps of 10 features, but there are names of 5 features: say --axes nft/],
  ])("%s", async (name, question, options) => {
    const error = await read(name, options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(question);
  });
});

/** (N,T,F) in the order of truth's features: by name, or by position where the file has no names. */
function inOrder(values: Float64Array, names: readonly string[]): number[][] {
  const at = model.recipe.features.map((name, f) => (names.includes(name) ? names.indexOf(name) : f));
  return truth.map((sequence, n) => sequence.map((_, i) => values[n * 50 + Math.floor(i / 5) * 5 + at[i % 5]]));
}

describe("the same numbers come to train, which knows no model, and to diagnose, which reads on where numbers are bad", () => {
  test.each(CASES)("%s", async (name, _, options) => {
    for (const onIssue of [undefined, () => {}]) {
      const { values, features, shape } = await readDataset([file(name)], { ...options, onIssue });
      expect(shape).toMatchObject({ timesteps: 10, features: 5 });
      const read = inOrder(values, features);
      if (name !== "long-shuffled-utc.csv") expect(read).toEqual(truth);
      else expect(read.map(String).toSorted()).toEqual(truth.map(String).toSorted()); // series as they first come in the file
    }
  });
});
