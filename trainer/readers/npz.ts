// NumPy's archives: a zip of .npy files, stored or deflated. Bytes ⇄ named arrays. Knows no file system, and not what arrays mean.
import { type FileEntry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { DataError } from "../../shared/errors.ts";
import { encodeNpy, type NpyArray, readNpy } from "../../shared/npy.ts";

/** Deflate's best case, 258 bytes in 2 bits (zlib.net/zlib_tech.html): a size beyond it is a lie. */
const MAX_RATIO = 1032;
const MAX_ARRAY_BYTES = 2 ** 32; // 10 million sequences of 10 × 5 float64
/** A fixed date: the same arrays give the same bytes. Zip keeps local time, so this is what every host writes. */
const DATE = new Date(1980, 0, 1);

export interface Npz {
  readonly names: readonly string[];
  /** Unpacks one array and checks its CRC. Throws DataError. */
  read(name: string): Promise<NpyArray>;
}

/** Opens an archive; arrays are unpacked as they are asked for. `source` names it in errors. Throws DataError. */
export async function openNpz(bytes: Uint8Array, source: string): Promise<Npz> {
  const entries = new Map<string, FileEntry>();
  try {
    for (const entry of await new ZipReader(new Uint8ArrayReader(bytes), { useWebWorkers: false }).getEntries())
      if (!entry.directory && entry.filename.endsWith(".npy")) entries.set(entry.filename.slice(0, -4), entry);
  } catch (error) {
    throw new DataError(source, `is not a zip archive as np.savez writes it, or is cut short or damaged (${(error as Error).message})`);
  }
  return {
    names: [...entries.keys()],
    async read(name) {
      const place = `${source}: ${name}`;
      const entry = entries.get(name);
      if (entry === undefined) throw new DataError(source, `has no array ${name}`);
      const { uncompressedSize, compressedSize } = entry;
      if (uncompressedSize > MAX_ARRAY_BYTES)
        throw new DataError(place, `claims ${uncompressedSize} bytes, expected at most ${MAX_ARRAY_BYTES}: split the data`);
      if (uncompressedSize > MAX_RATIO * compressedSize)
        throw new DataError(place, `claims ${uncompressedSize} bytes packed into ${compressedSize}, which no packing does: it is damaged`);
      let unpacked: Uint8Array;
      try {
        unpacked = await unpack(entry);
      } catch (error) {
        throw new DataError(place, `cannot be unpacked: it is damaged (${(error as Error).message})`);
      }
      return readNpy(unpacked, place);
    },
  };
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

type Packed = { readonly shape: readonly number[]; readonly data: Float64Array | Uint8Array | readonly string[] };

/** Packs arrays as np.savez does: stored, not deflated, so that the bytes depend on no zlib. */
export async function encodeNpz(arrays: Readonly<Record<string, Packed>>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 0, lastModDate: DATE, extendedTimestamp: false, useWebWorkers: false });
  for (const [name, { data, shape }] of Object.entries(arrays))
    await writer.add(`${name}.npy`, new Uint8ArrayReader(encodeNpy(data, shape)));
  return writer.close();
}
