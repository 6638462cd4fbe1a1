import { describe, expect, it } from "vitest";
import type { Labelled } from "../../../trainer/data/sequences.ts";
import { findFlaw, findLabelWarnings, findRecipeWarnings } from "../../../trainer/pipeline/data-checks.ts";
import { describeFlaw } from "../../../trainer/pipeline/sentences.ts";
import { findOverlap } from "../../../trainer/split/overlap.ts";
import { splitDataset } from "../../../trainer/split/split.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { counts, lengthTells, orderOnly } from "../../studies/quality/generators.ts";

const SHAPE = { timesteps: 10, features: 5 };
const FEATURES = ["a", "b", "c", "d", "e"];
const SIZE = 50;

function flaw(data: Labelled, method: "auto" | "random" = "auto", test: Labelled | null = null, padding: "leading" | "none" = "leading") {
  const { values, labels } = data;
  const random = createRandom(1);
  const split = splitDataset({ values, labels, shape: SHAPE, padding, method, horizon: 1, hasTest: test !== null, random });
  const found = findFlaw({ data, split, test, shape: SHAPE, padding });
  return found && describeFlaw(found, FEATURES);
}

function repeat(data: Labelled, relabel: (label: number, n: number) => number): Labelled {
  const values = new Float64Array(2 * data.values.length);
  values.set(data.values);
  values.set(data.values, data.values.length);
  return { values, labels: Uint8Array.of(...data.labels, ...data.labels.map(relabel)), probability: null };
}

/** Windows of ten rows of one series, one row apart. */
function windows(N: number): Labelled {
  const random = createRandom(2);
  const series = Float64Array.from({ length: (N + 9) * 5 }, () => random.normal());
  const values = new Float64Array(N * SIZE);
  for (let n = 0; n < N; n++) values.set(series.subarray(n * 5, n * 5 + SIZE), n * SIZE);
  return { values, labels: Uint8Array.from({ length: N }, () => random.integer(2)), probability: null };
}

