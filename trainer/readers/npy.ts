// NumPy's .npy file of sequences, a piece at a time where it is large: each piece is an array of its own under the file's header.
// Legend: N sequences, T steps, F features.
import { readNpy } from "../../shared/npy.ts";
import { nameFeatures, nameRows, toValues } from "./arrays.ts";
import type { Batch, Wanted } from "./batch.ts";
import { RAGGED_ADVICE } from "./ragged.ts";
import type { RandomAccess } from "./source.ts";

/** A file up to here is read at once; of a larger one, so much at a time. */
const PIECE_BYTES = 2 ** 25;
/** Version 1's longest header, and what stands before it. */
const HEADER_BYTES = 2 ** 16 + 10;

/** Reads sequences (N,T,F), or flat (N,50). Throws DataError. */
export function* readNpyFile(file: RandomAccess, source: string, wanted: Wanted): Generator<Batch> {
  const none = { labels: null, labelName: null, probability: null, test: null, columns: {} };
  const pieces = file.byteLength > PIECE_BYTES ? planPieces(file) : null;
  const read = (bytes: Uint8Array, n: number): Batch => {
    const content = toValues(readNpy(bytes, source, RAGGED_ADVICE), "X", source, wanted, undefined, n);
    return { ...none, ...content, features: nameRows(nameFeatures(content.shape, wanted, source), content.shape, source, wanted) };
  };
  if (pieces === null) return yield read(new Uint8Array(file.slice(0)), 0);
  const { head, N, rowBytes, describe } = pieces;
  const rows = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  for (let n = 0; n < N; n += rows) {
    const count = Math.min(rows, N - n);
    const bytes = new Uint8Array(head + count * rowBytes);
    bytes.set(describe(count));
    bytes.set(new Uint8Array(file.slice(head + n * rowBytes, head + (n + count) * rowBytes)), head);
    yield read(bytes, n);
  }
}

/** How to cut the file, or null where it is read, or refused, as a whole: another version or order, or sizes that do not fit. */
function planPieces(file: RandomAccess): { head: number; N: number; rowBytes: number; describe(count: number): Uint8Array } | null {
  const start = new Uint8Array(file.slice(0, HEADER_BYTES));
  if (start[6] !== 1) return null;
  const head = 10 + (start[8] | (start[9] << 8));
  const header = new TextDecoder().decode(start.subarray(0, head)); // ASCII where it matters
  const shape = /'shape':\s*\((\d+)(?:,\s*\d+){1,2},?\)/.exec(header);
  const digits = shape?.[1] ?? "";
  const N = Number(digits);
  if (!(N > 0) || /'fortran_order':\s*True/.test(header)) return null;
  const rowBytes = (file.byteLength - head) / N;
  if (!Number.isInteger(rowBytes)) return null;
  const at = Buffer.from(start).indexOf(shape?.[0] ?? "") + (shape?.[0].indexOf(digits) ?? 0);
  return {
    head,
    N,
    rowBytes,
    describe(count) {
      const bytes = start.slice(0, head);
      bytes.set(Buffer.from(String(count).padStart(digits.length)), at);
      return bytes;
    },
  };
}
