// Whether one way of training is better than another beyond chance: the same held-out sequences, resampled in blocks.
// Legend: M sequences.
import type { Random } from "../statistics/random.ts";

export interface Comparison {
  /** Mean of before − after in nats. */
  readonly mean: number;
  /** One for each seed. */
  readonly seeds: readonly number[];
  /** Two-sided: how often a mean resampled falls on the other side of 0. */
  readonly p: number;
  /** Of 95 %. */
  readonly interval: readonly [number, number];
}

const RESAMPLES = 2000;

/** Losses (M) in nats: means over seeds, and of each; NaN where a sequence was not held out. */
export interface Losses {
  readonly losses: Float64Array;
  readonly seeds: readonly Float64Array[];
}

/** Compares pairs by the block bootstrap (Künsch 1989), all on the same draws; `blocks` (M) numbers what is drawn together. */
export function comparePairs(
  pairs: readonly (readonly [before: Losses, after: Losses])[],
  blocks: Int32Array,
  random: Random,
): Comparison[] {
  const count = blocks.reduce((max, block) => Math.max(max, block + 1), 0);
  const K = pairs.length;
  const sums = new Float64Array(count * K);
  const sizes = new Float64Array(count);
  blocks.forEach((block, i) => {
    if (pairs.some(([before, after]) => Number.isNaN(before.losses[i] - after.losses[i]))) return;
    sizes[block]++;
    for (let k = 0; k < K; k++) sums[block * K + k] += pairs[k][0].losses[i] - pairs[k][1].losses[i];
  });
  const means = pairs.map(() => new Float64Array(RESAMPLES));
  const total = new Float64Array(K);
  for (let r = 0; r < RESAMPLES; r++) {
    total.fill(0);
    let size = 0;
    for (let draw = 0; draw < count; draw++) {
      const block = random.integer(count);
      size += sizes[block];
      for (let k = 0; k < K; k++) total[k] += sums[block * K + k];
    }
    for (let k = 0; k < K; k++) means[k][r] = total[k] / size;
  }
  return pairs.map(([before, after], k) => {
    const sorted = means[k].sort();
    const below = sorted.reduce((sum, mean) => sum + (mean <= 0 ? 1 : 0), 0);
    const above = sorted.reduce((sum, mean) => sum + (mean >= 0 ? 1 : 0), 0);
    return {
      mean: meanDifference(before.losses, after.losses),
      seeds: before.seeds.map((losses, seed) => meanDifference(losses, after.seeds[seed])),
      p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (RESAMPLES + 1)),
      interval: [sorted[Math.floor(0.025 * RESAMPLES)], sorted[Math.floor(0.975 * RESAMPLES)]],
    };
  });
}

function meanDifference(before: Float64Array, after: Float64Array): number {
  let [sum, count] = [0, 0];
  before.forEach((loss, i) => {
    const difference = loss - after[i];
    if (Number.isNaN(difference)) return;
    sum += difference;
    count++;
  });
  return sum / count;
}

/** Which of the p-values stand at `level` together (Holm 1979). */
export function holm(p: readonly number[], level: number): boolean[] {
  const order = [...p.keys()].sort((a, b) => p[a] - p[b]);
  const stands = p.map(() => false);
  for (const [i, k] of order.entries()) {
    if (p[k] > level / (p.length - i)) break;
    stands[k] = true;
  }
  return stands;
}