describe("findFlaw", () => {
  const data = orderOnly(2000, 101);

  it("finds none in data that are as they should be, nor in counts, whose sequences recur, nor where length says something", () => {
    expect(flaw(data)).toBeUndefined();
    expect(flaw(counts(4000, 101), "auto", null, "none")).toBeUndefined();
    // Short sequences of two values each recur by the hundred: a test file holds them as well.
    const coarse = (N: number, seed: number): Labelled => {
      const random = createRandom(seed);
      const values = new Float64Array(N * SIZE);
      for (let n = 0; n < N; n++) for (let i = 0; i < 6; i++) values[n * SIZE + 44 + i] = 1 + random.integer(2);
      return {
        values,
        labels: Uint8Array.from({ length: N }, (_, n) => (random.uniform() < 0.4 * values[n * SIZE + 49] ? 1 : 0)),
        probability: null,
      };
    };
    expect(flaw(coarse(4000, 1), "auto", coarse(1000, 2))).toBeUndefined();
    expect(flaw(lengthTells(2000, 101))).toBeUndefined();
    expect(flaw(windows(2000))).toBeUndefined();
  });

  it("names the cell in which the label stands", () => {
    const values = data.values.slice();
    const random = createRandom(3);
    data.labels.forEach((label, n) => {
      values[n * SIZE + 8 * 5 + 3] = 5 - label + 0.2 * random.normal();
    });
    expect(flaw({ ...data, values })?.text).toMatch(/^D at step 8 \(counted from 0\) alone ranks the labels with AUC (0\.99|1\.00)/);
    data.labels.forEach((label, n) => {
      values[n * SIZE + 8 * 5 + 3] = 5 - label + 0.6 * random.normal(); // AUC 0.88: a good feature, no giveaway
    });
    expect(flaw({ ...data, values })).toBeUndefined();
  });

  it("takes no handful of 1s for a leak: of twelve, some cell ranks every one by chance", () => {
    const values = data.values.slice();
    const labels = Uint8Array.from(data.labels, (_, n) => Number(n % 170 === 0));
    labels.forEach((label, n) => {
      values[n * SIZE + 8 * 5 + 3] = label;
    });
    expect(labels.reduce((sum, label) => sum + label, 0)).toBe(12);
    expect(flaw({ ...data, labels, values })).toBeUndefined();
  });

  it("says that the length gives the label away", () => {
    const values = data.values.slice();
    data.labels.forEach((label, n) => {
      values.fill(label === 1 ? 0 : 1, n * SIZE, n * SIZE + 15);
      for (let i = n * SIZE + 15; i < (n + 1) * SIZE; i++) values[i] = 1 + ((7 * i) % 11);
    });
    expect(flaw({ ...data, values })?.text).toMatch(/^The length of a sequence alone/);
    const warned = (padding: "leading" | "none") =>
      findLabelWarnings({ ...data, values }, SHAPE, padding, findOverlap(values, SHAPE, padding)).map(({ code }) => code);
    expect(warned("leading")).toContain("leaking-length");
    expect(warned("none")).not.toContain("leaking-length"); // zero rows are data there: every sequence is as long
  });

  it("says that overlapping windows dealt at random leave no untouched test part", () => {
    expect(flaw(windows(2000), "random")?.text).toMatch(/^100\.0 % of the sequences share rows with another part/);
  });

  it("says that a test file holds what training has seen", () => {
    const half = (from: number): Labelled => ({
      values: data.values.slice(from * SIZE, (from + 1000) * SIZE),
      labels: data.labels.slice(from, from + 1000),
      probability: null,
    });
    expect(flaw(half(0), "auto", half(1000))).toBeUndefined();
    expect(flaw(half(0), "auto", half(800))?.text).toMatch(/^20\.0 % of the test sequences are among those trained on/);
  });

  it("says that the labels of equal sequences are no more alike than any, but not where they mostly agree", () => {
    const random = createRandom(4);
    const shuffled = data.labels.slice();
    random.shuffle(shuffled as unknown as Int32Array);
    expect(flaw(repeat(data, (_, n) => shuffled[n]))?.text).toMatch(/^100\.0 % of the sequences have an exact equal/);
    expect(flaw(repeat(data, (label) => 1 - label))?.next).toMatch(/^Check how labels were joined/);
    expect(flaw(repeat(data, (label) => (random.uniform() < 0.2 ? 1 - label : label)))).toBeUndefined();
  });

  it("takes soft labels of equal sequences for contradictory where they are far apart, and not where a copy has the same", () => {
    const random = createRandom(5);
    const soft = data.labels.length;
    const twice = (labels: Float64Array): Labelled => ({ ...repeat(data, () => 0), labels });
    const own = Float64Array.from({ length: soft }, () => random.uniform());
    expect(flaw(twice(Float64Array.of(...own, ...own)))).toBeUndefined();
    expect(flaw(twice(new Float64Array(2 * soft).fill(0.5)))).toBeUndefined();
    expect(flaw(twice(Float64Array.of(...own, ...own.map((label) => Math.min(1, label + 0.01)))))).toBeUndefined();
    const others = own.slice();
    random.shuffle(others as unknown as Int32Array);
    expect(flaw(twice(Float64Array.of(...own, ...others)))?.text).toMatch(/^100\.0 % of the sequences have an exact equal/);
  });
});

describe("findRecipeWarnings", () => {
  const N = 300;
  const shape = { timesteps: 4, features: 3 };
  const random = createRandom(3);
  /** a on a large offset that moves by a few spacings of float32; b on none; c whole numbers beyond a million. */
  const rows = Float64Array.from({ length: N * 12 }, (_, i) => {
    if (i % 3 === 0) return 1.25 + 1e-6 * random.normal();
    return i % 3 === 1 ? random.normal() : 2_000_000 + random.integer(9);
  });
  const labels = Uint8Array.from({ length: N }, (_, n) => n % 2);
  const channel = (a: number, view: "delta" | "level") => ({ base: "feature", a, view }) as const;
  const ask = (channels: readonly ReturnType<typeof channel>[], float32 = true) =>
    findRecipeWarnings(
      { float32, shape },
      { values: Float64Array.from(rows, float32 ? Math.fround : Number), labels, probability: null },
      { ...shape, features: ["a", "b", "c"], padding: "none", channels, standardise: true },
    );

  it("names the features whose differences float32 rounds away, and only where the recipe takes them", () => {
    expect(ask([0, 1, 2].map((a) => channel(a, "delta")))).toEqual([{ code: "float32-differences", dtype: "float32", features: [0] }]);
    expect(ask([channel(0, "level"), channel(1, "delta")])).toEqual([]);
    expect(ask([channel(0, "delta")], false)).toEqual([]);
  });
});
