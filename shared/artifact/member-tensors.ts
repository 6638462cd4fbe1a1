// Members as tensors: names, types, shapes, and what a decoded member may not be. Trees are stored as their nodes in preorder, from
// which the right children and the roots follow: no file can hold a circle, or a child outside of its tree.
// Legend: C channels, U units, V columns, W columns that a linear member looks at.
import type { LinearClassifier } from "../linear.ts";
import type { Member } from "../members.ts";
import type { Network } from "../networks/lstm.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../trees.ts";
import { fail } from "./checks.ts";
import { type DecodingKernel, joinWith, type Nodes } from "./kernel-decoder.ts";
import { layOutLayers, packLayers, unpackLayers } from "./layer-tensors.ts";
import type { MemberText, NetworkText } from "./member-texts.ts";
import type { Dtype, TensorData } from "./safetensors.ts";

export type Layout = readonly (readonly [name: string, dtype: Dtype, shape: readonly number[]])[];

/** Splits above a leaf, at most: a sequence's cost is bounded by it. */
const MAX_TREE_DEPTH = 64;

/** What a member's tensors are. `prefix` begins their names; `V` is the view's columns. */
export function layOutMember(text: MemberText, prefix: string, C: number, V: number): Layout {
  switch (text.kind) {
    case "lstm":
      return text.networks.flatMap((network, k) => layOutNetwork(network, `${prefix}network${k}.`, C));
    case "layers":
      return listPrefixes(prefix, text.networks).flatMap((own) => layOutLayers(text.layers, own, C));
    case "linear":
      return [
        [`${prefix}mean`, "F64", [text.columns]],
        [`${prefix}scale`, "F64", [text.columns]],
        [`${prefix}weights`, "F64", [text.columns]],
        [`${prefix}columns`, "U16", [text.columns]],
      ];
    case "trees":
      return [
        [`${prefix}edges`, "F64", [text.edges]],
        [`${prefix}leaves`, "F32", [text.leaves]],
        [`${prefix}column`, "U16", [text.nodes]],
        [`${prefix}edge`, "U8", [text.nodes]],
        [`${prefix}edgeCounts`, "U8", [V]],
      ];
    case "onnx":
      return [];
  }
}

/** What begins the names of the tensors of each of a member's networks of layers: of one alone, what begins the member's. */
function listPrefixes(prefix: string, networks = 1): string[] {
  return networks === 1 ? [prefix] : Array.from({ length: networks }, (_, k) => `${prefix}network${k}.`);
}

/** Of one network. */
export function layOutNetwork({ units: U, initial }: NetworkText, prefix: string, C: number): Layout {
  const state: Layout = [
    [`${prefix}lstm.initialHidden`, "F32", [U]],
    [`${prefix}lstm.initialCell`, "F32", [U]],
  ];
  return [
    [`${prefix}lstm.kernel`, "F32", [C, 4 * U]],
    [`${prefix}lstm.recurrent`, "F32", [U, 4 * U]],
    [`${prefix}lstm.bias`, "F32", [4 * U]],
    [`${prefix}head.kernel`, "F32", [U, 1]],
    [`${prefix}head.bias`, "F32", [1]],
    ...(initial ? state : []),
  ];
}

/** A member's tensors by name. */
export function packMember(member: Member, prefix: string): Record<string, TensorData> {
  switch (member.kind) {
    case "lstm":
      return Object.assign({}, ...member.networks.map((network, k) => packNetwork(network, `${prefix}network${k}.`)));
    case "layers":
      return Object.assign({}, ...listPrefixes(prefix, member.networks.length).map((own, k) => packLayers(member.networks[k], own)));
    case "linear": {
      const { mean, scale, weights, columns } = member.classifier;
      return { [`${prefix}mean`]: mean, [`${prefix}scale`]: scale, [`${prefix}weights`]: weights, [`${prefix}columns`]: columns };
    }
    case "trees":
      return packTrees(member.ensemble, prefix);
    case "onnx":
      return {};
  }
}

