// Zip archives: bytes → named files, each unpacked as it is asked for and held against what the archive claims. Knows no file system.
import { type FileEntry, Reader, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import { DataError } from "../../shared/errors.ts";
import type { RandomAccess } from "./source.ts";

/** Deflate's best case, 258 bytes in 2 bits (zlib.net/zlib_tech.html): a size beyond it is a lie. */
const MAX_RATIO = 1032;
const MAX_FILE_BYTES = 2 ** 32; // 10 million sequences of 10 × 5 float64

export interface Zip {
  readonly names: readonly string[];
  /** Unpacks one file, of at most `limit` bytes, and checks its CRC. Throws DataError. */
  read(name: string, limit?: number): Promise<Uint8Array>;
  /** Bytes that a file claims to unpack to; 0 where there is none. */
  sizeOf(name: string): number;
  /** Unpacks one file as `read` does, some bytes at a time, and checks its CRC behind the last of them. Throws DataError. */
  stream(name: string): AsyncGenerator<Uint8Array>;
}

/** Whether `bytes` begin as a zip does: with a file, or with the directory of an empty archive (PKWARE's APPNOTE.TXT, 4.3.7 and 4.3.16). */
export function isZip(bytes: Uint8Array): boolean {
  const [p, k, a, b] = bytes;
  return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6));
}

/** A file of which zip.js reads here and there. */
class FileReader extends Reader<RandomAccess> {
  readonly #file: RandomAccess;

  constructor(file: RandomAccess) {
    super(file);
    this.#file = file;
    this.size = file.byteLength;
  }

  override async readUint8Array(from: number, length: number): Promise<Uint8Array> {
    return new Uint8Array(this.#file.slice(from, Math.min(this.size, from + length)));
  }
}

/** Opens a zip; files are unpacked as they are asked for. `kind` says what it should be. Throws DataError. */
export async function openZip(archive: Uint8Array | RandomAccess, source: string, kind: string): Promise<Zip> {
  const entries = new Map<string, FileEntry>();
  const reader = archive instanceof Uint8Array ? new Uint8ArrayReader(archive) : new FileReader(archive);
  try {
    for (const entry of await new ZipReader(reader, { useWebWorkers: false }).getEntries())
      if (!entry.directory) entries.set(entry.filename, entry);
  } catch (error) {
    throw new DataError(source, `is not ${kind}, or is cut short or damaged (${(error as Error).message})`);
  }
  const find = (name: string, limit = MAX_FILE_BYTES): { entry: FileEntry; place: string } => {
    const place = `${source}: ${name.replace(/\.npy$/, "")}`;
    const entry = entries.get(name);
    if (entry === undefined) throw new DataError(source, `has no ${name}`);
    const { uncompressedSize, compressedSize } = entry;
    if (uncompressedSize > limit) throw new DataError(place, `claims ${uncompressedSize} bytes, expected at most ${limit}: split the data`);
    if (uncompressedSize > MAX_RATIO * compressedSize)
      throw new DataError(place, `claims ${uncompressedSize} bytes packed into ${compressedSize}, which no packing does: it is damaged`);
    return { entry, place };
  };
  const damaged = (place: string, error: unknown): DataError =>
    new DataError(place, `cannot be unpacked: it is damaged (${(error as Error).message})`);
  return {
    names: [...entries.keys()],
    sizeOf: (name) => entries.get(name)?.uncompressedSize ?? 0,
    async read(name, limit) {
      const { entry, place } = find(name, limit);
      try {
        return await unpack(entry);
      } catch (error) {
        throw damaged(place, error);
      }
    },
    async *stream(name) {
      const { entry, place } = find(name);
      const chunks = unpackChunks(entry);
      try {
        for (;;) {
          const chunk = await chunks.next().catch((error) => {
            throw damaged(place, error);
          });
          if (chunk.done) return;
          yield chunk.value;
        }
      } finally {
        await chunks.return(undefined);
      }
    },
  };
}

/** Unpacks as many bytes as the entry claims, some at a time. */
async function* unpackChunks(entry: FileEntry): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const abort = new AbortController();
  const done = entry.getData(writable, { checkCrc32: true, useWebWorkers: false, signal: abort.signal });
  done.catch(() => {}); // its reader hears of it, or is awaited below
  let at = 0;
  try {
    for await (const chunk of readable) {
      at += chunk.length;
      if (at > entry.uncompressedSize) throw new RangeError(`more than the ${entry.uncompressedSize} bytes it claims`);
      yield chunk;
    }
    await done;
    if (at !== entry.uncompressedSize) throw new RangeError(`${at} of the ${entry.uncompressedSize} bytes it claims`);
  } finally {
    abort.abort();
  }
}

/** Unpacks into as many bytes as the entry claims, and not one more. */
async function unpack(entry: FileEntry): Promise<Uint8Array> {
  const out = new Uint8Array(entry.uncompressedSize);
  let at = 0;
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (at + chunk.length > out.length) throw new RangeError(`more than the ${out.length} bytes it claims`);
      out.set(chunk, at);
      at += chunk.length;
    },
  });
  await entry.getData(sink, { checkCrc32: true, useWebWorkers: false });
  if (at !== out.length) throw new RangeError(`${at} of the ${out.length} bytes it claims`);
  return out;
}
