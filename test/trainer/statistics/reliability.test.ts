import { expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { reliabilityBins } from "../../../trainer/statistics/reliability.ts";
import { METRICS_CASES } from "../../fixtures/metrics.ts";

test.each(METRICS_CASES)("the bins sum to the calibration error on $name", ({ labels, probabilities, expected }) => {
  const bins = reliabilityBins(labels, probabilities, createRandom(1), 0);
  const ece = bins.reduce(
    (sum, { examples, predicted, observed }) => sum + (examples / labels.length) * Math.abs(predicted - observed.value),
    0,
  );
  expect(ece).toBeCloseTo(expected.ece, 10);
  expect(bins.reduce((sum, { examples }) => sum + examples, 0)).toBe(labels.length);
  for (const { observed } of bins) {
    expect(observed.low).toBeLessThanOrEqual(observed.value);
    expect(observed.high).toBeGreaterThanOrEqual(observed.value);
    expect(observed.low < observed.high && observed.low >= 0 && observed.high <= 1).toBe(true);
  }
});

test("of independent sequences the bootstrap's intervals are those of a share", () => {
  const random = createRandom(4);
  const probabilities = Float64Array.from({ length: 6000 }, () => 0.1 + 0.8 * random.uniform());
  const labels = Uint8Array.from(probabilities, (p) => (random.uniform() < p ? 1 : 0));
  for (const { examples, observed } of reliabilityBins(labels, probabilities, createRandom(1), 0)) {
    const half = 1.96 * Math.sqrt((observed.value * (1 - observed.value)) / examples);
    // Outer percentiles of 1,000 resamples are known to about 4 %: three times that, and the grid of a share of 400
    expect(Math.abs((observed.high - observed.low) / (2 * half) - 1)).toBeLessThan(0.15);
  }
});

test("a bin whose labels are all the same is not certain", () => {
  const [{ observed }] = reliabilityBins(new Uint8Array(30), new Float64Array(30).fill(0.01), createRandom(1), 0);
  expect(observed.value).toBe(0);
  expect(observed.high).toBeCloseTo(0.1135, 3); // scipy.stats.binomtest(0, 30).proportion_ci(method="wilson").high = 0.11351…
});

test("depends on the seed alone", () => {
  const { labels, probabilities } = METRICS_CASES[0];
  const bins = (seed: number) => reliabilityBins(labels, probabilities, createRandom(seed), 2);
  expect(bins(1)).toEqual(bins(1));
  expect(bins(1)).not.toEqual(bins(2));
});
