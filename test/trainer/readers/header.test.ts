// Every way of writing a feature and a step in a name, in any order of columns; and what is asked about.
import { describe, expect, test } from "vitest";
import { readHeader } from "../../../trainer/readers/header.ts";
import { parsePattern, writePattern } from "../../../trainer/readers/header-patterns.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { FEATURES, T, WAYS } from "./forms.ts";

/** Step t, feature f of the names that `write` gives, step by step. */
const table = (write: (feature: string, step: number) => string): string[] =>
  Array.from({ length: T }, (_, t) => FEATURES.map((feature) => write(feature, t))).flat();

/** The names in an order of their own. */
function shuffle(names: readonly string[], seed: number): string[] {
  const order = Int32Array.from(names.keys());
  createRandom(seed).shuffle(order);
  return Array.from(order, (i) => names[i]);
}

describe("readHeader finds the feature and the step of every column", () => {
  test.each(WAYS)("%s, in the order of steps, by feature, sorted and shuffled", (_example, write) => {
    const names = table(write);
    const byFeature = FEATURES.flatMap((feature) => Array.from({ length: T }, (_, t) => write(feature, t)));
    for (const columns of [names, byFeature, [...names].sort(), ...[1, 2, 3].map((seed) => shuffle(names, seed))]) {
      const reading = readHeader(columns);
      expect(reading).toMatchObject({ code: "grid", timesteps: T, rest: [], isSingle: false });
      if (reading.code !== "grid") return;
      expect([...reading.features].sort()).toEqual([...FEATURES].sort());
      reading.order.forEach((column, i) => {
        expect(columns[column]).toBe(write(reading.features[i % 5], Math.floor(i / 5)));
      });
    }
  });

  test("columns that are no feature's are left over, wherever they stand", () => {
    const reading = readHeader(["id", ...table((f, t) => `${f}_${t}`), "rose"]);
    expect(reading).toMatchObject({ code: "grid", rest: [0, 51], features: FEATURES });
  });

  test("features may hold numbers and separators", () => {
    const names = Array.from({ length: 3 }, (_, t) => [`x_1_${t}`, `x_2_${t}`, `y2_${t}`]).flat();
    expect(readHeader(names)).toMatchObject({ code: "grid", timesteps: 3, features: ["x_1", "x_2", "y2"] });
  });
});

