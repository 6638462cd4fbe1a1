// Members that look at the kept columns alone say what they said of all.
import { expect, test } from "vitest";
import { linearLogit } from "../../../shared/linear.ts";
import type { Member } from "../../../shared/members.ts";
import { LEAF, treesLogit } from "../../../shared/trees.ts";
import { keepUsedColumns } from "../../../trainer/pipeline/keep-columns.ts";

const V = 6;
const linear: Member = {
  kind: "linear",
  classifier: {
    columns: Uint16Array.of(1, 3, 5),
    mean: Float64Array.of(1, 2, 3),
    scale: Float64Array.of(1, 2, 4),
    weights: Float64Array.of(0.5, 0, -1),
    intercept: 0.25,
  },
};
const trees: Member = {
  kind: "trees",
  ensemble: {
    edgeStart: Uint32Array.of(0, 0, 1, 1, 1, 3, 3),
    edges: Float64Array.of(0.5, -1, 2),
    roots: Uint32Array.of(0),
    column: Uint16Array.of(4, LEAF, 1, LEAF, LEAF),
    edge: Uint16Array.of(1, 0, 0, 0, 0),
    next: Uint32Array.of(2, 0, 4, 1, 2),
    leaves: Float32Array.of(1, 2, 3),
    base: -0.5,
  },
};

test("keeps the columns that somebody looks at, in their order, and not those of weight 0", () => {
  const { keep, members } = keepUsedColumns([linear, trees], V);
  expect([...keep]).toEqual([1, 4, 5]);
  const all = Float64Array.of(9, 0.7, 9, 9, 3, -2);
  const kept = Float64Array.from(keep, (v) => all[v]);
  const [lean, moved] = members;
  expect(lean.kind === "linear" && linearLogit(lean.classifier, kept, 0)).toBe(
    linear.kind === "linear" && linearLogit(linear.classifier, all, 0),
  );
  for (const value of [-3, 1, 3, Number.NaN]) {
    all[4] = kept[1] = value;
    expect(moved.kind === "trees" && treesLogit(moved.ensemble, kept)).toBe(trees.kind === "trees" && treesLogit(trees.ensemble, all));
  }
});

test("networks look at no column", () => {
  const lstm: Member = { kind: "lstm", networks: [] };
  expect(keepUsedColumns([lstm], V)).toEqual({ keep: new Uint16Array(0), members: [lstm] });
});
