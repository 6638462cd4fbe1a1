// Trees put together into one ensemble. Legend: V columns of the view, W columns that trees look at.
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../../shared/trees.ts";
import type { BinEdges } from "./edges.ts";
import type { Tree } from "./tree.ts";

/** Trees one after the other, over one table of edges. `columns` (W) says which of the view's columns a tree's column is. */
export function joinTrees({ edgeStart, edges }: BinEdges, columns: Int32Array, trees: readonly Tree[], base: number): TreeEnsemble {
  const nodes = trees.reduce((sum, { column }) => sum + column.length, 0);
  const leafCount = trees.reduce((sum, { leaves }) => sum + leaves.length, 0);
  const roots = new Uint32Array(trees.length);
  const [column, edge, next, leaves] = [
    new Uint16Array(nodes),
    new Uint16Array(nodes),
    new Uint32Array(nodes),
    new Float32Array(leafCount),
  ];
  let node = 0;
  let leaf = 0;
  for (const [n, tree] of trees.entries()) {
    roots[n] = node;
    edge.set(tree.edge, node);
    leaves.set(tree.leaves, leaf);
    tree.column.forEach((w, i) => {
      column[node + i] = w === LEAF ? LEAF : columns[w];
      next[node + i] = tree.next[i] + (w === LEAF ? leaf : node);
    });
    node += tree.column.length;
    leaf += tree.leaves.length;
  }
  return { edgeStart, edges, roots, column, edge, next, leaves, base };
}

/**
 * The ensemble whose logits are the mean of those of `ensembles`: all their trees, leaves divided by their number, the base averaged.
 * The table of edges, which they must share, keeps the edges that a split uses. Throws RangeError where tables differ.
 */
export function averageEnsembles(ensembles: readonly TreeEnsemble[]): TreeEnsemble {
  if (ensembles.length === 0) throw new RangeError("averageEnsembles takes at least one ensemble");
  const [{ edgeStart, edges }] = ensembles;
  for (const other of ensembles)
    if (other.edges !== edges && !(isEqual(other.edgeStart, edgeStart) && isEqual(other.edges, edges)))
      throw new RangeError("ensembles to average must share one table of edges: fit them on one view");
  const before = (count: (ensemble: TreeEnsemble) => number): number[] =>
    ensembles.map((_, n) => ensembles.slice(0, n).reduce((sum, ensemble) => sum + count(ensemble), 0));
  const nodes = before(({ column }) => column.length);
  const leaves = before((ensemble) => ensemble.leaves.length);
  const shift = (of: TreeEnsemble, n: number): number[] =>
    Array.from(of.next, (to, node) => to + (of.column[node] === LEAF ? leaves[n] : nodes[n]));
  return keepUsedEdges({
    edgeStart,
    edges,
    roots: Uint32Array.from(ensembles.flatMap(({ roots }, n) => Array.from(roots, (root) => root + nodes[n]))),
    column: Uint16Array.from(ensembles.flatMap(({ column }) => Array.from(column))),
    edge: Uint16Array.from(ensembles.flatMap(({ edge }) => Array.from(edge))),
    next: Uint32Array.from(ensembles.flatMap(shift)),
    leaves: Float32Array.from(ensembles.flatMap((ensemble) => Array.from(ensemble.leaves, (value) => value / ensembles.length))),
    base: ensembles.reduce((sum, { base }) => sum + base, 0) / ensembles.length,
  });
}

/** The same ensemble without the edges that no split uses: the same logits, and a table that an artifact can hold. */
export function keepUsedEdges(ensemble: TreeEnsemble): TreeEnsemble {
  const { edgeStart, edges, column, edge } = ensemble;
  const isUsed = new Uint8Array(edges.length);
  column.forEach((v, node) => {
    if (v !== LEAF) isUsed[edgeStart[v] + (edge[node] & ~MISSING_LEFT)] = 1;
  });
  const before = new Uint32Array(edges.length + 1);
  for (let e = 0; e < edges.length; e++) before[e + 1] = before[e] + isUsed[e];
  const renumbered = edge.map((field, node) => {
    const v = column[node];
    if (v === LEAF) return 0;
    return before[edgeStart[v] + (field & ~MISSING_LEFT)] - before[edgeStart[v]] + (field & MISSING_LEFT);
  });
  return { ...ensemble, edgeStart: edgeStart.map((e) => before[e]), edges: edges.filter((_, e) => isUsed[e] === 1), edge: renumbered };
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value: number, i: number) => value === b[i]);
}
