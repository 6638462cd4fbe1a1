// ONNX graphs: the ONNX project's own LSTM cases, the patterns of exporters against ONNX Runtime, and what is refused.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, test } from "vitest";
import { floatList, floats, int, ints, node, port, raw, string, strings, tensor } from "../../../../trainer/export/onnx/graph.ts";
import { decodeModel, decodeTensor } from "../../../../trainer/export/onnx/protobuf.ts";
import { ATTRIBUTE, type AttributeProto, EXTERNAL, FLOAT, INT32 } from "../../../../trainer/export/onnx/schema.ts";
import { importBytes, rejection, scoreBytes } from "../../../fixtures/import/importing.ts";
import { type GraphParts, int64s, lstmConstants, normals, onnxModel } from "../../../fixtures/import/onnx-graphs.ts";

ort.env.wasm.numThreads = 1;
const [T, F, U] = [10, 5, 4];
const TOLERANCE = 2e-6;

const PROJECT = fileURLToPath(new URL("../../../fixtures/import/onnx-project/", import.meta.url));

/** A tensor's sizes and float32 values, and the tensor as it is. */
function readTensor(folder: string, file: string) {
  const tensor = decodeTensor(readFileSync(join(PROJECT, folder, file)));
  return { dims: tensor.dims ?? [], values: new Float32Array(Uint8Array.from(tensor.rawData!).buffer), tensor };
}

/** The project's own LSTM node and constants, as its test has them, with a head that reads one unit. */
function readProject(folder: string) {
  const graph = decodeModel(readFileSync(join(PROJECT, folder, "model.onnx"))).graph!;
  const [lstm] = graph.node!;
  const inputs = graph.input!.map((_, i) => readTensor(folder, `input_${i}.pb`));
  const state = readTensor(folder, `output_${graph.output!.length - 1}.pb`); // Y_h comes last
  const U = state.dims.at(-1)!;
  const [x, ...constants] = inputs;
  const F = x.dims[2];
  const withHead = (u: number): Uint8Array<ArrayBuffer> =>
    onnxModel({
      opset: 14,
      input: "X",
      nodes: [lstm, node("Reshape", ["Y_h", "flat"], "h"), node("MatMul", ["h", "unit"], "z"), node("Sigmoid", ["z"], "p")],
      constants: [
        ...constants.map(({ tensor }) => tensor),
        int64s("flat", -1, U),
        floats("unit", [U, 1], raw(Float32Array.from({ length: U }, (_, v) => Number(v === u)))),
      ],
      x: x.dims[0] === 1 ? [1, "n", F] : ["n", 1, F],
    });
  return { x: Float64Array.from(x.values), state: state.values, U, withHead };
}

describe.each(["test_lstm_defaults", "test_lstm_with_initial_bias", "test_lstm_batchwise"])("the ONNX project's %s", (name) => {
  const { x, state, U, withHead } = readProject(name);
  test.each(Array.from({ length: U }, (_, u) => u))("unit %i has the states that it expects, within 1e-5", async (u) => {
    const { bytes } = await importBytes(withHead(u));
    const logits = scoreBytes(bytes, x).map((p) => Math.log(p / (1 - p)));
    expect(logits).toHaveLength(3);
    for (const [n, logit] of logits.entries()) expect(Math.abs(logit - state[n * U + u])).toBeLessThanOrEqual(1e-5);
  });
});

test("the ONNX project's test_lstm_with_peepholes is refused by name", async () => {
  expect(await rejection(readProject("test_lstm_with_peepholes").withHead(0))).toMatch(/peephole/);
});

const transposed = node("Transpose", ["x"], "steps", ints("perm", [1, 0, 2]));
const dense = [node("MatMul", ["h", "head"], "product"), node("Add", ["product", "bias"], "z"), node("Sigmoid", ["z"], "p")];
const lstm = (inputs: string[], outputs: string[], ...more: AttributeProto[]) =>
  node("LSTM", inputs, outputs, int("hidden_size", U), ...more);
const forward = lstm(["steps", "W", "R", "B"], ["", "Y_h"]);
const lastState = node("Squeeze", ["Y_h", "zeroth"], "h");
const constants = [...lstmConstants(F, U), int64s("zeroth", 0)];

