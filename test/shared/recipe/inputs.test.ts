// Categories and what is given once a sequence, as features: the one table that trainer and edge share.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { computeColumns } from "../../../shared/recipe/columns.ts";
import { fitRecipe, fitView } from "../../../shared/recipe/fit.ts";
import { codeOf, countStatics, expandInputs, expandNames, type Input, levelOf } from "../../../shared/recipe/inputs.ts";
import { shapeOf } from "../../../shared/recipe/recipe.ts";
import { describeColumns } from "../../../shared/recipe/tabular.ts";
import { isZeroRow, validRows } from "../../../shared/sequence.ts";
import { planView } from "../../../trainer/features/view-plan.ts";
import { seriesColumns } from "../../fixtures/kernel.ts";

const INPUTS: readonly Input[] = [
  { name: "x" },
  { name: "mode", levels: ["", "down", "up"] },
  { name: "plan", levels: ["basic", "pro"], static: true },
  { name: "age", static: true },
];
const FEATURES = expandNames(INPUTS);
const T = 3;

test("names are the inputs', and one a level", () => {
  expect(FEATURES).toEqual(["x", "mode=", "mode=down", "mode=up", "plan=basic", "plan=pro", "age"]);
  expect(countStatics(INPUTS)).toBe(3);
});

test("a level stands as 1 among zeros, and what is static is the last row's in all rows, padding too", () => {
  const values = Float64Array.of(0, 0, 0, 0, /**/ 7, 3, 1, 20, /**/ 0, Number.NaN, 2, 41);
  const rows = expandInputs(INPUTS, values, T);
  expect(Array.from(rows.subarray(0, 7))).toEqual([0, 0, 0, 0, 0, 1, 41]); // still padding: its own numbers are zero
  expect(Array.from(rows.subarray(7, 14))).toEqual([7, 0, 0, 1, 0, 1, 41]);
  expect(Array.from(rows.subarray(14))).toEqual([0, 0, 0, 0, 0, 1, 41]);
  expect(Array.from(expandInputs(INPUTS, Float64Array.of(1, Number.NaN, 0, Number.NaN), 1))).toEqual([1, 1, 0, 0, 0, 0, Number.NaN]);
});

test("a row whose own numbers are zero is padding, whatever is static, and one that has a time is not", () => {
  const shape = { timesteps: T, features: 7, statics: 3 };
  const rows = expandInputs(INPUTS, Float64Array.of(0, 0, 2, 41, /**/ 1, 2, 2, 41, /**/ 0, 0, 2, 41), T);
  expect(validRows(rows, 0, shape, "leading", new Int32Array(T))).toBe(2);
  expect(validRows(rows, 0, shape, "any", new Int32Array(T))).toBe(1);
  expect(validRows(rows, 0, shape, "none", new Int32Array(T))).toBe(3);
  const timed = { features: 3, statics: 1, clock: true };
  expect(isZeroRow(Float64Array.of(0, 5, 0), 0, timed)).toBe(true);
  expect(isZeroRow(Float64Array.of(0, 5, 1e9), 0, timed)).toBe(false);
});

test("numbers written with a decimal point, spaces and what stands for nothing are one level each", () => {
  expect(["1", " 1 ", "1.0", "1.00"].map(levelOf)).toEqual(["1", "1", "1", "1"]);
  expect(["", " ", "NA", "n/a", "NaN", "null", "None"].map(levelOf)).toEqual(["", "", "", "", "", "", ""]);
  expect(["1.5", "1.0.0", "x 1.0"].map(levelOf)).toEqual(["1.5", "1.0.0", "x 1.0"]);
});

test("any texts are levels, in any order, `__proto__` and control characters among them: each is found again, and no other", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "toString", 'a,"b"', "\u0000", "\n", "plan=x"),
  );
  fc.assert(
    fc.property(fc.uniqueArray(text, { minLength: 1, maxLength: 32, selector: levelOf }), text, (texts, other) => {
      const levels = texts.map(levelOf);
      const input: Input = { name: "__proto__", levels };
      for (const [i, own] of texts.entries()) {
        expect(codeOf(input, own)).toBe(i + 1);
        const row = expandInputs([{ name: "x" }, input], Float64Array.of(1, codeOf(input, own)), 1);
        expect(Array.from(row)).toEqual([1, ...levels.map((_, k) => Number(k === i))]);
      }
      expect(codeOf(input, other) > 0).toBe(levels.includes(levelOf(other)));
    }),
  );
});

describe("a recipe of inputs", () => {
  const N = 40;
  const given = Float64Array.from({ length: N * T * 4 }, (_, i) => {
    const [n, t, f] = [Math.floor(i / (4 * T)), Math.floor(i / 4) % T, i % 4];
    return [Math.sin(n + 3 * t) + 2, ((n + t) % 3) + 1, (n % 2) + 1, 20 + n][f];
  });
  const values = expandInputs(INPUTS, given, T);
  const channels = FEATURES.map((_, a) => ({ base: "feature", a, view: "level" }) as const);
  const plan = { timesteps: T, features: FEATURES, padding: "leading", channels, standardise: true, inputs: INPUTS } as const;
  const recipe = fitRecipe(plan, values, [...Array(N).keys()], Math.log);
  const outOfRange = (rows: number[]): number => applyRecipe(recipe, Float64Array.from(rows), Math.log).outOfRange[0];
  const full = [1, 0, 1, 0, 0, 1, 30];

  test("knows what is the same in all rows", () => {
    expect(shapeOf(recipe)).toEqual({ timesteps: T, features: 7, isExpanded: true, statics: 3 });
  });

  test("says so where a row has no level that training had, and where a level was never seen in training", () => {
    expect(outOfRange([...full, ...full, ...full])).toBe(0);
    expect(outOfRange([...full, ...full, 1, 0, 0, 0, 0, 1, 30])).toBe(1);
    expect(outOfRange([...full, ...full, 1, 0, 1, 0, 0, 0, 30])).toBe(1);
    expect(outOfRange([...full, ...full, 1, 0, 1, 1, 0, 1, 30])).toBe(1); // two levels at once
    expect(outOfRange([...full, ...full, ...full.slice(0, -1), full[full.length - 1] + 1])).toBe(1); // what is static differs
    const seenOnce = fitRecipe(plan, values, [0, 2, 4], Math.log); // basic alone
    expect(applyRecipe(seenOnce, Float64Array.from([...full, ...full, ...full]), Math.log).outOfRange[0]).toBe(1);
  });

  test("has one column of the view for what is the same in all rows, and steps for the others", () => {
    const tabular = planView({ timesteps: T, moving: [0, 1, 2, 3, 4, 5, 6], positive: [0, 6], statics: [4, 5, 6], channels: [] });
    const view = fitView(tabular, recipe, values, [...Array(N).keys()], Math.log);
    const names = describeColumns(view, FEATURES);
    expect(names.filter((name) => /plan|age/.test(name))).toEqual(["plan=basic", "plan=pro", "age", "log(age)"]);
    expect(names.filter((name) => name.includes("mode=up")).length).toBeGreaterThan(10);
    const columns = computeColumns(view, recipe, values, Math.log, seriesColumns);
    const at = names.indexOf("age");
    expect([0, 1, 2].map((n) => columns[n * names.length + at])).toEqual([20, 21, 22]);
  });
});
