// ONNX graphs whose tensors are joined or merged, against the graphs' own answers; and what of the kind is refused. What frameworks write of
// the kind is in test/fixtures/import/good.
import { describe, expect, test } from "vitest";
import { soleLayers } from "../../../../shared/members.ts";
import { describeLayers } from "../../../../shared/networks/describe-layers.ts";
import { floats, int, ints, node, raw, string } from "../../../../trainer/export/onnx/graph.ts";
import type { NodeProto } from "../../../../trainer/export/onnx/schema.ts";
import { importBytes, rejection } from "../../../fixtures/import/importing.ts";
import { int64s, onnxModel, weights } from "../../../fixtures/import/onnx-graphs.ts";

const [T, F, U] = [10, 5, 4];
/** The kernel computes in float32 what the graph is asked in float64. */
const TOLERANCE = 2e-6;

const CONSTANTS = [
  weights("W", 1, 1, 4 * U, F),
  weights("R", 2, 1, 4 * U, U),
  weights("B", 3, 1, 8 * U),
  weights("W2", 4, 2, 3 * U, F),
  weights("R2", 5, 2, 3 * U, U),
  weights("kernel", 6, 3, F, 1),
  weights("square", 7, U, U),
  ...[1, 2, 3].map((k) => weights(`head${k}`, 8 + k, k * U, 1)),
  weights("head10", 30, 2 * F, 1),
  weights("head11", 32, 10 * U, 1),
  weights("narrow", 31, U, 1),
  weights("gamma", 33, U),
  weights("beta", 34, U),
  floats("epsilon", [], raw(Float32Array.of(1e-5))),
  int64s("zeroth", 0),
  int64s("first", 1),
  int64s("half", U),
  int64s("whole", 2 * U),
  int64s("second", 2),
  int64s("ninth", T - 1),
  int64s("minus", -1),
  int64s("end", T),
  int64s("rows", 0, 0, -1),
];

/** x (N,T,F) → steps; states (T,N,U) and h (N,U) of an LSTM; both (T,N,2U) and ends (2,N,U) of a bidirectional GRU; mean, max (N,U). */
const LAYERS: readonly NodeProto[] = [
  node("Transpose", ["x"], "steps", ints("perm", [1, 0, 2])),
  node("LSTM", ["steps", "W", "R", "B"], ["Y", "Y_h", "Y_c"], int("hidden_size", U)),
  node("Squeeze", ["Y", "first"], "states"),
  node("Squeeze", ["Y_h", "zeroth"], "h"),
  node("Squeeze", ["Y_c", "zeroth"], "c"),
  node("GRU", ["steps", "W2", "R2"], ["Y2", "ends"], int("hidden_size", U), string("direction", "bidirectional")),
  node("Transpose", ["Y2"], "Y2rows", ints("perm", [0, 2, 1, 3])),
  node("Reshape", ["Y2rows", "rows"], "both"),
  node("ReduceMean", ["states"], "mean", ints("axes", [0]), int("keepdims", 0)),
  node("ReduceMax", ["states"], "max", ints("axes", [0]), int("keepdims", 0)),
  node("Transpose", ["x"], "turned", ints("perm", [0, 2, 1])),
];

function graph(nodes: readonly NodeProto[], head: number, steps = T): Uint8Array<ArrayBuffer> {
  return onnxModel({
    nodes: [...LAYERS, ...nodes, node("MatMul", ["v", `head${head}`], "z"), node("Sigmoid", ["z"], "p")],
    constants: CONSTANTS,
    x: ["n", steps, F],
  });
}

const concat = (parts: readonly string[], name: string, axis = 1): NodeProto => node("Concat", parts, name, int("axis", axis));
const slice = (from: string, start: string, end: string, axis: string, name: string): NodeProto =>
  node("Slice", [from, start, end, axis], name);

const h = "LSTM(4)";
const all = "LSTM(4, every step)";

