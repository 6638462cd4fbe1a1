// Arrow IPC files and streams, and Feather (version 2): sequences as wide columns or in one list column, or one row of a series a
// record. Bytes → batches. The schema is told as Parquet's, so that columns mean the same in both: parquet-plan.ts reads them.
import {
  CompressionType,
  compressionRegistry,
  type Data,
  DataType,
  type Field,
  Message,
  type RecordBatch,
  type RecordBatchFileReader,
  RecordBatchReader,
  Vector,
} from "apache-arrow";
import type { SchemaTree } from "hyparquet";
import { DataError } from "../../shared/errors.ts";
import { arrowCell } from "./arrow-cells.ts";
import "./arrow-counts.ts";
import type { Batch, Wanted } from "./batch.ts";
import { unpackLz4Frame } from "./lz4-frame.ts";
import { UNPACK } from "./parquet-codecs.ts";
import type { Cell, Cursor, Leaf } from "./parquet-cursor.ts";
import { planColumns } from "./parquet-plan.ts";

/** `ARROW1` and two zeros, before a file's stream. */
const MAGIC_BYTES = 8;
/** Of one packed buffer: as much as a whole file may hold. */
const MAX_BUFFER_BYTES = 2 ** 31;
/** How many times a packed buffer's size it may unpack to, where it is large: as inflation.ts has it for files. */
const MAX_INFLATION = 250;
const HARMLESS_BYTES = 2 ** 26;

const limitOf = (packed: Uint8Array): number => Math.min(MAX_BUFFER_BYTES, Math.max(HARMLESS_BYTES, MAX_INFLATION * packed.length));
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (bytes) => unpackLz4Frame(bytes, limitOf(bytes)) });
compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => UNPACK.ZSTD(bytes, limitOf(bytes)) });

/** Reads records as their columns are named, some at a time. Throws DataError. */
export function* readArrow(bytes: Uint8Array, source: string, wanted: Wanted): Generator<Batch> {
  if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "FEA1")
    throw new DataError(source, "is Feather version 1: write it again with pandas' to_feather, which writes version 2, or as Parquet");
  const reader = explain(source, () => RecordBatchReader.from(bytes).open());
  const plan = explain(source, () => planColumns(toTree(reader.schema.fields, source), source, wanted));
  explain(source, () => checkFooter(bytes, reader));
  let first = 0;
  for (const batches = listBatches(reader); ; ) {
    const next = explain(source, () => batches.next());
    if (next.done) break;
    const batch = next.value;
    const cursors = explain(source, () => plan.leaves.map((leaf) => openColumn(batch, leaf)));
    for (let from = 0; from < batch.numRows; from += plan.batchRecords) {
      const count = Math.min(plan.batchRecords, batch.numRows - from);
      yield explain(source, () => plan.read(cursors, { source, first: first + from, count }));
    }
    first += batch.numRows;
  }
  if (first === 0) throw new DataError(source, "holds no row");
}

/**
 * The record batches of a stream, one after the other; of a file, as its footer lists them. Throws Damaged where no batch stands at such a
 * place: apache-arrow's own `next` would look there for ever.
 */
function* listBatches(reader: RecordBatchReader): Generator<RecordBatch> {
  if (!reader.isFile()) return yield* reader as Iterable<RecordBatch>;
  const file = reader as RecordBatchFileReader;
  for (let i = 0; i < file.numRecordBatches; i++) {
    const batch = file.readRecordBatch(i);
    if (batch === null) throw new Damaged(`no record batch where the footer says that batch ${i} is`);
    yield batch;
  }
}

/** Throws Damaged where a file's footer disagrees with the stream before it: on the schema, or as it lists fewer batches. */
function checkFooter(bytes: Uint8Array, reader: RecordBatchReader): void {
  const stream = bytes.subarray(MAGIC_BYTES);
  if (!reader.isFile() || readWord(stream, 0) !== -1) return; // polars begins a file without the words that begin a stream
  const head = schemaOf(stream);
  if (head !== null && head !== String(reader.schema)) throw new Damaged("the footer has another schema than the head");
  const batches = countBatches(stream);
  const listed = (reader as RecordBatchFileReader).numRecordBatches;
  if (batches > listed) throw new Damaged(`${batches} record batches, of which the footer lists ${listed}`);
}

/** Names and types of a stream's columns, as text; null where they cannot be read, in which case the footer's hold. */
function schemaOf(stream: Uint8Array): string | null {
  try {
    return String(RecordBatchReader.from(stream).open().schema);
  } catch {
    return null;
  }
}

/** 0 beyond the end. */
function readWord(bytes: Uint8Array, at: number): number {
  return at + 4 > bytes.length ? 0 : new DataView(bytes.buffer, bytes.byteOffset + at, 4).getInt32(0, true);
}

