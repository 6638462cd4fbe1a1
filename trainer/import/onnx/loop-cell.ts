// The cell that a loop's body computes: orders of gates are tried until ONNX' definition of the cell leaves the states that the body leaves.
// Legend: B probes, W width, U units, G gates: i,o,f,c of an LSTM, z,r,h of a GRU.
import type { Activation } from "../../../shared/networks/activation.ts";
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { unlike } from "./flow.ts";
import { type EvaluateBody, type LoopBody, runBody } from "./loop-body.ts";
import { type LinearTensor, readLinear, statusesOf } from "./loop-linear.ts";
import { ACTIVATIONS, readActivation } from "./operators/named-activation.ts";
import type { Tensor } from "./operators/node.ts";
import { type RecurrentKind, type RecurrentSettings, type StepWeights, stepOf } from "./operators/recurrent.ts";
import type { RecurrentNumbers } from "./trace-recurrent.ts";

/** A recurrent layer, and which of the body's outputs is its state and its cell state. */
export interface LoopCell extends RecurrentNumbers {
  readonly kind: RecurrentKind;
  readonly settings: RecurrentSettings;
  readonly outputs: ReadonlyMap<string, "hidden" | "cell">;
}

/** A cell that the body may be. */
interface Candidate {
  readonly kind: RecurrentKind;
  readonly gates: readonly LinearTensor[];
  readonly activations: readonly Activation[];
  /** Of a GRU: the candidate's recurrent weights (U,U), and their bias (U) where they come before the reset gate. */
  readonly candidate?: { readonly recurrent: Float64Array; readonly bias: Float64Array | undefined };
  /** Among the states. */
  readonly cell: number | undefined;
}

const PROBES = 3;
const TOLERANCE = 1e-7;
/** Orders of four gates as i,o,f,c. */
const ORDERS = permute([0, 1, 2, 3]);

/** The cell of a body that takes rows of W numbers. Throws OperatorError where it computes no LSTM, GRU or RNN. */
export function readCell(loop: LoopBody, W: number, evaluate: EvaluateBody): LoopCell {
  const linear = readLinear(loop, W, evaluate);
  const activated = linear.filter(({ activation }) => activation !== null);
  const hidden = loop.states.findIndex((_, s) => activated.some(({ recurrent }) => recurrent[s].some((weight) => weight !== 0)));
  const U = loop.states[hidden]?.first.dims[1];
  const gates = activated.flatMap((joined) => splitGates(joined, U));
  if (
    U === undefined ||
    gates.some(({ K, recurrent }) => K !== U || recurrent.some((weights, s) => s !== hidden && weights.some((one) => one !== 0)))
  )
    return unlike("computes something else than a recurrent cell in each step");
  const probe = probeBody(loop, W, evaluate);
  for (const candidate of candidatesOf(loop, linear, gates, hidden, evaluate)) {
    const weights = weightsOf(candidate, hidden, W, U);
    const outputs = compare(candidate, weights, loop, hidden, probe);
    if (outputs === undefined) continue;
    const { kind, activations, cell } = candidate;
    const G = candidate.gates.length;
    const settings = {
      directions: ["forward"],
      batchFirst: false,
      activations: [activations],
      linearBeforeReset: candidate.candidate?.bias !== undefined,
    } as const;
    return {
      kind,
      settings,
      w: { dims: [1, G * U, W], data: weights.w },
      r: { dims: [1, G * U, U], data: weights.r },
      b: { dims: [1, 2 * G * U], data: weights.b! },
      hidden: loop.states[hidden].first,
      cell: cell === undefined ? undefined : loop.states[cell].first,
      outputs,
    };
  }
  return unlike("computes a cell that is no LSTM, GRU or SimpleRNN");
}

/** Gates of U units that one activation takes together; a tensor of another width as it is. */
function splitGates(joined: LinearTensor, U: number | undefined): LinearTensor[] {
  const { K, kernel, recurrent, bias } = joined;
  if (U === undefined || K % U !== 0) return [joined];
  return Array.from({ length: K / U }, (_, g) => {
    const columns = (weights: Float64Array): Float64Array => weights.filter((_, at) => Math.floor((at % K) / U) === g);
    return { ...joined, K: U, kernel: columns(kernel), recurrent: recurrent.map(columns), bias: columns(bias) };
  });
}

