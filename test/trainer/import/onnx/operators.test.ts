// Every operator of the interpreter's tables against ONNX Runtime, on small tensors. A new operator needs a case here.
import * as ort from "onnxruntime-web/wasm";
import { expect, test } from "vitest";
import { floats, int, ints, node, raw, tensor } from "../../../../trainer/export/onnx/graph.ts";
import { encodeModel } from "../../../../trainer/export/onnx/protobuf.ts";
import {
  ATTRIBUTE,
  type AttributeProto,
  BOOL,
  DOUBLE,
  FLOAT,
  INT32,
  INT64,
  type TensorProto,
} from "../../../../trainer/export/onnx/schema.ts";
import { readGraph } from "../../../../trainer/import/onnx/file.ts";
import { evaluate } from "../../../../trainer/import/onnx/interpreter.ts";
import { OPERATORS } from "../../../../trainer/import/onnx/operators/table.ts";
import { int64s, lstmConstants, normals } from "../../../fixtures/import/onnx-graphs.ts";

ort.env.wasm.numThreads = 1;
/** The runtime computes in float32. */
const TOLERANCE = 2e-6;

const noise = (seed: number, ...dims: number[]): TensorProto =>
  floats(
    `noise${seed}`,
    dims,
    raw(
      normals(
        seed,
        dims.reduce((a, b) => a * b, 1),
        1,
      ),
    ),
  );
const positive = (seed: number, ...dims: number[]): TensorProto =>
  floats(
    `positive${seed}`,
    dims,
    raw(
      normals(
        seed,
        dims.reduce((a, b) => a * b, 1),
        1,
      ).map((x) => 0.1 + x * x),
    ),
  );
const float = (name: string, f: number): AttributeProto => ({ name, f, type: ATTRIBUTE.FLOAT });
const text = (name: string, value: string): AttributeProto => ({ name, s: new TextEncoder().encode(value), type: ATTRIBUTE.STRING });
const bools = (name: string, ...values: number[]): TensorProto => tensor(name, BOOL, [values.length], Uint8Array.from(values));
const scalar = (name: string, value: number): TensorProto => tensor(name, INT64, [], raw(BigInt64Array.of(BigInt(value))));

interface Case {
  readonly inputs?: readonly (TensorProto | null)[];
  readonly attributes?: readonly AttributeProto[];
  /** Names of the outputs, of which `y` is compared. */
  readonly outputs?: readonly string[];
  /** Type of the output, default FLOAT. */
  readonly type?: number;
  readonly opset?: number;
}
const [W, R, B] = lstmConstants(3, 4);
const pair: Case[] = [{ inputs: [noise(1, 2, 3), positive(2, 3)] }, { inputs: [noise(1, 2, 1, 3), positive(2, 4, 1)] }];

