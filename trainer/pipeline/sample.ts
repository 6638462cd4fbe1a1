// Of very many sequences to learn from, those that every learner learns from. Knows positions alone.
import type { Fold } from "../split/folds.ts";

/** Sequences to learn from, at most: what trees and columns take of memory and time is per sequence, and networks alone gain by more. */
const MAX_SAMPLE = 100_000;

export interface Sampled {
  /** As they were dealt, or the one that holds out, with a sample to learn from. */
  readonly folds: readonly Fold[];
  /** Positions of all that is in a fold or beside one, ascending, without the rest. */
  readonly sample: Int32Array;
  /** Positions to learn from that are not in the sample, ascending. */
  readonly rest: Int32Array;
}

/** Of `train`, dealt into one held-out part and others to learn from, at most `max` of the others, evenly spread. Several folds stay as they are. */
export function takeSample(folds: readonly Fold[], train: Int32Array, max = MAX_SAMPLE): Sampled {
  const [{ train: open, heldOut }] = folds;
  if (folds.length > 1 || open.length <= max) return { folds, sample: train, rest: new Int32Array(0) };
  const share = max / open.length;
  const isSampled = (i: number): boolean => Math.floor((i + 1) * share) > Math.floor(i * share);
  const rest = open.filter((_, i) => !isSampled(i));
  let next = 0; // of the rest, which stands in `train` in the same order
  const sample = train.filter((n) => {
    if (n !== rest[next]) return true;
    next++;
    return false;
  });
  return { folds: [{ train: open.filter((_, i) => isSampled(i)), heldOut }], sample, rest };
}
