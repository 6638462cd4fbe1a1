// How far apart predictions and known probabilities lie on the logit, as slopes of lines: 1 where they agree. Draws nothing and prints
// nothing. Legend: N sequences.
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { crossEntropy } from "../../../trainer/statistics/log-loss.ts";
import { minimise } from "../../../trainer/statistics/newton.ts";

export interface Slopes {
  /** Of the least-squares line of logit p on logit q. */
  readonly plain: number;
  /** Of the line that minimises the cross-entropy (Cox 1958, the calibration slope): 1 where no correction of slope and intercept would help. */
  readonly cox: number;
  /**
   * The first again, with the mean of p among its neighbours for q, so for probabilities that nobody could calibrate better. Above 1
   * where q knows less than p does: honest averages of far-out p are less far out.
   */
  readonly calibrated: number;
}

/** Neighbours in q that share a mean. */
const NEIGHBOURS = 100;
/** Logits are held within ±20.8, so that no single sequence tips a line. */
const EPSILON = 2 ** -30;

/** The slopes of predictions `q` (N) against the true probabilities `p` (N), neither of them constant. All are 1 where q = p. */
export function calibrationSlopes(p: ArrayLike<number>, q: ArrayLike<number>): Slopes {
  const x = Array.from(q, logit);
  const y = Array.from(p, logit);
  return { plain: leastSquaresSlope(x, y), cox: coxSlope(x, p), calibrated: leastSquaresSlope(averageNeighbours(x, p).map(logit), y) };
}

/** The slope of `labels` (N) on the true probabilities `p` (N) that they were drawn from: 1 on average, above where chance made them surer. */
export function labelSlope(p: ArrayLike<number>, labels: ArrayLike<number>): number {
  return coxSlope(Array.from(p, logit), labels);
}

function logit(probability: number): number {
  return Math.log(Math.max(EPSILON, probability) / Math.max(EPSILON, 1 - probability));
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** The slope of the line of `y` on `x`. */
function leastSquaresSlope(x: readonly number[], y: readonly number[]): number {
  const [middleX, middleY] = [mean(x), mean(y)];
  let [covariance, variance] = [0, 0];
  x.forEach((value, n) => {
    covariance += (value - middleX) * (y[n] - middleY);
    variance += (value - middleX) ** 2;
  });
  return covariance / variance;
}

/** The slope of the line through logits `x` of which the sigmoid has the least cross-entropy with `p`. */
export function coxSlope(x: readonly number[], p: ArrayLike<number>): number {
  const loss = ([slope, intercept]: Float64Array): number =>
    x.reduce((sum, value, n) => sum + crossEntropy(p[n], sigmoid(slope * value + intercept)), 0);
  const derivatives = ([slope, intercept]: Float64Array) => {
    let [a, b, aa, ab, bb] = [0, 0, 0, 0, 0]; // gradient (a, b) and Hessian (aa, ab, bb)
    x.forEach((value, n) => {
      const fitted = sigmoid(slope * value + intercept);
      const excess = fitted - p[n];
      const weight = fitted * (1 - fitted);
      a += excess * value;
      b += excess;
      aa += weight * value * value;
      ab += weight * value;
      bb += weight;
    });
    const determinant = aa * bb - ab * ab;
    return {
      gradient: Float64Array.of(a, b),
      direction: Float64Array.of((bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant),
    };
  };
  return minimise({ loss, derivatives }, Float64Array.of(1, 0), { maxSteps: 30, lastStep: 1e-12, takeLastStep: true }).parameters[0];
}

/** (N) the mean of `p` among the sequences whose `x` are neighbours. */
function averageNeighbours(x: readonly number[], p: ArrayLike<number>): number[] {
  const order = x.map((_, n) => n).sort((a, b) => x[a] - x[b]);
  const averaged: number[] = new Array(x.length);
  for (let from = 0; from < order.length; from += NEIGHBOURS) {
    const group = order.slice(from, from + NEIGHBOURS);
    const average = mean(group.map((n) => p[n]));
    for (const n of group) averaged[n] = average;
  }
  return averaged;
}
