// ONNX' LSTM in float64, from its definition (github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM, equations of the default
// activations), and what of it can be imported. Knows no graph.
// Legend: T steps, N sequences, F inputs, U units; gates i,o,f,c.
import { sigmoid } from "../../contract/imported-network.ts";
import { rejectFile } from "../../contract/reject-file.ts";
import { type Node, numbersOf, type Tensor, textsOf } from "./node.ts";

export interface LstmInputs {
  /** (T,N,F), or (N,T,F) with layout 1. */
  readonly x: Tensor;
  /** (1,4U,F), (1,4U,U), (1,8U) */
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b?: Tensor;
  /** (N) */
  readonly lengths?: Tensor;
  /** (1,N,U), or (N,1,U) with layout 1. */
  readonly hidden?: Tensor;
  readonly cell?: Tensor;
}

export interface LstmSettings {
  readonly reverse: boolean;
  readonly batchFirst: boolean;
  /** Slope of HardSigmoid in the gates, null for Sigmoid. */
  readonly hardGates: number | null;
}

/** Throws DataError naming what the kernel cannot compute. */
export function settingsOf({ name, attributes }: Node, source: string): LstmSettings {
  const what = `the LSTM ${name}`.trimEnd();
  const direction = attributes.get("direction") ?? "forward";
  if (direction !== "forward" && direction !== "reverse")
    rejectFile(source, `${what} is ${direction}`, "two directions would take a second LSTM: train with one");
  if (attributes.has("clip"))
    rejectFile(
      source,
      `${what} clips its cell input at ${attributes.get("clip")} (clip)`,
      "quickstep's kernel does not clip: train without",
    );
  if (attributes.get("input_forget"))
    rejectFile(source, `${what} couples its input and forget gates (input_forget)`, "quickstep's kernel has both gates");
  const activations = textsOf(attributes.get("activations")) ?? ["Sigmoid", "Tanh", "Tanh"];
  const [gate, candidate, output] = activations.map((activation) => activation.toLowerCase());
  if (activations.length !== 3 || !/^(hard)?sigmoid$/.test(gate) || candidate !== "tanh" || output !== "tanh")
    rejectFile(
      source,
      `${what} has the activations ${activations.join(", ")}`,
      "quickstep's kernel computes Sigmoid or HardSigmoid, Tanh, Tanh",
    );
  const [alpha] = numbersOf(attributes.get("activation_alpha")) ?? [0.2];
  const [beta] = numbersOf(attributes.get("activation_beta")) ?? [0.5];
  if (gate === "hardsigmoid" && !(alpha > 0 && beta === 0.5))
    rejectFile(
      source,
      `${what} has a HardSigmoid of ${alpha} · x + ${beta}`,
      "quickstep's kernel computes slopes above 0 and 0.5 in the middle",
    );
  // Float32 cannot hold these two: what was meant is known.
  const slope = [0.2, 1 / 6].find((exact) => Math.fround(exact) === alpha) ?? alpha;
  return { reverse: direction === "reverse", batchFirst: attributes.get("layout") === 1, hardGates: gate === "hardsigmoid" ? slope : null };
}

/** Y (T,1,N,U), Y_h (1,N,U), Y_c (1,N,U); with layout 1 (N,T,1,U), (N,1,U), (N,1,U). */
export function runLstm({ x, w, r, b, lengths, hidden, cell }: LstmInputs, { reverse, batchFirst, hardGates }: LstmSettings): Tensor[] {
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
