// What a figure's mean over seeds would be, had chance been fair to them: the seeds' known luck as a control variate (Lavenberg & Welch 1981).
import { type MeanWithError, mean } from "../../../trainer/statistics/descriptive.ts";

/** The least-squares line of `figures` (n) on `luck` (n), of at least three seeds, at a luck of 0, with its standard error. */
export function adjustedMean(figures: readonly number[], luck: readonly number[]): MeanWithError {
  const n = figures.length;
  const [middle, average] = [mean(luck), mean(figures)];
  const spread = luck.reduce((sum, x) => sum + (x - middle) ** 2, 0);
  const slope = luck.reduce((sum, x, i) => sum + (x - middle) * (figures[i] - average), 0) / spread;
  const residual = (x: number, i: number): number => figures[i] - average - slope * (x - middle);
  const variance = luck.reduce((sum, x, i) => sum + residual(x, i) ** 2, 0) / (n - 2);
  return { mean: average - slope * middle, standardError: Math.sqrt(variance * (1 / n + middle ** 2 / spread)) };
}
