// Einsum where it is a dense layer of rows, against the graph's own answers, and where it is not.
import { expect, test } from "vitest";
import { int, ints, node } from "../../../../trainer/export/onnx/graph.ts";
import { ATTRIBUTE, type AttributeProto, type NodeProto } from "../../../../trainer/export/onnx/schema.ts";
import { readEquation } from "../../../../trainer/import/onnx/operators/einsum.ts";
import { importBytes, rejection } from "../../../fixtures/import/importing.ts";
import { int64s, lstmConstants, onnxModel, weights } from "../../../fixtures/import/onnx-graphs.ts";

const [T, F, U, K] = [10, 5, 4, 3];
const equation = (text: string): AttributeProto => ({ name: "equation", s: new TextEncoder().encode(text), type: ATTRIBUTE.STRING });
const einsum = (text: string, inputs: string[], output: string): NodeProto => node("Einsum", inputs, output, equation(text));

/** x (N,T,F) → rows (N,T,K) → an LSTM's last state (N,U) → z (N,1) → p. */
const graph = (rows: NodeProto, z: NodeProto[]): Uint8Array =>
  onnxModel({
    nodes: [
      rows,
      node("Relu", ["rows"], "bent"),
      node("Transpose", ["bent"], "steps", ints("perm", [1, 0, 2])),
      node("LSTM", ["steps", "W", "R", "B"], ["Y", "H"], int("hidden_size", U)),
      node("Squeeze", ["H", "zero"], "h"),
      ...z,
      node("Sigmoid", ["z"], "p"),
    ],
    constants: [
      ...lstmConstants(K, U),
      weights("matrix", 6, F, K),
      weights("turned", 7, K, F),
      weights("head", 8, U, 1),
      weights("vector", 9, U),
      weights("cube", 10, F, K, K),
      int64s("zero", 0),
      int64s("one", 1),
    ],
    x: ["n", T, F],
  });

const HEAD = [einsum("nu,uz->nz", ["h", "head"], "z")];

test.each<[string, Uint8Array]>([
  ["letters", graph(einsum("ntf,fk->ntk", ["x", "matrix"], "rows"), HEAD)],
  ["spaces, and a matrix that is turned", graph(einsum("b t f, k f -> b t k", ["x", "turned"], "rows"), HEAD)],
  ["an ellipsis, the matrix first", graph(einsum("fk,...f->...k", ["matrix", "x"], "rows"), HEAD)],
  [
    "a vector",
    graph(einsum("...f,fk->...k", ["x", "matrix"], "rows"), [
      einsum("nu,u->n", ["h", "vector"], "flat"),
      node("Unsqueeze", ["flat", "one"], "z"),
    ]),
  ],
])("a product of rows and a matrix is a dense layer: %s", async (_, bytes) => {
  const { findings, parity } = await importBytes(bytes);
  expect(findings.join()).toMatch(/Dense\(3\) → relu → LSTM\(4\) → Dense\(1\)/);
  expect(parity).toBeLessThan(2e-6);
});

test.each<[string, string, string[], string]>([
  ["a sum over steps", "ntf,fk->nfk", ["x", "matrix"], "sums by ntf,fk->nfk, which is no row by a matrix"],
  ["a product of what is computed", "ntf,ntf->ntf", ["x", "x"], "multiplies by something else than a constant matrix"],
  ["three tensors", "ntf,fk,kl->ntl", ["x", "matrix", "matrix"], "multiplies by something else than a constant matrix"],
  ["a result that is not said", "ntf,fk", ["x", "matrix"], "does not fit its inputs (an equation that does not say its result)"],
  ["letters of other axes", "nf,fk->nk", ["x", "matrix"], "does not fit its inputs (an equation of other axes)"],
])("%s is refused by what it is", async (_, text, inputs, sentence) => {
  expect(await rejection(graph(einsum(text, inputs, "rows"), HEAD))).toContain(sentence);
});

test("an ellipsis stands for the last axes of the longest one", () => {
  expect(readEquation("...a,...a->...", [3, 2])).toEqual({ terms: ["01a", "1a"], result: "01" });
});
