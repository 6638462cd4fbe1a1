// What reduces steps or slides over them: global pooling, convolutions, pooling.
// Legend: N sequences, R rows, W width, K kernel size.
import { turnConvKernel } from "../contract/conv-kernel.ts";
import { affine, codeOf, extend, type Flow, placeOf, pool, type Traced, type TracedNode, unlike } from "./flow.ts";
import type { Node, Tensor } from "./operators/node.ts";
import { misfit } from "./operators/operator.ts";
import { OPERATORS } from "./operators/table.ts";
import { at, build } from "./operators/tensors.ts";
import { countWindows, readWindows } from "./operators/windows.ts";
import { reduceWeighted } from "./trace-attention.ts";

/** A reduction over all rows of a flow. Throws OperatorError for one over anything else. */
export function traceReduction({ node, inputs, constant }: TracedNode, by: "mean" | "max" | "sum"): Traced {
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
  if (flow.weighted) {
    const next = reduceWeighted(flow, by);
    return {
      flow: next,
      codes: { dims: means.dims, data: targets.map((column) => codeOf(next, Math.floor(column / flow.W), 0, column % flow.W)) },
    };
  }
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
  codesIn(flow: Flow): Tensor;
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

/** A convolution over the steps. */
export function traceConv({ node, inputs, constant }: TracedNode): readonly Traced[] {
  const traced = inputs[0]!;
  const [weights, bias] = [constant(1)!, node.inputs[2] ? constant(2)!.data : undefined];
  const { size: K, strides, dilationRate, pads, R, codesIn } = slide(traced, node, weights.dims.slice(2));
  const [filters, W] = weights.dims;
  if (W !== traced.flow.W) return unlike("takes some of the numbers of a row");
  const kernel = turnConvKernel(weights.data, K, W, filters);
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
  return [{ flow, codes: codesIn(flow) }];
}

/** Pooling over windows of steps. */
export function tracePool({ node, inputs }: TracedNode, by: "max" | "mean"): Traced {
  const traced = inputs[0]!;
  const { size: poolSize, strides, dilationRate, pads, countsPads, R, codesIn } = slide(traced, node, undefined);
  if (dilationRate !== 1) return unlike("leaves steps out between those that it takes");
  if (by === "mean" && !countsPads && pads.some((count) => count > 0) && node.inputs.length > 1) misfit();
  const flow = extend(
    traced.flow,
    [{ kind: "pooling", by, poolSize, strides, pads, ...(countsPads && by === "mean" && { countsPads }) }],
    R,
  );
  return { flow, codes: codesIn(flow) };
}