const comparison: Case[] = [{ inputs: [int64s("a", 1, 2, 3), int64s("b", 2, 2, 2)], type: BOOL }];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  Constant: [
    { attributes: [{ name: "value", t: noise(1, 2, 2), type: ATTRIBUTE.TENSOR }] },
    { attributes: [float("value_float", 0.5)] },
    { attributes: [ints("value_ints", [3, -4])], type: INT64 },
  ],
  ConstantOfShape: [
    {
      inputs: [int64s("shape", 2, 3)],
      attributes: [{ name: "value", t: floats("", [1], raw(Float32Array.of(7))), type: ATTRIBUTE.TENSOR }],
    },
    { inputs: [int64s("shape", 2)] },
  ],
  Identity: [{ inputs: [noise(1, 3)] }],
  Dropout: [{ inputs: [noise(1, 3)] }],
  Shape: [
    { inputs: [noise(1, 2, 3, 4)], type: INT64 },
    { inputs: [noise(1, 2, 3, 4)], attributes: [int("start", 1), int("end", -1)], type: INT64 },
  ],
  Expand: [{ inputs: [noise(1, 2, 1), int64s("shape", 3, 1, 4)] }],
  Tile: [{ inputs: [noise(1, 2, 3, 1), int64s("repeats", 1, 2, 3)] }],
  Reshape: [
    { inputs: [noise(1, 2, 3, 4), int64s("shape", 0, -1)] },
    { inputs: [noise(1, 2, 3, 4), int64s("shape", 4, 6)], attributes: [int("allowzero", 1)] },
  ],
  Einsum: [
    { inputs: [noise(1, 2, 3, 4), noise(2, 4, 5)], attributes: [text("equation", "ntf,fu->ntu")] },
    { inputs: [noise(1, 5, 4), noise(2, 2, 3, 4)], attributes: [text("equation", "u f, ... f -> ... u")] },
    { inputs: [noise(1, 2, 3, 4)], attributes: [text("equation", "abc->ca")] },
    { inputs: [noise(1, 2, 3), noise(2, 2, 3), noise(3, 3)], attributes: [text("equation", "ab,ab,b->a")] },
  ],
  Flatten: [{ inputs: [noise(1, 2, 3, 4)] }, { inputs: [noise(1, 2, 3, 4)], attributes: [int("axis", -1)] }],
  Squeeze: [
    { inputs: [noise(1, 1, 3, 1)] },
    { inputs: [noise(1, 1, 3, 1), int64s("axes", -1)] },
    { inputs: [noise(1, 1, 3, 1)], attributes: [ints("axes", [0])], opset: 11 },
  ],
  Unsqueeze: [{ inputs: [noise(1, 2, 3), int64s("axes", 3, 0)] }, { inputs: [noise(1, 2, 3)], attributes: [ints("axes", [1])], opset: 11 }],
  Transpose: [{ inputs: [noise(1, 2, 3, 4)] }, { inputs: [noise(1, 2, 3, 4)], attributes: [ints("perm", [1, 2, 0])] }],
  Concat: [{ inputs: [noise(1, 2, 3), noise(2, 2, 1), noise(3, 2, 2)], attributes: [int("axis", -1)] }],
  Gather: [
    { inputs: [noise(1, 3, 4), int64s("indices", -1, 0)], attributes: [int("axis", 1)] },
    { inputs: [noise(1, 3, 4), tensor("scalar", INT64, [], raw(BigInt64Array.of(1n)))] },
  ],
  Range: [
    { inputs: [scalar("start", 1), scalar("limit", 8), scalar("delta", 3)], type: INT64 },
    { inputs: [scalar("start", 5), scalar("limit", -1), scalar("delta", -2)], type: INT64 },
  ],
  ScatterElements: [
    { inputs: [noise(1, 5), int64s("indices", 3, -5), noise(2, 2)] },
    {
      inputs: [noise(1, 2, 3), tensor("indices", INT64, [2, 1], raw(BigInt64Array.of(2n, 0n))), noise(2, 2, 1)],
      attributes: [int("axis", 1)],
    },
  ],
  TopK: [
    { inputs: [noise(1, 3, 4), int64s("k", 2)], outputs: ["y", "other"] },
    { inputs: [int64s("lengths", 5, 9, 5, 7), int64s("k", 4)], outputs: ["other", "y"], type: INT64 },
    { inputs: [noise(1, 3, 4), int64s("k", 3)], attributes: [int("axis", 0), int("largest", 0)], outputs: ["other", "y"], type: INT64 },
  ],
  Slice: [
    { inputs: [noise(1, 4, 5), int64s("starts", 1, -3), int64s("ends", 3, 2 ** 40)] },
    { inputs: [noise(1, 4, 5), int64s("starts", 1), int64s("ends", -1), int64s("axes", -1), int64s("steps", 1)] },
    { inputs: [noise(1, 4, 5)], attributes: [ints("starts", [0]), ints("ends", [2]), ints("axes", [1])], opset: 9 },
  ],
  Add: pair,
  Sub: pair,
  Mul: pair,
  Div: pair,
  Equal: [{ inputs: [int64s("a", 1, 2, 3), int64s("b", 1, 0, 3)], type: BOOL }],
  Less: comparison,
  LessOrEqual: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  And: [{ inputs: [bools("a", 1, 1, 0, 0), bools("b", 1, 0, 1, 0)], type: BOOL }],
  Or: [{ inputs: [bools("a", 1, 1, 0, 0), bools("b", 1, 0, 1, 0)], type: BOOL }],
  Clip: [
    { inputs: [noise(1, 9), floats("low", [], raw(Float32Array.of(-0.5))), floats("high", [], raw(Float32Array.of(0.25)))] },
    { inputs: [noise(1, 9), null, floats("high", [], raw(Float32Array.of(0.25)))] },
    { inputs: [noise(1, 9)], attributes: [float("min", -0.5), float("max", 0.5)], opset: 10 },
  ],
  Neg: [{ inputs: [noise(1, 5)] }],
  Sqrt: [{ inputs: [positive(1, 5)] }],
  ReduceProd: [
    { inputs: [int64s("sizes", 3, 4, 5)], attributes: [int("keepdims", 0)], type: INT64 },
    { inputs: [noise(1, 2, 3, 4)], attributes: [ints("axes", [-1, 0])] },
    { inputs: [noise(1, 2, 3), int64s("axes", 1)], attributes: [int("keepdims", 0)], opset: 18 },
    { inputs: [noise(1, 2, 3)], attributes: [int("noop_with_empty_axes", 1)], opset: 18 },
  ],
  Sigmoid: [{ inputs: [noise(1, 5)] }],
  Cast: [
    { inputs: [noise(1, 5)], attributes: [int("to", INT32)], type: INT32 },
    { inputs: [int64s("whole", 0, -2, 3)], attributes: [int("to", BOOL)], type: BOOL },
    { inputs: [noise(1, 5)], attributes: [int("to", DOUBLE)], type: DOUBLE },
  ],
  Where: [{ inputs: [bools("bools", 1, 0, 1), noise(1, 2, 3), noise(2, 1)] }],
  Softmax: [
    { inputs: [noise(1, 3, 2)] },
    { inputs: [noise(1, 3, 4)], attributes: [int("axis", 1)] },
    { inputs: [noise(1, 2, 3, 4)], attributes: [int("axis", -1)] },
    { inputs: [noise(1, 2, 3, 1)], attributes: [int("axis", 1)] },
  ],
  Erf: [{ inputs: [noise(1, 9)] }, { inputs: [floats("wide", [4], raw(Float32Array.of(0, -5, 3, 1e-7)))] }],
  MatMul: [
    { inputs: [noise(1, 2, 3), noise(2, 3, 4)] },
    { inputs: [noise(1, 2, 2, 3), noise(2, 3, 4)] },
    { inputs: [noise(1, 2, 1, 2, 3), noise(2, 4, 3, 5)] },
    { inputs: [noise(1, 2, 2, 3), noise(2, 3)] },
  ],
  Gemm: [
    { inputs: [noise(1, 2, 3), noise(2, 3, 4)] },
    {
      inputs: [noise(1, 3, 2), noise(2, 4, 3), noise(3, 4)],
      attributes: [int("transA", 1), int("transB", 1), float("alpha", 0.5), float("beta", 2)],
    },
  ],
  BatchNormalization: [
    { inputs: [noise(1, 2, 3), noise(2, 3), noise(3, 3), noise(4, 3), positive(5, 3)], attributes: [float("epsilon", 1e-3)] },
  ],
  Relu: [{ inputs: [noise(1, 5)] }],
  LeakyRelu: [{ inputs: [noise(1, 5)] }, { inputs: [noise(1, 5)], attributes: [float("alpha", 0.3)] }],
  Elu: [{ inputs: [noise(1, 5)] }, { inputs: [noise(1, 5)], attributes: [float("alpha", 0.3)] }],
  Selu: [{ inputs: [noise(1, 5)] }],
  Gelu: [
    { inputs: [noise(1, 5)], opset: 20 },
    {
      inputs: [noise(1, 5)],
      attributes: [{ name: "approximate", s: new TextEncoder().encode("tanh"), type: ATTRIBUTE.STRING }],
      opset: 20,
    },
  ],
  Tanh: [{ inputs: [noise(1, 5)] }],
  Softplus: [{ inputs: [noise(1, 5)] }],
  Softsign: [{ inputs: [noise(1, 5)] }],
  HardSigmoid: [{ inputs: [noise(1, 5)] }, { inputs: [noise(1, 5)], attributes: [float("alpha", 0.5), float("beta", 0.4)] }],
  Exp: [{ inputs: [noise(1, 5)] }],
  Reciprocal: [{ inputs: [positive(1, 5)] }],
  Not: [{ inputs: [bools("bools", 1, 0, 1)], type: BOOL }],
  ReduceMean: [
    { inputs: [noise(1, 2, 3, 4)], attributes: [ints("axes", [1]), int("keepdims", 0)] },
    { inputs: [noise(1, 2, 3), int64s("axes", -1)], opset: 18 },
  ],
  ReduceSum: [{ inputs: [noise(1, 2, 3), int64s("axes", 1)] }],
  ReduceMax: [{ inputs: [noise(1, 2, 3, 4)], attributes: [ints("axes", [0, -1])] }],
  ReduceMin: [{ inputs: [noise(1, 2, 3)], attributes: [ints("axes", [1]), int("keepdims", 0)] }],
  GlobalAveragePool: [{ inputs: [noise(1, 2, 3, 4)] }],
  GlobalMaxPool: [{ inputs: [noise(1, 2, 3, 4)] }],
  MaxPool: [{ inputs: [noise(1, 2, 3, 7)], attributes: [ints("kernel_shape", [3]), ints("strides", [2]), ints("pads", [1, 1])] }],
  AveragePool: [
    { inputs: [noise(1, 2, 3, 7)], attributes: [ints("kernel_shape", [3]), ints("pads", [1, 1])] },
    { inputs: [noise(1, 2, 3, 7)], attributes: [ints("kernel_shape", [3]), ints("pads", [1, 1]), int("count_include_pad", 1)] },
  ],
  Conv: [
    { inputs: [noise(1, 2, 3, 7), noise(2, 4, 3, 3), noise(3, 4)], attributes: [ints("pads", [2, 0]), ints("strides", [2])] },
    { inputs: [noise(1, 2, 3, 1, 7), noise(2, 4, 3, 1, 2)], attributes: [ints("dilations", [1, 2])] },
  ],
  Pad: [{ inputs: [noise(1, 2, 3), int64s("pads", 0, 1, 1, 0)] }],
  ReverseSequence: [{ inputs: [noise(1, 4, 2, 3), int64s("lens", 3, 4)], attributes: [int("batch_axis", 1), int("time_axis", 0)] }],
  Split: [{ inputs: [noise(1, 2, 6), int64s("sizes", 2, 4)], attributes: [int("axis", 1)], outputs: ["other", "y"] }],
  LayerNormalization: [{ inputs: [noise(1, 2, 3, 4), noise(2, 4), noise(3, 4)], attributes: [float("epsilon", 1e-3)] }],
  GRU: [
    {
      inputs: [noise(11, 5, 2, 3), noise(21, 2, 12, 3), noise(22, 2, 12, 4), noise(23, 2, 24)],
      attributes: [int("hidden_size", 4), text("direction", "bidirectional")],
    },
    {
      inputs: [noise(11, 5, 2, 3), noise(21, 1, 12, 3), noise(22, 1, 12, 4), noise(23, 1, 24)],
      attributes: [int("hidden_size", 4), int("linear_before_reset", 1), text("direction", "reverse")],
      outputs: ["", "y"],
    },
  ],
  RNN: [
    {
      inputs: [noise(11, 5, 2, 3), noise(21, 1, 4, 3), noise(22, 1, 4, 4), noise(23, 1, 8), null, noise(12, 1, 2, 4)],
      attributes: [int("hidden_size", 4)],
    },
  ],
  LSTM: [
    { inputs: [noise(11, 5, 2, 3), W, R, B], attributes: [int("hidden_size", 4)] },
    {
      inputs: [noise(11, 5, 2, 3), W, R, null, tensor("lens", INT32, [2], new Uint8Array(Int32Array.of(3, 5).buffer)), noise(12, 1, 2, 4)],
      attributes: [int("hidden_size", 4)],
    },
  ],
};

test("every operator has a case", () => {
  expect(Object.keys(CASES).sort()).toEqual([...OPERATORS.keys()].sort());
});

test.each(Object.entries(CASES))("%s computes what ONNX Runtime computes", async (operator, cases) => {
  for (const { inputs = [], attributes = [], outputs = ["y"], type = FLOAT, opset = 17 } of cases) {
    const bytes = encodeModel({
      irVersion: 8,
      graph: {
        node: [
          node(
            operator,
            inputs.map((input) => input?.name ?? ""),
            outputs,
            ...attributes,
          ),
        ],
        name: operator,
        initializer: inputs.filter((input) => input !== null),
        output: [{ name: "y", type: { tensorType: { elemType: type } } }],
      },
      opsetImport: [{ domain: "", version: opset }],
    });
    const session = await ort.InferenceSession.create(bytes);
    const { y } = await session.run({});
    const found = evaluate(
      readGraph(bytes, operator, () => new Uint8Array()),
      new Map(),
      "y",
      operator,
    );
    expect(found.dims).toEqual(y.dims);
    for (const [k, value] of Array.from(y.data as Float32Array, Number).entries())
      expect(Math.abs(found.data[k] - value)).toBeLessThanOrEqual(TOLERANCE);
    await session.release();
  }
});
