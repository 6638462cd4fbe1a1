// Data files → one Dataset with everything checked. What cannot be used is one DataError: which file and where in it, what stands
// there, what was expected, what to do.
// Legend: N sequences, T steps, F features.
import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { DataError } from "../../shared/errors.ts";
import type { Input } from "../../shared/recipe/inputs.ts";
import type { Shape } from "../../shared/sequence.ts";
import { countOnes, type Labels } from "../statistics/labels.ts";
import { checkShape } from "./arrays.ts";
import type { Batch, LabelledPart, Part, Timeline } from "./batch.ts";
import { sortByTime, toGroups } from "./columns.ts";
import { describePaths, readUnchecked } from "./data-files.ts";
import { encodeFound, encodePart } from "./encode-inputs.ts";
import { createReadTally, type ReadFacts, tallyBatches, withoutTime } from "./facts.ts";
import type { FurtherWindows } from "./further-windows.ts";
import { type FoundInputs, openInputTable } from "./input-table.ts";
import { joinBatches } from "./join.ts";
import { createLabelCodes, type LabelCodes } from "./labels.ts";
import { addNote, type ReadNote } from "./notes.ts";
import { checkOptions, createRenaming, type Renaming } from "./option-checks.ts";
import { isLong, type ReadOptions } from "./options.ts";
import type { Remark } from "./reading.ts";
import { stem } from "./source.ts";
import { findStill } from "./still-features.ts";
import type { StoredSequences } from "./stored-sequences.ts";
import { createTimeReader } from "./times.ts";

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
  /** What the features but the time come from, where some are categories or given once a sequence. */
  readonly inputs?: readonly Input[];
  /** Whether the values came as float32. */
  readonly float32: boolean;
  /** From a file of its own or brought along, or null. */
  readonly test: LabelledPart | null;
  /** Brought along: for choices, and never learnt from. */
  readonly validation?: LabelledPart;
  /** (N) numbered from 0, equal for sequences that belong together; undefined where nothing names them. */
  readonly groups?: Int32Array;
  /** Where windows that were cut from rows lie in time; undefined where the file held sequences. */
  readonly timeline?: Timeline;
  /** Windows beside these, where these are a sample of more than `maxWindows`: for networks to learn from. */
  readonly further?: LabelledWindows;
  /** All sequences, where `options.store` says so: `values` holds none then. Whoever has the set closes them. */
  readonly stored?: StoredSequences;
  /** The column of times by which whole sequences were sorted. */
  readonly orderedBy?: string;
  /** Whoever has the set may move its sequences about: nobody else looks at the values. */
  readonly isOwned?: boolean;
  /** How the files were read, under the name of the data alone. */
  readonly read?: ReadFacts;
  /** What beside the bytes decides what was read, as text. */
  readonly reading?: string;
}

/** A data set that was read from files, with what there is to say of it. */
export type ReadDataset = Dataset & { readonly facts: ReadFacts };

export type LabelledWindows = FurtherWindows & { readonly labels: Labels };

export type LabelledDataset = Dataset & { readonly labels: Labels };

const MIN_SEQUENCES = 100;

