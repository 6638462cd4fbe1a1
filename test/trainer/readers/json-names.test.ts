// Sequences of JSON that name their features: read by name, and refused where names differ.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import type { ReadOptions } from "../../../trainer/readers/options.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-json-names-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function read(text: string, options: ReadOptions = {}, ending = "jsonl") {
  const path = join(folder, `${++files}.${ending}`);
  writeFileSync(path, text);
  return readDataset([path], options);
}

const NAMED = ['{"sequence":[{"a":1,"b":2},{"b":4,"a":3}],"label":0}', '{"sequence":[{"b":6,"a":5}],"label":1}'];
const LISTED = ['{"features":["a","b"],"sequence":[[1,2],[3,4]],"label":0}', '{"features":["a","b"],"sequence":[[5,6]],"label":1}'];

test.each<[string, string, string]>([
  ["rows as objects", NAMED.join("\n"), "jsonl"],
  ["rows as objects in an array", `[${NAMED.join()}]`, "json"],
  ["a list beside the sequence", LISTED.join("\n"), "jsonl"],
  ["a list in the first record alone", LISTED.join("\n").replace(/(?<=\n)\{"features":\["a","b"\],/, "{"), "jsonl"],
])("%s", async (_title, text, ending) => {
  const { features, values, labels, facts } = await read(text, {}, ending);
  expect(features).toEqual(["a", "b"]);
  expect(Array.from(values)).toEqual([1, 2, 3, 4, 0, 0, 5, 6]);
  expect(labels && Array.from(labels)).toEqual([0, 1]);
  expect(facts.remarks).toEqual([]);
});

test("bare rows of objects, put in the order that a model takes", async () => {
  const target = { timesteps: 2, features: ["b", "a"] };
  const { values } = await read('[{"a":1,"b":2},{"a":3,"b":4}]\n[{"a":5,"b":6}]\n', { target });
  expect(Array.from(values)).toEqual([2, 1, 4, 3, 0, 0, 6, 5]);
  await expect(read('[{"a":1,"c":2}]\n', { target })).rejects.toThrow("has the features a, c, expected b, a");
});

test.each<[string, string, string]>([
  ["a row that lacks a feature", '{"sequence":[{"a":1,"b":2},{"a":3}]}', 'line 1: sequence[1]: lacks "b", which the first row has'],
  ["a row with another", '{"sequence":[{"a":1}]}\n{"sequence":[{"a":1,"c":2}]}', 'line 2: sequence[0]: has "c", which the first row lacks'],
  ["a row with no name", '{"sequence":[{}]}', "line 1: sequence[0]: names 0 features, expected 1 to 64"],
  ["another list", '{"features":["a"],"sequence":[[1]]}\n{"features":["b"],"sequence":[[1]]}', 'line 2: features: must be "a" as in'],
  ["one name twice", '{"features":["a","a"],"sequence":[[1,2]]}', 'line 1: features: names "a" twice'],
  ["names that are none", '{"features":["a",2],"sequence":[[1,2]]}', "line 1: features: holds 2, expected a feature's name"],
  ["more names than numbers", '{"features":["a","b"],"sequence":[[1]]}', "line 1: sequence[0] must have 2 numbers, got 1"],
  ["a text for a number", '{"sequence":[{"a":1},{"a":{}}]}', "line 1: sequence[1][0] must be a finite number, got an object"],
])("refuses %s", async (_title, text, message) => {
  await expect(read(text)).rejects.toThrow(message);
});
