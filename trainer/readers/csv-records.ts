// Records of a CSV, fields as texts → batches. The first ones say what the columns are. Knows no bytes.
// Legend: N sequences, T steps, F features.
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import { BATCH_NUMBERS, BATCH_RECORDS, type Batch, type Wanted } from "./batch.ts";
import { adviseOnNumber, type Dialect, type Head } from "./dialect.ts";
import { readingsOf } from "./encode-inputs.ts";
import { FIRST_RECORDS, parseCell, readFirstLines } from "./first-lines.ts";
import { adviseOnSheetError, type InputReading, looksLikeTime, noteNumber, readLevel } from "./input-table.ts";
import { expectNumber, type OnIssue, openLabels, toLabel } from "./issues.ts";
import type { Layout } from "./layout.ts";
import { isRounded } from "./long-numbers.ts";
import { NO_LABEL } from "./no-label.ts";
import { nameColumn, show } from "./quoting.ts";
import type { Remark } from "./reading.ts";

/** What the first line says of all; `header` is null where it holds numbers. */
export type LayoutOf = (header: readonly string[] | null, columns: number) => Layout;

/** What the first line says, and whom to tell what is wrong. */
interface Table {
  readonly source: string;
  readonly onIssue: OnIssue;
  readonly onRounded: Wanted["onRounded"];
  readonly labelCodes: Wanted["labelCodes"];
  readonly softLabels: Wanted["softLabels"];
  /** As Wanted.gaps. */
  readonly gaps?: boolean;
  /** As Wanted.gapAdvice. */
  readonly gapAdvice?: string;
  readonly header: readonly string[] | null;
  /** Columns of every line. */
  readonly columns: number;
  readonly layout: Layout;
  readonly dialect: Dialect;
  /** (F) what the features' inputs are; null where all are numbers. */
  readonly readings: readonly InputReading[] | null;
  /** Of `wanted.columns`, those that are static inputs; undefined for the others. */
  readonly statics: readonly (InputReading | undefined)[];
  /** Records of a batch. */
  readonly capacity: number;
}

/** Records that have come since the last batch. */
interface Pending {
  /** (capacity,T,F) */
  readonly values: Float64Array;
  readonly labels: Labels;
  /** A list for each of `wanted.columns`; numbers of those that are static. */
  readonly texts: (string | number)[][];
}

function openPending({ layout: { order, label }, capacity, softLabels }: Table, columns: number): Pending {
  const values = new Float64Array(capacity * order.length);
  const texts = Array.from({ length: columns }, (): (string | number)[] => []);
  return { values, labels: openLabels(label === null ? 0 : capacity, softLabels), texts };
}

/** Turns records into batches: they are added in order, with their lines. */
export function createBatcher(source: string, wanted: Wanted, layoutOf: LayoutOf, dialect: Head) {
  const sink = createSink(source, wanted);
  const firstRecords: { readonly record: string[]; readonly line: number }[] = []; // until the table is known
  let table: Table | null = null;

  function start(): void {
    if (table !== null || firstRecords.length === 0) return;
    const { header, lines } = readFirstLines(
      firstRecords.map(({ record }) => record),
      dialect.decimal,
      dialect.isFirstQuoted,
      wanted.rows !== undefined,
    );
    checkDrawn(firstRecords, source);
    const planned = planTable(header, firstRecords[0].record.length, layoutOf, wanted);
    const remarks = noteTimes(planned.layout.remarks, header, firstRecords[lines]?.record ?? []);
    table = {
      source,
      onIssue: wanted.onIssue,
      gaps: wanted.gaps,
      gapAdvice: wanted.gapAdvice,
      labelCodes: wanted.labelCodes,
      softLabels: wanted.softLabels,
      onRounded: wanted.onRounded,
      dialect,
      ...planned,
      layout: { ...planned.layout, remarks },
    };
    for (const { record, line } of firstRecords.splice(0).slice(lines)) sink.add(table, record, line);
  }

  return {
    /** Finds the layout by the records so far, where it is not found. */
    start,
    add(record: string[], line: number): void {
      if (table !== null) sink.add(table, record, line);
      else if (firstRecords.push({ record, line }) === FIRST_RECORDS) start();
    },
    /** The batches that are full. */
    take: sink.take,
    /** The last batches. Throws DataError where no record came. */
    finish(): Batch[] {
      start();
      if (table !== null) sink.flush(table);
      if (sink.total() === 0) throw new DataError(source, "has no line of numbers");
      return sink.take();
    },
  };
}

