import { describe, expect, test } from "vitest";
import { drawWeights, wilson } from "../../../trainer/statistics/intervals.ts";
import { bootstrapIntervals, computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { reliabilityBins } from "../../../trainer/statistics/reliability.ts";

test.each([
  [0, 12],
  [3, 10],
  [50, 100],
  [759, 759],
])("the interval of %i in %i inverts the score test", (successes, trials) => {
  const { value, low, high } = wilson(successes, trials);
  for (const p of [low, high])
    if (p > 0 && p < 1) expect(Math.abs(value - p)).toBeCloseTo(1.959963984540054 * Math.sqrt((p * (1 - p)) / trials), 12);
  expect(low <= value && value <= high && low >= 0 && high <= 1).toBe(true);
  expect(successes > 0 ? low > 0 : low === 0).toBe(true);
});

test("Wilson intervals are those of his formula", () => {
  // python3: z=1.959963984540054; p=k/n; c=(p+z*z/2/n)/(1+z*z/n); h=z/(1+z*z/n)*(p*(1-p)/n+z*z/4/n/n)**.5; print(c-h, c+h)
  for (const [hits, count, low, high] of [
    [9, 10, 0.5958499732047615, 0.9821237869049271],
    [0, 100, 0, 0.03699349821],
    [230, 230, 0.9835723792, 1],
  ]) {
    const interval = wilson(hits, count);
    expect(Math.abs(interval.low - low)).toBeLessThan(1e-10);
    expect(Math.abs(interval.high - high)).toBeLessThan(1e-10);
  }
});

test("every resample has as many draws as there are examples, every example as often as another", () => {
  for (const gap of [0, 3, 1000]) {
    const sums = new Float64Array(50);
    const weights = new Int32Array(50);
    const random = createRandom(1);
    for (let r = 0; r < 4000; r++) {
      drawWeights(weights, random, gap);
      expect(weights.reduce((a, b) => a + b)).toBe(50);
      weights.forEach((w, i) => {
        sums[i] += w;
      });
    }
    // Blocks of 12 of 50, the worst: a count's standard deviation is √(50/12) · 12/50 · …, below 1.8 draws; 4,000 resamples: 0.03
    for (const sum of sums) expect(Math.abs(sum / 4000 - 1)).toBeLessThan(gap === 1000 ? 1e-12 : 0.12);
  }
});

test("with a gap, neighbours are drawn together, around the end too", () => {
  const weights = new Int32Array(40);
  drawWeights(weights, createRandom(3), 10); // one block of 40
  expect(Array.from(weights)).toEqual(new Array(40).fill(1));
  drawWeights(weights, createRandom(3), 5); // two of 20
  const changes = weights.filter((w, i) => w !== weights[(i + 1) % 40]).length;
  expect(changes).toBeLessThanOrEqual(4);
});

/** N windows in the order of time whose labels are known to follow from a state that remembers for about `gap` steps. */
function windows(N: number, gap: number, seed: number): { labels: Uint8Array; probabilities: Float64Array } {
  const random = createRandom(seed);
  const noise = Float64Array.from({ length: N + gap }, () => random.normal());
  // The mean of the last `gap` shocks: as dependent as windows of so many rows, one row apart.
  const state = Float64Array.from({ length: N }, (_, n) => noise.subarray(n, n + gap).reduce((a, b) => a + b) / Math.sqrt(gap));
  const other = Float64Array.from({ length: N + gap }, () => random.normal());
  const label = Float64Array.from({ length: N }, (_, n) => other.subarray(n, n + gap).reduce((a, b) => a + b) / Math.sqrt(gap));
  return {
    labels: Uint8Array.from(label, (z, n) => (z + state[n] > 0 ? 1 : 0)),
    probabilities: state.map((z) => 1 / (1 + Math.exp(-1.6 * z))),
  };
}

describe("where windows overlap in time", () => {
  const [N, GAP, SETS] = [2000, 10, 150];
  const sets = Array.from({ length: SETS }, (_, seed) => windows(N, GAP, seed));
  const figures = sets.map(({ labels, probabilities }) => computeMetrics(labels, probabilities));
  const large = windows(400_000, GAP, 1000);
  const truth = computeMetrics(large.labels, large.probabilities);
  const covered = (gap: number): Record<"logLoss" | "accuracy" | "auc", number> => {
    const count = { logLoss: 0, accuracy: 0, auc: 0 };
    sets.forEach(({ labels, probabilities }, s) => {
      const half = bootstrapIntervals(labels, probabilities, createRandom(s, 1), 100, gap);
      for (const name of ["logLoss", "accuracy", "auc"] as const)
        if (Math.abs(figures[s][name]! - truth[name]!) <= half[name]!) count[name] += 1 / SETS;
    });
    return count;
  };

  test("intervals by blocks hold the truth about 95 % of the time, those of single windows far less", () => {
    const [blocks, singles] = [covered(GAP), covered(0)];
    // 150 sets know a share of 0.95 to ±0.035 (two standard errors); blocks of four gaps are 4 % narrow, which costs 0.01
    for (const name of ["logLoss", "accuracy", "auc"] as const) {
      expect(blocks[name], name).toBeGreaterThan(0.89);
      expect(singles[name], name).toBeLessThan(0.75);
    }
  });

  test("so do those of reliability", () => {
    const edges = [0.2, 0.4, 0.6, 0.8];
    const observedAt = (labels: ArrayLike<number>, probabilities: Float64Array, low: number, high: number): number => {
      const members = Array.from(probabilities.keys()).filter((n) => probabilities[n] >= low && probabilities[n] < high);
      return members.reduce((sum, n) => sum + labels[n], 0) / members.length;
    };
    const hits = { blocks: 0, singles: 0 };
    let bins = 0;
    for (const { labels, probabilities } of sets.slice(0, 30)) {
      // Five scores alone, so that every set has the same bins, and what is to be observed in each is known from the large one.
      const rounded = probabilities.map((p) => edges.filter((edge) => p >= edge).length / 4);
      const known = [0, ...edges, 1.01];
      const byBlock = reliabilityBins(labels, rounded, createRandom(1), GAP);
      const bySingle = reliabilityBins(labels, rounded, createRandom(1), 0);
      byBlock.forEach(({ predicted, observed }, b) => {
        const k = Math.round(4 * predicted);
        const target = truthAt(k);
        bins++;
        if (target >= observed.low && target <= observed.high) hits.blocks++;
        if (target >= bySingle[b].observed.low && target <= bySingle[b].observed.high) hits.singles++;
      });
      function truthAt(k: number): number {
        cache[k] ??= observedAt(large.labels, large.probabilities, known[k], known[k + 1]);
        return cache[k];
      }
    }
    expect(bins).toBe(150);
    expect(hits.blocks / bins).toBeGreaterThan(0.88);
    expect(hits.singles / bins).toBeLessThan(0.8);
  });
  const cache: number[] = [];
});
