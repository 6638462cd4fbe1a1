// First step of a training run: the sequences that can be used, and the split.
import { DataError } from "../../shared/errors.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { dropPaddingOnly, type Labelled, requireBothClasses } from "../data/sequences.ts";
import { featuresWithGaps, studyFeatures } from "../features/facts.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { type Split, splitDataset } from "../split/split.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { TrainOptions } from "./contract.ts";
import { appendValidation, readValidation } from "./given-validation.ts";
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
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  /** Sequences closer than this share rows, where the split is by time; else 0. */
  readonly gap: number;
}

/** Throws DataError, FitError, UsageError when the data or the split leave nothing to train on. */
export function prepare(data: LabelledDataset, options: TrainOptions, onNote: (note: TrainNote) => void): Prepared {
  const padding = options.padding ?? (options.recipe === "raw" ? "none" : "leading");
  const own = dropPaddingOnly(data, padding, onNote);
  requireMovement(data, own, padding);
  const cut = splitUsable(data, own, padding, options);
  onNote({ code: "split", split: cut });
  const given = readValidation(data, padding, onNote);
  const whole = given && appendValidation(own, given, data, padding);
  const usable = whole?.usable ?? own;
  const split = whole ? { ...cut, validation: whole.positions, overlap: whole.overlap } : cut;
  requireBothClasses({ train: split.train, validation: split.validation }, usable.labels, data.source);
  const gaps = findGaps(data, usable, padding, split.train, options, onNote);
  return { data, usable, padding, split, ...(gaps && { gaps }), gap: gapOf(split, data.shape.timesteps, options.horizon) };
}

/** The features that lack numbers in training; undefined where none lacks any, in the test part either, unless --missing says that they may. */
export function findGaps(
  { shape, test, timeline }: LabelledDataset,
  { values }: Labelled,
  padding: Padding,
  train: Int32Array,
  { missing }: TrainOptions,
  onNote: (note: TrainNote) => void,
): readonly number[] | undefined {
  if (missing !== "carry" && !values.includes(Number.NaN) && !test?.values.includes(Number.NaN)) return undefined;
  const facts = studyFeatures(values, shape, train, padding);
  const features = featuresWithGaps(facts);
  const described = features.map((feature) =>
    facts.statics.includes(feature)
      ? { feature, missing: countWithGap(values, shape, train, feature), of: train.length, isStatic: true as const }
      : { feature, missing: facts.missing[feature], of: facts.rows },
  );
  onNote({ code: "gaps", ...(timeline && { isOfWindows: true }), features: described });
  return features;
}

/** The sequences of `train` whose last row lacks `feature`: what is given once a sequence stands in all its rows, and the last is never padding. */
function countWithGap(values: Float64Array, { timesteps: T, features: F }: Shape, train: Int32Array, feature: number): number {
  return train.reduce((count, n) => count + (Number.isNaN(values[(n + 1) * T * F - F + feature]) ? 1 : 0), 0);
}

/** Sequences closer than this share rows, or the row of a label; 0 where the split is not by time. */
export function gapOf({ by }: Pick<Split, "by">, timesteps: number, horizon: number): number {
  return by === "time" ? timesteps - 1 + horizon : 0;
}

/** Sequences among which a feature moves, as good as always where one moves at all. */
const FEW = 1000;

/** What is wrong where no feature moves. */
export const STILL = "every feature is constant: there is nothing to learn from";

/** Throws DataError where every feature is constant. */
export function requireMovement({ source, shape }: LabelledDataset, { values, labels }: Labelled, padding: Padding): void {
  const isStill = (sequences: Int32Array): boolean => {
    const facts = studyFeatures(values, shape, sequences, padding);
    return facts.constant.length === shape.features && featuresWithGaps(facts).length === 0;
  };
  const all = Int32Array.from(labels.keys());
  if (isStill(all.subarray(0, FEW)) && isStill(all)) throw new DataError(source, STILL);
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
    hasValidation: data.validation !== undefined,
    random,
  });
}