function candidatesOf(
  loop: LoopBody,
  linear: readonly LinearTensor[],
  gates: readonly LinearTensor[],
  hidden: number,
  evaluate: EvaluateBody,
): Candidate[] {
  const activationOf = (gate: LinearTensor): Activation => gate.activation!;
  const isSame = (a: LinearTensor, b: LinearTensor): boolean => JSON.stringify(a.activation) === JSON.stringify(b.activation);
  const others = loop.states.map((_, s) => s).filter((s) => s !== hidden);
  if (gates.length === 1) return [{ kind: "RNN", gates, activations: [activationOf(gates[0])], cell: undefined }];
  if (gates.length === 4)
    return ORDERS.map((order) => order.map((k) => gates[k]))
      .filter(([i, o, f]) => isSame(i, o) && isSame(i, f))
      .flatMap((ordered) =>
        others.map((cell): Candidate => {
          const [gate, candidate] = [activationOf(ordered[0]), activationOf(ordered[3])];
          return { kind: "LSTM", gates: ordered, activations: [gate, candidate, candidate], cell };
        }),
      );
  if (gates.length !== 2 || !isSame(gates[0], gates[1])) return [];
  const joined = linear.filter(({ activation }) => activation === null);
  const input = joined.find(({ recurrent }) => recurrent.every((weights) => weights.every((one) => one === 0)));
  const state = joined.find(({ kernel }) => kernel.every((one) => one === 0));
  const inner = candidateOf(input, state?.recurrent[hidden], productInside(loop, evaluate), gates[0]);
  if (inner === undefined) return [];
  return [gates, gates.toReversed()].flatMap((ordered) =>
    innerActivations(loop).map(
      (activation): Candidate => ({
        kind: "GRU",
        gates: [...ordered, inner.input],
        activations: [activationOf(gates[0]), activation],
        candidate: { recurrent: inner.recurrent, bias: state?.bias },
        cell: undefined,
      }),
    ),
  );
}

/** A GRU's candidate: what of it is linear in the row, and the weights of the state, which may be those of the row and the state side by side. */
function candidateOf(
  input: LinearTensor | undefined,
  ofState: Float64Array | undefined,
  product: Product | undefined,
  { K: U, kernel: { length } }: LinearTensor,
): { readonly input: LinearTensor; readonly recurrent: Float64Array } | undefined {
  const recurrent = ofState ?? product?.weights;
  if (input !== undefined) return recurrent && { input, recurrent };
  if (product?.weights.length !== length + U * U) return undefined;
  const kernel = product.weights.subarray(0, length);
  return {
    input: { K: U, kernel, recurrent: [], bias: product.bias ?? new Float64Array(U), activation: null },
    recurrent: product.weights.subarray(length),
  };
}

/** A constant matrix that something computed is multiplied by, and the constant that is then added. */
interface Product {
  readonly weights: Float64Array;
  readonly bias: Float64Array | undefined;
}

/** The product of a GRU's candidate where the reset gate comes first. */
function productInside(loop: LoopBody, evaluate: EvaluateBody): Product | undefined {
  const status = statusesOf(loop);
  const { nodes } = loop.body;
  const product = nodes.find(
    ({ operator, inputs }) => operator === "MatMul" && status(inputs[0]) === "other" && status(inputs[1]) === "constant",
  );
  if (product === undefined) return undefined;
  const sum = nodes.find(({ operator, inputs }) => operator === "Add" && inputs.includes(product.outputs[0]));
  const added = sum?.inputs.find((name) => status(name) === "constant");
  const value = evaluate(loop.numbers);
  return { weights: value(product.inputs[1]).data, bias: added === undefined ? undefined : value(added).data };
}

/** Activations of what is not linear. */
function innerActivations(loop: LoopBody): Activation[] {
  const status = statusesOf(loop);
  const inner = loop.body.nodes.filter(({ operator, inputs }) => ACTIVATIONS.has(operator) && status(inputs[0]) === "other");
  return [...inner.map(({ operator, attributes }) => readActivation(operator, attributes)), { kind: "linear" }];
}

