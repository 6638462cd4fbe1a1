// Holes of the document, and what fills them.
import { expect, test } from "vitest";
import { fill } from "../../../edge/openapi/fill.ts";

const figures = { name: "{{steps}} {{absent}}", steps: 3, types: ["number", "null"], off: false };

test.each([
  ["a figure alone keeps its type", { maxItems: "{{steps}}", type: "{{types}}" }, { maxItems: 3, type: ["number", "null"] }],
  ["a figure within a text is text", "up to {{steps}} rows of {{types}}", "up to 3 rows of number,null"],
  ["a figure is not filled in itself", ["{{name}}", "of {{name}}"], ["{{steps}} {{absent}}", "of {{steps}} {{absent}}"]],
  ["what has no figure is not there", { a: "{{absent}}", b: ["{{absent}}", 1], c: null }, { b: [1], c: null }],
  [
    "conditions choose",
    [
      { $if: "steps", $then: "{{steps}}", $else: 0 },
      { $if: "off", $then: 1, $else: [2] },
      { $if: "absent", $then: 1 },
    ],
    [3, [2]],
  ],
  ["parts are joined", { $join: ["a ", { $if: "absent", $then: "b " }, "{{steps}}c"] }, "a 3c"],
  ["a path's parameters are no holes", { "/v1/{name}": "{name} {x}" }, { "/v1/{name}": "{name} {x}" }],
])("%s", (_, template, expected) => {
  expect(fill(template, figures)).toEqual(expected);
});
