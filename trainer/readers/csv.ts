// Tables of text: one sequence a line, T·F numbers and perhaps a label, or one row of a series. Bytes → batches; csv-parse finds the
// fields, dialect.ts how they are written. Knows no file system. Legend: N sequences, T steps, F features.
import { CsvError, parse } from "csv-parse";
import { DataError } from "../../shared/errors.ts";
import type { Labels } from "../statistics/labels.ts";
import type { Batch, Wanted } from "./batch.ts";
import { openTable } from "./csv-head.ts";
import { createBatcher, type LayoutOf } from "./csv-records.ts";
import type { Dialect, Head } from "./dialect.ts";
import { toUtf8 } from "./encoding.ts";
import { openLabels } from "./issues.ts";
import { findLayout } from "./layout.ts";

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
export async function readCsvLabels(chunks: Chunks, source: string, wanted: Wanted): Promise<Labels> {
  const batches = readRecords(chunks, source, wanted, (_header, count) => {
    if (count !== 1) throw new DataError(source, `has ${count} columns, expected one, the label`);
    return { shape: { timesteps: 1, features: 1 }, features: null, order: [], label: 0, others: [], remarks: [] };
  });
  const labels: number[] = [];
  for await (const batch of batches) for (const label of batch.labels ?? []) labels.push(label);
  const all = openLabels(labels.length, wanted.softLabels);
  all.set(labels);
  return all;
}

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
    if (!(error instanceof CsvError)) throw error;
    batcher.start(); // what the first line says comes first
    throw explain(error, source, place());
  }
  yield* batcher.finish();
}

/** Says how the file is written, where that is not as most are. */
function noteDialect({ separator, decimal, comments }: Head, source: string, { onNote }: Wanted): void {
  if (separator !== "," || decimal !== "." || comments > 0) onNote?.({ code: "dialect", files: [source], separator, decimal, comments });
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