describe("readHeader asks where names may mean two things, or nothing", () => {
  test.each<[string, string[], object]>([
    ["a dash may be a minus", table((f, t) => `${f}-${t + 1}`), { code: "ambiguous" }],
    ["a letter may be a lag", table((f, t) => `${f}_L${t + 1}`), { code: "ambiguous" }],
    ["two numbers", Array.from({ length: 12 }, (_, i) => `${i % 4}_${Math.floor(i / 4)}`), { code: "ambiguous" }],
    ["t1 may be a feature", Array.from({ length: 12 }, (_, i) => `t${i % 4}_${Math.floor(i / 4)}`), { code: "ambiguous" }],
    ["a letter without a separator, too", table((f, t) => `${f}L${t + 1}`), { code: "ambiguous" }],
    ["days before", table((f, t) => `${f}_d-${t}`), { code: "ambiguous" }],
    ["a lag without a separator may be a word", table((f, t) => `${f}lag${t}`), { code: "ambiguous" }],
    ["x_0_0", Array.from({ length: 12 }, (_, i) => `x_${i % 4}_${Math.floor(i / 4)}`), { code: "ambiguous" }],
    ["x[0][0]", Array.from({ length: 12 }, (_, i) => `x[${i % 4}][${Math.floor(i / 4)}]`), { code: "ambiguous" }],
    ["steps that pandas had as floats", table((f, t) => `${f}_${t}.0`), { code: "ambiguous" }],
    ...["2023_{}", "2023-{}", "2023{}", "{}/2023", "2023Q{}"].map((date): [string, string[], object] => [
      `dates as ${date}`,
      table((f, t) => `${f}_${date.replace("{}", String((t % 12) + 1).padStart(date.includes("Q") ? 1 : 2, "0"))}`).concat("open_202401"),
      date === "2023{}" ? { code: "moments" } : { code: "moments", column: 0 },
    ]),
    ["months by name", ["a_jan_2023", "a_feb_2023", "a_jan_2024", "a_feb_2024"], { code: "moments" }],
    ["quarters and years", ["a_Q1_2023", "a_Q2_2023", "a_Q1_2024", "a_Q2_2024"], { code: "moments" }],
    ["one feature", Array.from({ length: 10 }, (_, t) => `close_${t}`), { code: "grid", isSingle: true }],
    [
      "a step that one feature lacks",
      table((f, t) => `${f}_${t}`).filter((name) => name !== "low_4"),
      { code: "incomplete", missing: "low_4" },
    ],
    [
      "a lag that one feature lacks",
      table((f, t) => (t === 9 ? f : `${f}_lag${9 - t}`)).filter((name) => name !== "low"),
      { code: "incomplete", missing: "low_lag0" },
    ],
    ["steps with a gap", table((f, t) => `${f}_${2 * t}`), { code: "incomplete", missing: "open_1" }],
    ["one name twice", [...table((f, t) => `${f}_${t}`), "low_4"], { code: "twice", columns: [22, 50] }],
    ["one step twice", ["a_1", "a_01", "b_1", "b_01"], { code: "twice" }],
    ["names without steps", ["a", "b", "c", "d"], { code: "none" }],
    ["pandas' repeated names", ["a", "b", "a.1", "b.1"], { code: "grid", rest: [0, 1] }],
  ])("%s", (_title, names, expected) => {
    expect(readHeader(names)).toMatchObject(expected);
  });

  test.each<[string, string[], string[]]>([
    ["a word that ends as a lag does", ["flag_0", "price_0", "flag_1", "price_1"], ["flag", "price"]],
    ["or as a shift", ["redshift_0", "magnitude_0", "redshift_1", "magnitude_1"], ["redshift", "magnitude"]],
    ["years", ["gdp_2015", "cpi_2015", "gdp_2016", "cpi_2016"], ["gdp", "cpi"]],
    ["f0 at t0", ["t0_f0", "t0_f1", "t1_f0", "t1_f1"], ["f0", "f1"]],
    [
      "a feature that is called as a month begins",
      ["summary_2015", "decimal_2015", "summary_2016", "decimal_2016"],
      ["summary", "decimal"],
    ],
  ])("but not about %s", (_title, names, features) => {
    expect(readHeader(names)).toMatchObject({ code: "grid", features, rest: [], timesteps: 2, order: [0, 1, 2, 3] });
  });

  test("nor where a model's features settle it", () => {
    const names = ["x_0_0", "x_1_0", "x_0_1", "x_1_1", "x_0_2", "x_1_2"];
    expect(readHeader(names, undefined, ["x_1", "x_0"])).toMatchObject({ code: "grid", timesteps: 3, features: ["x_0", "x_1"] });
    expect(readHeader(names, undefined, ["a", "b"])).toMatchObject({ code: "ambiguous" });
  });

  test("and says how --columns writes either meaning", () => {
    for (const [name, feature, step, expected] of [
      ["x_1_2", "x_1", 2, "{feature}_{step}"],
      ["x_1_2", "2", 1, "x_{step}_{feature}"],
      ["close_L3", "close", -3, "{feature}_L{lag}"],
      ["t5_2", "2", 5, "t{step}_{feature}"],
      ["close_1.0", "close", 1, "{feature}_{step}.0"],
    ] as const)
      expect(writePattern(name, feature, step)).toBe(expected);
  });

  test("and --columns settles it", () => {
    const dashed = table((f, t) => `${f}-${t + 1}`);
    const steps = readHeader(dashed, parsePattern("{feature}-{step}") ?? undefined);
    const lags = readHeader(dashed, parsePattern("{feature}-{lag}") ?? undefined);
    expect(steps).toMatchObject({ code: "grid", timesteps: T, features: FEATURES });
    if (steps.code !== "grid" || lags.code !== "grid") throw new Error("both are grids");
    expect(dashed[steps.order[0]]).toBe("open-1");
    expect(dashed[lags.order[0]]).toBe("open-10");
    expect(readHeader(["0_0", "1_0", "0_1", "1_1", "0_2", "1_2"], parsePattern("{step}_{feature}") ?? undefined)).toMatchObject({
      code: "grid",
      timesteps: 2,
      features: ["0", "1", "2"],
    });
  });

  test("which must hold a feature, and a step or a lag, or be a feature alone", () => {
    expect(parsePattern("{feature}")).not.toBeNull();
    for (const text of ["", "x{feature}", "{step}_{lag}", "{feature}_{step}_{lag}", "{feature}{feature}"])
      expect(parsePattern(text)).toBeNull();
  });
});
