// The contract of every learner: fitted on the recipe's channels of some sequences, it gives a member; a member gives logits. The
// pipeline alone knows parts, calibration and what is served. A new learner is one folder here.
// Legend: N sequences, T steps, C channels.
import { take } from "../data/sequences.ts";

/** What a learner sees of sequences: the recipe's channels. */
export interface View {
  /** (N,T,C) left-aligned */
  readonly channels: Float32Array;
  /** (N) valid rows */
  readonly lengths: Int32Array;
  /** T */
  readonly timesteps: number;
  /** (C) What to call the channels. */
  readonly names: readonly string[];
}

/** Which of a view's sequences are for what. */
export interface Rows {
  readonly train: Int32Array;
  /** For a learner's own choices, such as when to stop. */
  readonly validation: Int32Array;
  /** Sequences closer than this share rows and are not independent; 0 where the order means nothing. */
  readonly gap: number;
}

export interface Learner<Member> {
  /** `labels` (N) are 0 or 1. Equal arguments give equal bits, whatever the number of threads. */
  fit(view: View, labels: Uint8Array, rows: Rows, seed: number): Promise<Member>;
  /** (N) uncalibrated logits, with the arithmetic that serves. */
  logits(member: Member, view: View): Float32Array;
}

/** The view of the sequences at `indices` alone, copies. */
export function selectView({ channels, lengths, timesteps, names }: View, indices: Int32Array): View {
  return { channels: take(channels, indices, timesteps * names.length), lengths: indices.map((n) => lengths[n]), timesteps, names };
}
