// One column chunk of a Parquet file, page by page. hyparquet decodes; what it would take on trust (sizes, counts, run lengths) is
// held against the bytes first, so that a lying page costs no more than an honest one. Knows no layout and no file.
import type { ColumnMetaData, DecodedArray, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { convert, convertWithDictionary, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { decompressPage, readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import { readPlain } from "hyparquet/src/plain.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from "hyparquet/src/schema.js";
import { readVarInt } from "hyparquet/src/thrift.js";
import { UNPACK, type Unpack } from "./parquet-codecs.ts";
import { decimalScale, readDecimals } from "./parquet-decimals.ts";

/** Entries of a leaf column: values, nulls and empty lists. */
export interface Page {
  readonly count: number;
  /** Of the entries that hold one. */
  readonly values: DecodedArray;
  /** (count) an entry holds a value at the highest level; undefined: all do. */
  readonly definition: ArrayLike<number> | undefined;
  /** (count) 0 starts a record; undefined: each does. */
  readonly repetition: ArrayLike<number> | undefined;
}

/** What Parquet has and is not read here: the file is whole. The message goes on from the file's name. */
export class UnsupportedParquet extends Error {
  constructor(column: readonly string[], what: string, fix: string) {
    super(`column ${JSON.stringify(column.join("."))} ${what}, which is not supported: ${fix}`);
    this.name = "UnsupportedParquet";
  }
}

/** Encodings that hyparquet's and the checks here know (parquet-format, Encodings.md). */
const ENCODINGS: ReadonlySet<string> = new Set([
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "RLE",
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
  "BYTE_STREAM_SPLIT",
]);
/** Types that are neither numbers nor texts nor times, by their converted or logical type. */
const OTHER_TYPES: ReadonlySet<string | undefined> = new Set(["INTERVAL", "BSON", "VARIANT", "GEOMETRY", "GEOGRAPHY"]);

const MAX_HEADER_BYTES = 2 ** 14;
/** Runs of eight are filled up, by some writers to more. */
const RUN_SLACK = 2 ** 12;
/** Bits a plain value takes at least; texts have a length of four bytes. */
const MIN_BITS: Readonly<Record<string, number>> = { BOOLEAN: 1, INT32: 32, INT64: 64, INT96: 96, FLOAT: 32, DOUBLE: 64, BYTE_ARRAY: 32 };

/** The pages of a chunk (`bytes`, from its first page on). Throws whatever a damaged one makes hyparquet throw, or RangeError. */
export function* readPages(bytes: ArrayBuffer, meta: ColumnMetaData, schemaPath: SchemaTree[]): Generator<Page> {
  const chunk = openChunk(meta, schemaPath);
  let dictionary: DecodedArray | undefined;
  let left = Number(meta.num_values);
  if (left === 0) return;
  for (const page of splitPages(bytes, meta)) {
    const { header } = page;
    const count = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values;
    if (header.type === "DICTIONARY_PAGE") dictionary = readDictionary(chunk, page);
    else if (count !== undefined) {
      if (!(count >= 0 && count <= left)) throw new RangeError("a page claims more values than its column");
      left -= count;
      yield readValues(chunk, page, count, dictionary);
      if (left === 0) return;
    } // else an index page
  }
  throw new RangeError(`a column lacks ${left} of its ${meta.num_values} values`);
}

/** A page as it lies in the file. */
interface PackedPage {
  readonly header: ReturnType<typeof parquetHeader>;
  readonly packed: Uint8Array;
}

/** Page by page, each within the chunk, all together within the size that the chunk claims. */
function* splitPages(bytes: ArrayBuffer, meta: ColumnMetaData): Generator<PackedPage> {
  let room = Number(meta.total_uncompressed_size);
  for (let at = 0; at < bytes.byteLength; ) {
    const reader = { view: new DataView(bytes, at, Math.min(MAX_HEADER_BYTES, bytes.byteLength - at)), offset: 0 };
    const header = parquetHeader(reader);
    const { uncompressed_page_size: size, compressed_page_size: packedSize } = header;
    at += reader.offset;
    room -= size;
    if (!(size >= 0 && packedSize >= 0 && room >= 0)) throw new RangeError("a page is larger than its column");
    yield { header, packed: new Uint8Array(bytes, at, packedSize) };
    at += packedSize;
  }
}

type Check = (page: Uint8Array) => void;

/** A column chunk, and what hyparquet needs to decode its pages. */
interface Chunk {
  readonly meta: ColumnMetaData;
  readonly levels: { readonly definition: number; readonly repetition: number };
  /** `check` sees every page as soon as it is unpacked, before hyparquet reads it. */
  readonly gate: { check: Check };
  readonly decoder: Parameters<typeof readDataPage>[2] & { readonly compressors: { readonly GZIP: Unpack } };
}

function openChunk(meta: ColumnMetaData, schemaPath: SchemaTree[]): Chunk {
  const unpack = UNPACK[meta.codec];
  const { element } = schemaPath[schemaPath.length - 1];
  const type = [element.converted_type, element.logical_type?.type].find((name) => OTHER_TYPES.has(name));
  if (unpack === undefined) throw new UnsupportedParquet(meta.path_in_schema, `is packed by ${meta.codec}`, "write it with zstd or snappy");
  if (type) throw new UnsupportedParquet(meta.path_in_schema, `is of the type ${type}`, "write numbers or texts");
  const gate: Chunk["gate"] = { check: () => {} };
  // hyparquet asks `compressors` for every codec but UNCOMPRESSED: under another name all pages come by here
  const gated: Unpack = (packed, size) => {
    const page = unpack(packed, size);
    gate.check(page);
    return page;
  };
  return {
    meta,
    levels: { definition: getMaxDefinitionLevel(schemaPath), repetition: getMaxRepetitionLevel(schemaPath) },
    gate,
    decoder: {
      pathInSchema: meta.path_in_schema,
      type: meta.type,
      element,
      schemaPath,
      codec: "GZIP" as const,
      compressors: { GZIP: gated },
      parsers: DEFAULT_PARSERS,
    },
  };
}

/** Unpacks a page, which `check` sees first. */
function unpackPage({ gate, decoder }: Chunk, { header, packed }: PackedPage, check: Check): Uint8Array {
  gate.check = check;
  return decompressPage(packed, header.uncompressed_page_size, decoder.codec, decoder.compressors);
}

function readDictionary(chunk: Chunk, page: PackedPage): DecodedArray {
  const { type } = chunk.meta;
  const { type_length: width } = chunk.decoder.element;
  const { dictionary_page_header: dictionary, uncompressed_page_size: size } = page.header;
  const count = dictionary?.num_values ?? 0;
  const bits = MIN_BITS[type] ?? 8 * (width ?? 1);
  if (!(count >= 0 && count * bits <= 8 * size)) throw new RangeError("a dictionary claims more entries than it has room for");
  const plain = { view: viewOf(unpackPage(chunk, page, () => {})), offset: 0 };
  return enrich(readPlain(plain, type, count, width), chunk);
}

/** Numbers, texts and times of what a page has; hyparquet's decimals are not the nearest. */
function enrich(data: DecodedArray, { decoder }: Chunk): DecodedArray {
  const scale = decimalScale(decoder.element);
  return scale === undefined ? convert(data, decoder) : readDecimals(data, scale);
}

/** A data page of `count` entries, of either version. */
function readValues(chunk: Chunk, page: PackedPage, count: number, dictionary: DecodedArray | undefined): Page {
  const { data_page_header: v1, data_page_header_v2: v2 } = page.header;
  const encoding = v1?.encoding ?? v2?.encoding ?? "PLAIN";
  if (!ENCODINGS.has(encoding))
    throw new UnsupportedParquet(chunk.meta.path_in_schema, `has the encoding ${encoding}`, "write it plain or with a dictionary");
  if (isIndexed(encoding) && dictionary === undefined) throw new RangeError("a page needs a dictionary that is not there");
  const data = v1
    ? readDataPage(
        unpackPage(chunk, page, (bytes) => checkPageV1(viewOf(bytes), chunk, encoding, count)),
        v1,
        chunk.decoder,
      )
    : readPageV2(chunk, page, encoding, count);
  return {
    count,
    values: isIndexed(encoding) ? convertWithDictionary(data.dataPage, dictionary, encoding, chunk.decoder) : enrich(data.dataPage, chunk),
    definition: data.definitionLevels?.length ? data.definitionLevels : undefined,
    repetition: data.repetitionLevels.length > 0 ? data.repetitionLevels : undefined,
  };
}

function isIndexed(encoding: string): boolean {
  return encoding === "PLAIN_DICTIONARY" || encoding === "RLE_DICTIONARY";
}

/** Version 1: levels with their lengths before them, then values, all packed together. */
function checkPageV1(view: DataView, { levels }: Chunk, encoding: string, count: number): void {
  let from = 0;
  for (const level of [levels.repetition, levels.definition]) {
    if (level === 0) continue;
    checkRuns(view, from + 4, bitWidth(level), count);
    from += 4 + view.getUint32(from, true);
  }
  checkValues(view, from, encoding, count);
}

/** Version 2: levels are not packed and come first; only the values may be. */
function readPageV2(chunk: Chunk, { header, packed }: PackedPage, encoding: string, count: number): ReturnType<typeof readDataPageV2> {
  const { levels, gate, decoder } = chunk;
  const {
    repetition_levels_byte_length: repetitions,
    definition_levels_byte_length: definitions,
    num_nulls: nulls,
    is_compressed,
  } = header.data_page_header_v2!;
  if (!(repetitions >= 0 && definitions >= 0 && nulls >= 0 && nulls <= count)) throw new RangeError("a page has levels of no size");
  const view = viewOf(packed);
  if (levels.repetition > 0) checkRuns(view, 0, bitWidth(levels.repetition), count);
  if (levels.definition > 0) checkRuns(view, repetitions, bitWidth(levels.definition), count);
  gate.check = (page) => checkValues(viewOf(page), 0, encoding, count);
  if (is_compressed === false) gate.check(packed.subarray(repetitions + definitions));
  return readDataPageV2(packed, header, decoder);
}

/** Values from byte `from` on. Runs of booleans have their length in four bytes before them, in pages of both versions. */
function checkValues(view: DataView, from: number, encoding: string, count: number): void {
  if (isIndexed(encoding) && from < view.byteLength) checkRuns(view, from + 1, view.getUint8(from), count);
  else if (encoding === "RLE") checkRuns(view, from + 4, 1, count);
  else if (encoding.startsWith("DELTA")) checkDelta(view, from);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bitWidth(level: number): number {
  return 32 - Math.clz32(level);
}

/**
 * Walks the runs of hyparquet's readRleBitPackedHybrid without reading them: it would write a run as long as it claims to be.
 * At most `count` values are read; nulls take no value, so a page may end before.
 */
function checkRuns(view: DataView, from: number, width: number, count: number): void {
  if (width > 32) throw new RangeError(`a run of ${width} bits a value`);
  const reader = { view, offset: from };
  for (let seen = 0; seen < count && reader.offset < view.byteLength; ) {
    const header = readVarInt(reader) >>> 0;
    const length = header & 1 ? (header >>> 1) * 8 : header >>> 1;
    reader.offset += header & 1 ? (header >>> 1) * width : Math.ceil(width / 8);
    if (length > count - seen + RUN_SLACK) throw new RangeError("a run is longer than its page");
    seen += length;
  }
}

/** The header of delta-packed numbers: with an absurd one hyparquet would go round in circles. */
function checkDelta(view: DataView, from: number): void {
  const reader = { view, offset: from };
  if (from >= view.byteLength) return; // nothing but nulls
  const block = readVarInt(reader);
  const miniblocks = readVarInt(reader);
  if (!(block >= 1 && block <= 2 ** 20 && miniblocks >= 1 && miniblocks <= block))
    throw new RangeError(`delta blocks of ${block} in ${miniblocks} parts`);
}
