// How data are read, as every command says it and every reader takes it.

import { UsageError } from "../../shared/errors.ts";
import type { Input } from "../../shared/recipe/inputs.ts";
import { hasDefaultNames } from "./align.ts";
import type { Axes, KnownColumns, Target } from "./batch.ts";
import type { Decimal, Separator } from "./dialect.ts";
import type { InputTable } from "./input-table.ts";
import type { OnIssue } from "./issues.ts";
import type { LabelCodes, LabelMeaning } from "./labels.ts";
import type { MaxGap } from "./max-gap.ts";
import type { ReadNote } from "./notes.ts";
import type { Format } from "./source.ts";
import type { StoreOptions } from "./stored-sequences.ts";
import type { TimeFormat } from "./time-format.ts";

export interface ReadOptions {
  /** Undefined: by the file's ending. */
  readonly format?: Format;
  /** What separates the columns of a table of text; undefined: found. */
  readonly sep?: Separator;
  /** What stands before decimals in a table of text; undefined: found. */
  readonly decimal?: Decimal;
  /** A file with one label a sequence. */
  readonly labels?: string;
  /** Name of the label column; undefined: label, y or target. */
  readonly label?: string;
  /** The label that is 1, the others being 0; undefined: as labels.ts finds out. */
  readonly positive?: string;
  /** What a model learnt: it says which label is 1 where `positive` does not. */
  readonly learnt?: LabelMeaning;
  /** What the model's training was told of columns: it holds where the data have them and the options say nothing else. */
  readonly known?: KnownColumns;
  /** Labels are soft: the probability of a 1, from 0 to 1. */
  readonly softLabels?: boolean;
  /** Codes for labels other than 0 and 1, which whoever reads settles; undefined: those are issues. */
  readonly labelCodes?: LabelCodes;
  /** Name of the column whose equal values belong together. */
  readonly group?: string;
  /** Name of the column that orders sequences or rows. */
  readonly time?: string;
  /** How times are written; undefined: numbers, or ISO 8601. */
  readonly timeFormat?: TimeFormat;
  /** A series begins anew where a row comes later than so after the one before. */
  readonly maxGap?: MaxGap;
  /** Any of these four says that records are single rows: the series' column, the feature columns, rows a window, rows from one to the next. */
  readonly key?: string;
  readonly features?: readonly string[];
  readonly window?: number;
  readonly stride?: number;
  /** Rows from a window's last row to the row with its label; undefined: 0. */
  readonly horizon?: number;
  /** Names of columns that say which sequence is which, and are neither label nor feature. */
  readonly id?: readonly string[];
  /** Names of what is given once a sequence. */
  readonly static?: readonly string[];
  /** Names of features that are categories, whatever their texts look like. */
  readonly category?: readonly string[];
  /** What a model's features come from; the sequences come as its features then. */
  readonly inputs?: readonly Input[];
  /** Finds out what inputs are, for whoever settles them; undefined: all are numbers, or a model's. */
  readonly inputTable?: InputTable;
  /** Names in the data → names of features and columns. */
  readonly rename?: ReadonlyMap<string, string>;
  /** How the columns of a wide table are named, as `{feature}_{step}`; undefined: as their names show. */
  readonly columns?: string;
  /** Columns and features go by position whatever they are called. */
  readonly byPosition?: boolean;
  /** Names of an array's features; readers take them from `features` where the files hold arrays. */
  readonly names?: readonly string[];
  /** Order of an array's axes; undefined: (N,T,F). */
  readonly axes?: Axes;
  /** The steps and features of the model, or of the training data, that the sequences are for. */
  readonly target?: Target;
  /** A file that becomes the test part; it goes before `X_test` in the data. */
  readonly test?: string;
  readonly testLabels?: string;
  /** Numbers may be missing: the values hold NaN there; default: the first that is missing is an issue. */
  readonly gaps?: boolean;
  /** What settles a number that is missing where none may be, as a clause of an error; undefined: nothing is known. */
  readonly gapAdvice?: string;
  /** Rows of series have their time as a last feature, in seconds since 1970. */
  readonly clock?: boolean;
  /** A validation part that the data bring along is read. */
  readonly validation?: boolean;
  /** Windows of rows come with the time of their last row as the file has it. */
  readonly keepTimes?: boolean;
  /** Labels and test parts are not looked at, not even for errors, and come as null. */
  readonly ignoreLabels?: boolean;
  /** Hears of values that are not finite and labels that are not 0 or 1; default: the first is thrown. */
  readonly onIssue?: OnIssue;
  /** Called with what a reader leaves out or does by itself. */
  readonly onNote?: (note: ReadNote) => void;
  /** Called with the share of the files' bytes that is read, 0 to 1, as reading goes on; never where standard input is among them. */
  readonly onRead?: (share: number) => void;
  /** As many windows as memory is given for, where --stride does not say; default: all. */
  readonly maxWindows?: number;
  /** Windows beyond `maxWindows`, which are then evenly spread whatever `stride` says, come as `further`. */
  readonly further?: boolean;
  /** Whole sequences are kept in a file where there are very many: whoever reads has to take them from `stored`. */
  readonly store?: StoreOptions;
  /** All windows in one batch. */
  readonly inOne?: boolean;
}

