// Logistic regression as a learner: scikit-learn's coefficients, missing values, and what a path and an average are.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { View } from "../../../../trainer/learners/learner.ts";
import { createDesign } from "../../../../trainer/learners/linear/design.ts";
import { createLinearLearner, STRENGTHS } from "../../../../trainer/learners/linear/linear.ts";
import { fitPenalised } from "../../../../trainer/statistics/penalised-logistic.ts";
import { createRandom } from "../../../../trainer/statistics/random.ts";

interface Case {
  readonly name: string;
  readonly columns: number;
  /** Null where the columns are those of the case before. */
  readonly x: number[] | null;
  readonly labels: number[];
  readonly l2: number;
  readonly weights: number[];
  readonly intercept: number;
}

// Made by test/fixtures/penalised.py.
const cases: Case[] = JSON.parse(readFileSync(new URL("../../../fixtures/penalised.json", import.meta.url), "utf8"));
cases.forEach((current, i) => {
  if (current.x === null) cases[i] = { ...current, x: cases[i - 1].x };
});

describe("fitPenalised finds scikit-learn's coefficients", () => {
  // Standardised columns are float32, good to 6e-8 each; a weight answers to that over its curvature, at least l2.
  test.each(cases)("for $name", ({ columns, x, labels, l2, weights, intercept }) => {
    const design = createDesign(Float64Array.from(x!), columns, Array.from(weights.keys()));
    const fitted = fitPenalised(design, labels, Int32Array.from(labels.keys()), l2, undefined, 1e-15);
    const size = Math.hypot(...weights);
    weights.forEach((weight, w) => {
      expect(Math.abs(fitted[w] - weight)).toBeLessThan(2e-4 * Math.max(size, 1e-3));
    });
    expect(Math.abs(fitted[columns] - intercept)).toBeLessThan(2e-4);
  });
});

const [N, V] = [300, 5];

/** Column 0 tells the label; 1 is missing at times; 2 is constant; 3 is far out; 4 is noise. */
function createView(): { view: View; labels: Uint8Array } {
  const random = createRandom(9);
  const labels = Uint8Array.from({ length: N }, () => random.integer(2));
  const columns = new Float64Array(N * V);
  labels.forEach((label, n) => {
    columns.set(
      [label + random.normal(), n % 3 === 0 ? Number.NaN : random.normal() + 5, 7, n % 50 === 0 ? 1e300 : -1e300, random.normal()],
      n * V,
    );
  });
  const view = {
    channels: new Float32Array(N),
    lengths: new Int32Array(N).fill(1),
    timesteps: 1,
    names: ["c"],
    columns,
    columnNames: ["a", "b", "c", "d", "e"],
  };
  return { view, labels };
}

const { view, labels } = createView();
const all = Int32Array.from({ length: N }, (_, n) => n);
const rows = { train: all.subarray(0, 200), validation: all.subarray(200), gap: 0 };
const learner = createLinearLearner([{ name: "all", columns: [0, 1, 2, 3, 4] }]);

test("gives a loss a strength, the strongest first, and logits that explain the last of them", async () => {
  const path = await learner.fit(view, labels, rows, learner.settings(200)[0], 1);
  expect(path.losses.length).toBeGreaterThan(3);
  expect(path.losses.length).toBeLessThanOrEqual(STRENGTHS.length);
  const step = path.losses.length - 1;
  const logits = learner.logits(path.at(step), view, rows.validation);
  const loss = logits.reduce((sum, z, i) => sum + Math.log1p(Math.exp(labels[rows.validation[i]] === 1 ? -z : z)), 0);
  expect(loss).toBeCloseTo(path.losses[step], 3);
  expect(Math.min(...path.losses)).toBeLessThan(0.95 * 100 * Math.LN2);
});

test("leaves constant columns out and takes a missing value for the mean", async () => {
  const member = (await learner.fit(view, labels, rows, learner.settings(200)[0], 1)).at(4);
  expect([...member.columns]).toEqual([0, 1, 3, 4]);
  const twin = { ...view, columns: view.columns.slice() };
  twin.columns[1] = member.mean[1];
  expect(learner.logits(member, twin, all.subarray(0, 1))).toEqual(learner.logits(member, view, all.subarray(0, 1)));
});

test("keeps every logit finite where values are missing, infinite to the eye, or ±1e300", async () => {
  const member = (await learner.fit(view, labels, rows, learner.settings(200)[0], 1)).at(10);
  const wild = { ...view, columns: view.columns.map((_, i) => [Number.NaN, 1e300, -1e300, 1.7e308][i % 4]) };
  for (const z of learner.logits(member, wild, all)) expect(Number.isFinite(z)).toBe(true);
});

test("averages members into one whose logits are the mean of theirs", async () => {
  const [settings] = learner.settings(200);
  const [a, b] = [
    (await learner.fit(view, labels, rows, settings, 1)).at(5),
    (await learner.fit(view, labels, { ...rows, train: all.subarray(100) }, settings, 1)).at(5),
  ];
  const [za, zb, mean] = [a, b, learner.average([a, b])].map((member) => learner.logits(member, view, all));
  mean.forEach((z, n) => {
    expect(z).toBeCloseTo((za[n] + zb[n]) / 2, 10);
  });
});

test("gives the same bits again", async () => {
  const [settings] = learner.settings(200);
  const once = await learner.fit(view, labels, rows, settings, 1);
  const again = await createLinearLearner([settings]).fit(view, labels, rows, settings, 1);
  expect(again.at(6)).toEqual(once.at(6));
});
