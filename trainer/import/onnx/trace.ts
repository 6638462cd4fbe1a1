// What each operator of a graph does to a flow: one entry an operator. Whatever only moves numbers moves their codes.
// Legend: N sequences, R rows, T steps, W width, U units, K kernel size.
import type { Activation } from "../../../shared/networks/activation.ts";
import {
  carry,
  codeOf,
  extend,
  type Flow,
  linesOf,
  perColumn,
  placeOf,
  pool,
  poolTogether,
  readStates,
  selectRow,
  type Traced,
  type TracedNode,
  unlike,
} from "./flow.ts";
import type { Node, Tensor } from "./operators/node.ts";
import { misfit } from "./operators/operator.ts";
import { OPERATORS } from "./operators/table.ts";
import { at, axisOf, broadcast, build } from "./operators/tensors.ts";
import { countWindows, readWindows } from "./operators/windows.ts";
import { traceRecurrent } from "./trace-recurrent.ts";

type Trace = (traced: TracedNode) => readonly (Traced | undefined)[];

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
  "Pad",
  "ReverseSequence",
];

const number = (node: Node, name: string, missing: number): number => Number(node.attributes.get(name) ?? missing);

/** Activations by their names, with ONNX' defaults. */
const ACTIVATIONS: Readonly<Record<string, (node: Node) => Activation>> = {
  Relu: () => ({ kind: "relu" }),
  LeakyRelu: (node) => ({ kind: "leakyRelu", alpha: number(node, "alpha", 0.01) }),
  Elu: (node) => ({ kind: "elu", alpha: number(node, "alpha", 1) }),
  Selu: () => ({ kind: "selu" }),
  Gelu: (node) => ({ kind: "gelu", approximate: node.attributes.get("approximate") === "tanh" }),
  Tanh: () => ({ kind: "tanh" }),
  Sigmoid: () => ({ kind: "sigmoid" }),
  Softplus: () => ({ kind: "softplus" }),
  Softsign: () => ({ kind: "softsign" }),
  HardSigmoid: (node) => {
    const [slope, middle] = [number(node, "alpha", 0.2), number(node, "beta", 0.5)];
    return middle === 0.5 ? { kind: "hardSigmoid", slope } : unlike(`has ${middle} in the middle`);
  },
};

/** By operator. A map, since names come from files. */
export const TRACES: ReadonlyMap<string, Trace> = new Map<string, Trace>([
  ...MOVES.map((name) => [name, traceMove] as const),
  ...Object.entries(ACTIVATIONS).map(
    ([name, read]) => [name, ({ node, inputs }: TracedNode) => [activate(inputs[0]!, read(node))]] as const,
  ),
  ["Softmax", ({ node, inputs }) => [traceSoftmax(inputs[0]!, number(node, "axis", -1))]],
  [
    "Add",
    traceBinary(
      (c) => [-c, 1],
      (c) => [-c, 1],
    ),
  ],
  [
    "Sub",
    traceBinary(
      (c) => [c, 1],
      (c) => [c, -1],
    ),
  ],
  ["Mul", traceMultiply],
  [
    "Div",
    traceBinary(
      (c) => [0, c],
      () => unlike("divides by what it computes"),
    ),
  ],
  ["Neg", ({ inputs }) => [affine(inputs[0]!, () => [0, -1])]],
  ["MatMul", traceMatMul],
  ["Gemm", traceGemm],
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
  ...(["LSTM", "GRU", "RNN"] as const).map((kind) => [kind, (traced: TracedNode) => traceRecurrent(kind, traced)] as const),
]);

