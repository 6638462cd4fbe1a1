// What all-zero rows mean, where the data leave it open. Legend: N sequences, T steps, F features.
import type { Padding } from "../../shared/sequence.ts";
import { countZeroRows } from "../data/sequences.ts";
import { createCandidateEvaluator, type EvaluationInput } from "./candidate-evaluation.ts";
import { plainChannels } from "./candidates.ts";
import { studyFeatures } from "./facts.ts";

export interface PaddingChoice {
  readonly padding: Padding;
  /** Whether the training part has an all-zero row at all. */
  readonly hasZeroRows: boolean;
  /** Of the rows from a sequence's first other row on, the share that is all zero. */
  readonly zeroShare: number;
  /** Held-out log loss by reading; empty where zero rows stand in front only, but for a few, and nothing had to be compared. */
  readonly losses: readonly { readonly padding: Padding; readonly loss: number }[];
}

/** Fewer zero rows than this inside sequences are accidents, not a meaning. */
const FEW_ZERO_ROWS = 1e-3;

/**
 * `leading` where all-zero rows stand only in front, or nowhere; else every reading is evaluated with levels and deltas, and the one
 * that validates best is taken.
 */
export async function choosePadding(input: Omit<EvaluationInput, "padding">): Promise<PaddingChoice> {
  const { values, shape, train, inputs } = input;
  const { zeros, total } = countZeroRows(values, shape, train);
  const hasZeroRows = zeros > 0 || total < train.length * shape.timesteps;
  const zeroShare = total === 0 ? 0 : zeros / total;
  if (zeroShare < FEW_ZERO_ROWS) return { padding: "leading", hasZeroRows, zeroShare, losses: [] };
  const losses: { padding: Padding; loss: number }[] = [];
  for (const padding of ["leading", "any", "none"] as const) {
    const channels = plainChannels(studyFeatures(values, shape, train, padding, inputs), shape.timesteps);
    if (channels.length === 0) continue;
    const evaluation = await createCandidateEvaluator({ ...input, padding }, channels).by("LSTM", [...channels.keys()]);
    losses.push({ padding, loss: evaluation.loss });
  }
  return { padding: losses.reduce((a, b) => (b.loss < a.loss ? b : a)).padding, hasZeroRows, zeroShare, losses };
}
