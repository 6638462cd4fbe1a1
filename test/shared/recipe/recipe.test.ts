import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { type Base, type Channel, describeChannel, VIEWS } from "../../../shared/recipe/channel.ts";
import { fitRecipe } from "../../../shared/recipe/fit.ts";
import type { Plan } from "../../../shared/recipe/recipe.ts";
import type { Padding } from "../../../shared/sequence.ts";

const FEATURES = ["a", "b"];
const ALL: Channel[] = (
  [
    { base: "feature", a: 0 },
    { base: "feature", a: 1 },
    { base: "difference", a: 0, b: 1 },
    { base: "logRatio", a: 0, b: 1 },
  ] satisfies Base[]
).flatMap((base) => VIEWS.map((view) => ({ ...base, view })));

function plan(channels: Channel[], timesteps: number, padding: Padding = "leading", standardise = true): Plan {
  return { timesteps, features: FEATURES, padding, channels, standardise };
}

function everyIndex(values: Float64Array, timesteps: number): number[] {
  return Array.from({ length: values.length / (timesteps * FEATURES.length) }, (_, n) => n);
}

function fitAll(values: Float64Array, timesteps: number, channels: Channel[], padding?: Padding, standardise?: boolean) {
  return fitRecipe(plan(channels, timesteps, padding, standardise), values, everyIndex(values, timesteps), Math.log);
}

describe("views and bases", () => {
  // Three rows of two features, the first sequence one row short.
  const values = Float64Array.of(0, 0, 2, 1, 8, 3, /**/ 1, 5, 4, 2, 9, 6);
  const raw = (channel: Channel): number[] => {
    const recipe = fitAll(values, 3, [channel]);
    const unscaled = { ...recipe, mean: Float64Array.of(0), scale: Float64Array.of(1), clip: 1e9 };
    return Array.from(applyRecipe(unscaled, values, Math.log).channels);
  };
  // Left-aligned: [row 1, row 2, –] of the first sequence, then three rows of the second.
  const f = Math.fround;
  it.each([
    [{ base: "feature", a: 0, view: "level" }, [2, 8, 0, 1, 4, 9]],
    [{ base: "feature", a: 1, view: "delta" }, [0, 2, 0, 0, -3, 4]],
    [{ base: "feature", a: 0, view: "log" }, [f(Math.log(2)), f(Math.log(8)), 0, 0, f(Math.log(4)), f(Math.log(9))]],
    [{ base: "feature", a: 0, view: "logDelta" }, [0, f(Math.log(8) - Math.log(2)), 0, 0, f(Math.log(4)), f(Math.log(9) - Math.log(4))]],
    [{ base: "feature", a: 1, view: "absDelta" }, [0, 2, 0, 0, 3, 4]],
    [{ base: "feature", a: 1, view: "logAbsDelta" }, [0, f(Math.log(2)), 0, 0, f(Math.log(3)), f(Math.log(4))]],
    [{ base: "difference", a: 0, b: 1, view: "absDelta" }, [0, 4, 0, 0, 6, 1]],
    [{ base: "feature", a: 0, view: "rate" }, [0, 3, 0, 0, 1.5, 1.25]], // feature b as the time: 2 seconds; then −3, which counts as the shortest of 2, and 4
    [{ base: "feature", a: 0, view: "centred" }, [-3, 3, 0, f(1 - 14 / 3), f(4 - 14 / 3), f(9 - 14 / 3)]],
    [{ base: "difference", a: 0, b: 1, view: "level" }, [1, 5, 0, -4, 2, 3]],
    [{ base: "difference", a: 0, b: 1, view: "delta" }, [0, 4, 0, 0, 6, 1]],
    [
      { base: "logRatio", a: 0, b: 1, view: "level" },
      [f(Math.log(2)), f(Math.log(8) - Math.log(3)), 0, f(-Math.log(5)), f(Math.log(4) - Math.log(2)), f(Math.log(9) - Math.log(6))],
    ],
  ] satisfies [Channel, number[]][])("%o", (channel, expected) => {
    expect(raw(channel)).toEqual(expected);
  });

  it("names every channel differently", () => {
    const names = ALL.map((channel) => describeChannel(channel, FEATURES));
    expect(new Set(names).size).toBe(ALL.length);
  });
});

