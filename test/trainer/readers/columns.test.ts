import { expect, test } from "vitest";
import { sortByTime, toGroups } from "../../../trainer/readers/columns.ts";

test("groups are numbered in the order they appear", () => {
  expect(toGroups(["b", "a", "b", "1"], "who", "data.csv")).toEqual(Int32Array.of(0, 1, 0, 2));
  expect(toGroups(Float64Array.of(0.5, -3, 0.5), "who", "data.npz")).toEqual(Int32Array.of(0, 1, 0));
});

test("sorting moves everything of a sequence together and keeps the order of equal times", () => {
  const N = 100;
  const each = Float64Array.from({ length: N }, (_, n) => n);
  const part = {
    values: Float64Array.from({ length: 2 * N }, (_, i) => i),
    labels: Uint8Array.from(each, (n) => n % 2),
    probability: each.map((n) => n / N),
    groups: Int32Array.from(each),
  };
  const sorted = sortByTime(part, { coarse: each.map((n) => -Math.floor(n / 10)), fine: null });
  const order = Array.from(each, (n) => 10 * (9 - Math.floor(n / 10)) + (n % 10));
  expect(Array.from(sorted.groups ?? [])).toEqual(order);
  expect(Array.from(sorted.values)).toEqual(order.flatMap((n) => [2 * n, 2 * n + 1]));
  expect(Array.from(sorted.labels ?? [])).toEqual(order.map((n) => n % 2));
  expect(Array.from(sorted.probability ?? [])).toEqual(order.map((n) => n / N));
});

test("what belongs to nothing is refused: it would be a group of its own", () => {
  expect(() => toGroups(["a", " "], "who", "data.csv")).toThrow('data.csv: who[1] is " ", expected what the row belongs to');
  expect(() => toGroups(Float64Array.of(1, Number.NaN), "who", "data.npz")).toThrow(
    "data.npz: who[1] is NaN, expected what the row belongs to",
  );
});
