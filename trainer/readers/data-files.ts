// Data files → batches of sequences, in order. Each format's bytes are read by a file of its own beside this one.
// Legend: N sequences, T steps.
import type { Hash } from "node:crypto";
import { statSync } from "node:fs";
import { DataError, UsageError } from "../../shared/errors.ts";
import { readNpy } from "../../shared/npy.ts";
import { DEFAULT_SHAPE } from "../../shared/sequence.ts";
import { alignFeatures } from "./align.ts";
import { toLabels } from "./array-labels.ts";
import { readArchivePieces } from "./arrays.ts";
import type { Batch, NameOptions, Target, Wanted } from "./batch.ts";
import { readCsv, readCsvLabels } from "./csv.ts";
import { encodeKnown, joinStatics } from "./encode-inputs.ts";
import { expandFolders } from "./folder.ts";
import { parsePattern } from "./header-patterns.ts";
import { knownInputTable } from "./input-table.ts";
import { throwIssue } from "./issues.ts";
import { readJson, readJsonl } from "./jsonl.ts";
import { readNpyFile } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { checkOptions, createRenaming } from "./option-checks.ts";
import { isLong, type ReadOptions } from "./options.ts";
import { readParquet } from "./parquet.ts";
import { refuseRowNumbers } from "./row-numbers.ts";
import { openSource, type RandomAccess, type Source, STDIN } from "./source.ts";
import { readTimeSeries } from "./time-series.ts";
import { createTimeReader } from "./times.ts";
import { cutWindows, type WindowOptions } from "./windows.ts";

/**
 * Reads all files one after the other, some sequences at a time, in order. A batch's T is its own longest sequence's. Rows of
 * series are read to the end before their first window comes. Throws DataError, UsageError, also where an option does nothing.
 */
export async function* readBatches(paths: readonly string[], given: ReadOptions, hash: Hash | null = null): AsyncGenerator<Batch> {
  checkOptions(paths, given);
  const renaming = given.rename && createRenaming(given.rename);
  const { time, timeFormat } = given;
  const reader = timeFormat && time !== undefined && !isLong(given) ? createTimeReader(time, describePaths(paths), timeFormat) : null;
  let first = 0;
  for await (const batch of readUnchecked(paths, given, renaming, hash)) {
    if (reader !== null && time !== undefined) first += reader.read(batch.columns[time], first).coarse.length; // of rows they are read anyway
    yield batch;
  }
  renaming?.checkUsed(describePaths(paths));
}

/** As readBatches, for whoever has checked the options, and sees to it that each name of `rename` is asked for. */
export async function* readUnchecked(
  paths: readonly string[],
  given: ReadOptions,
  rename: NameOptions["rename"],
  hash: Hash | null,
): AsyncGenerator<Batch> {
  const options = nameArrays(paths, given);
  const { onNote = () => {} } = options;
  const labelsPath = options.ignoreLabels ? undefined : options.labels;
  const wanted = { ...wantedOf(options, labelsPath), rename };
  const files = readFiles(paths, options, wanted, hash);
  const areUnnamed = wanted.rows !== undefined && wanted.rows.features === undefined && wanted.target === undefined;
  const batches = areUnnamed ? refuseRowNumbers(files, wanted.inputs, describePaths(paths)) : files;
  const { inputs } = options;
  const encoded = async function* (given: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of given) yield inputs ? encodeKnown(batch, inputs) : batch;
  };
  if (wanted.rows) return yield* encoded(cutWindows(batches, describePaths(paths), windowsOf(options), onNote));
  if (labelsPath === undefined) return yield* encoded(batches);
  const labels = await readLabels(openSource(labelsPath, undefined, null), wanted);
  yield* withLabels(encoded(batches), labels, labelsPath, describePaths(paths));
  if (hash) for await (const _ of openSource(labelsPath, undefined, hash).chunks()); // after the data's bytes
}

/** `--features` alone names the features of arrays, which hold no rows of series. */
function nameArrays(paths: readonly string[], options: ReadOptions): ReadOptions {
  const { features, format, ...others } = options;
  if (features === undefined || isLong({ ...others, window: others.window === others.target?.timesteps ? undefined : others.window }))
    return options;
  const areArrays = expandFolders(paths).every((path) => ["npz", "npy"].includes(openSource(path, format, null).format));
  return areArrays ? { ...others, format, window: undefined, names: features } : options;
}

