// Leaves out of a view and its members what no score needs: columns that no member looks at, edges at which no tree splits, weights
// of 0. Scores keep their bits.
// Legend: V columns, W columns that a linear member looks at.
import type { LinearClassifier } from "../../shared/linear.ts";
import type { Member } from "../../shared/members.ts";
import { columnCount, type TabularView } from "../../shared/recipe/tabular.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../shared/trees.ts";

export interface Compacted {
  /** Left out where no member takes columns. */
  readonly view?: TabularView;
  readonly members: readonly Member[];
}

/** The same model, smaller. `members` look at the columns of `view`. */
export function compactMembers(view: TabularView, members: readonly Member[]): Compacted {
  if (members.every(({ kind }) => kind === "lstm")) return { members };
  const all = view.keep ?? allColumns(view);
  const used = new Uint8Array(all.length);
  for (const member of members) markColumns(member, used);
  if (!used.includes(1)) used[0] = 1; // a view has at least one
  /** (V) the new number of each column */
  const places = new Uint16Array(all.length);
  let V = 0;
  for (let v = 0; v < all.length; v++) if (used[v]) places[v] = V++;
  return {
    view: { ...view, keep: all.filter((_, v) => used[v] === 1) },
    members: members.map((member) => {
      if (member.kind === "linear") return { kind: "linear", classifier: compactClassifier(member.classifier, places) };
      return member.kind === "trees" ? { kind: "trees", ensemble: compactTrees(member.ensemble, places, V) } : member;
    }),
  };
}

function allColumns({ blocks, parts }: TabularView): Uint16Array {
  return Uint16Array.from({ length: blocks.reduce((sum, block) => sum + columnCount(block, parts), 0) }, (_, v) => v);
}

function markColumns(member: Member, used: Uint8Array): void {
  if (member.kind === "linear")
    for (const [w, v] of member.classifier.columns.entries()) used[v] |= member.classifier.weights[w] === 0 ? 0 : 1;
  if (member.kind === "trees") for (const v of member.ensemble.column) if (v !== LEAF) used[v] = 1;
}

function compactClassifier({ columns, mean, scale, weights, intercept }: LinearClassifier, places: Uint16Array): LinearClassifier {
  const isUsed = (_: number, w: number): boolean => weights[w] !== 0;
  return {
    columns: columns.filter(isUsed).map((v) => places[v]),
    mean: mean.filter(isUsed),
    scale: scale.filter(isUsed),
    weights: weights.filter(isUsed),
    intercept,
  };
}

function compactTrees(ensemble: TreeEnsemble, places: Uint16Array, V: number): TreeEnsemble {
  const { edgeStart, edges, column, edge } = ensemble;
  const used = new Uint8Array(edges.length);
  for (let node = 0; node < column.length; node++) if (column[node] !== LEAF) used[edgeOf(ensemble, node)] = 1;
  /** An edge's number among those that are used. */
  const rank = new Uint32Array(edges.length + 1);
  for (let e = 0; e < edges.length; e++) rank[e + 1] = rank[e] + used[e];
  const start = new Uint32Array(V + 1);
  for (let v = 0; v < places.length; v++) {
    const count = rank[edgeStart[v + 1]] - rank[edgeStart[v]];
    if (count > 0) start[places[v] + 1] = count;
  }
  for (let v = 0; v < V; v++) start[v + 1] += start[v];
  return {
    ...ensemble,
    edgeStart: start,
    edges: edges.filter((_, e) => used[e] === 1),
    column: column.map((v) => (v === LEAF ? LEAF : places[v])),
    edge: edge.map((number, node) =>
      column[node] === LEAF ? 0 : (rank[edgeOf(ensemble, node)] - rank[edgeStart[column[node]]]) | (number & MISSING_LEFT),
    ),
  };
}

/** Where a split's edge stands among all edges. */
function edgeOf({ edgeStart, column, edge }: TreeEnsemble, node: number): number {
  return edgeStart[column[node]] + (edge[node] & ~MISSING_LEFT);
}
