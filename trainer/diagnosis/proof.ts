// Whether one way of training is better than another beyond chance: the same held-out sequences, resampled in blocks.
// Legend: M sequences.
import type { Random } from "../random.ts";

export interface Comparison {
  /** Mean of before − after in nats. */
  readonly mean: number;
  /** One for each fold. */
  readonly folds: readonly number[];
  /** Two-sided: how often a mean resampled falls on the other side of 0. */
  readonly p: number;
  /** Of 95 %. */
  readonly interval: readonly [number, number];
}

const RESAMPLES = 2000;

/**
 * Compares pairs of per-example losses (M) by the block bootstrap (Künsch 1989), all pairs on the same draws.
 * `blocks` (M) numbers what is drawn together, `folds` the positions that one training run was tested on.
 */
export function comparePairs(
  pairs: readonly (readonly [before: Float64Array, after: Float64Array])[],
  blocks: Int32Array,
  folds: readonly Int32Array[],
  random: Random,
): Comparison[] {
  const count = blocks.reduce((most, block) => Math.max(most, block + 1), 0);
  const K = pairs.length;
  const sums = new Float64Array(count * K);
  const sizes = new Float64Array(count);
  blocks.forEach((block, i) => {
    sizes[block]++;
    for (let k = 0; k < K; k++) sums[block * K + k] += pairs[k][0][i] - pairs[k][1][i];
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
      mean: meanOver(before, after, before.keys()),
      folds: folds.map((held) => meanOver(before, after, held)),
      p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (RESAMPLES + 1)),
      interval: [sorted[Math.floor(0.025 * RESAMPLES)], sorted[Math.floor(0.975 * RESAMPLES)]],
    };
  });
}

function meanOver(before: Float64Array, after: Float64Array, at: Iterable<number>): number {
  let [sum, count] = [0, 0];
  for (const i of at) {
    sum += before[i] - after[i];
    count++;
  }
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
