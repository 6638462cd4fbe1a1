// Parquet: sequences as wide columns or in one nested list column, or one row of a series a record. File → batches. A row group's
// columns are held packed, and unpacked page by page: parquet-cursor.ts walks a column, parquet-pages.ts reads its pages.
// Legend: T steps, F features.
import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { DataError } from "../../shared/errors.ts";
import { DEFAULT_SHAPE, MAX_FEATURES, MAX_TIMESTEPS, type Shape } from "../../shared/sequence.ts";
import { type Batch, type Column, LABEL_NAMES, type Wanted } from "./batch.ts";
import { checkInflation } from "./inflation.ts";
import { NO_LABEL, toLabel } from "./issues.ts";
import { findLayout, show } from "./layout.ts";
import { type Cell, type Cursor, type Leaf, openColumn, samePath } from "./parquet-cursor.ts";
import type { RandomAccess } from "./source.ts";

/** 2 MiB of float64 at a time, */
const BATCH_NUMBERS = 2 ** 18;
/** and so few rows that their texts die young. */
const BATCH_ROWS = 2 ** 13;
/** Parquet's types as NumPy calls them. */
const DTYPES: Readonly<Record<string, string>> = { FLOAT: "float32", DOUBLE: "float64", BOOLEAN: "bool" };
const FOOTER_BYTES = 8; // its length, PAR1
/** In a footer only texts have bytes from 0x80 on, one after the other; as a number so long a run would take minutes to read. */
const MAX_HIGH_RUN = 4096;

/** Reads records as their columns are named, some at a time. Throws DataError. */
export async function* readParquet(file: RandomAccess, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  const guard = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw new DataError(source, `cannot be read as Parquet: it is cut short or damaged (${(error as Error).message.slice(0, 100)})`);
    }
  };
  const metadata = guard(() => readMetadata(file, source));
  const plan = guard(() => planColumns(parquetSchema(metadata), source, wanted));
  let packed = 0;
  let unpacked = 0;
  for (const group of metadata.row_groups) {
    for (const { meta_data: meta } of group.columns) {
      if (!meta || !plan.leaves.some(({ path }) => samePath(path, meta))) continue;
      packed += Number(meta.total_compressed_size);
      unpacked += Math.max(8 * Number(meta.num_values), Number(meta.total_uncompressed_size));
    }
  }
  checkInflation(unpacked, file.byteLength, source);
  if (packed > file.byteLength) throw new DataError(source, `claims ${packed} packed bytes in a file of ${file.byteLength}: it is damaged`);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const cursors = guard(() => plan.leaves.map((leaf) => openColumn(file, group.columns, leaf, rows)));
    for (let from = 0; from < rows; from += plan.batchRows) {
      const count = Math.min(plan.batchRows, rows - from);
      yield guard(() => plan.read(cursors, first + from, count));
    }
    for (const cursor of cursors) cursor.close();
    first += rows;
  }
  if (first === 0) throw new DataError(source, "holds no row");
}

function readMetadata(file: RandomAccess, source: string): FileMetaData {
  const tail = file.byteLength < FOOTER_BYTES ? null : new DataView(file.slice(file.byteLength - FOOTER_BYTES));
  if (tail?.getUint32(4, true) !== 0x31524150)
    throw new DataError(source, "does not end as Parquet does (PAR1): it is cut short, or something else");
  const length = tail.getUint32(0, true);
  if (length > file.byteLength - FOOTER_BYTES)
    throw new DataError(source, `claims ${length} bytes of metadata in a file of ${file.byteLength}: it is cut short or damaged`);
  const footer = file.slice(file.byteLength - FOOTER_BYTES - length);
  let run = 0;
  for (const byte of new Uint8Array(footer)) {
    run = byte < 0x80 ? 0 : run + 1;
    if (run > MAX_HIGH_RUN) throw new RangeError("a number without end");
  }
  return parquetMetadata(footer, { geoparquet: false });
}

interface Plan {
  readonly leaves: readonly Leaf[];
  readonly batchRows: number;
  /** `count` records, those from number `first` on in the file; one cursor a leaf. */
  read(cursors: readonly Cursor[], first: number, count: number): Batch;
}

