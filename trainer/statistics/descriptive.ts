// Numbers that describe numbers. Sums run from the first to the last, so that the same values give the same bits.

/** The mean; NaN of none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

export interface MeanWithError {
  readonly mean: number;
  readonly standardError: number;
}

/** The mean of independent values, and its standard error s/√n with n − 1 in the variance; of a single value the error is 0. */
export function meanWithError(values: ArrayLike<number>): MeanWithError {
  const n = values.length;
  const average = mean(values);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i] - average) ** 2;
  return { mean: average, standardError: Math.sqrt(squares / Math.max(1, n - 1) / n) };
}

/** The middle of finite values, or the mean of the two in the middle; NaN of none. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Of ascending values the one at rank ⌊q·(n−1)⌉, 0 ≤ q ≤ 1: no value that did not occur. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.round(q * (sorted.length - 1))];
}
