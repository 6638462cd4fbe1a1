import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { OperatingPoint } from "../../../shared/model.ts";
import { describeWarning } from "../../../trainer/pipeline/sentences.ts";
import {
  chooseOperatingPoints,
  describeMissed,
  findMissed,
  measureOperatingPoints,
  type Unattained,
} from "../../../trainer/statistics/operating-points.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

type Interval = [value: number, low: number, high: number];

interface Case {
  labels: number[];
  probabilities: number[];
  points: Record<string, number>;
  figures: Record<string, { precision: Interval; recall: Interval; f1: number; balancedAccuracy: number; cost: number }>;
}

// Made by test/fixtures/operating-points.py.
const cases: Record<string, Case> = JSON.parse(readFileSync(new URL("../../fixtures/operating-points.json", import.meta.url), "utf8"));
const OPTIONS = { precisions: [0.8], recalls: [0.9], costs: { falsePositive: 1, falseNegative: 5 } };

function named(points: readonly OperatingPoint[], name: string): OperatingPoint {
  const point = points.find((candidate) => candidate.name === name);
  if (point === undefined) throw new Error(`no ${name} among ${points.map((p) => p.name).join(", ")}`);
  return point;
}

describe.each(Object.entries(cases))("%s", (_, { labels, probabilities, points, figures }) => {
  const chosen = chooseOperatingPoints(labels, Float32Array.from(probabilities), OPTIONS);

  test("has scikit-learn's thresholds, ties and all", () => {
    expect(Object.fromEntries(chosen.map(({ name, threshold }) => [name, threshold]))).toEqual(points);
  });

  test("has scikit-learn's figures and SciPy's Wilson intervals, to 1e-12", () => {
    for (const [name, expected] of Object.entries(figures)) {
      const { precision, recall, f1, balancedAccuracy, cost } = named(chosen, name).figures!;
      for (const [figure, interval] of [
        [precision, expected.precision],
        [recall, expected.recall],
      ] as const)
        for (const [i, key] of (["value", "low", "high"] as const).entries())
          expect(Math.abs(figure![key] - interval[i]), `${name} ${key}`).toBeLessThan(1e-12);
      expect(Math.abs(f1!.value - expected.f1)).toBeLessThan(1e-12);
      expect(Math.abs(balancedAccuracy!.value - expected.balancedAccuracy)).toBeLessThan(1e-12);
      expect(Math.abs(cost!.value - expected.cost)).toBeLessThan(1e-12);
    }
  });
});

/** Scores of which the probability is known; labels are drawn from it. */
function drawn(N: number, seed: number): { labels: Uint8Array; probabilities: Float32Array } {
  const random = createRandom(seed);
  const probabilities = new Float32Array(N).map(() => 1 / (1 + Math.exp(-(2 * random.normal() - 1.5))));
  return { probabilities, labels: Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0)) };
}

test("scores without a difference give one threshold: all or nothing", () => {
  const points = chooseOperatingPoints([0, 1, 0, 1, 0], new Float32Array(5).fill(0.25));
  for (const name of ["best-f1", "balanced-accuracy"]) expect(named(points, name).threshold).toBe(0.25);
});

test("of thresholds as good as each other, the highest is taken", () => {
  // Balanced accuracy, from the top: ¾, ½, ¾, ½.
  const points = chooseOperatingPoints([1, 0, 1, 0], Float32Array.of(0.75, 0.5, 0.25, 0.125));
  expect(named(points, "balanced-accuracy").threshold).toBe(0.75);
});

test("the default is even, and no name comes twice", () => {
  const { labels, probabilities } = drawn(2000, 1);
  const names = chooseOperatingPoints(labels, probabilities, { ...OPTIONS, precisions: [0.5, 0.8], recalls: [0.5, 0.9] }).map(
    (p) => p.name,
  );
  expect(names[0]).toBe("default");
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("precision>=0.5");
});

test("what cannot be attained is said and is no point", () => {
  const unattained: Unattained[] = [];
  const labels = Uint8Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const probabilities = Float32Array.from(labels, (_, i) => (i % 7) / 7); // says nothing about the label
  const points = chooseOperatingPoints(labels, probabilities, {
    precisions: [0.9],
    recalls: [0.999],
    onUnattained: (point) => unattained.push(point),
  });
  expect(points.map(({ name }) => name)).toEqual(["default", "best-f1", "balanced-accuracy"]);
  expect(unattained.map((point) => describeWarning(point, []))).toEqual([
    expect.stringMatching(
      /^Precision ≥ 0.9 cannot be promised, so there is no operating point for it\. The best threshold is 0\.\d{4}: precision there is 0\.2\d\d on held-out sequences, and at least 0\.2\d\d with 95 % confidence\.$/,
    ),
    // 100 of 100 positives: 100 / (100 + 1.96²)
    "Recall ≥ 0.999 cannot be promised, so there is no operating point for it. The best threshold is 0.0000: recall there is 1.000 on held-out sequences, and at least 0.963 with 95 % confidence.",
  ]);
});