/** Collects the numbers of records until a batch is full. */
function createSink(source: string, { columns: wantedColumns }: Wanted) {
  let pending: Pending | null = null;
  let N = 0; // of pending
  let total = 0;
  const ready: Batch[] = [];

  function flush(table: Table): void {
    if (pending === null || N === 0) return;
    ready.push(toBatch(table, pending, N, wantedColumns));
    total += N;
    N = 0;
    pending = null;
  }

  return {
    total: () => total,
    take: (): Batch[] => ready.splice(0),
    flush,
    add(table: Table, record: readonly string[], line: number): void {
      const { columns, layout, capacity } = table;
      const { order, label, others } = layout;
      if (record.length !== columns)
        throw new DataError(
          `${source}: line ${line}`,
          `has ${record.length} ${record.length === 1 ? "column" : "columns"}, expected ${columns} as in the first line${total + N === 0 ? adviseOnNames(record.length - columns) : ""}`,
        );
      if (label !== null && record.every((cell) => cell.trim() === "")) {
        table.onIssue(`${source}: line ${line}`, "is empty but for its separators: leave the line out");
        return;
      }
      pending ??= openPending(table, wantedColumns.length);
      const { values, labels, texts } = pending;
      const offset = N * order.length;
      const F = layout.shape.features;
      for (let i = 0; i < order.length; i++) values[offset + i] = readValue(table, record, order[i], line, table.readings?.[i % F]);
      if (label !== null) labels[N] = readLabel(table, record, label, line);
      for (let i = 0; i < others.length; i++) {
        const input = table.statics[i];
        texts[i].push(input ? readValue(table, record, others[i], line, input) : record[others[i]].trim());
      }
      if (++N === capacity) flush(table);
    },
  };
}

/** A table that is drawn for reading: lines of -, + and | below its header. */
const DRAWN = /^:?[-+|=: ]*-{3}[-+|=: ]*$/;

/** Throws DataError where one of the first two lines draws one. */
function checkDrawn(records: readonly { readonly record: readonly string[]; readonly line: number }[], source: string): void {
  const drawn = records
    .slice(0, 2)
    .find(({ record }) => record.some((cell) => cell !== "") && record.every((cell) => cell === "" || DRAWN.test(cell.trim())));
  if (drawn === undefined) return;
  throw new DataError(
    `${source}: line ${drawn.line}`,
    "draws a line, as tables for reading have it: write the table as CSV, as sqlite3 -csv -header and psql --csv do",
  );
}

/** A header one name short may lack the name of a row, as R writes it, or of the last column. */
function adviseOnNames(missing: number): string {
  return missing === 1 ? ": name each column there, also one of row names in front" : "";
}

/** An index that is left out says so where its first cell is a time. */
function noteTimes(remarks: readonly Remark[], header: readonly string[] | null, record: readonly string[]): readonly Remark[] {
  return remarks.map((remark) => {
    if (remark.code !== "index-left-out") return remark;
    const column = header?.findIndex((name) => name.trim() === remark.column) ?? -1;
    return looksLikeTime(record[column] ?? "") ? { ...remark, holdsTimes: true } : remark;
  });
}

