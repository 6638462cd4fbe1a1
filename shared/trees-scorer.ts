// Tree ensembles in the kernel's memory: thresholds are expanded from edge numbers when an ensemble is loaded, once. What lies where
// is said in shared/kernel/trees.ts.
// Legend: N sequences, V columns, B sequences of a block.
import { align, type Copied, copyArrays, type Kernel, measureCopies } from "./kernel-instance.ts";
import type { MemberScorer } from "./member-scorer.ts";
import type { TreeEnsemble } from "./trees.ts";

/** B. Their rows stay near while one tree after the other is walked (measured). */
const BLOCK = 32;
/** Fewer sequences go through one by one, eight trees at a time. */
const MIN_BLOCK = 4;

/** Addresses in the kernel's memory, bytes. */
interface ForestMap {
  readonly nodes: number;
  readonly trees: number;
  readonly walks: number;
  readonly found: number;
  /** (V,2) of each of B sequences */
  readonly rows: number;
  /** (B) */
  readonly logits: number;
  readonly end: number;
}

function mapForest(ensemble: TreeEnsemble, first: number): ForestMap {
  const { column, roots, edgeStart } = ensemble;
  const V = edgeStart.length - 1;
  const nodes = align(first);
  const trees = align(nodes + 16 * column.length);
  const walks = align(trees + 8 * roots.length);
  const found = align(walks + 12 * roundUp(roots.length));
  const rows = align(found + 4 * roundUp(roots.length));
  const logits = align(rows + 16 * V * BLOCK);
  const end = Math.max(logits + 8 * BLOCK, rows + measureCopies(sourcesOf(ensemble)));
  return { nodes, trees, walks, found, rows, logits, end };
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
  expandForest(kernel, ensemble, map);
  return scoreForest(kernel, ensemble, map);
}

/** What the kernel expands an ensemble from. It stands where rows stand later. */
function sourcesOf({ column, edge, next, edgeStart, edges, leaves }: TreeEnsemble): Copied[] {
  return [column, edge, next, edgeStart, edges, leaves, new Uint8Array(column.length)];
}

/** Writes nodes, trees and walks. */
function expandForest({ memory: { buffer }, expandNodes }: Kernel, ensemble: TreeEnsemble, map: ForestMap): void {
  const { roots, column } = ensemble;
  const [columns, edge, next, edgeStart, edges, leaves, below] = copyArrays(buffer, map.rows, sourcesOf(ensemble));
  expandNodes(column.length, columns, edge, next, edgeStart, edges, leaves, below, map.nodes);
  const depths = new Uint8Array(buffer, below);
  const trees = new Uint32Array(buffer, map.trees, 2 * roots.length);
  for (let t = 0; t < roots.length; t++) {
    trees[2 * t] = map.nodes + 16 * roots[t];
    trees[2 * t + 1] = depths[roots[t]];
  }
  orderWalks(buffer, trees, map);
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
  const { trees, walks, found, rows } = map;
  const memory = new Float64Array(kernel.memory.buffer);
  /** Writes the rows of `size` sequences from `n` on. */
  const writeRows = (columns: Float64Array, n: number, size: number): void => {
    const count = size * V;
    memory.set(count === columns.length ? columns : columns.subarray(n * V, n * V + count), rows / 8 + count);
    kernel.spreadColumns(rows, count);
  };
  return ({ columns, lengths: { length: N } }, out, stride, first) => {
    if (columns === undefined || columns.length !== N * V)
      throw new RangeError(`columns must be ${N} × ${V}, got ${columns === undefined ? "none" : `${columns.length} numbers`}`);
    for (let n = 0; n < N; ) {
      const size = Math.min(BLOCK, N - n);
      if (size < MIN_BLOCK) {
        writeRows(columns, n, 1);
        out[first + n * stride] = kernel.treesOne(walks, found, count, rows, base);
        n++;
        continue;
      }
      const logits = map.logits / 8;
      writeRows(columns, n, size);
      memory.fill(base, logits, logits + BLOCK);
      kernel.treesBlock(trees, count, rows, 16 * V, Math.ceil(size / 4), map.logits);
      for (let b = 0; b < size; b++) out[first + (n + b) * stride] = memory[logits + b];
      n += size;
    }
  };
}
