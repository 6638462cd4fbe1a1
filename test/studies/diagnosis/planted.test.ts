import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CAUSE_CODES } from "../../../trainer/diagnosis/cause.ts";
import { parseBaselineSetup } from "../../../trainer/diagnosis/setup.ts";
import { entropy, meanEntropy } from "../../../trainer/statistics/log-loss.ts";
import { codeOf, PLANTS, type PlantName, plant, plantHealthy, plantPermuted } from "./planted.ts";
import { casesOf, FILE, isScored, keyOf, RANGES, type Strength } from "./strengths.ts";

const known: Record<string, Strength> = JSON.parse(readFileSync(FILE, "utf8"));
const names = Object.keys(PLANTS) as PlantName[];
/** Plants whose labels are not drawn from the probability, since that is what is wrong with them. */
const OTHER_LABELS = ["label-conflict", "leak", "labels-invalid", "one-class", "too-few"];

/** What gaps hide stands behind the gaps themselves; a movement has one of two names; where columns are better, no network's fix is: test/trainer/diagnosis/columns.test.ts has sets for that. */
const NOT_PLANTED = ["gaps-hidden", "columns-better", "movement-hidden"];

test("every cause can be planted whose fix is a network's and that can be named first", () => {
  expect(new Set([...names.map(codeOf), ...NOT_PLANTED])).toEqual(new Set(CAUSE_CODES));
});

describe.each(names)("%s", (name) => {
  const made = plant(name, 3, 101, 1);
  const { labels, values, shape } = made.data;

  test("is the same for the same seed, and another for another", () => {
    expect(plant(name, 3, 101, 1)).toEqual(made);
    expect(plant(name, 3, 102, 1).data.values).not.toEqual(values);
  });

  test("draws labels from its probability, and leaves something to be learnt", () => {
    expect(values.length).toBe(labels.length * shape.timesteps * shape.features);
    if (OTHER_LABELS.includes(name)) return;
    const { probability } = made;
    const variance = probability.reduce((sum, p) => sum + p * (1 - p), 0);
    expect(Math.abs(labels.reduce((sum, y, n) => sum + y - probability[n], 0))).toBeLessThan(4 * Math.sqrt(variance));
    const rate = probability.reduce((sum, p) => sum + p, 0) / probability.length;
    if (name !== "no-signal") expect(entropy(rate) - meanEntropy(probability)).toBeGreaterThan(0.1);
  });

  test("names the baseline setup in words that --tried takes, and a fix that differs", () => {
    const { fix } = made;
    expect(() => parseBaselineSetup(made.baseline)).not.toThrow();
    if (fix) expect(fix.plan !== undefined || fix.setup !== made.baseline).toBe(true);
  });
});

test("healthy and permuted data sets are those of their seed; permuting keeps the positive rate", () => {
  expect(plantHealthy(101, 5)).toEqual(plantHealthy(101, 5));
  expect(plantHealthy(101, 5).data.values).not.toEqual(plantHealthy(101, 6).data.values);
  const { data, probability } = plantPermuted(101, 5);
  const rate = data.labels.reduce((sum, y) => sum + y, 0) / data.labels.length;
  expect(Math.abs(rate - probability.reduce((sum, p) => sum + p, 0) / probability.length)).toBeLessThan(0.04);
  const excess = data.labels.reduce((sum, y, n) => sum + (y - rate) * probability[n], 0) / data.labels.length;
  expect(Math.abs(excess)).toBeLessThan(0.03); // labels know nothing of the probability any more: 4 standard errors
});

describe("strengths", () => {
  const cases = [1, 2, 3, 4, 5].flatMap(casesOf);

  test("are there for every reported case that has one, 200 at least, and lose about the wanted share", () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
    for (const [i, share] of [0.1, 0.4, 0.8].entries()) {
      const own = cases.filter((each) => RANGES[each.name] && each.share === share).map((each) => known[keyOf(each)]);
      expect(own.every((strength) => strength !== undefined)).toBe(true);
      const lost = own.map((strength) => strength.lost!).sort((a, b) => a - b);
      const median = lost[lost.length >> 1];
      expect(median).toBeGreaterThan([0.05, 0.25, 0.6][i]);
      expect(median).toBeLessThan([0.2, 0.55, 1.01][i]);
    }
  });

  test("a case whose fix recovers less than 5 % is not scored", () => {
    expect(isScored({ strength: 1, baseline: 0.9, fixed: 0.94, lost: 0.04 })).toBe(false);
    expect(isScored({ strength: 1, baseline: 0.8, fixed: 0.94, lost: 0.15 })).toBe(true);
    expect(isScored({ strength: 1 })).toBe(true);
  });
});
