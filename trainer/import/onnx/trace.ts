// What each operator of a graph does to a flow: one entry an operator. Whatever only moves numbers moves their codes.
import { affine, narrow, type Traced, type TracedNode, unlike } from "./flow.ts";
import { joinFlows } from "./join.ts";
import { mergeFlows } from "./merge.ts";
import { ACTIVATIONS, readActivation } from "./operators/named-activation.ts";
import { OPERATORS } from "./operators/table.ts";
import { broadcast } from "./operators/tensors.ts";
import { traceEinsum, traceGemm, traceMatMul } from "./trace-dense.ts";
import { traceLoop, traceScan } from "./trace-loop.ts";
import { traceRecurrent } from "./trace-recurrent.ts";
import {
  activate,
  multiplyFlows,
  number,
  type Trace,
  traceBatchNormalization,
  traceBinary,
  traceLayerNormalization,
  traceSoftmax,
} from "./trace-rowwise.ts";
import { traceConv, tracePool, traceReduction } from "./trace-windows.ts";

/** Operators that change no number. */
const MOVES = [
  "Transpose",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Slice",
  "Gather",
  "Identity",
  "Dropout",
  "Cast",
  "Concat",
  "Split",
  "Expand",
  "Tile",
  "Pad",
  "ReverseSequence",
];

/** By operator. A map, since names come from files. */
export const TRACES: ReadonlyMap<string, Trace> = new Map<string, Trace>([
  ...MOVES.map((name) => [name, traceMove] as const),
  ...[...ACTIVATIONS].map(
    (name) => [name, ({ node, inputs }: TracedNode) => [activate(inputs[0]!, readActivation(name, node.attributes))]] as const,
  ),
  ["Softmax", ({ node, inputs }) => [traceSoftmax(inputs[0]!, number(node, "axis", -1))]],
  [
    "Add",
    traceBinary(
      (c) => [-c, 1],
      (c) => [-c, 1],
      (a, b) => mergeFlows(a, b, "sum"),
    ),
  ],
  [
    "Sub",
    traceBinary(
      (c) => [c, 1],
      (c) => [c, -1],
      (a, b) => mergeFlows(a, negate(b), "sum"),
    ),
  ],
  [
    "Mul",
    traceBinary(
      (c) => [0, 1 / c],
      (c) => [0, 1 / c],
      multiplyFlows,
    ),
  ],
  [
    "Div",
    traceBinary(
      (c) => [0, c],
      () => unlike("divides by what it computes"),
      () => unlike("divides by what it computes"),
    ),
  ],
  ["Neg", ({ inputs }) => [negate(inputs[0]!)]],
  ["MatMul", traceMatMul],
  ["Gemm", traceGemm],
  ["Einsum", traceEinsum],
  ["BatchNormalization", traceBatchNormalization],
  ["LayerNormalization", traceLayerNormalization],
  ["ReduceMean", (traced) => [traceReduction(traced, "mean")]],
  ["ReduceMax", (traced) => [traceReduction(traced, "max")]],
  ["ReduceSum", (traced) => [traceReduction(traced, "sum")]],
  ["GlobalAveragePool", (traced) => [traceReduction(traced, "mean")]],
  ["GlobalMaxPool", (traced) => [traceReduction(traced, "max")]],
  ["Conv", traceConv],
  ["MaxPool", (traced) => [tracePool(traced, "max")]],
  ["AveragePool", (traced) => [tracePool(traced, "mean")]],
  ["Loop", traceLoop],
  ["Scan", traceScan],
  ["Where", traceChoice],
  ...(["LSTM", "GRU", "RNN"] as const).map((kind) => [kind, (traced: TracedNode) => traceRecurrent(kind, traced)] as const),
]);

function negate(traced: Traced): Traced {
  return affine(traced, () => [0, -1]);
}

function traceMove({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const given = inputs.filter((input) => input !== undefined);
  const flows = new Set(given.map(({ flow }) => flow));
  if (node.operator !== "Concat" && given.length > (inputs[0] ? 1 : 0)) unlike("chooses by what it computes");
  if (given.length < inputs.length && node.operator === "Concat") unlike("joins numbers with constants");
  const together = flows.size > 1 ? joinFlows(given) : given;
  let next = 0;
  const tensors = node.inputs.map((name, k) => (inputs[k] ? together[next++].codes : name === "" ? undefined : constant(k)));
  // int64 codes pass a Cast as they are
  const outputs = node.operator === "Cast" ? [tensors[0]!] : OPERATORS.get(node.operator)!.evaluate(tensors, node.attributes);
  return outputs.map((codes) => narrow({ flow: together[0].flow, codes }));
}

/** Of what a mask chooses, that which it chooses where all rows are valid. */
function traceChoice({ inputs, constant }: TracedNode): readonly Traced[] {
  const [condition, a, b] = inputs;
  if (condition) return unlike("chooses by what it computes");
  const { dims, data } = constant(0)!;
  const chosen = data.every((value) => value !== 0) ? a : data.every((value) => value === 0) ? b : undefined;
  if (chosen === undefined || String(broadcast(dims, chosen.codes.dims)) !== String(chosen.codes.dims))
    return unlike("chooses some of the numbers");
  return [chosen];
}
