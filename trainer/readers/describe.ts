// Sentences about what was read. Knows facts, no files.
import { basename } from "node:path";
import { hasDefaultNames } from "./align.ts";
import { nameSeparator } from "./dialect.ts";
import type { LabelFacts, ReadFacts } from "./facts.ts";
import { isPlain, type LabelMeaning, showValue } from "./labels.ts";
import type { ReadNote } from "./notes.ts";
import { quoteWord, show, UNNAMED } from "./quoting.ts";
import type { PositionReason, Remark } from "./reading.ts";

/** Feature names that are all written; of more, and of names that only count, the first and the last. */
const MAX_NAMES = 8;

/** `read mine.npz: 3,000 sequences, 10 steps × 5 features (f0 … f4), float64, label y, 27.2 % positive` */
export function describeRead(facts: ReadFacts): string {
  const { source, sequences, shape, series, dtype, labels, testSequences, validationSequences, zeroSequences } = facts;
  const parts = [
    series === null
      ? quantity(sequences, "sequence")
      : `${quantity(sequences, "window")} of ${series === 1 ? "one" : count(series)} series`,
    `${quantity(shape.timesteps, "step")} × ${quantity(shape.features, "feature")} (${listNames(facts.features)})`,
    ...(dtype === null ? [] : [dtype]),
    ...(labels === "ignored" ? [] : labels === "none" ? ["no labels"] : describeLabels(labels, sequences)),
    ...(testSequences === 0 ? [] : [`${quantity(testSequences, "test sequence")}`]),
    ...(validationSequences === 0 ? [] : [`${quantity(validationSequences, "validation sequence")}`]),
    ...(zeroSequences === 0 ? [] : [`${quantity(zeroSequences, "sequence")} of zeros alone`]),
  ];
  return `read ${source}: ${[...parts, ...listDetails(facts)].join(", ")}`;
}

/** `reading mine.csv: 10 steps × 5 features (f0 … f4), label y`, of the first batch of many, before their number is known. */
export function describeReading(facts: ReadFacts): string {
  const { source, shape, features, dtype, labels } = facts;
  const parts = [
    `${quantity(shape.timesteps, "step")} × ${quantity(shape.features, "feature")} (${listNames(features)})`,
    ...(dtype === null ? [] : [dtype]),
    ...(labels === "ignored" ? [] : [labels === "none" ? "no labels" : `label ${labels.name}`]),
  ];
  return `reading ${source}: ${[...parts, ...listDetails(facts)].join(", ")}`;
}

/** What the readers did, found out and left out, as parts of a sentence. */
export function listDetails({ source, remarks, notes, testNotes }: ReadFacts): string[] {
  const isTimed = remarks.some((remark) => remark.code === "series" && remark.time !== undefined);
  const isOnce = (remark: Remark): boolean => remark.code === "column-left-out" && remark.isOnce === true;
  const lastOnce = remarks.findLastIndex(isOnce);
  return [
    ...remarks.map((remark, i) => describeRemark(remark, isTimed) + (i === lastOnce ? adviseOnce(remarks.filter(isOnce)) : "")),
    ...notes.map((note) => describeNote(note, source)),
    ...testNotes.map((note) => `in the test file ${describeNote(note)}`),
  ];
}

/** More names than so many are no help in a sentence. */
const MAX_ADVISED = 5;

/** What takes columns that are left out to the model, once a sequence. */
function adviseOnce(remarks: readonly Remark[]): string {
  const names = remarks.flatMap((remark) => (remark.code === "column-left-out" ? [remark.column] : []));
  const said = names.length > MAX_ADVISED ? "NAMES" : names.map(quoteWord).join(",");
  return ` (--static ${said} gives ${names.length === 1 ? "it" : "them"} to the model)`;
}

const POSITION_REASONS: Readonly<Record<PositionReason, string>> = {
  "no-names": "columns by position",
  "integer-header": "columns by position (the header holds numbers only)",
  asked: "columns by position (--by-position)",
  "default-names": "columns by position (the model's features have no names)",
};

/** What a reader did, as a part of a sentence; `isTimed`: another column holds the times. */
function describeRemark(remark: Remark, isTimed: boolean): string {
  switch (remark.code) {
    case "index-left-out":
      return `index ${remark.column === "" ? "column without a name" : show(remark.column)} left out${remark.holdsTimes && !isTimed ? ` (where it holds times, --time ${quoteWord(remark.column || UNNAMED)} takes it)` : ""}`;
    case "label-left-out":
      return `label ${show(remark.column)} left out`;
    case "id-left-out":
      return `${show(remark.column)} left out (no feature in training; --id ${quoteWord(remark.column)} writes it beside the scores)`;
    case "column-left-out":
      return `column ${show(remark.column)} left out`;
    case "validation-left-out":
      return `${remark.array} left out`;
    case "arrays-left-out":
      return `${remark.arrays.length === 1 ? "array" : "arrays"} ${listNames(remark.arrays)} left out`;
    case "one-hot":
      return `${remark.array} one-hot, so a label is the number of its column: ${remark.columns === 2 ? "0 or 1, the second" : `0 to ${remark.columns - 1}`}`;
    case "by-position":
      return POSITION_REASONS[remark.reason];
    case "series":
      return describeSeries(remark);
    case "grouped":
      return `groups by ${show(remark.group)}`;
    case "sorted":
      return `sorted by ${show(remark.time)}`;
    case "reordered":
      return "features put in the model's order by name";
    case "turned":
      return "features × steps turned to steps × features";
    case "category":
      return `${show(remark.feature)} a category of ${quantity(remark.levels, "level")}`;
    case "static":
      return `${remark.features.join(", ")} once a sequence`;
    case "still":
      return `${listNames(remark.features)} the same in all rows of a sequence (--static gives ${remark.features.length === 1 ? "it" : "them"} once)`;
    case "rounded":
      return `${count(remark.count)} whole numbers beyond 2^53 rounded to the nearest float64`;
  }
}

