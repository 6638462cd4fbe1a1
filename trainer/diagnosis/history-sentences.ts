// What the user's own training curve shows, in sentences. Computes nothing.
import type { HistoryVerdict } from "./history.ts";

/** One fact each, the most important first. */
export function describeHistory(verdict: HistoryVerdict): string[] {
  const { best, accuracy, majorityAccuracy, majorityLabel, testExamples } = verdict;
  const sentences = [describeCode(verdict)];
  if (verdict.accuracyIsMajority && accuracy !== null)
    sentences.push(
      `Your ${accuracy.isValidation ? "validation accuracy" : "accuracy"}, ${decimals(accuracy.value)}, is that of always answering ${majorityLabel} (${decimals(majorityAccuracy)}).`,
    );
  if (verdict.validationIsTest)
    sentences.push(
      `Your validation metrics were counted on exactly as many sequences as the test part holds (${testExamples}). If you passed X_test as validation_data, the test part has stopped or chosen the network and cannot judge the network as well: keep one part that chose nothing.`,
    );
  if (verdict.overfit)
    sentences.push(
      `Your validation loss rises from epoch ${best.epoch} on while the training loss falls: stop there and keep the weights of that epoch.`,
    );
  if (verdict.stillFalling) sentences.push(`Your ${curveName(verdict)} is still falling at the last epoch: train longer.`);
  return sentences;
}

function describeCode(verdict: HistoryVerdict): string {
  const { code, best, epochs, floors, floorLoss, divergedAt } = verdict;
  const [unweighted, balanced] = floors;
  const name = curveName(verdict);
  const all = floors.map(({ loss, weights }) => `${decimals(loss)} ${weights}`).join(", ");
  const lowest = `${decimals(best.loss)} (epoch ${best.epoch} of ${epochs})`;
  switch (code) {
    case "flat":
      return `Your ${name} never left the base rate: its best is ${lowest}, and guessing alone gives ${decimals(floorLoss)} (${all}).`;
    case "left":
      return `Your ${name} left the base rate: its best is ${lowest}, and guessing gives ${decimals(floorLoss)} (${all}).`;
    case "above":
      return `Your ${name} never came down to what guessing gives: its best is ${lowest}, and guessing gives ${all}.`;
    case "unclear":
      return `Your ${name}, ${decimals(best.loss)} at best, is above what guessing gives ${unweighted.weights} and below what guessing gives ${balanced.weights} (${all}): compare it with the one you trained with.`;
    case "diverged":
      return `Your loss is no longer a number from epoch ${divergedAt} of ${epochs} on: the learning rate is too high, or the inputs are too large.`;
  }
}

function curveName({ hasValidation }: HistoryVerdict): string {
  return hasValidation ? "validation loss" : "loss";
}

function decimals(x: number): string {
  return x.toFixed(3);
}
