// Where bytes come from: a file or standard input, packed with gzip or not, as a stream or as a whole. Knows no format's inside.
import type { Hash } from "node:crypto";
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DataError, UsageError } from "../../shared/errors.ts";
import { reason } from "../files/whole-files.ts";
import { checkInflation } from "./inflation.ts";
import { BEGINNING_BYTES, checkBeginning } from "./signatures.ts";

export const FORMATS = ["csv", "jsonl", "npy", "npz", "parquet", "arrow", "json", "ts", "arff"] as const;
export type Format = (typeof FORMATS)[number];
/** Endings that are no format's name. */
const OTHER_ENDINGS: Readonly<Record<string, Format>> = {
  ndjson: "jsonl",
  tsv: "csv",
  psv: "csv",
  txt: "csv",
  feather: "arrow",
  ipc: "arrow",
};

/** As errors list them. */
const ENDINGS = ".csv, .tsv, .psv, .txt, .json, .jsonl, .npz, .npy, .parquet, .arrow, .feather, .ts or .arff";

/** The path that means standard input. */
export const STDIN = "-";
const CHUNK_BYTES = 2 ** 20;
/** Of one read call. */
const MAX_READ_BYTES = 2 ** 30;
/** What is read as a whole: 10 million sequences of 10 × 5 float64. */
const MAX_WHOLE_BYTES = 2 ** 32;

export interface Source {
  /** For errors. */
  readonly name: string;
  readonly format: Format;
  /** The bytes, unpacked, in order. Throws DataError. */
  chunks(): AsyncGenerator<Uint8Array>;
  whole(): Promise<Uint8Array>;
  /** The bytes, unpacked, to be read here and there. */
  random(): Promise<RandomAccess>;
}

export interface RandomAccess {
  readonly byteLength: number;
  slice(from: number, to?: number): ArrayBuffer;
  close(): void;
}

/**
 * A file by its ending, `.gz` aside, or as `format` says; `hash` sees its bytes as they are stored, `onBytes` hears how many are
 * read at a time. Throws DataError, UsageError.
 */
export function openSource(
  path: string,
  format: Format | undefined,
  hash: Hash | null,
  onBytes: (bytes: number) => void = () => {},
): Source {
  const name = path === STDIN ? "standard input" : path;
  const known = format ?? formatOf(path);
  const unpacked = () => unpack(readChunks(path, name, hash, onBytes), name);
  const file = () => (path === STDIN ? null : openFile(path, known, onBytes));
  const whole = async (): Promise<Uint8Array> => {
    const plain = file();
    if (plain === null) return concatenate(unpacked(), known, name);
    let bytes: Uint8Array;
    try {
      checkSize(plain.byteLength, name);
      bytes = new Uint8Array(plain.slice(0));
    } finally {
      plain.close();
    }
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) hash?.update(bytes.subarray(at, at + CHUNK_BYTES));
    return bytes;
  };
  return {
    name,
    format: known,
    chunks: () => checkFirst(unpacked(), known, name),
    whole,
    async random() {
      const plain = file();
      if (plain !== null) {
        if (plain.byteLength === 0) throw new DataError(name, "is empty");
        if (hash) for await (const _ of readChunks(path, name, hash, () => {}));
        return plain;
      }
      const { buffer, byteOffset, byteLength } = await whole();
      return { byteLength, slice: (from, to = byteLength) => buffer.slice(byteOffset + from, byteOffset + to) as ArrayBuffer, close() {} };
    },
  };
}

/** `data/new.csv.gz` → `data/new`. */
export function stem(path: string): string {
  return path === STDIN ? "stdin" : path.replace(/\.gz$/i, "").replace(/(?<=[^/\\])\.[^./\\]*$/, "");
}

/** Whether a file's ending says that it holds data. */
export function isDataFile(path: string): boolean {
  return formatOfEnding(endingOf(path)) !== undefined;
}

/** Whether a file's ending is that of a table which another program writes, and which a sentence says how to save otherwise. */
export function isForeignTable(path: string): boolean {
  return /\.(?:xlsx?|xlsm|ods|numbers|pkl|pickle|html?|rds|rdata|dta|sav|mat)$/i.test(path);
}

function endingOf(path: string): string {
  return /(?<=[^/\\])\.([^./\\]*)$/.exec(path.replace(/\.gz$/i, ""))?.[1] ?? "";
}

function formatOfEnding(ending: string): Format | undefined {
  const name = ending.toLowerCase();
  return FORMATS.find((format) => format === name) ?? (Object.hasOwn(OTHER_ENDINGS, name) ? OTHER_ENDINGS[name] : undefined);
}

