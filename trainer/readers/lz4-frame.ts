// LZ4 frames (github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md), as Arrow packs its buffers. The LZ4 of
// hyparquet-compressors unpacks single blocks, while blocks of a frame refer to those before them. Knows no Arrow.

const MAGIC = 0x184d2204;
const HAS_CONTENT_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
const HAS_BLOCK_CHECKSUM = 0x10;
const IS_STORED = 0x80000000;

/** The frame's content, of at most `limit` bytes. Checksums are not looked at. Throws RangeError where it is damaged or longer. */
export function unpackLz4Frame(frame: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new RangeError("no LZ4 frame");
  const flags = view.getUint8(4);
  let at = 7 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0); // with the header's own checksum
  let out = new Uint8Array(Math.min(limit, 4 * frame.length));
  let length = 0;
  const reserve = (bytes: number): void => {
    if (length + bytes > limit) throw new RangeError("an LZ4 frame that unpacks to more than it should");
    if (length + bytes <= out.length) return;
    const larger = new Uint8Array(Math.min(limit, Math.max(2 * out.length, length + bytes)));
    larger.set(out.subarray(0, length));
    out = larger;
  };
  for (;;) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return out.slice(0, length);
    const size = word & ~IS_STORED;
    if (at + size > frame.length) throw new RangeError("an LZ4 block that ends early");
    const block = frame.subarray(at, at + size);
    if (word >>> 31 === 1) {
      reserve(size);
      out.set(block, length);
      length += size;
    } else unpackBlock(block);
    at += size + (flags & HAS_BLOCK_CHECKSUM ? 4 : 0);
  }

  /** Appends a block's content; its matches may begin in blocks before. */
  function unpackBlock(block: Uint8Array): void {
    let i = 0;
    const readLength = (nibble: number): number => {
      let total = nibble;
      for (let byte = nibble === 15 ? 255 : 0; byte === 255; total += byte) byte = block[i++] ?? fail();
      return total;
    };
    while (i < block.length) {
      const token = block[i++];
      const literals = readLength(token >> 4);
      if (i + literals > block.length) fail();
      reserve(literals);
      out.set(block.subarray(i, i + literals), length);
      i += literals;
      length += literals;
      if (i === block.length) return; // the last sequence has no match
      const offset = block[i] | (block[i + 1] << 8);
      i += 2;
      const match = readLength(token & 15) + 4;
      if (offset === 0 || offset > length) fail();
      reserve(match);
      for (let k = 0; k < match; k++, length++) out[length] = out[length - offset]; // may overlap
    }
  }
}

function fail(): never {
  throw new RangeError("a damaged LZ4 block");
}
