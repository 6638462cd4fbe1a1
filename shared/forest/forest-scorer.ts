// Tree ensembles in the kernel's memory, which one sequence at a time walks: thresholds are expanded from edge numbers when an ensemble is
// loaded, once. What lies where is said in shared/kernel/trees.ts. Batches go another way (batch.ts), from where they are large enough.
// Legend: N sequences, V columns.
import { align, type Copied, copyArrays, type Kernel, measureCopies } from "../kernel-instance.ts";
import type { MemberScorer } from "../member-scorer.ts";
import type { TreeEnsemble } from "../trees.ts";
import { BATCH, type BatchScorer, openBatchScorer, takesBatches } from "./batch.ts";

/** Fewer sequences take less time one by one than as a batch (measured). */
const MIN_BATCH = 6;

/** Addresses in the kernel's memory, bytes. */
interface ForestMap {
  readonly nodes: number;
  readonly walks: number;
  readonly found: number;
  /** (V,2) */
  readonly row: number;
  readonly end: number;
}

function mapForest(ensemble: TreeEnsemble, first: number): ForestMap {
  const { column, roots, edgeStart } = ensemble;
  const nodes = align(first);
  const walks = align(nodes + 16 * column.length);
  const found = align(walks + 12 * roundUp(roots.length));
  const row = align(found + 4 * roundUp(roots.length));
  const end = row + Math.max(16 * (edgeStart.length - 1), measureCopies(sourcesOf(ensemble)));
  return { nodes, walks, found, row, end };
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

/**
 * Puts an ensemble into the memory of `kernel` from `first` on. The memory reaches as far as measureForest says, and grows no more: the
 * first batch takes an instance of its own.
 */
export function loadForest(kernel: Kernel, ensemble: TreeEnsemble, first: number, instantiate: () => Kernel): MemberScorer {
  const map = mapForest(ensemble, first);
  expandForest(kernel, ensemble, map);
  const scoreOne = openWalks(kernel, ensemble, map);
  const V = ensemble.edgeStart.length - 1;
  const minBatch = takesBatches(ensemble) ? MIN_BATCH : Number.POSITIVE_INFINITY;
  let scoreBatch: BatchScorer | undefined;
  return ({ columns, lengths: { length: N } }, out, stride, first) => {
    if (columns === undefined || columns.length !== N * V)
      throw new RangeError(`columns must be ${N} × ${V}, got ${columns === undefined ? "none" : `${columns.length} numbers`}`);
    let n = 0;
    for (; N - n >= minBatch; n += BATCH) {
      scoreBatch ??= openBatchScorer(instantiate(), ensemble);
      const logits = scoreBatch(columns.subarray(n * V, (n + BATCH) * V));
      for (let i = 0; i < BATCH && n + i < N; i++) out[first + (n + i) * stride] = logits[i];
    }
    for (; n < N; n++) out[first + n * stride] = scoreOne(N === 1 ? columns : columns.subarray(n * V, (n + 1) * V));
  };
}

/** What the kernel expands an ensemble from. It stands where a row stands later. */
function sourcesOf({ column, edge, next, edgeStart, edges, leaves }: TreeEnsemble): Copied[] {
  return [column, edge, next, edgeStart, edges, leaves, new Uint8Array(column.length)];
}

/** Writes nodes and walks. */
function expandForest({ memory: { buffer }, expandNodes, treesWindow }: Kernel, ensemble: TreeEnsemble, map: ForestMap): void {
  const { roots, column } = ensemble;
  const [columns, edge, next, edgeStart, edges, leaves, below] = copyArrays(buffer, map.row, sourcesOf(ensemble));
  expandNodes(column.length, columns, edge, next, edgeStart, edges, leaves, below, map.nodes);
  const walks = new Uint32Array(buffer, map.walks, 3 * roundUp(roots.length));
  orderWalks(walks, roots, new Uint8Array(buffer, below), map, treesWindow());
}

/** Writes walks: those of the first `window` trees by rising depth, then of the next; and as many of the last as fill up the last eight. */
function orderWalks(walks: Uint32Array, roots: Uint32Array, depths: Uint8Array, { nodes, found }: ForestMap, window: number): void {
  const count = roots.length;
  const order: number[] = [];
  for (let start = 0; start < count; start += window) {
    const byDepth: number[][] = [];
    for (let t = start; t < Math.min(start + window, count); t++) (byDepth[depths[roots[t]]] ??= []).push(t);
    order.push(...byDepth.flat());
  }
  for (let i = 0; i < roundUp(count); i++) {
    const t = order[Math.min(i, count - 1)];
    walks[3 * i] = nodes + 16 * roots[t];
    walks[3 * i + 1] = depths[roots[t]];
    walks[3 * i + 2] = found + 4 * (i < count ? t : i);
  }
}

/** A function of one sequence's columns (V). */
function openWalks(
  kernel: Kernel,
  { roots: { length: count }, edgeStart, base }: TreeEnsemble,
  map: ForestMap,
): (columns: Float64Array) => number {
  const V = edgeStart.length - 1;
  const { walks, found, row } = map;
  const memory = new Float64Array(kernel.memory.buffer);
  return (columns) => {
    memory.set(columns, row / 8 + V);
    kernel.spreadColumns(row, V);
    return kernel.treesOne(walks, found, count, row, base);
  };
}
