// How far a number measured on N sequences may be off: shares by formula, everything else by resampling. Knows no metric.
import type { Estimate } from "../../shared/model.ts";
import type { Random } from "./random.ts";

/** Normal quantile of a two-sided 95 % interval. */
export const Z95 = 1.959963984540054;

/** A proportion, of at least one, with its 95 % score interval (Wilson 1927), which holds near 0 and 1 and for small counts. */
export function wilson(hits: number, count: number): Estimate {
  const value = hits / count;
  const middle = (hits + (Z95 * Z95) / 2) / (count + Z95 * Z95);
  const half = (Z95 / (count + Z95 * Z95)) * Math.sqrt((hits * (count - hits)) / count + (Z95 * Z95) / 4);
  // At no hits and at all, rounding would leave the value outside.
  return { value, low: hits === 0 ? 0 : middle - half, high: hits === count ? 1 : middle + half };
}

/**
 * Blocks are four gaps long: if neighbours depend on each other as much as on the rows they share, blocks of two gaps leave
 * intervals 9 % too narrow, of four 4 % (of the long-run variance, blocks of L gaps see 1 − 1/(3L)).
 */
const GAPS_PER_BLOCK = 4;

/**
 * The bootstrap (Efron 1979), in blocks (Künsch 1989) that run around the end (Politis & Romano 1992).
 * Draws N = `weights.length` examples with replacement: `weights` (N) becomes how often each was drawn. With a `gap` examples are
 * in the order of time, and those closer than it share rows: whole blocks of neighbours are drawn, the last one cut.
 */
export function drawWeights(weights: Int32Array, random: Random, gap: number): void {
  const N = weights.length;
  const block = Math.min(N, Math.max(1, GAPS_PER_BLOCK * gap));
  weights.fill(0);
  for (let drawn = 0; drawn < N; drawn += block) {
    const first = random.integer(N);
    const length = Math.min(block, N - drawn);
    for (let i = 0; i < length; i++) weights[(first + i) % N]++;
  }
}

/** Running mean and variance (Welford 1962). */
export class Spread {
  count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    const distance = value - this.#mean;
    this.#mean += distance / this.count;
    this.#squares += distance * (value - this.#mean);
  }

  standardDeviation(): number {
    return Math.sqrt(this.#squares / (this.count - 1));
  }
}
