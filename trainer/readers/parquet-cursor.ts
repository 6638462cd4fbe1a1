// One column of a Parquet row group, entry by entry. Knows no sequence and no label.
import type { ColumnMetaData, FileMetaData, SchemaTree } from "hyparquet";
import { freeNow } from "./free-now.ts";
import { type Page, readPages } from "./parquet-pages.ts";
import type { RandomAccess } from "./source.ts";

export type Cell = number | bigint | string | boolean | Date | null | undefined;

/** A leaf of the schema that is read. */
export interface Leaf {
  readonly path: SchemaTree[];
  readonly definition: number;
  readonly repetition: number;
}

export interface Cursor {
  /** Frees the packed pages now: a collector would let those of several row groups gather. */
  close(): void;
  /** Passes on every entry of the next `count` records: number within them, the entry, its repetition level. */
  take(count: number, see: (n: number, cell: Cell, repetition: number) => void): void;
}

/** Whether a column chunk is that of the leaf at `path`. */
export function samePath(path: readonly SchemaTree[], meta: ColumnMetaData): boolean {
  return path[path.length - 1].path.join("\0") === meta.path_in_schema.join("\0");
}

/** Walks the entries of a leaf in a row group of `rows` records. */
export function openColumn(file: RandomAccess, columns: FileMetaData["row_groups"][number]["columns"], leaf: Leaf, rows: number): Cursor {
  const meta = columns.find(({ meta_data }) => meta_data && samePath(leaf.path, meta_data))?.meta_data;
  if (meta === undefined) throw new RangeError(`a row group lacks column ${leaf.path[leaf.path.length - 1].path.join(".")}`);
  if (leaf.repetition === 0 && Number(meta.num_values) !== rows)
    throw new RangeError(`a column of ${meta.num_values} values in ${rows} rows`);
  // 0 stands for none, and some writers say nothing of a dictionary that is there
  const offsets = [meta.dictionary_page_offset, meta.data_page_offset].filter((offset) => offset).map(Number);
  const start = Math.min(...offsets);
  const bytes = file.slice(start, start + Number(meta.total_compressed_size));
  const pages = readPages(bytes, meta, leaf.path);
  let page: Page = { count: 0, values: [], definition: undefined, repetition: undefined };
  let entry = 0;
  let value = 0;
  return {
    close: () => freeNow(new Uint8Array(bytes)),
    take(count, see) {
      for (let n = -1; ; entry++) {
        while (entry === page.count) {
          const next = pages.next();
          if (next.done) {
            if (n === count - 1) return;
            throw new RangeError(`a column of ${rows} rows ends early`);
          }
          page = next.value;
          entry = 0;
          value = 0;
        }
        const repetition = page.repetition?.[entry] ?? 0;
        if (repetition === 0 && ++n === count) return;
        if (n < 0) throw new RangeError("a row that continues none");
        const isThere = page.definition === undefined || page.definition[entry] === leaf.definition;
        see(n, isThere ? (page.values[value++] as Cell) : null, repetition);
      }
    },
  };
}
