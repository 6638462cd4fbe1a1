// Options that exclude each other, or that do nothing to the files at hand: whoever says something is heard or told, never passed over.
// Knows formats by name, no bytes.
import { DataError, UsageError } from "../../shared/errors.ts";
import { expandFolders } from "./folder.ts";
import { isLong, type ReadOptions } from "./options.ts";
import { type Format, openSource } from "./source.ts";

/** Arrays of NumPy. */
const ARRAYS: readonly Format[] = ["npz", "npy"];
/** What holds no columns: arrays, and sequences as sktime has them. */
const WITHOUT_COLUMNS: readonly Format[] = [...ARRAYS, "ts", "arff"];
/** What holds no names for labels. */
const WITHOUT_LABEL_NAMES: readonly Format[] = ["npy", "ts", "arff"];

/** Throws UsageError where options exclude each other, or where one says nothing about any of the files. */
export function checkOptions(paths: readonly string[], options: ReadOptions): void {
  if (isLong(options)) checkRowOptions(options);
  else if (options.maxGap !== undefined)
    throw new UsageError("--max-gap cuts rows of series: say --key, --features or --window where records are rows");
  if (options.timeFormat !== undefined && options.time === undefined)
    throw new UsageError("--time-format says how times are written: name their column with --time");
  checkLabelOptions(options);
  checkFormats(paths, options);
}

/** Of rows of series. */
function checkRowOptions({ labels, group, columns }: ReadOptions): void {
  if (labels !== undefined)
    throw new UsageError("--labels names a file with one label a sequence; for rows of series name their column with --label");
  if (group !== undefined) throw new UsageError("--group names what sequences belong to; rows of series belong to their --key");
  if (columns !== undefined)
    throw new UsageError("--columns says how a wide table names features and steps; rows of series have neither, so leave --columns out");
}

function checkLabelOptions({ ignoreLabels, labels, positive, softLabels, test, testLabels }: ReadOptions): void {
  if (testLabels !== undefined && test === undefined) throw new UsageError("--test-labels holds the labels of --test: name that file, too");
  if (positive !== undefined && softLabels)
    throw new UsageError("--soft-labels are probabilities of a 1, and --positive chooses a class: leave one of them out");
  if (!ignoreLabels) return;
  if (labels !== undefined) throw new UsageError("labels are not read here: leave --labels out");
  if (positive !== undefined) throw new UsageError("labels are not read here, and the model knows which label is 1: leave --positive out");
}

/** What is said of one format and is about none of the files. */
function checkFormats(paths: readonly string[], options: ReadOptions): void {
  const { format, labels, test, testLabels, sep, decimal, axes, columns, label, ignoreLabels } = options;
  const beside = [labels, testLabels].filter((path) => path !== undefined);
  const formatsOf = (files: readonly string[], as?: Format): Format[] => files.map((path) => openSource(path, as, null).format);
  const data = [...formatsOf(expandFolders(paths), format), ...formatsOf(test === undefined ? [] : expandFolders([test]))];
  const all = [...data, ...formatsOf(beside)];
  const said = sep !== undefined ? "--sep" : decimal !== undefined ? "--decimal" : null;
  if (said !== null && !all.includes("csv"))
    throw new UsageError(`${said} says how tables of text are written, as .csv; ${describe(data)} is none: leave ${said} out`);
  if (axes !== undefined && !data.some((one) => ARRAYS.includes(one)))
    throw new UsageError(`--axes says how an array of NumPy stands, in .npz or .npy; ${describe(data)} holds none: leave --axes out`);
  if (columns !== undefined && data.every((one) => WITHOUT_COLUMNS.includes(one)))
    throw new UsageError(`--columns says how the columns of a table are named; ${describe(data)} has none: leave --columns out`);
  const isNamed = data.some((one) => !WITHOUT_LABEL_NAMES.includes(one));
  if (label !== undefined && !ignoreLabels && (!isNamed || (labels !== undefined && data.every((one) => ARRAYS.includes(one)))))
    throw new UsageError(
      labels === undefined
        ? `--label names a column or an array; ${describe(data)} ${data[0] === "npy" ? "holds none: give the labels with --labels" : "says itself which its labels are: leave --label out"}`
        : "--labels gives the labels, and --label names others: leave one of them out",
    );
}

function describe(formats: readonly Format[]): string {
  return `.${formats[0]}`;
}

/** Throws UsageError where --horizon is said of whole sequences, to a command that does not split them by time. */
export function checkHorizon(options: ReadOptions): void {
  if (options.horizon !== undefined && !isLong(options))
    throw new UsageError(
      "--horizon counts rows of series: say --key, --features or --window where records are rows, or leave --horizon out",
    );
}

/** New names for old ones, and which of them somebody asked for. */
export interface Renaming {
  get(name: string): string | undefined;
  /** Throws DataError where the data have no such name. */
  checkUsed(source: string): void;
}

/** What `--rename` says, while files are read. */
export function createRenaming(rename: ReadonlyMap<string, string>): Renaming {
  const unused = new Set(rename.keys());
  return {
    get(name) {
      unused.delete(name);
      return rename.get(name);
    },
    checkUsed(source) {
      const [name] = unused;
      if (name !== undefined)
        throw new DataError(
          source,
          `has no feature and no column ${JSON.stringify(name)}, which --rename names: leave it out, or write it as the data do`,
        );
    },
  };
}
