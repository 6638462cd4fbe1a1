// ONNX' LSTM, GRU and RNN in float64, forward, reverse and both (github.com/onnx/onnx/blob/main/docs/Operators.md, equations of each). Knows
// no graph.
// Legend: T steps, N sequences, D directions, F inputs, U units, G gates: i,o,f,c of an LSTM, z,r,h of a GRU.

import type { Activation } from "../../../../shared/networks/activation.ts";
import { evaluateActivation } from "../../contract/activations.ts";
import { SECOND_ENGINE } from "../../contract/reject-file.ts";
import { takeActivation } from "./named-activation.ts";
import type { Tensor } from "./node.ts";
import {
  type Attributes,
  anything,
  number,
  numbers,
  type Operator,
  OperatorError,
  operator,
  readAttributes,
  texts,
  type ValuesOf,
} from "./operator.ts";

export type RecurrentKind = "LSTM" | "GRU" | "RNN";

export interface RecurrentSettings {
  readonly directions: readonly ("forward" | "reverse")[];
  readonly batchFirst: boolean;
  /** For each direction: of gates, candidate, output; a GRU has two of them, an RNN one. */
  readonly activations: readonly (readonly Activation[])[];
  /** Of a GRU: whether the recurrent weights come before the reset gate. */
  readonly linearBeforeReset: boolean;
  /** U as the node says it; 0 where it does not. */
  readonly hiddenSize?: number;
}

const ATTRIBUTES = {
  direction: anything,
  clip: anything,
  input_forget: anything,
  activations: texts,
  activation_alpha: numbers,
  activation_beta: numbers,
  layout: number(0),
  linear_before_reset: number(0),
  hidden_size: number(0),
};
const DEFAULTS: Readonly<Record<RecurrentKind, readonly string[]>> = {
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
  RNN: ["Tanh"],
};
const GATES: Readonly<Record<RecurrentKind, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

/** The settings in a node's attributes. Throws OperatorError naming what is not computed. */
export function readRecurrentSettings(kind: RecurrentKind, attributes: Attributes): RecurrentSettings {
  return settingsOf(kind, readAttributes(ATTRIBUTES, attributes));
}

function settingsOf(kind: RecurrentKind, values: ValuesOf<typeof ATTRIBUTES>): RecurrentSettings {
  const { direction = "forward", clip, input_forget, layout, linear_before_reset, activations = [] } = values;
  if (direction !== "forward" && direction !== "reverse" && direction !== "bidirectional")
    throw new OperatorError(`has the direction ${String(direction)}`, SECOND_ENGINE);
  if (clip !== undefined) throw new OperatorError(`clips its cell input at ${clip} (clip)`, SECOND_ENGINE);
  if (input_forget) throw new OperatorError("couples its input and forget gates (input_forget)", SECOND_ENGINE);
  const directions = direction === "bidirectional" ? (["forward", "reverse"] as const) : ([direction] as const);
  const count = DEFAULTS[kind].length;
  const [alpha, beta] = [[...(values.activation_alpha ?? [])], [...(values.activation_beta ?? [])]];
  const named = activations.length > 0 ? activations : directions.flatMap(() => DEFAULTS[kind]);
  if (named.length !== count * directions.length) throw new OperatorError(`has ${named.length} activations`, SECOND_ENGINE);
  const read = named.map((name) => takeActivation(name, alpha, beta));
  return {
    directions,
    batchFirst: layout === 1,
    linearBeforeReset: linear_before_reset === 1,
    hiddenSize: values.hidden_size,
    activations: directions.map((_, d) => read.slice(d * count, (d + 1) * count)),
  };
}

/** Throws OperatorError where the node says another number of units than its weights have. */
export function checkUnits({ hiddenSize = 0 }: RecurrentSettings, U: number): void {
  if (hiddenSize !== 0 && hiddenSize !== U)
    throw new OperatorError(
      `says hidden_size ${hiddenSize}, but its weights R are of ${U} units`,
      "the file is damaged: export the model again",
    );
}

function recurrent(kind: RecurrentKind): Operator {
  return operator({
    inputs: ["X", "W", "R", "B?", "sequence_lens?", "initial_h?", "initial_c?"],
    attributes: ATTRIBUTES,
    evaluate: ([x, w, r, b, lengths, hidden, cell], attributes) =>
      run(kind, { x, w, r, b, lengths, hidden, cell }, settingsOf(kind, attributes)),
  });
}

export const RECURRENT_OPERATORS: Readonly<Record<RecurrentKind, Operator>> = {
  LSTM: recurrent("LSTM"),
  GRU: recurrent("GRU"),
  RNN: recurrent("RNN"),
};

interface Inputs {
  /** (T,N,F), or (N,T,F) with layout 1. */
  readonly x: Tensor;
  /** (D,GU,F), (D,GU,U), (D,2GU) */
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b: Tensor | undefined;
  /** (N) */
  readonly lengths: Tensor | undefined;
  /** (D,N,U), or (N,D,U) with layout 1. */
  readonly hidden: Tensor | undefined;
  readonly cell: Tensor | undefined;
}

