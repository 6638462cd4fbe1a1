// Links sequences that share runs of rows. Rows are only numbers here. A cell is one row of a sequence: d · T + t.
// Legend: D sequences, T steps.
import { freeNow } from "../readers/free-now.ts";
import { intern } from "./intern.ts";

export interface Links {
  /** Pairs of cells that are the same moment. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** SINGLE or CONFIRMED, of each pair. */
  readonly evidence: Uint8Array;
  readonly count: number;
  /** Runs that stand in more than one sequence, and how many of them have surroundings that differ. */
  readonly recurring: number;
  readonly contradicting: number;
  /** Runs that stand more than once in one sequence; not among the recurring ones. */
  readonly repeated: number;
}

/** Evidence for a link: one run is the same in both sequences, */
export const SINGLE = 0;
/** or a second one beside it. */
export const CONFIRMED = 1;

/**
 * Links the sequences of each run that recurs in `runs` (D,T), −1 where there is none. A run is given up at the first
 * occurrence that does not agree with the one before in what surrounds it.
 */
export function linkRuns(runs: Int32Array, T: number): Links {
  const isRepeated = findRepeated(runs, T);
  const ids = isRepeated.length;
  const { starts, cells } = groupCells(runs, isRepeated, T);
  const from = new Int32Array(cells.length);
  const to = new Int32Array(cells.length);
  const evidence = new Uint8Array(cells.length);
  let count = 0;
  let recurring = 0;
  let contradicting = 0;
  for (let id = 0; id < ids; id++) {
    if (starts[id + 1] - starts[id] < 2) continue;
    recurring++;
    for (let i = starts[id] + 1; i < starts[id + 1]; i++) {
      const agreeing = countAgreeing(runs, cells[i - 1], cells[i], T);
      if (agreeing === 0) {
        contradicting++;
        break;
      }
      from[count] = cells[i - 1];
      to[count] = cells[i];
      evidence[count++] = agreeing > 1 ? CONFIRMED : SINGLE;
    }
  }
  return { from, to, evidence, count, recurring, contradicting, repeated: isRepeated.reduce((sum, is) => sum + is, 0) };
}

/**
 * The cells of run `id` are cells[starts[id] … starts[id + 1]), by t: neighbours overlap the most. Runs that stand once or are repeated
 * have none, since they link nothing: where no row is in two sequences there is no cell at all.
 */
function groupCells(runs: Int32Array, isRepeated: Uint8Array, T: number): { starts: Int32Array; cells: Int32Array } {
  const ids = isRepeated.length;
  const D = runs.length / T;
  const starts = new Int32Array(ids + 1);
  for (const id of runs) if (id >= 0 && isRepeated[id] === 0) starts[id + 1]++;
  for (let id = 0; id < ids; id++) starts[id + 1] = starts[id] + (starts[id + 1] < 2 ? 0 : starts[id + 1]);
  const cells = new Int32Array(starts[ids]);
  if (cells.length === 0) return { starts, cells };
  const next = starts.slice();
  for (let t = 0; t < T; t++)
    for (let d = 0; d < D; d++) {
      const id = runs[d * T + t];
      if (id >= 0 && starts[id + 1] > starts[id]) cells[next[id]++] = d * T + t;
    }
  freeNow(next);
  return { starts, cells };
}

/** (ids) 1 for what stands more than once in some sequence, such as a flag that comes and goes: it tells no time. */
function findRepeated(runs: Int32Array, T: number): Uint8Array {
  const ids = runs.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const lastSeen = new Int32Array(ids).fill(-1);
  const isRepeated = new Uint8Array(ids);
  for (let cell = 0; cell < runs.length; cell++) {
    const id = runs[cell];
    if (id < 0) continue;
    const d = Math.floor(cell / T);
    if (lastSeen[id] === d) isRepeated[id] = 1;
    lastSeen[id] = d;
  }
  freeNow(lastSeen);
  return isRepeated;
}

/**
 * Lays two sequences over each other so that cells `a` and `b` meet, and counts the runs that are the same in both; 0 unless
 * they are the majority. Not all need to be: a first row may hold differences, a last one a day that was not over.
 */
function countAgreeing(runs: Int32Array, a: number, b: number, T: number): number {
  const ta = a % T;
  const tb = b % T;
  let agreeing = 0;
  let differing = 0;
  for (let shift = -Math.min(ta, tb); shift < T - Math.max(ta, tb); shift++) {
    const x = runs[a + shift];
    const y = runs[b + shift];
    if (x < 0 || y < 0) continue;
    if (x !== y) differing++;
    else agreeing++;
  }
  return agreeing > differing ? agreeing : 0;
}

/** (D,T) numbers for runs of 2 · length rows, from those of `length` rows; −1 where the sequence ends before. */
export function doubleRuns(runs: Int32Array, length: number, T: number): Int32Array {
  const pairs = new Int32Array(2 * runs.length);
  const isUsed = new Uint8Array(runs.length);
  for (let cell = 0; cell < runs.length; cell++) {
    if ((cell % T) + length >= T || runs[cell] < 0 || runs[cell + length] < 0) continue;
    isUsed[cell] = 1;
    pairs[2 * cell] = runs[cell];
    pairs[2 * cell + 1] = runs[cell + length];
  }
  return intern(pairs, 2, isUsed).ids;
}
