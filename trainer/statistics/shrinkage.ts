// How much of what was learnt a model keeps where its gain over the base rate may be chance. Knows gains and logits, no learner.
import type { Calibration } from "../../shared/networks/lstm.ts";
import type { MeanWithError } from "./descriptive.ts";

/** Kept in any case, so that the ranking stays. */
const MIN_SHARE = 0.05;
/** At twice the standard error three quarters are kept; at 1.4 times nearly nothing. */
const PULL = 4;

/**
 * The share of a model's logit, from the base rate's on, that a gain over the base rate warrants, 0.05 to 1: 1 − 4 / t⁴ with t the gain
 * in standard errors. A shrinkage of 1 − p / χ² (van Houwelingen & le Cessie 1990; χ² is about 4 t² where effects are small) made
 * steeper: it leaves alone what is beyond doubt (0.95 at t = 3, 0.99 at 5), so that slopes stay what calibration made them.
 */
export function chooseShare({ mean, standardError }: MeanWithError): number {
  if (!(mean > 0)) return MIN_SHARE;
  const t = mean / standardError;
  return standardError === 0 ? 1 : Math.max(MIN_SHARE, 1 - PULL / t ** 4);
}

/** The calibration after which `share` of the way from the logit `baseRate` to the calibrated one is left. */
export function shrinkCalibration({ slope, intercept }: Calibration, share: number, baseRate: number): Calibration {
  return { slope: share * slope, intercept: share * intercept + (1 - share) * baseRate };
}
