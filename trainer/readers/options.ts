// How data are read, as every command says it and every reader takes it.

import type { Decimal, Separator } from "./dialect.ts";
import type { OnIssue } from "./issues.ts";
import type { ReadNote } from "./notes.ts";
import type { Format } from "./source.ts";

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
  /** Name of the column whose equal values belong together. */
  readonly group?: string;
  /** Name of the column that orders sequences or rows. */
  readonly time?: string;
  /** Any of these four says that records are single rows: the series' column, the feature columns, rows a window, rows from one to the next. */
  readonly key?: string;
  readonly features?: readonly string[];
  readonly window?: number;
  readonly stride?: number;
  /** Rows from a window's last row to the row with its label; undefined: 0. */
  readonly horizon?: number;
  /** A file that becomes the test part; it goes before `X_test` in the data. */
  readonly test?: string;
  readonly testLabels?: string;
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
  /** All windows in one batch. */
  readonly inOne?: boolean;
}

/** Whether records are single rows. */
export function isLong({ key, features, window, stride }: ReadOptions): boolean {
  return key !== undefined || features !== undefined || window !== undefined || stride !== undefined;
}

/** The window and the features of rows as a model takes them, where the options do not say. */
export function fillFrom(options: ReadOptions, model: { readonly timesteps: number; readonly features: readonly string[] }): ReadOptions {
  if (!isLong(options)) return options;
  const isNamed = model.features.some((name, f) => name !== `f${f}`);
  return { ...options, window: options.window ?? model.timesteps, features: options.features ?? (isNamed ? model.features : undefined) };
}
