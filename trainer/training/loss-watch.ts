// What a training loss says while it falls, or does not: each sentence once. Knows no data and stops nothing.
import type { Progress } from "./loop.ts";

/** The initial loss may differ from the base rate's by the random weights' answers, from chance and a small validation part. */
const INITIAL = 0.15;
/** Nats: still at the base rate. */
const FLAT = 0.005;
/** Flat starts of a dozen epochs that end well are known (stackoverflow.com/questions/43442560), so nothing is said before. */
const FLAT_EPOCHS = 12;
/** Multiples of the base rate's loss at which training has come apart. */
const APART = 2;
/** Epochs in a row in which the validation loss rises while the training loss falls. */
const RISING = 3;

/** Hears every progress; `baseRateLoss` is the validation part's, of answering the training part's rate. */
export function createLossWatch(baseRateLoss: number, note: (text: string) => void): (progress: Progress) => void {
  const said = new Set<string>();
  const once = (key: string, text: string): void => {
    if (!said.has(key)) note(`loss: ${text}`);
    said.add(key);
  };
  let rising = 0;
  let last: { train: number; validation: number } | undefined;
  return ({ epoch, epochs, trainLoss, validationLoss, isEpochEnd }) => {
    if (epoch === 1 && !isEpochEnd) {
      const figures = `it starts at ${validationLoss.toFixed(4)}; the base rate's is ${baseRateLoss.toFixed(4)}, that of answering one half ${Math.LN2.toFixed(4)}`;
      if (Math.abs(validationLoss - baseRateLoss) <= INITIAL * baseRateLoss) once("initial", `${figures}: as it should`);
      else once("initial", `${figures}: the inputs are too large for the initial weights`);
    }
    if (!isEpochEnd) return;
    if (validationLoss > APART * baseRateLoss)
      once(
        "apart",
        `${validationLoss.toFixed(4)} after epoch ${epoch} is more than twice the base rate's: the learning rate is too high, or the inputs are too large`,
      );
    if (epoch >= Math.min(FLAT_EPOCHS, epochs) && Math.abs(validationLoss - baseRateLoss) < FLAT)
      once("flat", `still at the base rate after epoch ${epoch}; it may be a slow start, but diagnose tells why in a minute`);
    rising = last !== undefined && trainLoss < last.train && validationLoss > last.validation ? rising + 1 : 0;
    if (rising >= RISING)
      once(
        "rising",
        `it has risen on validation for ${rising} epochs while it falls in training: overfitting; the best epoch's weights are kept`,
      );
    last = { train: trainLoss, validation: validationLoss };
  };
}