function wantedOf(options: ReadOptions, labelsPath: string | undefined): Wanted {
  const { ignoreLabels = false, onIssue = throwIssue, onNote, gaps, gapAdvice, group, time, key, label, features, sep, decimal } = options;
  const { id = [], byPosition, target, static: statics = [], inputs, validation, softLabels, known } = options;
  const isRows = isLong(options);
  return {
    axes: options.axes,
    features: isRows ? undefined : options.names,
    byPosition,
    target,
    pattern: options.columns === undefined ? undefined : readPattern(options.columns),
    labels: !ignoreLabels && labelsPath === undefined,
    label,
    known,
    parts: !ignoreLabels,
    validation,
    softLabels,
    columns: [...new Set([...id, isRows ? key : group, time, ...(isRows ? [] : statics)].filter((name) => name !== undefined))],
    statics,
    inputs: inputs ? knownInputTable(inputs) : options.inputTable,
    rows: isRows ? { features: features && [...features.filter((name) => !statics.includes(name)), ...statics] } : undefined,
    gaps,
    gapAdvice,
    labelCodes: options.labelCodes,
    inPieces: options.store !== undefined,
    onIssue,
    onNote,
    dialect: { separator: sep, decimal },
  };
}

/** Throws UsageError where the text says no feature, or no step. */
function readPattern(text: string): RegExp {
  const pattern = parsePattern(text);
  if (pattern) return pattern;
  throw new UsageError(
    `--columns must hold {feature} and either {step} or {lag}, as "{feature}_{step}", or be "{feature}" where names repeat, got ${text}`,
  );
}

function windowsOf(options: ReadOptions): WindowOptions {
  const {
    key,
    time,
    timeFormat,
    maxGap,
    clock,
    window,
    stride,
    horizon = 0,
    ignoreLabels,
    keepTimes,
    maxWindows,
    further,
    inOne = false,
  } = options;
  return {
    key,
    time,
    timeFormat,
    keepTimes,
    maxGap,
    clock,
    window: window ?? DEFAULT_SHAPE.timesteps,
    stride,
    horizon: ignoreLabels ? 0 : horizon,
    maxWindows: maxWindows ?? Number.POSITIVE_INFINITY,
    further,
    inOne,
  };
}

