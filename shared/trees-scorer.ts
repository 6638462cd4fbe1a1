// Tree ensembles in the kernel's memory: thresholds are expanded from edge numbers when an ensemble is loaded, once. What lies where
// is said in shared/kernel/trees.ts.
// Legend: N sequences, V columns, B sequences of a block.
import { align, type Kernel } from "./kernel-instance.ts";
import type { MemberScorer } from "./member-scorer.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "./trees.ts";

/** B. Their rows stay near while one tree after the other is walked (measured). */
const BLOCK = 32;
/** Fewer sequences go through one by one, eight trees at a time. */
const MIN_BLOCK = 4;

/** Addresses in the kernel's memory, bytes. */
interface ForestMap {
  readonly nodes: number;
  readonly values: number;
  readonly trees: number;
  readonly walks: number;
  readonly found: number;
  /** (V,2) of each of B sequences */
  readonly rows: number;
  /** (B) */
  readonly logits: number;
  readonly end: number;
}

function mapForest({ column, roots, edgeStart }: TreeEnsemble, first: number): ForestMap {
  const V = edgeStart.length - 1;
  const nodes = align(first);
  const values = align(nodes + 16 * column.length);
  const trees = align(values + 4 * column.length);
  const walks = align(trees + 8 * roots.length);
  const found = align(walks + 12 * roundUp(roots.length));
  const rows = align(found + 4 * roundUp(roots.length));
  const logits = align(rows + 16 * V * BLOCK);
  return { nodes, values, trees, walks, found, rows, logits, end: logits + 8 * BLOCK };
}

/** Trees that are walked at once. */
const WALKS = 8;

function roundUp(trees: number): number {
  return WALKS * Math.ceil(trees / WALKS);
}

/** How much memory an ensemble takes from `first` on: the first byte behind it. */
export function measureForest(ensemble: TreeEnsemble, first: number): number {
  return mapForest(ensemble, first).end;
}

/** Puts an ensemble into the memory of `kernel` from `first` on. The memory reaches as far as measureForest says, and grows no more. */
export function loadForest(kernel: Kernel, ensemble: TreeEnsemble, first: number): MemberScorer {
  const map = mapForest(ensemble, first);
  expandNodes(kernel.memory.buffer, ensemble, map);
  return scoreForest(kernel, ensemble, map);
}

/** Writes nodes, values, trees and walks. */
function expandNodes(memory: ArrayBuffer, ensemble: TreeEnsemble, map: ForestMap): void {
  const { edgeStart, edges, roots, column, edge, next, leaves } = ensemble;
  const M = column.length;
  const f64 = new Float64Array(memory, map.nodes, 2 * M);
  const u32 = new Uint32Array(memory, map.nodes, 4 * M);
  const values = new Float32Array(memory, map.values, M);
  const below = new Uint8Array(M); // splits on the longest way from a node to a leaf
  for (let node = M - 1; node >= 0; node--) {
    const v = column[node];
    if (v === LEAF) {
      f64[2 * node] = Number.NaN;
      u32[4 * node + 2] = 0;
      u32[4 * node + 3] = map.nodes + 16 * node;
      values[node] = leaves[next[node]];
      continue;
    }
    f64[2 * node] = edges[edgeStart[v] + (edge[node] & ~MISSING_LEFT)];
    u32[4 * node + 2] = 16 * v + (edge[node] & MISSING_LEFT ? 8 : 0);
    u32[4 * node + 3] = map.nodes + 16 * next[node];
    below[node] = 1 + Math.max(below[node + 1], below[next[node]]);
  }
  const trees = new Uint32Array(memory, map.trees, 2 * roots.length);
  for (let t = 0; t < roots.length; t++) {
    trees[2 * t] = map.nodes + 16 * roots[t];
    trees[2 * t + 1] = below[roots[t]];
  }
  orderWalks(memory, trees, map);
}

/** Writes walks, by rising depth, and as many of the last tree as fill up the last eight. */
function orderWalks(memory: ArrayBuffer, trees: Uint32Array, map: ForestMap): void {
  const count = trees.length / 2;
  const walks = new Uint32Array(memory, map.walks, 3 * roundUp(count));
  const byDepth: number[][] = [];
  for (let t = 0; t < count; t++) (byDepth[trees[2 * t + 1]] ??= []).push(t);
  const order = byDepth.flat();
  for (let i = 0; i < roundUp(count); i++) {
    const t = order[Math.min(i, count - 1)];
    walks[3 * i] = trees[2 * t];
    walks[3 * i + 1] = trees[2 * t + 1];
    walks[3 * i + 2] = map.found + 4 * (i < count ? t : i);
  }
}

function scoreForest(kernel: Kernel, { roots, edgeStart, base }: TreeEnsemble, map: ForestMap): MemberScorer {
  const V = edgeStart.length - 1;
  const count = roots.length;
  const { nodes, values, trees, walks, found, rows } = map;
  const memory = new Float64Array(kernel.memory.buffer);
  const asked = Uint16Array.from(Array(V).keys()).filter((v) => edgeStart[v + 1] > edgeStart[v]);
  /** Writes of a sequence's row, the `b`-th of a block, what a split can ask for: columns with edges. */
  const writeRow = (columns: Float64Array, from: number, b: number): void => {
    const to = rows / 8 + 2 * V * b;
    for (let i = 0; i < asked.length; i++) {
      const value = columns[from + asked[i]];
      const isMissing = Number.isNaN(value);
      const at = to + 2 * asked[i];
      memory[at] = isMissing ? Infinity : value;
      memory[at + 1] = isMissing ? -Infinity : value;
    }
  };
  return ({ columns, lengths: { length: N } }, out, stride, first) => {
    if (columns === undefined || columns.length !== N * V)
      throw new RangeError(`columns must be ${N} × ${V}, got ${columns === undefined ? "none" : `${columns.length} numbers`}`);
    for (let n = 0; n < N; ) {
      const size = Math.min(BLOCK, N - n);
      if (size < MIN_BLOCK) {
        writeRow(columns, n * V, 0);
        out[first + n * stride] = kernel.treesOne(nodes, values, walks, found, count, rows, base);
        n++;
        continue;
      }
      const logits = map.logits / 8;
      for (let b = 0; b < size; b++) writeRow(columns, (n + b) * V, b);
      memory.fill(base, logits, logits + BLOCK);
      kernel.treesBlock(nodes, values, trees, count, rows, 16 * V, Math.ceil(size / 4), map.logits);
      for (let b = 0; b < size; b++) out[first + (n + b) * stride] = memory[logits + b];
      n += size;
    }
  };
}
