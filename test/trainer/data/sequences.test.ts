import { expect, it } from "vitest";
import {
  countZeroRows,
  dropPaddingOnly,
  type LeftOutNote,
  lengthsOf,
  positiveRate,
  reorderSequences,
  selectSequences,
} from "../../../trainer/data/sequences.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const shape = { timesteps: 3, features: 2 };
// Zero rows in front; one inside; nothing else.
const values = Float64Array.of(0, 0, 0, 0, 1, 0, /**/ 2, 1, 0, 0, 3, 1, /**/ 0, 0, 0, 0, 0, 0);
const data = { source: "file", values, labels: Uint8Array.of(1, 0, 1), probability: null, shape };

it("counts all-zero rows after the first other row, of all rows from there on", () => {
  expect(countZeroRows(values, shape, Int32Array.of(0, 1, 2))).toEqual({ zeros: 1, total: 4 });
  expect(countZeroRows(values, shape, Int32Array.of(0, 2))).toEqual({ zeros: 0, total: 1 });
});

it.each([
  ["leading", [1, 3, 0]],
  ["any", [1, 2, 0]],
  ["none", [3, 3, 3]],
] as const)("counts the valid rows of padding %s", (padding, expected) => {
  expect(Array.from(lengthsOf(values, shape, padding))).toEqual(expected);
});

it("the positive rate is that of all that are known, also where some are known by their labels alone", () => {
  expect(positiveRate(Uint8Array.of(1, 0, 1, 1), Int32Array.of(0, 1))).toBe(0.5);
  expect(positiveRate(Uint8Array.of(1, 0, 1, 1), Int32Array.of(0, 1), Uint8Array.of(0, 0))).toBe(0.25);
  expect(positiveRate(Float64Array.of(0.5, 0.25), Int32Array.of(1), Float64Array.of(0.75))).toBe(0.5);
});

it("leaves out sequences without a valid row, and says how many", () => {
  const notes: LeftOutNote[] = [];
  const { labels, values: kept } = dropPaddingOnly(data, "leading", (note) => notes.push(note));
  expect([Array.from(labels), kept]).toEqual([[1, 0], values.slice(0, 12)]);
  expect(notes).toEqual([{ code: "left-out", source: "file", sequences: 1 }]);
});

it("refuses nothing but padding", () => {
  const empty = { ...data, values: new Float64Array(18) };
  expect(() => dropPaddingOnly(empty, "any", () => {})).toThrow("file: all 3 sequences are nothing but padding");
});

it("moves sequences where they are as it copies them elsewhere, with all that is known of each", () => {
  const N = 200;
  const order = Int32Array.from({ length: N }, (_, n) => n);
  createRandom(1).shuffle(order);
  const many = {
    values: Float64Array.from({ length: N * 6 }, (_, i) => i),
    labels: Uint8Array.from(order, (n) => n % 2),
    probability: Float64Array.from(order, (n) => n / N),
    groups: order.map((n) => n % 7),
  };
  const copied = selectSequences(many, order, shape);
  const moved = reorderSequences(many, order, shape);
  expect(moved.values).toBe(many.values);
  expect(moved).toEqual(copied);
});