function packNetwork(network: Network, prefix: string): Record<string, TensorData> {
  const { initial } = network;
  return {
    [`${prefix}lstm.kernel`]: network.kernel,
    [`${prefix}lstm.recurrent`]: network.recurrent,
    [`${prefix}lstm.bias`]: network.bias,
    [`${prefix}head.kernel`]: network.headKernel,
    [`${prefix}head.bias`]: network.headBias,
    ...(initial && { [`${prefix}lstm.initialHidden`]: initial.hidden, [`${prefix}lstm.initialCell`]: initial.cell }),
  };
}

function packTrees({ edgeStart, edges, column, edge, leaves }: TreeEnsemble, prefix: string): Record<string, TensorData> {
  return {
    [`${prefix}edges`]: edges,
    [`${prefix}leaves`]: leaves,
    // The highest bit is free below LEAF: it says that a missing value goes left.
    [`${prefix}column`]: column.map((v, node) => (v === LEAF ? LEAF : v | (edge[node] & MISSING_LEFT))),
    [`${prefix}edge`]: Uint8Array.from(edge),
    [`${prefix}edgeCounts`]: Uint8Array.from({ length: edgeStart.length - 1 }, (_, v) => edgeStart[v + 1] - edgeStart[v]),
  };
}

/** The member that `text` and its tensors are. Throws ArtifactError where a number is not one that such a member can have. */
export function unpackMember(
  text: MemberText,
  tensors: Readonly<Record<string, TensorData>>,
  prefix: string,
  C: number,
  V: number,
  kernel?: DecodingKernel,
): Member {
  switch (text.kind) {
    case "lstm":
      return { kind: "lstm", networks: text.networks.map((network, k) => unpackNetwork(network, tensors, `${prefix}network${k}.`, C)) };
    case "layers":
      return {
        kind: "layers",
        networks: listPrefixes(prefix, text.networks).map((own) => unpackLayers(text.layers, tensors, own, C)),
      };
    case "linear":
      return { kind: "linear", classifier: unpackLinear(text.intercept, tensors, prefix, V) };
    case "trees":
      return { kind: "trees", ensemble: unpackTrees(text.base, tensors, prefix, kernel) };
    case "onnx":
      return text;
  }
}

/** One network. */
export function unpackNetwork(
  { units, initial, ...gates }: NetworkText,
  tensors: Readonly<Record<string, TensorData>>,
  prefix: string,
  C: number,
): Network {
  const f32 = (name: string): Float32Array => tensors[`${prefix}${name}`] as Float32Array;
  return {
    channels: C,
    units,
    kernel: f32("lstm.kernel"),
    recurrent: f32("lstm.recurrent"),
    bias: f32("lstm.bias"),
    headKernel: f32("head.kernel"),
    headBias: f32("head.bias"),
    ...gates,
    ...(initial && { initial: { hidden: f32("lstm.initialHidden"), cell: f32("lstm.initialCell") } }),
  };
}

function unpackLinear(intercept: number, tensors: Readonly<Record<string, TensorData>>, prefix: string, V: number): LinearClassifier {
  const f64 = (name: string): Float64Array => tensors[`${prefix}${name}`] as Float64Array;
  const columns = tensors[`${prefix}columns`] as Uint16Array;
  const scale = f64("scale");
  checkAscending(columns, V, `${prefix}columns`);
  for (const [w, value] of scale.entries()) if (!(value > 0)) fail(`${prefix}scale[${w}] is ${value}, expected a number above 0`);
  return { columns, mean: f64("mean"), scale, weights: f64("weights"), intercept };
}

/** Throws ArtifactError where `columns` are not ascending columns below V. */
export function checkAscending(columns: Uint16Array, V: number, what: string): void {
  for (let i = 0; i < columns.length; i++)
    if (columns[i] >= V || (i > 0 && columns[i] <= columns[i - 1]))
      fail(`${what}[${i}] is ${columns[i]}, expected ascending columns below ${V}`);
}

