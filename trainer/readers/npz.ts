// NumPy's archives: a zip of .npy files, stored or deflated. Bytes ⇄ named arrays. Knows no file system, and not what arrays mean.
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { DataError } from "../../shared/errors.ts";
import { encodeNpy, type NpyArray, readNpy } from "../../shared/npy.ts";
import { cutPieces, HEADER_BYTES, PIECE_BYTES, planPieces } from "./npy-pieces.ts";
import type { RandomAccess } from "./source.ts";
import { openZip } from "./zip.ts";

/** A fixed date: the same arrays give the same bytes. Zip keeps local time, so this is what every host writes. */
const DATE = new Date(1980, 0, 1);

export interface Npz {
  readonly names: readonly string[];
  /** Unpacks one array and checks its CRC; `advice` says what to do where it holds Python objects. Throws DataError. */
  read(name: string, advice?: string): Promise<NpyArray>;
  /** The same as pieces along its first axis, whose whole length is N; null where it is small, or can be read as a whole alone. */
  openPieces(name: string, advice?: string): Promise<{ readonly N: number; readonly pieces: AsyncGenerator<NpyArray> } | null>;
}

/** Opens an archive; arrays are unpacked as they are asked for. `source` names it in errors. Throws DataError. */
export async function openNpz(archive: Uint8Array | RandomAccess, source: string): Promise<Npz> {
  const zip = await openZip(archive, source, "a zip archive as np.savez writes it");
  const names = zip.names.filter((name) => name.endsWith(".npy")).map((name) => name.slice(0, -4));
  return {
    names,
    async read(name, advice) {
      if (!names.includes(name)) throw new DataError(source, `has no array ${name}`);
      return readNpy(await zip.read(`${name}.npy`), `${source}: ${name}`, advice);
    },
    async openPieces(name, advice) {
      const file = `${name}.npy`;
      const size = zip.sizeOf(file);
      if (size <= PIECE_BYTES) return null;
      const plan = planPieces(await takeFirst(zip.stream(file), HEADER_BYTES), size);
      if (plan === null) return null;
      const read = async function* (): AsyncGenerator<NpyArray> {
        for await (const piece of cutPieces(zip.stream(file), plan)) yield readNpy(piece, `${source}: ${name}`, advice);
      };
      return { N: plan.N, pieces: read() };
    },
  };
}

/** The first bytes, `count` or a few more; the rest is not asked for. */
async function takeFirst(chunks: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= count) break;
  }
  return Buffer.concat(parts);
}

type Packed = { readonly shape: readonly number[]; readonly data: Float64Array | Uint8Array | readonly string[] };

/** Packs arrays as np.savez does: stored, not deflated, so that the bytes depend on no zlib. */
export async function encodeNpz(arrays: Readonly<Record<string, Packed>>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 0, lastModDate: DATE, extendedTimestamp: false, useWebWorkers: false });
  for (const [name, { data, shape }] of Object.entries(arrays))
    await writer.add(`${name}.npy`, new Uint8ArrayReader(encodeNpy(data, shape)));
  return writer.close();
}
