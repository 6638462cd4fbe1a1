// Data files → batches of sequences, or one Dataset with everything checked. Each format's bytes are read by a file of its own
// beside this one. What cannot be used is one DataError: which file and place, what was found, what was expected, what to do.
// Legend: N sequences, T steps, F features.
import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { DataError, UsageError } from "../../shared/errors.ts";
import { readNpy } from "../../shared/npy.ts";
import { DEFAULT_SHAPE, type Shape } from "../../shared/sequence.ts";
import { type Column, type Content, checkShape, type LabelledPart, type Part, readArchive, toLabels, type Wanted } from "./arrays.ts";
import { sortByTime, toGroups, toTimes } from "./columns.ts";
import { readCsv, readCsvLabels } from "./csv.ts";
import { readJsonl } from "./jsonl.ts";
import { readNpyFile } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { isLong, type ReadOptions } from "./options.ts";
import { readParquet } from "./parquet.ts";
import { openSource, type RandomAccess, type Source, stem } from "./source.ts";
import { refuse } from "./validity.ts";
import { cutWindows, type Timeline } from "./windows.ts";

export type { ReadOptions } from "./options.ts";

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
  /** Where windows that were cut from rows lie in time; undefined where the file held sequences. */
  readonly timeline?: Timeline;
  /** What beside the bytes decides what was read, as text. */
  readonly reading?: string;
}

export type LabelledDataset = Dataset & { readonly labels: Uint8Array };

/** Some sequences of the data, in order. */
export type Batch = Content & { readonly timeline?: Timeline };

const MIN_SEQUENCES = 100;

/** Reads all files into one set; sequences are (N,T,F), flat ones 10 × 5 or as a header says. Throws DataError, UsageError. */
export async function readDataset(paths: readonly string[], options: ReadOptions): Promise<Dataset> {
  const hash = createHash("sha256");
  const { group, time, test: testPath } = options;
  const main = await collect(readBatches(paths, { ...options, inOne: true }, hash), paths);
  let { test } = main;
  if (testPath !== undefined) {
    const { key, features, window, stride, horizon, label, note, complain, time } = options;
    const reading = isLong(options) ? { key, features: features ?? main.features ?? undefined, window, stride, horizon, time } : {};
    const other = await collect(readBatches([testPath], { ...reading, labels: options.testLabels, label, note, complain }, hash), [
      testPath,
    ]);
    checkShape(other.shape, main.shape, testPath, "the sequences");
    test = requireLabels({ ...other, source: testPath });
  }
  const { shape, float32, columns, timeline } = main;
  const content = {
    values: main.values,
    labels: main.labels,
    probability: main.probability,
    groups: group === undefined ? undefined : toGroups(columns[group]),
  };
  const isSorted = time === undefined || timeline !== undefined;
  const ordered = isSorted ? content : sortByTime(content, toTimes(columns[time], time, paths[0]));
  const features = main.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  const { format, label, key, window, stride, horizon } = options;
  return {
    ...ordered,
    source: describePaths(paths),
    name: basename(stem(paths[0])),
    sha256: hash.digest("hex"),
    shape,
    features,
    float32,
    test,
    timeline,
    reading: JSON.stringify({ format, label, key, time, group, features: options.features, window, stride, horizon }),
  };
}

/**
 * Reads all files one after the other, some sequences at a time, in order. A batch's T is its own longest sequence's. Rows of
 * series are read to the end before their first window comes. Throws DataError, UsageError.
 */
