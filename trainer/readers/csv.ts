// Tables of text: one sequence a line, T·F numbers and perhaps a label, or one row of a series. Bytes → batches; csv-parse finds the
// fields, dialect.ts how they are written. Knows no file system. Legend: N sequences, T steps, F features.
import { CsvError, parse } from "csv-parse";
import { DataError } from "../../shared/errors.ts";
import { BATCH_NUMBERS, BATCH_RECORDS, type Batch, type Wanted } from "./batch.ts";
import { openTable } from "./csv-head.ts";
import { adviseOnNumber, type Dialect, type Head, isNumber, parseNumber } from "./dialect.ts";
import { toUtf8 } from "./encoding.ts";
import { NO_LABEL, type OnIssue, toLabel } from "./issues.ts";
import { findLayout, type Layout, nameColumn, show } from "./layout.ts";

type Chunks = AsyncIterable<Uint8Array>;

/** 512 × 64 numbers of 17 digits take a fifth. */
const MAX_LINE_BYTES = 2 ** 22;

/** Reads records as `findLayout` says, some at a time. Throws DataError naming the line. */
export function readCsv(chunks: Chunks, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  return readRecords(chunks, source, wanted, (header, count) => {
    const layout = findLayout(header, count, source, wanted);
    return wanted.labels ? layout : { ...layout, label: null };
  });
}

/** Reads (N) labels from a file of their own, with one column. Throws DataError naming the line. */
export async function readCsvLabels(chunks: Chunks, source: string, wanted: Wanted): Promise<Uint8Array> {
  const batches = readRecords(chunks, source, wanted, (_header, count) => {
    if (count !== 1) throw new DataError(source, `has ${count} columns, expected one, the label`);
    return { shape: { timesteps: 1, features: 1 }, features: null, order: [], label: 0, others: [] };
  });
  const labels: number[] = [];
  for await (const batch of batches) for (const label of batch.labels ?? []) labels.push(label);
  return Uint8Array.from(labels);
}

/** What the first line says of all; `header` is null where it holds numbers. */
type LayoutOf = (header: readonly string[] | null, columns: number) => Layout;

async function* readRecords(chunks: Chunks, source: string, wanted: Wanted, layoutOf: LayoutOf): AsyncGenerator<Batch> {
  let lines = 0;
  const place = (): string => `${source}: line ${lines + 1}`;
  const table = await openTable(limitLines(toUtf8(chunks, source), place), source, wanted.dialect ?? {});
  noteDialect(table.head, source, wanted);
  const batcher = createBatcher(source, wanted, layoutOf, table.head);
  const feed = createFeed(table.head, (record, line) => {
    lines = line;
    batcher.add(record, line);
  });
  try {
    for await (const chunk of table.chunks) {
      await feed(chunk);
      yield* batcher.take();
    }
    await feed(null);
  } catch (error) {
    throw error instanceof CsvError ? explain(error, source, place()) : error;
  }
  yield* batcher.finish();
}

/** Says how the file is written, where that is not as most are. */
function noteDialect({ separator, decimal, comments }: Head, source: string, { onNote }: Wanted): void {
  if (separator !== "," || decimal !== "." || comments > 0) onNote?.({ code: "dialect", source, separator, decimal, comments });
}

/** The chunks as they are. csv-parse would count a line's fields, not their commas. Throws DataError at a line that is too long. */
async function* limitLines(chunks: Chunks, place: () => string): AsyncGenerator<Uint8Array> {
  let open = 0; // bytes of a line that has not ended
  for await (const chunk of chunks) {
    const rest = chunk.length - 1 - Math.max(chunk.lastIndexOf(0x0a), chunk.lastIndexOf(0x0d));
    open = rest === chunk.length ? open + rest : rest;
    if (open > MAX_LINE_BYTES) throw new DataError(place(), `is longer than ${MAX_LINE_BYTES} bytes`);
    yield chunk;
  }
}

/** Parses chunk by chunk, null at the end; every record goes to `onRecord`. Rejects with CsvError, or what `onRecord` throws. */
function createFeed(
  { separator, isTrailed }: Dialect,
  onRecord: (record: string[], line: number) => void,
): (chunk: Uint8Array | null) => Promise<void> {
  const parser = parse({
    delimiter: separator,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_LINE_BYTES,
    on_record(record: string[], { lines }) {
      const fields = separator === " " ? record.filter((cell) => cell !== "") : record;
      if (isTrailed && fields[fields.length - 1] === "") fields.pop();
      onRecord(fields, lines);
      return null; // csv-parse keeps nothing: the texts of 100,000 lines are ten times their numbers
    },
  });
  parser.resume();
  return (chunk) =>
    new Promise((resolve, reject) => {
      parser.once("error", reject);
      const done = (): void => {
        parser.off("error", reject);
        resolve();
      };
      if (chunk === null) parser.once("end", done).end();
      else parser.write(chunk, (error) => error ?? done());
    });
}

function explain({ code, message }: CsvError, source: string, place: string): DataError {
  if (code === "CSV_QUOTE_NOT_CLOSED") return new DataError(place, "opens a quote that is never closed");
  if (code === "CSV_MAX_RECORD_SIZE") return new DataError(place, `is longer than ${MAX_LINE_BYTES} bytes`);
  if (code.endsWith("_QUOTE")) return new DataError(place, "has a quote in the middle of a field");
  return new DataError(source, `cannot be read as CSV: ${message}`);
}

