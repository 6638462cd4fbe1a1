// What was read, as facts: counted over the batches as they come, so that a stream and a whole data set are described alike.
// describe.ts makes the sentences. Legend: N sequences, T steps, F features.
import { type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import type { Batch } from "./batch.ts";
import { type LabelCodes, type LabelMeaning, PLAIN_MEANING } from "./labels.ts";
import { NO_LABEL } from "./no-label.ts";
import { addNote, type ReadNote } from "./notes.ts";
import { plainName } from "./quoting.ts";
import { mergeRemarks, type Remark } from "./reading.ts";

export interface LabelFacts {
  /** Name of the labels in the data, or the file that holds them. */
  readonly name: string;
  readonly isFile: boolean;
  /** Sequences with label 1; NaN where it is not plain yet which label is 1. */
  readonly positives: number;
  /** Sequences without a label. */
  readonly missing: number;
  /** Which label is 1; null where that is not plain yet, where there is none, and of soft labels. */
  readonly meaning: LabelMeaning | null;
  /** Labels are numbers from 0 to 1, and `positives` their sum. */
  readonly areSoft?: true;
}

export interface ReadFacts {
  /** `a.csv`, or `a.csv and 2 more` */
  readonly source: string;
  /** N; of rows of series, the windows cut from them */
  readonly sequences: number;
  /** T is the longest sequence's. */
  readonly shape: Shape;
  /** (F) from the data, or f0, f1, … */
  readonly features: readonly string[];
  /** As the files hold the values, `float32 and float64` where they differ; null where they are text. */
  readonly dtype: string | null;
  /** `none`: the data hold no labels; `ignored`: nobody looked. */
  readonly labels: LabelFacts | "none" | "ignored";
  /** Series that windows were cut from; null where the files hold sequences. */
  readonly series: number | null;
  /** Columns that `--id` named. */
  readonly ids?: readonly string[];
  /** How `--columns` said that the columns of a wide table are named. */
  readonly columns?: string;
  /** Sequences of a test part of its own; 0 where there is none. */
  readonly testSequences: number;
  /** Sequences of a validation part of its own; 0 where there is none, or nobody wants it. */
  readonly validationSequences: number;
  /** Sequences that hold nothing but zeros: padding, unless --padding says otherwise. */
  readonly zeroSequences: number;
  /** What the readers did that the owner of the data should know. */
  readonly remarks: readonly Remark[];
  /** What the readers found out or left out; of a test file of its own, beside it. */
  readonly notes: readonly ReadNote[];
  readonly testNotes: readonly ReadNote[];
}

/** Counts what batches hold. */
export interface ReadTally {
  add(batch: Batch): void;
  /** Hears what a reader finds out or leaves out. */
  note(note: ReadNote): void;
  /** Throws RangeError before the first batch. */
  facts(): ReadFacts;
}

/** A tally of the data named `source`; `labelsFile` is the file the labels come from, where that is one of its own. */
export function createReadTally(source: string, labelsFile?: string, ignoreLabels = false, labelCodes?: LabelCodes): ReadTally {
  const dtypes = new Set<string>();
  let first: Batch | null = null;
  let timesteps = 0;
  let sequences = 0;
  const labelCounts = new Float64Array(NO_LABEL + 1); // by code
  let series = 0;
  const counts = { testSequences: 0, validationSequences: 0, zeroSequences: 0 };
  let soft: { positives: number; missing: number } | undefined;
  let remarks: readonly Remark[] = [];
  let notes: readonly ReadNote[] = [];
  return {
    note(note) {
      notes = addNote(notes, note);
    },
    add(batch) {
      first ??= emptied(batch);
      const { values, labels, shape, dtype, timeline, test, validation } = batch;
      sequences += values.length / (shape.timesteps * shape.features);
      counts.zeroSequences += countZeroSequences(values, shape);
      timesteps = Math.max(timesteps, shape.timesteps);
      if (dtype !== null) dtypes.add(dtype);
      if (labels instanceof Float64Array) soft = addSoft(soft ?? { positives: 0, missing: 0 }, labels);
      else for (const label of labels ?? []) labelCounts[label]++;
      if (timeline) series = timeline.series.reduce((count, s) => Math.max(count, s + 1), series);
      counts.testSequences += test?.labels.length ?? 0;
      counts.validationSequences += validation?.labels.length ?? 0;
      if (batch.remarks) remarks = mergeRemarks(remarks, batch.remarks);
    },
    facts() {
      if (first === null) throw new RangeError("nothing has been read yet");
      const name = labelsFile ?? (first.labelName && plainName(first.labelName));
      const isLabelled = first.labels !== null && name !== null;
      return {
        source,
        sequences,
        ...withoutTime({ ...first.shape, timesteps }, first.features),
        dtype: dtypes.size === 0 ? null : [...dtypes].join(" and "),
        labels: ignoreLabels
          ? "ignored"
          : isLabelled
            ? {
                name,
                isFile: labelsFile !== undefined,
                ...(soft ? { ...soft, meaning: null, areSoft: true as const } : countLabels(labelCounts, labelCodes)),
              }
            : "none",
        series: first.timeline ? series : null,
        ...counts,
        remarks,
        notes,
        testNotes: [],
      };
    },
  };
}

/** Shape and names of rows as they are said: a time is told beside the row. */
export function withoutTime(shape: Shape, names: readonly string[] | null): Pick<ReadFacts, "shape" | "features"> {
  const features = widthWithoutTime(shape);
  return {
    shape: { timesteps: shape.timesteps, features },
    features: names?.slice(0, features) ?? Array.from({ length: features }, (_, f) => `f${f}`),
  };
}

/** The batch without what it holds of sequences. */
function emptied(batch: Batch): Batch {
  const nothing = { values: new Float64Array(0), columns: {}, test: null, validation: undefined };
  return { ...batch, ...nothing, labels: batch.labels?.slice(0, 0) ?? null };
}

/** With so many labels more: their sum, and how many are missing. */
function addSoft({ positives, missing }: { positives: number; missing: number }, labels: Float64Array) {
  const isThere = (label: number): boolean => label !== NO_LABEL;
  const own = labels.filter(isThere);
  return { positives: own.reduce((sum, label) => sum + label, positives), missing: missing + labels.length - own.length };
}

/** Sequences of zeros alone. */
function countZeroSequences(values: Float64Array, { timesteps, features }: Shape): number {
  const size = timesteps * features;
  let count = 0;
  for (let from = 0; from < values.length; from += size) {
    let i = from;
    while (i < from + size && values[i] === 0) i++;
    if (i === from + size) count++;
  }
  return count;
}

/** `counts` of labels by code. */
function countLabels(counts: Float64Array, codes: LabelCodes | undefined): Pick<LabelFacts, "positives" | "missing" | "meaning"> {
  const missing = counts[NO_LABEL];
  const labels = counts.subarray(0, NO_LABEL);
  if (labels.every((count) => count === 0)) return { positives: 0, missing, meaning: null };
  if (codes === undefined) return { positives: counts[1], missing, meaning: PLAIN_MEANING };
  const meaning = codes.meaningOf(counts);
  if (meaning === null) return { positives: Number.NaN, missing, meaning };
  return { positives: counts.reduce((sum, count, code) => sum + (codes.isOne(code, meaning) ? count : 0), 0), missing, meaning };
}

/** The batches as they are, each counted as it passes. */
export async function* tallyBatches(batches: AsyncIterable<Batch>, tally: ReadTally): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    tally.add(batch);
    yield batch;
  }
}
