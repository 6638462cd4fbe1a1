// JSON, one record a line, all in one array, or a table of pandas': a sequence of its own length, bare or under "sequence" with a label beside it;
// one row of a series, or a sequence in fields of their own, as an object. Bytes → batches. Knows no file system. One format, so one file.
// Legend: T steps, F features.

import { DataError, describe, SequenceError } from "../../shared/errors.ts";
import { isIndex } from "../../shared/index-names.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, parseSequence } from "../../shared/sequence.ts";
import type { Labels } from "../statistics/labels.ts";
import { type Batch, toColumn, type Wanted } from "./batch.ts";
import { readingsOf } from "./encode-inputs.ts";
import { toUtf8 } from "./encoding.ts";
import { adviseOnText, type InputReading, readCell } from "./input-table.ts";
import { expectLabel, expectNumber, isMissingLabel, openLabels, toLabel } from "./issues.ts";
import { type Fields, isFields, RECORDS_ADVICE, readFrame } from "./json-frames.ts";
import { arrangeRows, FEATURES, findNames } from "./json-names.ts";
import { type LongNumberUse, parseJson } from "./json-text.ts";
import { planWide, type WideFields } from "./json-wide.ts";
import { NO_LABEL } from "./no-label.ts";
import { show } from "./quoting.ts";
import type { Remark } from "./reading.ts";
import { isIdentifier, isKnownId, isLabel, labelsAmong, leaveOut, refuseIdentifier } from "./roles.ts";

/** One line, read. */
interface JsonRecord {
  /** (T,F) */
  readonly values: Float64Array;
  readonly label: number | null;
  readonly labelName: string | null;
  /** As `wanted.columns` */
  readonly others: readonly (string | number)[];
}

/** Records of a batch; the shorter ones are padded to the longest of these. */
const RECORDS_A_BATCH = 4096;
/** 512 × 64 numbers of 17 digits take a fifth. */
const MAX_LINE_BYTES = 2 ** 22;
/** A text of Node's holds half a billion characters. */
const MAX_DOCUMENT_BYTES = 2 ** 29 - 32;
/** Where a line may hold its sequence. */
const SEQUENCE = "sequence";
/** And what is given once a sequence. */
const STATIC = "static";

/** Reads records, some at a time; those of a batch that are shorter than its longest are padded in front. Throws DataError naming the line. */
export async function* readJsonl(chunks: AsyncIterable<Uint8Array>, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  const batcher = createRecordBatcher(source, wanted);
  const use = longNumberUse(wanted);
  for await (const { lines, first } of splitLines(toUtf8(chunks, source), source))
    for (let i = 0; i < lines.length; i++) {
      if (lines[i] === "" || lines[i].trim() === "") continue;
      const place = `${source}: line ${first + i}`;
      batcher.add(parseLine(lines[i], place, use), place);
      if (batcher.isFull()) yield batcher.take();
    }
  yield* batcher.finish("has no line of JSON");
}