/** Which columns are read and what they mean. Throws DataError. */
function planColumns(schema: SchemaTree, source: string, wanted: Wanted): Plan {
  const flat = schema.children.filter(({ children, element }) => children.length === 0 && element.repetition_type !== "REPEATED");
  const header = flat.map(({ element }) => element.name).filter((name) => !/^__index_level_\d+__$/.test(name)); // pandas' index
  const leafOf = (path: string[]): Leaf => {
    const nodes = getTreePath(schema, path);
    return { path: nodes, definition: getMaxDefinitionLevel(nodes), repetition: getMaxRepetitionLevel(nodes) };
  };
  const lists = schema.children.filter(({ children, element }) => children.length > 0 || element.repetition_type === "REPEATED");
  const list = lists.find(({ element }) => element.name === "sequence") ?? (lists.length === 1 ? lists[0] : undefined);
  const place = (n: number): string => `${source}: row ${n + 1}`; // as a table shows them
  const others = (cursors: readonly Cursor[], first: number, count: number): Batch["columns"] =>
    Object.fromEntries(wanted.columns.map((name, i) => [name, readColumn(cursors[i], name, first, count, place)]));
  const toLabels = (cursor: Cursor | undefined, name: string, first: number, count: number): Uint8Array | null => {
    if (cursor === undefined) return null;
    const labels = new Uint8Array(count);
    cursor.take(count, (n, cell) => {
      const number = toNumber(cell);
      if (number !== undefined) labels[n] = toLabel(number, `column ${show(name)}`, place(first + n), wanted.onIssue);
      else {
        wanted.onIssue(place(first + n), `column ${show(name)} is ${describeCell(cell)}, expected a label 0 or 1`, Number.NaN);
        labels[n] = NO_LABEL;
      }
    });
    return labels;
  };
  const frame = { probability: null, test: null };

  if (list && !wanted.rows) {
    for (const name of [...wanted.columns, ...(wanted.labels && wanted.label !== undefined ? [wanted.label] : [])])
      if (!header.includes(name)) throw new DataError(source, `has no column ${show(name)} of single values`);
    const label = wanted.label ?? header.find((name) => LABEL_NAMES.includes(name.toLowerCase()) && !wanted.columns.includes(name));
    const leaf = leafOf(leafPath(list, source));
    const labelled = wanted.labels && label !== undefined;
    const what = `column ${show(list.element.name)}`;
    return {
      leaves: [...wanted.columns.map((name) => leafOf([name])), ...(labelled ? [leafOf([label])] : []), leaf],
      batchRows: Math.ceil(BATCH_NUMBERS / 50),
      read(cursors, first, count) {
        const columns = others(cursors, first, count);
        const labels = labelled ? toLabels(cursors[wanted.columns.length], label, first, count) : null;
        const nested = readNested(cursors[cursors.length - 1], leaf.repetition, count, (n) => [place(first + n), what], wanted);
        return { ...frame, ...nested, labels, columns, features: null, dtype: dtypeOf([leaf]), labelName: labelled ? label : null };
      },
    };
  }

  const layout = findLayout(header, header.length, source, wanted);
  const { shape, features, order } = layout;
  const label = wanted.labels ? layout.label : null;
  const leaves = order.map((i) => leafOf([header[i]]));
  return {
    leaves: [...wanted.columns.map((name) => leafOf([name])), ...(label === null ? [] : [leafOf([header[label]])]), ...leaves],
    batchRows: Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_NUMBERS / order.length))),
    read(cursors, first, count) {
      const columns = others(cursors, first, count);
      const labels = label === null ? null : toLabels(cursors[wanted.columns.length], header[label], first, count);
      const values = new Float64Array(count * order.length);
      cursors.slice(-order.length).forEach((cursor, i) => {
        cursor.take(count, (n, cell) => {
          const number = toNumber(cell);
          if (number === undefined || !Number.isFinite(number))
            wanted.onIssue(place(first + n), `column ${show(header[order[i]])} is ${describeCell(cell)}, expected a finite number`);
          values[n * order.length + i] = number ?? Number.NaN;
        });
      });
      const labelName = label === null ? null : header[label];
      return { ...frame, values, labels, labelName, columns, shape, features, dtype: dtypeOf(leaves) };
    },
  };
}

/** As NumPy calls the types of these leaves, each once. */
function dtypeOf(leaves: readonly Leaf[]): string {
  const names = leaves.map(({ path }) => {
    const { type } = path[path.length - 1].element;
    return DTYPES[type ?? ""] ?? String(type).toLowerCase();
  });
  return [...new Set(names)].join(" and ");
}

