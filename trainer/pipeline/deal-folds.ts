// How the sequences to learn from are dealt into folds, each of which is held out once.
import { FOLDS, type Fold, type FoldPlan } from "../split/folds.ts";

/** With more sequences to learn from, one held-out part stands in for five folds: it holds enough, and folds would take five times as long. */
export const MAX_FOLDED = 20_000;
/** The held-out part: this share, but no more than so many sequences. */
const HELD_OUT = { share: 0.15, sequences: 8000 };

/** Five folds of `train`; or one held-out part: the data's own `validation`, where it holds any, or a share of many sequences. */
export function dealFolds(plan: Pick<FoldPlan, "deal">, validation: Int32Array, train: Int32Array): readonly Fold[] {
  if (validation.length > 0) return [{ train: train.filter((n) => n < validation[0]), heldOut: validation }];
  if (train.length <= MAX_FOLDED) return plan.deal(train, new Array<number>(FOLDS).fill(1 / FOLDS));
  const share = Math.min(HELD_OUT.share, HELD_OUT.sequences / train.length);
  return plan.deal(train, [1 - share, share]).slice(1);
}