/** `series by "pump", in the order of "at", each with the label 1 row later` */
function describeSeries({ key, time, horizon, isOneRowEach }: Extract<Remark, { code: "series" }>): string {
  return [
    `series by ${key === undefined ? "file" : show(key)}, in the order of ${time === undefined ? "the file" : show(time)}`,
    ...(horizon === undefined ? [] : [`a window's label ${quantity(horizon, "row")} behind its last (--horizon)`]),
    ...(isOneRowEach ? ["each series one row (a key is what the rows of one sequence share)"] : []),
  ].join(", ");
}

function describeLabels({ name, isFile, positives, missing, meaning, areSoft }: LabelFacts, sequences: number): string[] {
  const labelled = sequences - missing;
  return [
    `${areSoft ? "soft " : ""}${isFile ? "labels from" : "label"} ${name}`,
    ...(meaning === null || isPlain(meaning) ? [] : [describeMeaning(meaning)]),
    ...(labelled === 0 || Number.isNaN(positives) ? [] : [`${((100 * positives) / labelled).toFixed(1)} % positive`]),
    ...(missing === 0 ? [] : [`${count(missing)} without a label`]),
  ];
}

/** `1 is "yes", 0 is "no"` */
export function describeMeaning({ one, zero, values }: LabelMeaning): string {
  if (zero === null && values.length === 1) return `1 is ${showValue(one)}`;
  return `1 is ${showValue(one)}, 0 is ${zero === null ? `any other of ${values.length} labels` : showValue(zero)}`;
}

/** What a reader found out or left out, as a part of a sentence about the data that are called `source`. */
export function describeNote(note: ReadNote, source?: string): string {
  switch (note.code) {
    case "windows-thinned":
      return `one window in ${note.stride} taken to fit into memory (${count(note.taken)} of ${count(note.windows)}, --stride decides it)`;
    case "windows-sampled":
      return `a sample of ${count(note.windows)} windows, evenly spread; networks learn from the others, too`;
    case "series-too-short":
      return `${count(note.series)} of ${count(note.total)} series left out (they end within the horizon of ${note.horizon})`;
    case "series-padded":
      return `${count(note.series)} of ${count(note.total)} series padded (shorter than a window of ${note.window})`;
    case "rows-unsorted":
      return `${quantity(note.rows, "row")} behind a later row of the same series put in order of time`;
    case "times-equal":
      return `${quantity(note.rows, "row")} with the time of the row before in the same series${note.isWithoutKey ? " (rows of several things are told apart by the column that --key names)" : ""}`;
    case "time-gaps":
      return `${quantity(note.rows, "row")} more than ${note.factor} times the usual step of ${describeStep(note.usual, note.areDates)} after the row before (--max-gap begins a new series there)`;
    case "series-cut":
      return `a new series begun at ${quantity(note.rows, "row")} more than ${note.maxGap} after the row before`;
    case "dialect":
      return describeDialect(note, source);
  }
}

/** The largest unit of which a step has at least one. */
const STEP_UNITS: readonly [ms: number, name: string][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
];

function describeStep(step: number, areDates: boolean): string {
  const round = (x: number): string => String(Number(x.toPrecision(3)));
  if (!areDates) return round(step);
  const [ms, name] = STEP_UNITS.find(([ms]) => step >= ms) ?? [1, "millisecond"];
  const amount = round(step / ms);
  return `${amount} ${name}${amount === "1" ? "" : "s"}`;
}

function describeDialect({ files, separator, decimal, comments }: Extract<ReadNote, { code: "dialect" }>, source?: string): string {
  const parts = [
    `columns separated by ${nameSeparator(separator)}`,
    ...(decimal === "," ? ["decimal commas"] : []),
    ...(comments === 0 ? [] : [`${quantity(comments, "line")} of comments left out`]),
  ];
  const isWhole = source === undefined || (files.length === 1 && files[0] === source);
  const where = isWhole ? "" : ` (${basename(files[0])}${files.length === 1 ? "" : ` and ${files.length - 1} more`})`;
  return parts.join(", ") + where;
}

function listNames(names: readonly string[]): string {
  const isCounted = names.length > 3 && hasDefaultNames(names);
  return names.length <= MAX_NAMES && !isCounted ? names.join(", ") : `${names[0]} … ${names[names.length - 1]}`;
}

function quantity(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