const PATTERNS: Record<string, GraphParts> = {
  "tf2onnx: Transpose, LSTM, Squeeze, MatMul, Add, Sigmoid": {
    nodes: [transposed, forward, lastState, ...dense],
    constants,
    x: ["n", T, F],
  },
  "tf2onnx with zeros for a state, expanded to the batch": {
    nodes: [
      node("Shape", ["x"], "shape"),
      node("Slice", ["shape", "zeroth", "first", "zeroth"], "count"),
      node("Concat", ["first", "count", "units"], "stateShape", int("axis", 0)),
      node("ConstantOfShape", ["stateShape"], "zeros"),
      transposed,
      lstm(["steps", "W", "R", "B", "", "zeros", "zeros"], ["Y"]),
      node("Squeeze", ["Y", "first"], "states"),
      node("Gather", ["states", "last"], "h"),
      ...dense,
    ],
    constants: [...constants, int64s("first", 1), int64s("units", U), tensor("last", 7, [], raw(BigInt64Array.of(-1n)))],
    x: ["n", T, F],
    opset: 13,
  },
  "keras2onnx: Reshape of the state, Gemm, an Identity at the end, opset 7": {
    nodes: [
      transposed,
      forward,
      node("Reshape", ["Y_h", "flat"], "h"),
      node("Gemm", ["h", "head", "bias"], "z"),
      node("Sigmoid", ["z"], "q"),
      node("Identity", ["q"], "p"),
    ],
    constants: [...constants, int64s("flat", -1, U)],
    x: ["n", T, F],
    opset: 7,
  },
  "a hard sigmoid in the gates": {
    nodes: [
      transposed,
      lstm(
        ["steps", "W", "R", "B"],
        ["", "Y_h"],
        strings("activations", ["HardSigmoid", "Tanh", "Tanh"]),
        floatList("activation_alpha", [0.2]),
      ),
      lastState,
      ...dense,
    ],
    constants,
    x: ["n", T, F],
  },
  "reverse, its last state at the first row of Y": {
    nodes: [
      transposed,
      lstm(["steps", "W", "R", "B"], ["Y"], string("direction", "reverse")),
      node("Squeeze", ["Y", "first"], "states"),
      node("Gather", ["states", "place"], "h"),
      ...dense,
    ],
    constants: [...constants, int64s("first", 1), tensor("place", 7, [], raw(BigInt64Array.of(0n)))],
    x: ["n", T, F],
  },
  "a constant state before the first step": {
    nodes: [
      node("Shape", ["x"], "shape"),
      node("Gather", ["shape", "zeroth"], "count"),
      node("Concat", ["first", "count", "first"], "stateShape", int("axis", 0)),
      node("Expand", ["h0", "stateShape"], "hidden"),
      node("Expand", ["c0", "stateShape"], "cell"),
      transposed,
      lstm(["steps", "W", "R", "B", "", "hidden", "cell"], ["", "Y_h"]),
      lastState,
      ...dense,
    ],
    constants: [...constants, int64s("first", 1), floats("h0", [1, 1, U], raw(normals(7, U))), floats("c0", [1, 1, U], raw(normals(8, U)))],
    x: ["n", T, F],
  },
  "features scaled in front": {
    nodes: [
      node("Sub", ["x", "mean"], "centred"),
      node("Div", ["centred", "deviation"], "scaled"),
      node("Transpose", ["scaled"], "steps", ints("perm", [1, 0, 2])),
      forward,
      lastState,
      ...dense,
    ],
    constants: [...constants, floats("mean", [F], raw(normals(9, F))), floats("deviation", [F], raw(Float32Array.of(0.5, 2, -1, 3, 0.25)))],
    x: ["n", T, F],
  },
  "opset 22, steps first, a batch of one fixed": {
    nodes: [lstm(["x", "W", "R", "B"], ["", "Y_h"]), lastState, ...dense],
    constants,
    x: [T, 1, F],
    opset: 22,
  },
  "two classes behind a softmax": {
    nodes: [
      transposed,
      forward,
      lastState,
      node("Gemm", ["h", "two", "biases"], "z", int("transB", 1)),
      node("Softmax", ["z"], "p", int("axis", 1)),
    ],
    constants: [...constants, floats("two", [2, U], raw(normals(10, 2 * U))), floats("biases", [2], raw(normals(11, 2)))],
    x: ["n", T, F],
  },
};