/** How many messages of a stream are record batches: each begins with -1 and the length of its metadata, which has that of its body. */
function countBatches(stream: Uint8Array): number {
  let batches = 0;
  for (let at = 0; readWord(stream, at) === -1; ) {
    const length = readWord(stream, at + 4);
    if (length <= 0) break;
    const message = Message.decode(stream.subarray(at + 8, at + 8 + length));
    if (message.isRecordBatch()) batches++;
    at += 8 + length + Math.max(0, message.bodyLength);
  }
  return batches;
}

/** What was found about damaged bytes here, in words for people; apache-arrow's own say nothing to them. */
class Damaged extends Error {}

/** What `read` returns; whatever apache-arrow throws over damaged bytes becomes a DataError. */
function explain<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const found = error instanceof Damaged ? ` (${error.message})` : "";
    throw new DataError(source, `cannot be read as Arrow: it is cut short or damaged${found}, so write or download it again`);
  }
}

/** Arrow's types as Parquet's, where parquet-plan.ts names them; of others, Arrow's own name in small letters. */
const TYPES: Readonly<Record<string, string>> = { Float64: "DOUBLE", Float32: "FLOAT", Bool: "BOOLEAN" };

/** The fields as a tree of Parquet's schema. Throws DataError where a name is there twice. */
function toTree(fields: readonly Field[], source: string): SchemaTree {
  const names = fields.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DataError(source, `has two columns ${JSON.stringify(twice)}`);
  const children = fields.map((field) => toNode(field, []));
  return { count: 0, element: { name: "root" }, children, path: [] };
}

function toNode({ name, type }: Field, above: readonly string[]): SchemaTree {
  const path = [...above, name];
  if (!isList(type)) {
    const children = type.children?.map((child: Field) => toNode(child, path)) ?? [];
    const element = {
      name,
      type: TYPES[String(type)] ?? String(type).replace(/[<[].*/s, ""),
      repetition_type: "OPTIONAL",
    } as unknown as SchemaTree["element"];
    return { count: 0, element, children, path };
  }
  const inner = { count: 0, element: { name: "list", repetition_type: "REPEATED" as const }, path: [...path, "list"] };
  const children = [{ ...inner, children: [toNode(type.children[0], inner.path)] }];
  return { count: 0, element: { name, repetition_type: "OPTIONAL" }, children, path };
}

function isList(type: DataType): boolean {
  return DataType.isList(type) || DataType.isFixedSizeList(type) || DataType.isLargeList(type);
}

/** Walks a column of one record batch, entry by entry, as a column of Parquet is walked: an empty list is one entry, null. */
function openColumn(batch: RecordBatch, { path }: Leaf): Cursor {
  const name = path[1].element.name;
  const column = batch.getChildAt(batch.schema.fields.findIndex((field) => field.name === name));
  if (column === null || column.length !== batch.numRows) throw new Damaged(`a record batch lacks column ${name}, or a part of it`);
  for (const data of column.data) checkBuffers(data);
  let at = 0;
  return {
    close() {},
    take(count, see) {
      for (let n = 0; n < count; n++) visit(column, at++, 0, 0, (cell, repetition) => see(n, cell, repetition));
    },
  };
}

/** Throws Damaged where a vector claims more entries than its buffers hold, or its lists lie elsewhere than its entries. */
function checkBuffers({ type, length, offset, valueOffsets, values, children }: Data): void {
  const [child] = children;
  const isShort = (): never => {
    throw new Damaged(`a column of ${length} entries in fewer bytes`);
  };
  if (DataType.isFixedSizeList(type)) {
    if (child.length < (offset + length) * type.listSize) isShort();
  } else if (valueOffsets !== undefined && valueOffsets.length > 0) {
    if (valueOffsets.length < length + 1) isShort();
    const end = child?.length ?? values?.length ?? 0;
    for (let i = 0; i < length; i++)
      if (!(valueOffsets[i] <= valueOffsets[i + 1]) || !(valueOffsets[i + 1] <= end)) throw new Damaged("a list that lies elsewhere");
  } else if ((values?.length ?? 0) * (DataType.isBool(type) ? 8 : 1) < length) isShort();
  if (child !== undefined) checkBuffers(child);
}

/** Entry `i` of a vector: a cell, or the cells of a list. The first one repeats at level `repetition`, the others at their own. */
function visit(vector: Vector, i: number, repetition: number, level: number, see: (cell: Cell, repetition: number) => void): void {
  if (!isList(vector.type)) see(arrowCell(vector, i), repetition);
  else {
    const list: unknown = vector.get(i);
    if (!(list instanceof Vector) || list.length === 0) see(null, repetition);
    else for (let k = 0; k < list.length; k++) visit(list, k, k === 0 ? repetition : level + 1, level + 1, see);
  }
}