test.each<[string, readonly NodeProto[], number, string]>([
  ["the mean beside the maximum", [concat(["mean", "max"], "v")], 2, `${all} → mean over rows beside maximum over rows → Dense(1)`],
  ["the last state beside the mean", [concat(["h", "mean"], "v")], 2, `${all} → last row beside mean over rows → Dense(1)`],
  ["the last state beside the cell", [concat(["h", "c"], "v")], 2, `(${h} beside LSTM(4, cell state)) → Dense(1)`],
  [
    "the first row beside the last",
    [
      slice("x", "zeroth", "first", "first", "x0"),
      slice("x", "minus", "end", "first", "x9"),
      concat(["x0", "x9"], "ends3", 2),
      node("Squeeze", ["ends3", "first"], "v"),
    ],
    10,
    "first row beside last row → Dense(1)",
  ],
  [
    "a state beside that of another layer, which stands in it twice",
    [node("Gather", ["ends", "zeroth"], "g3"), node("Squeeze", ["g3", "zeroth"], "g"), concat(["g", "h", "g"], "v")],
    3,
    `(bidirectional GRU(4, reset before) beside ${h}) → Dense(1)`,
  ],
  [
    "one of two states that were stacked",
    [concat(["Y_h", "Y_c"], "stack", 0), node("Gather", ["stack", "zeroth"], "one"), node("Squeeze", ["one", "zeroth"], "v")],
    1,
    "one LSTM",
  ],
  [
    "the sum of both directions, step by step",
    [
      slice("both", "zeroth", "half", "second", "a"),
      slice("both", "half", "whole", "second", "b"),
      node("Add", ["a", "b"], "sum"),
      node("ReduceMax", ["sum"], "v", ints("axes", [0]), int("keepdims", 0)),
    ],
    1,
    "bidirectional GRU(4, reset before, sum, every step) → maximum over rows → Dense(1)",
  ],
  [
    "the maximum less the mean",
    [node("Sub", ["max", "mean"], "v")],
    1,
    `${all} → (maximum over rows + mean over rows → scale and shift) → Dense(1)`,
  ],
  [
    "three states added",
    [node("Add", ["h", "c"], "two"), node("Add", ["two", "mean"], "v")],
    1,
    `(${h} + LSTM(4, cell state) + ${all} → mean over rows) → Dense(1)`,
  ],
  [
    "a gate that one number opens",
    [node("MatMul", ["h", "narrow"], "one"), node("Sigmoid", ["one"], "gate"), node("Mul", ["gate", "c"], "v")],
    1,
    `(${h} → Dense(1) → sigmoid → Dense(4) × LSTM(4, cell state)) → Dense(1)`,
  ],
  ["squares", [node("Mul", ["h", "h"], "v")], 1, `${h} → (as it is × as it is) → Dense(1)`],
])("%s", async (_, nodes, head, words) => {
  const { model, parity, findings } = await importBytes(graph(nodes, head));
  const layered = soleLayers(model);
  expect(layered ? describeLayers(layered) : "one LSTM").toBe(words);
  expect(findings[0]).toBe(`${layered ? words : "LSTM(4) → Dense(1)"} on ${F} features`);
  expect(parity).toBeLessThanOrEqual(TOLERANCE);
});

test("of one step, the state beside its mean and its maximum are three groups of columns", async () => {
  const { model, parity } = await importBytes(graph([node("Squeeze", ["states", "zeroth"], "y"), concat(["y", "mean", "max"], "v")], 3, 1));
  expect(describeLayers(soleLayers(model)!)).toBe(`${all} → (as it is beside mean over rows beside maximum over rows) → Dense(1)`);
  expect(parity).toBeLessThanOrEqual(TOLERANCE);
});

test("residual layers stand one behind the other", async () => {
  const block = (from: string, to: string): NodeProto[] => [
    node("MatMul", [from, "square"], `${to}1`),
    node("Relu", [`${to}1`], `${to}2`),
    node("Add", [from, `${to}2`], to),
  ];
  const { model, parity } = await importBytes(graph([...block("h", "once"), ...block("once", "v")], 1));
  expect(soleLayers(model)!.layers.map(({ kind }) => kind)).toEqual(["recurrent", "branches", "branches", "dense"]);
  expect(parity).toBeLessThanOrEqual(TOLERANCE);
});

/** d = h less its mean, s = the root of the mean of d² and ε. */
const MOMENTS: readonly NodeProto[] = [
  node("ReduceMean", ["h"], "m", ints("axes", [1])),
  node("Sub", ["h", "m"], "d"),
  node("Mul", ["d", "d"], "d2"),
  node("ReduceMean", ["d2"], "m2", ints("axes", [1])),
  node("Add", ["m2", "epsilon"], "v2"),
  node("Sqrt", ["v2"], "s"),
];
const SCALED: readonly NodeProto[] = [node("Mul", ["q", "gamma"], "g"), node("Add", ["g", "beta"], "v")];

