// Parquet: sequences as wide columns or in one nested list column, or one row of a series a record. File → batches. A row group's
// columns are held packed, and unpacked page by page: parquet-cursor.ts walks a column, parquet-pages.ts reads its pages.
import { type FileMetaData, parquetMetadata, parquetSchema } from "hyparquet";
import { DataError } from "../../shared/errors.ts";
import type { Batch, Wanted } from "./batch.ts";
import { checkInflation } from "./inflation.ts";
import { openColumn, samePath } from "./parquet-cursor.ts";
import { UnsupportedParquet } from "./parquet-pages.ts";
import { type ParquetPlan, planColumns } from "./parquet-plan.ts";
import type { RandomAccess } from "./source.ts";

const FOOTER_BYTES = 8; // its length, PAR1
/** In a footer only texts have bytes from 0x80 on, one after the other; as a number so long a run would take minutes to read. */
const MAX_HIGH_RUN = 4096;

/** Reads records as their columns are named, some at a time. Throws DataError. */
export async function* readParquet(file: RandomAccess, source: string, wanted: Wanted): AsyncGenerator<Batch> {
  const metadata = explain(source, () => readMetadata(file, source));
  const plan = explain(source, () => planColumns(parquetSchema(metadata), source, wanted));
  checkSizes(file, metadata, plan, source);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const cursors = explain(source, () => plan.leaves.map((leaf) => openColumn(file, group.columns, leaf, rows)));
    for (let from = 0; from < rows; from += plan.batchRecords) {
      const count = Math.min(plan.batchRecords, rows - from);
      yield explain(source, () => plan.read(cursors, { source, first: first + from, count }));
    }
    for (const cursor of cursors) cursor.close();
    first += rows;
  }
  if (first === 0) throw new DataError(source, "holds no row");
}

/** What `read` returns; whatever hyparquet throws over damaged bytes becomes a DataError. */
function explain<T>(source: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataError) throw error;
    if (error instanceof UnsupportedParquet) throw new DataError(source, error.message);
    throw new DataError(source, `cannot be read as Parquet: it is cut short or damaged (${(error as Error).message.slice(0, 100)})`);
  }
}

/** Throws DataError where the columns that are read claim more bytes than the file has, or unpack to absurdly many. */
function checkSizes(file: RandomAccess, { row_groups: groups }: FileMetaData, { leaves }: ParquetPlan, source: string): void {
  let packed = 0;
  let unpacked = 0;
  for (const { columns } of groups)
    for (const { meta_data: meta } of columns) {
      if (!meta || !leaves.some(({ path }) => samePath(path, meta))) continue;
      packed += Number(meta.total_compressed_size);
      unpacked += Math.max(8 * Number(meta.num_values), Number(meta.total_uncompressed_size));
    }
  checkInflation(unpacked, file.byteLength, source);
  if (packed > file.byteLength) throw new DataError(source, `claims ${packed} packed bytes in a file of ${file.byteLength}: it is damaged`);
}

function readMetadata(file: RandomAccess, source: string): FileMetaData {
  const tail = file.byteLength < FOOTER_BYTES ? null : new DataView(file.slice(file.byteLength - FOOTER_BYTES));
  if (tail?.getUint32(4, true) === 0x45524150)
    throw new DataError(source, "is encrypted Parquet (PARE), which is not supported: write it without encryption");
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
