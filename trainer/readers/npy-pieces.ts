// How a large .npy file is cut: each piece is an array of its own under the file's header. Knows no values.

/** A file up to here is read at once; of a larger one, so much at a time. */
export const PIECE_BYTES = 2 ** 25;
/** Version 1's longest header, and what stands before it. */
export const HEADER_BYTES = 2 ** 16 + 10;

export interface Pieces {
  /** Bytes before the first number. */
  readonly head: number;
  /** Of the whole array, and of a piece: items along the first axis. */
  readonly N: number;
  readonly rows: number;
  readonly rowBytes: number;
  /** The header of a piece of `count` items. */
  describe(count: number): Uint8Array;
}

/** How to cut a file of `byteLength` bytes, more than PIECE_BYTES, that begins with `start`; null where it is read, or refused, as a whole: of another version or order, or of sizes that do not fit. */
export function planPieces(start: Uint8Array, byteLength: number): Pieces | null {
  if (start[6] !== 1) return null;
  const head = 10 + (start[8] | (start[9] << 8));
  const header = new TextDecoder().decode(start.subarray(0, head)); // ASCII where it matters
  const shape = /'shape':\s*\((\d+)(?:,\s*\d+){1,2},?\)/.exec(header);
  const digits = shape?.[1] ?? "";
  const N = Number(digits);
  if (!(N > 0) || /'fortran_order':\s*True/.test(header)) return null;
  const rowBytes = (byteLength - head) / N;
  if (!Number.isInteger(rowBytes)) return null;
  const at = Buffer.from(start).indexOf(shape?.[0] ?? "") + (shape?.[0].indexOf(digits) ?? 0);
  return {
    head,
    N,
    rows: Math.max(1, Math.floor(PIECE_BYTES / rowBytes)),
    rowBytes,
    describe(count) {
      const bytes = start.slice(0, head);
      bytes.set(Buffer.from(String(count).padStart(digits.length)), at);
      return bytes;
    },
  };
}

/** The file's `chunks` as pieces, each with its header, as they fill up. */
export async function* cutPieces(
  chunks: AsyncIterable<Uint8Array>,
  { head, N, rows, rowBytes, describe }: Pieces,
): AsyncGenerator<Uint8Array> {
  let skipped = 0;
  let n = 0;
  let [piece, filled] = [new Uint8Array(0), 0];
  for await (const chunk of chunks) {
    let at = Math.min(chunk.length, head - skipped);
    skipped += at;
    while (at < chunk.length) {
      if (filled === 0) {
        piece = new Uint8Array(head + Math.min(rows, N - n) * rowBytes);
        piece.set(describe(Math.min(rows, N - n)));
        filled = head;
      }
      const part = chunk.subarray(at, at + piece.length - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < piece.length) continue;
      yield piece;
      n += Math.min(rows, N - n);
      filled = 0;
    }
  }
}
