// One run of training without a validation part: so many sequences, a learning rate that rises and falls to zero with the last.
import type { Random } from "../statistics/random.ts";
import type { Stepper } from "../training/stepper.ts";

export interface ShortRun {
  /** Seen in all, each epoch in an order of its own. */
  readonly sequences: number;
  readonly batch: number;
  /** The highest, after a tenth of all steps. */
  readonly learningRate: number;
}

/** Trains on the sequences at `train`, from the parameters and moments that `stepper` has. Throws FitError as `stepper.step` does. */
export function trainShortRun(
  stepper: Stepper,
  train: Int32Array,
  { sequences, batch: maxBatch, learningRate }: ShortRun,
  random: Random,
): void {
  const order = train.slice();
  random.shuffle(order);
  const steps = Math.ceil(sequences / maxBatch);
  const batch = Math.min(maxBatch, order.length);
  for (let step = 0, at = 0; step < steps; step++, at += batch) {
    if (at + batch > order.length) {
      random.shuffle(order);
      at = 0;
    }
    stepper.step(order.subarray(at, at + batch), learningRate * Math.min(1, (10 * (step + 1)) / steps) * (1 - step / steps));
  }
}
