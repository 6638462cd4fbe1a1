// What labels show beside their sequences, by code and figures; the sentences are diagnosis' and training's.
import { describe, expect, test } from "vitest";
import { checkLabels, type LabelFinding } from "../../../trainer/data/label-checks.ts";
import { describeLabelFinding } from "../../../trainer/data/label-sentences.ts";
import { findOverlap } from "../../../trainer/split/overlap.ts";
import type { Labels } from "../../../trainer/statistics/labels.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const [N, T, F] = [600, 4, 3];
const SHAPE = { timesteps: T, features: F };
const random = createRandom(43);
const noise = Float64Array.from({ length: N * T * F }, () => random.normal());
const coin = Uint8Array.from({ length: N }, () => random.integer(2));

function check(values: Float64Array, labels: Labels): LabelFinding[] {
  return checkLabels(values, labels, SHAPE, "leading", findOverlap(values, SHAPE, "leading"));
}

describe("checkLabels", () => {
  test("finds nothing in unrelated numbers", () => {
    expect(check(noise, coin)).toEqual([]);
  });

  test("counts copies, and those with the other label, with the floor that they put under a loss", () => {
    const values = noise.slice();
    values.copyWithin(30 * T * F, 0, 30 * T * F); // sequences 30 … 59 are 0 … 29 again
    const labels = coin.slice();
    for (let n = 0; n < 30; n++) labels[30 + n] = 1 - labels[n];
    expect(check(values, labels)).toEqual([
      { code: "contradictory-copies", count: 60, examples: N, floor: expect.closeTo((60 / N) * Math.LN2, 12) },
      { code: "copies", count: 30, examples: N },
    ]);
  });

  test("soft labels of copies contradict each other where they are more than one half apart, not where they are .50 and .51", () => {
    const values = noise.slice();
    values.copyWithin(30 * T * F, 0, 30 * T * F);
    const labels = Float64Array.from(coin, (label) => 0.2 + 0.6 * label);
    for (let n = 0; n < 30; n++) [labels[n], labels[30 + n]] = [0.5, 0.51];
    expect(check(values, labels)).toEqual([{ code: "copies", count: 30, examples: N }]);
    for (let n = 0; n < 30; n++) [labels[n], labels[30 + n]] = [0.1, 0.7];
    const entropy = -0.4 * Math.log(0.4) - 0.6 * Math.log(0.6);
    expect(check(values, labels)[0]).toEqual({
      ...{ code: "contradictory-copies", count: 60, examples: N },
      floor: expect.closeTo((60 / N) * entropy, 12),
    });
  });

  test("names the cell that holds the answer, and the length", () => {
    const values = noise.slice();
    coin.forEach((label, n) => {
      values[(n * T + 3) * F + 1] = label + 0.1 * values[n * T * F];
    });
    expect(check(values, coin)).toMatchObject([{ code: "leaking-cell", feature: 1, step: 3, count: N }]);
    const short = noise.slice();
    coin.forEach((label, n) => {
      if (label === 1) short.fill(0, n * T * F, (n * T + 2) * F);
    });
    const [finding] = check(short, coin);
    expect(finding).toMatchObject({ code: "leaking-length", auc: 1 });
  });

  test("says nothing of lengths where all-zero rows may be data: counts with empty rows", () => {
    const counts = Float64Array.from({ length: N * T * F }, () => random.integer(4));
    coin.forEach((label, n) => {
      for (let t = 0; t < T; t++) if (random.uniform() < (label === 1 ? 0.1 : 0.6)) counts.fill(0, (n * T + t) * F, (n * T + t + 1) * F);
    });
    expect(check(counts, coin).filter(({ code }) => code === "leaking-length")).toEqual([]);
  });

  test("an empty row now and then hides no length that holds the answer", () => {
    const values = noise.slice();
    coin.forEach((label, n) => {
      if (label === 1) values.fill(0, n * T * F, (n * T + 2) * F);
    });
    for (let n = 0; n < N; n += 20) values.fill(0, (n * T + 2) * F, (n * T + 3) * F);
    expect(check(values, coin).map(({ code }) => code)).toContain("leaking-length");
  });

  test("measures a positive rate that moves along the file", () => {
    const rising = Uint8Array.from({ length: N }, (_, n) => (random.uniform() < 0.1 + (0.8 * n) / N ? 1 : 0));
    const [finding] = check(noise, rising);
    expect(finding).toMatchObject({ code: "drift", tailShare: 0.2 });
    if (finding.code === "drift") expect(finding.tail).toBeGreaterThan(finding.head + 0.25);
  });
});

test("a sentence names its figures and features", () => {
  const { evidence, fix } = describeLabelFinding({ code: "leaking-cell", feature: 2, step: 0, auc: 0.9876, count: 512 }, [
    "a",
    "b",
    "volume",
  ]);
  expect(evidence).toBe("volume at step 0 (counted from 0) alone ranks the labels with AUC 0.988 (512 sequences).");
  expect(fix).toContain("Leave volume out");
});
