// How far a stack may leave the base rate: by its out-of-fold gain over it, and how sure that is. Knows no member.
// Legend: H held-out sequences.
import type { Fold } from "../split/folds.ts";
import { mean } from "../statistics/descriptive.ts";
import type { Labels } from "../statistics/labels.ts";
import { logitOf, logLossOfLogit } from "../statistics/log-loss.ts";
import { stretchedGain } from "../statistics/paired.ts";
import { chooseShare } from "../statistics/shrinkage.ts";

/** What a model keeps of what it learnt. */
export interface Kept {
  /** Of the way from the base rate's logit to the learnt one, above 0. */
  readonly share: number;
  /** Logit of the share of 1s. */
  readonly baseRate: number;
  /** Mean out-of-fold gain over the base rate, in nats, and its standard error. */
  readonly gain: number;
  readonly standardError: number;
}

/**
 * Of out-of-fold `logits` (H) of `labels` (H) in clusters (H). `folds`: contiguous stretches of time, where folds are that; what changes
 * from stretch to stretch is doubt, too, and the larger of both errors counts. Empty elsewhere.
 */
export function measureKept(logits: Float64Array, labels: Labels, cluster: Int32Array, folds: readonly Pick<Fold, "heldOut">[]): Kept {
  const baseRate = logitOf(mean(labels));
  const before = Float64Array.from(labels, (label) => logLossOfLogit(label, baseRate));
  const after = logits.map((z, i) => logLossOfLogit(labels[i], z));
  const sizes = folds.map(({ heldOut }) => heldOut.length);
  const { mean: gain, standardError } = stretchedGain(before, after, cluster, sizes);
  return { share: chooseShare({ mean: gain, standardError }), baseRate, gain, standardError };
}
