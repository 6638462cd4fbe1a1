// Inputs as JSON gives them, against what the trainer's readers make of the same: one table, the same rows.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SequenceError } from "../../../shared/errors.ts";
import { expandGiven, type Given } from "../../../shared/recipe/given-rows.ts";
import { expandNames, type Input } from "../../../shared/recipe/inputs.ts";
import { sampleRequest } from "../../../shared/sample.ts";
import { encodeFound, joinStatics } from "../../../trainer/readers/encode-inputs.ts";
import { openInputTable, readCell } from "../../../trainer/readers/input-table.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const INPUTS: readonly Input[] = [
  { name: "x" },
  { name: "mode", levels: ["", "down", "up"] },
  { name: "plan", levels: ["basic", "pro"], static: true },
  { name: "age", static: true },
];
const RECIPE = { timesteps: 3, features: expandNames(INPUTS), inputs: INPUTS };
const STATIC = { plan: "pro", age: 41 };
const expand = (sequence: unknown, statics: unknown = STATIC, recipe: object = {}): unknown =>
  expandGiven(sequence, ["sequence"], statics, ["static"], { ...RECIPE, ...recipe });

test("texts become levels, and what is static stands in every row", () => {
  expect(
    expand([
      [1, "up"],
      [2.5, null],
      [3, " down "],
    ]),
  ).toEqual([
    [1, 0, 0, 1, 0, 1, 41],
    [2.5, 1, 0, 0, 0, 1, 41],
    [3, 0, 1, 0, 0, 1, 41],
  ]);
  expect(expand([[1, "sideways"]], { age: 1, plan: "gold" })).toEqual([[1, 0, 0, 0, 0, 0, 1]]);
});

test("a missing number is null where the model takes it, and a time goes last or stands beside", () => {
  expect(expand([[null, "up"]], { plan: null, age: null }, { gaps: [] })).toEqual([[null, 0, 0, 1, 0, 0, null]]);
  expect(expand([[1, "up", 1e9]], STATIC, { clock: true })).toEqual([[1, 0, 0, 1, 0, 1, 41, 1e9]]);
  expect(expand([[0, null]], STATIC, { clock: true })).toEqual([[0, 1, 0, 0, 0, 1, 41]]); // its time comes later: no padding
});

describe("refuses, naming the place:", () => {
  test.each<[unknown, unknown, string]>([
    [[[1]], STATIC, "sequence[0] must have 2 values (x, mode), got 1"],
    [[[1, "up"], 7], STATIC, "sequence[1] must be an array of 2 values (x, mode), got 7"],
    [[["1", "up"]], STATIC, 'sequence[0][0] must be a finite number, got "1"'],
    [[[null, "up"]], STATIC, "sequence[0][0] must be a finite number, got null"],
    [[[1, {}]], STATIC, "sequence[0][1] must be text, a category's level (such as down, up), or null, got an object"],
    [[[1, "up"]], undefined, "static must be an object with plan, age, got nothing"],
    [[[1, "up"]], [], "static must be an object with plan, age, got an empty array"],
    [[[1, "up"]], { plan: "pro" }, "static.age must be a finite number, got nothing"],
    [[[1, "up"]], { ...STATIC, sex: "f" }, 'static must have no names but plan, age, got "sex"'],
    [[[1, "up"]], JSON.parse('{"__proto__": {"plan": "pro"}, "age": 1}'), 'static must have no names but plan, age, got "__proto__"'],
  ])("%j with %j", (sequence, statics, message) => {
    expect(() => expandGiven(sequence, ["sequence"], statics, ["static"], RECIPE)).toThrow(SequenceError);
    expect(() => expandGiven(sequence, ["sequence"], statics, ["static"], RECIPE)).toThrow(message);
  });

  test("what is static, of a model that takes nothing once", () => {
    expect(() => expandGiven([[1]], ["sequence"], { age: 1 }, ["static"], { timesteps: 3, features: ["x"] })).toThrow(
      "static must be left out, since this model takes nothing once a sequence, got an object",
    );
  });
});

