// A network of layers as ONNX nodes. Rows are left-aligned as everywhere; what lies behind a sequence's last row is noise, and is masked
// where a layer would look at it.
// github.com/onnx/onnx/blob/main/docs/Operators.md, opset 17
// Legend: N sequences, R rows, W width.
import type { Activation } from "../../../shared/networks/activation.ts";
import {
  type BRANCH_MERGES,
  type GLOBAL_POOLS,
  type Layer,
  type LayeredNetwork,
  rowsAfter,
  widthAfter,
} from "../../../shared/networks/layers.ts";
import type { Builder } from "./builder.ts";
import { buildCell } from "./cell-graph.ts";
import { float, int, ints, raw } from "./graph.ts";
import { FLOAT, INT32, INT64 } from "./schema.ts";

/** The lowest float32. */
const LOWEST = -3.4028234663852886e38;

/** Rows between two layers. */
interface Rows {
  /** (N,R,W) float32 */
  readonly rows: string;
  readonly R: number;
  readonly W: number;
  /** (N) int32, each 1 to R */
  readonly lengths: string;
}

/**
 * The logit (N,1), named `logit`, of `channels` (N,T,C) float32 and `lengths` (N) int32. Weights are named after their layers, `layer0.kernel`.
 * Names that others could have begin with `prefix`.
 */
export function buildLayers(build: Builder, { channels, layers }: LayeredNetwork, T: number, prefix = ""): void {
  const { rows } = buildAll(build, layers, `${prefix}layer`, { rows: "channels", R: T, W: channels, lengths: "lengths" });
  build.op("Reshape", [rows, build.indices(-1, 1)], [], `${prefix}logit`);
}

/** The rows behind layers in a row, each layer's number behind `prefix`. */
function buildAll(build: Builder, layers: readonly Layer[], prefix: string, start: Rows): Rows {
  return layers.reduce((before, layer, i): Rows => {
    const name = `${prefix}${i}`;
    const [R, W] = [rowsAfter(layer, before.R), widthAfter(layer, before.W)];
    if (layer.kind !== "branches")
      return { rows: buildLayer(build, layer, name, before), R, W, lengths: buildLengths(build, layer, before) };
    const branches = layer.branches.map((branch, b) => buildAll(build, branch, `${name}.branches.${b}.`, before));
    return {
      rows: merge(
        build,
        layer.merge,
        branches.map(({ rows }) => rows),
      ),
      R,
      W,
      lengths: branches[0].lengths,
    };
  }, start);
}

function merge({ op }: Builder, by: (typeof BRANCH_MERGES)[number], parts: readonly string[]): string {
  if (by === "concat") return op("Concat", parts, [int("axis", 2)]);
  return parts.reduce((a, b) => op(by === "sum" ? "Add" : "Mul", [a, b]));
}

/** The lengths behind a layer. */
function buildLengths(build: Builder, layer: Layer, { lengths }: Rows): string {
  const { op } = build;
  if (layer.kind === "conv" || layer.kind === "pooling") {
    const size = layer.kind === "conv" ? (layer.kernelSize - 1) * layer.dilationRate + 1 : layer.poolSize;
    const free = op("Add", [lengths, int32(build, layer.pads[0] + layer.pads[1] - size)]);
    // The Cast says to readers that know no types that the quotient is a whole number
    const steps = layer.strides === 1 ? free : build.cast(op("Div", [free, int32(build, layer.strides)]), INT32);
    return op("Add", [steps, int32(build, 1)]);
  }
  const becomesOne =
    layer.kind === "globalPooling" ||
    layer.kind === "attentionPooling" ||
    layer.kind === "flatten" ||
    ("returns" in layer && layer.returns !== "sequence");
  return becomesOne ? op("Add", [op("Sub", [lengths, lengths]), int32(build, 1)]) : lengths;
}