/** What the first line says, and whom to tell what is wrong. */
interface Table {
  readonly source: string;
  readonly onIssue: OnIssue;
  readonly header: readonly string[] | null;
  /** Columns of every line. */
  readonly columns: number;
  readonly layout: Layout;
  readonly dialect: Dialect;
  /** Records of a batch. */
  readonly capacity: number;
}

/** Records that have come since the last batch. */
interface Pending {
  /** (capacity,T,F) */
  readonly values: Float64Array;
  readonly labels: Uint8Array;
  /** A list for each of `wanted.columns`. */
  readonly texts: string[][];
}

/** Turns records into batches. */
function createBatcher(source: string, { columns: wantedColumns, onIssue }: Wanted, layoutOf: LayoutOf, dialect: Dialect) {
  let table: Table | null = null;
  let pending: Pending | null = null;
  let N = 0; // of pending
  let total = 0;
  const ready: Batch[] = [];

  function open({ layout: { order, label }, capacity }: Table): Pending {
    const values = new Float64Array(capacity * order.length);
    return { values, labels: new Uint8Array(label === null ? 0 : capacity), texts: wantedColumns.map(() => []) };
  }

  function flush(): void {
    if (table === null || pending === null || N === 0) return;
    ready.push(toBatch(table, pending, N, wantedColumns));
    total += N;
    N = 0;
    pending = null;
  }

  function addTo(table: Table, record: readonly string[], line: number): void {
    const { columns, layout, capacity } = table;
    const { order, label, others } = layout;
    if (record.length !== columns)
      throw new DataError(`${source}: line ${line}`, `has ${record.length} columns, expected ${columns} as in the first line`);
    pending ??= open(table);
    const { values, labels, texts } = pending;
    const offset = N * order.length;
    for (let i = 0; i < order.length; i++) values[offset + i] = readCell(table, record, order[i], line);
    if (label !== null) labels[N] = readLabel(table, record, label, line);
    for (let i = 0; i < others.length; i++) texts[i].push(record[others[i]].trim());
    if (++N === capacity) flush();
  }

  return {
    add(record: string[], line: number): void {
      const isFirst = table === null;
      table ??= { source, onIssue, dialect, ...readFirst(record, layoutOf, dialect) };
      if (!isFirst || table.header === null) addTo(table, record, line);
    },
    /** The batches that are full. */
    take: (): Batch[] => ready.splice(0),
    /** The last batches. Throws DataError where no record came. */
    finish(): Batch[] {
      flush();
      if (total === 0) throw new DataError(source, "has no line of numbers");
      return ready.splice(0);
    },
  };
}

function readFirst(
  record: readonly string[],
  layoutOf: LayoutOf,
  dialect: Dialect,
): Pick<Table, "header" | "columns" | "layout" | "capacity"> {
  const header = isHeader(record, dialect) ? record.map((cell) => cell.trim()) : null;
  const layout = layoutOf(header, record.length);
  const capacity = Math.max(1, Math.min(BATCH_RECORDS, Math.floor(BATCH_NUMBERS / Math.max(1, layout.order.length))));
  return { header, columns: record.length, layout, capacity };
}

function toBatch({ header, layout }: Table, { values, labels, texts }: Pending, N: number, columns: readonly string[]): Batch {
  const { shape, features, order, label } = layout;
  return {
    values: values.subarray(0, N * order.length),
    labels: label === null ? null : labels.subarray(0, N),
    probability: null,
    shape,
    features,
    dtype: null,
    labelName: label === null ? null : (header?.[label] ?? `column ${label + 1}`),
    test: null,
    columns: Object.fromEntries(columns.map((name, i) => [name, texts[i]])),
  };
}

/** The number in column `i`, NaN after onIssue has heard that there is none; `missingLabel` where a label should be. */
function readCell(table: Table, record: readonly string[], i: number, line: number, missingLabel?: number): number {
  const { source, onIssue, header, dialect } = table;
  const number = parseCell(record[i], dialect);
  if (number !== undefined && Number.isFinite(number)) return number;
  const advice = adviseOnNumber(record[i], dialect.decimal);
  const what = `${nameColumn(header, i)} is ${show(record[i])}, expected a finite number${advice}`;
  onIssue(`${source}: line ${line}`, what, missingLabel);
  return Number.NaN;
}

function readLabel(table: Table, record: readonly string[], i: number, line: number): number {
  const { source, onIssue, header } = table;
  const number = readCell(table, record, i, line, Number.NaN);
  return Number.isNaN(number) ? NO_LABEL : toLabel(number, nameColumn(header, i), `${source}: line ${line}`, onIssue);
}

/** A number; NaN for what stands for a missing one; undefined for other text. */
function parseCell(text: string, { decimal }: Dialect): number | undefined {
  const cell = text.trim();
  const number = parseNumber(cell, decimal);
  if (number !== undefined) return number;
  if (/^true$/i.test(cell)) return 1; // pandas writes bool labels so
  return /^false$/i.test(cell) ? 0 : undefined;
}

/** Names, among them perhaps pandas' 0, 1, 2, …; a line of numbers with one bad cell is not a header. */
function isHeader(record: readonly string[], dialect: Dialect): boolean {
  const numbers = record.map((cell) => cell.trim()).filter((cell) => isNumber(cell, dialect.decimal));
  const namesOnly = numbers.every((cell) => /^\d+$/.test(cell)) && new Set(numbers).size === numbers.length;
  return namesOnly && record.some((cell) => parseCell(cell, dialect) === undefined);
}
