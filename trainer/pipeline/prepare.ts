// First step of a training run: the sequences that can be used, and the split.
import { DataError } from "../../shared/errors.ts";
import type { Padding } from "../../shared/sequence.ts";
import { dropPaddingOnly, type Labelled, requireBothClasses } from "../data/sequences.ts";
import { studyFeatures } from "../features/facts.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { type Split, splitDataset } from "../split/split.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { TrainOptions } from "./contract.ts";
import type { TrainNote } from "./note.ts";

export interface Prepared {
  /** As read. */
  readonly data: LabelledDataset;
  /** The sequences with a valid row; a test part from elsewhere is not among them. */
  readonly usable: Labelled;
  /** How all-zero rows were read so far. */
  readonly padding: Padding;
  /** Of `usable`. */
  readonly split: Split;
  /** Sequences closer than this share rows, where the split is by time; else 0. */
  readonly gap: number;
}

/** Throws DataError, FitError, UsageError when the data or the split leave nothing to train on. */
export function prepare(data: LabelledDataset, options: TrainOptions, onNote: (note: TrainNote) => void): Prepared {
  const padding = options.padding ?? (options.recipe === "raw" ? "none" : "leading");
  const usable = dropPaddingOnly(data, padding, onNote);
  requireMovement(data, usable, padding);
  const split = splitUsable(data, usable, padding, options);
  onNote({ code: "split", split });
  requireBothClasses({ train: split.train, validation: split.validation }, usable.labels, data.source);
  return { data, usable, padding, split, gap: gapOf(split, data.shape.timesteps, options.horizon) };
}

/** Sequences closer than this share rows, or the row of a label; 0 where the split is not by time. */
export function gapOf({ by }: Pick<Split, "by">, timesteps: number, horizon: number): number {
  return by === "time" ? timesteps - 1 + horizon : 0;
}

function requireMovement({ source, shape }: LabelledDataset, { values, labels }: Labelled, padding: Padding): void {
  const { constant } = studyFeatures(values, shape, Int32Array.from(labels.keys()), padding);
  if (constant.length === shape.features) throw new DataError(source, "every feature is constant: there is nothing to learn from");
}

function splitUsable(data: LabelledDataset, usable: Labelled, padding: Padding, { split, horizon, seed }: TrainOptions): Split {
  const { values, labels, groups, timeline } = usable;
  const random = createRandom(seed, STREAMS.split);
  return splitDataset({
    values,
    labels,
    groups,
    timeline,
    orderedBy: data.orderedBy,
    shape: data.shape,
    padding,
    method: split,
    horizon,
    hasTest: data.test !== null,
    random,
  });
}
