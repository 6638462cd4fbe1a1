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
import { seriesColumns } from "../../fixtures/kernel.ts";

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
    const columns = computeColumns(view, recipe, values, Math.log, seriesColumns);
    expect(Array.from(columns.subarray(0, 4))).toEqual([X, X, 5, X]); // the last row first
    expect(Array.from(columns.subarray(7, 11))).toEqual([9, X, 3, X]);
    const observed = { ...view, series: [CHANNELS[1]] };
    expect(Array.from(computeColumns(observed, recipe, values, Math.log, seriesColumns).subarray(0, 4))).toEqual([0, 0, 1, 0]);
  });

  it("of a feature that the training part never observes is 0, and 1 under a logarithm: a fold may lack what all data have", () => {
    const blank = Float64Array.of(X, 1, X, 2, X, 1, X, 1);
    const { fill, floor } = fitRecipe(plan([{ base: "feature", a: 0, view: "log" }]), blank, [0], Math.log);
    expect([fill?.[0], floor[2]]).toEqual([0, 1]);
  });

  it("that training never fills otherwise takes the median of an even number of values between the two in the middle", () => {
    const even = Float64Array.of(1, 1, 2, 1, 4, 1, 8, 1);
    expect(fitRecipe(plan(), even, [0], Math.log).fill?.[0]).toBe(3);
  });
});

describe("a channel of what is observed alone", () => {
  // a with gaps, b whole; the second sequence observes a once
  const values = Float64Array.of(X, 1, 5, 1, X, 4, 9, 1, /**/ X, 2, 7, 2, X, 2, X, 2);
  const whereObserved = true;
  const channels: readonly Channel[] = [
    { base: "feature", a: 0, view: "level", whereObserved },
    { base: "feature", a: 0, view: "delta", whereObserved },
    { base: "difference", a: 0, b: 1, view: "level", whereObserved },
    { base: "feature", a: 0, view: "centred", whereObserved },
  ];
  const recipe = fitRecipe({ ...plan(channels), standardise: true }, values, [0, 1], Math.log);
  const applied = applyRecipe(recipe, values, Math.log);

  it("has its mean and scale from what is observed", () => {
    expect(recipe.mean[0]).toBeCloseTo(7, 14); // of 5, 9, 7
    expect(recipe.mean[2]).toBeCloseTo((4 + 8 + 5) / 3, 14);
  });

  it("is at its mean where there is nothing, as a mean would fill it", () => {
    const scale = Math.sqrt(8 / 3);
    expect(series(applied, 0, 0)).toEqual([0, Math.fround(-2 / scale), 0, Math.fround(2 / scale)]);
    expect(series(applied, 1, 0)).toEqual([0, 0, 0, 0]);
    expect(series(applied, 0, 1)).toEqual([0, 0, 0, 0]); // no row follows one that observes it as well
    expect(series(applied, 0, 3)).toEqual([0, Math.fround(-2 / recipe.scale[3]), 0, Math.fround(2 / recipe.scale[3])]);
  });

  it("is what it was where nothing is missing", () => {
    const whole = Float64Array.of(1, 1, 5, 1, 2, 4, 9, 1);
    const plain = channels.map(({ whereObserved: _, ...channel }): Channel => channel);
    const channelsOf = (own: readonly Channel[]) => applyRecipe(fitRecipe(plan(own), whole, [0], Math.log), whole, Math.log).channels;
    expect(channelsOf(channels)).toEqual(channelsOf(plain));
  });
});

test("a channel with medians in gaps carries nothing on", () => {
  const values = Float64Array.of(X, 1, 5, 1, X, 4, 9, X);
  const medianFilled = true;
  const channels: readonly Channel[] = [
    { base: "feature", a: 0, view: "level", medianFilled },
    { base: "difference", a: 0, b: 1, view: "level", medianFilled },
    { base: "logRatio", a: 0, b: 1, view: "delta", medianFilled },
  ];
  const recipe = fitRecipe({ ...plan(channels), gaps: [0, 1] }, values, [0], Math.log);
  expect(recipe.fill).toEqual(Float64Array.of(7, 1));
  const applied = applyRecipe(recipe, values, Math.log);
  expect(series(applied, 0, 0, 4, 3)).toEqual([7, 5, 7, 9]);
  expect(series(applied, 0, 1, 4, 3)).toEqual([6, 4, 3, 8]);
  const logs = [7, 5, 7 / 4, 9].map(Math.log);
  for (const t of [1, 2, 3]) expect(series(applied, 0, 2, 4, 3)[t]).toBeCloseTo(logs[t] - logs[t - 1], 6);
});

