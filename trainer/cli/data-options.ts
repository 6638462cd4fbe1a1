// The options that say how data are read, the same for every command that reads data.
import { UsageError } from "../../shared/errors.ts";
import { MAX_FEATURES, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { MISSING } from "../pipeline/contract.ts";
import { AXES } from "../readers/batch.ts";
import { DECIMALS, SEPARATORS, type Separator } from "../readers/dialect.ts";
import { parseMaxGap } from "../readers/max-gap.ts";
import type { ReadOptions } from "../readers/options.ts";
import { FORMATS } from "../readers/source.ts";
import { parseTimeFormat } from "../readers/time-format.ts";
import type { SplitMethod } from "../split/split.ts";
import { choice, integer, names, pairs, type Read, text } from "./arguments.ts";
import { flag, grouped, option, word, words } from "./declaration.ts";

/** How a shell's user writes what no shell passes on as it is. */
const SEPARATOR_WORDS: Readonly<Record<string, Separator>> = { tab: "\t", "\\t": "\t", space: " " };

/** A separator of columns, itself or by name. */
const separator: Read<Separator> = (value, option) => {
  const known = SEPARATOR_WORDS[value] ?? SEPARATORS.find((one) => one === value);
  if (known === undefined) throw new UsageError(`--${option} must be one of , ; | tab space, got ${value}`);
  return known;
};

export const MAX_SEED = 2 ** 32 - 1;

/** The word `<data…>`. */
export const DATA_WORD = words(
  "files or folders of files read as one set: .csv .tsv .psv .txt .json .jsonl .npz .npy .parquet .arrow .feather, each also as .gz; or - for standard input",
);

/** The word `<artifact>`. */
export const ARTIFACT_WORD = word("model that train, import or calibrate wrote, .safetensors");

export const DATA_OPTIONS = grouped("Reading the data:", {
  format: option("FORMAT", choice(...FORMATS), `format of standard input: ${FORMATS.join(", ")}`, "by the file's ending"),
  sep: option("CHAR", separator, "what separates the columns of a table of text: , ; | tab or space", "found from its first lines"),
  decimal: option("CHAR", choice(...DECIMALS), "what stands before decimals in a table of text: . or ,", "found from its first lines"),
  labels: option("FILE", text, ".npy or .csv file with one label a sequence", "the labels stand in the data"),
  label: option("NAME", text, "name of the label column", "label, y or target"),
  positive: option(
    "LABEL",
    text,
    "the label that is 1, against all others",
    "the larger of two numbers, yes of yes and no, else the last by alphabet",
  ),
  group: option("NAME", text, "name of the column whose equal values stay in one part", "every sequence is a group of its own"),
  time: option("NAME", text, "name of the column that orders sequences or rows in time", "the order of the file"),
  timeFormat: option(
    "FORMAT",
    parseTimeFormat,
    'how times are written: s, ms, us, ns, excel, or as "%d/%m/%Y %H:%M"',
    "numbers, or ISO 8601; without a zone, UTC",
  ),
  id: option("a,b,…", names(MAX_FEATURES), "names of columns that are neither label nor feature; score writes them", "no such column"),
  static: option(
    "a,b,…",
    names(MAX_FEATURES),
    "names of what is given once a sequence, numbers or texts",
    "everything is given in each row",
  ),
  category: option(
    "a,b,…",
    names(MAX_FEATURES),
    "names of features that are categories, though they look like numbers",
    "features of texts",
  ),
  rename: option("OLD=NEW,…", pairs, "names in the data and what they are called", "names are taken as they are"),
  columns: option(
    "PATTERN",
    text,
    "how columns of a wide table are named, as {feature}_{step} or {feature}_lag{lag}; {feature} where names repeat",
    "found out",
  ),
  axes: option("ORDER", choice(...AXES), "order of an array's axes: ntf, or nft where features stand before steps", "ntf"),
  byPosition: flag("take columns and features in the order in which they stand, whatever they are called"),
});

export const ROW_OPTIONS = grouped("Reading rows of series, one row a record, as windows:", {
  key: option("NAME", text, "name of the column that says which series a row belongs to", "all rows are one series"),
  features: option("a,b,…", names(MAX_FEATURES), "names of the feature columns, or of the features of an array", "all other columns"),
  window: option("N", integer(1, MAX_TIMESTEPS), "rows of a window", "10, or as the model takes them"),
  maxGap: option(
    "TIME",
    parseMaxGap,
    "a series begins anew where a row comes later than so after the one before: 90s, 15m, 2h, 1d",
    "no series is cut",
  ),
  stride: option("N", integer(1, 1_000_000), "rows from one window to the next", "1; diagnose takes at most 250,000 windows"),
  horizon: option(
    "N",
    integer(0, 1_000_000),
    "rows from a window's last row to the row with its label; parts split by time lie that far apart",
    "0 for the label, 1 between parts",
  ),
});

/** Everything that says how data are read. */
export const READ_OPTIONS = { ...DATA_OPTIONS, ...ROW_OPTIONS };

/** Whether numbers may be missing. */
export const MISSING_OPTION = grouped("Reading the data:", {
  missing: option(
    "HOW",
    choice(...MISSING),
    "carry: numbers may be missing and are filled from the row before; refuse: they may not",
    "carry where the data lack numbers",
  ),
});

/** Labels that are probabilities. */
export const SOFT_OPTION = grouped("Reading the data:", {
  softLabels: flag("labels are numbers from 0 to 1, each the probability of a 1: y counts as y of a 1 and 1 − y of a 0"),
});

/** A file that becomes the test part. */
export const TEST_OPTIONS = grouped("Reading the data:", {
  test: option("FILE", text, "file that becomes the test part", "X_test and y_test of an .npz, else a part of the data"),
  testLabels: option("FILE", text, ".npy or .csv file with the labels of --test", "the labels stand in the test file"),
});

export const SPLITS = ["auto", "random", "time", "group"] as const satisfies readonly SplitMethod[];

/** The option `--split`. */
export const SPLIT_OPTION = option(
  "HOW",
  choice(...SPLITS),
  `how the parts are made: ${SPLITS.join(", ")}`,
  "group with --group, time with --time, else auto: by time where sequences share rows, else random",
);

/** The values of the read options alone, as the readers take them. */
export function readOptionsOf(values: ReadOptions): Omit<ReadOptions, "gaps" | "clock"> {
  const { format, sep, decimal, labels, label, positive, group, time, key, features, window, stride, horizon, test, testLabels } = values;
  const { timeFormat, maxGap, id, rename, columns, byPosition, axes, static: statics, category, softLabels } = values;
  return {
    ...{ format, sep, decimal, labels, label, positive, group, time, key, features, window, stride, horizon, test, testLabels },
    ...{ timeFormat, maxGap, id, rename, columns, byPosition, axes, static: statics, category, softLabels },
  };
}
