// How pages of Parquet are unpacked, by their codecs. Knows no page.
import * as zlib from "node:zlib";
import { snappyUncompress } from "hyparquet";
import { decompressLz4, decompressLz4Raw, decompressZstd } from "hyparquet-compressors";

/** Packed bytes and the size that the page claims → the page. */
export type Unpack = (bytes: Uint8Array, size: number) => Uint8Array;

/** By Parquet's names. Each gives up at the size that the page claims. */
export const UNPACK: Readonly<Record<string, Unpack>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY(bytes, size) {
    const out = new Uint8Array(size);
    snappyUncompress(bytes, out);
    return out;
  },
  GZIP: (bytes, size) => zlib.gunzipSync(bytes, { maxOutputLength: Math.max(1, size) }),
  ZSTD: zstd,
  BROTLI: (bytes, size) => zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, size) }),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

/** Node has it from 22.15 on. */
function zstd(bytes: Uint8Array, size: number): Uint8Array {
  if ("zstdDecompressSync" in zlib) return zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, size) });
  return decompressZstd(bytes, new Uint8Array(size));
}
