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

  const scan = decodeModel(readFileSync(new URL("../../../fixtures/import/good/scan-gru.onnx", import.meta.url)));
  /** The model of a Scan, with other nodes. */
  const withNodes = (change: (one: NodeProto) => NodeProto): Uint8Array =>
    encodeModel({ ...scan, graph: { ...scan.graph, node: scan.graph!.node!.map(change) } });

  test("a scan from the last step on", async () => {
    const direction = { name: "scan_input_directions", ints: [1], type: ATTRIBUTE.INTS };
    const other = withNodes((one) => (one.opType === "Scan" ? { ...one, attribute: [...one.attribute!, direction] } : one));
    expect(await rejection(other)).toMatch(/the operator Scan .*reads other axes than the first, or from the last step on: as ONNX/);
  });

  test("a scan whose body is no cell", async () => {
    const other = withNodes((one) =>
      one.opType !== "Scan"
        ? one
        : {
            ...one,
            attribute: one.attribute!.map((body) => ({
              ...body,
              ...(body.g && {
                g: { ...body.g, node: body.g.node!.map((inner) => (inner.opType === "Sub" ? { ...inner, opType: "Add" } : inner)) },
              }),
            })),
          },
    );
    expect(await rejection(other)).toMatch(/the operator Scan .*computes a cell that is no LSTM, GRU or SimpleRNN: as ONNX/);
  });

  test("an operator that tf2onnx left as TensorFlow has it", async () => {
    const other = withNodes((one) => (one.opType === "Sigmoid" ? { ...one, opType: "ReverseV2" } : one));
    expect(await rejection(other)).toMatch(
      /the operator ReverseV2 .*is TensorFlow's, which no ONNX runtime runs: convert the model with a newer opset \(tf2onnx --opset 15\)/,
    );
  });

  const [T, F, U] = [6, 3, 4];
  const constants = [
    ...lstmConstants(F, U).slice(0, 4),
    floats("kernel", [F, U], raw(new Float32Array(F * U).fill(0.5))),
    floats("recurrent", [U, U], raw(new Float32Array(U * U).fill(0.25))),
    floats("start", [1, U], raw(new Float32Array(U))),
    floats("zero", [], raw(Float32Array.of(0))),
    ...Array.from({ length: T }, (_, t) => tensor(`at${t}`, INT64, [], raw(BigInt64Array.of(BigInt(t))))),
  ];
  const axis = (a: number) => ({ name: "axis", i: a, type: ATTRIBUTE.INT });

  test("a cell in a loop of Python, which has nodes for each step", async () => {
    const steps = Array.from({ length: T }, (_, t) => [
      { ...node("Gather", ["x", `at${t}`], `row${t}`), attribute: [axis(1)] },
      node("MatMul", [`row${t}`, "kernel"], `fromRow${t}`),
      node("MatMul", [t === 0 ? "start" : `h${t - 1}`, "recurrent"], `fromState${t}`),
      node("Add", [`fromRow${t}`, `fromState${t}`], `sum${t}`),
      node("Tanh", [`sum${t}`], `h${t}`),
    ]);
    const nodes = [...steps.flat(), node("MatMul", [`h${T - 1}`, "head"], "z"), node("Sigmoid", ["z"], "p")];
    expect(await rejection(onnxModel({ nodes, constants, x: ["n", T, F] }))).toMatch(
      /computes each step by nodes of its own, .*\(LSTMCell, unroll=True\), or PyTorch.s newer exporter an RNN: export the recurrent layer itself, .*; as ONNX the whole model/,
    );
  });

  test("a branch by the sequences' numbers", async () => {
    const branch = (t: number): GraphProto => ({
      node: [{ ...node("Gather", ["x", `at${t}`], `row${t}`), attribute: [axis(1)] }],
      output: [{ name: `row${t}` }],
    });
    const choice = {
      opType: "If",
      input: ["isPositive"],
      output: ["row"],
      attribute: ["then_branch", "else_branch"].map((name, k) => ({ name, g: branch(k), type: ATTRIBUTE.GRAPH })),
    };
    const nodes = [
      node("ReduceSum", ["x"], "sum"),
      node("Greater", ["sum", "zero"], "isPositive"),
      choice,
      node("MatMul", ["row", "kernel"], "hidden"),
      node("MatMul", ["hidden", "head"], "z"),
      node("Sigmoid", ["z"], "p"),
    ];
    expect(await rejection(onnxModel({ nodes, constants, x: ["n", T, F] }))).toMatch(
      /the operator If .*chooses by the sequences' numbers what is computed: export a model that computes the same for all sequences; as ONNX/,
    );
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
