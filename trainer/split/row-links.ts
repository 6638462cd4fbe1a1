// Links sequences that share runs of rows, and follows the links to tell how many steps apart the sequences start.
// Rows are only numbers here. A cell is a place in a sequence: d · T + t. Legend: D sequences, T steps.
import { intern } from "./intern.ts";

export interface Timeline {
  /** Linked sequences have the same number, 0 … components − 1. */
  readonly component: Int32Array;
  readonly components: number;
  /** Steps from the earliest start in the component: what stands at t happened at offset + t. */
  readonly offset: Int32Array;
}

export interface Links {
  /** Pairs of cells that are the same moment. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What speaks for each pair. */
  readonly evidence: Uint8Array;
  readonly count: number;
  /** Runs that stand in more than one sequence, and how many of them have surroundings that differ. */
  readonly recurring: number;
  readonly contradicting: number;
  /** Runs that stand more than once in one sequence; not among the recurring ones. */
  readonly repeated: number;
}

/** One run that is the same in both, or a second one beside it. */
const SINGLE = 0;
const CONFIRMED = 1;

/**
 * Links the sequences of each run that recurs in `runs` (D,T), −1 where there is none. A run is given up at the first
 * occurrence that does not agree with the one before in what surrounds it.
 */
export function linkRuns(runs: Int32Array, T: number): Links {
  const D = runs.length / T;
  const isRepeated = findRepeated(runs, T);
  const starts = new Int32Array(isRepeated.length + 1);
  for (const id of runs) if (id >= 0 && isRepeated[id] === 0) starts[id + 1]++;
  for (let id = 0; id < isRepeated.length; id++) starts[id + 1] += starts[id];
  const occurrences = new Int32Array(starts[isRepeated.length]); // cells by run, then by t: neighbours overlap the most
  const next = starts.slice();
  for (let t = 0; t < T; t++)
    for (let d = 0; d < D; d++) {
      const id = runs[d * T + t];
      if (id >= 0 && isRepeated[id] === 0) occurrences[next[id]++] = d * T + t;
    }

  const from = new Int32Array(occurrences.length);
  const to = new Int32Array(occurrences.length);
  const evidence = new Uint8Array(occurrences.length);
  let count = 0;
  let recurring = 0;
  let contradicting = 0;
  for (let id = 0; id < isRepeated.length; id++) {
    if (starts[id + 1] - starts[id] < 2) continue;
    recurring++;
    for (let i = starts[id] + 1; i < starts[id + 1]; i++) {
      const agreeing = countAgreeing(runs, occurrences[i - 1], occurrences[i], T);
      if (agreeing === 0) {
        contradicting++;
        break;
      }
      from[count] = occurrences[i - 1];
      to[count] = occurrences[i];
      evidence[count++] = agreeing > 1 ? CONFIRMED : SINGLE;
    }
  }
  return { from, to, evidence, count, recurring, contradicting, repeated: isRepeated.reduce((sum, is) => sum + is, 0) };
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

/**
 * Follows the links, the best first: a disjoint-set forest in which every node knows its distance in steps from its parent.
 * `conflicts` counts the links that contradict those before them.
 */
export function placeInTime(linkings: readonly Links[], D: number, T: number): Timeline & { readonly conflicts: number } {
  const parent = new Int32Array(D).map((_, d) => d);
  const distance = new Int32Array(D); // start of d minus start of its parent
  const size = new Int32Array(D).fill(1);
  const find = (d: number): number => {
    let root = d;
    let total = 0;
    for (; parent[root] !== root; root = parent[root]) total += distance[root];
    for (let node = d; node !== root; ) {
      const above = parent[node];
      const step = distance[node];
      parent[node] = root;
      distance[node] = total;
      total -= step;
      node = above;
    }
    return root;
  };
  let conflicts = 0;
  const join = (from: number, to: number): void => {
    const a = Math.floor(from / T);
    const b = Math.floor(to / T);
    const rootA = find(a);
    const rootB = find(b);
    const apart = (from % T) - (to % T) + distance[a] - distance[b]; // start of b's root minus start of a's
    if (rootA === rootB) {
      if (apart !== 0) conflicts++;
      return;
    }
    const [root, child] = size[rootA] >= size[rootB] ? [rootA, rootB] : [rootB, rootA];
    parent[child] = root;
    distance[child] = child === rootB ? apart : -apart;
    size[root] += size[child];
  };
  for (const level of [CONFIRMED, SINGLE])
    for (const { from, to, evidence, count } of linkings) for (let i = 0; i < count; i++) if (evidence[i] === level) join(from[i], to[i]);

  const component = new Int32Array(D).fill(-1);
  const offset = new Int32Array(D);
  const earliest: number[] = [];
  for (let d = 0; d < D; d++) {
    const root = find(d);
    if (component[root] < 0) component[root] = earliest.push(0) - 1;
    component[d] = component[root];
    offset[d] = distance[d];
    earliest[component[d]] = Math.min(earliest[component[d]], offset[d]);
  }
  for (let d = 0; d < D; d++) offset[d] -= earliest[component[d]];
  return { component, components: earliest.length, offset, conflicts };
}
