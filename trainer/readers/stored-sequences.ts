// Sequences that stand in a file and not in memory, since there are very many: they come by number, or all in turn, some at a time.
// Legend: N sequences, T steps, F features.
import type { Shape } from "../../shared/sequence.ts";
import { type NumberFile, openNumberFile } from "../files/number-file.ts";

/** When sequences are kept in a file, and where. */
export interface StoreOptions {
  /** Of more sequences none is kept in memory. */
  readonly above: number;
  readonly folder: string;
}

export interface StoredSequences {
  /** N */
  readonly count: number;
  /** (n,T,F) the sequences with these numbers, in their order; the file is asked for them in its own. */
  read(numbers: Int32Array): Float64Array;
  /** All in order, some at a time; a block may stand where the one before it stood. */
  blocks(): Iterable<Float64Array>;
  close(): void;
}

/** Sequences of one length that stand one behind the other. */
interface Run {
  /** The number of its first sequence, and of the file's first number of it. */
  readonly first: number;
  readonly from: number;
  readonly timesteps: number;
}

export interface SequenceStore {
  /** Sequences of a batch, of its own T. */
  add(batch: { readonly values: Float64Array; readonly shape: Shape }): void;
  /** All of them, those of fewer than `timesteps` steps padded in front. */
  finish(timesteps: number): StoredSequences;
  close(): void;
}

/** Numbers of a block: 2 MiB. */
const BLOCK_NUMBERS = 2 ** 18;
/** Sequences of a block whose order is another than the file's. */
const REORDERED = 4096;

/** Opens a store in `folder` for sequences of `F` features. Throws DataError. */
export function openSequenceStore(folder: string, F: number): SequenceStore {
  const file = openNumberFile(folder);
  const runs: Run[] = [];
  let [count, numbers] = [0, 0];
  return {
    add({ values, shape: { timesteps } }) {
      if (runs.at(-1)?.timesteps !== timesteps) runs.push({ first: count, from: numbers, timesteps });
      file.append(values);
      numbers += values.length;
      count += values.length / (timesteps * F);
    },
    finish: (timesteps) => readStore(file, { runs, count, F, timesteps }),
    close: () => file.close(),
  };
}

interface Stored {
  readonly runs: readonly Run[];
  readonly count: number;
  readonly F: number;
  readonly timesteps: number;
}

function readStore(file: NumberFile, { runs, count, F, timesteps: T }: Stored): StoredSequences {
  const size = T * F;
  /** Reads `n` sequences from number `first` on, all of one run, into `out` (n,T,F). */
  const fill = (run: Run, first: number, n: number, out: Float64Array): void => {
    const own = run.timesteps * F;
    const at = run.from + (first - run.first) * own;
    if (own === size) {
      file.read(at, out);
      return;
    }
    out.fill(0);
    for (let k = 0; k < n; k++) file.read(at + k * own, out.subarray((k + 1) * size - own, (k + 1) * size));
  };
  return {
    count,
    read(wanted) {
      const out = new Float64Array(wanted.length * size);
      const ranks = Int32Array.from(wanted.keys()).sort((a, b) => wanted[a] - wanted[b]);
      for (let i = 0, n = 1; i < ranks.length; i += n) {
        const [to, first] = [ranks[i], wanted[ranks[i]]];
        const run = findRun(runs, first);
        const end = runs[runs.indexOf(run) + 1]?.first ?? count;
        for (n = 1; ranks[i + n] === to + n && wanted[to + n] === first + n && first + n < end; n++); // neighbours come at once
        fill(run, first, n, out.subarray(to * size, (to + n) * size));
      }
      return out;
    },
    *blocks() {
      const block = new Float64Array(Math.max(1, Math.floor(BLOCK_NUMBERS / size)) * size);
      for (const [r, run] of runs.entries()) {
        const end = runs[r + 1]?.first ?? count;
        for (let first = run.first; first < end; first += block.length / size) {
          const n = Math.min(block.length / size, end - first);
          const part = block.subarray(0, n * size);
          fill(run, first, n, part);
          yield part;
        }
      }
    },
    close: () => file.close(),
  };
}

/** The same sequences in another order: number n is number `order[n]` of `stored`, order (N). */
export function reorder(stored: StoredSequences, order: Int32Array): StoredSequences {
  return {
    count: stored.count,
    read: (numbers) => stored.read(numbers.map((n) => order[n])),
    *blocks() {
      for (let from = 0; from < order.length; from += REORDERED) yield stored.read(order.subarray(from, from + REORDERED));
    },
    close: () => stored.close(),
  };
}

function findRun(runs: readonly Run[], n: number): Run {
  let [low, high] = [0, runs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (runs[middle].first <= n) low = middle;
    else high = middle - 1;
  }
  return runs[low];
}