function unpackTrees(
  base: number,
  tensors: Readonly<Record<string, TensorData>>,
  prefix: string,
  kernel: DecodingKernel | undefined,
): TreeEnsemble {
  const edges = tensors[`${prefix}edges`] as Float64Array;
  const edgeStart = startEdges(tensors[`${prefix}edgeCounts`] as Uint8Array, edges, prefix);
  const leaves = tensors[`${prefix}leaves`] as Float32Array;
  const [stored, numbers] = [tensors[`${prefix}column`] as Uint16Array, tensors[`${prefix}edge`] as Uint8Array];
  const { leafCount, ...nodes } =
    (kernel && joinWith(kernel, stored, numbers, edgeStart, edges)) ?? joinChecked(stored, numbers, edgeStart, edges, prefix);
  if (leafCount !== leaves.length) fail(`${prefix}leaves has ${leaves.length} numbers, expected ${leafCount}, as the nodes say`);
  return { edgeStart, edges, ...nodes, leaves, base };
}

/** (V+1) where each column's edges start. */
function startEdges(counts: Uint8Array, edges: Float64Array, prefix: string): Uint32Array {
  const start = new Uint32Array(counts.length + 1);
  for (let v = 0; v < counts.length; v++) start[v + 1] = start[v] + counts[v];
  if (start[counts.length] !== edges.length) fail(`${prefix}edgeCounts adds up to ${start[counts.length]} edges, expected ${edges.length}`);
  return start;
}

/** Throws ArtifactError where edges do not ascend in a column, or the nodes are no trees. */
function joinChecked(stored: Uint16Array, numbers: Uint8Array, edgeStart: Uint32Array, edges: Float64Array, prefix: string): Nodes {
  for (let v = 0; v < edgeStart.length - 1; v++)
    for (let e = edgeStart[v] + 1; e < edgeStart[v + 1]; e++)
      if (!(edges[e] > edges[e - 1]))
        fail(`${prefix}edges[${e}] is ${edges[e]} after ${edges[e - 1]}, expected ascending edges in a column`);
  return joinNodes(stored, numbers, edgeStart, prefix);
}

/** Follows the preorder: a split waits for its right child, which begins where its left subtree ends; a tree ends where nobody waits. */
function joinNodes(stored: Uint16Array, edgeNumbers: Uint8Array, edgeStart: Uint32Array, prefix: string): Nodes {
  const V = edgeStart.length - 1;
  const column = new Uint16Array(stored.length);
  const edge = new Uint16Array(stored.length);
  const next = new Uint32Array(stored.length);
  const roots: number[] = [];
  const waiting: { readonly node: number; readonly depth: number }[] = [];
  let depth = 0; // splits above the node
  let leafCount = 0;
  let isChild = false; // whether the node before is a split, whose left child this is
  for (let node = 0; node < stored.length; node++) {
    if (!isChild) {
      const parent = waiting.pop();
      if (parent === undefined) roots.push(node);
      else next[parent.node] = node;
      depth = parent === undefined ? 0 : parent.depth + 1;
    }
    isChild = stored[node] !== LEAF;
    column[node] = isChild ? stored[node] & ~MISSING_LEFT : LEAF;
    edge[node] = isChild ? edgeNumbers[node] | (stored[node] & MISSING_LEFT) : 0;
    if (isChild) {
      const v = column[node];
      if (v >= V) fail(`${prefix}column[${node}] is ${v}, expected a column below ${V}`);
      if (edgeNumbers[node] >= edgeStart[v + 1] - edgeStart[v])
        fail(`${prefix}edge[${node}] is ${edgeNumbers[node]}, but column ${v} has ${edgeStart[v + 1] - edgeStart[v]} edges`);
      waiting.push({ node, depth });
      if (++depth > MAX_TREE_DEPTH) fail(`${prefix}column has a tree of more than ${MAX_TREE_DEPTH} splits on a way to a leaf`);
    } else {
      if (edgeNumbers[node] !== 0) fail(`${prefix}edge[${node}] is ${edgeNumbers[node]}, expected 0, since the node is a leaf`);
      next[node] = leafCount++;
    }
  }
  if (isChild || waiting.length > 0) fail(`${prefix}column ends inside of a tree: ${waiting.length} splits lack a child`);
  return { roots: Uint32Array.from(roots), column, edge, next, leafCount };
}
