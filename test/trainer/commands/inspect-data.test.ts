// What inspect says of data: the line, the table, and what its owner should know.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inspectCommand } from "../../../trainer/commands/inspect.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-inspect-data-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** 120 sequences of 2 × 4: a falls, b is missing in every tenth, c is 7, d is 0 or 1; number 119 is number 0 with another label. */
function writeTable(): string {
  const lines = Array.from({ length: 120 }, (_, n) => {
    const k = n === 119 ? 0 : n;
    return [1 / (k + 1), k % 10 === 0 ? "" : k, 7, k % 2, 2 / (k + 3), k + 1, 7, 1, n === 119 ? "no" : n % 3 === 0 ? "yes" : "no"].join(
      ";",
    );
  });
  writeFileSync(at("table.csv"), `${["a_0", "b_0", "c_0", "d_0", "a_1", "b_1", "c_1", "d_1", "rose"].join(";")}\n${lines.join("\n")}\n`);
  return at("table.csv");
}

async function inspect(values: object): Promise<string> {
  const printed: string[] = [];
  const terminal = { print: (text: string) => printed.push(text), say() {} };
  await inspectCommand.run({ ...values } as never, { terminal } as never);
  return printed.join("\n");
}

test("inspect shows how data are read, a table of features, and warnings with the option that settles each", async () => {
  const text = await inspect({ files: [writeTable()], label: "rose", json: false });
  expect(text).toContain('table.csv: 120 sequences, 2 steps × 4 features (a, b, c, d), label rose, 1 is "yes", 0 is "no", 33.3 % positive');
  expect(text).toContain("33.3 % positive, columns separated by semicolons\n");
  expect(text).toMatch(/^a +numbers +0\.008\S* … 1 +– +\d+ {2}[▁▂▃▄▅▆▇█ ]+$/m);
  expect(text).toMatch(/^b +whole numbers +1 … 119 +13 +119 /m);
  expect(text).toMatch(/^c +whole numbers +always 7 +– +1 /m);
  expect(text).toMatch(/^d +0 and 1 +0 … 1 +– +2 /m);
  expect(text).toContain("lengths: all sequences have 2 rows\ncopies: 1 sequence is equal to one before");
  expect(text).toContain("- b has 13 gaps: train fills each from the row before it, else by the median; --missing refuse refuses them");
  expect(text).toContain("- c never changes: train leaves it out");
  expect(text).toContain("- sequences that are copies of one before: 1, 1 of them with another label; copies stay in one part");
});

test("inspect writes the same as JSON, and a page with plots", async () => {
  const report = at("table.html");
  const document = JSON.parse(await inspect({ files: [writeTable()], label: "rose", json: true, report }));
  expect(document.read).toMatchObject({ sequences: 120, labels: { name: "rose", positives: 40, meaning: { one: "yes", zero: "no" } } });
  expect(document.features[1]).toEqual({ name: "b", type: "whole numbers", min: 1, max: 119, gaps: 13, isConstant: false, distinct: 119 });
  expect(document.warnings.map(({ code }: { code: string }) => code)).toEqual(["gaps", "constant", "copies"]);
  const page = readFileSync(report, "utf8");
  expect(page.match(/<svg viewBox[^>]*role="img"/g)?.length).toBe(4);
  expect(page).toContain("b has 13 gaps");
});

test("inspect names a number that stands far outside the others, before it decides means and scales", async () => {
  const lines = Array.from({ length: 120 }, (_, n) => `${n === 40 ? "1e9" : 10 + (n % 7)},5,${n % 13},6,${n % 2}`);
  writeFileSync(at("slipped.csv"), `a_0,b_0,a_1,b_1,label\n${lines.join("\n")}\n`);
  const values = { files: [at("slipped.csv")], json: false };
  expect(await inspect(values)).toContain(
    "- a has one number, 1·10⁹, that stands far outside the others, 0 to 16: where it is a mistake, leave the cell empty",
  );
});

test("inspect says what is odd about unlabelled, short and padded data", async () => {
  writeFileSync(at("few.jsonl"), '{"sequence": [[0, 1]]}\n{"sequence": [[0, 2], [0, 0], [1, 3]]}\n');
  const text = await inspect({ files: [at("few.jsonl")], json: false });
  expect(text).toContain("lengths: 1 to 3 rows, 33.3 % of all rows are padding in front");
  for (const line of ["the data hold no labels", "2 sequences are too few", "rows inside sequences that are all zero: 1; --padding"])
    expect(text).toContain(`- ${line}`);
});

