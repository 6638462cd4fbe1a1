// A model's members and their stack as metadata say them: kinds, sizes and single numbers. The rest is tensors.
// Legend: V columns, W columns that a linear member looks at.
import { type Member, type Stack, takesInt16 } from "../members.ts";
import type { LayerText } from "../networks/layers.ts";
import type { Network } from "../networks/lstm.ts";
import { asObject, fail, isFiniteNumber, isIndex, show } from "./checks.ts";
import { type LayersShape, MAX_UNITS, parseLayers, textOfLayer } from "./layer-texts.ts";

const MAX_MEMBERS = 16;
const MAX_NETWORKS = 64;
/** Of one member: with their bits and leaves some 5 MB in a file, 32 MB in memory. */
const MAX_NODES = 1 << 20;

/** A network's size, and how it differs from a trained one, of which nothing is said. */
export interface NetworkText {
  readonly units: number;
  readonly hardGates?: number;
  readonly backwards?: true;
  readonly precision?: "int16";
  /** The state before the first step is in tensors. */
  readonly initial?: true;
}

export type MemberText =
  | { readonly kind: "lstm"; readonly networks: readonly NetworkText[] }
  /** `networks` of these layers; left out: one. */
  | { readonly kind: "layers"; readonly layers: readonly LayerText[]; readonly networks?: number }
  | { readonly kind: "linear"; readonly columns: number; readonly intercept: number }
  | { readonly kind: "trees"; readonly nodes: number; readonly leaves: number; readonly edges: number; readonly base: number }
  | Extract<Member, { kind: "onnx" }>;

/** What is said of a member in metadata. */
export function describeMember(member: Member): MemberText {
  switch (member.kind) {
    case "lstm":
      return { kind: "lstm", networks: member.networks.map(describeNetwork) };
    case "layers":
      return { kind: "layers", layers: member.networks[0].layers.map(textOfLayer), ...countText(member.networks.length) };
    case "linear":
      return { kind: "linear", columns: member.classifier.columns.length, intercept: member.classifier.intercept };
    case "trees": {
      const { column, leaves, edges, base } = member.ensemble;
      return { kind: "trees", nodes: column.length, leaves: leaves.length, edges: edges.length, base };
    }
    case "onnx":
      return { kind: "onnx", output: member.output };
  }
}

function countText(networks: number): { readonly networks?: number } {
  return networks === 1 ? {} : { networks };
}

function describeNetwork({ units, hardGates, backwards, precision, initial }: Network): NetworkText {
  return {
    units,
    ...(hardGates !== undefined && { hardGates }),
    ...(backwards && { backwards }),
    ...(precision && { precision }),
    ...(initial && { initial: true }),
  };
}

/** `columns`: V, undefined where there is no view; `shape`: of what networks are given. Throws ArtifactError naming what is off. */
export function parseMembers(value: unknown, columns: number | undefined, shape: LayersShape): MemberText[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_MEMBERS)
    fail(`members is ${show(value)}, expected 1 to ${MAX_MEMBERS}`);
  return value.map((member: unknown, m) => parseMember(member, `members[${m}]`, columns, shape));
}

