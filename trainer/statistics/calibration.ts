// Makes probabilities honest: a slope and an intercept on the logit, fitted on sequences that nothing else was fitted on.
// Changes no ranking: the slope is above 0. Platt 1999; slope alone is temperature scaling (Guo et al. 2017).
import type { Calibration } from "../../shared/networks/lstm.ts";
import { meanWithError } from "./descriptive.ts";
import { classOf } from "./labels.ts";
import { logLossOfLogit } from "./log-loss.ts";
import { minimise } from "./newton.ts";

const IDENTITY: Calibration = { slope: 1, intercept: 0 };
/** Below this many examples a fit is mostly noise, and none is tried. */
const MIN_FOR_SLOPE = 200;
/** Below this many the slope alone is fitted. */
const MIN_FOR_INTERCEPT = 1000;
const FOLDS = 5;
/** Ten steps are usual. On separable labels there is no end. */
const NEWTON = { maxSteps: 30, lastStep: 1e-13, takeLastStep: false };

/**
 * The calibration of `logits` (N) that minimises the log loss on `labels` (N, 0 to 1): identity below 200 examples, slope below
 * 1,000, else slope and intercept. Kept only if it beats the identity by more than one standard error of the paired losses, each
 * from a fit on the other four fifths; identity too if the best slope is not above 0 or has no bound (separable labels).
 */
export function fitCalibration(logits: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const N = labels.length;
  if (N < MIN_FOR_SLOPE) return IDENTITY;
  const hasIntercept = N >= MIN_FOR_INTERCEPT;
  const fitted = fitOutside(logits, labels, null, -1, hasIntercept);
  if (fitted === null) return IDENTITY;

  const folds = assignFolds(labels);
  const gains = new Float64Array(N);
  for (let fold = 0; fold < FOLDS; fold++) {
    const calibration = fitOutside(logits, labels, folds, fold, hasIntercept) ?? IDENTITY;
    for (let n = 0; n < N; n++)
      if (folds[n] === fold) gains[n] = logLossOfLogit(labels[n], logits[n]) - logLossOfLogit(labels[n], calibrate(calibration, logits[n]));
  }
  const { mean, standardError } = meanWithError(gains);
  return mean > standardError ? fitted : IDENTITY;
}

/** Consecutive fifths of each label, so that every fold has both labels and neighbours in time share a fold. */
function assignFolds(labels: ArrayLike<number>): Uint8Array {
  const totals = [0, 0];
  for (let n = 0; n < labels.length; n++) totals[classOf(labels[n])]++;
  const seen = [0, 0];
  return Uint8Array.from(labels, (label) => Math.floor((FOLDS * seen[classOf(label)]++) / totals[classOf(label)]));
}

/** The calibration fitted on the examples outside `fold`. Null when there is no optimum with a slope above 0. */
function fitOutside(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  folds: Uint8Array | null,
  fold: number,
  hasIntercept: boolean,
): Calibration | null {
  const used = Int32Array.from(labels, (_, n) => n).filter((n) => folds?.[n] !== fold);
  const calibrationOf = ([slope, intercept]: Float64Array): Calibration => ({ slope, intercept });
  const { parameters, isFound } = minimise(
    {
      loss: (at) => used.reduce((sum, n) => sum + logLossOfLogit(labels[n], calibrate(calibrationOf(at), logits[n])), 0) / used.length,
      derivatives: (at) => newtonStep(calibrationOf(at), logits, labels, used, hasIntercept),
    },
    Float64Array.of(IDENTITY.slope, IDENTITY.intercept),
    NEWTON,
  );
  // Not found: labels that are separable, logits that do not vary, or probabilities of 0 and 1 only.
  return isFound && parameters[0] > 0 ? calibrationOf(parameters) : null;
}

/** Gradient of the mean loss in slope and intercept, and its Newton step; without an intercept that of the step is 0. */
function newtonStep(
  current: Calibration,
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  used: Int32Array,
  hasIntercept: boolean,
): { gradient: Float64Array; direction: Float64Array } {
  let [a, b, aa, ab, bb] = [0, 0, 0, 0, 0]; // gradient (a, b) and Hessian (aa, ab, bb)
  for (const n of used) {
    const z = calibrate(current, logits[n]);
    const tail = 1 / (1 + Math.exp(Math.abs(z))); // of the label that z speaks against, exact where 1 − p would be 0
    const excess = excessOf(labels[n], z, tail) / used.length;
    const weight = (tail * (1 - tail)) / used.length;
    a += excess * logits[n];
    b += excess;
    aa += weight * logits[n] * logits[n];
    ab += weight * logits[n];
    bb += weight;
  }
  const determinant = aa * bb - ab * ab;
  return {
    gradient: Float64Array.of(a, b),
    direction: hasIntercept
      ? Float64Array.of((bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant)
      : Float64Array.of(a / aa, 0),
  };
}

/** p − y of logit `z`, of whose two probabilities `tail` is the smaller; exact for a label that is 0 or 1. */
function excessOf(label: number, z: number, tail: number): number {
  if (label !== 0 && label !== 1) return (z > 0 ? 1 - tail : tail) - label;
  return (z > 0 === (label === 1) ? tail : 1 - tail) * (label === 1 ? -1 : 1);
}

function calibrate({ slope, intercept }: Calibration, logit: number): number {
  return slope * logit + intercept;
}