test.each<[string, readonly NodeProto[]]>([
  ["old exporters of PyTorch", [...MOMENTS, node("Div", ["d", "s"], "q"), ...SCALED]],
  [
    "Keras",
    [
      ...MOMENTS,
      node("Neg", ["m"], "minusM"),
      node("Reciprocal", ["s"], "r"),
      node("Mul", ["r", "gamma"], "rg"),
      node("Mul", ["h", "rg"], "hrg"),
      node("Mul", ["minusM", "rg"], "mrg"),
      node("Add", ["mrg", "beta"], "shift"),
      node("Add", ["hrg", "shift"], "v"),
    ],
  ],
])("a layer normalization as %s write it in small operators", async (_, nodes) => {
  const { model, parity } = await importBytes(graph(nodes, 1));
  expect(describeLayers(soleLayers(model)!)).toMatch(/^LSTM\(4\) → layer normalization → /);
  expect(parity).toBeLessThanOrEqual(TOLERANCE);
});

test.each<[string, readonly NodeProto[]]>([
  [
    "without the mean",
    [...MOMENTS.slice(2), node("Div", ["h", "s"], "q"), ...SCALED].map((one) => ({
      ...one,
      input: one.input!.map((name) => (name === "d" ? "h" : name)),
    })),
  ],
  ["that divides by the root's root", [...MOMENTS, node("Sqrt", ["s"], "s2"), node("Div", ["d", "s2"], "q"), ...SCALED]],
])("a normalization %s is no layer normalization", async (_, nodes) => {
  expect(await rejection(graph(nodes, 1))).toMatch(/the operator ReduceMean .*reduces something else than the steps/);
});

describe("refused by name", () => {
  test.each<[string, readonly NodeProto[], RegExp]>([
    [
      "a row for each sequence by rows",
      [node("Mul", ["states", "mean"], "s"), node("ReduceMean", ["s"], "v", ints("axes", [0]), int("keepdims", 0))],
      /the operator Mul .*joins layers of several numbers of rows \(10 rows, one row\): as ONNX the whole model/,
    ],
    [
      "a state behind steps",
      [
        node("Transpose", ["states"], "rows1", ints("perm", [1, 2, 0])),
        node("Unsqueeze", ["h", "second"], "h3"),
        concat(["rows1", "h3"], "more", 2),
        node("ReduceMean", ["more"], "v", ints("axes", [2]), int("keepdims", 0)),
      ],
      /the operator Concat .*joins layers of several numbers of rows/,
    ],
    [
      "steps added to others",
      [
        slice("states", "zeroth", "ninth", "zeroth", "early"),
        slice("states", "first", "end", "zeroth", "late"),
        node("Add", ["early", "late"], "s"),
        node("ReduceMean", ["s"], "v", ints("axes", [0]), int("keepdims", 0)),
      ],
      /the operator Add .*joins different steps or sequences/,
    ],
    [
      "steps behind steps",
      [
        node("Transpose", ["states"], "rows1", ints("perm", [1, 2, 0])),
        node("Relu", ["rows1"], "rows2"),
        concat(["rows1", "rows2"], "more", 2),
        node("ReduceMean", ["more"], "v", ints("axes", [2]), int("keepdims", 0)),
      ],
      /the operator ReduceMean .*reduces something else than the steps/,
    ],
    ["a quotient", [node("Div", ["h", "c"], "v")], /the operator Div .*divides by what it computes/],
    [
      "what is looked up",
      [node("Cast", ["h"], "index", int("to", 7)), node("Gather", ["square", "index"], "v")],
      /the operator Gather .*chooses by what it computes/,
    ],
    [
      "ten branches",
      [
        ...Array.from({ length: 10 }, (_, k) => [node("MatMul", ["h", "square"], `m${k}`), node("Relu", [`m${k}`], `r${k}`)]).flat(),
        concat(
          Array.from({ length: 10 }, (_, k) => `r${k}`),
          "v",
        ),
      ],
      /cannot become an artifact: .*expected 2 to 8 lists/,
    ],
  ])("%s", async (what, nodes, sentence) => {
    expect(await rejection(graph(nodes, what === "ten branches" ? 11 : 1))).toMatch(sentence);
  });
});

test("branches that share layers with each other more and more are refused before they are counted one by one", async () => {
  const steps = Array.from({ length: 200 }, (_, k): NodeProto[] => [
    node("Relu", [`a${k}`], `a${k}r`),
    node("Tanh", [`b${k}`], `b${k}t`),
    node("Add", [`a${k}r`, `b${k}t`], `a${k + 1}`),
    node("Mul", [`a${k}r`, `b${k}`], `b${k + 1}`),
  ]);
  const start = [node("Relu", ["h"], "a0"), node("Tanh", ["c"], "b0")];
  const started = performance.now();
  expect(await rejection(graph([...start, ...steps.flat(), node("Add", ["a200", "b200"], "v")], 1))).toContain(
    "joins branches that share layers in many ways",
  );
  expect(performance.now() - started).toBeLessThan(20_000);
});
