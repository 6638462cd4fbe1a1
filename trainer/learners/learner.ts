// The contract of every learner: fitted on some sequences of a view, it gives a path of members, one a step; a member gives logits.
// The pipeline alone knows folds, stacking, calibration and what is served. A new learner is one folder here.
// Legend: N sequences, T steps, C channels, V columns.
import { take } from "../data/sequences.ts";
import type { Labels } from "../statistics/labels.ts";
import type { FitRecord } from "../training/journal.ts";

/** What a network sees of sequences: the recipe's channels. */
export interface ChannelView {
  /** (N,T,C) left-aligned */
  readonly channels: Float32Array;
  /** (N) valid rows */
  readonly lengths: Int32Array;
  /** T */
  readonly timesteps: number;
  /** (C) What to call the channels. */
  readonly names: readonly string[];
}

/** What a learner sees of sequences: the recipe's channels, and the tabular view's columns. */
export interface View extends ChannelView {
  /** (N,V) NaN where there is nothing. */
  readonly columns: Float64Array;
  /** (V) What to call the columns. */
  readonly columnNames: readonly string[];
}

/** Which of a view's sequences are for what. */
export interface Rows {
  readonly train: Int32Array;
  /** For choices of the learner or of the pipeline, such as when to stop. */
  readonly validation: Int32Array;
  /** Sequences closer than this share rows and are not independent; 0 where the order means nothing. */
  readonly gap: number;
}

/**
 * A way to learn. Equal arguments give equal bits, whatever the number of threads. `Settings` are plain data: they end up in notes and
 * in the names of runs.
 */
export interface Learner<Member, Settings> {
  /** Settings worth trying on so many training sequences, at least one; the pipeline chooses by the pooled out-of-fold loss. */
  settings(examples: number): readonly Settings[];
  /**
   * Whether `settings` fit no noise: a path's later steps then err less by chance than its earlier ones, and such settings less than those before
   * them, so that the latest is taken that is not worse beyond noise. Left out: never; the lowest loss is taken.
   */
  fitsNoNoise?(settings: Settings): boolean;
  /** The same settings with fewer steps to as low a loss, tried where an artifact has no room for all steps; undefined, or left out, where there are none. */
  faster?(settings: Settings): Settings | undefined;
  /**
   * Learns from `rows.train` alone. `labels` (N) are those of all sequences of the view. Goes on from what equal arguments have left in
   * `record`, to the same bits.
   */
  fit(view: View, labels: Labels, rows: Rows, settings: Settings, seed: number, record?: FitRecord): Promise<Path<Member>>;
  /** (indices) uncalibrated logits of the view's sequences at `indices`, with the arithmetic that serves. */
  logits(member: Member, view: View, indices: Int32Array): Float64Array;
  /** One member whose logits are the mean of those of `members`. */
  average(members: readonly Member[]): Member;
}

/** What a fit passes through: rounds, epochs, or strengths of a penalty. */
export interface Path<Member> {
  /** (steps) log loss after each step, summed over `rows.validation`; a path that stopped early is shorter. */
  readonly losses: Float64Array;
  /** The member after step `step`, from 0; a step behind the last gives the last. */
  at(step: number): Member;
}

/** The channels of the sequences at `indices` alone, and their columns where the view has some: copies. */
export function selectView<V extends ChannelView & Partial<View>>(view: V, indices: Int32Array): V {
  const { channels, lengths, timesteps, names, columns } = view;
  return {
    ...view,
    channels: take(channels, indices, timesteps * names.length),
    lengths: indices.map((n) => lengths[n]),
    ...(columns && { columns: take(columns, indices, columns.length / lengths.length) }),
  };
}
