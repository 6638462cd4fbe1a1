// The one line that says what was read, from files of every kind.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readBatches } from "../../../trainer/readers/data-files.ts";
import { type ReadOptions, readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { createReadTally, tallyBatches } from "../../../trainer/readers/facts.ts";

const good = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/good/${name}`, import.meta.url));
const ten = "10 steps × 5 features (f0 … f4)";

test.each<[string, ReadOptions, string]>([
  ["plain.npz", {}, `3 sequences, ${ten}, float64, label y, 66.7 % positive`],
  ["float32.npz", {}, `3 sequences, ${ten}, float32, label y, 66.7 % positive`],
  ["whole-numbers.npz", {}, `3 sequences, ${ten}, int64, label y, 66.7 % positive`],
  ["unlabelled.npz", {}, `3 sequences, ${ten}, float64, no labels`],
  ["unlabelled.npz", { ignoreLabels: true }, `3 sequences, ${ten}, float64`],
  ["apart.npy", { labels: good("pair-labels.npy") }, `3 sequences, ${ten}, float64, labels from pair-labels.npy, 66.7 % positive`],
  ["csv-small.csv", {}, "3 sequences, 2 steps × 2 features (a, b), label y, 66.7 % positive, 1 sequence of zeros alone"],
  ["csv-bare.csv", {}, `3 sequences, ${ten}, label column 51, 66.7 % positive, columns by position`],
  [
    "jsonl-columns.jsonl",
    { label: "Rose", group: "who", time: "day" },
    `3 sequences, ${ten}, label Rose, 66.7 % positive, groups by "who", sorted by "day"`,
  ],
  ["parquet-float32.parquet", {}, `3 sequences, ${ten}, float32, no labels`],
  ["parquet-zstd.parquet", {}, "3 sequences, 10 steps × 5 features (open, high, low, close, größe), float64, label label, 66.7 % positive"],
])("%s with %j", async (name, options, line) => {
  const { facts } = await readDataset([good(name)], options);
  expect(describeRead(facts).replaceAll(good(""), "")).toBe(`read ${name}: ${line}`);
});

test.each([
  ["sep-semicolon-comma.csv", ", columns separated by semicolons, decimal commas"],
  ["sep-tab.tsv", ", columns separated by tabs"],
  ["sep-spaces.txt", ", columns separated by spaces"],
  ["savetxt-comments.csv", ", columns separated by commas, 1 line of comments left out"],
  ["csv-small.csv", ""],
])("how %s is written is said where it is not as most are", async (name, said) => {
  const { facts } = await readDataset([good(name)], {});
  const { features } = facts;
  const plainly = describeRead({ ...facts, notes: [] });
  expect(describeRead(facts)).toBe(plainly + said);
  const twice = await readDataset([good(name), good(name)], { test: good(name), target: { timesteps: facts.shape.timesteps, features } });
  if (said !== "") {
    expect(describeRead(twice.facts)).toContain(`${said} (${name} and 1 more)`.replace(/1 line of/, "2 lines of"));
    expect(describeRead(twice.facts).endsWith(`in the test file ${said.slice(2)}`)).toBe(true);
  }
});

test("several files, their types and a test part are counted together", async () => {
  const { facts } = await readDataset([good("plain.npz"), good("float32.npz")], { test: good("parquet-zstd.parquet") });
  expect(facts).toMatchObject({ sequences: 6, dtype: "float64 and float32", testSequences: 3, series: null });
  expect(describeRead(facts)).toContain("plain.npz and 1 more: 6 sequences");
  expect(describeRead(facts)).toMatch(/66\.7 % positive, 3 test sequences$/);
});

test("windows of rows: how many of how many series, and what is left out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "rows.csv");
  const rows = [..."aaaaaaaabbb".split("").map((who, n) => `${who},${n + 1},${n % 2}`), "c,1,0"];
  writeFileSync(path, `who,x,y\n${rows.join("\n")}\n`);
  const { facts } = await readDataset([path], { key: "who", window: 4, horizon: 1 });
  expect(describeRead(facts)).toBe(
    `read ${path}: 5 windows of 2 series, 4 steps × 1 feature (x), label y, 40.0 % positive, series by "who", in the order of the file, ` +
      "a window's label 1 row behind its last (--horizon), 1 of 3 series left out (they end within the horizon of 1), 1 of 3 series padded (shorter than a window of 4)",
  );
  rmSync(folder, { recursive: true });
});

test("a stream of batches is described as the whole set is", async () => {
  const path = good("plain.npz");
  const tally = createReadTally(path);
  expect(() => tally.facts()).toThrow("nothing has been read yet");
  for await (const _ of tallyBatches(readBatches([path], {}), tally));
  expect(tally.facts()).toEqual((await readDataset([path], {})).facts);
});

test("labels that are neither 0 nor 1 are counted, and are no part of the rate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "odd.csv");
  writeFileSync(path, readFileSync(good("csv-small.csv"), "utf8").trimEnd().replace(/\d$/, "7"));
  const { facts } = await readDataset([path], { onIssue: () => {} });
  expect(describeRead(facts)).toMatch(/label y, (50|100)\.0 % positive, 1 without a label, /);
  rmSync(folder, { recursive: true });
});

test.each([
  ["label-words.csv", {}, 'label y, 1 is "yes", 0 is "no", 50.0 % positive'],
  ["label-words-said.csv", { positive: "no" }, 'label y, 1 is "no", 0 is "yes", 50.0 % positive'],
  ["label-minus.csv", {}, "label y, 1 is 1, 0 is -1, 50.0 % positive"],
  ["label-against-rest.csv", { positive: "b" }, 'label y, 1 is "b", 0 is any other of 3 labels, 50.0 % positive'],
  ["label-bool.csv", {}, "label y, 50.0 % positive"],
])("which label of %s is 1, with %j", async (name, options, line) => {
  const { facts } = await readDataset([good(name)], options);
  expect(describeRead(facts).endsWith(line)).toBe(true);
  const error = await readDataset([good(name)], { positive: "maybe" }).catch((thrown) => thrown);
  expect(error.message).toContain('holds no label "maybe", which --positive names, but ');
});

test("--positive says which label is 1 where a file holds one label alone, also the one that is not there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "one.csv");
  const read = async (label: string, positive: string) => {
    writeFileSync(path, `a_0,b_0,a_1,b_1,y\n1,2,3,4,${label}\n5,6,7,8,${label}\n`);
    const { labels, facts } = await readDataset([path], { positive });
    return [[...(labels ?? [])], describeRead(facts)];
  };
  expect(await read("bought", "bought")).toEqual([[1, 1], expect.stringContaining('1 is "bought", 100.0 % positive')]);
  expect(await read("left", "bought")).toEqual([[0, 0], expect.stringContaining('1 is "bought", 0 is "left", 0.0 % positive')]);
  expect(await read("0", "1")).toEqual([[0, 0], expect.stringContaining("label y, 0.0 % positive")]);
  expect(await read("3", "4")).toEqual([[0, 0], expect.stringContaining("1 is 4, 0 is 3, 0.0 % positive")]);
  rmSync(folder, { recursive: true });
});

test("sequences of zeros alone are counted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "zeros.jsonl");
  writeFileSync(path, '{"sequence": [[0, 0], [0, 0]], "y": 1}\n{"sequence": [[0, 1], [0, 0]], "y": 0}\n');
  const { facts, read } = await readDataset([path], {});
  expect(describeRead(facts)).toMatch(/50\.0 % positive, 1 sequence of zeros alone(,|$)/);
  expect(read).toEqual({ ...facts, source: "zeros" });
  rmSync(folder, { recursive: true });
});

test("a key that no two rows share is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "rows.csv");
  writeFileSync(path, "who,at,a,y\n1,2024-01-01,5,0\n1,2024-01-02,6,0\n2,2024-01-01,7,1\n2,2024-01-02,8,1\n");
  const read = async (key: string) => describeRead((await readDataset([path], { key, features: ["a"], label: "y" })).facts);
  expect(await read("at")).not.toContain("each series one row");
  writeFileSync(path, "who,at,a,y\n1,2024-01-01,5,0\n1,2024-01-02,6,0\n2,2024-01-03,7,1\n2,2024-01-04,8,1\n");
  expect(await read("at")).toContain(
    'series by "at", in the order of the file, each series one row (a key is what the rows of one sequence share)',
  );
  expect(await read("who")).not.toContain("each series one row");
  rmSync(folder, { recursive: true });
});

test("an index that holds times is pointed to unless another column is the time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "rows.csv");
  writeFileSync(
    path,
    ",who,at,a,y\n2024-01-01,1,2024-01-01,5,0\n2024-01-02,1,2024-01-02,6,0\n2024-01-03,2,2024-01-01,7,1\n2024-01-04,2,2024-01-02,8,1\n",
  );
  const read = async (time?: string) => describeRead((await readDataset([path], { key: "who", time, features: ["a"], label: "y" })).facts);
  expect(await read()).toContain('index column without a name left out (where it holds times, --time "Unnamed: 0" takes it)');
  expect(await read("at")).toMatch(/index column without a name left out,/);
  rmSync(folder, { recursive: true });
});

test("what stands beside whole sequences and is left out comes with the option that takes it, once, and not where it is no use", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-describe-"));
  const path = join(folder, "lines.jsonl");
  const write = (beside: Record<string, unknown>) =>
    writeFileSync(
      path,
      Array.from({ length: 4 }, (_, n) => `${JSON.stringify({ sequence: [[n, 1]], ...beside, label: n % 2 })}\n`).join(""),
    );
  const read = async (options: ReadOptions = {}) => describeRead((await readDataset([path], options)).facts);
  write({ plan: "pro", "age (years)": 41, id: 7 });
  expect(await read({ category: ["plan"], static: ["plan"] })).toContain(
    'column "age (years)" left out (--static "age (years)" gives it to the model)',
  );
  const said = await read();
  expect(said).toContain('column "plan" left out, column "age (years)" left out (--static plan,"age (years)" gives them to the model)');
  expect(said).toContain('column "id" left out');
  write({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 });
  expect(await read()).toContain('column "f" left out (--static NAMES gives them to the model)');
  expect(await read({ known: { label: "label", ids: [] } })).not.toContain("--static"); // of a model
  rmSync(folder, { recursive: true });
});
