// The place in the error of a body that is no JSON.
import { expect, test } from "vitest";
import { parseJson } from "../../../edge/http/body.ts";
import { placeOfUnexpected } from "../../../edge/http/json-place.ts";

const messageOf = (text: string): string => {
  try {
    parseJson(new TextEncoder().encode(text));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${text} is JSON`);
};

test.each([
  ["[1, abc]", 1, 5],
  ['{"sequence": [\n  [1, 2, 3],\n  [1, 2,]\n]}', 3, 9],
  ['{"a":\n}', 2, 1],
  ['{"a": "x,\\"[,]", "b": [[], {}, nul]}', 1, 32],
  ["[true, false, null, -1e5, +1]", 1, 27],
  ["[[1], .5]", 1, 7],
  ["\r\n\r\n [NaN]", 3, 3],
  ["sequence=1", 1, 1],
  ['["\\\\", ]', 1, 8],
])("says line and column of an unexpected token: %j", (text, line, column) => {
  const message = messageOf(text);
  expect(message).toContain("Unexpected token");
  expect(message).toContain(` (line ${line} column ${column})`);
});

test("an error of which the runtime says the position keeps the runtime's words", () => {
  expect(messageOf("[1 2]")).toMatch(/position 3(?: \(line 1 column 4\))?$/);
  expect(messageOf("[1,")).toMatch(/Unexpected end of JSON input$/);
});

test("finds no place in what is JSON, and takes time by its length alone", () => {
  for (const text of ['{"a": [[], {}, [{}], "\\"", -1, 1e9, true, false, null], "b": {"c": "]"}}', "", "3", '"x"'])
    expect(placeOfUnexpected(text)).toBe("");
  expect(placeOfUnexpected(`[${"1,".repeat(1e6)}]`)).toBe(` (line 1 column ${2e6 + 2})`);
  expect(placeOfUnexpected(`["${"\\\\".repeat(1e6)}", x]`)).toBe(` (line 1 column ${2e6 + 6})`);
});
