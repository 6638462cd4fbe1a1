// What a tensor of a graph is in terms of layers: which number of which row each of its elements is. Selections and changes of shape are
// followed by the elements' codes alone; rows are chosen when a layer needs them.
// Legend: N sequences, R rows, W width.
import type { GLOBAL_POOLS } from "../../../shared/networks/layers.ts";
import { type DraftLayer, widthBehind } from "../contract/draft-layers.ts";
import { SECOND_ENGINE } from "../contract/reject-file.ts";
import type { Body, Node, Tensor } from "./operators/node.ts";
import { OperatorError } from "./operators/operator.ts";

/** Rows (N,R,W) that layers make of the graph's input. */
export interface Flow {
  readonly layers: readonly DraftLayer[];
  readonly R: number;
  readonly W: number;
  /** Of one row that is chosen among all rows, or pooled of them. */
  readonly pooled?: Pooled;
  /** Of flows side by side: each, and the first of its columns. */
  readonly parts?: ReadonlyMap<Flow, number>;
  /** Of weights of steps, or of steps that are multiplied by them: no layer, until their sum over steps is one. */
  readonly weighted?: Weighted;
}

/** All rows of which one is made, and how; several ways stand side by side. */
export interface Pooled {
  readonly of: Flow;
  readonly by: readonly (typeof GLOBAL_POOLS)[number][];
}

/** What a softmax over steps makes weights of, and the steps that are multiplied by these weights. */
export interface Weighted {
  readonly scores: Flow;
  readonly values?: Flow;
}

/** A tensor whose elements are numbers of a flow: 1 + (n·R + r)·W + w; 0 is a zero that a pad has put there. */
export interface Traced {
  readonly flow: Flow;
  readonly codes: Tensor;
}

/** A node with what is known of its inputs: traced where they depend on the sequences, else their numbers. */
export interface TracedNode {
  readonly node: Node;
  readonly inputs: readonly (Traced | undefined)[];
  /** The numbers of input k, which depends on no sequence. */
  constant(k: number): Tensor | undefined;
  /** What a name is in the graph around a body: a flow, or numbers that depend on no sequence. */
  scope(name: string): Traced | Tensor;
  /** Evaluates a body of the node, given some of its tensors. */
  evaluateBody(body: Body, given: ReadonlyMap<string, Tensor>): (name: string) => Tensor;
  /** Keeps the name of a tensor that says which rows are passed over, to be checked when the graph is understood. */
  keepMask(name: string): void;
}

/** Where an element of a tensor comes from. */
export interface Place {
  readonly n: number;
  readonly r: number;
  readonly w: number;
}

/** Throws: what the graph does there is no layer that quickstep runs. */
export function unlike(problem: string): never {
  throw new OperatorError(problem, SECOND_ENGINE);
}

/** The code of a place. */
export function codeOf({ R, W }: Flow, n: number, r: number, w: number): number {
  return 1 + (n * R + r) * W + w;
}

/** The place of a code. Throws OperatorError for a pad's zero. */
export function placeOf({ R, W }: Flow, code: number): Place {
  if (code === 0) return unlike("takes a pad's zeros");
  const at = code - 1;
  return { n: Math.floor(at / (R * W)), r: Math.floor(at / W) % R, w: at % W };
}

/** The flow behind layers more. Throws OperatorError where steps are weighted and not yet summed. */
export function extend(flow: Flow, layers: readonly DraftLayer[], R: number): Flow {
  requireRows(flow);
  return { layers: [...flow.layers, ...layers], R, W: widthBehind(layers, flow.W) };
}

/** Throws OperatorError where a flow is weights of steps, or weighted steps, which are no rows of a layer. */
export function requireRows({ weighted }: Flow): void {
  if (weighted) unlike("takes what a softmax over steps weights, where quickstep reads the sum over steps alone");
}

/** The flow of one row of what all rows are pooled to, the ways `by` side by side. */
export function poolAll(of: Flow, by: Pooled["by"]): Flow {
  return { ...extend(of, [{ kind: "globalPooling", by }], 1), pooled: { of, by } };
}

/** How many layers, counted from the first, all flows have in common. */
export function countShared(flows: readonly Flow[]): number {
  const [{ layers }, ...others] = flows;
  const first = layers.findIndex((layer, k) => others.some((other) => other.layers[k] !== layer));
  return first < 0 ? layers.length : first;
}

/** The tensor in another flow of the same rows and width. */
export function carry({ flow, codes }: Traced, layers: readonly DraftLayer[]): Traced {
  return { flow: extend(flow, layers, flow.R), codes };
}

