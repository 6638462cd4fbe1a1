// Sums of binary decision trees, as boosting makes them: the type, and its executable definition, slow and obvious, the oracle that
// kernels are tested against. Knows no training and no file format.
// Legend: V columns of a view.

/** `column` of a leaf. */
export const LEAF = 0xffff;
/** Added to `edge` where a missing value goes left. */
export const MISSING_LEFT = 0x8000;
/** Edges of one column at most, so that an edge's number fits one byte. */
export const MAX_EDGES = 255;

/**
 * A sum of binary decision trees over a tabular view's columns. The nodes of a tree stand in preorder, so a left child follows its
 * parent; trees follow each other, and leaves stand in the order of their nodes.
 */
export interface TreeEnsemble {
  /** (V+1) column v's edges are edges[edgeStart[v] … edgeStart[v+1] − 1] */
  readonly edgeStart: Uint32Array;
  /** Ascending within a column, ≤ MAX_EDGES a column; each lies between two observed values. A value goes left when value ≤ edge. */
  readonly edges: Float64Array;
  /** (trees) root nodes, ascending */
  readonly roots: Uint32Array;
  /** (nodes) the column that a split looks at; LEAF for a leaf */
  readonly column: Uint16Array;
  /** (nodes) a split's edge number within its column, + MISSING_LEFT where a missing value (NaN) goes left; 0 for a leaf */
  readonly edge: Uint16Array;
  /** (nodes) a split's right child (> own + 1, within the same tree); a leaf's number in `leaves` */
  readonly next: Uint32Array;
  /** (leaves) added to the logit; float32 */
  readonly leaves: Float32Array;
  /** The logit before the first tree, float64. */
  readonly base: number;
}

/** The logit of one sequence with `columns` (V), NaN where a value is missing: `base`, then each tree's leaf added in order, float64. */
export function treesLogit(ensemble: TreeEnsemble, columns: Float64Array): number {
  let logit = ensemble.base;
  for (const root of ensemble.roots) logit += ensemble.leaves[ensemble.next[leafOf(ensemble, root, columns)]];
  return logit;
}

/** The node of the leaf in which a sequence ends that starts at `node`. */
function leafOf({ edgeStart, edges, column, edge, next }: TreeEnsemble, root: number, columns: Float64Array): number {
  let node = root;
  while (column[node] !== LEAF) {
    const value = columns[column[node]];
    const threshold = edges[edgeStart[column[node]] + (edge[node] & ~MISSING_LEFT)];
    const goesLeft = Number.isNaN(value) ? (edge[node] & MISSING_LEFT) !== 0 : value <= threshold;
    node = goesLeft ? node + 1 : next[node];
  }
  return node;
}
