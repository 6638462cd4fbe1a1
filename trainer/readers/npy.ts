// NumPy's .npy file of sequences, a piece at a time where it is large.
// Legend: N sequences, T steps, F features.
import { readNpy } from "../../shared/npy.ts";
import { nameFeatures, nameRows, toValues } from "./arrays.ts";
import type { Batch, Wanted } from "./batch.ts";
import { HEADER_BYTES, PIECE_BYTES, planPieces } from "./npy-pieces.ts";
import { RAGGED_ADVICE } from "./ragged.ts";
import type { RandomAccess } from "./source.ts";

/** Reads sequences (N,T,F), or flat (N,50). Throws DataError. */
export function* readNpyFile(file: RandomAccess, source: string, wanted: Wanted): Generator<Batch> {
  const none = { labels: null, labelName: null, probability: null, test: null, columns: {} };
  const pieces = file.byteLength > PIECE_BYTES ? planPieces(new Uint8Array(file.slice(0, HEADER_BYTES)), file.byteLength) : null;
  const read = (bytes: Uint8Array, n: number): Batch => {
    const content = toValues(readNpy(bytes, source, RAGGED_ADVICE), "X", source, wanted, undefined, n);
    return { ...none, ...content, features: nameRows(nameFeatures(content.shape, wanted, source), content.shape, source, wanted) };
  };
  if (pieces === null) return yield read(new Uint8Array(file.slice(0)), 0);
  const { head, N, rows, rowBytes, describe } = pieces;
  for (let n = 0; n < N; n += rows) {
    const count = Math.min(rows, N - n);
    const bytes = new Uint8Array(head + count * rowBytes);
    bytes.set(describe(count));
    bytes.set(new Uint8Array(file.slice(head + n * rowBytes, head + (n + count) * rowBytes)), head);
    yield read(bytes, n);
  }
}