/** Reads all files into one set; sequences are (N,T,F), flat ones 10 × 5 or as a header says. Throws DataError, UsageError. */
export async function readDataset(paths: readonly string[], options: ReadOptions): Promise<ReadDataset> {
  checkOptions(paths, options);
  const renaming = options.rename && createRenaming(options.rename);
  const hash = createHash("sha256");
  const { group, time, test: testPath } = options;
  const labelCodes = createLabelCodes({
    positive: options.positive,
    learnt: options.learnt,
    areNumbersValues: options.positive !== undefined || options.onIssue === undefined,
  });
  const tally = createReadTally(describePaths(paths), options.ignoreLabels ? undefined : options.labels, options.ignoreLabels, labelCodes);
  const onNote = (note: ReadNote): void => {
    tally.note(note);
    options.onNote?.(note);
  };
  const inputTable = openInputTable(options.category);
  const all = tallyBatches(readUnchecked(paths, { ...options, labelCodes, inputTable, onNote, inOne: true }, renaming, hash), tally);
  const joined = loadWhereNeeded(await joinBatches(all, describePaths(paths), { store: options.store }), options, inputTable);
  const main = encodeAll(joined, inputTable, options, describePaths(paths));
  const ofTestFile = { ...testOptionsOf(options, joined, main.inputs), labelCodes };
  const apart = testPath === undefined ? null : await readTest(testPath, ofTestFile, renaming, main, hash);
  renaming?.checkUsed(describePaths(paths));
  const { labels, test, validation, further } = settleLabels(labelCodes, main, apart?.test ?? main.test, paths, options.positive);
  const { shape, dtype, columns, timeline } = main;
  const groups = group === undefined ? undefined : toGroups(columns[group], group, paths[0]);
  const { stored } = main;
  const content = { values: main.values, labels, probability: main.probability, groups, ...(stored && { stored }) };
  const isSorted = time === undefined || timeline !== undefined;
  const ordered = isSorted ? content : sortByTime(content, createTimeReader(time, paths[0], options.timeFormat).read(columns[time]));
  const features = main.features ?? Array.from({ length: shape.features }, (_, f) => `f${f}`);
  const arranged: readonly Remark[] = [
    ...(group === undefined ? [] : [{ code: "grouped" as const, group }]),
    ...(isSorted ? [] : [{ code: "sorted" as const, time }]),
  ];
  const said = tally.facts();
  const ofTest = { testSequences: test?.labels.length ?? 0, testNotes: apart?.notes ?? [] };
  const remarks = [...said.remarks, ...arranged, ...describeInputs(main, features)];
  const facts: ReadFacts = { ...said, ...withoutTime(shape, features), ...ofTest, remarks, ...saidOf(options) };
  return {
    ...ordered,
    ...(!isSorted && { orderedBy: time }),
    source: describePaths(paths),
    name: basename(stem(paths[0])),
    sha256: hash.digest("hex"),
    shape,
    features,
    float32: dtype === "float32" || dtype === "float16",
    ...(main.inputs && { inputs: main.inputs }),
    test,
    ...(validation && { validation }),
    timeline,
    ...(further && { further }),
    facts,
    read: withoutPaths(facts, basename(stem(paths[0]))),
    reading: describeOptions(options),
  };
}

/** The batch as it is; but sequences that are in a file are in memory where something recodes them, or a part from elsewhere is compared with them. */
function loadWhereNeeded({ stored, ...batch }: Batch, options: ReadOptions, table: FoundInputs): Batch {
  if (stored === undefined) return batch;
  const { static: statics = [], inputs, test } = options;
  const isPlain = batch.features?.every((name) => table.of(name).kind !== "category") ?? true;
  const isAlone = test === undefined && !batch.test && !batch.validation;
  if (isPlain && isAlone && statics.length === 0 && inputs === undefined) return { ...batch, stored };
  const values = stored.read(Int32Array.from({ length: stored.count }, (_, n) => n));
  stored.close();
  return { ...batch, values };
}

/** A set and its own parts as features. Throws DataError. */
function encodeAll(
  joined: Awaited<ReturnType<typeof joinBatches>>,
  table: FoundInputs,
  { inputs: known, static: statics = [], gaps = false }: ReadOptions,
  source: string,
) {
  const batch = known ? joined : encodeFound(joined, table, statics, source);
  const { inputs, test, validation, shape } = batch;
  if (inputs === undefined) return batch;
  const encoded = (part: LabelledPart, name: string) =>
    encodePart(part, inputs, { timesteps: shape.timesteps, gaps }, `${source}: the ${name} part`);
  return { ...batch, test: test && encoded(test, "test"), ...(validation && { validation: encoded(validation, "validation") }) };
}

/** The labels of a set, of its own parts and of its test part, all settled. Throws DataError as LabelCodes does. */
function settleLabels(
  codes: LabelCodes,
  main: ReturnType<typeof encodeAll>,
  test: LabelledPart | null,
  paths: readonly string[],
  positive: string | undefined,
) {
  const source = describePaths(paths);
  if (positive !== undefined && main.labels === null)
    throw new DataError(source, `holds no labels, of which --positive ${positive} would be one`);
  const { validation, further } = main;
  const given = [main.labels, test?.labels ?? null, validation?.labels ?? null, further?.labels ?? null] as const;
  const [labels, ofTest, ofValidation, ofFurther] = codes.settle(given, source).parts;
  return {
    labels,
    test: test && ofTest ? { ...test, labels: ofTest } : test,
    validation: validation && ofValidation && { ...validation, labels: ofValidation },
    further: further && ofFurther && { ...further, labels: ofFurther },
  };
}

/** A test file of its own, with the steps and features of `main`. Throws DataError. */
async function readTest(
  path: string,
  options: ReadOptions,
  rename: Renaming | undefined,
  main: Batch,
  hash: Hash,
): Promise<{ readonly test: LabelledPart; readonly notes: readonly ReadNote[] }> {
  let notes: readonly ReadNote[] = [];
  const onNote = (note: ReadNote): void => {
    notes = addNote(notes, note);
  };
  const batch = await joinBatches(readUnchecked([path], { ...options, onNote }, rename, hash), path);
  checkShape(batch.shape, main.shape, path, "the sequences");
  return { test: requireLabels({ ...batch, source: path }), notes };
}

