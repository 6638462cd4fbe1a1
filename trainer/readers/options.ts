// The options that say how data are read, the same for every command that reads some: `parseOptions(…, { ...READ_OPTIONS, … })`.
import { UsageError } from "../../shared/errors.ts";
import { MAX_FEATURES, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { choice, integer, type Options, text } from "../cli/arguments.ts";
import type { ReadNote } from "./facts.ts";
import type { OnIssue } from "./issues.ts";
import { FORMATS } from "./source.ts";

export const READ_OPTIONS = {
  format: choice(...FORMATS),
  labels: text,
  label: text,
  group: text,
  time: text,
  key: text,
  features: list,
  window: integer(1, MAX_TIMESTEPS),
  stride: integer(1, 1_000_000),
  horizon: integer(0, 1_000_000),
};

export const READ_USAGE = `<data> is one file or more, read as one set: .csv .jsonl .npz .npy .parquet, each also as .gz, or - for standard input
with --format csv|jsonl|npz|npy|parquet. One sequence a record, up to 10 rows × 5 numbers or as the file says, and its label:
           [--labels FILE] [--label NAME] [--group NAME] [--time NAME]
Or one row of a series a record (.csv .jsonl .parquet), said by any of --key, --features, --window, --stride:
           [--key NAME] [--time NAME] [--features a,b,c,d,e] [--label NAME] [--window 10] [--stride N] [--horizon N]`;

/** What READ_OPTIONS reads, and what only code says. */
export interface ReadOptions extends Options<typeof READ_OPTIONS> {
  /** A file that becomes the test part; it goes before `X_test` in the data. */
  readonly test?: string;
  readonly testLabels?: string;
  /** Labels and test parts are not looked at, not even for errors, and come as null. */
  readonly ignoreLabels?: boolean;
  /** Hears of values that are not finite and labels that are not 0 or 1; default: the first is thrown. */
  readonly onIssue?: OnIssue;
  /** Called with what a reader leaves out or does by itself. */
  readonly onNote?: (note: ReadNote) => void;
  /** As many windows as memory is given for, where --stride does not say; default: all. */
  readonly mostWindows?: number;
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

function list(value: string, option: string): readonly string[] {
  const names = value.split(",").map((name) => name.trim());
  if (names.includes("") || new Set(names).size !== names.length || names.length > MAX_FEATURES)
    throw new UsageError(`--${option} must be up to ${MAX_FEATURES} different names separated by commas, got ${value}`);
  return names;
}