function planTable(
  header: readonly string[] | null,
  count: number,
  layoutOf: LayoutOf,
  wanted: Wanted,
): Pick<Table, "header" | "columns" | "layout" | "capacity" | "readings" | "statics"> {
  const columns = header?.length ?? count;
  const layout = layoutOf(header, columns);
  const capacity = Math.max(1, Math.min(BATCH_RECORDS, Math.floor(BATCH_NUMBERS / Math.max(1, layout.order.length))));
  const { inputs } = wanted;
  const readings = readingsOf(layout.features, layout.shape.features, wanted);
  const statics = wanted.columns.map((name) => (wanted.statics.includes(name) ? inputs?.of(name) : undefined));
  return { header, columns, layout, capacity, readings, statics };
}

function toBatch({ header, layout, statics }: Table, { values, labels, texts }: Pending, N: number, columns: readonly string[]): Batch {
  const { shape, features, order, label, remarks } = layout;
  return {
    values: values.subarray(0, N * order.length),
    labels: label === null ? null : labels.subarray(0, N),
    probability: null,
    shape,
    features,
    dtype: null,
    labelName: label === null ? null : (header?.[label] ?? `column ${label + 1}`),
    test: null,
    columns: Object.fromEntries(
      columns.map((name, i) => [name, statics[i] ? Float64Array.from(texts[i] as number[]) : (texts[i] as string[])]),
    ),
    remarks,
  };
}

/** What column `i` holds of an input: a number as readCell gives it, or a category's code. */
function readValue(table: Table, record: readonly string[], i: number, line: number, input: InputReading | undefined): number {
  if (input === undefined || input.kind === "number") return readCell(table, record, i, line);
  const place = `${table.source}: line ${line}`;
  const number = input.kind === undefined ? parseCell(record[i], table.dialect.decimal) : undefined;
  if (number !== undefined) {
    if (Number.isFinite(number)) noteNumber(input, place);
    return readCell(table, record, i, line);
  }
  const code = readLevel(input, record[i], place);
  if (code !== undefined) return code;
  return readCell(
    table,
    record,
    i,
    line,
    undefined,
    `: say ${looksLikeTime(record[i]) ? `--time ${input.name} where it is the time of a row, or ` : ""}--category ${input.name} where it is a category`,
  );
}

/** The number in column `i`, NaN where it may be missing, or after onIssue has heard that there is none; `missingLabel` where a label should be. */
function readCell(table: Table, record: readonly string[], i: number, line: number, missingLabel?: number, otherAdvice = ""): number {
  const { source, onIssue, gaps, header, dialect } = table;
  const number = parseCell(record[i], dialect.decimal);
  if (number !== undefined && Number.isFinite(number)) {
    if (Math.abs(number) >= 2 ** 53 && isRounded(record[i], number)) table.onRounded?.(1);
    return number;
  }
  if (gaps && missingLabel === undefined && Number.isNaN(number)) return Number.NaN;
  const isHeader = header !== null && record.every((cell, column) => cell.trim() === header[column].trim());
  const advice = isHeader
    ? ": the line repeats the header, so leave it out"
    : adviseOnSheetError(record[i]) || adviseOnNumber(record[i], dialect.decimal) || otherAdvice;
  const isMissing = missingLabel === undefined && Number.isNaN(number);
  const what = `${nameColumn(header, i)} is ${show(record[i])}, ${expectNumber(isMissing, table, advice)}`;
  onIssue(`${source}: line ${line}`, what, missingLabel);
  return Number.NaN;
}

function readLabel(table: Table, record: readonly string[], i: number, line: number): number {
  const { source, header, dialect, labelCodes } = table;
  const what = nameColumn(header, i);
  const cell = parseCell(record[i], dialect.decimal);
  if (Number.isNaN(cell) || (labelCodes && cell === undefined)) return toLabel(record[i].trim(), what, `${source}: line ${line}`, table);
  const number = readCell(table, record, i, line, Number.NaN);
  return Number.isNaN(number) ? NO_LABEL : toLabel(number, what, `${source}: line ${line}`, table);
}