/** Whether records are single rows. */
export function isLong({ key, features, window, stride }: ReadOptions): boolean {
  return key !== undefined || features !== undefined || window !== undefined || stride !== undefined;
}

/** What of a model's recipe decides how data are read. */
type ModelTarget = Target & { readonly gaps?: readonly number[]; readonly clock?: true; readonly inputs?: readonly Input[] };

/** Of a model that takes no gaps. */
const GAPS_UNKNOWN = "the model was trained without gaps, so fill the number, or train again with --missing carry";

/**
 * What a model takes, and of rows its window and features where the options do not say; whether numbers may be missing, and whether rows
 * have times. Throws UsageError where rows need a time and none is named.
 */
export function fillFrom(options: ReadOptions, { timesteps, features: all, gaps, clock, inputs }: ModelTarget): ReadOptions {
  const isRows = isLong(options);
  const time = clock && !isRows ? all.slice(-1) : []; // of rows it has an option of its own
  const statics = inputs?.filter((input) => input.static).map(({ name }) => name) ?? [];
  checkInputs(options, inputs, statics);
  const given = inputs?.map(({ name }) => name) ?? (clock ? all.slice(0, -1) : all);
  const features = [...given.filter((name) => isRows || !statics.includes(name)), ...time];
  const filled = {
    ...options,
    target: { timesteps, features },
    gaps: gaps !== undefined,
    ...(gaps === undefined && { gapAdvice: GAPS_UNKNOWN }),
    ...(inputs && { inputs, static: statics }),
  };
  if (!isRows) return filled;
  if (clock && options.time === undefined)
    throw new UsageError(`the model looks at times: name their column with --time (in training it was ${all[all.length - 1]})`);
  const isByName = !options.byPosition && !hasDefaultNames(features);
  return { ...filled, clock, window: options.window ?? timesteps, features: options.features ?? (isByName ? features : undefined) };
}

/** Throws UsageError where --static or --category say other than the model. */
function checkInputs(
  { static: said = [], category = [] }: ReadOptions,
  inputs: readonly Input[] | undefined,
  statics: readonly string[],
): void {
  const other = said.find((name) => !statics.includes(name));
  if (other !== undefined)
    throw new UsageError(
      `--static names ${other}, but the model takes ${statics.length === 0 ? "nothing" : statics.join(", ")} once a sequence`,
    );
  const number = category.find((name) => !inputs?.some((input) => input.name === name && input.levels));
  if (number !== undefined) throw new UsageError(`--category names ${number}, which is no category of the model`);
}
