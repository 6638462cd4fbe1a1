// First step of a stack's training run: the sequences that can be used, in an order of their own, who is tested, and how the others are dealt.
import { DataError } from "../../shared/errors.ts";
import type { Padding } from "../../shared/sequence.ts";
import { dropPaddingOnly, type Labelled, reorderSequences, selectSequences } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { type FoldPlan, planFolds } from "../split/folds.ts";
import { countOnes, type Labels } from "../statistics/labels.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { TrainOptions } from "./contract.ts";
import { planValidation, readValidation } from "./given-validation.ts";
import type { TrainNote } from "./note.ts";
import { findGaps, requireMovement } from "./prepare.ts";
import { type Aside, prepareStored } from "./prepare-stored.ts";

export interface FoldedData {
  /** What was read; its own sequences are in no order any more. */
  readonly data: Omit<LabelledDataset, "values">;
  /** The sequences with a valid row, in the plan's order; a test part from elsewhere is not among them. */
  readonly usable: Labelled;
  /** How all-zero rows were read so far. */
  readonly padding: Padding;
  readonly plan: FoldPlan;
  /** Positions of the validation part that the data bring, the last of `plan.train`: the one part that is held out. Empty where there is none. */
  readonly validation: Int32Array;
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  /** Sequences without a valid row. */
  readonly leftOut: number;
  /** What was not read of very many sequences. */
  readonly aside?: Aside;
}

/** Fewer teach nothing that holds elsewhere, whatever learns. */
export const MIN_SEQUENCES = 40;
/** Of each label: two a fold. */
export const MIN_OF_CLASS = 10;
/** With fewer, a test part would be too small to judge by: nested cross-validation tests on every sequence. */
export const MIN_FOR_TEST = 2000;

/** Throws DataError, FitError, UsageError where the data are too few, or the split leaves nothing to train on. */
export function prepareFolds(data: LabelledDataset, options: TrainOptions, onNote: (note: TrainNote) => void): FoldedData {
  const { seed, split: method, horizon } = options;
  const padding = options.padding ?? "leading";
  const { stored } = data;
  if (stored !== undefined) return prepareFromFile({ ...data, stored }, padding, options, onNote);
  const usable = dropPaddingOnly(data, padding, onNote);
  requireEnough(data.source, usable.labels);
  requireMovement(data, usable, padding);
  const plan = planFolds({
    ...usable,
    orderedBy: data.orderedBy,
    shape: data.shape,
    padding,
    method,
    horizon,
    testShare: chooseTestShare(usable.labels.length, data.test !== null),
    createRandom: () => createRandom(seed, STREAMS.split),
  });
  onNote({ code: "split", split: plan });
  const reorder = data.isOwned || usable !== data ? reorderSequences : selectSequences;
  const ordered = reorder(usable, plan.order, data.shape);
  const given = readValidation(data, padding, onNote);
  const folded =
    given === null
      ? { usable: ordered, plan, validation: new Int32Array(0) }
      : planValidation(ordered, plan, given, { data, padding, random: createRandom(seed, STREAMS.split) });
  const gaps = findGaps(data, folded.usable, padding, folded.plan.train, options, onNote);
  const { values: _, ...about } = data;
  const leftOut = data.labels.length + (data.validation?.labels.length ?? 0) - folded.usable.labels.length;
  return { data: about, padding, ...folded, ...(gaps && { gaps }), leftOut };
}

/** As prepareFolds, where sequences are in a file. */
function prepareFromFile(
  data: Parameters<typeof prepareStored>[0],
  padding: Padding,
  options: TrainOptions,
  onNote: (note: TrainNote) => void,
): FoldedData {
  const {
    usable,
    plan,
    aside,
    leftOut,
    gaps: all,
  } = prepareStored(data, padding, options, {
    onNote,
    chooseTestShare(labels) {
      requireEnough(data.source, labels);
      return chooseTestShare(labels.length, data.test !== null);
    },
  });
  // a gap of any sequence counts, read or not
  const found = findGaps(data, usable, padding, plan.train, all.length > 0 ? { ...options, missing: "carry" } : options, onNote);
  const gaps = found && [...new Set([...found, ...all])].sort((a, b) => a - b);
  const { values: _, ...about } = data;
  return {
    data: about,
    padding,
    usable,
    plan,
    validation: new Int32Array(0),
    ...(gaps && { gaps }),
    leftOut,
    ...(aside && { aside }),
  };
}

/** Positions of the sequences of `plan.train` that members may learn from: all but a validation part that the data bring. */
export function toLearnFrom({ plan, validation }: FoldedData): Int32Array {
  return plan.train.subarray(0, plan.train.length - validation.length);
}

function requireEnough(source: string, labels: Labels): void {
  const positives = countOnes(labels);
  const rarer = Math.min(positives, labels.length - positives);
  if (labels.length >= MIN_SEQUENCES && rarer >= MIN_OF_CLASS) return;
  throw new DataError(
    source,
    `${labels.length} sequences, ${labels.length - positives} of label 0 and ${positives} of label 1, are too few: training takes at least ${MIN_SEQUENCES} sequences with at least ${MIN_OF_CLASS} of each label`,
  );
}

/** 15 %: at 5,000 sequences the standard error of their log loss is about 0.015. From 20,000 on 10 % is enough, and learning needs the rest. */
function chooseTestShare(N: number, hasTest: boolean): number {
  if (hasTest || N < MIN_FOR_TEST) return 0;
  return N >= 20_000 ? 0.1 : 0.15;
}