/** The one row of each sequence that the elements come from, as a flow of one row. Throws OperatorError where they come from several. */
export function selectRow(traced: Traced): Traced {
  const { flow, codes } = readStates(traced);
  if (flow.R === 1) return { flow, codes };
  const places = [...codes.data].map((code) => placeOf(flow, code));
  const [{ r }] = places;
  if (places.some((place) => place.r !== r)) unlike("takes numbers of several steps at once");
  if (r !== 0 && r !== flow.R - 1) unlike(`reads step ${r} of ${flow.R}`);
  return pool({ flow, codes }, r === 0 ? "first" : "last", codes.dims, places);
}

/** A tensor of flows side by side that has numbers of one alone, in that flow; else the tensor as it is. */
export function narrow(traced: Traced): Traced {
  const { flow, codes } = traced;
  if (flow.parts === undefined) return traced;
  const places = [...codes.data].map((code) => placeOf(flow, code));
  for (const [part, offset] of flow.parts) {
    if (!places.every(({ w }) => w >= offset && w < offset + part.W)) continue;
    return { flow: part, codes: { dims: codes.dims, data: Float64Array.from(places, ({ n, r, w }) => codeOf(part, n, r, w - offset)) } };
  }
  return traced;
}

/** Where elements are of the first and of the last row: the same elements as both rows side by side. Else the tensor as it is. */
export function readEnds(traced: Traced): Traced {
  const { flow, codes } = traced;
  const last = flow.R - 1;
  if (last < 2 || codes.data.includes(0)) return traced;
  const places = [...codes.data].map((code) => placeOf(flow, code));
  if (![0, last].every((end) => places.some(({ r }) => r === end)) || places.some(({ r }) => r !== 0 && r !== last)) return traced;
  const next = poolAll(flow, ["first", "last"]);
  const data = Float64Array.from(places, ({ n, r, w }) => codeOf(next, n, 0, r === 0 ? w : flow.W + w));
  return { flow: next, codes: { dims: codes.dims, data } };
}

/**
 * Where a bidirectional layer's elements are the last row of the forward half and the first of the backward half, as tf2onnx reads the last
 * states: the same elements as the layer's states. Else the tensor as it is.
 */
export function readStates(traced: Traced): Traced {
  const { flow, codes } = traced;
  const layer = flow.layers.at(-1);
  if (layer?.kind !== "bidirectional" || layer.returns !== "sequence" || flow.R === 1) return traced;
  const places = [...codes.data].map((code) => placeOf(flow, code));
  if (!places.every(({ r, w }) => r === (w < layer.forward.units ? flow.R - 1 : 0))) return traced;
  const next: Flow = {
    layers: [...flow.layers.slice(0, -1), { ...layer, returns: "state" }],
    R: 1,
    W: flow.W,
    pooled: { of: flow, by: ["ends"] },
  };
  return { flow: next, codes: { dims: codes.dims, data: Float64Array.from(places, ({ n, w }) => codeOf(next, n, 0, w)) } };
}

/** The tensor of `dims` whose elements are pooled over all rows; `places` say n and w of each. */
export function pool({ flow }: Traced, by: "first" | "last" | "mean" | "max", dims: readonly number[], places: readonly Place[]): Traced {
  const next = poolAll(flow, [by]);
  return { flow: next, codes: { dims, data: Float64Array.from(places, ({ n, w }) => codeOf(next, n, 0, w)) } };
}

/** Lines of the last axis: the codes of each. */
export function linesOf({ dims, data }: Tensor): Float64Array[] {
  const width = dims[dims.length - 1];
  return Array.from({ length: data.length / width }, (_, k) => data.subarray(k * width, (k + 1) * width));
}

/** (W) of numbers that elements say of their columns. Throws OperatorError where two elements of a column say different ones. */
export function perColumn({ flow, codes }: Traced, valueAt: (k: number) => number, missing: number): Float64Array {
  const out = new Float64Array(flow.W).fill(Number.NaN);
  for (const [k, code] of codes.data.entries()) {
    const { w } = placeOf(flow, code);
    const value = valueAt(k);
    if (!Number.isNaN(out[w]) && out[w] !== value) unlike("treats steps or sequences differently");
    out[w] = value;
  }
  return out.map((value) => (Number.isNaN(value) ? missing : value));
}

/** (x − mean) / scale of each column, as `settingAt` says of each element. */
export function affine(traced: Traced, settingAt: (k: number) => readonly [mean: number, scale: number]): Traced {
  const mean = perColumn(traced, (k) => settingAt(k)[0], 0);
  const scale = perColumn(traced, (k) => settingAt(k)[1], 1);
  if (scale.some((value) => value === 0 || !Number.isFinite(value)) || !mean.every(Number.isFinite)) unlike("makes a constant of a column");
  return carry(traced, [{ kind: "affine", mean, scale }]);
}
