// Which of a view's columns the members of a model look at: the others are neither stored nor computed. Knows the members' insides.
// Legend: V columns before, W that are kept.
import type { LinearClassifier } from "../../shared/linear.ts";
import type { Member } from "../../shared/members.ts";
import { LEAF, type TreeEnsemble } from "../../shared/trees.ts";

/** The columns (W) that `members` look at, ascending, and the members that look at these alone: the same logits. */
export function keepUsedColumns(
  members: readonly Member[],
  V: number,
): { readonly keep: Uint16Array; readonly members: readonly Member[] } {
  const isUsed = new Uint8Array(V);
  const lean = members.map((member) => (member.kind === "linear" ? { ...member, classifier: dropZeros(member.classifier) } : member));
  for (const member of lean) for (const v of columnsOf(member)) isUsed[v] = 1;
  const keep = Uint16Array.from(isUsed.keys()).filter((v) => isUsed[v] === 1);
  const place = new Uint16Array(V);
  keep.forEach((v, w) => {
    place[v] = w;
  });
  return { keep, members: lean.map((member) => moveColumns(member, keep, place)) };
}

function columnsOf(member: Member): Uint16Array {
  switch (member.kind) {
    case "lstm":
      return new Uint16Array(0);
    case "linear":
      return member.classifier.columns;
    case "trees":
      return member.ensemble.column.filter((v) => v !== LEAF);
  }
}

/** A column of weight 0 adds nothing, whatever its value. */
function dropZeros({ columns, mean, scale, weights, intercept }: LinearClassifier): LinearClassifier {
  const isHeard = (_: number, w: number): boolean => weights[w] !== 0;
  return {
    columns: columns.filter(isHeard),
    mean: mean.filter(isHeard),
    scale: scale.filter(isHeard),
    weights: weights.filter(isHeard),
    intercept,
  };
}

function moveColumns(member: Member, keep: Uint16Array, place: Uint16Array): Member {
  switch (member.kind) {
    case "lstm":
      return member;
    case "linear":
      return { ...member, classifier: { ...member.classifier, columns: member.classifier.columns.map((v) => place[v]) } };
    case "trees":
      return { ...member, ensemble: moveEnsemble(member.ensemble, keep, place) };
  }
}

function moveEnsemble(ensemble: TreeEnsemble, keep: Uint16Array, place: Uint16Array): TreeEnsemble {
  const { edgeStart, edges, column } = ensemble;
  const own = Array.from(keep, (v) => edges.subarray(edgeStart[v], edgeStart[v + 1]));
  const starts = new Uint32Array(keep.length + 1);
  own.forEach(({ length }, w) => {
    starts[w + 1] = starts[w] + length;
  });
  const moved = new Float64Array(starts[keep.length]);
  own.forEach((part, w) => {
    moved.set(part, starts[w]);
  });
  return { ...ensemble, edgeStart: starts, edges: moved, column: column.map((v) => (v === LEAF ? LEAF : place[v])) };
}