/** The rows behind a layer, (N,R,W). Throws ArtifactError where ONNX' operators have no such cell. */
function buildLayer(build: Builder, layer: Exclude<Layer, { kind: "branches" }>, name: string, rows: Rows): string {
  const { op } = build;
  const input = rows.rows;
  const floats = (what: string, numbers: Float32Array, dims: readonly number[]): string =>
    build.constant(FLOAT, dims, raw(numbers), `${name}.${what}`);
  switch (layer.kind) {
    case "recurrent":
      return buildCell(build, layer.cell, `${name}.cell`, turn(build, input), rows.lengths, {
        backwards: layer.backwards === true,
        returns: layer.returns,
      });
    case "bidirectional": {
      const steps = turn(build, input);
      const both = (["forward", "backward"] as const).map((side) =>
        buildCell(build, layer[side], `${name}.${side}`, steps, rows.lengths, { backwards: side === "backward", returns: layer.returns }),
      );
      if (layer.merge === "concat") return op("Concat", both, [int("axis", 2)]);
      if (layer.merge === "mul") return op("Mul", both);
      const sum = op("Add", both);
      return layer.merge === "sum" ? sum : op("Mul", [sum, float32(build, 0.5)]);
    }
    case "conv":
      return buildConv(build, layer, name, rows);
    case "pooling":
      return layer.by === "max" ? buildMaxPool(build, layer, rows) : buildMeanPool(build, layer, rows);
    case "globalPooling": {
      const pools = layer.by.map((by) => buildGlobalPool(build, by, rows));
      return pools.length === 1 ? pools[0] : op("Concat", pools, [int("axis", 2)]);
    }
    case "attentionPooling":
      return buildAttention(build, rows);
    case "flatten":
      return op("Reshape", [op("Flatten", [input], [int("axis", 1)]), build.indices(0, 1, -1)]);
    case "reverse":
      return op("ReverseSequence", [input, build.cast(rows.lengths, INT64)], [int("batch_axis", 0), int("time_axis", 1)]);
    case "dense":
      return op("Add", [
        op("MatMul", [input, floats("kernel", layer.kernel, [layer.kernel.length / layer.units, layer.units])]),
        floats("bias", layer.bias, [layer.units]),
      ]);
    case "activation":
      return buildActivation(build, layer.activation, input);
    case "affine": {
      const [scale, shift] = (["scale", "shift"] as const).map((what) => floats(what, layer[what], [layer[what].length]));
      return op("Add", [op("Mul", [input, scale]), shift]);
    }
    case "layerNormalization": {
      const [gamma, beta] = (["gamma", "beta"] as const).map((what) => floats(what, layer[what], [layer[what].length]));
      return op("LayerNormalization", [input, gamma, beta], [int("axis", -1), float("epsilon", layer.epsilon)]);
    }
  }
}

/** (N,R,W) ↔ (R,N,W): ONNX Runtime's recurrent operators know only layout 0. */
function turn({ op }: Builder, rows: string): string {
  return op("Transpose", [rows], [ints("perm", [1, 0, 2])]);
}

/** (N,R,W) ↔ (N,W,R). */
function swap({ op }: Builder, rows: string): string {
  return op("Transpose", [rows], [ints("perm", [0, 2, 1])]);
}

/** A float32 scalar. */
function float32({ constant }: Builder, x: number): string {
  return constant(FLOAT, [], raw(Float32Array.of(x)));
}

/** An int32 scalar. */
function int32({ constant }: Builder, x: number): string {
  return constant(INT32, [], raw(Int32Array.of(x)));
}

/** Each row's place, 0 to R − 1: (1,R,1) int32. */
function places({ constant }: Builder, R: number): string {
  return constant(INT32, [1, R, 1], raw(Int32Array.from({ length: R }, (_, r) => r)));
}

/** Whether a row is one of its sequence's, (N,R,1) bool. */
function isRow(build: Builder, { R, lengths }: Rows): string {
  return build.op("Less", [places(build, R), build.op("Reshape", [lengths, build.indices(-1, 1, 1)])]);
}

/** The rows, with `value` behind each sequence's last. */
function mask(build: Builder, rows: Rows, value: number): string {
  return build.op("Where", [isRow(build, rows), rows.rows, float32(build, value)]);
}

function buildConv(build: Builder, layer: Extract<Layer, { kind: "conv" }>, name: string, rows: Rows): string {
  const { kernel, kernelSize: K, filters: F, bias, pads, strides, dilationRate } = layer;
  const W = kernel.length / K / F;
  const turned = new Float32Array(kernel.length); // (K,W,F) → (F,W,K)
  for (let k = 0; k < K; k++)
    for (let w = 0; w < W; w++) for (let f = 0; f < F; f++) turned[(f * W + w) * K + k] = kernel[(k * W + w) * F + f];
  const weights = [build.constant(FLOAT, [F, W, K], raw(turned), `${name}.kernel`), build.constant(FLOAT, [F], raw(bias), `${name}.bias`)];
  const inputs = [swap(build, mask(build, rows, 0)), ...weights];
  const attributes = [ints("kernel_shape", [K]), ints("pads", pads), ints("strides", [strides]), ints("dilations", [dilationRate])];
  return swap(build, build.op("Conv", inputs, attributes));
}

type Pooling = Extract<Layer, { kind: "pooling" }>;

