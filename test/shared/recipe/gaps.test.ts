// Numbers that are missing: what fills them, what is known of them, and that nothing else changes.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { fitRecipe, fitView } from "../../../shared/recipe/fit.ts";
import type { Plan } from "../../../shared/recipe/recipe.ts";
import { computeSeries, isGap, moveTo, openRows } from "../../../shared/recipe/series.ts";
import type { TabularPlan } from "../../../shared/recipe/tabular.ts";
import { parseSequence } from "../../../shared/sequence.ts";

const X = Number.NaN;
const CHANNELS: readonly Channel[] = [
  { base: "feature", a: 0, view: "level" },
  { base: "observed", a: 0, view: "level" },
  { base: "sinceObserved", a: 0, view: "level" },
  { base: "feature", a: 0, view: "delta" },
];

function plan(channels = CHANNELS, timesteps = 4): Plan {
  return { timesteps, features: ["a", "b"], padding: "leading", channels, standardise: false, gaps: [0] };
}

/** Levels of feature a, the last row first, and their changes. */
function planOf(width: number): TabularPlan {
  return { series: [CHANNELS[0]], width, parts: 4, blocks: [{ kind: "steps", series: [0] }] };
}

/** Channel c of sequence n. */
function series({ channels }: { channels: Float32Array }, n: number, c: number, T = 4, C = CHANNELS.length): number[] {
  return Array.from({ length: T }, (_, t) => channels[(n * T + t) * C + c]);
}

describe("a gap", () => {
  // The first sequence starts with a gap, the second has a padding row, and one row in which nothing is observed.
  const values = Float64Array.of(X, 1, 5, 1, X, 1, X, 1, /**/ 0, 0, 3, 1, X, X, 9, 1);
  const recipe = fitRecipe(plan(), values, [0, 1], Math.log);
  const applied = applyRecipe(recipe, values, Math.log);

  it("is filled by the last observed value of its sequence, before it by the training median", () => {
    expect(recipe.fill).toEqual(Float64Array.of(5, 1)); // of 5, 3, 9
    expect(series(applied, 0, 0)).toEqual([5, 5, 5, 5]);
    expect(series(applied, 1, 0)).toEqual([3, 3, 9, 0]);
  });

  it("shows in whether its feature is observed, and how many rows ago it was", () => {
    expect(series(applied, 0, 1)).toEqual([0, 1, 0, 0]);
    expect(series(applied, 0, 2)).toEqual([1, 0, 1, 2]);
    expect(series(applied, 1, 1)).toEqual([1, 0, 1, 0]);
  });

  it("makes no row padding, even where nothing is observed", () => {
    expect(applied.lengths).toEqual(Int32Array.of(4, 3));
  });

  it("is outside what training saw in a feature that had none there", () => {
    expect(Array.from(applied.outOfRange)).toEqual([0, 1]); // b is missing in the second sequence, and lacked nothing by the plan
  });

  it("stays reachable beside the value that fills it", () => {
    const sequence = openRows(values, { timesteps: 4, features: 2 }, "leading", recipe.fill);
    moveTo(sequence, 1);
    expect([0, 1, 2].map((t) => isGap(sequence, t, 0))).toEqual([false, true, false]);
    const filled = new Float64Array(4);
    computeSeries(recipe, 0, sequence, Math.log, filled);
    expect(Array.from(filled.subarray(0, 3))).toEqual([3, 3, 9]);
  });

  it("is NaN in the columns of a tabular view, whatever fills it for channels", () => {
    const view = { ...planOf(1), ...fitView(planOf(1), recipe, values, [0, 1], Math.log) };
    const columns = computeColumns(view, recipe, values, Math.log);
    expect(Array.from(columns.subarray(0, 4))).toEqual([X, X, 5, X]); // the last row first
    expect(Array.from(columns.subarray(7, 11))).toEqual([9, X, 3, X]);
    const observed = { ...view, series: [CHANNELS[1]] };
    expect(Array.from(computeColumns(observed, recipe, values, Math.log).subarray(0, 4))).toEqual([0, 0, 1, 0]);
  });

  it("that training never fills otherwise takes the median of an even number of values between the two in the middle", () => {
    const even = Float64Array.of(1, 1, 2, 1, 4, 1, 8, 1);
    expect(fitRecipe(plan(), even, [0], Math.log).fill?.[0]).toBe(3);
  });
});

test("data without a gap give the same bits with and without a recipe that takes gaps", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const views: Channel[] = [
    { base: "feature", a: 0, view: "level" },
    { base: "feature", a: 1, view: "delta" },
    { base: "difference", a: 0, b: 1, view: "centred" },
  ];
  fc.assert(
    fc.property(fc.array(number, { minLength: 24, maxLength: 24 }), (numbers) => {
      const values = Float64Array.from(numbers);
      if (values.every((x) => x === 0)) return;
      const all = [0, 1, 2];
      const { gaps: _, ...without } = { ...plan(views), standardise: true };
      const plain = fitRecipe(without, values, all, Math.log);
      const { fill, gaps, ...carrying } = fitRecipe({ ...without, gaps: [] }, values, all, Math.log);
      expect(carrying).toEqual(plain);
      expect(applyRecipe({ ...carrying, fill, gaps }, values, Math.log)).toEqual(applyRecipe(plain, values, Math.log));
    }),
    { numRuns: 300, seed: 3 },
  );
});

describe("null in a sequence", () => {
  const parse = (rows: unknown, gaps?: boolean): number[] => {
    const out = new Float64Array(4);
    parseSequence(rows, ["sequence"], { timesteps: 2, features: 2, gaps }, out, 0);
    return Array.from(out);
  };

  it("is a gap where numbers may be missing", () => {
    expect(parse([[1, null]], true)).toEqual([0, 0, 1, X]);
  });

  it("is refused by its place where they may not, and so is whatever else is no number where they may", () => {
    expect(() => parse([[1, null]])).toThrow("sequence[0][1] must be a finite number, got null");
    for (const value of ["NA", Number.POSITIVE_INFINITY, undefined])
      expect(() => parse([[1, value]], true)).toThrow("sequence[0][1] must be a finite number, or null where it is missing");
  });
});
