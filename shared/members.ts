// The learners that may speak in a model, a closed family, and how their logits become one. Knows no recipe, no kernel, no file format.
import type { LinearClassifier } from "./linear.ts";
import { describeLayers } from "./networks/describe-layers.ts";
import type { LayeredNetwork } from "./networks/layers.ts";
import type { Calibration, Network } from "./networks/lstm.ts";
import type { TreeEnsemble } from "./trees.ts";

/** What a graph's output holds for a sequence. Two numbers are those of class 0 and class 1. */
export type OutputKind = "probabilities" | "logits";

/** One learner's voice: a logit of its own. */
export type Member =
  /** The mean of its networks' float32 logits, on the recipe's channels. All have the same channels. */
  | { readonly kind: "lstm"; readonly networks: readonly Network[] }
  /** The mean of the float32 logits of networks of any layers, on the recipe's channels. All have the same layers. */
  | { readonly kind: "layers"; readonly networks: readonly LayeredNetwork[] }
  /** On the tabular view's columns. */
  | { readonly kind: "linear"; readonly classifier: LinearClassifier }
  /** On the tabular view's columns. */
  | { readonly kind: "trees"; readonly ensemble: TreeEnsemble }
  /** The whole graph of an ONNX file beside the artifact, on the recipe's channels; alone in its model. Runs on ONNX Runtime (onnx/onnx-engine.ts). */
  | { readonly kind: "onnx"; readonly output: OutputKind };

/** One logit of several: intercept + Σ weight · the member's logit within ±MEMBER_CLIP (Wolpert 1992; Breiman 1996 for weights ≥ 0). */
export interface Stack {
  /** (M) in the order of the members */
  readonly weights: readonly number[];
  readonly intercept: number;
}

/** A member that is surer than this is taken at this: 1 in 8,100. */
export const MEMBER_CLIP = 9;

/** All that makes a probability of channels and columns. */
export interface Predictor {
  readonly members: readonly Member[];
  /** Left out: the one member is one network, and its calibrated logit is float32. */
  readonly stack?: Stack;
  readonly calibration: Calibration;
}

/** A predictor of one network alone. */
export function ofNetwork(network: Network | LayeredNetwork, calibration: Calibration): Predictor {
  return { members: [asMember([network])], calibration };
}

/** The member whose logit is the mean of the networks', at least one; all of one kind. */
export function asMember(networks: readonly (Network | LayeredNetwork)[]): Member {
  return "layers" in networks[0]
    ? { kind: "layers", networks: networks as readonly LayeredNetwork[] }
    : { kind: "lstm", networks: networks as readonly Network[] };
}

/** The network of layers of a model that is that network alone. */
export function soleLayers({ members, stack }: Pick<Predictor, "members" | "stack">): LayeredNetwork | undefined {
  const [member] = members;
  return stack === undefined && member?.kind === "layers" ? member.networks[0] : undefined;
}

/** A member's layers in words; undefined of every other kind. */
export function describeLayersOf(member: Member): string | undefined {
  return member.kind === "layers" ? describeLayers(member.networks[0]) : undefined;
}

/** What the graph answers, of a model that is an ONNX graph. */
export function soleGraph({ members }: Pick<Predictor, "members">): OutputKind | undefined {
  const [member] = members;
  return member?.kind === "onnx" ? member.output : undefined;
}

/** The LSTM under a dense layer of a model that is this network alone; undefined where there are several members, or another one. */
export function soleNetwork({ members, stack }: Pick<Predictor, "members" | "stack">): Network | undefined {
  const [member] = members;
  return stack === undefined && member?.kind === "lstm" ? member.networks[0] : undefined;
}

/** How an LSTM's recurrent products are computed: in float32, or in whole numbers of 16 bits. */
export const PRECISIONS = ["float", "int16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Whether whole numbers can stand for a network's outputs: they are within ±1, and its gates are sigmoids. */
export function takesInt16({ hardGates, initial }: { readonly hardGates?: unknown; readonly initial?: unknown }): boolean {
  return hardGates === undefined && initial === undefined;
}

/** The same predictor whose LSTMs are computed at `precision`, those that take it. */
export function withPrecision<P extends Pick<Predictor, "members">>(predictor: P, precision: Precision): P {
  const convert = ({ precision: _, ...network }: Network): Network =>
    precision === "int16" && takesInt16(network) ? { ...network, precision } : network;
  const members = predictor.members.map(
    (member): Member => (member.kind === "lstm" ? { ...member, networks: member.networks.map(convert) } : member),
  );
  return { ...predictor, members };
}

/** The networks of all members, in order. */
export function networksOf({ members }: Pick<Predictor, "members">): Network[] {
  return members.flatMap((member) => (member.kind === "lstm" ? member.networks : []));
}

/** The stacked logit of one sequence: `logits` (M) from `at` on. One chain in the order of the members, float64. */
export function stackLogit({ weights, intercept }: Stack, logits: Float64Array, at: number): number {
  let sum = intercept;
  for (let m = 0; m < weights.length; m++) sum += weights[m] * Math.max(-MEMBER_CLIP, Math.min(MEMBER_CLIP, logits[at + m]));
  return sum;
}

/** A member in a few numbers, for people and programs. `weight`: the stack's; 1 of one network alone. */
export type MemberSummary = { readonly weight: number } & (
  | { readonly kind: "lstm"; readonly networks: number; readonly units: number; readonly precision?: "int16" }
  /** In words. */
  | { readonly kind: "layers"; readonly networks: number; readonly layers: string }
  | { readonly kind: "linear"; readonly columns: number }
  | { readonly kind: "trees"; readonly trees: number; readonly leaves: number }
  | { readonly kind: "onnx"; readonly output: OutputKind }
);

/** Which members speak, and how much: (M) in their order. */
export function summariseMembers({ members, stack }: Pick<Predictor, "members" | "stack">): MemberSummary[] {
  return members.map((member, m) => summariseMember(member, stack?.weights[m] ?? 1));
}

function sizeOf({ units, precision }: Network): Pick<Network, "units" | "precision"> {
  return { units, ...(precision && { precision }) };
}

function summariseMember(member: Member, weight: number): MemberSummary {
  switch (member.kind) {
    case "lstm":
      return { kind: "lstm", weight, networks: member.networks.length, ...sizeOf(member.networks[0]) };
    case "layers":
      return { kind: "layers", weight, networks: member.networks.length, layers: describeLayers(member.networks[0]) };
    case "linear":
      return { kind: "linear", weight, columns: member.classifier.columns.length };
    case "trees":
      return { kind: "trees", weight, trees: member.ensemble.roots.length, leaves: member.ensemble.leaves.length };
    case "onnx":
      return { ...member, weight };
  }
}
