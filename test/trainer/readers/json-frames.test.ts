// JSON as pandas 3.1 writes it, in each of its orients: read with rows and columns where they belong, or refused with the line that cures it.
//   w = pd.DataFrame({"b_1": [8.5, -1], "a_0": [1, 3.25], "y": [1, 0], "a_1": [2, 4], "b_0": [7, 5e-3]}, index=[7, 2]); w.to_json(orient=…)
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import type { ReadOptions } from "../../../trainer/readers/options.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-json-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** `text` in a file of its own, read as data. */
function read(text: string, options: ReadOptions = {}, ending = "json") {
  const path = join(folder, `${++files}.${ending}`);
  writeFileSync(path, text);
  return readDataset([path], options);
}

const RECORDS = '[{"b_1":8.5,"a_0":1.0,"y":1,"a_1":2,"b_0":7.0},{"b_1":-1.0,"a_0":3.25,"y":0,"a_1":4,"b_0":0.005}]';
const DATA = "[[8.5,1.0,1,2,7.0],[-1.0,3.25,0,4,0.005]]";
const SPLIT = `{"columns":["b_1","a_0","y","a_1","b_0"],"index":[7,2],"data":${DATA}}`;
const TIGHT = SPLIT.replace(/\}$/, ', "index_names": [null], "column_names": [null]}');
const FIELDS = ["index", "b_1", "a_0", "y", "a_1", "b_0"].map((name) => ({ name, type: "number" }));
const TABLE = `{"schema":${JSON.stringify({ fields: FIELDS, primaryKey: ["index"], pandas_version: "1.4.0" })},"data":${RECORDS.replaceAll('{"b_1"', '{"index":7,"b_1"')}}`;

test.each<[string, string, string?]>([
  ["records", RECORDS],
  ["records, indented", JSON.stringify(JSON.parse(RECORDS), null, 2)],
  ["records, as lines", RECORDS.slice(1, -1).replace("},{", "}\n{"), "jsonl"],
  ["records in the only field of an object", `{"rows":${RECORDS}}`],
  ["split", SPLIT],
  ["split, indented", JSON.stringify(JSON.parse(SPLIT), null, 2)],
  ["tight", TIGHT],
  ["table", TABLE],
])('a wide table with orient="%s" is read by the names of its fields', async (_orient, text, ending) => {
  const { values, labels, features, shape } = await read(text, {}, ending);
  expect(shape).toEqual({ timesteps: 2, features: 2 });
  const columns = features.map((name) => ["a", "b"].indexOf(name));
  const expected = [
    [1, 7, 2, 8.5],
    [3.25, 0.005, 4, -1],
  ].flatMap((sequence) => [0, 2].flatMap((row) => columns.map((f) => sequence[row + f])));
  expect(Array.from(values)).toEqual(expected);
  expect(Array.from(labels ?? [])).toEqual([1, 0]);
});

test("levels of columns are features and steps", async () => {
  const text = '{"columns":[["a",0],["b",0],["a",1],["b",1]],"index":[7,2],"data":[[1.0,7.0,2,8.5],[3.25,0.005,4,-1.0]]}';
  const { values, features } = await read(text);
  expect(features).toEqual(["a", "b"]);
  expect(Array.from(values)).toEqual([1, 7, 2, 8.5, 3.25, 0.005, 4, -1]);
});

const DAYS = '["2024-01-03T00:00:00.000","2024-01-02T00:00:00.000","2024-01-02T00:00:00.000","2024-01-03T00:00:00.000"]';
test.each<[string, string, string]>([
  ["split", `{"columns":["who","a","b"],"index":${DAYS},"data":[["p",2.0,8.5],["p",1.0,7.0],["q",3.25,0.005],["q",4.0,-1.0]]}`, "index"],
  [
    "table",
    `{"schema":{"fields":[{"name":"day","type":"datetime"}]},"data":[{"day":"2024-01-03","who":"p","a":2,"b":8.5},{"day":"2024-01-02","who":"p","a":1,"b":7},{"day":"2024-01-02","who":"q","a":3.25,"b":0.005},{"day":"2024-01-03","who":"q","a":4,"b":-1}]}`,
    "day",
  ],
])('rows of series with orient="%s" have their index for a time', async (_orient, text, time) => {
  const { values, features } = await read(text, { key: "who", time, window: 2 });
  expect(features).toEqual(["a", "b"]);
  expect(Array.from(values)).toEqual([1, 7, 2, 8.5, 3.25, 0.005, 4, -1]);
});

test.each<[string, string, RegExp, ReadOptions?]>([
  [
    "columns",
    '{"a_0":{"7":1.0,"2":3.25},"a_1":{"7":2,"2":4}}',
    /holds objects in "a_0", "a_1", as pandas' to_json with orient="columns" or "index"/,
  ],
  ["index", '{"7":{"a_0":1.0,"a_1":2},"2":{"a_0":3.25,"a_1":4}}', /which does not say what is a row, nor the rows' order/],
  ["values", DATA, /\[0\]: holds 5 cells without names, as pandas' to_json with orient="values"/],
  ["values of rows", DATA, /\[0\]: holds 5 cells without names/, { key: "who" }],
  ["split, cut", SPLIT.replace("7.0],", "],").replace(",2,]", ",2]"), /data\[0\] is no row of 5 cells/],
])('orient="%s" is refused with the line of pandas that cures it', async (_orient, text, sentence, options) => {
  const error = await read(text, options).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toMatch(sentence);
  expect(error.message).toContain('write it with df.to_json("data.json", orient="records")');
});

test("a column of split that stands twice, and fields that JSON does not keep in order, are refused", async () => {
  await expect(read(SPLIT.replace('"a_1"', '"a_0"'))).rejects.toThrow('has two columns "a_0": name each once');
  const cells = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i === 3 ? "x" : String(i), i]));
  await expect(read(JSON.stringify([cells]), { byPosition: true })).rejects.toThrow("names some fields by numbers alone");
});
