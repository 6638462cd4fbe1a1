// Loops as recurrent layers: tf2onnx writes a layer so behind a mask, with dropout inside, or of other functions than cuDNN's. The body is
// asked, not matched: what is linear in a row and in the states gives the gates' weights, and the cell that computes what the body computes
// is taken.
// Legend: T steps, N sequences, W width, U units.
import { codeOf, type Flow, type Traced, type TracedNode, unlike } from "./flow.ts";
import { readLoop } from "./loop-body.ts";
import { readCell } from "./loop-cell.ts";
import { bodyOf, type Tensor } from "./operators/node.ts";
import { build } from "./operators/tensors.ts";
import { recurrentFlows } from "./trace-recurrent.ts";

/** A Loop over all steps as one recurrent layer: its carried tensors, then what it gathers of all steps. Throws OperatorError for any other loop. */
export function traceLoop(given: TracedNode): readonly (Traced | undefined)[] {
  const { node } = given;
  const body = bodyOf(node.attributes.get("body")) ?? unlike("has no body");
  const carried = body.inputs.slice(2);
  if (given.inputs.some((input) => input !== undefined)) return unlike("computes its first state or its steps from the sequences");
  const { traced, ...loop } = readLoop(given, body);
  const { kind, settings, w, r, b, hidden, cell, outputs } = readCell(loop, traced.flow.W, (values) => given.evaluateBody(body, values));
  const N = traced.codes.dims[1];
  const flows = recurrentFlows(kind, traced, settings, { w, r, b, hidden: firstOf(hidden), cell: firstOf(cell) });
  const lastOf = (flow: Flow): Traced => ({ flow, codes: build([N, flow.W], ([n, u]) => codeOf(flow, n, 0, u)) });
  const { sequence } = flows;
  const all: Traced = { flow: sequence, codes: build([traced.flow.R, N, sequence.W], ([t, n, u]) => codeOf(sequence, n, t, u)) };
  return body.outputs.slice(1).map((name, k) => {
    const what = outputs.get(name);
    if (k < carried.length) return what === "hidden" ? lastOf(flows.state) : what === "cell" ? lastOf(flows.cell) : undefined;
    return what === "hidden" ? all : undefined;
  });
}

/** (N,U) as ONNX' (D,N,U). */
function firstOf(state: Tensor | undefined): Tensor | undefined {
  return state && { dims: [1, ...state.dims], data: state.data };
}