test("a promised precision or recall holds on new sequences, most of the time", () => {
  // The bound is broken by chance 2.5 % of the time at one threshold; the best of many thresholds breaks it more often.
  const future = drawn(50_000, 1);
  const kept = { "precision>=0.7": 0, "recall>=0.8": 0 };
  const RUNS = 100;
  for (let seed = 0; seed < RUNS; seed++) {
    const { labels, probabilities } = drawn(1500, 1000 + seed);
    const points = chooseOperatingPoints(labels, probabilities, { precisions: [0.7], recalls: [0.8] });
    const measured = measureOperatingPoints(points, future.labels, future.probabilities);
    if (named(measured, "precision>=0.7").figures!.precision!.value >= 0.7) kept["precision>=0.7"]++;
    if (named(measured, "recall>=0.8").figures!.recall!.value >= 0.8) kept["recall>=0.8"]++;
  }
  expect(kept["precision>=0.7"]).toBeGreaterThanOrEqual(0.93 * RUNS); // measured: 99 and 96
  expect(kept["recall>=0.8"]).toBeGreaterThanOrEqual(0.93 * RUNS);
});

test("an interval of 95 % holds the truth in 95 of 100 samples, for every figure", () => {
  const costs = { falsePositive: 1, falseNegative: 5 };
  const points = [{ name: "fixed", threshold: 0.4 }];
  const future = drawn(200_000, 2);
  const truth = measureOperatingPoints(points, future.labels, future.probabilities, costs)[0].figures!;
  const RUNS = 400;
  const held: Record<string, number> = {};
  for (let seed = 0; seed < RUNS; seed++) {
    const { labels, probabilities } = drawn(500, 5000 + seed);
    for (const [name, { low, high }] of Object.entries(measureOperatingPoints(points, labels, probabilities, costs)[0].figures!)) {
      const value = truth[name as keyof typeof truth]!.value;
      held[name] = (held[name] ?? 0) + (low <= value && value <= high ? 1 : 0);
    }
  }
  expect(Object.keys(held).sort()).toEqual(["balancedAccuracy", "cost", "f1", "precision", "recall"]);
  // Three standard errors at 400 runs are 3.3 %.
  for (const [name, count] of Object.entries(held)) expect(count / RUNS, name).toBeGreaterThan(0.917);
  for (const [name, count] of Object.entries(held)) expect(count / RUNS, name).toBeLessThan(0.995);
});

test("costs decide the threshold: a miss that costs five false alarms is worth one in six", () => {
  const { labels, probabilities } = drawn(20_000, 3);
  const points = chooseOperatingPoints(labels, probabilities, OPTIONS);
  expect(named(points, "lowest-cost").threshold).toBe(1 / 6);
  const cost = (point: string) => named(points, point).figures!.cost!.value;
  for (const name of ["default", "best-f1", "balanced-accuracy"]) expect(cost("lowest-cost")).toBeLessThan(cost(name));
});

test("figures without a denominator are left out: no number in an artifact is NaN", () => {
  const point = [{ name: "never", threshold: 0.9 }];
  expect(measureOperatingPoints(point, [0, 1], Float32Array.of(0.1, 0.2))[0].figures).toEqual({
    recall: { value: 0, low: 0, high: expect.closeTo(0.7935, 4) },
    f1: { value: 0, low: 0, high: expect.closeTo(0.8848, 4) },
    balancedAccuracy: { value: 0.5, low: expect.any(Number), high: expect.any(Number) },
  });
  expect(measureOperatingPoints(point, [0, 0], Float32Array.of(0.1, 0.2))[0].figures).toEqual({});
});

describe("a promise of precision or recall on other sequences", () => {
  // 100 sequences, half of them positive, of which `found` are found at 0.5
  const measured = (name: string, found: number): OperatingPoint[] => {
    const labels = Array.from({ length: 100 }, (_, i) => (i < 50 ? 1 : 0));
    const probabilities = Float32Array.from(labels, (label, i) => (label === 1 && i < found ? 0.9 : 0.1));
    return measureOperatingPoints([{ name, threshold: 0.5 }], labels, probabilities);
  };

  test.each([
    [48, []],
    [44, ["recall>=0.9: recall is 0.880 on the test part, below 0.9, which may be chance."]],
    [
      30,
      [
        "recall>=0.9: recall is 0.600 on the test part, below 0.9 by more than chance. These sequences are unlike those that the threshold was chosen on: quickstep calibrate chooses it on newer ones.",
      ],
    ],
  ])("is missed with %i of 50 found, or not", (found, sentences) => {
    expect(findMissed(measured("recall>=0.9", found)).map((missed) => describeMissed(missed, "on the test part"))).toEqual(sentences);
  });

  test("is not asked of points without one, nor where nothing was measured", () => {
    expect(findMissed(measured("best-f1", 1))).toEqual([]);
    expect(findMissed([{ name: "precision>=0.9", threshold: 0.5 }])).toEqual([]);
  });
});
