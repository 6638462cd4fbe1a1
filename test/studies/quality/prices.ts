// The S&P 500 sample as a test of time: rolling origins, the direction as another label, and the three numbers that a simple model
// of volatility needs. Legend: N sequences, T steps, F features: open, high, low, close, volume.
import { F, T } from "./generators.ts";

const [HIGH, LOW, CLOSE] = [1, 2, 3];
/** Windows between the past and a test part: T − 1 rows shared, and the day the label looks ahead. */
const GAP = T;

/**
 * Where test parts begin and the last one ends, as shares of the windows. Tuning looks at the years before those reported: five
 * parts of one year each, 2005 to 2010, then five of two years.
 */
export const ORIGINS = {
  tuning: [0.25, 0.3, 0.35, 0.4, 0.45, 0.5],
  reporting: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
} as const;

export interface Cut {
  readonly before: Int32Array;
  readonly test: Int32Array;
}

/** One cut an origin: everything up to a gap before it, and what follows up to the next. */
export function cutAtOrigins(N: number, origins: readonly number[]): Cut[] {
  const starts = origins.map((share) => Math.floor(share * N));
  return starts.slice(0, -1).map((start, i) => ({
    before: Int32Array.from({ length: start - GAP }, (_, n) => n),
    test: Int32Array.from({ length: starts[i + 1] - start }, (_, n) => start + n),
  }));
}

/** (N−1) whether the next day closes higher, read off the window after. */
export function labelDirection(values: Float64Array): Uint8Array {
  const N = values.length / (T * F);
  const close = (n: number): number => values[(n * T + T - 1) * F + CLOSE];
  return Uint8Array.from({ length: N - 1 }, (_, n) => (close(n + 1) > close(n) ? 1 : 0));
}

/** (N,3) the log of the daily log range log(high/low): of the last day, and its mean over five and ten days. Zero ranges count as 1e-5. */
export function logRange(values: Float64Array): Float64Array {
  const N = values.length / (T * F);
  const out = new Float64Array(N * 3);
  for (let n = 0; n < N; n++) {
    let sum = 0;
    for (let back = 1; back <= T; back++) {
      const row = (n * T + T - back) * F;
      sum += Math.log(Math.max(1e-5, Math.log(values[row + HIGH] / values[row + LOW])));
      if (back === 1) out[3 * n] = sum;
      if (back === 5) out[3 * n + 1] = sum / 5;
      if (back === 10) out[3 * n + 2] = sum / 10;
    }
  }
  return out;
}
