// A stack's whole path on few sequences: what it says, what it refuses, and that neither threads nor the order of the file change a bit.
import { describe, expect, test } from "vitest";
import type { Model } from "../../../shared/model.ts";
import { describeNote } from "../../../trainer/pipeline/sentences.ts";
import { trainModel } from "../../../trainer/pipeline/train.ts";
import type { LabelledDataset } from "../../../trainer/readers/dataset.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { BASE, LINEAR, makeData, runStack } from "../../fixtures/stack-runs.ts";

const MINUTES = { timeout: 240_000 };

const small = makeData({ N: 120, T: 3, F: 2 }, LINEAR);

/** The sequences in another order. */
function shuffle(data: LabelledDataset): LabelledDataset {
  const N = data.labels.length;
  const size = data.values.length / N;
  const order = Int32Array.from({ length: N }, (_, n) => n);
  createRandom(77).shuffle(order);
  const values = new Float64Array(data.values.length);
  order.forEach((n, i) => {
    values.set(data.values.subarray(n * size, (n + 1) * size), i * size);
  });
  return { ...data, values, labels: Uint8Array.from(order, (n) => data.labels[n]) };
}

const bitsOf = ({ members, stack, calibration, recipe, view, golden }: Model) => ({ members, stack, calibration, recipe, view, golden });

describe("of 120 sequences", MINUTES, () => {
  test("nested cross-validation judges every one; the card says so, who speaks, and what each is worth", async () => {
    const { trained, notes } = await runStack(small);
    const { card, members, stack } = trained.model;
    expect(card.assessment).toBe("nested-cross-validation");
    expect(card.test.examples).toBe(120);
    expect(card.test.logLoss).toBeLessThan(0.95 * card.test.baseRateLogLoss);
    expect(card.intervals.logLoss).toBeGreaterThan(0);
    expect(card.split.examples).toEqual({ train: 120, validation: 0, calibration: 0, test: 0 });
    expect(card.stack?.learners.map(({ name }) => name)).toEqual(["linear", "trees", "quantile trees", "lstm"]);
    expect(card.stack?.learners.filter(({ weight }) => weight > 0).length).toBe(members.length);
    expect(stack?.weights.length).toBe(members.length);
    expect(notes.map(({ code }) => code)).toEqual(expect.arrayContaining(["split", "channels", "members", "gate", "nested"]));
    const worth = notes.find(({ code }) => code === "members")!;
    expect(describeNote(worth, [])).toMatch(
      /^out-of-fold log loss: linear \.\d{3}, trees \.\d{3}, quantile trees \.\d{3}, lstm \.\d{3} → stack \.\d{3} \(\d\.\d\d linear/,
    );
    expect(trained.verdict.code).toBe("learned");
  });

  test.each([
    [{ epochs: 1 }, /^Train without --epochs 1: a run on so many sequences usually takes 40 epochs\.$/],
    [{ units: 2, epochs: 40 }, /^Train without --units 2: a network for so many sequences usually has 16 units\.$/],
    [{ recipe: "raw", learner: "auto" }, /^Train without --recipe raw/],
  ] as const)("options %j that hold it back are what the verdict names next", async (options, next) => {
    const { trained } = await runStack(small, { learner: "lstm", ...options });
    expect(trained.verdict.next).toMatch(next);
  });

  test("neither threads nor the order of the file change a bit of the model or of its metrics", async () => {
    const [{ trained: once }, { trained: again }] = [await runStack(small), await runStack(shuffle(small), {}, 2)];
    expect(bitsOf(again.model)).toEqual(bitsOf(once.model));
    expect(again.model.card.test).toEqual(once.model.card.test);
    expect(again.bytes).toEqual(once.bytes);
  });

  test.each([
    ["linear", ["linear"]],
    ["trees", ["trees", "quantile trees"]],
    ["lstm", ["lstm"]],
  ] as const)("--learner %s trains that alone", async (learner, names) => {
    const { trained } = await runStack(small, { learner });
    expect(trained.model.card.stack?.learners.map(({ name }) => name)).toEqual(names);
    expect(new Set(trained.model.members.map(({ kind }) => kind))).toEqual(new Set([learner]));
  });
});

describe("of bad input", MINUTES, () => {
  test("refuses fewer than 40 sequences, or fewer than 10 of a label, and says how many it takes", async () => {
    const few = makeData({ N: 39, T: 3, F: 2 }, LINEAR);
    await expect(runStack(few)).rejects.toThrow(
      /39 sequences, \d+ of label 0 and \d+ of label 1, are too few: training takes at least 40 sequences with at least 10 of each label/,
    );
    const rare = makeData({ N: 100, T: 3, F: 2 }, () => false);
    rare.labels.fill(1, 0, 9);
    await expect(runStack(rare)).rejects.toThrow(/100 sequences, 91 of label 0 and 9 of label 1, are too few/);
  });

  test("labels that nothing tells get about the base rate", async () => {
    const blind = makeData({ N: 150, T: 3, F: 2 }, (_, draw) => draw < 0.4);
    const { trained, notes } = await runStack(blind, { learner: "linear" });
    const { logLoss, baseRateLogLoss } = trained.model.card.test;
    expect(logLoss).toBeLessThan(baseRateLogLoss + 2 * (trained.model.card.intervals.logLoss! / 1.96));
    expect(trained.verdict.code).toBe("base-rate-only");
    const { kept } = trained.model.card.stack!;
    expect(kept!.share).toBeLessThan(0.95);
    expect(kept!.gain).toBeLessThan(3 * kept!.standardError);
    expect(trained.model.calibration.slope).toBeCloseTo(kept!.share, 12); // nothing else was fitted: 150 are too few
    expect(describeNote(notes.find(({ code }) => code === "kept")!, [])).toMatch(
      /which may be chance: the model keeps \d+\.\d % of its distance/,
    );
  });

  test("one number that tells the label is learnt, finite to the last bit, and said to be a leak", async () => {
    const plain = makeData({ N: 100, T: 3, F: 2 }, (values) => values[5] > 0);
    const { trained } = await runStack(plain);
    expect(trained.model.card.test.auc).toBeGreaterThan(0.95);
    for (const probability of trained.evidence.test.probabilities) expect(Number.isFinite(probability)).toBe(true);
    expect(trained.verdict.code).toBe("bad-data");
  });

  test("a label that stands in one stretch of time alone is refused by name of the fold", async () => {
    const N = 200;
    const series = makeData({ N, T: 2, F: 2 }, () => false);
    series.labels.fill(1, 0, 30);
    await expect(runStack(series, { split: "time", learner: "linear" })).rejects.toThrow(
      /the training \(fold 1 of 5\) part .* has one class only/,
    );
  });

  test("an option for one network alone is refused beside another learner", () => {
    expect(() => trainModel(small, { ...BASE, splitVersion: 1 }, {} as never)).toThrow(/--split-version 1 is of one network alone/);
    expect(() => trainModel(small, { ...BASE, recipe: "raw", learner: "trees" }, {} as never)).toThrow(
      /--recipe raw is of one network alone/,
    );
  });
});
