// The tensors of a loop's body that are linear in a row of the sequences and in the states before the step, where something that is not linear
// takes them: the weights of gates, whichever way an exporter split and joined them.
// Legend: B probes, W width, U units, K numbers of a tensor.
import type { Activation } from "../../../shared/networks/activation.ts";
import { unlike } from "./flow.ts";
import { type EvaluateBody, type LoopBody, runBody } from "./loop-body.ts";
import { ACTIVATIONS, readActivation } from "./operators/named-activation.ts";
import type { Node, Tensor } from "./operators/node.ts";

/** bias + row · kernel + Σ state · recurrent, then the activation; null where several tensors are joined instead. */
export interface LinearTensor {
  readonly K: number;
  /** (W,K) */
  readonly kernel: Float64Array;
  /** (U,K) of each state. */
  readonly recurrent: readonly Float64Array[];
  /** (K) */
  readonly bias: Float64Array;
  readonly activation: Activation | null;
}

type Status = "constant" | "linear" | "other";

const MOVING = /^(Identity|Cast|Split|Slice|Squeeze|Unsqueeze|Reshape|Flatten|Transpose|Concat|Expand|Dropout)$/;

/** What each tensor of the body is in a row and the states. */
export function statusesOf({ body, rows, masks, states, numbers }: LoopBody): (name: string) => Status {
  const known = new Map<string, Status>([
    ...[...rows, ...states.map(({ input }) => input)].map((name) => [name, "linear"] as const),
    ...[...masks, ...numbers.keys(), ...body.constants.keys()].map((name) => [name, "constant"] as const),
  ]);
  for (const { operator, inputs, outputs } of body.nodes) {
    const of = inputs.filter((name) => name !== "").map((name) => known.get(name) ?? "constant"); // of the graph around the body
    const status = statusOf(operator, of);
    for (const output of outputs) if (!known.has(output)) known.set(output, status);
  }
  return (name) => known.get(name) ?? "constant";
}

function statusOf(operator: string, inputs: readonly Status[]): Status {
  if (operator === "Shape" || inputs.every((one) => one === "constant")) return "constant";
  if (inputs.includes("other")) return "other";
  const isFirst = inputs[0] === "linear" && inputs.slice(1).every((one) => one === "constant");
  if (operator === "Add" || operator === "Sub" || operator === "Concat") return "linear";
  if (operator === "Mul") return inputs.filter((one) => one === "linear").length === 1 ? "linear" : "other";
  return isFirst && (operator === "Div" || operator === "MatMul" || operator === "Gemm" || MOVING.test(operator)) ? "linear" : "other";
}

/** The linear tensors that something else takes, each once, without the rows and states themselves and what does not depend on them. */
export function readLinear(loop: LoopBody, W: number, evaluate: EvaluateBody): LinearTensor[] {
  const { body, states } = loop;
  const status = statusesOf(loop);
  const widths = [W, ...states.map(({ first }) => first.dims[1])];
  const B = 1 + widths.reduce((sum, width) => sum + width, 0);
  let from = 1;
  const probes = widths.map((width): Tensor => {
    const data = new Float64Array(B * width);
    for (let k = 0; k < width; k++) data[(from + k) * width + k] = 1;
    from += width;
    return { dims: [B, width], data };
  });
  const value = runBody(loop, evaluate, probes[0], probes.slice(1), 1);
  const found = new Map<string, LinearTensor>();
  for (const node of body.nodes)
    for (const name of node.inputs)
      if (status(name) === "linear" && node.outputs.some((output) => status(output) === "other") && !found.has(name)) {
        const one = measure(value(name), B, widths, value, body.nodes, node);
        if (one) found.set(name, one);
      }
  return [...found.values()];
}

/** The weights of one tensor of B probes; undefined where it is a row or a state as it is, or depends on none. */
function measure(
  { dims, data }: Tensor,
  B: number,
  [W, ...units]: readonly number[],
  value: (name: string) => Tensor,
  nodes: readonly Node[],
  user: Node,
): LinearTensor | undefined {
  if (dims[0] !== B) return undefined;
  const K = data.length / B;
  const bias = data.slice(0, K);
  let from = 1;
  const part = (width: number): Float64Array => {
    const weights = Float64Array.from({ length: width * K }, (_, at) => data[from * K + at] - bias[at % K]);
    from += width;
    return weights;
  };
  const [kernel, recurrent] = [part(W), units.map(part)];
  const isNothing = [kernel, ...recurrent].every((weights) => weights.every((one) => one === 0));
  const given = [kernel, ...recurrent].filter((weights) => weights.some((one) => one !== 0));
  const isAsItIs =
    given.length === 1 && given[0].length === K * K && given[0].every((one, at) => one === Number(Math.floor(at / K) === at % K));
  const activation = activationBehind(user, bias, value, nodes);
  return isNothing || (isAsItIs && activation === null)
    ? undefined
    : { K, kernel, recurrent, bias: activation?.bias ?? bias, activation: activation?.activation ?? null };
}

/** The activation that `user` is, with the bias in front of it: a hard sigmoid is written as a clip of a line. */
function activationBehind(
  user: Node,
  bias: Float64Array,
  value: (name: string) => Tensor,
  nodes: readonly Node[],
): { readonly activation: Activation; readonly bias: Float64Array } | null {
  if (ACTIVATIONS.has(user.operator)) return { activation: readActivation(user.operator, user.attributes), bias };
  if (user.operator !== "Clip") return null;
  const bound = (k: number, name: string): number =>
    user.inputs[k] ? value(user.inputs[k]).data[0] : Number(user.attributes.get(name) ?? Number.NaN);
  const [low, high] = [bound(1, "min"), bound(2, "max")];
  const scaling = nodes.find(({ inputs }) => inputs.includes(user.outputs[0]));
  const other = scaling?.inputs.find((name) => name !== user.outputs[0]) ?? "";
  const isScaled = high !== 1 && (scaling?.operator === "Mul" || scaling?.operator === "Div");
  const factor = isScaled ? value(other).data[0] : 1;
  const slope = isScaled && scaling?.operator === "Div" ? 1 / factor : factor;
  if (low !== 0 || Math.abs(high * slope - 1) > 1e-6) return unlike(`clips a gate to ${low} and ${high}`);
  const exact = [1 / 6].find((one) => Math.fround(one) === Math.fround(slope)) ?? slope;
  return { activation: { kind: "hardSigmoid", slope: exact }, bias: bias.map((b) => b - 0.5 / exact) };
}