/** Sequences of every length, zero rows in front and inside. */
const N = 40;
const values = Float64Array.from(normals(20, N * T * F, 1), (x, at) => {
  const [n, t] = [Math.floor(at / (T * F)), Math.floor(at / F) % T];
  return t < n % T || (n % 3 === 0 && t === 7) ? 0 : x;
});

test.each(Object.entries(PATTERNS))("scores as ONNX Runtime does, within 2e-6: %s", async (_, parts) => {
  const bytes = onnxModel(parts);
  const scores = scoreBytes((await importBytes(bytes)).bytes, values);
  const session = await ort.InferenceSession.create(bytes);
  for (let n = 0; n < N; n++) {
    const dims = parts.x.map((size) => (typeof size === "string" ? 1 : size));
    const own = Float32Array.from(values.subarray(n * T * F, (n + 1) * T * F));
    const { p } = await session.run({ x: new ort.Tensor("float32", own, dims) });
    expect(Math.abs(scores[n] - Number(p.data[p.data.length - 1]))).toBeLessThanOrEqual(TOLERANCE);
  }
  expect(new Set(scores).size).toBeGreaterThan(N / 2);
});

test("lengths as an input: shorter sequences are padded in front, and score as ONNX Runtime scores them left-aligned", async () => {
  const bytes = onnxModel({
    nodes: [transposed, lstm(["steps", "W", "R", "B", "lengths"], ["", "Y_h"]), lastState, ...dense],
    constants,
    x: ["n", T, F],
    inputs: [port("lengths", INT32, ["n"])],
  });
  const { bytes: artifact, model } = await importBytes(bytes);
  expect(model.recipe.padding).toBe("leading");
  const session = await ort.InferenceSession.create(bytes);
  const noise = Float32Array.from(normals(30, T * F, 1));
  for (let length = 1; length <= T; length++) {
    const padded = new Float64Array(T * F);
    padded.set(noise.subarray(0, length * F), (T - length) * F);
    const { p } = await session.run({
      x: new ort.Tensor("float32", noise, [1, T, F]),
      lengths: new ort.Tensor("int32", Int32Array.of(length), [1]),
    });
    expect(Math.abs(scoreBytes(artifact, padded)[0] - Number(p.data[0]))).toBeLessThanOrEqual(TOLERANCE);
  }
});

test("a graph that takes each tensor twice, 400 times over, is followed in no time", async () => {
  const levels = Array.from({ length: 400 }, (_, k) => [
    node("Add", [`z${k}`, `z${k}`], `doubled${k}`),
    node("Mul", [`doubled${k}`, "half"], `z${k + 1}`),
  ]);
  const bytes = onnxModel({
    nodes: [
      transposed,
      lstm(["steps", "W", "R", "B", "lengths"], ["Y", "Y_h"]),
      lastState,
      node("MatMul", ["h", "head"], "z0"),
      ...levels.flat(),
      node("Sigmoid", ["z400"], "p"),
    ],
    constants: [...constants, floats("half", [1], raw(Float32Array.of(0.5)))],
    x: ["n", T, F],
    inputs: [port("lengths", INT32, ["n"])],
  });
  expect((await importBytes(bytes)).model.recipe.padding).toBe("leading");
}, 60_000);

test("lengths that the graph changes on their way are refused", async () => {
  const bytes = onnxModel({
    nodes: [
      transposed,
      node("Sub", ["lengths", "one"], "shorter"),
      lstm(["steps", "W", "R", "B", "shorter"], ["", "Y_h"]),
      lastState,
      ...dense,
    ],
    constants: [...constants, tensor("one", INT32, [], new Uint8Array(Int32Array.of(1).buffer))],
    x: ["n", T, F],
    inputs: [port("lengths", INT32, ["n"])],
  });
  expect(await rejection(bytes)).toMatch(/was understood wrongly: .* nothing is written/);
});