function windows({ poolSize, pads, strides }: Pooling) {
  return [ints("kernel_shape", [poolSize]), ints("pads", pads), ints("strides", [strides])];
}

/** The lowest float32 stands for what is no row: ONNX Runtime pads with it, too. */
function buildMaxPool(build: Builder, layer: Pooling, rows: Rows): string {
  return swap(build, build.op("MaxPool", [swap(build, mask(build, rows, LOWEST))], windows(layer)));
}

/** Less than the part of any window that one row is. */
const LEAST_SHARE = 2 ** -20;

/** The mean over all of a window, divided by the part of it that are rows; of a window without rows, which no layer reads, 0. */
function buildMeanPool(build: Builder, layer: Pooling, rows: Rows): string {
  const average = (input: string): string =>
    swap(build, build.op("AveragePool", [swap(build, input)], [...windows(layer), int("count_include_pad", 1)]));
  const mean = average(mask(build, rows, 0));
  if (layer.countsPads) return mean;
  return build.op("Div", [mean, build.op("Clip", [average(build.cast(isRow(build, rows), FLOAT)), float32(build, LEAST_SHARE)])]);
}

function buildGlobalPool(build: Builder, by: (typeof GLOBAL_POOLS)[number], rows: Rows): string {
  const { op } = build;
  const keep = int("keepdims", 1);
  switch (by) {
    case "first":
      return build.slice(rows.rows, 0, 1);
    case "last": {
      const last = op("Sub", [op("Reshape", [rows.lengths, build.indices(-1, 1, 1)]), int32(build, 1)]);
      const [steps, nothing] = [places(build, rows.R), float32(build, 0)];
      return op("ReduceSum", [op("Where", [op("Equal", [steps, last]), rows.rows, nothing]), build.indices(1)], [keep]);
    }
    case "mean": {
      const sum = op("ReduceSum", [mask(build, rows, 0), build.indices(1)], [keep]);
      return op("Div", [sum, op("Reshape", [build.cast(rows.lengths, FLOAT), build.indices(-1, 1, 1)])]);
    }
    case "max":
      return op("ReduceMax", [mask(build, rows, Number.NEGATIVE_INFINITY)], [ints("axes", [1]), keep]);
    case "ends": {
      const [last, first] = (["last", "first"] as const).map((end) => buildGlobalPool(build, end, rows));
      const halves = [build.slice(last, 0, rows.W / 2, 2), build.slice(first, rows.W / 2, rows.W, 2)];
      return op("Concat", halves, [int("axis", 2)]);
    }
  }
}

/** Rows behind a sequence's last hold noise: their scores weigh nothing, and their numbers are zeros. */
function buildAttention(build: Builder, rows: Rows): string {
  const W = rows.W - 1;
  const scores = build.slice(mask(build, rows, LOWEST), W, W + 1, 2);
  const weights = build.op("Softmax", [scores], [int("axis", 1)]);
  const weighted = build.op("Mul", [build.slice(mask(build, rows, 0), 0, W, 2), weights]);
  return build.op("ReduceSum", [weighted, build.indices(1)], [int("keepdims", 1)]);
}

function buildActivation(build: Builder, activation: Activation, x: string): string {
  const { op } = build;
  const number = (value: number): string => float32(build, value);
  switch (activation.kind) {
    case "linear":
      return x;
    case "relu":
      return op("Relu", [x]);
    case "leakyRelu":
      return op("LeakyRelu", [x], [float("alpha", activation.alpha)]);
    case "elu":
      return op("Elu", [x], [float("alpha", activation.alpha)]);
    case "selu":
      return op("Selu", [x]);
    case "silu":
      return op("Mul", [x, op("Sigmoid", [x])]);
    case "gelu": {
      const inner = activation.approximate
        ? op("Tanh", [
            op("Mul", [
              number(0.7978845608028654), // √(2/π)
              op("Add", [x, op("Mul", [number(0.044715), op("Mul", [x, op("Mul", [x, x])])])]),
            ]),
          ])
        : op("Erf", [op("Mul", [x, number(Math.SQRT1_2)])]);
      return op("Mul", [op("Mul", [x, number(0.5)]), op("Add", [inner, number(1)])]);
    }
    case "tanh":
      return op("Tanh", [x]);
    case "sigmoid":
      return op("Sigmoid", [x]);
    case "hardSigmoid":
      return op("HardSigmoid", [x], [float("alpha", activation.slope), float("beta", 0.5)]);
    case "softplus":
      return op("Softplus", [x]);
    case "softsign":
      return op("Softsign", [x]);
  }
}
