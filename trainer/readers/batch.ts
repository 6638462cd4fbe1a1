// What a reader takes and gives. A reader is one file a format: bytes and `Wanted` in, batches of sequences out, in the file's order.
// Legend: N sequences, T steps, F features.
import type { Input } from "../../shared/recipe/inputs.ts";
import type { Shape } from "../../shared/sequence.ts";
import type { Labels } from "../statistics/labels.ts";
import type { SaidDialect } from "./dialect.ts";
import type { FurtherWindows } from "./further-windows.ts";
import type { InputTable } from "./input-table.ts";
import type { OnIssue } from "./issues.ts";
import type { LabelCodes } from "./labels.ts";
import type { ReadNote } from "./notes.ts";
import type { Remark } from "./reading.ts";
import type { StoredSequences } from "./stored-sequences.ts";

/** One part of a data set. */
export interface Part {
  /** (N,T,F) finite, NaN where a number is missing and may be */
  readonly values: Float64Array;
  /** (N) 0 or 1, soft, or codes as LabelCodes has them before they are settled; null where there are none. */
  readonly labels: Labels | null;
  /** (N) the known truth of synthetic data, or null. */
  readonly probability: Float64Array | null;
}

export type LabelledPart = Part & {
  readonly labels: Labels;
  /** (N) each, what is given once a sequence, by name, as the file has it; until it stands in the rows. */
  readonly statics?: Readonly<Record<string, Column>>;
};

/** (N) numbers or texts beside the values: who a sequence belongs to, or when it was. */
export type Column = Float64Array | readonly string[];

/** Where windows that were cut from rows lie in time. */
export interface Timeline {
  /** (N) number of the series, from 0 */
  readonly series: Int32Array;
  /** (N) rows of its series before its first one */
  readonly start: Int32Array;
  /** (N) time of the last row, or null where rows have none */
  readonly time: Float64Array | null;
}

/** What is in one file, or the next sequences of it. Rows of a series are sequences of one step. */
export interface Batch extends Part {
  readonly shape: Shape;
  /** (F) or null where the file names none */
  readonly features: readonly string[] | null;
  /** The type in which the file holds the values, as NumPy calls it; null where they are text, as in CSV and JSON. */
  readonly dtype: string | null;
  /** Name of the labels in the file; null where it holds none or none are wanted. */
  readonly labelName: string | null;
  /** A test part the file brings along, or null. */
  readonly test: LabelledPart | null;
  /** A validation part the file brings along, where one is wanted. */
  readonly validation?: LabelledPart;
  /** (N) each, further columns by name. */
  readonly columns: Readonly<Record<string, Column>>;
  /** What the features come from, where they are no inputs any more. */
  readonly inputs?: readonly Input[];
  /** Undefined where the file holds sequences. */
  readonly timeline?: Timeline;
  /** Windows beside these, where these are a sample. */
  readonly further?: FurtherWindows;
  /** All sequences, where there are too many for memory: `values` holds none then. */
  readonly stored?: StoredSequences;
  /** What the reader did that the owner of the file should know; undefined: nothing. */
  readonly remarks?: readonly Remark[];
}

/** What sequences are wanted for: T, and the names of F features. */
export interface Target {
  readonly timesteps: number;
  readonly features: readonly string[];
  /** The file that says so, for errors; undefined: a model does. */
  readonly source?: string;
}

/** Order of an array's axes: sequence, step, feature; or sequence, feature, step. */
export const AXES = ["ntf", "nft"] as const;
export type Axes = (typeof AXES)[number];

/** How the names in a file stand for features and steps. */
export interface NameOptions {
  /** Names in the data → names that are meant. */
  readonly rename?: { get(name: string): string | undefined };
  /** How the columns of a wide table are named, as parsePattern gives it; undefined: as header.ts finds out. */
  readonly pattern?: RegExp;
  /** Columns and features go by position whatever they are called. */
  readonly byPosition?: boolean;
  /** Order of an array's axes: (N,T,F) or (N,F,T); undefined: the first. */
  readonly axes?: Axes;
  /** Names of an array's features, where the file holds none. */
  readonly features?: readonly string[];
  /** What a model, or the first of several files, takes; undefined: whatever the file holds. */
  readonly target?: Target;
}

/** What a model's training was told of columns beside the features. */
export interface KnownColumns {
  /** Name of the label. */
  readonly label?: string;
  /** What `--id`, and of whole sequences `--time` and `--group`, named. */
  readonly ids: readonly string[];
  /** The columns of rows that windows were cut from; absent: none were. */
  readonly series?: { readonly key?: string; readonly time?: string };
  /** How the columns of a wide table were named, where `--columns` said it. */
  readonly pattern?: RegExp;
}

/** What a reader looks at beside values and feature names; the rest may be broken. */
export interface Wanted extends NameOptions {
  readonly labels: boolean;
  /** Name of the labels; undefined: one of LABEL_NAMES. */
  readonly label?: string;
  /** Codes for labels that are neither 0 nor 1; undefined: those are issues. */
  readonly labelCodes?: LabelCodes;
  /** Labels are soft: numbers from 0 to 1. */
  readonly softLabels?: boolean;
  /** Columns that the model's training knew, where the file has them: a label that nobody names, and ids, which are left out. */
  readonly known?: KnownColumns;
  /** The known truth and the test part. */
  readonly parts: boolean;
  /** The validation part, too. */
  readonly validation?: boolean;
  /** Names of further columns, which must be there. */
  readonly columns: readonly string[];
  /** Those of them, or of the features of rows, that are given once a sequence; they come as numbers, and categories as codes. */
  readonly statics: readonly string[];
  /** What inputs are, which may be categories then: their texts come as codes; undefined: all are numbers. */
  readonly inputs?: InputTable;
  /** Records are single rows, with these features, or with all columns that are left; undefined: whole sequences. */
  readonly rows?: { readonly features?: readonly string[] };
  /** A number may be missing: it comes as NaN, and nobody hears of it. */
  readonly gaps?: boolean;
  /** As ReadOptions.gapAdvice. */
  readonly gapAdvice?: string;
  /** Large arrays come some sequences at a time, since whoever reads keeps none of them in memory. */
  readonly inPieces?: boolean;
  readonly onIssue: OnIssue;
  /** Hears of so many whole numbers that float64 does not hold exactly. */
  readonly onRounded?: (count: number) => void;
  /** How tables of text are written, where that is said; undefined: found. */
  readonly dialect?: SaidDialect;
  /** Hears of what a reader finds out or leaves out. */
  readonly onNote?: (note: ReadNote) => void;
}

/** As people call a column of labels. */
export const LABEL_NAMES = ["label", "y", "target"];

/** Numbers in a batch of a reader that gives some at a time: 2 MiB of float64. */
export const BATCH_NUMBERS = 2 ** 18;
/** Records in such a batch, at most: so few that their texts die young. */
export const BATCH_RECORDS = 2 ** 13;

/** A column's cells as they come → numbers where all are, else texts. */
export function toColumn(cells: readonly (string | number)[]): Column {
  return cells.every((cell) => typeof cell === "number") ? Float64Array.from(cells as readonly number[]) : cells.map(String);
}