/** A document that is an array of records, or a table, as pandas' orient="records", "split" and "table" write them; of JSON lines, the lines. Throws DataError naming the record. */
export async function* readJson(bytes: Uint8Array, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  const parts: Uint8Array[] = [];
  for await (const part of toUtf8(chunksOf(bytes), source)) parts.push(part);
  const document = parseDocument(Buffer.concat(parts), source, longNumberUse(wanted));
  if (document === null) return yield* readJsonl(chunksOf(bytes), source, wanted);
  const batcher = createRecordBatcher(source, wanted);
  for (const [n, record] of document.entries()) {
    batcher.add(record, `${source}: [${n}]`);
    if (batcher.isFull()) yield batcher.take();
  }
  yield* batcher.finish("holds no record");
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The records of an array or a table; null where each line is a document of its own. Throws DataError. */
function parseDocument(bytes: Buffer, source: string, use: LongNumberUse): readonly unknown[] | null {
  if (bytes.length > MAX_DOCUMENT_BYTES)
    throw new DataError(source, `is JSON of more than ${MAX_DOCUMENT_BYTES} bytes: write it as JSON lines, a record a line`);
  const text = bytes.toString("utf8");
  const isObject = text.trimStart().startsWith("{");
  if (!isObject && !text.trimStart().startsWith("[")) return null;
  let document: unknown;
  try {
    document = parseJson(text, use);
  } catch {
    if (isObject) return null;
    const end = text.trimStart().indexOf("\n");
    if (end < 0) parseLine(text, source, use);
    parseLine(text.trimStart().slice(0, end), source, use); // a line by itself, or the error
    return null;
  }
  if (isFields(document)) return readFrame(document, source) ?? [document];
  return document as readonly unknown[];
}

/** Turns records into batches. */
function createRecordBatcher(source: string, wanted: Wanted) {
  let records: JsonRecord[] = [];
  let features: readonly string[] | null = null;
  let wide: WideFields | null = null;
  let names: readonly string[] | null = null; // of features, where sequences name them
  let readings: readonly InputReading[] | null = null;
  let F = 0;
  let besideWanted = wanted; // with the label of a wide table, where it has one
  let remarks: readonly Remark[] = [];
  let total = 0;
  const take = (): Batch => {
    const batch = { ...toBatch(records, F, features, source, wanted), remarks };
    total += records.length;
    records = [];
    return batch;
  };
  return {
    /** Throws DataError. */
    add(record: unknown, place: string): void {
      if (F === 0) {
        wide = !wanted.rows && isWide(record) ? planWide(record, place, wanted) : null;
        if (!wanted.rows && wide === null) names = findNames(record, sequenceOf(record), place);
        features = wanted.rows ? findFeatures(record, place, wanted) : (wide?.features ?? names);
        if (wanted.pattern && wide === null)
          throw new DataError(place, "holds no columns of a wide table, whose names --columns would say: leave --columns out");
        if (wide?.label) besideWanted = { ...wanted, label: wide.label };
        remarks = wide?.remarks ?? remarksOf(record, features, wanted);
        F = wide?.shape.features ?? features?.length ?? measureRow(record, place);
        readings = readingsOf(features ?? Array.from({ length: F }, (_, f) => `f${f}`), F, wanted);
      }
      const fields = wide?.names ?? (wanted.rows ? features : null);
      const sequence = names ? arrangeRows(record, sequenceOf(record), names, place) : sequenceOf(record);
      const values = fields ? readFields(record, fields, readings, place, wanted) : readSequence(sequence, F, readings, place, wanted);
      if (values !== null) records.push({ values, ...readBeside(record, place, besideWanted) });
    },
    isFull: () => records.length >= RECORDS_A_BATCH,
    take,
    /** The last batch. Throws DataError where there was none at all: `message`. */
    *finish(message: string): Generator<Batch> {
      if (records.length > 0) yield take();
      if (total === 0) throw new DataError(source, message);
    },
  };
}

/** Whole lines, as many at a time as have come; `first` counts from 1. */
async function* splitLines(chunks: AsyncIterable<Uint8Array>, source: string): AsyncGenerator<{ lines: string[]; first: number }> {
  const decoder = new TextDecoder();
  let rest: Uint8Array[] = []; // of a line that has not ended
  let restBytes = 0;
  let first = 1;
  const decode = (last: Uint8Array): string => decoder.decode(rest.length > 0 ? Buffer.concat([...rest, last]) : last);
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(0x0a) + 1;
    if (end > 0) {
      const lines = decode(chunk.subarray(0, end - 1)).split("\n");
      yield { lines, first };
      first += lines.length;
      rest = [];
      restBytes = 0;
    }
    if (end < chunk.length) rest.push(chunk.subarray(end));
    restBytes += chunk.length - end;
    if (restBytes > MAX_LINE_BYTES) throw new DataError(`${source}: line ${first}`, `is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (rest.length > 0) yield { lines: [decode(new Uint8Array(0))], first };
}

/** Keys, times and ids keep all digits; features that float64 rounds are counted. */
function longNumberUse({ columns, statics, rows, onRounded }: Wanted): LongNumberUse {
  const features = rows && (rows.features ?? null); // null: all fields that are left
  const isRead = (field: string): boolean => features === null || (features ?? [SEQUENCE, ...statics]).includes(field);
  return {
    isText: (field) => field !== undefined && columns.includes(field) && !statics.includes(field),
    onRounded: (field) => {
      if (field === undefined || isRead(field)) onRounded?.(1);
    },
  };
}

function parseLine(text: string, place: string, use: LongNumberUse): unknown {
  try {
    return parseJson(text, use);
  } catch (error) {
    const [, what, at] = /^(.*?)(?: in JSON at position (\d+).*|, (?:"|\.\.\.).*)?$/s.exec((error as Error).message) ?? [];
    throw new DataError(place, `is not JSON: ${what}${at === undefined ? "" : ` after character ${at}`}`);
  }
}

function sequenceOf(record: unknown): unknown {
  return isFields(record) ? record[SEQUENCE] : record;
}

/** Whether a record is a sequence in fields of their own: single values, of which one is as little a sequence as a word. */
function isWide(record: unknown): record is Fields {
  if (!isFields(record) || SEQUENCE in record) return false;
  const values = Object.values(record);
  return values.length > 1 && !values.some((value) => typeof value === "object" && value !== null);
}

/** F by the first row of the first sequence. */
function measureRow(record: unknown, place: string): number {
  const sequence = sequenceOf(record);
  if (isFields(record) && sequence === undefined) throw refuseFields(record, place);
  if (isCells(record)) throw refuseCells(record, place);
  const row: unknown = Array.isArray(sequence) ? sequence[0] : undefined;
  if (!Array.isArray(row) || row.length === 0 || row.length > MAX_FEATURES)
    throw new DataError(
      place,
      `holds ${describe(sequence)}, expected a sequence: an array of rows, each an array of 1 to ${MAX_FEATURES} numbers`,
    );
  return row.length;
}

/** Whether a record is a row of cells without names, as pandas' orient="values" writes it. */
function isCells(record: unknown): record is readonly unknown[] {
  return Array.isArray(record) && record.length > 1 && !record.every(Array.isArray) && !record.every(isFields);
}

function refuseCells(cells: readonly unknown[], place: string): DataError {
  return new DataError(
    place,
    `holds ${cells.length} cells without names, as pandas' to_json with orient="values" writes them: ${RECORDS_ADVICE}`,
  );
}

/** Fields among which is no sequence: a list a feature, or numbers alone. */
function refuseFields(record: Fields, place: string): DataError {
  const names = Object.keys(record);
  const lists = names.filter((name) => Array.isArray(record[name]));
  return new DataError(
    place,
    lists.length > 1
      ? `holds lists in ${lists.slice(0, 4).map(show).join(", ")}, expected "${SEQUENCE}", a list of rows: write one row a line, as explode of pandas and Polars does, and say --key`
      : `has no "${SEQUENCE}", only ${names.slice(0, 4).map(show).join(", ") || "nothing"}: for one row a line say --key, or --window where all rows are one series`,
  );
}

/** (T,F), or null after a complaint. */
function readSequence(
  given: unknown,
  F: number,
  readings: readonly InputReading[] | null,
  place: string,
  wanted: Wanted,
): Float64Array | null {
  const { sequence, missing } = readings ? toCodes(given, readings, place) : { sequence: given, missing: [] };
  const T = Array.isArray(sequence) ? Math.min(sequence.length, MAX_TIMESTEPS) : 0;
  const values = new Float64Array(T * F);
  try {
    parseSequence(sequence, [SEQUENCE], { timesteps: MAX_TIMESTEPS, features: F, gaps: wanted.gaps }, values, (T - MAX_TIMESTEPS) * F);
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
    wanted.onIssue(place, adviseOnNull(error, wanted));
    return null;
  }
  for (const at of missing) values[at] = Number.NaN;
  return values;
}

/** The parser's sentence, with what settles a null where no number may be missing. */
function adviseOnNull({ message, got }: SequenceError, { gapAdvice }: Wanted): string {
  return got === "null" && gapAdvice !== undefined ? `${message}: ${gapAdvice}` : message;
}

/** The sequence with codes in place of categories' texts, and where levels are missing; what is none stays, for the parser to refuse. */
function toCodes(sequence: unknown, readings: readonly InputReading[], place: string): { sequence: unknown; missing: readonly number[] } {
  const missing: number[] = [];
  if (!Array.isArray(sequence) || readings.every(({ kind }) => kind === "number")) return { sequence, missing };
  const rows = sequence.map((row: unknown, t) => {
    if (!Array.isArray(row) || row.length !== readings.length) return row;
    return row.map((value: unknown, f) => {
      const read = readCell(readings[f], value, `${place}: ${SEQUENCE}[${t}][${f}]`);
      if (read === undefined || !Number.isNaN(read) || value === read) return read ?? value;
      missing.push(t * row.length + f);
      return 0;
    });
  });
  return { sequence: rows, missing };
}

/** The features that are named, or all fields but the key, the time and the label. */
function findFeatures(record: unknown, place: string, { rows, columns, label, statics }: Wanted): readonly string[] {
  if (isCells(record)) throw refuseCells(record, place);
  if (!isFields(record)) throw new DataError(place, `holds ${describe(record)}, expected an object: one row, its features by name`);
  if (rows?.features?.every((name) => !Object.hasOwn(record, name)) && Object.hasOwn(record, SEQUENCE))
    throw new DataError(
      place,
      `holds a whole "${SEQUENCE}", while --key, --features, --window and --stride say one row a line: leave them out; a sequence names its features in its rows, as {"open": 1.2}`,
    );
  const rest = Object.keys(record).filter((name, i) => !columns.includes(name) && !isLabel(name, label) && !isIndex(name, i));
  const identifier = rest.find(isIdentifier);
  if (rows?.features === undefined && identifier !== undefined) throw refuseIdentifier(identifier, place);
  const features = rows?.features ?? [...rest.filter((name) => !statics.includes(name)), ...statics];
  if (features.length === 0 || features.length > MAX_FEATURES)
    throw new DataError(place, `has ${features.length} features, expected 1 to ${MAX_FEATURES}: name them with --features`);
  return features;
}

/** The numbers of fields: (1,F) of a row, (T,F) of a sequence. Readings are of F. */
function readFields(
  record: unknown,
  names: readonly string[],
  readings: readonly InputReading[] | null,
  place: string,
  { onIssue, gaps, gapAdvice }: Wanted,
): Float64Array {
  if (!isFields(record)) throw new DataError(place, `holds ${describe(record)}, expected an object: one row, its features by name`);
  return Float64Array.from(names, (name, i) => {
    const given = Object.hasOwn(record, name) ? record[name] : undefined;
    const input = readings?.[i % readings.length];
    const value = given === undefined ? given : (readCell(input, given, place) ?? given);
    if (input?.kind === "category" && Number.isNaN(value)) return Number.NaN;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (gaps && value === null) return Number.NaN;
    const what = value === undefined ? "missing" : describe(value);
    onIssue(place, `${show(name)} is ${what}, ${expectNumber(value === null, { gapAdvice }, adviseOnText(input, value))}`);
    return Number.NaN;
  });
}

function readBeside(record: unknown, place: string, wanted: Wanted): Omit<JsonRecord, "values"> {
  const fields = isFields(record) ? record : {};
  const others = wanted.columns.map((name) => {
    const isStatic = wanted.statics.includes(name);
    const value = isStatic ? staticOf(fields, name) : Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (isStatic) return readStatic(value, name, place, wanted);
    if (typeof value === "string" || typeof value === "number") return value;
    throw new DataError(place, `${show(name)} is ${value === undefined ? "missing" : describe(value)}, expected a number or text`);
  });
  const names = Object.keys(fields);
  const [usual, second] = wanted.label === undefined ? labelsAmong(names, wanted).map((column) => names[column]) : [];
  if (second !== undefined)
    throw new DataError(place, `has 2 labels, ${show(usual)} and ${show(second)}, expected one: name it with --label`);
  const name = wanted.label ?? usual;
  if (!wanted.labels || name === undefined) return { label: null, labelName: null, others };
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const label = typeof value === "boolean" ? Number(value) : value;
  if (typeof label === "number" || (typeof label === "string" && (wanted.labelCodes || isMissingLabel(label))))
    return { label: toLabel(label, show(name), place, wanted), labelName: name, others };
  const expected = (value ?? null) === null ? expectLabel() : "expected a label 0 or 1";
  wanted.onIssue(place, `${show(name)} is ${value === undefined ? "missing" : describe(value)}, ${expected}`, Number.NaN);
  return { label: NO_LABEL, labelName: name, others };
}

/** What is given once a sequence, beside it or in an object `static`. */
function staticOf(fields: Fields, name: string): unknown {
  const inner = isFields(fields[STATIC]) ? fields[STATIC] : {};
  return Object.hasOwn(fields, name) ? fields[name] : Object.hasOwn(inner, name) ? inner[name] : undefined;
}

/** A number, or a category's code. */
function readStatic(value: unknown, name: string, place: string, { inputs, gaps, gapAdvice, onIssue }: Wanted): number {
  const input = inputs?.of(name);
  const read = value === undefined ? undefined : readCell(input, value, place);
  if (read !== undefined && (Number.isFinite(read) || input?.kind === "category")) return read;
  if (gaps && value === null) return Number.NaN;
  onIssue(place, `${show(name)} is ${value === undefined ? "missing" : describe(value)}, ${expectNumber(value === null, { gapAdvice })}`);
  return Number.NaN;
}

/** Fields of the first record that are not read. */
function remarksOf(record: unknown, features: readonly string[] | null, wanted: Wanted): Remark[] {
  const { labels, label, columns, statics, known } = wanted;
  if (!isFields(record)) return [];
  return Object.keys(record).flatMap((column, i): Remark[] => {
    if (
      column === SEQUENCE ||
      (column === FEATURES && features !== null) ||
      (column === STATIC && statics.length > 0) ||
      columns.includes(column) ||
      features?.includes(column)
    )
      return [];
    if (isKnownId(column, wanted)) return [{ code: "id-left-out", column }];
    if (isLabel(column, label) || (label === undefined && column === known?.label))
      return labels ? [] : [{ code: "label-left-out", column }];
    return [isIndex(column, i) ? { code: "index-left-out", column } : leaveOut(column, known)];
  });
}

function toLabels(records: readonly JsonRecord[], { softLabels }: Wanted): Labels {
  const labels = openLabels(records.length, softLabels);
  labels.set(records.map(({ label }) => label ?? NO_LABEL));
  return labels;
}

function toBatch(records: readonly JsonRecord[], F: number, features: readonly string[] | null, source: string, wanted: Wanted): Batch {
  const T = records.reduce((longest, { values }) => Math.max(longest, values.length / F), 0);
  const values = new Float64Array(records.length * T * F);
  for (const [n, record] of records.entries()) values.set(record.values, (n + 1) * T * F - record.values.length);
  const labelled = records.filter(({ label }) => label !== null).length;
  if (labelled !== 0 && labelled !== records.length)
    throw new DataError(source, "has labels in some lines only: give every line one, or none");
  return {
    values,
    labels: labelled === 0 ? null : toLabels(records, wanted),
    probability: null,
    shape: { timesteps: T, features: F },
    features,
    dtype: null,
    labelName: records[0].labelName,
    test: null,
    columns: Object.fromEntries(wanted.columns.map((name, i) => [name, toColumn(records.map(({ others }) => others[i]))])),
  };
}
