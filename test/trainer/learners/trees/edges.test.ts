// Where bins end: between observed values, never at one.
import { expect, test } from "vitest";
import { binColumns, findBinEdges, MISSING_BIN } from "../../../../trainer/learners/trees/edges.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";
import { range } from "./tables.ts";

const edgesOf = (values: readonly number[]): number[] => Array.from(findBinEdges(Float64Array.from(values), 1, range(1)).edges);

test.each([
  ["few different values: an edge between each two", [3, 1, 1, 2, 2, 2], [1.5, 2.5]],
  ["a constant column: none", [4, 4, 4], []],
  ["an empty column: none", [], []],
  ["the largest values that recipes hold", [1e300, -1e300, 0], [-5e299, 5e299]],
  ["values whose sum is infinite", [1.5e308, 1.7e308], [1.6e308]],
  ["two numbers that have none between them: none", [1, 1 + 2 ** -52, 3], [(1 + 2 ** -52) / 2 + 1.5]],
  ["the smallest numbers: none between, no zero", [0, 5e-324], []],
  ["negative zero is zero", [-0, 0, 1], [0.5]],
  ["infinite values: nothing finite lies between", [Number.NEGATIVE_INFINITY, 0, 1, Number.POSITIVE_INFINITY], [0.5]],
  ["missing throughout: none", [Number.NaN, Number.NaN], []],
  ["missing in part: the last edge parts missing from present", [2, Number.NaN, 1], [1.5, Number.MAX_VALUE]],
  ["missing beside a constant: the edge that parts them", [2, Number.NaN], [Number.MAX_VALUE]],
])("%s", (_, values, expected) => {
  expect(edgesOf(values)).toEqual(expected);
});

test("many values: at most 254 edges, bins of about equally many, no edge is a value", () => {
  const random = createRandom(1);
  const values = Float64Array.from({ length: 10_000 }, (_, n) => (n % 7 === 0 ? Number.NaN : Math.exp(3 * random.normal())));
  const table = findBinEdges(values, 1, range(1));
  expect(table.edges.length).toBe(254);
  expect(table.edges.slice().sort()).toEqual(table.edges);
  const seen = new Set(values);
  expect(table.edges.some((edge) => seen.has(edge))).toBe(false);
  const counts = new Int32Array(256);
  for (const bin of binColumns(table, values, range(1))) counts[bin]++;
  expect(counts[MISSING_BIN]).toBe(Math.ceil(10_000 / 7));
  expect(counts[254]).toBe(0); // above the edge that only parts missing from present
  const ofValues = counts.subarray(0, 254);
  expect(Math.max(...ofValues) - Math.min(...ofValues)).toBeLessThanOrEqual(2);
});

test("a value that most rows have takes one bin, and the others share the rest", () => {
  const random = createRandom(2);
  const values = Float64Array.from({ length: 10_000 }, (_, n) => (n % 10 > 0 ? 0 : random.normal()));
  const { edges } = findBinEdges(values, 1, range(1));
  expect(edges.length).toBeGreaterThan(100);
  expect(edges.filter((edge) => edge > 0).length).toBeGreaterThan(40);
});

test("columns that nobody wants have no edges", () => {
  const table = findBinEdges(Float64Array.of(0, 5, 1, 1, 6, 3), 3, Int32Array.of(0, 2));
  expect(Array.from(table.edgeStart)).toEqual([0, 1, 1, 2]);
  expect(Array.from(table.edges)).toEqual([0.5, 2]);
});

test("the order of the rows changes no edge", () => {
  const random = createRandom(3);
  const values = Float64Array.from({ length: 3000 }, () => Math.round(100 * random.normal()) / 10);
  const order = range(3000);
  random.shuffle(order);
  const shuffled = Float64Array.from(order, (n) => values[n]);
  expect(findBinEdges(shuffled, 1, range(1))).toEqual(findBinEdges(values, 1, range(1)));
});

test("a value's bin is the number of edges below it, and a value equal to an edge stays below it", () => {
  const table = { edgeStart: Uint32Array.of(0, 2, 3), edges: Float64Array.of(1, 2, -1) };
  const values = Float64Array.of(1, -1, 1.5, -0.5, 2, Number.NaN, 9, -9, Number.NaN, Number.NEGATIVE_INFINITY);
  expect(Array.from(binColumns(table, values, range(2)))).toEqual([0, 1, 1, 2, MISSING_BIN, 0, 1, MISSING_BIN, 0, 0]);
  expect(Array.from(binColumns(table, values, Int32Array.of(1)))).toEqual([0, 1, MISSING_BIN, 0, 0]);
});