describe("rows that name their values", () => {
  const PLAIN = { timesteps: 3, features: ["open", "high"] };
  const plain = (sequence: unknown, recipe: object = {}): unknown =>
    expandGiven(sequence, ["sequence"], undefined, ["static"], { ...PLAIN, ...recipe });

  test("are read in any order, as texts and numbers of a model with inputs, too", () => {
    expect(plain([{ high: 2, open: 1 }, [3, 4]])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(plain([{ high: null, open: 1 }], { gaps: [1] })).toEqual([[1, null]]);
    expect(expand([{ mode: "up", x: 1 }])).toEqual(expand([[1, "up"]]));
  });

  test("may have their time, where the model looks at it", () => {
    const timed = { features: ["open", "high", "when"], clock: true };
    expect(plain([{ high: 2, open: 1, when: 1e9 }], timed)).toEqual([[1, 2, 1e9]]);
    expect(plain([{ high: 2, open: 1 }], timed)).toEqual([[1, 2]]); // its time stands beside
    expect(expand([{ mode: "up", x: 1, time: 1e9 }], STATIC, { clock: true })).toEqual([[1, 0, 0, 1, 0, 1, 41, 1e9]]);
  });

  test.each<[unknown, string]>([
    [{ open: 1 }, "sequence[0].high must be given, since the row names its values, got nothing"],
    [{ open: 1, high: 2, low: 3 }, 'sequence[0] must have no names but open, high, got "low"'],
    [{ open: 1, high: "2" }, 'sequence[0].high must be a finite number, got "2"'],
    [{ open: 1, high: null }, "sequence[0].high must be a finite number, got null"],
    [{ open: 1, high: Number.POSITIVE_INFINITY }, "sequence[0].high must be a finite number, got Infinity"],
    [{}, "sequence[0].open must be given, since the row names its values, got nothing"],
    [JSON.parse('{"__proto__": 1, "open": 1, "high": 2}'), 'sequence[0] must have no names but open, high, got "__proto__"'],
  ])("%j is refused, naming the place", (row, message) => {
    expect(() => plain([row])).toThrow(SequenceError);
    expect(() => plain([row])).toThrow(message);
  });

  test("of a model with inputs are refused at their places", () => {
    expect(() => expand([{ x: "1", mode: "up" }])).toThrow('sequence[0].x must be a finite number, got "1"');
    expect(() => expand([{ x: 1, mode: "up", plan: "pro" }])).toThrow('sequence[0] must have no names but x, mode, got "plan"');
  });
});

test("the trainer's readers make the same rows of the same values, whatever texts they are and in whatever order they come", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 6 }).map((s) => `a${s}`),
    fc.constantFrom("__proto__", "constructor", "NA", "", 'x,"y"', "\u0000b", "x=y"),
  );
  const row = fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), text);
  const one = fc.record({ rows: fc.array(row, { minLength: 3, maxLength: 3 }), plan: text, age: fc.integer() });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (set) => {
      const table = openInputTable(["mode", "plan"]);
      const cell = (name: string, value: Given): number => readCell(table.of(name), value, "here: line 1") ?? Number.NaN;
      const batch = {
        values: Float64Array.from(set.flatMap(({ rows }) => rows.flatMap(([x, mode]) => [cell("x", x), cell("mode", mode)]))),
        shape: { timesteps: 3, features: 2 },
        features: ["x", "mode"],
        columns: {
          plan: Float64Array.from(set, ({ plan }) => cell("plan", plan)),
          age: Float64Array.from(set, ({ age }) => cell("age", age)),
        },
        labels: null,
        probability: null,
        dtype: null,
        labelName: null,
        test: null,
      };
      const read = encodeFound(joinStatics(batch, ["plan", "age"], undefined), table, ["plan", "age"], "here");
      const inputs = read.inputs!;
      const given = set.map(({ rows, plan, age }) =>
        expandGiven(rows, ["sequence"], { plan, age }, ["static"], { timesteps: 3, features: expandNames(inputs), inputs, gaps: [] }),
      );
      expect(Array.from(read.values, (x) => (Number.isNaN(x) ? null : x))).toEqual((given as (number | null)[][][]).flat(2));
      expect(read.features).toEqual(expandNames(inputs));
    }),
    { numRuns: 200 },
  );
});

test("the sample is given as people give it, and is what the model takes", () => {
  const model = makeModel(kernel, { inputs: [{ name: "a" }, { name: "mode", levels: ["", "down", "up"] }, { name: "age", static: true }] });
  const { sequence, static: statics } = sampleRequest(model);
  expect(sequence.every((row) => typeof row[0] === "number" && ["down", "up"].includes(row[1] as string))).toBe(true);
  expect(typeof statics?.age).toBe("number");
  expect(() => expandGiven(sequence, ["sequence"], statics, ["static"], model.recipe)).not.toThrow();
});
