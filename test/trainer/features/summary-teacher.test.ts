import { describe, expect, it } from "vitest";
import { computeSummaryFeatures, fitSummaryMlp, SUMMARY_FEATURES } from "../../../trainer/features/summary-teacher.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";

const T = 4;

describe("computeSummaryFeatures", () => {
  it("gives the last value, the mean, run length, and exponential moving averages", () => {
    const channels = Float32Array.of(1, 5, 2, 5, 2, 5, 2, 7, /* two rows */ 4, 1, 8, 1, 0, 0, 0, 0); // (2,4,2)
    const columns = computeSummaryFeatures({ channels, lengths: Int32Array.of(4, 2) }, T);
    const row = (n: number, c: number) => Array.from(columns.subarray((2 * n + c) * SUMMARY_FEATURES, (2 * n + c + 1) * SUMMARY_FEATURES));
    // 0.5: ((1·½)·½ + 2·½)·½ … = 1.8125; 0.7 and 0.85 likewise, by hand
    expect(row(0, 0)).toEqual([2, 1.75, 2, 1.8125, 1.4169, 0.863_868_75].map(Math.fround));
    expect(row(0, 1).slice(0, 3)).toEqual([7, 5.5, 0]);
    expect(row(1, 0).slice(0, 4)).toEqual([8, 6, 0, 5]);
    expect(row(1, 1).slice(0, 3)).toEqual([1, 1, 1]);
  });
});

describe("the MLP on summary features", () => {
  const N = 6000;
  const random = createRandom(401);
  const channels = Float32Array.from({ length: N * T * 2 }, () => random.uniform());
  const lengths = new Int32Array(N).fill(T);
  const total = (n: number, c: number) => [0, 1, 2, 3].reduce((sum, t) => sum + channels[(n * T + t) * 2 + c], 0);
  const truth = Float64Array.from({ length: N }, (_, n) => 6 * (total(n, 0) / total(n, 1) - 1));
  const labels = Uint8Array.from(truth, (z) => (random.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0));
  const order = Int32Array.from({ length: N }, (_, n) => n);
  const [train, held] = [order.subarray(0, 4000), order.subarray(4000)];
  const columns = computeSummaryFeatures({ channels, lengths }, T);
  const logitsBy = (threads: number) =>
    fitSummaryMlp({
      columns,
      labels,
      train,
      positiveRate: 0.5,
      sequences: 80_000,
      seed: 1,
      createStepper: (data, options) => createTrainingStep(data, { ...options, threads }),
    });

  it("learns a ratio of totals: on sequences it has not seen it says what is true within a tenth of what can be learnt", () => {
    const logits = logitsBy(1);
    const loss = (z: ArrayLike<number>): number => {
      let sum = 0;
      for (const n of held)
        sum += Math.log1p(Math.exp(-z[n])) / (1 + Math.exp(-truth[n])) + Math.log1p(Math.exp(z[n])) / (1 + Math.exp(truth[n]));
      return sum / held.length;
    };
    const base = loss(new Float64Array(N));
    expect((base - loss(logits)) / (base - loss(truth))).toBeGreaterThan(0.9);
  });

  it("answers with the same bits for any number of threads", () => {
    expect(logitsBy(2)).toEqual(logitsBy(1));
  });

  it("takes a column that does not vary in training for nothing", () => {
    const flat = columns.slice();
    for (let n = 0; n < N; n++) flat[n * 2 * SUMMARY_FEATURES] = n < 4000 ? 3 : 1e9;
    const logits = fitSummaryMlp({
      columns: flat,
      labels,
      train,
      positiveRate: 0.5,
      sequences: 4000,
      seed: 1,
      createStepper: (data, options) => createTrainingStep(data, { ...options, threads: 1 }),
    });
    expect(logits.every((z) => Math.abs(z) < 20)).toBe(true);
  });
});