describe("refused by name, with what would be needed", () => {
  const base = { nodes: [transposed, forward, lastState, ...dense], constants, x: ["n", T, F] } satisfies GraphParts;
  const withLstm = (...more: AttributeProto[]): GraphParts => ({
    ...base,
    nodes: [transposed, lstm(["steps", "W", "R", "B"], ["", "Y_h"], ...more), lastState, ...dense],
  });
  const cases: [string, GraphParts, RegExp][] = [
    [
      "peepholes",
      {
        ...base,
        nodes: [transposed, lstm(["steps", "W", "R", "B", "", "", "", "P"], ["", "Y_h"]), lastState, ...dense],
        constants: [...constants, floats("P", [1, 3 * U], raw(new Float32Array(3 * U).fill(0.1)))],
      },
      /has peepholes \(P\): as ONNX the whole model runs on the second engine/,
    ],
    ["a clip", withLstm({ name: "clip", f: 3, type: ATTRIBUTE.FLOAT }), /clips its cell input at 3 \(clip\)/],
    ["two directions", withLstm(string("direction", "bidirectional")), /the operator LSTM .*has W \(1, \d+, \d+\) and R/],
    [
      "other activations",
      withLstm(strings("activations", ["Sigmoid", "Relu", "Tanh"])),
      /has the activations relu and tanh for candidate and output: as ONNX/,
    ],
    ["coupled gates", withLstm(int("input_forget", 1)), /couples its input and forget gates/],
    [
      "a hard sigmoid off the middle",
      withLstm(strings("activations", ["HardSigmoid", "Tanh", "Tanh"]), floatList("activation_beta", [0.4])),
      /HardSigmoid of 0.2.* x \+ 0.4/,
    ],
    [
      "another cell",
      { ...base, nodes: [transposed, node("GRU", ["steps", "W", "R"], ["", "Y_h"], int("hidden_size", U)), lastState, ...dense] },
      /the operator GRU .*has W/,
    ],
    ["no LSTM", { ...base, nodes: [node("Sigmoid", ["x"], "p")] }, /the operator output .*takes numbers of several steps at once/],
    [
      "weights that are inputs",
      { ...base, constants: constants.slice(1), inputs: [port("W", FLOAT, [1, 4 * U, F])] },
      /takes W .* as an input beside the sequences: numbers that a layer has/,
    ],
    [
      "a second input",
      { ...base, inputs: [port("more", FLOAT, ["n", 3])] },
      /takes x .*more .*quickstep gives a model one array of sequences/,
    ],
    [
      "a state that is an input",
      {
        ...base,
        nodes: [transposed, lstm(["steps", "W", "R", "B", "", "h0"], ["", "Y_h"]), lastState, ...dense],
        inputs: [port("h0", FLOAT, [1, "n", U])],
      },
      /takes x .*h0 .*quickstep gives a model one array of sequences/,
    ],
    [
      "a quotient of what it computes",
      {
        ...base,
        nodes: [
          transposed,
          forward,
          lastState,
          node("Div", ["h", "h"], "r"),
          node("MatMul", ["r", "head"], "z"),
          node("Sigmoid", ["z"], "p"),
        ],
      },
      /the operator Div .*divides by what it computes/,
    ],
    [
      "a step in the middle",
      {
        ...base,
        nodes: [
          transposed,
          lstm(["steps", "W", "R", "B"], ["Y"]),
          node("Squeeze", ["Y", "first"], "states"),
          node("Slice", ["states", "second", "third", "zeroth"], "early"),
          node("Squeeze", ["early", "zeroth"], "h"),
          ...dense,
        ],
        constants: [...constants, int64s("first", 1), int64s("second", 1), int64s("third", 2)],
      },
      /takes numbers of several steps at once|reads step 1 of|mixes steps/,
    ],
    [
      "a logit without a sigmoid",
      { ...base, nodes: [transposed, forward, lastState, node("MatMul", ["h", "head"], "p")] },
      /ends in one number without an activation: .*--logits where one number is a logit/,
    ],
    [
      "NaN weights",
      { ...base, constants: [floats("W", [1, 4 * U, F], raw(new Float32Array(4 * U * F).fill(Number.NaN))), ...constants.slice(1)] },
      /tensor W holds NaN: the weights are damaged/,
    ],
    [
      "a circle",
      { ...base, nodes: [node("Relu", ["b"], "a"), node("Relu", ["a"], "b"), node("Add", ["x", "a"], "p")] },
      /has nodes in a circle or out of order: Relu \(Relu a\) reads b, which is made behind it: the graph is damaged/,
    ],
    ["two outputs", { ...base, outputs: ["p", "h"] }, /has 2 outputs \(p, h\)/],
    [
      "lengths made of the data",
      {
        ...base,
        nodes: [
          transposed,
          node("Squeeze", ["steps"], "odd"),
          node("Cast", ["odd"], "lens", int("to", 6)),
          lstm(["steps", "W", "R", "B", "lens"], ["", "Y_h"]),
          lastState,
          ...dense,
        ],
      },
      /computes its weights, lengths or first state from the sequences|changes them/,
    ],
    ["an old opset", { ...base, opset: 6 }, /written for opset 6: quickstep reads 7 to/],
    ["an opset to come", { ...base, opset: 40 }, /written for opset 40/],
    ["a shape of four axes", { ...base, x: ["n", T, F, 1] }, /takes x .*quickstep gives a model one array of sequences/],
    [
      "an operator of another domain",
      {
        ...base,
        nodes: [
          transposed,
          forward,
          lastState,
          { input: ["h"], output: ["z"], opType: "FusedDense", domain: "com.microsoft" },
          node("Sigmoid", ["z"], "p"),
        ],
      },
      /the operator com\.microsoft\.FusedDense is no layer that quickstep runs: as ONNX/,
    ],
  ];
  test.each(cases)("%s", async (_, parts, sentence) => {
    expect(await rejection(onnxModel(parts))).toMatch(sentence);
  });

  test("weights in a file beside the model are read, at their offset; a file that is too short is refused", async () => {
    const [w, ...rest] = constants;
    const bytes = w.rawData!;
    const at = (offset: number, length = bytes.length) => ({
      ...w,
      rawData: undefined,
      dataLocation: EXTERNAL,
      externalData: Object.entries({ location: "m.onnx.data", offset: String(offset), length: String(length) }).map(([key, value]) => ({
        key,
        value,
      })),
    });
    const beside = (location: string): Uint8Array => {
      expect(location).toBe("m.onnx.data");
      return Buffer.concat([new Uint8Array(64), bytes]);
    };
    const read = (tensor: ReturnType<typeof at>) => importBytes(onnxModel({ ...base, constants: [tensor, ...rest] }), { beside });
    expect((await read(at(64))).model.members).toEqual((await importBytes(onnxModel(base))).model.members);
    await expect(read(at(68))).rejects.toThrow(/tensor W claims bytes 68 to \d+ of m\.onnx\.data, which has \d+: the file is cut short/);
    await expect(read(at(-4))).rejects.toThrow("the file is cut short or damaged");
    await expect(read(at(64, Number.NaN))).rejects.toThrow("the file is cut short or damaged");
  });

  test("the graph they all vary is imported", async () => expect(await rejection(onnxModel(base))).toBe("imported"));

  test("external data, and sizes beyond the file", async () => {
    const external = {
      dims: [4 * U, F],
      dataType: FLOAT,
      name: "W",
      externalData: [{ key: "location", value: "/etc/passwd" }],
      dataLocation: EXTERNAL,
    };
    const model = onnxModel({ ...base, constants: [external, ...constants.slice(1)] });
    expect(await rejection(model)).toContain("names the file /etc/passwd");
    expect(await rejection(model, { beside: () => new Uint8Array(7) })).toMatch(/tensor W claims \(16, 5\) numbers, but holds 1\.75/);
    const lying = { dims: [2 ** 31, 2 ** 20], dataType: FLOAT, name: "W", rawData: new Uint8Array(8) };
    expect(await rejection(onnxModel({ ...base, constants: [lying, ...constants.slice(1)] }))).toMatch(
      /tensor W claims \(2147483648, 1048576\) numbers, but holds 2/,
    );
    const claim = Uint8Array.of(0x08, 0x08, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07); // a graph of 2 GiB
    expect(await rejection(claim)).toMatch(/cannot be read as ONNX: the file is cut short or damaged/);
    const huge = {
      ...base,
      nodes: [
        node("ConstantOfShape", ["size"], "x2"),
        node("Add", ["x", "x2"], "y"),
        node("Transpose", ["y"], "steps", ints("perm", [1, 0, 2])),
        forward,
        lastState,
        ...dense,
      ],
      constants: [...constants, int64s("size", 2 ** 40, 2 ** 40)],
    };
    expect(await rejection(onnxModel(huge))).toMatch(/makes \d.* numbers: expected at most/);
  });

  test("a number of a type nobody trains in", async () => {
    const half = tensor("head", 10, [U, 1], new Uint8Array(2 * U));
    expect(await rejection(onnxModel({ ...base, constants: [...constants.filter((_, k) => k !== 3), half] }))).toMatch(
      /tensor head is of ONNX's data type 10/,
    );
  });
});
