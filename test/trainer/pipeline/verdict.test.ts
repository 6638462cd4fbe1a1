import { describe, expect, it } from "vitest";
import type { Flaw } from "../../../trainer/pipeline/data-checks.ts";
import { describeVerdict } from "../../../trainer/pipeline/sentences.ts";
import { decideVerdict, findRareClass, type RareClass, type VerdictInput } from "../../../trainer/pipeline/verdict.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const N = 2000;
const random = createRandom(21);
const truth = Float64Array.from({ length: N }, () => 0.02 + 0.9 * random.uniform() ** 3);
const labels = Array.from(truth, (p) => (random.uniform() < p ? 1 : 0));
const rate = labels.filter((y) => y === 1).length / N;
const base = new Float64Array(N).fill(rate);
const blurred = truth.map((p) => 0.5 * p + 0.5 * rate);

const ENOUGH: RareClass = { label: 1, count: 2000, inTraining: 1400, inTest: 300 };

function verdict(
  own: Float64Array,
  logistic: Float64Array,
  trainLogLoss = computeMetrics(labels, own).logLoss,
  gap = 0,
  flaw?: Flaw,
  more: Pick<VerdictInput, "restraint"> & Partial<Pick<VerdictInput, "rareClass">> = {},
) {
  const probabilities = { "base rate": base, "logistic regression": logistic };
  const baselines = Object.fromEntries(Object.entries(probabilities).map(([name, q]) => [name, computeMetrics(labels, q)]));
  const baselineProbabilities = probabilities;
  const facts = decideVerdict({
    labels,
    probabilities: own,
    baselines,
    baselineProbabilities,
    trainLogLoss,
    gap,
    flaw,
    rareClass: ENOUGH,
    ...more,
  });
  return describeVerdict(facts, ["spread"]);
}

describe("decideVerdict", () => {
  it("learned: better than the base rate, and says how it stands to the logistic regression", () => {
    expect(verdict(truth, blurred)).toMatchObject({ code: "learned", text: expect.stringContaining("better than logistic regression") });
    expect(verdict(truth, truth)).toMatchObject({ code: "learned", text: expect.stringContaining("level with logistic regression") });
  });

  it("base-rate-only: what differs from the base rate by rounding alone has learnt nothing", () => {
    const rounded = base.map((p) => Math.fround(p));
    expect(verdict(rounded, base).code).toBe("base-rate-only");
    const noisy = base.map((p) => p * (1 + 0.05 * random.normal()));
    expect(verdict(noisy, base).code).toBe("base-rate-only");
  });

  it("no-better-model-found: a simpler model beats it beyond noise", () => {
    expect(verdict(blurred, truth).code).toBe("no-better-model-found");
  });

  it("advises more data where the training part is known much better, and other data where it is not", () => {
    const { logLoss } = computeMetrics(labels, truth);
    expect(verdict(truth, blurred, logLoss - 0.08).next).toMatch(/^More sequences/);
    expect(verdict(truth, blurred, logLoss).next).toMatch(/^Further features/);
  });

  it("bad-data: a flaw of the data goes before whatever was learnt, with its own next step", () => {
    const flaw = { code: "leaking-cell", feature: 0, step: 9, auc: 0.9999 } as const;
    const { code, text, next } = verdict(truth, blurred, undefined, 0, flaw);
    expect(code).toBe("bad-data");
    expect(next).toMatch(/^Check whether spread is known when the score is needed/);
    expect(text).toMatch(
      /^Spread at step 9 \(counted from 0\) alone ranks the labels with AUC 0\.9999: .*\. The figures mean little: log loss 0\.\d+ against/,
    );
  });

  it("too-few-examples: twelve 1s, one of them in the test part, are too few to learn from or to judge by, whatever else is found", () => {
    const rareClass = findRareClass(
      Uint8Array.from({ length: 1000 }, (_, n) => Number(n < 12)),
      Uint8Array.from({ length: 700 }, (_, n) => Number(n < 10)),
      Uint8Array.from({ length: 150 }, (_, n) => Number(n < 1)),
    );
    const flaw = { code: "leaking-cell", feature: 0, step: 9, auc: 1 } as const;
    const { code, text, next } = verdict(truth, blurred, undefined, 0, flaw, { rareClass });
    expect(code).toBe("too-few-examples");
    expect(text).toMatch(/^12 1s, 1 of them in the test part: too few to learn from or to judge by\. The figures mean little/);
    expect(next).toBe("Train with more sequences of label 1: at least 20 in the training part and 5 in the test part.");
    const fewZeros = { ...rareClass, label: 0, inTraining: 40 } as const;
    expect(verdict(truth, blurred, undefined, 0, undefined, { rareClass: fewZeros }).text).toMatch(/^12 0s, .*: too few to judge by\./);
  });

  it("asks no one to find more sequences where --epochs or --recipe raw held the run back", () => {
    const { logLoss } = computeMetrics(labels, truth);
    const epochs = { restraint: { code: "few-epochs", epochs: 2, usual: 40 } } as const;
    expect(verdict(truth, blurred, logLoss - 0.08, 0, undefined, epochs).next).toMatch(/^Train without --epochs 2: .* usually takes 40/);
    const units = { restraint: { code: "few-units", units: 8, usual: 16 } } as const;
    expect(verdict(truth, blurred, logLoss - 0.08, 0, undefined, units).next).toMatch(/^Train without --units 8: .* usually has 16 units/);
    const raw = { restraint: { code: "recipe-raw" } } as const;
    for (const [own, other] of [
      [truth, blurred],
      [blurred, truth],
      [base, base],
    ])
      expect(verdict(own, other, undefined, 0, undefined, raw).next).toMatch(/^Train without --recipe raw/);
  });

  it("counts overlapping windows in time as the fewer that they are", () => {
    // A gain that comes and goes in waves: beyond two standard errors if all 2,000 count, within them if blocks of 200 do.
    const drift = Float64Array.from({ length: N }, (_, n) => Math.sin((2 * Math.PI * n) / 500));
    const leaning = base.map((p, n) => p + (0.12 * drift[n] + 0.02) * (labels[n] - rate));
    expect(verdict(leaning, base, undefined, 0).code).toBe("learned");
    expect(verdict(leaning, base, undefined, 100).code).toBe("base-rate-only");
  });
});
