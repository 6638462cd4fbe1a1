// The tabular view against NumPy, against itself, and at the ends of what numbers can be.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { fitView } from "../../../shared/recipe/fit.ts";
import { defineSeriesColumns } from "../../../shared/recipe/series-definition.ts";
import { columnsOf, describeColumns, MAX_COLUMNS, type TabularView } from "../../../shared/recipe/tabular.ts";
import { planView } from "../../../trainer/features/view-plan.ts";
import { kernel, seriesColumns } from "../../fixtures/kernel.ts";
import { makeSequences } from "../../fixtures/model.ts";

const { log } = instantiateKernel(kernel);

interface Case {
  readonly timesteps: number;
  readonly view: Pick<TabularView, "series" | "width" | "parts" | "blocks"> & { readonly floors: number[] };
  readonly sequences: number[][][];
  readonly columns: (number | null)[][];
}
/** Made by fixtures/tabular.py. */
const CASES: readonly Case[] = JSON.parse(readFileSync(new URL("../../fixtures/tabular.json", import.meta.url), "utf8"));

/** (N,T,F) with zero rows in front. */
function pad(sequences: readonly number[][][], T: number): Float64Array {
  const F = sequences[0][0].length;
  const values = new Float64Array(sequences.length * T * F);
  for (const [n, rows] of sequences.entries()) values.set(rows.flat(), (n * T + T - rows.length) * F);
  return values;
}

function viewOf({ view: { floors, ...plan } }: Case): TabularView {
  const S = plan.series.length;
  const floor = Float64Array.from({ length: 3 * S }, (_, i) => floors[Math.floor(i / 3)]);
  return { ...plan, floor, mean: new Float64Array(S) };
}

const recipeOf = (timesteps: number, F: number) =>
  ({ timesteps, features: Array.from({ length: F }, (_, f) => `f${f}`), padding: "leading" }) as const;

const ANSWERS = { "the kernel": seriesColumns, "the definition": defineSeriesColumns() };
const BOTH = Object.entries(ANSWERS).flatMap(([who, by]) => CASES.map((testCase) => ({ who, by, ...testCase })));

test.each(BOTH)("$who agrees with NumPy on $timesteps steps in parts of $view.width", ({ by, ...testCase }) => {
  const { timesteps, sequences, columns } = testCase;
  const outOfRange = new Uint8Array(sequences.length);
  const view = viewOf(testCase);
  const ours = computeColumns(view, recipeOf(timesteps, 3), pad(sequences, timesteps), log, by, { outOfRange });
  const V = columnsOf(view).length;
  expect(columns[0]).toHaveLength(V);
  for (const [n, expected] of columns.entries())
    for (const [v, value] of expected.entries()) {
      const got = ours[n * V + v];
      // Rounding of sums of up to 50 numbers about 1, in another order: 1e-13 absolute is 450 units in the last place of 1.
      if (value === null) expect(got).toBeNaN();
      else expect(Math.abs(got - value)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(value)));
    }
  expect([...outOfRange]).toEqual(sequences.map((rows) => (rows.length > 2 ? 1 : 0)));
});

const FOUND: readonly Channel[] = [
  { base: "feature", a: 0, view: "delta" },
  { base: "logRatio", a: 1, b: 3, view: "level" },
  { base: "difference", a: 4, b: 3, view: "centred" },
];

function makeView(T = 10, F = 5, channels = FOUND): { readonly view: TabularView; readonly values: Float64Array } {
  const everyone = Array.from({ length: F }, (_, f) => f);
  const values = makeSequences(100, T, F, 3);
  const plan = planView({ timesteps: T, moving: everyone, positive: everyone, channels });
  return {
    view: fitView(
      plan,
      recipeOf(T, F),
      values,
      Array.from({ length: 100 }, (_, n) => n),
      log,
    ),
    values,
  };
}