/** What there is to say of categories, of what is given once a sequence, and of what could be. */
function describeInputs({ values, stored, shape, inputs = [] }: Batch, features: readonly string[]): Remark[] {
  const categories = inputs.flatMap(({ name, levels }): Remark[] =>
    levels ? [{ code: "category", feature: name, levels: levels.length }] : [],
  );
  const statics = inputs.filter((input) => input.static).map(({ name }) => name);
  const still = findStill(() => stored?.blocks() ?? [values], shape, features, inputs.length > 0 ? inputs : undefined);
  return [
    ...categories,
    ...(statics.length > 0 ? [{ code: "static", features: statics } as const] : []),
    ...(still.length > 0 ? [{ code: "still", features: still } as const] : []),
  ];
}

/** How the test file is read: as the data, to the same features. */
function testOptionsOf(options: ReadOptions, { shape, features }: Batch, inputs: readonly Input[] | undefined): ReadOptions {
  const { key, window, stride, horizon, time, timeFormat, maxGap, label, gaps, onIssue, sep, decimal } = options;
  const { id, columns, byPosition, axes, clock, softLabels, static: statics = [] } = options;
  const given = features?.slice(0, shape.clock ? -1 : undefined); // the time has an option of its own
  const known = isLong(options) ? given : given?.filter((name) => !statics.includes(name));
  const rows = { key, features: options.features ?? known, window, stride, horizon, time, timeFormat, maxGap, clock };
  const target = known && { timesteps: shape.timesteps, features: known };
  const naming = { id, columns, byPosition, axes, target, static: statics, inputs };
  return { ...(isLong(options) && rows), ...naming, labels: options.testLabels, label, softLabels, gaps, onIssue, sep, decimal };
}

/** What beside the bytes decides what is read. */
function describeOptions(options: ReadOptions): string {
  const {
    format,
    sep,
    decimal,
    label,
    positive,
    key,
    time,
    group,
    features,
    window,
    stride,
    horizon,
    id,
    rename,
    columns,
    byPosition,
    axes,
  } = options;
  return JSON.stringify({
    ...{ format, sep, decimal, label, positive, key, time, group, features, window, stride, horizon },
    ...{ timeFormat: options.timeFormat?.text, maxGap: options.maxGap?.text },
    ...{ id, rename: rename && [...rename], columns, byPosition: byPosition || undefined, axes },
    ...{ static: options.static, category: options.category, softLabels: options.softLabels || undefined },
  });
}

/** What options say of columns that other data have, too. */
function saidOf({ id, columns }: ReadOptions): Pick<ReadFacts, "ids" | "columns"> {
  return { ...(id && { ids: id }), ...(columns !== undefined && { columns }) };
}

/** Facts that name no place of this machine. */
function withoutPaths(facts: ReadFacts, name: string): ReadFacts {
  const { source, labels, notes, testNotes } = facts;
  const shorten = (note: ReadNote): ReadNote =>
    note.code === "dialect" ? { ...note, files: note.files.map((file) => (file === source ? name : basename(file))) } : note;
  return {
    ...facts,
    source: name,
    labels: typeof labels === "string" ? labels : { ...labels, name: basename(labels.name) },
    notes: notes.map(shorten),
    testNotes: testNotes.map(shorten),
  };
}

/** Throws DataError where a data set holds no labels. */
export function requireLabels<D extends { readonly labels: Labels | null; readonly source: string }>(
  data: D,
): D & { readonly labels: Labels } {
  const { labels, source } = data;
  if (labels === null)
    throw new DataError(
      source,
      "holds no labels: name their column with --label, or give them in a file with --labels or --test-labels, as an array y or as a column named label",
    );
  return { ...data, labels };
}

/** What training needs beyond a readable file: labels, both of them, and enough sequences. Throws DataError. */
export function checkTrainable(data: Dataset, minSequences = MIN_SEQUENCES): LabelledDataset {
  const labelled = requireLabels(data);
  const { labels, source } = labelled;
  if (labels.length < minSequences)
    throw new DataError(source, `holds ${labels.length} sequences, expected at least ${minSequences} to train on: bring more`);
  const positives = countOnes(labels);
  if (positives === 0 || positives === labels.length)
    throw new DataError(source, `holds only the label ${labels[0]}, expected both 0 and 1: there is nothing to tell apart`);
  return labelled;
}
