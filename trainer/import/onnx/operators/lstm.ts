// ONNX' LSTM in float64, from its definition (github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM, equations of the default
// activations), and what of it can be imported. Knows no graph.
// Legend: T steps, N sequences, F inputs, U units; gates i,o,f,c.
import { sigmoid } from "../../contract/imported-network.ts";
import type { Tensor } from "./node.ts";
import { type Attributes, anything, number, numbers, OperatorError, operator, readAttributes, texts, type ValuesOf } from "./operator.ts";

export interface LstmSettings {
  readonly reverse: boolean;
  readonly batchFirst: boolean;
  /** Slope of HardSigmoid in the gates, null for Sigmoid. */
  readonly hardGates: number | null;
}

const ATTRIBUTES = {
  direction: anything,
  clip: anything,
  input_forget: anything,
  activations: texts,
  activation_alpha: numbers,
  activation_beta: numbers,
  layout: number(0),
};
/** ONNX' defaults of HardSigmoid. */
const [HARD_SIGMOID_ALPHA, HARD_SIGMOID_BETA] = [0.2, 0.5];

export const LSTM = operator({
  inputs: ["X", "W", "R", "B?", "sequence_lens?", "initial_h?", "initial_c?"],
  attributes: ATTRIBUTES,
  evaluate: ([x, w, r, b, lengths, hidden, cell], attributes) => runLstm({ x, w, r, b, lengths, hidden, cell }, settingsOf(attributes)),
});

/** The settings in a node's attributes. Throws OperatorError naming what the kernel cannot compute. */
export function readLstmSettings(attributes: Attributes): LstmSettings {
  return settingsOf(readAttributes(ATTRIBUTES, attributes));
}

function settingsOf({ direction = "forward", clip, input_forget, layout, ...rest }: ValuesOf<typeof ATTRIBUTES>): LstmSettings {
  if (direction !== "forward" && direction !== "reverse")
    throw new OperatorError(`is ${direction}`, "two directions would take a second LSTM: train with one");
  if (clip !== undefined)
    throw new OperatorError(`clips its cell input at ${clip} (clip)`, "quickstep's kernel does not clip: train without");
  if (input_forget) throw new OperatorError("couples its input and forget gates (input_forget)", "quickstep's kernel has both gates");
  return { reverse: direction === "reverse", batchFirst: layout === 1, hardGates: hardGatesOf(rest) };
}

function hardGatesOf({
  activations = ["Sigmoid", "Tanh", "Tanh"],
  activation_alpha: [alpha] = [HARD_SIGMOID_ALPHA],
  activation_beta: [beta] = [HARD_SIGMOID_BETA],
}: Pick<ValuesOf<typeof ATTRIBUTES>, "activations" | "activation_alpha" | "activation_beta">): number | null {
  const [gate, candidate, output] = activations.map((activation) => activation.toLowerCase());
  if (activations.length !== 3 || !/^(hard)?sigmoid$/.test(gate) || candidate !== "tanh" || output !== "tanh")
    throw new OperatorError(
      `has the activations ${activations.join(", ")}`,
      "quickstep's kernel computes Sigmoid or HardSigmoid, Tanh, Tanh",
    );
  if (gate === "sigmoid") return null;
  if (!(alpha > 0 && beta === 0.5))
    throw new OperatorError(
      `has a HardSigmoid of ${alpha} · x + ${beta}`,
      "quickstep's kernel computes slopes above 0 and 0.5 in the middle",
    );
  // Float32 cannot hold these two: what was meant is known.
  return [0.2, 1 / 6].find((exact) => Math.fround(exact) === alpha) ?? alpha;
}

interface LstmInputs {
  /** (T,N,F), or (N,T,F) with layout 1. */
  readonly x: Tensor;
  /** (1,4U,F), (1,4U,U), (1,8U) */
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b: Tensor | undefined;
  /** (N) */
  readonly lengths: Tensor | undefined;
  /** (1,N,U), or (N,1,U) with layout 1. */
  readonly hidden: Tensor | undefined;
  readonly cell: Tensor | undefined;
}

/** Y (T,1,N,U), Y_h (1,N,U), Y_c (1,N,U); with layout 1 (N,T,1,U), (N,1,U), (N,1,U). */
function runLstm({ x, w, r, b, lengths, hidden, cell }: LstmInputs, { reverse, batchFirst, hardGates }: LstmSettings): Tensor[] {
  const [T, N] = batchFirst ? [x.dims[1], x.dims[0]] : x.dims;
  const F = x.dims[2];
  const U = r.dims[2];
  const gate = (z: number): number => (hardGates === null ? sigmoid(z) : Math.max(0, Math.min(1, hardGates * z + 0.5)));
  const y = new Float64Array(T * N * U);
  const lastH = new Float64Array(N * U);
  const lastC = new Float64Array(N * U);
  for (let n = 0; n < N; n++) {
    const L = lengths ? lengths.data[n] : T;
    if (!(L >= 0 && L <= T)) throw new RangeError(`a length of ${L} for ${T} steps`);
    // For one sequence the state lies alike in both layouts.
    let h = Float64Array.from({ length: U }, (_, u) => hidden?.data[n * U + u] ?? 0);
    const c = Float64Array.from({ length: U }, (_, u) => cell?.data[n * U + u] ?? 0);
    for (let step = 0; step < L; step++) {
      const t = reverse ? L - 1 - step : step;
      const from = (batchFirst ? n * T + t : t * N + n) * F;
      const z = Float64Array.from({ length: 4 * U }, (_, g) => {
        let sum = b ? b.data[g] + b.data[4 * U + g] : 0;
        for (let f = 0; f < F; f++) sum += x.data[from + f] * w.data[g * F + f];
        for (let v = 0; v < U; v++) sum += h[v] * r.data[g * U + v];
        return sum;
      });
      h = h.map((_, u) => {
        c[u] = gate(z[2 * U + u]) * c[u] + gate(z[u]) * Math.tanh(z[3 * U + u]);
        return gate(z[U + u]) * Math.tanh(c[u]);
      });
      y.set(h, (batchFirst ? n * T + t : t * N + n) * U);
    }
    lastH.set(h, n * U);
    lastC.set(c, n * U);
  }
  const last = batchFirst ? [N, 1, U] : [1, N, U];
  return [
    { dims: batchFirst ? [N, T, 1, U] : [T, 1, N, U], data: y },
    { dims: last, data: lastH },
    { dims: last, data: lastC },
  ];
}