describe("fitting", () => {
  it("standardises over valid rows only, as numpy does: (x - x.mean()) / x.std()", () => {
    // numpy: x = np.array([1., 2., 4., 9.]); x.mean() = 4.0, x.std() = 3.082207001484488
    const values = Float64Array.of(0, 0, 1, 1, 2, 1, /**/ 0, 0, 4, 1, 9, 1);
    const recipe = fitAll(values, 3, [{ base: "feature", a: 0, view: "level" }]);
    expect(recipe.mean[0]).toBe(4);
    expect(recipe.scale[0]).toBeCloseTo(3.082207001484488, 14);
    expect(recipe.lengths).toEqual([2, 2]);
  });

  it("leaves the undefined first delta out of the statistics, and makes it 0", () => {
    const values = Float64Array.of(1, 0, 3, 0, 7, 0); // deltas 2, 4: mean 3, deviation 1
    const recipe = fitAll(values, 3, [{ base: "feature", a: 0, view: "delta" }]);
    expect([recipe.mean[0], recipe.scale[0]]).toEqual([3, 1]);
    expect(Array.from(applyRecipe(recipe, values, Math.log).channels)).toEqual([0, -1, 1]);
  });

  it("looks at the training part alone", () => {
    const values = Float64Array.of(1, 1, 3, 1, /**/ 1e6, 1, -1e6, 1);
    const recipe = fitRecipe(plan([{ base: "feature", a: 0, view: "level" }], 2), values, [0], Math.log);
    expect([recipe.mean[0], recipe.scale[0]]).toEqual([2, 1]);
  });

  it("takes differences before rounding: a movement of 1e-5 on 1.25 keeps all its digits", () => {
    const values = Float64Array.of(1.25, 1, 1.25001, 1, 1.25, 1, 1.25003, 1);
    const recipe = fitAll(values, 2, [{ base: "feature", a: 0, view: "delta" }]);
    const { channels } = applyRecipe({ ...recipe, mean: Float64Array.of(0), scale: Float64Array.of(1) }, values, Math.log);
    expect(channels[1] / 1e-5).toBeCloseTo(1, 6);
    expect(channels[3] / 3e-5).toBeCloseTo(1, 6);
  });

  it("a value ≤ 0 under a logarithm counts as the lowest positive one in training", () => {
    const values = Float64Array.of(4, 1, 0, 1, /**/ -2, 1, 9, 1);
    const log = fitAll(values, 2, [{ base: "feature", a: 0, view: "log" }]);
    expect(Array.from(log.floor)).toEqual([0, 0, 4]);
    const ratio = fitAll(values, 2, [{ base: "logRatio", a: 1, b: 0, view: "level" }]);
    expect(Array.from(ratio.floor)).toEqual([1, 4, 0]);
    const ofRatio = fitAll(values, 2, [{ base: "logRatio", a: 0, b: 1, view: "log" }]);
    expect(Array.from(ofRatio.floor)).toEqual([4, 1, Math.log(4)]);
  });

  it("refuses a logarithm of what is nowhere positive in training", () => {
    const values = Float64Array.of(-1, 1, 0, 1);
    expect(() => fitAll(values, 2, [{ base: "feature", a: 0, view: "log" }])).toThrow("log(a) needs a positive value");
    expect(() => fitAll(values, 2, [{ base: "logRatio", a: 1, b: 0, view: "level" }])).toThrow(RangeError);
  });

  it("takes less than a thousandth of the mean movement for that in log|Δ|, and nothing of it for out of range", () => {
    const values = Float64Array.of(1, 1, 1, 1, /**/ 3, 1, 7, 1); // movements 0 and 4: mean 2
    const recipe = fitAll(values, 2, [{ base: "feature", a: 0, view: "logAbsDelta" }]);
    expect(Array.from(recipe.floor)).toEqual([0, 0, 0.002]);
    const { channels, outOfRange } = applyRecipe({ ...recipe, mean: Float64Array.of(0), scale: Float64Array.of(1) }, values, Math.log);
    expect(Array.from(channels)).toEqual([0, Math.fround(Math.log(0.002)), 0, Math.fround(Math.log(4))]);
    expect(Array.from(outOfRange)).toEqual([0, 0]);
    const still = fitAll(Float64Array.of(2, 1, 2, 1, /**/ 5, 1, 5, 1), 2, [{ base: "feature", a: 0, view: "logAbsDelta" }]);
    expect(Array.from(still.floor)).toEqual([0, 0, 1]);
  });

  it("gives a constant channel scale 1, also where the mean rounds", () => {
    const values = new Float64Array(2 * 30).fill(0.1);
    expect(fitAll(values, 3, [{ base: "feature", a: 0, view: "level" }]).scale[0]).toBe(1);
  });
});

