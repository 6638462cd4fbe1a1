// Tensors of several flows that a graph joins: numbers that stand side by side in one flow, behind what the flows have in common.
// Legend: N sequences, R rows, W width.
import { MAX_POOLS } from "../../../shared/artifact/layer-texts.ts";
import type { Layer } from "../../../shared/networks/layers.ts";
import type { DraftLayer } from "../contract/draft-layers.ts";
import { codeOf, countShared, type Flow, placeOf, poolAll, requireRows, selectRow, type Traced, unlike } from "./flow.ts";
import { joinDirections } from "./join-directions.ts";

/** Where branches share layers with each other, each computes them; an artifact holds some hundreds. */
const MAX_LAYERS = 1000;

/** A flow that has the numbers of all parts, and the parts in that flow. Throws OperatorError where the parts have other numbers of rows. */
export function joinFlows(parts: readonly Traced[]): readonly Traced[] {
  const aligned = alignRows(parts);
  if (new Set(aligned.map(({ flow }) => flow)).size === 1) return aligned;
  return joinDirections(aligned) ?? standBeside(aligned);
}

/** The parts as flows of as many rows: of one row where each part has numbers of one alone. Throws OperatorError where numbers of rows differ. */
export function alignRows(parts: readonly Traced[]): readonly Traced[] {
  const single = parts.every(isOfOneRow) ? parts.map(selectRow) : parts;
  const counts = [...new Set(single.map(({ flow }) => flow.R))];
  if (counts.length > 1)
    unlike(`joins layers of several numbers of rows (${counts.map((R) => (R === 1 ? "one row" : `${R} rows`)).join(", ")})`);
  return single;
}

function isOfOneRow({ flow, codes }: Traced): boolean {
  if (flow.R === 1) return true;
  const { r } = placeOf(flow, codes.data[0]);
  return codes.data.every((code) => placeOf(flow, code).r === r);
}

/** Behind the layers that all flows have in common, what is left of each, merged: a flow of rows of width W. */
export function branchOut(flows: readonly Flow[], merge: Extract<Layer, { kind: "branches" }>["merge"], W: number): Flow {
  flows.forEach(requireRows);
  const shared = countShared(flows);
  // A branch that is nothing but branches merged alike is as good as its branches
  const branches = flows.flatMap(({ layers }): (readonly DraftLayer[])[] => {
    const [first, ...more] = layers.slice(shared);
    return first?.kind === "branches" && first.merge === merge && more.length === 0 ? [...first.branches] : [layers.slice(shared)];
  });
  const { layers, R } = flows[0];
  const joined: DraftLayer = { kind: "branches", merge, branches };
  if (countLayers(joined) > MAX_LAYERS) unlike("joins branches that share layers in many ways");
  return { layers: [...layers.slice(0, shared), joined], R, W };
}

/** A layer and all that it has inside. Each is counted once, since a graph of few nodes may make a tree of very many. */
function countLayers(layer: DraftLayer): number {
  if (layer.kind !== "branches") return 1;
  const known = counts.get(layer);
  if (known !== undefined) return known;
  const count = layer.branches.flat().reduce((sum, inner) => sum + countLayers(inner), 1);
  counts.set(layer, count);
  return count;
}

const counts = new WeakMap<DraftLayer, number>();

function standBeside(parts: readonly Traced[]): Traced[] {
  const groups = groupPooled(parts.map(({ flow }) => flow));
  const offsets = new Map<Flow, number>();
  let W = 0;
  for (const flow of groups.flatMap(({ members }) => members)) {
    offsets.set(flow, W);
    W += flow.W;
  }
  const all = groups.map((group) => group.flow);
  const flow: Flow = { ...(groups.length === 1 ? all[0] : branchOut(all, "concat", W)), parts: offsets };
  return parts.map((part) => {
    const code = (at: number): number => {
      const { n, r, w } = placeOf(part.flow, at);
      return codeOf(flow, n, r, offsets.get(part.flow)! + w);
    };
    return { flow, codes: { dims: part.codes.dims, data: part.codes.data.map(code) } };
  });
}

interface Group {
  readonly members: readonly Flow[];
  /** Has the numbers of all members, one behind the other. */
  readonly flow: Flow;
}

/** Flows, those that are rows of the same rows together: they are one pooling. */
function groupPooled(flows: readonly Flow[]): Group[] {
  const sources = new Map<Flow, Flow[]>();
  for (const flow of new Set(flows)) {
    const source = flow.pooled?.of ?? flow;
    sources.set(source, [...(sources.get(source) ?? []), flow]);
  }
  return [...sources].flatMap(([of, members]): Group[] => {
    const by = members.flatMap(({ pooled }) => pooled?.by ?? []);
    if (members.length < 2 || members.includes(of) || by.length > MAX_POOLS) return members.map((flow) => ({ members: [flow], flow }));
    return [{ members, flow: poolAll(of, by) }];
  });
}
