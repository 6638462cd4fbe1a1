// Which sequences share rows, and how many steps apart they start: windows cut from one series give themselves away, whatever
// the file's order. Looks at rows alone; knows no labels and no parts.
// Legend: N sequences, D distinct ones, T steps, F features. A cell is a row of a distinct sequence: d · T + t.
import { type Padding, type Shape, validRows } from "../shared/sequence.ts";

export interface Overlap {
  /**
   * `series`: sequences share rows, and agree on when those happened. `coincidence`: rows recur, but their neighbours contradict
   * each other, as with counts or flags. `none`: no row is in two sequences, whole copies apart.
   */
  readonly finding: "series" | "coincidence" | "none";
  /** Share of the recurring rows whose surroundings differ, or of the links that disagree on the time. */
  readonly contradictions: number;
  /** (N) sequences equal in every row have the same number, 0 … distinct − 1. */
  readonly copy: Int32Array;
  readonly distinct: number;
  /** (N) sequences linked by shared rows, or copies of each other, have the same number, 0 … components − 1. */
  readonly component: Int32Array;
  readonly components: number;
  /** (N) steps from the earliest start in its component: row t of a sequence happened at offset + t. */
  readonly offset: Int32Array;
}

/** A series has a few rows that recur by chance, such as a missing value. Up to here one shared row is enough to link two sequences. */
const MAX_CONTRADICTIONS = 0.05;
/** Up to here a link needs a second row. Rows that are shared by coincidence alone contradict in half of the cases or more (measured: 98 % at T = 10). */
const MAX_DOUBT = 0.33;

/**
 * Finds the sequences of `values` (N,T,F) that share rows, compared by their bits. Two sequences that share a row belong
 * together when most of the rows around it are the same in both. Where rows recur by chance, runs of 2, 4, … rows take their
 * place: windows over few distinct values are found too. Padding is shared with nobody.
 */
export function findOverlap(values: Float64Array, shape: Shape, padding: Padding): Overlap {
  const { timesteps: T } = shape;
  const all = identifyRows(values, shape, padding); // (N,T)
  const { ids: copy, count: distinct, first } = intern(all, T, null);

  let runs = collapse(all, first, T);
  const trusted: TrustedLinks[] = [];
  let contradictions = 0;
  for (let length = 1; length < Math.max(2, T); length *= 2) {
    const links = linkRuns(runs, T);
    const { recurring, contradicting, repeated } = links;
    if (length === 1 && recurring + repeated > 0) contradictions = (contradicting + repeated) / (recurring + repeated);
    if (contradicting <= MAX_DOUBT * recurring)
      trusted.push({ ...links, needed: contradicting <= MAX_CONTRADICTIONS * recurring ? UNANIMOUS : CONFIRMED });
    if (contradicting + repeated === 0) break; // longer runs would say the same
    runs = doubleRuns(runs, length, T);
  }
  const { component, components, offset, followed, conflicts } = placeInTime(trusted, distinct, T);
  if (followed > 0 && conflicts <= MAX_CONTRADICTIONS * followed) {
    const ofAll = (ofDistinct: Int32Array): Int32Array => copy.map((d) => ofDistinct[d]);
    return { finding: "series", contradictions, copy, distinct, component: ofAll(component), components, offset: ofAll(offset) };
  }
  if (followed > 0) contradictions = Math.max(contradictions, conflicts / followed);
  const finding = contradictions > 0 ? "coincidence" : "none";
  return { finding, contradictions, copy, distinct, component: copy, components: distinct, offset: new Int32Array(copy.length) };
}

/** (N,T) a number for every distinct row, −1 for padding. */
function identifyRows(values: Float64Array, shape: Shape, padding: Padding): Int32Array {
  const { timesteps: T, features: F } = shape;
  const N = values.length / (T * F);
  const isValid = new Uint8Array(N * T);
  const rows = new Int32Array(T);
  for (let n = 0; n < N; n++) {
    const length = validRows(values, n * T * F, shape, padding, rows);
    for (let i = 0; i < length; i++) isValid[n * T + rows[i]] = 1;
  }
  return intern(new Int32Array(values.buffer, values.byteOffset, 2 * values.length), 2 * F, isValid).ids;
}

