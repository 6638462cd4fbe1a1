// What a training loss shows while it falls, or does not: each finding once. Knows no data and stops nothing.
import type { Progress } from "./loop.ts";

/** Validation losses in nats; `baseRateLoss` is that of answering the base rate. */
export type LossNote =
  /** Before the first step. `isExpected`: near the base rate's, as initial weights should be. */
  | { readonly code: "initial-loss"; readonly loss: number; readonly baseRateLoss: number; readonly isExpected: boolean }
  /** More than twice the base rate's. */
  | { readonly code: "loss-diverges"; readonly loss: number; readonly epoch: number }
  | { readonly code: "loss-flat"; readonly epoch: number }
  /** Validation rose for so many epochs, above its lowest beyond noise, while training fell. */
  | { readonly code: "overfitting"; readonly epochs: number };

/** The initial loss may differ from the base rate's by the random weights' answers, from chance and a small validation part. */
const INITIAL = 0.15;
/** Nats: still at the base rate. */
const FLAT = 0.005;
/** Flat starts of a dozen epochs that end well are known (stackoverflow.com/questions/43442560), so nothing is said before. */
const FLAT_EPOCHS = 12;
/** Multiples of the base rate's loss at which training has come apart. */
const DIVERGED = 2;
/** Epochs in a row in which the validation loss rises while the training loss falls. */
const RISING = 3;

/** Hears every progress and reports to `onNote`; `baseRateLoss` is the validation part's, of answering the training part's rate. */
export function createLossWatch(baseRateLoss: number, onNote: (note: LossNote) => void): (progress: Progress) => void {
  const reported = new Set<LossNote["code"]>();
  const once = (note: LossNote): void => {
    if (!reported.has(note.code)) onNote(note);
    reported.add(note.code);
  };
  let rising = 0;
  let last: { train: number; validation: number } | undefined;
  return ({ epoch, epochs, trainLoss, validationLoss: loss, isEpochEnd, isWorse }) => {
    if (epoch === 1 && !isEpochEnd)
      once({ code: "initial-loss", loss, baseRateLoss, isExpected: Math.abs(loss - baseRateLoss) <= INITIAL * baseRateLoss });
    if (!isEpochEnd) return;
    if (loss > DIVERGED * baseRateLoss) once({ code: "loss-diverges", loss, epoch });
    if (epoch >= Math.min(FLAT_EPOCHS, epochs) && Math.abs(loss - baseRateLoss) < FLAT) once({ code: "loss-flat", epoch });
    rising = last !== undefined && trainLoss < last.train && loss > last.validation ? rising + 1 : 0;
    if (rising >= RISING && isWorse) once({ code: "overfitting", epochs: rising });
    last = { train: trainLoss, validation: loss };
  };
}
