// Grows one tree leaf-wise, best first: the leaf whose best split gains most is split next (Shi 2007; LightGBM). The kernel finds
// splits and reorders rows; which leaf is next is decided here. Legend: N training rows, S selected columns.
import { LEAF } from "../../../shared/trees.ts";
import { edgeField } from "./edges.ts";
import { type BoostingKernel, ROOT, SPLIT } from "./kernel.ts";
import { CANDIDATE_BYTES, NODE_BYTES, SCALE } from "./memory-map.ts";
import type { BoostingSettings } from "./settings.ts";

/** Columns that a tree looks at, as they stand in the kernel's memory. */
export interface Selection {
  /** (S) */
  readonly columns: Int32Array;
  /** Blocks of 16 columns. */
  readonly blocks: number;
}

/** A tree in the layout of TreeEnsemble, its columns and edges as the kernel counts them, `next` from its root and its first leaf. */
export interface Tree {
  readonly column: Uint16Array;
  readonly edge: Uint16Array;
  readonly next: Uint32Array;
  readonly leaves: Float32Array;
  /** (leaves) where each leaf's rows end in the kernel's order */
  readonly ends: Int32Array;
}

/** Σ over a node's rows of gradients and hessians, in the kernel's whole units. */
export interface NodeSums {
  readonly gradients: number;
  readonly hessians: number;
}

interface Split {
  readonly gain: number;
  readonly column: number;
  readonly edge: number;
  readonly missingLeft: boolean;
  readonly rows: number;
  readonly left: NodeSums;
}

interface Node {
  readonly start: number;
  readonly count: number;
  readonly sums: NodeSums;
  /** The number of its histograms. */
  readonly histogram: number;
  split?: Split;
  children?: readonly [left: Node, right: Node];
}

export interface GrowTreeOptions {
  readonly rows: number;
  readonly sums: NodeSums;
  readonly selection: Selection;
  readonly isNewSelection: boolean;
  readonly settings: BoostingSettings;
  /** 64 bits that random thresholds are drawn from, as two halves. */
  readonly key: readonly [low: number, high: number];
}

/** Grows a tree on the gradients in the kernel's memory; the order there then holds the rows of its leaves, one leaf after the other. */
export function growTree(kernel: BoostingKernel, options: GrowTreeOptions): Tree {
  const { rows, sums, selection, isNewSelection, settings } = options;
  const finder = createSplitFinder(kernel, options);
  kernel.resetOrder(rows);
  const root: Node = { start: 0, count: rows, sums, histogram: 0 };
  if (selection.blocks > 0) {
    kernel.set({ isNewSelection: isNewSelection ? 1 : 0 });
    finder.root(root);
    kernel.set({ isNewSelection: 0 });
  }
  const leaves = [root];
  while (leaves.length < settings.leaves) {
    let best = 0;
    for (let n = 1; n < leaves.length; n++) if (gainOf(leaves[n]) > gainOf(leaves[best])) best = n;
    if (gainOf(leaves[best]) === 0) break;
    const [left, right] = divide(kernel, leaves[best], leaves.length);
    leaves[best] = left;
    leaves.push(right);
    if (leaves.length < settings.leaves) finder.children(left, right);
  }
  return flatten(root, settings);
}

const gainOf = ({ split }: Node): number => split?.gain ?? 0;

/** Parts a node's rows. The child with fewer rows gets histograms of its own, `histogram`; the other takes its parent's. */
function divide(kernel: BoostingKernel, node: Node, histogram: number): readonly [Node, Node] {
  const { column, edge, missingLeft, rows, left } = node.split!;
  const moved = kernel.partition(node.start, node.count, column, edge, missingLeft);
  if (moved !== rows) throw new Error(`a split of ${node.count} rows sends ${moved} left, and its sums are those of ${rows}`);
  const right = { gradients: node.sums.gradients - left.gradients, hessians: node.sums.hessians - left.hessians };
  const isLeftSmall = 2 * rows <= node.count;
  node.children = [
    { start: node.start, count: rows, sums: left, histogram: isLeftSmall ? histogram : node.histogram },
    { start: node.start + rows, count: node.count - rows, sums: right, histogram: isLeftSmall ? node.histogram : histogram },
  ];
  return node.children;
}

/** Asks the kernel for the best splits of nodes. */
function createSplitFinder(kernel: BoostingKernel, { selection, settings, key }: GrowTreeOptions) {
  const { buffer, fields } = kernel;
  const { blocks, columns } = selection;
  const isRandom = settings.thresholds === "random";
  const ints = new Int32Array(buffer);
  const floats = new Float64Array(buffer);
  let asked = 0;
  const place = (n: number, node: Node): void => {
    const at = fields.nodes + n * NODE_BYTES;
    ints.set([node.start, node.count, key[0] + asked++, key[1]], at / 4);
    floats.set([node.sums.gradients, node.sums.hessians], (at + 16) / 8);
    ints[(at + 32) / 4] = kernel.histogramAt(node.histogram);
  };
  const read = (n: number): Split | undefined => {
    let best = 0;
    let bestGain = 0;
    for (let block = 0, at = fields.candidates + n * blocks * CANDIDATE_BYTES; block < blocks; block++, at += CANDIDATE_BYTES) {
      if (floats[at / 8] > bestGain) [best, bestGain] = [at, floats[at / 8]];
    }
    if (bestGain === 0) return undefined;
    const [gain, gradients, hessians, rows] = floats.subarray(best / 8, best / 8 + 4);
    const [slot, edge, missingLeft] = ints.subarray(best / 4 + 8, best / 4 + 11);
    return { gain, column: columns[slot], edge, missingLeft: missingLeft === 1, rows, left: { gradients, hessians } };
  };
  return {
    root(node: Node): void {
      place(0, node);
      kernel.run(ROOT, blocks, node.count * blocks);
      node.split = read(0);
    },
    children(left: Node, right: Node): void {
      const [small, large] = left.count <= right.count ? [left, right] : [right, left];
      place(0, small);
      place(1, large);
      kernel.run(SPLIT, isRandom ? 2 * blocks : blocks, (left.count + right.count) * blocks);
      small.split = read(0);
      large.split = read(1);
    },
  };
}

/** Preorder, a leaf's value being −rate · G / (H + L2) as float32. */
function flatten(root: Node, { l2, learningRate }: BoostingSettings): Tree {
  const column: number[] = [];
  const edge: number[] = [];
  const next: number[] = [];
  const leaves: number[] = [];
  const ends: number[] = [];
  const visit = ({ start, count, sums, split, children }: Node): void => {
    const own = column.length;
    next.push(leaves.length);
    if (children === undefined) {
      column.push(LEAF);
      edge.push(0);
      leaves.push((-learningRate * sums.gradients) / (sums.hessians + l2 * SCALE));
      ends.push(start + count);
      return;
    }
    column.push(split!.column);
    edge.push(edgeField(split!.edge, split!.missingLeft));
    visit(children[0]);
    next[own] = column.length;
    visit(children[1]);
  };
  visit(root);
  return {
    column: Uint16Array.from(column),
    edge: Uint16Array.from(edge),
    next: Uint32Array.from(next),
    leaves: Float32Array.from(leaves),
    ends: Int32Array.from(ends),
  };
}