/** `a.csv`, or `a.csv and 2 more`. */
export function describePaths(paths: readonly string[]): string {
  const [first, ...more] = paths.map((path) => (path === "-" ? "standard input" : path));
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The files' batches as they come, each with the features of the first. */
async function* readFiles(paths: readonly string[], options: ReadOptions, wanted: Wanted, hash: Hash | null): AsyncGenerator<Batch> {
  let first: Batch | null = null;
  const files = expandFolders(paths);
  const onBytes = countBytes(files, options.onRead);
  for (const path of files) {
    const source = openSource(path, options.format, hash, onBytes);
    let rounded = 0;
    const named: Wanted = {
      ...wanted,
      target: wanted.target ?? targetOf(first, describePaths(files.slice(0, 1))),
      onRounded: (count) => {
        rounded += count;
      },
    };
    const isRenamed = wanted.rows !== undefined && !source.format.startsWith("json"); // columns of rows are features
    const alignment = isRenamed ? { ...named, rename: undefined } : named;
    for await (const read of readSource(source, named)) {
      const aligned = noteRounded(alignFeatures(read, source.name, alignment), rounded);
      rounded = 0;
      first ??= { ...aligned, values: new Float64Array(0), test: null, validation: undefined, columns: {} };
      checkAlike(aligned, first, source.name, describePaths(files.slice(0, 1)));
      yield wanted.rows ? aligned : joinStatics(aligned, wanted.statics, options.inputs);
    }
  }
}

function noteRounded(batch: Batch, count: number): Batch {
  return count === 0 ? batch : { ...batch, remarks: [...(batch.remarks ?? []), { code: "rounded", count }] };
}

/** What the first of several files asks of the others: its names, where it has any. */
function targetOf(first: Batch | null, source: string): Target | undefined {
  if (!first?.features) return undefined;
  return { timesteps: first.shape.timesteps, features: first.features, source };
}

/** Throws DataError where a batch has other features than the first, or labels where that has none. */
function checkAlike(batch: Batch, first: Batch, source: string, firstPath: string): void {
  const isNamedAlike = batch.features === null || first.features === null || batch.features.join() === first.features.join();
  if (batch.shape.features !== first.shape.features || !isNamedAlike)
    throw new DataError(source, `has the features ${describeFeatures(batch)}, expected ${describeFeatures(first)} as in ${firstPath}`);
  if ((batch.labels === null) !== (first.labels === null))
    throw new DataError(source, `has ${batch.labels === null ? "no" : "its"} labels, unlike what comes before: give all of them, or none`);
}

/** Adds up what is read of the files and reports its share; undefined where nobody asks, or where their size is not known. */
function countBytes(paths: readonly string[], onRead: ReadOptions["onRead"]): ((bytes: number) => void) | undefined {
  if (onRead === undefined || paths.includes(STDIN)) return undefined;
  const total = paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  if (total === 0) return undefined;
  let read = 0;
  return (bytes) => {
    read += bytes;
    onRead(Math.min(1, read / total));
  };
}

function describeFeatures({ features, shape }: Batch): string {
  return features?.join(", ") ?? `of ${shape.features} columns`;
}

async function* readSource(source: Source, wanted: Wanted): AsyncGenerator<Batch> {
  const { name } = source;
  if (wanted.rows && ["npz", "npy", "ts", "arff"].includes(source.format))
    throw new DataError(
      name,
      "holds arrays of sequences; rows of series are read from .csv, .jsonl and .parquet: leave out --key, --window and --stride",
    );
  switch (source.format) {
    case "npz":
      return yield* readAt(source, async function* (file) {
        yield* readArchivePieces(await openNpz(file, name), name, wanted);
      });
    case "npy":
      if (wanted.columns.length > 0) throw new DataError(name, `holds one array and no ${wanted.columns[0]}: save both in one .npz`);
      return yield* readAt(source, (file) => readNpyFile(file, name, wanted));
    case "csv":
      return yield* readCsv(source.chunks(), name, wanted);
    case "jsonl":
      return yield* readJsonl(source.chunks(), name, wanted);
    case "ts":
    case "arff":
      return yield* readTimeSeries(source.chunks(), name, source.format, wanted);
    case "json":
      return yield* readJson(await source.whole(), name, wanted);
    case "parquet":
      return yield* readAt(source, (file) => readParquet(file, name, wanted));
    case "arrow": {
      const { readArrow } = await import("./arrow.ts"); // a tenth of a second, for those who need it
      return yield* readArrow(await source.whole(), name, wanted);
    }
  }
}

/** What `read` makes of a file, which is open meanwhile. */
async function* readAt(source: Source, read: (file: RandomAccess) => Iterable<Batch> | AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const file = await source.random();
  try {
    yield* read(file);
  } finally {
    file.close();
  }
}

async function readLabels(source: Source, wanted: Wanted): Promise<ReturnType<typeof toLabels>> {
  const { name, format } = source;
  if (format === "npy") return toLabels(readNpy(await source.whole(), name), "labels", name, null, wanted);
  if (format === "csv") return { labels: await readCsvLabels(source.chunks(), name, wanted), remarks: [] };
  throw new DataError(name, `has the extension .${format}, expected .npy or .csv for labels`);
}

/** The batches with the labels that are theirs. */
async function* withLabels(
  batches: AsyncGenerator<Batch>,
  { labels, remarks }: ReturnType<typeof toLabels>,
  labelsPath: string,
  source: string,
): AsyncGenerator<Batch> {
  let N = 0;
  for await (const batch of batches) {
    const count = batch.values.length / (batch.shape.timesteps * batch.shape.features);
    yield { ...batch, labels: labels.slice(N, N + count), remarks: [...(batch.remarks ?? []), ...remarks] };
    N += count;
  }
  if (labels.length !== N)
    throw new DataError(labelsPath, `holds ${labels.length} labels, expected ${N}, one for each sequence in ${source}`);
}
