// Operators that take each number or each row alone: scaling, activations, normalisations.
// Legend: W width.
import type { Activation } from "../../../shared/networks/activation.ts";
import { affine, carry, countShared, perColumn, selectRow, type Traced, type TracedNode, unlike } from "./flow.ts";
import { mergeFlows } from "./merge.ts";
import type { Normalisation } from "./normalisations.ts";
import type { Node, Tensor } from "./operators/node.ts";
import { at, axisOf, broadcast, build } from "./operators/tensors.ts";
import { weighSteps } from "./trace-attention.ts";

/** What an operator does to a flow: its outputs, from its inputs. Throws OperatorError for what is no layer that quickstep runs. */
export type Trace = (traced: TracedNode) => readonly (Traced | undefined)[];

/** A number among a node's attributes. */
export const number = (node: Node, name: string, missing: number): number => Number(node.attributes.get(name) ?? missing);

/** Each number through the activation. */
export function activate(traced: Traced, activation: Activation): Traced {
  return carry(traced, [{ kind: "activation", activation }]);
}

/** Weights of steps, or the last layer of two classes. */
export function traceSoftmax(traced: Traced, axis: number): Traced {
  const weights = weighSteps(traced, axis);
  if (weights) return weights;
  const row = selectRow(traced);
  const { dims } = row.codes;
  if (axisOf(axis, dims.length) !== dims.length - 1 || dims[dims.length - 1] !== row.flow.W)
    unlike("is taken over another axis than the classes or the steps");
  return carry(row, [{ kind: "softmax" }]);
}

type Setting = (constant: number) => readonly [mean: number, scale: number];

/** An operator of two inputs: `first` where the first depends on sequences and the other is constant, `second` the other way round, else `both`. */
export function traceBinary(first: Setting, second: Setting, both: (a: Traced, b: Traced) => Traced): Trace {
  return ({ inputs, constant }) => {
    const [a, b] = inputs;
    if (a && b) return [both(a, b)];
    const traced = (a ?? b)!;
    const other = constant(a ? 1 : 0)!;
    return [affine(...spread(traced, other, a ? first : second))];
  };
}

function spread(traced: Traced, other: Tensor, setting: Setting): [Traced, (k: number) => readonly [number, number]] {
  const dims = broadcast(traced.codes.dims, other.dims);
  const codes = build(dims, (index) => at(traced.codes, index));
  const values = build(dims, (index) => at(other, index));
  return [{ flow: traced.flow, codes }, (k) => setting(values.data[k])];
}

/** The product of both; of x and its own sigmoid it is a silu. */
export function multiplyFlows(a: Traced, b: Traced): Traced {
  const [x, gate] = a.flow.layers.length < b.flow.layers.length ? [a, b] : [b, a];
  const last = gate.flow.layers.at(-1);
  const isOwn = gate.flow.layers.length === x.flow.layers.length + 1 && countShared([x.flow, gate.flow]) === x.flow.layers.length;
  if (isOwn && last?.kind === "activation" && last.activation.kind === "sigmoid" && String(x.codes.data) === String(gate.codes.data))
    return activate(x, { kind: "silu" });
  return mergeFlows(a, b, "mul");
}

/** The statistics that training left, on the axis behind the sequences. */
export function traceBatchNormalization({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const traced = inputs[0]!;
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((k) => constant(k)!.data);
  const epsilon = number(node, "epsilon", 1e-5);
  const channels = build(traced.codes.dims, (index) => index[1]).data;
  return [
    affine(traced, (k) => {
      const c = channels[k];
      const deviation = Math.sqrt(variance[c] + epsilon);
      return [mean[c] - (bias[c] * deviation) / scale[c], deviation / scale[c]];
    }),
  ];
}

/** Over the numbers of each row. */
export function traceLayerNormalization({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const traced = inputs[0]!;
  const { codes } = traced;
  if (axisOf(number(node, "axis", -1), codes.dims.length) !== codes.dims.length - 1) return unlike("is taken over several axes");
  const width = codes.dims[codes.dims.length - 1];
  const [scale, bias] = [constant(1)!.data, node.inputs[2] ? constant(2)!.data : undefined];
  const beta = bias ?? new Float64Array(width);
  return [normaliseRows(traced, { gamma: scale, beta, epsilon: number(node, "epsilon", 1e-5) })];
}

/** The numbers of each row, which are the last axis, normalized. */
export function normaliseRows(traced: Traced, { gamma, beta, epsilon }: Omit<Normalisation, "input">): Traced {
  const { flow, codes } = traced;
  const width = codes.dims[codes.dims.length - 1];
  if (width !== flow.W) return unlike("takes some of the numbers of a row");
  const [scale, shift] = [perColumn(traced, (k) => gamma[k % width], 1), perColumn(traced, (k) => beta[k % width], 0)];
  return carry(traced, [{ kind: "layerNormalization", gamma: scale, beta: shift, epsilon }]);
}