/** Y (T,D,N,U), Y_h (D,N,U), Y_c (D,N,U); with layout 1 (N,T,D,U), (N,D,U), (N,D,U). */
function run(kind: RecurrentKind, { x, w, r, b, lengths, hidden, cell }: Inputs, settings: RecurrentSettings): Tensor[] {
  const { directions, batchFirst } = settings;
  const [T, N] = batchFirst ? [x.dims[1], x.dims[0]] : x.dims;
  const [F, U, D, G] = [x.dims[2], r.dims[2], directions.length, GATES[kind]];
  if (w.dims[0] !== D || w.dims[1] !== G * U || w.dims[2] !== F || r.dims[1] !== G * U)
    throw new RangeError(`W (${w.dims}) and R (${r.dims})`);
  const y = new Float64Array(T * D * N * U);
  const [lastH, lastC] = [new Float64Array(D * N * U), new Float64Array(D * N * U)];
  const stateAt = (d: number, n: number): number => (batchFirst ? n * D + d : d * N + n) * U;
  for (const [d, direction] of directions.entries())
    for (let n = 0; n < N; n++) {
      const L = lengths ? lengths.data[n] : T;
      if (!(L >= 0 && L <= T)) throw new RangeError(`a length of ${L} for ${T} steps`);
      const initial = (state: Tensor | undefined): Float64Array =>
        Float64Array.from({ length: U }, (_, u) => state?.data[stateAt(d, n) + u] ?? 0);
      let [h, c] = [initial(hidden), initial(cell)];
      for (let step = 0; step < L; step++) {
        const t = direction === "reverse" ? L - 1 - step : step;
        const row = x.data.subarray((batchFirst ? n * T + t : t * N + n) * F, (batchFirst ? n * T + t : t * N + n) * F + F);
        [h, c] = stepOf(
          kind,
          settings.activations[d],
          settings.linearBeforeReset,
          { w: w.data.subarray(d * G * U * F), r: r.data.subarray(d * G * U * U), b: b?.data.subarray(d * 2 * G * U), F, U, G },
          row,
          h,
          c,
        );
        y.set(h, (batchFirst ? (n * T + t) * D + d : (t * D + d) * N + n) * U);
      }
      lastH.set(h, stateAt(d, n));
      lastC.set(c, stateAt(d, n));
    }
  const last = batchFirst ? [N, D, U] : [D, N, U];
  return [
    { dims: batchFirst ? [N, T, D, U] : [T, D, N, U], data: y },
    { dims: last, data: lastH },
    ...(kind === "LSTM" ? [{ dims: last, data: lastC }] : []),
  ];
}

/** Of one direction: (GU,F), (GU,U) and (2GU), gates in ONNX' order. */
export interface StepWeights {
  readonly w: Float64Array;
  readonly r: Float64Array;
  readonly b: Float64Array | undefined;
  readonly F: number;
  readonly U: number;
  readonly G: number;
}

/** One step: the next state and cell state (U). `functions` as RecurrentSettings has them for a direction. */
export function stepOf(
  kind: RecurrentKind,
  functions: readonly Activation[],
  linearBeforeReset: boolean,
  { w, r, b, F, U, G }: StepWeights,
  x: Float64Array,
  h: Float64Array,
  c: Float64Array,
): [Float64Array, Float64Array] {
  const input = (g: number, u: number): number => {
    const at = g * U + u;
    let sum = b ? b[at] : 0;
    for (let f = 0; f < F; f++) sum += x[f] * w[at * F + f];
    return sum;
  };
  const state = (g: number, u: number, from: Float64Array): number => {
    const at = g * U + u;
    let sum = b ? b[G * U + at] : 0;
    for (let v = 0; v < U; v++) sum += from[v] * r[at * U + v];
    return sum;
  };
  const [f, g, o] = functions.map((activation) => (z: number) => evaluateActivation(activation, z));
  if (kind === "RNN") return [h.map((_, u) => f(input(0, u) + state(0, u, h))), c];
  if (kind === "LSTM") {
    const next = c.map(
      (memory, u) => f(input(2, u) + state(2, u, h)) * memory + f(input(0, u) + state(0, u, h)) * g(input(3, u) + state(3, u, h)),
    );
    return [next.map((memory, u) => f(input(1, u) + state(1, u, h)) * o(memory)), next];
  }
  const reset = h.map((_, u) => f(input(1, u) + state(1, u, h)));
  const kept = h.map((value, u) => value * reset[u]);
  const candidate = (u: number): number => g(input(2, u) + (linearBeforeReset ? reset[u] * state(2, u, h) : state(2, u, kept)));
  return [
    h.map((before, u) => {
      const z = f(input(0, u) + state(0, u, h));
      return (1 - z) * candidate(u) + z * before;
    }),
    c,
  ];
}
