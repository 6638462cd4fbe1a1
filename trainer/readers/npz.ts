// NumPy's archives: a zip of .npy files, stored or deflated. Bytes ⇄ named arrays. Knows no file system, and not what arrays mean.
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { DataError } from "../../shared/errors.ts";
import { encodeNpy, type NpyArray, readNpy } from "../../shared/npy.ts";
import type { RandomAccess } from "./source.ts";
import { openZip } from "./zip.ts";

/** A fixed date: the same arrays give the same bytes. Zip keeps local time, so this is what every host writes. */
const DATE = new Date(1980, 0, 1);

export interface Npz {
  readonly names: readonly string[];
  /** Unpacks one array and checks its CRC; `advice` says what to do where it holds Python objects. Throws DataError. */
  read(name: string, advice?: string): Promise<NpyArray>;
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
  };
}

type Packed = { readonly shape: readonly number[]; readonly data: Float64Array | Uint8Array | readonly string[] };

/** Packs arrays as np.savez does: stored, not deflated, so that the bytes depend on no zlib. */
export async function encodeNpz(arrays: Readonly<Record<string, Packed>>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 0, lastModDate: DATE, extendedTimestamp: false, useWebWorkers: false });
  for (const [name, { data, shape }] of Object.entries(arrays))
    await writer.add(`${name}.npy`, new Uint8ArrayReader(encodeNpy(data, shape)));
  return writer.close();
}