/** The one leaf below a list column. */
function leafPath(list: SchemaTree, source: string): string[] {
  let node = list;
  while (node.children.length === 1) node = node.children[0];
  if (node.children.length > 1)
    throw new DataError(source, `column ${show(list.element.name)} holds structures, expected a list of rows, each a list of numbers`);
  return node.path;
}

/**
 * Sequences of a list of rows (two levels), or of a flat list of 10 × 5 numbers (one); those shorter than the batch's longest are
 * padded in front.
 */
function readNested(
  cursor: Cursor,
  levels: number,
  count: number,
  where: (n: number) => [place: string, what: string],
  wanted: Wanted,
): { values: Float64Array; shape: Shape } {
  const numbers: number[] = [];
  const starts = new Int32Array(count + 1);
  let rows = 0; // of the record that is read
  let F = levels === 1 ? DEFAULT_SHAPE.features : 0;
  let inRow = 0;
  let current = -1;
  const fail = (n: number, message: string): never => {
    const [place, what] = where(n);
    throw new DataError(place, `${what} ${message}`);
  };
  const endRow = (n: number): void => {
    if (levels === 1) {
      const expected = DEFAULT_SHAPE.timesteps * DEFAULT_SHAPE.features;
      if (inRow !== expected) fail(n, `has ${inRow} numbers, expected ${expected} (10 × 5), or a list of rows`);
      rows = DEFAULT_SHAPE.timesteps;
      return;
    }
    if (F === 0) F = inRow;
    if (inRow !== F || F > MAX_FEATURES)
      fail(n, `has a row of ${inRow} numbers, expected ${F > MAX_FEATURES ? `at most ${MAX_FEATURES}` : F}`);
    if (rows > MAX_TIMESTEPS) fail(n, `has more than ${MAX_TIMESTEPS} rows`);
  };
  if (levels > 2) fail(0, `is nested ${levels} deep, expected a list of rows, each a list of numbers`);
  let T = 1;
  const endRecord = (): void => {
    if (current < 0) return;
    endRow(current);
    starts[current + 1] = numbers.length;
    T = Math.max(T, rows);
  };
  cursor.take(count, (n, cell, repetition) => {
    if (n !== current) {
      endRecord();
      current = n;
      rows = 1;
      inRow = 0;
    } else if (repetition < levels) {
      endRow(n);
      rows++;
      inRow = 0;
    }
    const number = toNumber(cell);
    if (number === undefined || !Number.isFinite(number)) {
      const [place, what] = where(n);
      wanted.onIssue(place, `${what} holds ${describeCell(cell)}, expected finite numbers`);
    }
    numbers.push(number ?? Number.NaN);
    inRow++;
  });
  endRecord();
  const values = new Float64Array(count * T * F);
  for (let n = 0; n < count; n++)
    for (let i = starts[n], at = (n + 1) * T * F - (starts[n + 1] - starts[n]); i < starts[n + 1]; i++) values[at++] = numbers[i];
  return { values, shape: { timesteps: T, features: F } };
}

function readColumn(cursor: Cursor, name: string, first: number, count: number, place: (n: number) => string): Column {
  const cells: (number | string)[] = [];
  cursor.take(count, (n, cell) => {
    if (cell instanceof Date && Number.isFinite(cell.getTime())) cells.push(cell.toISOString());
    else if (typeof cell === "bigint") cells.push(Number.isSafeInteger(Number(cell)) ? Number(cell) : String(cell));
    else if (typeof cell === "number" || typeof cell === "string") cells.push(cell);
    else throw new DataError(place(first + n), `column ${show(name)} is ${describeCell(cell)}, expected a number or text`);
  });
  return cells.every((cell) => typeof cell === "number") ? Float64Array.from(cells as number[]) : cells.map(String);
}

function toNumber(cell: Cell): number | undefined {
  if (typeof cell === "number") return cell;
  return typeof cell === "bigint" || typeof cell === "boolean" ? Number(cell) : undefined;
}

function describeCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "null";
  if (cell instanceof Date) return "a date";
  return typeof cell === "string" ? show(cell) : typeof cell === "object" ? "an object" : String(cell);
}
