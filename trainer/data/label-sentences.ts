// What the label checks find, as sentences: the evidence with its numbers, and the fix. Computes nothing.
import { percent } from "../html/format.ts";
import type { LabelFinding } from "./label-checks.ts";

/** Whole sentences. */
export interface FindingText {
  readonly evidence: string;
  readonly fix: string;
}

/** `names` are those of the features. */
export function describeLabelFinding(finding: LabelFinding, names: readonly string[]): FindingText {
  switch (finding.code) {
    case "contradictory-copies": {
      const { count, examples, floor } = finding;
      return {
        evidence: `${count} of ${examples} sequences (${percent(count / examples)}) have an exact copy with a label that contradicts theirs. No model gets below ${floor.toFixed(4)} nats on this file.`,
        fix: "Find out which of the labels is right, or keep one of each copy with the mean of its labels.",
      };
    }
    case "leaking-cell": {
      const { feature, step, auc, count } = finding;
      return {
        evidence: `${names[feature]} at ${countedStep(step)} alone ranks the labels with AUC ${auc.toFixed(3)} (${count} sequences).`,
        fix: `Check whether ${names[feature]} is known when the score is needed. Leave ${names[feature]} out if it holds the answer.`,
      };
    }
    case "leaking-length":
      return {
        evidence: `The length of a sequence alone ranks the labels with AUC ${finding.auc.toFixed(3)}.`,
        fix: "Check that the length is known when the score is needed, and is not a trace of how the data were cut.",
      };
    case "copies":
      return {
        evidence: `${finding.count} of ${finding.examples} sequences are exact copies of others. A random split puts a sequence and its copy on both sides, and the validation loss is too low.`,
        fix: "Drop the copies before splitting: np.unique(X, axis=0).",
      };
    case "shared-rows":
      return {
        evidence: `${finding.count} of ${finding.examples} sequences share rows with others, as windows of one series do. A random split trains on rows of the validation part.`,
        fix: "Keep the windows of one series in one part, or split by time with a gap of a sequence's length, as quickstep train does.",
      };
    case "drift": {
      const { min, max, head, tail, tailShare, cost } = finding;
      return {
        evidence: `The positive rate runs from ${percent(min)} to ${percent(max)} over tenths of the file. Keras' validation_split=${tailShare} holds out the tail (${percent(tail)} positive; ${percent(head)} before the tail), which alone costs ${cost.toFixed(4)} nats of validation loss.`,
        fix: "Shuffle before splitting if the order means nothing. If the order means time, hold out the latest sequences and expect the positive rate to change further.",
      };
    }
  }
}

/** `step 3 (counted from 0)`: as indices in error messages and in numpy are. */
export function countedStep(step: number): string {
  return `step ${step} (counted from 0)`;
}