function traceMove({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const given = inputs.filter((input) => input !== undefined);
  const flows = new Set(given.map(({ flow }) => flow));
  if (given.length < inputs.length && node.operator === "Concat") unlike("joins numbers with constants");
  const together = flows.size > 1 ? poolTogether(given) : given;
  let next = 0;
  const tensors = node.inputs.map((name, k) => (inputs[k] ? together[next++].codes : name === "" ? undefined : constant(k)));
  // int64 codes pass a Cast as they are
  const outputs = node.operator === "Cast" ? [tensors[0]!] : OPERATORS.get(node.operator)!.evaluate(tensors, node.attributes);
  return outputs.map((codes) => ({ flow: together[0].flow, codes }));
}

function activate(traced: Traced, activation: Activation): Traced {
  return carry(traced, [{ kind: "activation", activation }]);
}

function traceSoftmax(traced: Traced, axis: number): Traced {
  const row = selectRow(traced);
  const { dims } = row.codes;
  if (axisOf(axis, dims.length) !== dims.length - 1 || dims[dims.length - 1] !== row.flow.W)
    unlike("is taken over another axis than the classes");
  return carry(row, [{ kind: "softmax" }]);
}

/** (x − mean) / scale of each column, as `settingAt` says of each element. */
function affine(traced: Traced, settingAt: (k: number) => readonly [mean: number, scale: number]): Traced {
  const mean = perColumn(traced, (k) => settingAt(k)[0], 0);
  const scale = perColumn(traced, (k) => settingAt(k)[1], 1);
  if (scale.some((value) => value === 0 || !Number.isFinite(value)) || !mean.every(Number.isFinite)) unlike("makes a constant of a column");
  return carry(traced, [{ kind: "affine", mean, scale }]);
}

type Setting = (constant: number) => readonly [mean: number, scale: number];

/** An operator of two inputs, one of which is constant: `first` where the flow is the first. */
function traceBinary(first: Setting, second: Setting): Trace {
  return ({ inputs, constant }) => {
    const [a, b] = inputs;
    if (a && b) return unlike("joins two branches");
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

/** By a constant; or of x and its own sigmoid, which is a silu. */
function traceMultiply(traced: TracedNode): readonly Traced[] {
  const [a, b] = traced.inputs;
  if (!a || !b)
    return traceBinary(
      (c) => [0, 1 / c],
      (c) => [0, 1 / c],
    )(traced) as Traced[];
  const [x, gate] = a.flow.layers.length < b.flow.layers.length ? [a, b] : [b, a];
  const last = gate.flow.layers.at(-1);
  const isOwn = gate.flow.layers.length === x.flow.layers.length + 1 && x.flow.layers.every((layer, k) => layer === gate.flow.layers[k]);
  if (!isOwn || last?.kind !== "activation" || last.activation.kind !== "sigmoid" || String(x.codes.data) !== String(gate.codes.data))
    return unlike("multiplies two branches");
  return [activate(x, { kind: "silu" })];
}

/** A dense layer of rows whose numbers the lines of the last axis are; `weights` (K,U). */
function traceDense(given: Traced, weights: Tensor, bias: ((u: number) => number) | undefined): Traced {
  const traced = readStates(given);
  const lines = linesOf(traced.codes);
  const [K, U] = weights.dims;
  const { flow } = traced;
  const first = [...lines[0]].map((code) => placeOf(flow, code));
  const isFlat = flow.R > 1 && K === flow.R * flow.W;
  if (!isFlat && K !== flow.W) return unlike("takes some of the numbers of a row");
  const source = (place: { r: number; w: number }): number => (isFlat ? place.r * flow.W + place.w : place.w);
  const order = first.map(source);
  if (new Set(order).size !== K) return unlike("takes a number of a row twice");
  for (const line of lines) {
    const places = [...line].map((code) => placeOf(flow, code));
    if (places.some((place, k) => source(place) !== order[k] || place.n !== places[0].n || (!isFlat && place.r !== places[0].r)))
      return unlike("mixes steps or sequences");
  }
  const kernel = new Float64Array(K * U);
  for (const [k, row] of order.entries()) for (let u = 0; u < U; u++) kernel[row * U + u] = weights.data[k * U + u];
  const dense = { kind: "dense", units: U, kernel, bias: Float64Array.from({ length: U }, (_, u) => bias?.(u) ?? 0) } as const;
  const next: Flow = isFlat ? extend(extend(flow, [{ kind: "flatten", steps: flow.R }], 1), [dense], 1) : extend(flow, [dense], flow.R);
  const codes = lines.flatMap((line) => {
    const { n, r } = placeOf(flow, line[0]);
    return Array.from({ length: U }, (_, u) => codeOf(next, n, isFlat ? 0 : r, u));
  });
  return { flow: next, codes: { dims: [...traced.codes.dims.slice(0, -1), U], data: Float64Array.from(codes) } };
}

function traceMatMul({ inputs, constant }: TracedNode): readonly Traced[] {
  const [a, b] = inputs;
  const weights = constant(1);
  if (!a || b || weights?.dims.length !== 2) return unlike("multiplies by something else than a constant matrix");
  return [traceDense(a, weights, undefined)];
}

function traceGemm({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const [a, b, c] = inputs;
  const given = constant(1);
  if (!a || b || c || given?.dims.length !== 2 || number(node, "transA", 0) !== 0)
    return unlike("multiplies by something else than a constant matrix");
  const [alpha, beta] = [number(node, "alpha", 1), number(node, "beta", 1)];
  const isTurned = number(node, "transB", 0) !== 0;
  const dims = isTurned ? given.dims.toReversed() : given.dims;
  const weights = build(dims, (index) => alpha * at(given, isTurned ? index.toReversed() : index));
  const bias = node.inputs[2] ? constant(2) : undefined;
  return [traceDense(a, weights, bias && ((u) => beta * at(bias, [0, u])))];
}

function traceBatchNormalization({ node, inputs, constant }: TracedNode): readonly Traced[] {
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

function traceLayerNormalization({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const traced = inputs[0]!;
  const { flow, codes } = traced;
  if (axisOf(number(node, "axis", -1), codes.dims.length) !== codes.dims.length - 1) return unlike("is taken over several axes");
  const width = codes.dims[codes.dims.length - 1];
  if (width !== flow.W) return unlike("takes some of the numbers of a row");
  const [scale, bias] = [constant(1)!.data, node.inputs[2] ? constant(2)!.data : undefined];
  const gamma = perColumn(traced, (k) => scale[k % width], 1);
  const beta = perColumn(traced, (k) => bias?.[k % width] ?? 0, 0);
  return [carry(traced, [{ kind: "layerNormalization", gamma, beta, epsilon: number(node, "epsilon", 1e-5) }])];
}

/** A reduction over all rows of a flow. Throws OperatorError for one over anything else. */
function traceReduction({ node, inputs, constant }: TracedNode, by: "mean" | "max" | "sum"): Traced {
  const { flow, codes } = inputs[0]!;
  const operator = OPERATORS.get(node.operator.replace(/Sum|Max$/, "Mean").replace("MaxPool", "AveragePool"))!;
  const axes = node.inputs[1] ? constant(1) : undefined;
  const reduced = (values: Float64Array): Tensor => operator.evaluate([{ dims: codes.dims, data: values }, axes], node.attributes)[0];
  const places = [...codes.data].map((code) => placeOf(flow, code));
  const count = reduced(codes.data).data.length;
  // Each element of what comes out: the mean of n·W + w over what went in tells one column where all of it is one
  const columns = Float64Array.from(places, ({ n, w }) => n * flow.W + w);
  const [means, squares] = [reduced(columns), reduced(columns.map((value) => value * value))];
  const isOne = means.data.every((mean, k) => Math.abs(squares.data[k] - mean * mean) < 1e-6);
  if (count * flow.R !== codes.data.length || !isOne || !eachRowOnce(places, flow, count))
    return unlike("reduces something else than the steps");
  const targets = means.data.map((mean) => Math.round(mean));
  const pooled = pool(
    { flow, codes },
    by === "max" ? "max" : "mean",
    means.dims,
    [...targets].map((column) => ({ n: Math.floor(column / flow.W), r: 0, w: column % flow.W })),
  );
  return by === "sum" ? affine(pooled, () => [0, 1 / flow.R]) : pooled;
}

function eachRowOnce(places: readonly { n: number; r: number; w: number }[], { R, W }: Flow, count: number): boolean {
  const seen = new Set(places.map(({ n, r, w }) => (n * R + r) * W + w));
  const columns = new Set(places.map(({ n, w }) => n * W + w));
  return seen.size === places.length && columns.size === count;
}

/** X of a Conv or pool: the axis of steps, and rows of zeros that pads have put in front and behind. */
function stepsOf({ flow, codes }: Traced): { axis: number; front: number; back: number } {
  const spatial = codes.dims.map((size, d) => [size, d] as const).slice(2);
  const [axis] = spatial.filter(([size]) => size > 1).map(([, d]) => d);
  if (axis === undefined || spatial.filter(([size]) => size > 1).length > 1 || codes.dims[1] !== flow.W)
    return unlike("slides over something else than the steps");
  const zeroAt = (t: number): boolean =>
    at(
      codes,
      codes.dims.map((_, d) => (d === axis ? t : 0)),
    ) === 0;
  let front = 0;
  while (front < codes.dims[axis] && zeroAt(front)) front++;
  const back = codes.dims[axis] - front - flow.R;
  build(codes.dims, (index) => {
    const [n, w, r] = [index[0], index[1], index[axis] - front];
    const expected = r < 0 || r >= flow.R ? 0 : codeOf(flow, n, r, w);
    if (at(codes, index) !== expected) unlike("slides over rows in another order");
    return 0;
  });
  return { axis, front, back };
}

interface Slide {
  readonly size: number;
  readonly strides: number;
  readonly dilationRate: number;
  readonly pads: readonly [number, number];
  readonly countsPads: boolean;
  /** The tensor's codes in a flow behind, of `R` rows. */
  codesIn(flow: Flow, R: number): Tensor;
  readonly R: number;
}

function slide(traced: Traced, node: Node, shape: readonly number[] | undefined): Slide {
  const { dims } = traced.codes;
  const { axis, front, back } = stepsOf(traced);
  const windows = readWindows(node.attributes, dims.slice(2), shape);
  const s = axis - 2;
  if (windows.kernel.some((size, d) => d !== s && size !== 1)) unlike("slides over several axes");
  const counts = countWindows(windows, dims.slice(2));
  return {
    size: windows.kernel[s],
    strides: windows.strides[s],
    dilationRate: windows.dilations[s],
    pads: [windows.pads[s][0] + front, windows.pads[s][1] + back],
    countsPads: windows.countsPads,
    R: counts[s],
    codesIn: (flow) => build([dims[0], flow.W, ...counts], (index) => codeOf(flow, index[0], index[axis], index[1])),
  };
}

function traceConv({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const traced = inputs[0]!;
  const [weights, bias] = [constant(1)!, node.inputs[2] ? constant(2)!.data : undefined];
  const { size: K, strides, dilationRate, pads, R, codesIn } = slide(traced, node, weights.dims.slice(2));
  const [filters, W] = weights.dims;
  if (W !== traced.flow.W) return unlike("takes some of the numbers of a row");
  const kernel = Float64Array.from({ length: K * W * filters }, (_, k) => {
    const [step, w, m] = [Math.floor(k / (W * filters)), Math.floor(k / filters) % W, k % filters];
    return weights.data[(m * W + w) * K + step];
  });
  const conv = {
    kind: "conv",
    filters,
    kernelSize: K,
    strides,
    dilationRate,
    pads,
    kernel,
    bias: Float64Array.from({ length: filters }, (_, m) => bias?.[m] ?? 0),
  } as const;
  const flow = extend(traced.flow, [conv], R);
  return [{ flow, codes: codesIn(flow, R) }];
}

function tracePool({ node, inputs }: TracedNode, by: "max" | "mean"): Traced {
  const traced = inputs[0]!;
  const { size: poolSize, strides, dilationRate, pads, countsPads, R, codesIn } = slide(traced, node, undefined);
  if (dilationRate !== 1) return unlike("leaves steps out between those that it takes");
  if (by === "mean" && !countsPads && pads.some((count) => count > 0) && node.inputs.length > 1) misfit();
  const flow = extend(
    traced.flow,
    [{ kind: "pooling", by, poolSize, strides, pads, ...(countsPads && by === "mean" && { countsPads }) }],
    R,
  );
  return { flow, codes: codesIn(flow, R) };
}
