// ONNX' LSTM, GRU and RNN as recurrent layers.
// Legend: T steps, N sequences, D directions, W width, U units; gates i,o,f,c and z,r,h in ONNX, i,f,c,o and z,r,h here.
import type { DraftCell, DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { codeOf, extend, type Flow, type Traced, type TracedNode, unlike } from "./flow.ts";
import type { Tensor } from "./operators/node.ts";
import { checkUnits, type RecurrentKind, type RecurrentSettings, readRecurrentSettings } from "./operators/recurrent.ts";
import { at, build } from "./operators/tensors.ts";

/** ONNX' gates in our order. */
const ORDER: Readonly<Record<RecurrentKind, readonly number[]>> = { LSTM: [0, 2, 3, 1], GRU: [0, 1, 2], RNN: [0] };

/** What a recurrent layer is made of, in ONNX' layout. */
export interface RecurrentNumbers {
  /** (D,GU,W), (D,GU,U), (D,2GU) */
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b: Tensor | undefined;
  /** (D,N,U) before the first step, or (N,D,U) with layout 1. */
  readonly hidden: Tensor | undefined;
  readonly cell: Tensor | undefined;
}

/** The flows that a recurrent layer leaves: all steps, the last state, the last cell state. */
export interface RecurrentFlows {
  readonly sequence: Flow;
  readonly state: Flow;
  readonly cell: Flow;
}

/** A recurrent layer over the rows of `traced`. Throws OperatorError for what is no layer that quickstep runs. */
export function recurrentFlows(
  kind: RecurrentKind,
  traced: Traced,
  settings: RecurrentSettings,
  numbers: RecurrentNumbers,
): RecurrentFlows {
  const { w, r, b, hidden, cell } = numbers;
  const [D, G, U] = [settings.directions.length, ORDER[kind].length, r.dims[2]];
  const W = traced.flow.W;
  if (String(w.dims) !== String([D, G * U, W]) || String(r.dims) !== String([D, G * U, U]) || !(U >= 1 && U <= MAX_UNITS))
    return unlike(`has W (${w.dims.join(", ")}) and R (${r.dims.join(", ")}) for rows of ${W} numbers, 1 to ${MAX_UNITS} units`);
  checkUnits(settings, U);
  const isTurned = checkRows(traced, settings);
  const cells = settings.directions.map((_, d) =>
    cellOf(
      kind,
      settings,
      d,
      { w, r, b, W, U },
      [hidden, cell].map((state) => initialOf(state, d, settings, U)),
    ),
  );
  const turn: DraftLayer[] = isTurned ? [{ kind: "reverse" }] : [];
  const flowOf = (returns: "sequence" | "state" | "cell"): Flow => {
    const layer: DraftLayer =
      D === 2
        ? { kind: "bidirectional", forward: cells[0], backward: cells[1], merge: "concat", returns }
        : { kind: "recurrent", cell: cells[0], ...(settings.directions[0] === "reverse" && { backwards: true }), returns };
    return extend(traced.flow, [...turn, layer], returns === "sequence" ? traced.flow.R : 1);
  };
  const sequence = flowOf("sequence");
  const by = D === 2 ? "ends" : settings.directions[0] === "reverse" ? "first" : "last";
  const state: Flow = { ...flowOf("state"), pooled: { of: sequence, by: [by] } };
  return { sequence, state, cell: kind === "LSTM" ? flowOf("cell") : state };
}

/** Y, Y_h and Y_c, each a flow of its own. Throws OperatorError for what is no layer that quickstep runs. */
export function traceRecurrent(kind: RecurrentKind, { node, inputs, constant }: TracedNode): readonly Traced[] {
  const settings = readRecurrentSettings(kind, node.attributes);
  if (inputs.some((input, k) => k > 0 && input !== undefined)) unlike("computes its weights, lengths or first state from the sequences");
  if (node.inputs[7] && constant(7)!.data.some((weight) => weight !== 0)) unlike("has peepholes (P)");
  const traced = inputs[0]!;
  const [b, hidden, first] = [3, 5, 6].map((k) => (node.inputs[k] ? constant(k) : undefined));
  const { sequence, state, cell } = recurrentFlows(kind, traced, settings, { w: constant(1)!, r: constant(2)!, b, hidden, cell: first });
  const { batchFirst } = settings;
  const [D, U, T, N] = [settings.directions.length, constant(2)!.dims[2], traced.flow.R, traced.codes.dims[batchFirst ? 0 : 1]];
  const lastOf = (flow: Flow): Traced => ({
    flow,
    codes: build(batchFirst ? [N, D, U] : [D, N, U], ([a, c, u]) => codeOf(flow, batchFirst ? a : c, 0, (batchFirst ? c : a) * U + u)),
  });
  const y: Traced = {
    flow: sequence,
    codes: build(batchFirst ? [N, T, D, U] : [T, D, N, U], (index) => {
      const [n, t, d, u] = batchFirst ? index : [index[2], index[0], index[1], index[3]];
      return codeOf(sequence, n, t, d * U + u);
    }),
  };
  return [y, lastOf(state), ...(kind === "LSTM" ? [lastOf(cell)] : [])];
}

/** Whether rows come from the last to the first. Throws OperatorError where they are not the rows of the flow. */
function checkRows({ flow, codes }: Traced, { batchFirst }: RecurrentSettings): boolean {
  const [N, T] = batchFirst ? codes.dims : [codes.dims[1], codes.dims[0]];
  const place = (n: number, t: number, w: number): number => at(codes, batchFirst ? [n, t, w] : [t, n, w]);
  const fits = (rowAt: (t: number) => number): boolean => {
    for (let n = 0; n < N; n++)
      for (let t = 0; t < T; t++) for (let w = 0; w < flow.W; w++) if (place(n, t, w) !== codeOf(flow, n, rowAt(t), w)) return false;
    return true;
  };
  if (T !== flow.R || codes.dims[2] !== flow.W) return unlike("takes other rows than the layer in front leaves");
  if (fits((t) => t)) return false;
  return fits((t) => T - 1 - t) || unlike("takes rows in another order, or of other sequences");
}

interface Weights {
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b: Tensor | undefined;
  readonly W: number;
  readonly U: number;
}

function cellOf(
  kind: RecurrentKind,
  settings: RecurrentSettings,
  d: number,
  { w, r, b, W, U }: Weights,
  [initialHidden, initialCell]: readonly (Float64Array | undefined)[],
): DraftCell {
  const G = ORDER[kind].length;
  const row = (g: number, u: number): number => ORDER[kind][g] * U + u;
  const turn = ({ data }: Tensor, columns: number): Float64Array =>
    Float64Array.from({ length: columns * G * U }, (_, k) => {
      const [column, g, u] = [Math.floor(k / (G * U)), Math.floor((k % (G * U)) / U), k % U];
      return data[(d * G * U + row(g, u)) * columns + column];
    });
  const bias = (half: 0 | 1, g: number, u: number): number => (b ? b.data[(2 * d + half) * G * U + row(g, u)] : 0);
  const hasOwnBias = kind === "GRU" && settings.linearBeforeReset;
  const sums = Float64Array.from({ length: G * U }, (_, k) => {
    const [g, u] = [Math.floor(k / U), k % U];
    return bias(0, g, u) + (hasOwnBias && g === 2 ? 0 : bias(1, g, u));
  });
  const shared = { units: U, kernel: turn(w, W), recurrent: turn(r, U), bias: sums, ...(initialHidden && { initialHidden }) };
  const [gate, candidate, output] = settings.activations[d];
  const recurrentActivation = gate.kind === "sigmoid" ? {} : { recurrentActivation: gate };
  const activationIn = (one: typeof gate) => (one.kind === "tanh" ? {} : { activation: one });
  if (kind === "RNN") return { cell: "rnn", ...shared, ...activationIn(gate) };
  if (kind === "GRU")
    return {
      cell: "gru",
      ...shared,
      ...(hasOwnBias && { recurrentBias: Float64Array.from({ length: U }, (_, u) => bias(1, 2, u)) }),
      ...recurrentActivation,
      ...activationIn(candidate),
    };
  if (JSON.stringify(candidate) !== JSON.stringify(output))
    return unlike(`has the activations ${candidate.kind} and ${output.kind} for candidate and output`);
  return { cell: "lstm", ...shared, ...(initialCell && { initialCell }), ...recurrentActivation, ...activationIn(candidate) };
}

/** (U) of a state before the first step, undefined where it is zero. Throws OperatorError where sequences start differently. */
function initialOf(state: Tensor | undefined, d: number, { batchFirst }: RecurrentSettings, U: number): Float64Array | undefined {
  if (state === undefined) return undefined;
  const N = state.dims[batchFirst ? 0 : 1];
  const of = (n: number, u: number): number => at(state, batchFirst ? [n, d, u] : [d, n, u]);
  const first = Float64Array.from({ length: U }, (_, u) => of(0, u));
  for (let n = 1; n < N; n++) for (let u = 0; u < U; u++) if (of(n, u) !== first[u]) unlike("starts sequences from different states");
  return first.every((value) => value === 0) ? undefined : first;
}