function formatOf(path: string): Format {
  if (path === STDIN) throw new UsageError(`standard input has no ending: say --format ${FORMATS.join("|")}`);
  const ending = endingOf(path);
  const format = formatOfEnding(ending);
  if (format === undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new DataError(path, "cannot be read: it is a folder, expected a file");
  if (format === undefined && !existsSync(path)) throw new DataError(path, "cannot be read: there is no such file");
  if (format === undefined)
    throw new DataError(
      path,
      `${ending === "" ? "has no extension" : `has the extension .${ending}`}, expected ${ENDINGS}${wayOf(ending.toLowerCase())}`,
    );
  return format;
}

/** What to do with files of other programs, as the end of a sentence. */
function wayOf(ending: string): string {
  if (/^(xlsx?|xlsm|ods|numbers)$/.test(ending))
    return ': save the sheet as CSV, or write it with pd.read_excel("data.xlsx").to_csv("data.csv", index=False)';
  if (/^(zip|bz2|xz|zst|7z|tar|tgz|rar)$/.test(ending)) return ": unpack it first, or pack it with gzip";
  if (/^(pkl|pickle|h5|hdf5|mat|avro|orc|html?|xml|rds|rdata|dta|sav|sas7bdat|db|sqlite|duckdb)$/.test(ending))
    return ": write it as Parquet or CSV";
  return ": rename it, or say what it holds, as --format csv";
}

async function* readChunks(path: string, name: string, hash: Hash | null, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const options = { highWaterMark: CHUNK_BYTES };
  let total = 0;
  try {
    for await (const chunk of path === STDIN ? createReadStream("", { ...options, fd: 0 }) : createReadStream(path, options)) {
      hash?.update(chunk);
      total += chunk.length;
      onBytes(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw new DataError(name, `cannot be read: ${reason(error)}`);
  }
  if (total === 0) throw new DataError(name, "is empty");
}

/** Gunzips what starts as gzip does; none of the formats does. */
async function* unpack(chunks: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.length < SIGNATURE_BYTES) {
    const chunk = await chunks.next(); // a pipe may hand over byte by byte
    if (chunk.done) break;
    first = first.length === 0 ? chunk.value : Buffer.concat([first, chunk.value]);
  }
  let packed = 0;
  const all = async function* (): AsyncGenerator<Uint8Array> {
    try {
      packed += first.length;
      yield first;
      for (let chunk = await chunks.next(); !chunk.done; chunk = await chunks.next()) {
        packed += chunk.value.length;
        yield chunk.value;
      }
    } finally {
      await chunks.return(undefined);
    }
  };
  if (!isGzip(first)) return yield* all();
  let unpacked = 0;
  try {
    for await (const chunk of pipeline(Readable.from(all()), createGunzip({ chunkSize: CHUNK_BYTES }), () => {})) {
      unpacked += chunk.length;
      checkInflation(unpacked, packed, name);
      yield chunk;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith("Z_") !== true) throw error;
    throw new DataError(name, `cannot be unpacked: it is cut short or damaged (${(error as Error).message})`);
  }
}

/** The chunks, once enough of them has come to see that they begin as the format does. Throws DataError. */
async function* checkFirst(chunks: AsyncGenerator<Uint8Array>, format: Format, name: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < BEGINNING_BYTES) continue;
    checkBeginning(head, format, name);
    yield head;
    head = null;
  }
  if (head === null) return;
  checkBeginning(head, format, name);
  yield head;
}

/** Of gzip (RFC 1952, 2.3.1). */
const SIGNATURE_BYTES = 2;

/** Whether `bytes` begin as gzip does. */
function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What is read as a whole has at least a byte, and fits. */
function checkSize(bytes: number, name: string): void {
  if (bytes === 0) throw new DataError(name, "is empty");
  if (bytes > MAX_WHOLE_BYTES)
    throw new DataError(name, `holds more than ${MAX_WHOLE_BYTES} bytes: split it, or give it as .csv or .jsonl`);
}

/** What a format that is read as a whole begins with: nothing else of a pipe or a device is kept. */
const SIGNATURES: Readonly<Partial<Record<Format, readonly string[]>>> = {
  npy: ["\x93NUMPY"],
  npz: ["PK"],
  parquet: ["PAR1"],
  arrow: ["ARROW1", "FEA1", "\xff\xff\xff\xff"], // a file, Feather of old, a stream
};

function checkSignature(first: Uint8Array, format: Format, name: string): void {
  checkBeginning(first, format, name);
  const wanted = SIGNATURES[format];
  const begin = Buffer.from(first.subarray(0, 6)).toString("latin1");
  if (wanted && !wanted.some((signature) => begin.startsWith(signature.slice(0, first.length))))
    throw new DataError(name, `does not begin as .${format} does: it is something else`);
}

async function concatenate(chunks: AsyncGenerator<Uint8Array>, format: Format, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (parts.length === 0) checkSignature(chunk, format, name);
    parts.push(chunk);
    length += chunk.length;
    checkSize(length, name);
  }
  if (parts.length === 1 && parts[0].byteOffset % 8 === 0) return parts[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    all.set(parts[i], at);
    at += parts[i].length;
    parts[i] = new Uint8Array(0); // so that they can go one by one
  }
  return all;
}

/** A file's first bytes, at most so many. */
function readStart(file: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
}

/** A regular file that is not packed, or null. Throws DataError. */
function openFile(path: string, format: Format, onBytes: (bytes: number) => void): RandomAccess | null {
  let file = -1;
  try {
    file = openSync(path, "r");
    const status = fstatSync(file);
    const slice = (from: number, to = status.size): ArrayBuffer => {
      const bytes = new Uint8Array(Math.max(0, Math.min(to, status.size) - from));
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(file, bytes, at, Math.min(bytes.length - at, MAX_READ_BYTES), from + at);
        if (count === 0) throw new DataError(path, "became shorter while it was read");
        at += count;
        onBytes(count);
      }
      return bytes.buffer;
    };
    const first = status.isFile() ? readStart(file, BEGINNING_BYTES) : null;
    if (first !== null && !isGzip(first)) {
      checkBeginning(first, format, path);
      return { byteLength: status.size, slice, close: () => closeSync(file) };
    }
    closeSync(file);
    return null;
  } catch (error) {
    if (file >= 0) closeSync(file);
    if (error instanceof DataError) throw error;
    throw new DataError(path, `cannot be read: ${reason(error)}`);
  }
}
