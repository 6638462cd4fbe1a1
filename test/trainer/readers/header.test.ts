// Every way of writing a feature and a step in a name, in any order of columns; and what is asked about.
import { describe, expect, test } from "vitest";
import { parsePattern, readHeader } from "../../../trainer/readers/header.ts";
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