/** The candidate's weights as ONNX has them: (GU,W), (GU,U), (2GU). */
function weightsOf({ gates, candidate }: Candidate, hidden: number, W: number, U: number): StepWeights {
  const G = gates.length;
  const turn = (matrices: readonly Float64Array[], columns: number): Float64Array =>
    Float64Array.from(
      { length: G * U * columns },
      (_, k) => matrices[Math.floor(k / (U * columns))][(k % columns) * U + (Math.floor(k / columns) % U)],
    );
  const recurrent = gates.map((gate, g) => (candidate && g === 2 ? candidate.recurrent : gate.recurrent[hidden]));
  const b = new Float64Array(2 * G * U);
  for (const [g, { bias }] of gates.entries()) b.set(bias, g * U);
  if (candidate?.bias) b.set(candidate.bias, (G + 2) * U);
  return {
    w: turn(
      gates.map(({ kernel }) => kernel),
      W,
    ),
    r: turn(recurrent, U),
    b,
    F: W,
    U,
    G,
  };
}

/** Random rows and states, and what the body makes of them: where rows are valid, and where they are passed over. */
interface Probe {
  readonly rows: Float64Array;
  readonly states: readonly Float64Array[];
  readonly valid: (name: string) => Float64Array;
  readonly masked: ((name: string) => Float64Array) | undefined;
}

function probeBody(loop: LoopBody, W: number, evaluate: EvaluateBody): Probe {
  const random = createRandom(3, STREAMS.generatedData);
  const draw = (width: number): Tensor => ({
    dims: [PROBES, width],
    data: Float64Array.from({ length: PROBES * width }, () => random.normal()),
  });
  const [row, before] = [draw(W), loop.states.map(({ first }) => draw(first.dims[1]))];
  const run = (valid: number): ((name: string) => Float64Array) => {
    const value = runBody(loop, evaluate, row, before, valid);
    return (name) => value(name).data;
  };
  return { rows: row.data, states: before.map(({ data }) => data), valid: run(1), masked: loop.masks.length > 0 ? run(0) : undefined };
}

/** Which outputs are the candidate's state and cell state; undefined where the body computes something else than the candidate. */
function compare(
  { kind, activations, cell, candidate }: Candidate,
  weights: StepWeights,
  { results, states }: LoopBody,
  hidden: number,
  probe: Probe,
): LoopCell["outputs"] | undefined {
  const { U, F } = weights;
  const of = (values: Float64Array, width: number, n: number): Float64Array => values.subarray(n * width, (n + 1) * width);
  const next = { hidden: new Float64Array(PROBES * U), cell: new Float64Array(PROBES * U) };
  for (let n = 0; n < PROBES; n++) {
    const memory = cell === undefined ? new Float64Array(U) : of(probe.states[cell], U, n);
    const [h, c] = stepOf(
      kind,
      activations,
      candidate?.bias !== undefined,
      weights,
      of(probe.rows, F, n),
      of(probe.states[hidden], U, n),
      memory,
    );
    next.hidden.set(h, n * U);
    next.cell.set(c, n * U);
  }
  const isNear = (a: Float64Array, b: Float64Array): boolean =>
    a.length === b.length && a.every((value, k) => Math.abs(value - b[k]) <= TOLERANCE);
  const outputs = new Map<string, "hidden" | "cell">();
  for (const name of results) {
    const value = probe.valid(name);
    if (isNear(value, next.hidden)) outputs.set(name, "hidden");
    else if (cell !== undefined && isNear(value, next.cell)) outputs.set(name, "cell");
  }
  const isCell = outputs.get(states[hidden].output) === "hidden" && (cell === undefined || outputs.get(states[cell].output) === "cell");
  const staysMasked = states.every(({ output }, s) => !probe.masked || isNear(probe.masked(output), probe.states[s]));
  return isCell && staysMasked ? outputs : undefined;
}

function permute(items: readonly number[]): number[][] {
  return items.length === 0 ? [[]] : items.flatMap((item) => permute(items.filter((one) => one !== item)).map((rest) => [item, ...rest]));
}