/** Numbers the distinct blocks of `width` words, 0 … count − 1 by first appearance; −1 where `isUsed` is 0. Blocks are hashed, then compared. */
function intern(words: Int32Array, width: number, isUsed: Uint8Array | null): { ids: Int32Array; count: number; first: Int32Array } {
  const blocks = words.length / width;
  const ids = new Int32Array(blocks).fill(-1);
  const first = new Int32Array(blocks); // where each distinct block stands first
  const hashes = new Int32Array(blocks); // of each distinct block
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * blocks + 1))).fill(-1); // open addressing, at most half full
  const mask = slots.length - 1;
  let count = 0;
  for (let block = 0; block < blocks; block++) {
    if (isUsed !== null && isUsed[block] === 0) continue;
    const at = block * width;
    let hash = 0;
    for (let i = 0; i < width; i++) {
      hash = Math.imul(hash ^ words[at + i], 0x9e3779b1); // 2^32 / golden ratio (Knuth, TAOCP 6.4)
      hash ^= hash >>> 15;
    }
    let slot = hash & mask;
    for (let id = slots[slot]; id >= 0; slot = (slot + 1) & mask, id = slots[slot])
      if (hashes[id] === hash && equalBlocks(words, first[id] * width, at, width)) {
        ids[block] = id;
        break;
      }
    if (ids[block] >= 0) continue;
    hashes[count] = hash;
    first[count] = block;
    slots[slot] = count;
    ids[block] = count++;
  }
  return { ids, count, first: first.slice(0, count) };
}

