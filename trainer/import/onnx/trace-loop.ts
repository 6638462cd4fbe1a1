// Loops and scans as recurrent layers: tf2onnx writes a layer so behind a mask, with dropout inside, of other functions than cuDNN's, or of
// TensorFlow 1. The body is asked, not matched: what is linear in a row and in the states gives the gates' weights, and the cell that computes what the body computes
// is taken.
// Legend: T steps, N sequences, W width, U units.
import { SECOND_ENGINE } from "../contract/reject-file.ts";
import { codeOf, type Flow, type Traced, type TracedNode, unlike } from "./flow.ts";
import { countCarried } from "./interpreter.ts";
import { type LoopOver, readLoop, readScan } from "./loop-body.ts";
import { readCell } from "./loop-cell.ts";
import { type Body, bodyOf, type Tensor } from "./operators/node.ts";
import { OperatorError } from "./operators/operator.ts";
import { build } from "./operators/tensors.ts";
import { recurrentFlows } from "./trace-recurrent.ts";

/** A Loop over all steps as one recurrent layer: its carried tensors, then what it gathers of all steps. Throws OperatorError for any other loop. */
export function traceLoop(given: TracedNode): readonly (Traced | undefined)[] {
  const body = readBody(given);
  if (given.inputs.some((input) => input !== undefined)) return fromSequences();
  return traceCell(given, readLoop(given, body));
}

/** A Scan over all steps as one recurrent layer, as tf2onnx writes the dynamic_rnn of TensorFlow 1. Throws OperatorError for any other. */
export function traceScan(given: TracedNode): readonly (Traced | undefined)[] {
  const body = readBody(given);
  if (given.inputs.slice(0, countCarried(given.node)).some((input) => input !== undefined)) return fromSequences();
  return traceCell(given, readScan(given, body));
}

function fromSequences(): never {
  throw new OperatorError(
    "computes its first state or its steps from the sequences",
    `of Keras on JAX, whose loops are so, import the .keras file; ${SECOND_ENGINE}`,
  );
}

function readBody({ node }: TracedNode): Body {
  return bodyOf(node.attributes.get("body")) ?? unlike("has no body");
}

function traceCell({ evaluateBody }: TracedNode, { traced, ...loop }: LoopOver): readonly (Traced | undefined)[] {
  const { kind, settings, w, r, b, hidden, cell, outputs } = readCell(loop, traced.flow.W, (values) => evaluateBody(loop.body, values));
  if (loop.states.some(({ output }) => !outputs.has(output))) unlike("carries the states of several cells");
  const N = traced.codes.dims[1];
  const flows = recurrentFlows(kind, traced, settings, { w, r, b, hidden: firstOf(hidden), cell: firstOf(cell) });
  const lastOf = (flow: Flow): Traced => ({ flow, codes: build([N, flow.W], ([n, u]) => codeOf(flow, n, 0, u)) });
  const { sequence } = flows;
  const all: Traced = { flow: sequence, codes: build([traced.flow.R, N, sequence.W], ([t, n, u]) => codeOf(sequence, n, t, u)) };
  return loop.results.map((name, k) => {
    const what = outputs.get(name);
    if (k < loop.carried) return what === "hidden" ? lastOf(flows.state) : what === "cell" ? lastOf(flows.cell) : undefined;
    return what === "hidden" ? all : undefined;
  });
}

/** (N,U) as ONNX' (D,N,U). */
function firstOf(state: Tensor | undefined): Tensor | undefined {
  return state && { dims: [1, ...state.dims], data: state.data };
}