describe("a rate", () => {
  const rate: Channel = { base: "feature", a: 0, view: "rate" };
  /** Rates of one sequence of (a, b, time) rows; b lacks nothing unless said. */
  const ratesOf = (rows: readonly (readonly number[])[], channel: Channel = rate): number[] => {
    const values = Float64Array.from(rows.flat());
    const clocked: Plan = {
      timesteps: rows.length,
      features: ["a", "b", "time"],
      padding: "leading",
      channels: [channel],
      standardise: false,
      gaps: [0],
      clock: true,
    };
    const { channels } = applyRecipe(fitRecipe(clocked, values, [0], Math.log), values, Math.log);
    return Array.from(channels);
  };

  it("divides by the time since its feature was last observed, not since the row before", () => {
    // 6 in 30 seconds, not in 10; then 4 in 2
    expect(ratesOf([[1, 1, 100], [X, 1, 120], [7, 1, 130], [11, 1, 132]])).toEqual([0, 0, Math.fround(6 / 30), 2]); // biome-ignore format: a table
  });

  it("is 0 before its feature was observed twice: what stands in before the first is no movement", () => {
    expect(ratesOf([[X, 1, 100], [5, 1, 110], [X, 1, 120], [X, 1, 130]])).toEqual([0, 0, 0, 0]); // biome-ignore format: a table
  });

  it("of two features divides by the time since both were observed", () => {
    const both: Channel = { base: "difference", a: 0, b: 1, view: "rate" };
    expect(ratesOf([[3, 1, 100], [4, X, 110], [X, 1, 120], [9, 1, 140]], both)).toEqual([0, 0, 0, Math.fround(6 / 40)]); // biome-ignore format: a table
  });

  it("counts rows that follow closer than any in training as that far apart", () => {
    const values = Float64Array.of(1, 1, 100, 3, 1, 104, X, 1, 104, 5, 1, 105);
    const clocked: Plan = {
      timesteps: 4,
      features: ["a", "b", "time"],
      padding: "leading",
      channels: [rate],
      standardise: false,
      gaps: [0],
      clock: true,
    };
    const recipe = fitRecipe(clocked, values, [0], Math.log);
    expect(recipe.floor[2]).toBe(1);
    const fast = Float64Array.of(1, 1, 100, 3, 1, 100.5, X, 1, 100.5, 5, 1, 100.5);
    expect(Array.from(applyRecipe(recipe, fast, Math.log).channels)).toEqual([0, 2, 0, 2]);
  });
});

test("data without a gap give the same bits with and without a recipe that takes gaps", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const views: Channel[] = [
    { base: "feature", a: 0, view: "level" },
    { base: "feature", a: 1, view: "delta" },
    { base: "difference", a: 0, b: 1, view: "centred" },
    { base: "feature", a: 0, view: "rate" },
    { base: "difference", a: 0, b: 1, view: "logAbsDelta" },
  ];
  const tabular: TabularPlan = {
    series: views,
    width: 2,
    parts: 2,
    blocks: [
      { kind: "steps", series: [0, 3] },
      { kind: "statistics", series: [0, 1, 2, 3, 4] },
      { kind: "quantiles", series: [2], depth: 1 },
    ],
  };
  fc.assert(
    fc.property(fc.array(number, { minLength: 24, maxLength: 24 }), (numbers) => {
      const values = Float64Array.from(numbers);
      if (values.every((x) => x === 0)) return;
      const all = [0, 1, 2];
      const { gaps: _, ...without } = { ...plan(views), standardise: true };
      const plain = fitRecipe(without, values, all, Math.log);
      const { fill, gaps, ...carrying } = fitRecipe({ ...without, gaps: [] }, values, all, Math.log);
      expect(carrying).toEqual(plain);
      const taking = { ...carrying, fill, gaps };
      expect(applyRecipe(taking, values, Math.log)).toEqual(applyRecipe(plain, values, Math.log));
      const view = fitView(tabular, plain, values, all, Math.log);
      expect(fitView(tabular, taking, values, all, Math.log)).toEqual(view);
      expect(computeColumns(view, taking, values, Math.log, seriesColumns)).toEqual(
        computeColumns(view, plain, values, Math.log, seriesColumns),
      );
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