function equalBlocks(words: Int32Array, a: number, b: number, width: number): boolean {
  for (let i = 0; i < width; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}

/**
 * (D,T) the rows of the distinct sequences, which stand `first` in `all` (N,T); left-aligned, −1 behind. Rows that stay the same
 * count once: a closed market is one moment, however long. Time is counted in such moments, so no gap gets shorter than in steps.
 */
function collapse(all: Int32Array, first: Int32Array, T: number): Int32Array {
  const moments = new Int32Array(first.length * T).fill(-1);
  for (let d = 0; d < first.length; d++) {
    let last = -1;
    let length = 0;
    for (let t = 0; t < T; t++) {
      const row = all[first[d] * T + t];
      if (row >= 0 && row !== last) moments[d * T + length++] = row;
      last = row;
    }
  }
  return moments;
}

/** (ids) 1 for what stands more than once in some sequence, such as a flag that comes and goes: it tells no time. */
function findRepeats(runs: Int32Array, T: number): Uint8Array {
  const ids = runs.reduce((largest, id) => Math.max(largest, id), -1) + 1;
  const lastSeen = new Int32Array(ids).fill(-1);
  const repeats = new Uint8Array(ids);
  for (let cell = 0; cell < runs.length; cell++) {
    const id = runs[cell];
    if (id < 0) continue;
    const d = Math.floor(cell / T);
    if (lastSeen[id] === d) repeats[id] = 1;
    lastSeen[id] = d;
  }
  return repeats;
}

/** What speaks for a link: nothing but a run that recurs at other moments too, a run that does not, a second run. */
const DOUBTFUL = 0;
const UNANIMOUS = 1;
const CONFIRMED = 2;

interface Links {
  /** Pairs of cells that are the same moment. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly evidence: Uint8Array;
  readonly count: number;
  /** Runs that stand in more than one sequence, and how many of them have surroundings that differ. */
  readonly recurring: number;
  readonly contradicting: number;
  /** Runs that stand more than once in one sequence; not among the recurring ones. */
  readonly repeated: number;
}

interface TrustedLinks extends Links {
  /** The least evidence to follow a link on. */
  readonly needed: number;
}

/** Moments that one run may recur at and still be told apart. */
const MAX_MOMENTS = 8;

/** Links the sequences of each recurring run. Occurrences that do not agree are different moments. */
function linkRuns(runs: Int32Array, T: number): Links {
  const D = runs.length / T;
  const repeats = findRepeats(runs, T);
  const starts = new Int32Array(repeats.length + 1);
  for (const id of runs) if (id >= 0 && repeats[id] === 0) starts[id + 1]++;
  for (let id = 0; id < repeats.length; id++) starts[id + 1] += starts[id];
  const occurrences = new Int32Array(starts[repeats.length]); // cells by run, then by t: neighbours overlap the most
  const next = starts.slice();
  for (let t = 0; t < T; t++)
    for (let d = 0; d < D; d++) {
      const id = runs[d * T + t];
      if (id >= 0 && repeats[id] === 0) occurrences[next[id]++] = d * T + t;
    }

  const from = new Int32Array(occurrences.length);
  const to = new Int32Array(occurrences.length);
  const evidence = new Uint8Array(occurrences.length);
  let count = 0;
  let recurring = 0;
  let contradicting = 0;
  const moments = new Int32Array(MAX_MOMENTS); // the latest cell of each
  for (let id = 0; id < repeats.length; id++) {
    if (starts[id + 1] - starts[id] < 2) continue;
    recurring++;
    const before = count;
    let found = 0;
    for (let i = starts[id]; i < starts[id + 1]; i++) {
      const cell = occurrences[i];
      let agreeing = 0;
      let m = 0;
      for (; m < found && agreeing === 0; m++) agreeing = countAgreeing(runs, repeats, moments[m], cell, T);
      if (agreeing > 0) {
        from[count] = moments[m - 1];
        to[count] = cell;
        evidence[count++] = agreeing > 1 ? CONFIRMED : UNANIMOUS;
        moments[m - 1] = cell;
      } else if (found < MAX_MOMENTS) moments[found++] = cell;
    }
    if (found === 1) continue;
    contradicting++;
    for (let i = before; i < count; i++) if (evidence[i] === UNANIMOUS) evidence[i] = DOUBTFUL;
  }
  return { from, to, evidence, count, recurring, contradicting, repeated: repeats.reduce((sum, repeat) => sum + repeat, 0) };
}

/**
 * Lays two sequences over each other so that cells `a` and `b` meet, and counts the runs that are the same in both; 0 unless
 * they are the majority. Not all need to be: a first row may hold differences, a last one a day that was not over.
 */
function countAgreeing(runs: Int32Array, repeats: Uint8Array, a: number, b: number, T: number): number {
  const ta = a % T;
  const tb = b % T;
  let agreeing = 0;
  let differing = 0;
  for (let shift = -Math.min(ta, tb); shift < T - Math.max(ta, tb); shift++) {
    const x = runs[a + shift];
    const y = runs[b + shift];
    if (x < 0 || y < 0) continue;
    if (x !== y) differing++;
    else if (repeats[x] === 0) agreeing++;
  }
  return agreeing > differing ? agreeing : 0;
}

/** (D,T) numbers for runs of 2 · length rows, from those of `length` rows; −1 where the sequence ends before. */
function doubleRuns(runs: Int32Array, length: number, T: number): Int32Array {
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

interface Timeline {
  /** (D) */
  readonly component: Int32Array;
  readonly components: number;
  /** (D) */
  readonly offset: Int32Array;
  /** Links, and those of them that contradict the ones before. */
  readonly followed: number;
  readonly conflicts: number;
}

/**
 * Follows the links, the best first: a disjoint-set forest in which every node knows its distance in steps from its
 * parent.
 */
function placeInTime(trusted: readonly TrustedLinks[], D: number, T: number): Timeline {
  const parent = new Int32Array(D).map((_, d) => d);
  const distance = new Int32Array(D); // start of d minus start of its parent
  const size = new Int32Array(D).fill(1);
  const find = (d: number): number => {
    let root = d;
    let total = 0;
    for (; parent[root] !== root; root = parent[root]) total += distance[root];
    for (let node = d; parent[node] !== root && node !== root; ) {
      const above = parent[node];
      const step = distance[node];
      parent[node] = root;
      distance[node] = total;
      total -= step;
      node = above;
    }
    return root;
  };
  let followed = 0;
  let conflicts = 0;
  const join = (from: number, to: number): void => {
    followed++;
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
  for (const level of [CONFIRMED, UNANIMOUS])
    for (const { from, to, evidence, needed, count } of trusted)
      for (let i = 0; i < count; i++) if (evidence[i] === level && level >= needed) join(from[i], to[i]);

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
  return { component, components: earliest.length, offset, followed, conflicts };
}
