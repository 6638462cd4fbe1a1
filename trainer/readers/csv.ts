// CSV: one sequence a line, T·F numbers and perhaps a label, or one row of a series. Bytes → batches. Knows no file system.
// Legend: N sequences, T steps, F features.
import { CsvError, parse } from "csv-parse";
import { DataError } from "../../shared/errors.ts";
import type { Batch, Wanted } from "./batch.ts";
import { NO_LABEL, toLabel } from "./issues.ts";
import { findLayout, type Layout, nameColumn, show } from "./layout.ts";

type Chunks = AsyncIterable<Uint8Array>;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MISSING = /^(?:[+-]?(?:nan|inf|infinity)|n\/?a|null|)$/i; // as numpy, pandas and R write it
/** 2 MiB of float64 at a time, */
const BATCH_NUMBERS = 2 ** 18;
/** and so few lines that their texts die young. */
const BATCH_LINES = 2 ** 13;
/** 512 × 64 numbers of 17 digits take a fifth. */
const MAX_LINE = 2 ** 22;

/** Reads records as `findLayout` says, some at a time. Throws DataError naming the line. */
export function readCsv(chunks: Chunks, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  return readLines(chunks, source, wanted, (header, count) => {
    const layout = findLayout(header, count, source, wanted);
    return wanted.labels ? layout : { ...layout, label: null };
  });
}

/** Reads labels from a file of their own, with one column. */
export async function readCsvLabels(chunks: Chunks, source: string, wanted: Wanted): Promise<Uint8Array> {
  const batches = readLines(chunks, source, wanted, (_header, count) => {
    if (count !== 1) throw new DataError(source, `has ${count} columns, expected one, the label`);
    return { shape: { timesteps: 1, features: 1 }, features: null, order: [], label: 0, others: [] };
  });
  const labels: number[] = [];
  for await (const batch of batches) for (const label of batch.labels ?? []) labels.push(label);
  return Uint8Array.from(labels);
}

type Plan = (header: readonly string[] | null, columns: number) => Layout;

/** Reads every line as `plan` says once the first is known. */
async function* readLines(chunks: Chunks, source: string, { columns, onIssue }: Wanted, plan: Plan): AsyncGenerator<Batch> {
  let header: readonly string[] | null = null;
  let layout: Layout | null = null;
  let count = 0;
  let capacity = 0;
  let values = new Float64Array(0);
  let labels = new Uint8Array(0);
  let texts: string[][] = [];
  let N = 0;
  let total = 0;
  let lastLine = 0;
  const ready: Batch[] = [];
  const flush = ({ shape, features, order, label }: Layout): void => {
    if (N > 0)
      ready.push({
        values: values.subarray(0, N * order.length),
        labels: label === null ? null : labels.subarray(0, N),
        probability: null,
        shape,
        features,
        dtype: null,
        labelName: label === null ? null : (header?.[label] ?? `column ${label + 1}`),
        test: null,
        columns: Object.fromEntries(columns.map((name, i) => [name, texts[i]])),
      });
    total += N;
    N = 0;
    capacity = Math.max(1, Math.min(BATCH_LINES, Math.floor(BATCH_NUMBERS / Math.max(1, order.length))));
    values = new Float64Array(capacity * order.length);
    labels = new Uint8Array(label === null ? 0 : capacity);
    texts = columns.map(() => []);
  };
  const onRecord = (record: string[], { lines: line }: { lines: number }): null => {
    const read = (i: number, missing?: number): number => {
      const number = parseCell(record[i]);
      if (number !== undefined && Number.isFinite(number)) return number;
      onIssue(`${source}: line ${line}`, `${nameColumn(header, i)} is ${show(record[i])}, expected a finite number`, missing);
      return Number.NaN;
    };
    lastLine = line;
    if (layout === null) {
      count = record.length;
      if (isHeader(record)) header = record.map((cell) => cell.trim());
      layout = plan(header, count);
      flush(layout);
      if (header) return null;
    }
    const { order, label, others } = layout;
    if (record.length !== count)
      throw new DataError(`${source}: line ${line}`, `has ${record.length} columns, expected ${count} as in the first line`);
    for (let i = 0; i < order.length; i++) values[N * order.length + i] = read(order[i]);
    if (label !== null) {
      const number = read(label, Number.NaN);
      labels[N] = Number.isNaN(number) ? NO_LABEL : toLabel(number, nameColumn(header, label), `${source}: line ${line}`, onIssue);
    }
    for (let i = 0; i < others.length; i++) texts[i].push(record[others[i]].trim());
    if (++N === capacity) flush(layout);
    return null; // csv-parse keeps nothing: the texts of 100,000 lines are ten times their numbers
  };
  const parser = parse({ bom: true, skip_empty_lines: true, relax_column_count: true, max_record_size: MAX_LINE, on_record: onRecord });
  parser.resume();
  const feed = (chunk: Uint8Array | null): Promise<void> =>
    new Promise((resolve, reject) => {
      parser.once("error", reject);
      const done = (): void => {
        parser.off("error", reject);
        resolve();
      };
      if (chunk === null) parser.once("end", done).end();
      else parser.write(chunk, (error) => error ?? done());
    });
  try {
    let open = 0; // bytes of a line that has not ended; csv-parse would count its fields, not their commas
    for await (const chunk of chunks) {
      const rest = chunk.length - 1 - Math.max(chunk.lastIndexOf(0x0a), chunk.lastIndexOf(0x0d));
      open = rest === chunk.length ? open + rest : rest;
      if (open > MAX_LINE) throw new DataError(`${source}: line ${lastLine + 1}`, `is longer than ${MAX_LINE} bytes`);
      await feed(chunk);
      yield* ready.splice(0);
    }
    await feed(null);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { code, message } = error;
    const place = `${source}: line ${lastLine + 1}`;
    if (code === "CSV_QUOTE_NOT_CLOSED") throw new DataError(place, "opens a quote that is never closed");
    if (code === "CSV_MAX_RECORD_SIZE") throw new DataError(place, `is longer than ${MAX_LINE} bytes`);
    if (code.endsWith("_QUOTE")) throw new DataError(place, "has a quote in the middle of a field");
    throw new DataError(source, `cannot be read as CSV: ${message}`);
  }
  if (layout !== null) flush(layout);
  yield* ready;
  if (total === 0) throw new DataError(source, "has no line of numbers");
}

/** A number; NaN for what stands for a missing one; undefined for other text. */
function parseCell(text: string): number | undefined {
  const cell = text.trim();
  if (NUMBER.test(cell)) return Number(cell);
  if (MISSING.test(cell)) return Number.NaN;
  if (/^true$/i.test(cell)) return 1; // pandas writes bool labels so
  return /^false$/i.test(cell) ? 0 : undefined;
}

/** Names, among them perhaps pandas' 0, 1, 2, …; a line of numbers with one bad cell is not a header. */
function isHeader(record: readonly string[]): boolean {
  const numbers = record.map((cell) => cell.trim()).filter((cell) => NUMBER.test(cell));
  const namesOnly = numbers.every((cell) => /^\d+$/.test(cell)) && new Set(numbers).size === numbers.length;
  return namesOnly && record.some((cell) => parseCell(cell) === undefined);
}
