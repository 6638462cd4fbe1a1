// One set of sequences in the forms that pandas, polars, pyarrow, NumPy and spreadsheets write by default. test/fixtures/readers/cases/make.py
// made them. Each is scored by the deployed sample: to the bits of the array they were written from, or to a question that names what
// settles it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { DataError } from "../../../shared/errors.ts";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { createReadTally } from "../../../trainer/readers/facts.ts";
import { fillFrom, type ReadOptions } from "../../../trainer/readers/options.ts";

const file = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/cases/${name}`, import.meta.url));
const model = decodeArtifact(readFileSync(fileURLToPath(new URL("../../../edge/model.safetensors", import.meta.url))));

interface Read {
  readonly values: number[][];
  readonly line: string;
  readonly columns: Record<string, unknown[]>;
}

/** As `score` reads: for the model, without labels. */
async function read(name: string, options: ReadOptions = {}): Promise<Read> {
  const path = file(name);
  const tally = createReadTally(name, undefined, true);
  const values: number[][] = [];
  const columns: Record<string, unknown[]> = {};
  for await (const batch of readBatches([path], { ...fillFrom(options, model.recipe), ignoreLabels: true })) {
    tally.add(batch);
    const size = batch.shape.timesteps * batch.shape.features;
    for (let n = 0; n * size < batch.values.length; n++) values.push(Array.from(batch.values.subarray(n * size, (n + 1) * size)));
    for (const [key, column] of Object.entries(batch.columns)) (columns[key] ??= []).push(...column);
  }
  return { values, line: describeRead(tally.facts()), columns };
}

const truth = (await read("truth.npz")).values;
const rows: ReadOptions = { key: "key", time: "time" };

describe("a file is read as its owner meant it", () => {
  test.each<[name: string, said: RegExp, options?: ReadOptions]>([
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
    ["long.csv", /8 windows of 8 series/, rows],
    ["long-epoch-us.csv", /8 windows of 8 series/, rows],
    ["long-shuffled-utc.csv", /8 windows of 8 series/, rows],
  ])("%s", async (name, said, options) => {
    const { values, line, columns } = await read(name, options);
    const order = (columns.key ?? truth).map((key, n) => (columns.key ? Number(/^k(\d)$/.exec(String(key))?.[1]) : n));
    expect(values).toEqual(order.map((n) => truth[n]));
    expect(order.toSorted()).toEqual([...truth.keys()]);
    expect(line).toMatch(said);
  });
});

describe("a file that may mean two things is asked about, and the sentence names the option", () => {
  test.each<[name: string, question: RegExp]>([
    ["steps-first.npz", /X has shape \(8, 5, 10\), which is 5 steps of 10 features, but there are names of 5 features: say --axes nft/],
  ])("%s", async (name, question) => {
    const error = await read(name).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(question);
  });
});