function parseMember(value: unknown, what: string, V: number | undefined, shape: LayersShape): MemberText {
  const member = asObject(value, what);
  const { kind } = member;
  if (kind === "lstm") return { kind, networks: parseNetworks(member.networks, `${what}.networks`) };
  if (kind === "layers") {
    const { layers, networks = 1 } = member;
    if (!isIndex(networks, MAX_NETWORKS + 1) || networks < 1)
      fail(`${what}.networks is ${show(networks)}, expected 1 to ${MAX_NETWORKS} networks`);
    return { kind, layers: parseLayers(layers, `${what}.layers`, shape), ...countText(networks) };
  }
  if (kind === "onnx") {
    const { output } = member;
    if (output !== "probabilities" && output !== "logits") fail(`${what}.output is ${show(output)}, expected "probabilities" or "logits"`);
    return { kind, output };
  }
  if (kind !== "linear" && kind !== "trees")
    fail(`${what}.kind is ${show(kind)}, which this code does not know: update and redeploy quickstep`);
  if (V === undefined) fail(`${what} is ${kind} and looks at columns, but the artifact has no view`);
  if (kind === "linear") {
    const { columns, intercept } = member;
    if (!isIndex(columns, V + 1)) fail(`${what}.columns is ${show(columns)}, expected 0 to ${V}`);
    if (!isFiniteNumber(intercept)) fail(`${what}.intercept is ${show(intercept)}, expected a number`);
    return { kind, columns, intercept };
  }
  const { nodes, leaves, edges, base } = member;
  if (!isIndex(nodes, MAX_NODES + 1)) fail(`${what}.nodes is ${show(nodes)}, expected 0 to ${MAX_NODES}`);
  if (!isIndex(leaves, nodes + 1)) fail(`${what}.leaves is ${show(leaves)}, expected 0 to ${nodes}`);
  if (!isIndex(edges, 255 * V + 1)) fail(`${what}.edges is ${show(edges)}, expected 0 to ${255 * V}`);
  if (!isFiniteNumber(base)) fail(`${what}.base is ${show(base)}, expected a number`);
  return { kind, nodes, leaves, edges, base };
}

function parseNetworks(value: unknown, what: string): NetworkText[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_NETWORKS)
    fail(`${what} is ${show(value)}, expected 1 to ${MAX_NETWORKS} networks`);
  return value.map((network: unknown, k) => {
    const { units, ...variant } = asObject(network, `${what}[${k}]`);
    if (!isIndex(units, MAX_UNITS + 1) || units < 1) fail(`${what}[${k}].units is ${show(units)}, expected 1 to ${MAX_UNITS}`);
    return { units, ...parseVariant(variant, `${what}[${k}]`) };
  });
}

/** What may be said of a network beside its units. */
const VARIANTS: Readonly<Record<string, (entry: unknown) => boolean>> = {
  hardGates: (entry) => isFiniteNumber(entry) && entry > 0,
  backwards: (entry) => entry === true,
  precision: (entry) => entry === "int16",
  initial: (entry) => entry === true,
};

/** What is said of a network beside its units. Throws ArtifactError where this code does not know it. */
export function parseVariant(variant: Readonly<Record<string, unknown>>, what: string): Omit<NetworkText, "units"> {
  for (const [key, entry] of Object.entries(variant)) {
    const isGood = Object.hasOwn(VARIANTS, key) && VARIANTS[key](entry);
    if (!isGood) fail(`${what}.${key} is ${show(entry)}, which this code does not know: update and redeploy quickstep`);
  }
  if (variant.precision !== undefined && !takesInt16(variant))
    fail(`${what}.precision is ${show(variant.precision)}, but a network of hard gates or an initial state is computed in float32`);
  return variant;
}

function isOneNetwork(member: MemberText): boolean {
  return (
    member.kind === "onnx" ||
    (member.kind === "layers" && member.networks === undefined) ||
    (member.kind === "lstm" && member.networks.length === 1)
  );
}

/** `members`: those that it weighs. Undefined where the one member is one network alone. Throws ArtifactError. */
export function parseStack(value: unknown, members: readonly MemberText[]): Stack | undefined {
  if (value === undefined) {
    const [first] = members;
    if (members.length !== 1 || !isOneNetwork(first))
      fail(`stack is missing, expected one for ${members.length === 1 ? `a member of kind ${first.kind}` : `${members.length} members`}`);
    return undefined;
  }
  const { weights, intercept } = asObject(value, "stack");
  if (members.some(({ kind }) => kind === "onnx")) fail("stack is given, but an ONNX graph is alone in its model");
  if (!Array.isArray(weights) || weights.length !== members.length || !weights.every(isFiniteNumber))
    fail(`stack.weights is ${show(weights)}, expected ${members.length} numbers`);
  if (!isFiniteNumber(intercept)) fail(`stack.intercept is ${show(intercept)}, expected a number`);
  return { weights, intercept };
}