describe("padding", () => {
  const values = Float64Array.of(0, 0, 1, 2, 0, 0, 3, 4); // zero, row, zero, row
  it.each([
    ["leading", 3],
    ["any", 2],
    ["none", 4],
  ] as const)("%s: the sequence has %i valid rows", (padding, length) => {
    const recipe = fitAll(values, 4, [{ base: "feature", a: 0, view: "level" }], padding);
    const applied = applyRecipe(recipe, values, Math.log);
    expect(applied.lengths[0]).toBe(length);
    expect(Array.from(applied.channels.subarray(length))).toEqual(new Array(4 - length).fill(0));
  });

  it("does not let what stands in front of a sequence change its channels", () => {
    const recipe = fitAll(Float64Array.of(2, 1, 5, 3, 9, 8, 7, 4), 4, ALL);
    const short = applyRecipe(recipe, Float64Array.of(0, 0, 0, 0, 9, 8, 7, 4), Math.log);
    const shorter = applyRecipe({ ...recipe, timesteps: 2 }, Float64Array.of(9, 8, 7, 4), Math.log);
    expect(short.lengths[0]).toBe(2);
    expect(short.channels.subarray(0, 2 * ALL.length)).toEqual(shorter.channels);
    expect(Array.from(short.channels.subarray(2 * ALL.length))).toEqual(new Array(2 * ALL.length).fill(0));
  });
});

describe("outside of training", () => {
  const training = Float64Array.of(2, 1, 3, 1, /**/ 4, 1, 5, 1);
  it("a value ≤ 0 under a logarithm takes the training minimum and is flagged", () => {
    const recipe = fitAll(training, 2, [{ base: "feature", a: 0, view: "log" }]);
    const low = applyRecipe(recipe, Float64Array.of(-7, 1, 3, 1), Math.log);
    const floor = applyRecipe(recipe, Float64Array.of(2, 1, 3, 1), Math.log);
    expect(low.channels).toEqual(floor.channels);
    expect([low.outOfRange[0], floor.outOfRange[0]]).toEqual([1, 0]);
  });

  it("a length training never saw is flagged", () => {
    const recipe = fitAll(training, 2, [{ base: "feature", a: 0, view: "level" }]);
    expect(applyRecipe(recipe, Float64Array.of(0, 0, 3, 1), Math.log).outOfRange[0]).toBe(1);
  });
});

// Any float64, with the largest, the smallest and powers of ten likely.
const anyFinite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 1e308, 1.8e300, 1e-300),
  fc.integer({ min: -308, max: 308 }).map((exponent) => 10 ** exponent),
);
const rows = (count: number) => fc.array(anyFinite, { minLength: count, maxLength: count }).map((x) => Float64Array.from(x));

describe("every finite input gives finite channels", () => {
  it.each(["leading", "any", "none"] as const)("fitted on ordinary values, padding %s", (padding) => {
    const ordinary = Float64Array.from({ length: 2 * 4 * 50 }, (_, i) => (i % 2 === 0 ? 20 : 1) + ((i * 7919) % 101) / 10); // a > b > 0
    for (const standardise of [true, false]) {
      const recipe = fitAll(ordinary, 4, ALL, padding, standardise);
      fc.assert(
        fc.property(rows(2 * 4 * 3), (values) => {
          const { channels } = applyRecipe(recipe, values, Math.log);
          for (const x of channels) if (!(Math.abs(x) <= Math.fround(recipe.clip))) return false;
          return true;
        }),
        { numRuns: 500 },
      );
    }
  });

  it("fitted on anything", () => {
    const positiveOnly = (channel: Channel): boolean =>
      channel.base !== "logRatio" && channel.view !== "log" && channel.view !== "logDelta";
    fc.assert(
      fc.property(rows(2 * 4 * 5), rows(2 * 4 * 2), (training, later) => {
        const positive = training.map((x) => Math.max(Math.abs(x), Number.MIN_VALUE));
        const whenPositive = (channel: Channel): boolean =>
          channel.base === "feature" || channel.view === "level" || channel.view === "delta";
        for (const [values, channels] of [
          [training.some((x) => x !== 0) ? training : training.fill(1), ALL.filter(positiveOnly)],
          [positive, ALL.filter((channel) => whenPositive(channel) && (channel.base !== "difference" || positiveOnly(channel)))],
        ] as const) {
          const recipe = fitAll(values, 4, channels);
          for (const sequence of [values, later]) {
            const applied = applyRecipe(recipe, sequence, Math.log);
            for (const x of applied.channels) if (!(Math.abs(x) <= recipe.clip)) return false;
          }
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });
});