test("columns that are not kept change no other, and one sequence alone has the bits that it has among others", () => {
  const { view, values } = makeView();
  const V = columnsOf(view).length;
  const keep = Uint16Array.from({ length: V }, (_, v) => v).filter((v) => v % 7 === 3);
  const all = computeColumns(view, recipeOf(10, 5), values, log, seriesColumns);
  const some = computeColumns({ ...view, keep }, recipeOf(10, 5), values, log, seriesColumns);
  const one = computeColumns({ ...view, keep }, recipeOf(10, 5), values.slice(7 * 50, 8 * 50), log, seriesColumns);
  for (let n = 0; n < 100; n++) for (const [k, v] of keep.entries()) expect(some[n * keep.length + k]).toBe(all[n * V + v]);
  expect(one).toEqual(some.slice(7 * keep.length, 8 * keep.length));
  expect(columnsOf({ ...view, keep })).toEqual(Array.from(keep, (v) => columnsOf(view)[v]));
});

test("a constant on a large offset has deviation, slope and changes of exactly 0", () => {
  const values = new Float64Array(10).fill(1.2483);
  const view: TabularView = {
    series: [{ base: "feature", a: 0, view: "level" }],
    floor: new Float64Array(3),
    mean: Float64Array.of(1.2483),
    width: 4,
    parts: 3,
    blocks: [
      { kind: "statistics", series: [0] },
      { kind: "steps", series: [0] },
    ],
  };
  expect([...computeColumns(view, recipeOf(10, 1), values, log, seriesColumns)]).toEqual([
    1.2483, 0, 1.2483, 1.2483, 0, 0, 0, 1.2483, 1.2483, 1.2483, 0, 0,
  ]);
});

test.each([10, 512])("whatever finite numbers come, columns are finite or NaN: %i steps", (T) => {
  const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, 1e300, -1e300, 5e-324, -5e-324, 1, -1, 0, 1e154, 1e-154];
  const { view } = makeView(T);
  const values = new Float64Array(200 * T * 5);
  for (let i = 0; i < values.length; i++) values[i] = extremes[(i * 7919 + ((i * i) % 13)) % extremes.length];
  const columns = computeColumns(view, recipeOf(T, 5), values, log, seriesColumns);
  expect(columns.filter((x) => x === Infinity || x === -Infinity)).toHaveLength(0);
  expect(columns.filter((x) => Number.isFinite(x)).length).toBeGreaterThan(columns.length / 2);
});

test("nothing but padding has no number at all", () => {
  const { view } = makeView();
  expect(computeColumns(view, recipeOf(10, 5), new Float64Array(50), log, seriesColumns).every((x) => Number.isNaN(x))).toBe(true);
});

test("columns are named in plain words, each by a name of its own", () => {
  const { view } = makeView();
  const names = describeColumns(view, ["open", "high", "low", "close", "volume"]);
  expect(new Set(names).size).toBe(names.length);
  for (const name of [
    "number of rows",
    "open, last row",
    "close, 1 row before the last",
    "close, 9 rows before the last",
    "change of Δ open to 3 rows before the last",
    "standard deviation of log(high / close)",
    "slope of log(volume)",
    "median of open, last 10 rows",
    "median of changes of low, last 4 rows",
  ])
    expect(names).toContain(name);
  expect(describeColumns(makeView(50).view, ["a", "b", "c", "d", "e"])).toContain("b, 3 to 5 rows before the last");
});

describe("a view of up to 1,000 columns", () => {
  const kinds = (T: number, F: number) => {
    const { view } = makeView(T, F);
    return { ...view, columns: columnsOf(view).length };
  };

  test("has everything where there is room", () => {
    const { series, parts, blocks, columns } = kinds(10, 5);
    expect([series.length, parts, columns]).toEqual([13, 10, 1 + 13 * 26 + 8 * 21]);
    expect(blocks.map(({ kind }) => kind)).toEqual(["length", "steps", "statistics", "quantiles"]);
  });

  test.each([
    [10, 14, 10, ["length", "steps", "statistics", "quantiles"], 31],
    [24, 14, 24, ["length", "steps", "statistics"], 17],
    [24, 20, 12, ["length", "steps", "statistics", "quantiles"], 23],
    [512, 64, 4, ["length", "steps", "statistics"], 67],
    [1, 64, 1, ["length", "steps", "statistics"], 131],
  ])("of %i steps of %i features has %i parts and what fits", (T, F, parts, blocks, series) => {
    const view = kinds(T, F);
    expect(view.columns).toBeLessThanOrEqual(MAX_COLUMNS);
    expect([view.parts, view.blocks.map(({ kind }) => kind), view.series.length]).toEqual([parts, blocks, series]);
  });
});
