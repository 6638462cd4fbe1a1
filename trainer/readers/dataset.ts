// Data files → one Dataset with everything checked. Each format's bytes are read by a file of its own beside this one.
// What cannot be used is one DataError: which file and place, what was found, what was expected, what to do.
// Legend: N sequences, T steps, F features.
import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import { DataError } from "../../shared/errors.ts";
import { readNpy } from "../../shared/npy.ts";
import type { Shape } from "../../shared/sequence.ts";
import { readWhole } from "../files.ts";
import { type Content, checkShape, type LabelledPart, type Part, readArchive, toLabels, toValues, type Wanted } from "./arrays.ts";
import { sortByTime, toGroups, toTimes } from "./columns.ts";
import { readCsv, readCsvLabels } from "./csv.ts";
import { openNpz } from "./npz.ts";

export interface Dataset extends Part {
  /** The path as it was given, for errors. */
  readonly source: string;
  /** Base name without extension. */
  readonly name: string;
  /** Of the bytes of all files read: data, labels, test, test labels. */
  readonly sha256: string;
  readonly shape: Shape;
  /** (F) from the file, or f0, f1, … */
  readonly features: readonly string[];
  /** Whether the values came as float32. */
  readonly float32: boolean;
  /** From a file of its own or brought along, or null. */
  readonly test: LabelledPart | null;
  /** (N) numbered from 0, equal for sequences that belong together; undefined where nothing names them. */
  readonly groups?: Int32Array;
}

export type LabelledDataset = Dataset & { readonly labels: Uint8Array };

export interface ReadOptions {
  /** A file of labels beside the data, `.npy`, or `.csv` with one column; it goes before labels in the data. */
  readonly labels?: string;
  /** A file that becomes the test part; it goes before `X_test` in the data. */
  readonly test?: string;
  readonly testLabels?: string;
  /** Name of the array or column that says what belongs together. */
  readonly group?: string;
  /** Name of the array or column of numbers or ISO dates that says when; sequences come out in its order. */
  readonly time?: string;
  /** Labels and test parts are not looked at, not even for errors, and come as null. */
  readonly ignoreLabels?: boolean;
  /** Numbers that are not finite and labels that are neither 0 nor 1 are no errors: see Part. */
  readonly lenient?: boolean;
}

const MIN_SEQUENCES = 100;

/** Reads `.npz`, `.npy` or `.csv`; sequences are (N,T,F), flat ones 10 × 5 or as a header says. Throws DataError. */
export async function readDataset(path: string, options: ReadOptions): Promise<Dataset> {
  const hash = createHash("sha256");
  const read = (file: string): Uint8Array => {
    const bytes = readWhole(file);
    if (bytes.length === 0) throw new DataError(file, "is empty");
    hash.update(bytes);
    return bytes;
  };
  const { group, time, ignoreLabels = false, lenient } = options;
  const main = await readPart(path, options.labels, read, {
    labels: !ignoreLabels,
    parts: !ignoreLabels,
    columns: [group, time].filter((name) => name !== undefined),
    lenient,
  });
  const { shape, float32, columns } = main;
  let { test } = main;
  if (options.test !== undefined) {
    const other = await readPart(options.test, options.testLabels, read, { labels: true, parts: true, columns: [], lenient });
    checkShape(other.shape, shape, options.test, "the sequences");
    test = requireLabels({ ...other, source: options.test });
  }
  const content = {
    values: main.values,
    labels: main.labels,
    rawLabels: main.rawLabels,
    probability: main.probability,
    groups: group === undefined ? undefined : toGroups(columns[group]),
  };
  const ordered = time === undefined ? content : sortByTime(content, toTimes(columns[time], time, path));
  const features = main.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  return { ...ordered, source: path, name: basename(path, extname(path)), sha256: hash.digest("hex"), shape, features, float32, test };
}

/** Throws DataError where a data set holds no labels. */
export function requireLabels<D extends { readonly labels: Uint8Array | null; readonly source: string }>(
  data: D,
): D & { readonly labels: Uint8Array } {
  const { labels, source } = data;
  if (labels === null)
    throw new DataError(
      source,
      "holds no labels: give them in a file with --labels or --test-labels, as an array y or as a column named label",
    );
  return { ...data, labels };
}

/** What training needs beyond a readable file: labels, both of them, and enough sequences. Throws DataError. */
export function checkTrainable(data: Dataset): LabelledDataset {
  const labelled = requireLabels(data);
  const { labels, source } = labelled;
  if (labels.length < MIN_SEQUENCES)
    throw new DataError(source, `holds ${labels.length} sequences, expected at least ${MIN_SEQUENCES} to train on: bring more`);
  const positives = labels.reduce((count, label) => count + label, 0);
  if (positives === 0 || positives === labels.length)
    throw new DataError(source, `holds only the label ${labels[0]}, expected both 0 and 1: there is nothing to tell apart`);
  return labelled;
}

/** One data file, with labels from a file of their own where `labelsPath` names one. */
async function readPart(
  path: string,
  labelsPath: string | undefined,
  read: (file: string) => Uint8Array,
  wanted: Wanted,
): Promise<Content> {
  if (labelsPath === undefined || !wanted.labels) return readContent(read(path), path, wanted);
  const content = await readContent(read(path), path, { ...wanted, labels: false });
  const { labels, rawLabels } = readLabels(read(labelsPath), labelsPath, wanted.lenient);
  const N = content.values.length / (content.shape.timesteps * content.shape.features);
  if (labels.length !== N)
    throw new DataError(labelsPath, `holds ${labels.length} labels, expected ${N}, one for each sequence in ${path}`);
  return { ...content, labels, rawLabels };
}

async function readContent(bytes: Uint8Array, path: string, wanted: Wanted): Promise<Content> {
  const none = { labels: null, probability: null, features: null, float32: false, test: null, columns: {} };
  switch (extname(path).toLowerCase()) {
    case ".npz":
      return readArchive(await openNpz(bytes, path), path, wanted);
    case ".npy":
      if (wanted.columns.length > 0) throw new DataError(path, `holds one array and no ${wanted.columns[0]}: save both in one .npz`);
      return { ...none, ...toValues(readNpy(bytes, path), "X", path, wanted.lenient) };
    case ".csv":
      return { ...none, ...readCsv(bytes, path, wanted.labels, wanted.columns, wanted.lenient) };
    default:
      throw new DataError(path, `has the extension ${extname(path) || '""'}, expected .npz, .npy or .csv`);
  }
}

function readLabels(bytes: Uint8Array, path: string, lenient = false): Pick<Content, "rawLabels"> & { labels: Uint8Array } {
  switch (extname(path).toLowerCase()) {
    case ".npy":
      return toLabels(readNpy(bytes, path), "labels", path, null, lenient);
    case ".csv":
      return readCsvLabels(bytes, path, lenient);
    default:
      throw new DataError(path, `has the extension ${extname(path) || '""'}, expected .npy or .csv for labels`);
  }
}
