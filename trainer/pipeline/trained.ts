// What a training run comes to.
import type { Labelled } from "../data/sequences.ts";
import { meanEntropy } from "../statistics/log-loss.ts";
import { recoveredInformation } from "../statistics/metrics.ts";
import type { Fit } from "../training/loop.ts";
import type { Sealed } from "./assess.ts";
import type { Evidence } from "./evidence.ts";
import type { Verdict } from "./sentences.ts";
import type { Warning } from "./warning.ts";

export interface Trained extends Sealed {
  /** Of one network alone. */
  readonly fit?: Fit;
  readonly verdict: Verdict;
  /** Where the true probability is known: its log loss on the tested sequences, and the share of what is learnable that was learnt. */
  readonly truth?: { readonly bayesLogLoss: number; readonly recovered: number };
  /** What the recipe's channels are called. */
  readonly channels: readonly string[];
  /** What to keep in mind; the card holds the sentences. */
  readonly warnings: readonly Warning[];
  /** What a report shows beyond the model. */
  readonly evidence: Evidence;
}

/** The true probabilities of the sequences that were tested, where they are known, against what the model says of them. */
export function compareWithTruth({ probability }: Pick<Labelled, "probability">, probabilities: ArrayLike<number>): Trained["truth"] {
  if (probability === null) return undefined;
  return { bayesLogLoss: meanEntropy(probability), recovered: recoveredInformation(probability, probabilities) };
}
