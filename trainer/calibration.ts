// Makes a probability mean what it says: a line through the logits, fitted on sequences that chose nothing else.
import type { Calibration } from "../shared/lstm.ts";
import { fitLogistic } from "./logistic.ts";

const IDENTITY: Calibration = { slope: 1, intercept: 0 };
const MIN_FOR_TEMPERATURE = 200;
const MIN_FOR_INTERCEPT = 1000;
const FOLDS = 5;

/**
 * Identity below 200 examples, temperature (slope alone, Guo et al. 2017) below 1,000, else slope and intercept (Platt 1999);
 * kept only if it betters the cross-validated log loss by more than one standard error of the paired difference.
 */
export function fitCalibration(logits: Float32Array, labels: Uint8Array): Calibration {
  const n = labels.length;
  if (n < MIN_FOR_TEMPERATURE) return IDENTITY;
  const fitOn = n < MIN_FOR_INTERCEPT ? fitTemperature : fitPlatt;
  const gains = new Float64Array(n);
  for (let fold = 0; fold < FOLDS; fold++) {
    const rest = Array.from(labels.keys()).filter((i) => i % FOLDS !== fold);
    const line = fitOn(
      rest.map((i) => logits[i]),
      rest.map((i) => labels[i]),
    );
    for (let i = fold; i < n; i += FOLDS)
      gains[i] = logLoss(logits[i], labels[i]) - logLoss(line.slope * logits[i] + line.intercept, labels[i]);
  }
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / n;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) * (gain - mean), 0) / (n - 1);
  if (!(mean > Math.sqrt(variance / n))) return IDENTITY;
  const line = fitOn(Array.from(logits), Array.from(labels));
  return line.slope > 0 && Number.isFinite(line.slope) && Number.isFinite(line.intercept) ? line : IDENTITY;
}

/** A penalty too small to matter, so that separable scores have an answer. */
const L2 = 1e-6;

function fitPlatt(logits: number[], labels: number[]): Calibration {
  const { weights, intercept } = fitLogistic(logits, labels, { l2: L2 });
  return { slope: weights[0], intercept };
}

/** Newton's method in the one slope; the loss is convex in it. */
function fitTemperature(logits: number[], labels: number[]): Calibration {
  let slope = 1;
  for (let iteration = 0; iteration < 100; iteration++) {
    let gradient = L2 * slope;
    let curvature = L2;
    logits.forEach((z, i) => {
      const p = 1 / (1 + Math.exp(-slope * z));
      gradient += (p - labels[i]) * z;
      curvature += p * (1 - p) * z * z;
    });
    const step = Math.max(-slope, Math.min(slope / 2, gradient / curvature)); // at most to half or to twice: keeps it above 0
    slope -= step;
    if (Math.abs(step) < 1e-12 * slope) break;
  }
  return { slope, intercept: 0 };
}

function logLoss(z: number, label: number): number {
  return Math.max(z, 0) - label * z + Math.log1p(Math.exp(-Math.abs(z)));
}
