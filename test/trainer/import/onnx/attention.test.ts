// Attention pooling in ONNX graphs, against the graphs' own answers; and what only looks like it. What frameworks write is in
// test/fixtures/import/good.
import { describe, expect, test } from "vitest";
import { int, ints, node } from "../../../../trainer/export/onnx/graph.ts";
import type { NodeProto } from "../../../../trainer/export/onnx/schema.ts";
import { importBytes, rejection } from "../../../fixtures/import/importing.ts";
import { int64s, lstmConstants, onnxModel, weights } from "../../../fixtures/import/onnx-graphs.ts";

const [T, F, U] = [10, 5, 4];

const CONSTANTS = [
  ...lstmConstants(F, U),
  weights("score", 6, U, 1),
  weights("scores", 7, U, 3),
  weights("vector", 8, U),
  int64s("first", 1),
  int64s("second", 2),
  int64s("repeats", 1, 1, U),
];

/** x → states (N,T,U) of an LSTM, their scores (N,T,1) and weights (N,T,1); v (N,U) → p. */
const graph = (nodes: readonly NodeProto[]): Uint8Array =>
  onnxModel({
    nodes: [
      node("Transpose", ["x"], "steps", ints("perm", [1, 0, 2])),
      node("LSTM", ["steps", "W", "R", "B"], ["Y"], int("hidden_size", U)),
      node("Squeeze", ["Y", "first"], "turned"),
      node("Transpose", ["turned"], "states", ints("perm", [1, 0, 2])),
      node("MatMul", ["states", "score"], "scored"),
      node("Softmax", ["scored"], "weights", int("axis", 1)),
      ...nodes,
      node("MatMul", ["v", "head"], "product"),
      node("Add", ["product", "bias"], "z"),
      node("Sigmoid", ["z"], "p"),
    ],
    constants: CONSTANTS,
    x: ["n", T, F],
  });

const WEIGHTED = node("Mul", ["weights", "states"], "weighted");
const reduce = (operator: string, from = "weighted"): NodeProto => node(operator, [from], "v", ints("axes", [1]), int("keepdims", 0));

describe("read", () => {
  test.each<[string, NodeProto[], RegExp]>([
    ["a sum of products", [WEIGHTED, node("ReduceSum", ["weighted", "first"], "v", int("keepdims", 0))], /attention → Dense\(1\)/],
    [
      "weights that are repeated for each number",
      [
        node("Tile", ["weights", "repeats"], "tiled"),
        node("Mul", ["states", "tiled"], "weighted"),
        node("ReduceSum", ["weighted", "first"], "v", int("keepdims", 0)),
      ],
      /attention → Dense\(1\)/,
    ],
    ["a mean of products", [WEIGHTED, reduce("ReduceMean")], /attention → Dense\(1\)/],
    [
      "weights in front of a product of matrices",
      [
        node("Transpose", ["weights"], "row", ints("perm", [0, 2, 1])),
        node("MatMul", ["row", "states"], "one"),
        node("Squeeze", ["one", "first"], "v"),
      ],
      /attention → Dense\(1\)/,
    ],
    [
      "weights behind one",
      [
        node("Transpose", ["states"], "columns", ints("perm", [0, 2, 1])),
        node("MatMul", ["columns", "weights"], "one"),
        node("Squeeze", ["one", "second"], "v"),
      ],
      /attention → Dense\(1\)/,
    ],
    [
      "scores of a vector, which leave no axis",
      [
        node("MatMul", ["states", "vector"], "flat"),
        node("Softmax", ["flat"], "part", int("axis", 1)),
        node("Unsqueeze", ["part", "first"], "row"),
        node("MatMul", ["row", "states"], "one"),
        node("Squeeze", ["one", "first"], "v"),
      ],
      /attention → Dense\(1\)/,
    ],
  ])("%s", async (_, nodes, words) => {
    const { findings, parity } = await importBytes(graph(nodes));
    expect(findings.join()).toMatch(words);
    expect(parity).toBeLessThan(2e-6);
  });
});

describe("refused", () => {
  test.each<[string, NodeProto[], string]>([
    ["the maximum of weighted steps", [WEIGHTED, reduce("ReduceMax")], "takes weights of steps, of which quickstep sums what they weight"],
    [
      "weighted steps that a layer reads",
      [WEIGHTED, node("Tanh", ["weighted"], "bent"), reduce("ReduceMean", "bent")],
      "takes what a softmax over steps weights, where quickstep reads the sum over steps alone",
    ],
    [
      "weights that are read themselves",
      [
        node("ReduceMax", ["weights"], "most", ints("axes", [1]), int("keepdims", 0)),
        node("Concat", ["most", "most", "most", "most"], "v", int("axis", 1)),
      ],
      "takes weights of steps",
    ],
    [
      "several softmaxes over steps",
      [
        node("MatMul", ["states", "scores"], "many"),
        node("Softmax", ["many"], "parts", int("axis", 1)),
        node("Transpose", ["parts"], "rows", ints("perm", [0, 2, 1])),
        node("MatMul", ["rows", "states"], "v"),
      ],
      "weights each step by 3 softmaxes over steps, where quickstep has one",
    ],
    [
      "a softmax over the numbers of each step",
      [node("Softmax", ["states"], "parts", int("axis", 2)), node("Mul", ["parts", "states"], "weighted"), reduce("ReduceMean")],
      "takes numbers of several steps at once",
    ],
    [
      "weights by themselves",
      [node("Mul", ["weights", "weights"], "weighted"), reduce("ReduceMean")],
      "multiplies steps by two softmaxes over them",
    ],
    [
      "a score that is a product of two layers",
      [
        node("Transpose", ["states"], "columns", ints("perm", [0, 2, 1])),
        node("MatMul", ["states", "columns"], "many"),
        node("Softmax", ["many"], "parts", int("axis", 2)),
        node("MatMul", ["parts", "states"], "weighted"),
        reduce("ReduceMean"),
      ],
      "multiplies by something else than a constant matrix",
    ],
  ])("%s", async (_, nodes, sentence) => {
    const message = await rejection(graph(nodes));
    expect(message).toContain(sentence);
    expect(message).toContain("as ONNX the whole model runs on the second engine (import --engine onnx, docs/import-export.md)");
  });
});
