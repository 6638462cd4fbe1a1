// The definition of a sum of trees, on trees small enough to follow by hand.
import { expect, test } from "vitest";
import { LEAF, MISSING_LEFT, type TreeEnsemble, treesLogit } from "../../shared/trees.ts";

/**
 * Two columns with edges [1, 2] and [-0.5]. Tree 0: x0 ≤ 2 ? (x1 ≤ −0.5, missing left ? 1 : 2) : 4, missing x0 right.
 * Tree 1: one leaf, 0.25.
 */
const ensemble: TreeEnsemble = {
  edgeStart: Uint32Array.of(0, 2, 3),
  edges: Float64Array.of(1, 2, -0.5),
  roots: Uint32Array.of(0, 5),
  column: Uint16Array.of(0, 1, LEAF, LEAF, LEAF, LEAF),
  edge: Uint16Array.of(1, MISSING_LEFT, 0, 0, 0, 0),
  next: Uint32Array.of(4, 3, 0, 1, 2, 3),
  leaves: Float32Array.of(1, 2, 4, 0.25),
  base: -10,
};

test.each([
  ["equal to an edge goes left", [2, -0.5], 1],
  ["just above an edge goes right", [2 + 2 ** -51, -0.5], 4],
  ["the second split decides between left and right", [0, 3], 2],
  ["a missing value goes where its split sends it: right", [Number.NaN, -3], 4],
  ["a missing value goes where its split sends it: left", [0, Number.NaN], 1],
  ["infinite values are large and small ones", [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], 2],
])("a value %s", (_, columns, leaf) => {
  expect(treesLogit(ensemble, Float64Array.from(columns))).toBe(-10 + leaf + 0.25);
});

test("leaves are added to the base one after the other, in float64", () => {
  const leaves = Float32Array.of(0.1, 1e8, -1e8);
  const stumps = { ...ensemble, roots: Uint32Array.of(0, 1, 2), column: new Uint16Array(3).fill(LEAF), edge: new Uint16Array(3) };
  const logit = treesLogit({ ...stumps, next: Uint32Array.of(0, 1, 2), leaves, base: 0.3 }, new Float64Array(2));
  expect(logit).toBe(0.3 + Math.fround(0.1) + 1e8 - 1e8);
});

test("without a tree the logit is the base", () => {
  expect(treesLogit({ ...ensemble, roots: new Uint32Array() }, new Float64Array(2))).toBe(-10);
});