export async function* readBatches(paths: readonly string[], options: ReadOptions, hash: Hash | null = null): AsyncGenerator<Batch> {
  const { ignoreLabels = false, complain = refuse, note = () => {}, group, time, key, label } = options;
  const isRows = isLong(options);
  if (isRows && options.labels !== undefined)
    throw new UsageError("--labels names a file with one label a sequence; for rows of series name their column with --label");
  if (isRows && group !== undefined) throw new UsageError("--group names what sequences belong to; rows of series belong to their --key");
  const labelsPath = ignoreLabels ? undefined : options.labels;
  const wanted: Wanted = {
    labels: !ignoreLabels && labelsPath === undefined,
    label,
    parts: !ignoreLabels,
    columns: [...new Set([isRows ? key : group, time].filter((name) => name !== undefined))],
    rows: isRows ? { features: options.features } : undefined,
    complain,
  };
  const batches = readFiles(paths, options, wanted, hash);
  if (isRows)
    return yield* cutWindows(
      batches,
      describePaths(paths),
      {
        key,
        time,
        window: options.window ?? DEFAULT_SHAPE.timesteps,
        stride: options.stride,
        horizon: ignoreLabels ? 0 : (options.horizon ?? 0),
        most: options.mostWindows ?? Number.POSITIVE_INFINITY,
        inOne: options.inOne ?? false,
      },
      note,
    );
  if (labelsPath === undefined) return yield* batches;
  yield* withLabels(batches, await readLabels(openSource(labelsPath, undefined, null), wanted), labelsPath, describePaths(paths));
  if (hash) for await (const _ of openSource(labelsPath, undefined, hash).chunks()); // after the data's bytes
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

/** `a.csv`, or `a.csv and 2 more`. */
function describePaths(paths: readonly string[]): string {
  const [first, ...more] = paths.map((path) => (path === "-" ? "standard input" : path));
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The files' batches as they come, each with the features of the first. */
async function* readFiles(paths: readonly string[], options: ReadOptions, wanted: Wanted, hash: Hash | null): AsyncGenerator<Content> {
  let first: Content | null = null;
  for (const path of paths) {
    const source = openSource(path, options.format, hash);
    for await (const batch of readContent(source, wanted)) {
      first ??= { ...batch, values: new Float64Array(0) };
      if (
        batch.shape.features !== first.shape.features ||
        (batch.features && first.features && batch.features.join() !== first.features.join())
      )
        throw new DataError(
          source.name,
          `has the features ${describeFeatures(batch)}, expected ${describeFeatures(first)} as in ${describePaths(paths.slice(0, 1))}`,
        );
      if ((batch.labels === null) !== (first.labels === null))
        throw new DataError(
          source.name,
          `has ${batch.labels === null ? "no" : "its"} labels, unlike what comes before: give all of them, or none`,
        );
      yield batch;
    }
  }
}

function describeFeatures({ features, shape }: Content): string {
  return features?.join(", ") ?? `of ${shape.features} columns`;
}

async function* readContent(source: Source, wanted: Wanted): AsyncGenerator<Content> {
  const { name } = source;
  if (wanted.rows && (source.format === "npz" || source.format === "npy"))
    throw new DataError(
      name,
      "holds arrays of sequences; rows of series are read from .csv, .jsonl and .parquet: leave out --key, --features, --window and --stride",
    );
  switch (source.format) {
    case "npz":
      return yield await readArchive(await openNpz(await source.whole(), name), name, wanted);
    case "npy":
      if (wanted.columns.length > 0) throw new DataError(name, `holds one array and no ${wanted.columns[0]}: save both in one .npz`);
      return yield* readAt(source, (file) => readNpyFile(file, name, wanted.complain));
    case "csv":
      return yield* readCsv(source.chunks(), name, wanted);
    case "jsonl":
      return yield* readJsonl(source.chunks(), name, wanted);
    case "parquet":
      return yield* readAt(source, (file) => readParquet(file, name, wanted));
  }
}

/** What `read` makes of a file that is open meanwhile. */
async function* readAt(source: Source, read: (file: RandomAccess) => Iterable<Content> | AsyncIterable<Content>): AsyncGenerator<Content> {
  const file = await source.random();
  try {
    yield* read(file);
  } finally {
    file.close();
  }
}

async function readLabels(source: Source, wanted: Wanted): Promise<Uint8Array> {
  const { name, format } = source;
  if (format === "npy") return toLabels(readNpy(await source.whole(), name), "labels", name, null, wanted.complain);
  if (format === "csv") return readCsvLabels(source.chunks(), name, wanted);
  throw new DataError(name, `has the extension .${format}, expected .npy or .csv for labels`);
}

/** The batches with the labels that are theirs. */
async function* withLabels(
  batches: AsyncGenerator<Content>,
  labels: Uint8Array,
  labelsPath: string,
  source: string,
): AsyncGenerator<Content> {
  let N = 0;
  for await (const batch of batches) {
    const count = batch.values.length / (batch.shape.timesteps * batch.shape.features);
    yield { ...batch, labels: labels.slice(N, N + count) };
    N += count;
  }
  if (labels.length !== N)
    throw new DataError(labelsPath, `holds ${labels.length} labels, expected ${N}, one for each sequence in ${source}`);
}

/** One content out of many: shorter sequences padded in front to the longest of all. Throws DataError. */
async function collect(batches: AsyncGenerator<Batch>, paths: readonly string[]): Promise<Batch> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  if (all.length === 1) return all[0];
  const [first] = all;
  const timesteps = all.reduce((longest, { shape }) => Math.max(longest, shape.timesteps), 0);
  const shape = { timesteps, features: first.shape.features };
  const size = shape.timesteps * shape.features;
  const counts = all.map((batch) => batch.values.length / (batch.shape.timesteps * shape.features));
  const N = counts.reduce((sum, count) => sum + count, 0);
  const isKnown = all.every(({ probability }) => probability !== null);
  const tests = all.flatMap(({ test }) => test ?? []);
  if (tests.length > 1) throw new DataError(describePaths(paths), "hold a test part each: keep one of them, or name one file with --test");
  const values = new Float64Array(N * size);
  const labels = first.labels && new Uint8Array(N);
  const probability = isKnown ? new Float64Array(N) : null;
  const columns: Record<string, (string | number)[] | Float64Array> = {};
  for (const name of Object.keys(first.columns))
    columns[name] = all.every((batch) => batch.columns[name] instanceof Float64Array) ? new Float64Array(N) : new Array<string>(N);
  const timeline = first.timeline && {
    series: new Int32Array(N),
    start: new Int32Array(N),
    time: first.timeline.time && new Float64Array(N),
  };
  let n = 0;
  for (const [i, batch] of all.entries()) {
    const from = batch.shape.timesteps * shape.features;
    if (from === size) values.set(batch.values, n * size);
    else for (let k = 0; k < counts[i]; k++) values.set(batch.values.subarray(k * from, (k + 1) * from), (n + k + 1) * size - from);
    if (batch.labels) labels?.set(batch.labels, n);
    if (batch.probability) probability?.set(batch.probability, n);
    for (const [name, column] of Object.entries(batch.columns))
      for (let k = 0; k < counts[i]; k++) columns[name][n + k] = columns[name] instanceof Float64Array ? column[k] : String(column[k]);
    timeline?.series.set(batch.timeline?.series ?? [], n);
    timeline?.start.set(batch.timeline?.start ?? [], n);
    timeline?.time?.set(batch.timeline?.time ?? [], n);
    n += counts[i];
    all[i] = first; // so that they can go one by one
  }
  const float32 = first.float32;
  return {
    values,
    labels,
    probability,
    shape,
    features: first.features,
    float32,
    test: tests[0] ?? null,
    columns: columns as Record<string, Column>,
    timeline,
  };
}
