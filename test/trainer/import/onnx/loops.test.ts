// Loops that are recurrent layers are read (formats.test.ts has what tf2onnx writes); what only looks like one is refused, or found out by parity.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { floats, node, raw, tensor } from "../../../../trainer/export/onnx/graph.ts";
import { decodeModel, encodeModel } from "../../../../trainer/export/onnx/protobuf.ts";
import { ATTRIBUTE, type GraphProto, INT64, type NodeProto } from "../../../../trainer/export/onnx/schema.ts";
import { importBytes, rejection } from "../../../fixtures/import/importing.ts";
import { lstmConstants, onnxModel } from "../../../fixtures/import/onnx-graphs.ts";

const masked = decodeModel(readFileSync(new URL("../../../fixtures/import/good/loop-masked-rnn.onnx", import.meta.url)));
const graph = masked.graph!;

/** The model with another graph. */
const withGraph = (changed: GraphProto): Uint8Array => encodeModel({ ...masked, graph: changed });
/** The model, of whose loop each node of the body is as `change` has it. */
function changeBody(change: (one: NodeProto) => NodeProto): Uint8Array {
  const node = graph.node!.map((one) =>
    one.opType === "Loop"
      ? { ...one, attribute: one.attribute!.map((body) => ({ ...body, g: { ...body.g, node: body.g!.node!.map(change) } })) }
      : one,
  );
  return withGraph({ ...graph, node });
}

test("the loop of the fixture is a SimpleRNN whose mask passes over rows of zeros", async () => {
  const { findings, model } = await importBytes(withGraph(graph));
  expect(findings.join()).toMatch(/SimpleRNN\(4.*\) → Dense\(1\).*a mask passes over rows of 0 wherever they stand/);
  expect(model.recipe.padding).toBe("any");
});

describe("refused", () => {
  test("a body that is no cell", async () => {
    const other = changeBody((one) => (one.opType === "Relu" ? { ...one, opType: "Exp" } : one));
    expect(await rejection(other)).toMatch(/the operator Loop .*computes something else than a recurrent cell in each step: as ONNX/);
  });

  test("a cell that adds its old state to the new one", async () => {
    const state = graph.node!.find(({ opType }) => opType === "Loop")!.attribute![0].g!.input![3].name!;
    const other = changeBody((one) => (one.opType === "Relu" ? { ...one, opType: "PRelu", input: [one.input![0], state] } : one));
    expect(await rejection(other)).toMatch(/the operator (Loop|PRelu)/);
  });

  test("a mask that passes over rows with less than three numbers", async () => {
    const node = graph.node!.map((one) => (one.opType === "Greater" ? { ...one, input: [one.input![0], "two"] } : one));
    const other = withGraph({ ...graph, node, initializer: [...graph.initializer!, floats("two", [], raw(Float32Array.of(2)))] });
    expect(await rejection(other)).toContain("passes over rows by another rule than that all their numbers are one number");
  });

  test("a loop over half of the steps, by parity", async () => {
    const trips = graph.node!.find(({ opType }) => opType === "Loop")!.input![0];
    const initializer = graph.initializer!.map((one) => (one.name === trips ? tensor(trips, INT64, [], raw(BigInt64Array.of(5n))) : one));
    expect(await rejection(withGraph({ ...graph, initializer }))).toMatch(/was understood wrongly|runs over other steps/);
  });

  test("graphs inside graphs without an end", async () => {
    let body: GraphProto = { node: [node("Identity", ["a"], "b")] };
    for (let k = 0; k < 8; k++)
      body = { node: [{ opType: "Loop", input: [], output: ["b"], attribute: [{ name: "body", g: body, type: ATTRIBUTE.GRAPH }] }] };
    expect(await rejection(withGraph(body))).toContain("messages in more than 16 levels");
  });

  test("numbers that are chosen by what they are, although no probe of layers sees it, by parity", async () => {
    const bytes = onnxModel({
      nodes: [
        node("Equal", ["x", "zero"], "isZero"),
        node("Where", ["isZero", "five", "x"], "filled"),
        { opType: "Transpose", input: ["filled"], output: ["steps"], attribute: [{ name: "perm", ints: [1, 0, 2], type: ATTRIBUTE.INTS }] },
        {
          opType: "LSTM",
          input: ["steps", "W", "R", "B"],
          output: ["", "h"],
          attribute: [{ name: "hidden_size", i: 4, type: ATTRIBUTE.INT }],
        },
        node("Squeeze", ["h", "first"], "state"),
        node("MatMul", ["state", "head"], "z"),
        node("Sigmoid", ["z"], "p"),
      ],
      constants: [
        ...lstmConstants(3, 4).slice(0, 4),
        floats("zero", [], raw(Float32Array.of(0))),
        floats("five", [], raw(Float32Array.of(5))),
        tensor("first", INT64, [1], raw(BigInt64Array.of(0n))),
      ],
      x: ["n", 6, 3],
    });
    expect(await rejection(bytes)).toContain("was understood wrongly");
  });
});