test("inspect counts the gaps of rows of series once, however many windows share a row", async () => {
  // Two series of 130 rows; a is missing in every tenth of one and never in the other, b in the last row of each
  const rows = Array.from({ length: 260 }, (_, i) => {
    const [series, t] = [i % 2, i >> 1];
    return [series, series === 0 && t % 10 === 3 ? "" : t + 1, t === 129 ? "" : 2 * t, t % 3 === 0 ? 1 : 0].join(",");
  });
  writeFileSync(at("series.csv"), `owner,a,b,label\n${rows.join("\n")}\n`);
  const ask = async (values: object) =>
    JSON.parse(await inspect({ files: [at("series.csv")], key: "owner", label: "label", json: true, ...values }));
  const gapsOf = async (values: object) => (await ask(values)).features.map(({ gaps }: { gaps: number }) => gaps);
  expect(await gapsOf({ window: 10 })).toEqual([13, 2]);
  expect(await gapsOf({ window: 10, stride: 7 })).toEqual([13, 0]); // the last windows end in row 128
  expect(await gapsOf({ window: 200 })).toEqual([13, 2]); // shorter series are one window each
});

test("a column of times that --time does not name is told from a category, and gaps of several features are one line", async () => {
  const rows = Array.from(
    { length: 60 },
    (_, n) => `a,2024-01-${String(1 + Math.floor(n / 24)).padStart(2, "0")} ${n % 24}:00,${n % 7 || ""},${n % 5 || ""},${n % 2}`,
  );
  writeFileSync(at("times.csv"), `who,when,x,z,label\n${rows.join("\n")}\n`);
  await expect(inspect({ files: [at("times.csv")], key: "who", json: false })).rejects.toThrow(
    "say --time when where it is the time of a row, or --category when",
  );
  writeFileSync(
    at("iso.csv"),
    `who,when,x,z,label\n${rows.map((row) => row.replace(/ (\d+):/, (_, h) => `T${h.padStart(2, "0")}:`).replace(":00,", ":00Z,")).join("\n")}\n`,
  );
  await expect(inspect({ files: [at("iso.csv")], key: "who", json: false })).rejects.toThrow(
    "say --time when if the texts are times, or leave it out with --id when",
  );
  const text = await inspect({ files: [at("iso.csv")], key: "who", time: "when", json: false });
  expect(text).toContain("- 2 features have gaps, x 9, z 12: train fills each from the row before");
});

test("padding counts in no range where something is given once a sequence", async () => {
  const lines = Array.from(
    { length: 300 },
    (_, n) => `${Math.floor(n / 3)},${n % 3},${5 + (n % 4)},${40 + (Math.floor(n / 3) % 9)},${n % 2}`,
  );
  writeFileSync(at("short.csv"), `id,at,stage,age,label\n${lines.join("\n")}\n`);
  const text = await inspect({ files: [at("short.csv")], key: "id", time: "at", static: ["age"], window: 5, label: "label", json: false });
  expect(text).toContain("100 of 100 series padded (shorter than a window of 5)");
  expect(text).toMatch(/^stage +whole numbers +5 … 8 +– +4 /m);
  expect(text).toMatch(/^age +whole numbers +40 … 48 +– +9 /m);
});

test("numbers that were saved as texts are refused with both ways forward, and are levels where --category says so", async () => {
  const advice = ": the text is no number, so save the column as numbers, or say --category isig where it is a category";
  const parquet = join(import.meta.dirname, "../../fixtures/readers/text-numbers.parquet");
  const values = { window: 2, label: "hyper", json: false };
  await expect(inspect({ ...values, files: [parquet] })).rejects.toThrow(
    `row 1: column "isig" is "22.59", expected a finite number${advice}`,
  );
  writeFileSync(at("texts.jsonl"), '{"isig":"22.59","glucose":100,"hyper":0}\n{"isig":"23","glucose":101,"hyper":1}\n');
  await expect(inspect({ ...values, files: [at("texts.jsonl")] })).rejects.toThrow(`"isig" is "22.59", expected a finite number${advice}`);
  expect(await inspect({ ...values, files: [parquet], category: ["isig"] })).toContain("isig=22.59");
});

test("a file of whole sequences, for which --features says rows, is refused with what to leave out", async () => {
  writeFileSync(at("whole.jsonl"), `{"sequence":[[1,2],[3,4]],"label":0}\n`);
  await expect(inspect({ files: [at("whole.jsonl")], features: ["a", "b"], json: false })).rejects.toThrow(
    `line 1: holds a whole "sequence", while --key, --features, --window and --stride say one row a line: leave them out`,
  );
});

test("a table of rows without --key says that --window takes it as one series", async () => {
  writeFileSync(at("one.csv"), "at,isig,glucose,hyper\n2024-01-01,1,2,0\n2024-01-02,1,3,1\n");
  await expect(inspect({ files: [at("one.csv")], time: "at", label: "hyper", json: false })).rejects.toThrow(
    'has 2 columns ("isig", "glucose"), expected 50 numbers (10 × 5, step by step) and perhaps a label: for another shape name the columns <feature>_<step>, for one row a line say --key, or --window where all rows are one series',
  );
});
