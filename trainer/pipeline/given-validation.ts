// A validation part that the data bring along: held out of all learning, it makes the choices that training makes on sequences held out
// of its own. Legend: N sequences to learn from or test on, V of the validation part.
import { DataError } from "../../shared/errors.ts";
import type { Padding } from "../../shared/sequence.ts";
import { appendSequences, dropPaddingOnly, type Labelled, selectSequences } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { drawByContent } from "../split/content-order.ts";
import type { FoldPlan } from "../split/folds.ts";
import { findOverlap, type Overlap } from "../split/overlap.ts";
import { countOnes } from "../statistics/labels.ts";
import type { Random } from "../statistics/random.ts";
import type { TrainNote } from "./note.ts";

/** Of each label: with fewer, what is chosen would be chance. */
const MIN_OF_CLASS = 10;

/** The validation part with its padding dropped; null where the data bring none. Throws DataError where it could choose nothing. */
export function readValidation(data: LabelledDataset, padding: Padding, onNote: (note: TrainNote) => void): Labelled | null {
  const { validation, shape } = data;
  if (validation === undefined) return null;
  const source = `${data.source} (validation part)`;
  const usable = dropPaddingOnly({ ...validation, source, shape }, padding, onNote);
  const positives = countOnes(usable.labels);
  const negatives = usable.labels.length - positives;
  if (Math.min(positives, negatives) < MIN_OF_CLASS)
    throw new DataError(
      source,
      `holds ${negatives} of label 0 and ${positives} of label 1, expected at least ${MIN_OF_CLASS} of each: leave the part out, and training holds out sequences of its own`,
    );
  onNote({ code: "validation-given", sequences: usable.labels.length });
  return usable;
}

/** `usable` (N) and the validation part behind it, at its `positions`. */
export function appendValidation(
  usable: Labelled,
  validation: Labelled,
  { shape }: LabelledDataset,
  padding: Padding,
): { readonly usable: Labelled; readonly positions: Int32Array; readonly overlap: Overlap } {
  const all = appendSequences(usable, validation);
  const positions = Int32Array.from(validation.labels, (_, v) => usable.labels.length + v);
  return { usable: all, positions, overlap: findOverlap(all.values, shape, padding) };
}

/**
 * The sequences of `usable` (N) and its `plan` with the validation part behind them, held out once for all. Where the order of the file
 * decides nothing, the part stands in an order drawn by content: each half tests the LSTM's gate.
 */
export function planValidation(
  usable: Labelled,
  plan: FoldPlan,
  given: Labelled,
  { data, padding, random }: { readonly data: LabelledDataset; readonly padding: Padding; readonly random: Random },
): { readonly usable: Labelled; readonly plan: FoldPlan; readonly validation: Int32Array } {
  const { shape } = data;
  const order =
    plan.by === "random"
      ? drawByContent(given.values, given.labels, shape.timesteps * shape.features, random)
      : Int32Array.from(given.labels.keys());
  const { usable: all, positions, overlap } = appendValidation(usable, selectSequences(given, order, shape), data, padding);
  const next = plan.cluster.reduce((max, cluster) => Math.max(max, cluster), -1) + 1;
  const width = Math.max(1, 2 * plan.gap);
  const clusters = Array.from(order, (_, v) => next + Math.floor(v / width));
  return {
    usable: all,
    plan: {
      ...plan,
      train: Int32Array.from([...plan.train, ...positions]),
      cluster: Int32Array.from([...plan.cluster, ...clusters]),
      overlap,
    },
    validation: positions,
  };
}
