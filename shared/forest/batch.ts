// A tree ensemble for 32 sequences at a time, in an instance of the kernel of its own. What lies where is said in
// shared/kernel/tree-batch.ts.
// Legend: V columns.
import { align, copyArrays, growMemory, type Kernel, measureCopies } from "../kernel-instance.ts";
import type { TreeEnsemble } from "../trees.ts";

/** Sequences of a batch. */
export const BATCH = 32;
/** Leaves of a tree at most: which of them a sequence comes to is a byte. */
const MAX_LEAVES = 256;
/** Leaves of a plane. */
const PLANE = 8;

/** The logits (32) of up to 32 sequences' columns, one after the other; they stay until the next call. */
export type BatchScorer = (columns: Float64Array) => Float64Array;

/** Whether batches can be had of an ensemble. */
export function takesBatches(ensemble: TreeEnsemble): boolean {
  return leavesOf(ensemble).every((leaves) => leaves <= MAX_LEAVES);
}

/** Leaves of each tree. */
function leavesOf({ roots, column }: TreeEnsemble): number[] {
  return Array.from(roots, (root, t) => ((roots[t + 1] ?? column.length) - root + 1) / 2);
}

/** Packs an ensemble that takes batches into a fresh instance. */
export function openBatchScorer(kernel: Kernel, ensemble: TreeEnsemble): BatchScorer {
  const { roots, edges, edgeStart, base } = ensemble;
  const V = edgeStart.length - 1;
  const { program, leaves, end } = packProgram(kernel, ensemble);
  const seekers = align(end + 8 * edges.length);
  const columns = align(seekers + 12 * V);
  const lanes = align(columns + 8 * V * BATCH);
  const logits = align(lanes + 2 * V * BATCH);
  const exits = logits + 8 * BATCH;
  growMemory(kernel, exits + BATCH);
  const { buffer } = kernel.memory;
  const memory = new Float64Array(buffer);
  memory.set(edges, end / 8);
  const seeking = seekersOf(edgeStart, end);
  new Uint32Array(buffer).set(seeking, seekers / 4);
  const out = new Float64Array(buffer, logits, BATCH);
  return (given) => {
    memory.set(given, columns / 8);
    kernel.fillLanes(seekers, seeking.length / 3, columns, 8 * V, given.length / V, lanes);
    out.fill(base);
    kernel.addTrees(program, roots.length, leaves, lanes, logits, exits);
    return out;
  };
}

/** Writes program and leaves behind what the kernel makes them of. `end`: the first byte behind them. */
function packProgram(kernel: Kernel, ensemble: TreeEnsemble): Readonly<Record<"program" | "leaves" | "end", number>> {
  const { roots, column, edge, next, leaves: values } = ensemble;
  const sources = [roots, column, edge, next, values];
  const planes = leavesOf(ensemble).map((leaves) => Math.ceil(leaves / PLANE));
  const first = align(kernel.prepare());
  const program = align(first + measureCopies(sources));
  // A split stands in as many planes as its tree has at most.
  const leaves = align(program + planes.reduce((bytes, own) => bytes + 4 + 4 * own * (1 + own * PLANE), 0));
  const end = align(leaves + 8 * PLANE * planes.reduce((sum, own) => sum + own, 0));
  growMemory(kernel, end);
  const [rootsAt, columns, edges, rights, from] = copyArrays(kernel.memory.buffer, first, sources);
  kernel.writeProgram(column.length, roots.length, rootsAt, columns, edges, rights, from, program, leaves);
  return { program, leaves, end };
}

/** (3 · columns that have edges) for edges at `edges`. */
function seekersOf(edgeStart: Uint32Array, edges: number): number[] {
  return Array.from({ length: edgeStart.length - 1 }, (_, v) => [8 * v, edges + 8 * edgeStart[v], edgeStart[v + 1] - edgeStart[v]])
    .filter(([, , count]) => count > 0)
    .flat();
}
