// Sequences that are in a file, as far as a split needs them: a number for each distinct row, and a digest of each sequence. Rows are told
// apart by 64 bits each instead of their own: of 10 million rows two are taken for equal with a probability of 3e-6.
// Legend: N sequences, T steps, F features.
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { freeNow } from "../readers/free-now.ts";
import { intern } from "./intern.ts";
import { findOverlapOfRows, isObserved, type Overlap } from "./overlap.ts";

/** What one look at all sequences comes to; of those with a valid row, by position. */
export interface Digests {
  /** (N) the numbers of those with a valid row, ascending. */
  readonly numbers: Int32Array;
  /** As findOverlap finds it. */
  readonly overlap: Overlap;
  /** (N,2) digests: equal for equal sequences. */
  readonly content: Int32Array;
  /** (F) whether a feature lacks a number somewhere, and whether it moves: in valid rows. */
  readonly hasGaps: Uint8Array;
  readonly moves: Uint8Array;
}

/** Looks at `count` sequences (T,F), which `blocks` gives in order, some at a time. */
export function digestSequences(blocks: Iterable<Float64Array>, count: number, shape: Shape, padding: Padding): Digests {
  const { timesteps: T, features: F } = shape;
  const size = T * F;
  const digests = new Int32Array(2 * count * T); // of rows
  const isUsed = new Uint8Array(count * T);
  const content = new Int32Array(2 * count);
  const numbers = new Int32Array(count);
  const hasGaps = new Uint8Array(F);
  const moves = new Uint8Array(F);
  const first = new Float64Array(F).fill(Number.NaN);
  const rows = new Int32Array(T);
  let [n, N] = [0, 0]; // sequences so far, and those with a valid row
  for (const values of blocks) {
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let offset = 0; offset < values.length; offset += size, n++) {
      const length = validRows(values, offset, shape, padding, rows);
      if (length === 0) continue;
      for (let i = 0; i < length; i++) {
        const from = offset + rows[i] * F;
        const row = N * T + rows[i];
        isUsed[row] = isObserved(values, from, F) ? 1 : 0;
        digest(words, 2 * from, 2 * F, digests, 2 * row);
        for (let f = 0; f < F; f++) {
          const x = values[from + f];
          if (Number.isNaN(x)) hasGaps[f] = 1;
          else if (Number.isNaN(first[f])) first[f] = x;
          else if (x !== first[f]) moves[f] = 1;
        }
      }
      digest(words, 2 * offset, 2 * size, content, 2 * N);
      numbers[N++] = n;
    }
  }
  const ids = intern(digests.subarray(0, 2 * N * T), 2, isUsed.subarray(0, N * T)).ids;
  freeNow(digests, isUsed); // a fifth of what the rows are, and finding out who shares some takes as much again
  return { numbers: numbers.slice(0, N), overlap: findOverlapOfRows(ids, T), content: content.slice(0, 2 * N), hasGaps, moves };
}

/**
 * Writes two hashes of 32 bits of `width` words. Both are one-to-one in every single word, so rows that differ in one word never collide.
 * Multipliers: 2^32 / golden ratio (Knuth, TAOCP 6.4), and a prime of xxHash32 (Collet).
 */
function digest(words: Int32Array, from: number, width: number, out: Int32Array, at: number): void {
  let [a, b] = [0, 0x2545f491];
  for (let i = from; i < from + width; i++) {
    const word = words[i];
    a = Math.imul(((a << 5) | (a >>> 27)) ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(((b << 13) | (b >>> 19)) ^ word, 0x85ebca77);
    b ^= b >>> 16;
  }
  out[at] = a;
  out[at + 1] = b;
}
