// Keras' LSTM: which settings quickstep can compute, its weights gate by gate, and its cell in float64.
// Definition: keras.io/api/layers/recurrent_layers/lstm, LSTMCell.call in keras/src/layers/rnn/lstm.py.
// Legend: F features, U units; gates i,f,c,o.
import { MAX_UNITS, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { activationName, describeLayer, type Layer, type PlanDraft, type Weights } from "./layer.ts";

/** One gate's kernel (F,U), recurrent kernel (U,U) and bias (U). */
export interface Gate {
  readonly kernel: Float64Array;
  readonly recurrent: Float64Array;
  readonly bias: Float64Array;
}
export type Gates = Readonly<Record<"i" | "f" | "c" | "o", Gate>>;

/** Settings that may not be true, and what to do about each. */
const FLAGS: readonly [key: string, fix: string][] = [
  ["return_sequences", `quickstep reads the last state of one LSTM; ${SECOND_ENGINE}`],
  ["return_state", `quickstep reads the last state of one LSTM; ${SECOND_ENGINE}`],
  ["stateful", "scores would depend on earlier ones: save a model with stateful=False"],
  ["time_major", "save a model with sequences first"],
];

/** Adds the LSTM to the draft. Throws DataError naming a setting that quickstep cannot compute. */
export function addLstm(draft: PlanDraft, layer: Layer, source: string): void {
  const { config } = layer;
  const what = describeLayer(layer);
  const activation = activationName(config.activation ?? "tanh");
  if (activation !== "tanh") rejectFile(source, `${what} has the activation ${activation}`, "quickstep's kernel computes tanh there");
  const recurrent = activationName(config.recurrent_activation ?? config.inner_activation ?? "sigmoid");
  if (recurrent !== "sigmoid" && recurrent !== "hard_sigmoid")
    rejectFile(source, `${what} has the recurrent activation ${recurrent}`, "quickstep's kernel computes sigmoid and hard_sigmoid there");
  for (const [key, fix] of FLAGS) if (config[key] === true) rejectFile(source, `${what} has ${key}=True`, fix);
  draft.lstm = layer;
}

/** The weights, gate by gate. Throws DataError where shapes do not fit the layer's units. */
export function readGates(layer: Layer, weights: readonly Weights[], source: string): { gates: Gates; F: number; U: number } {
  const units = layer.config.units ?? layer.config.output_dim;
  const U = Number(units);
  if (!Number.isInteger(U) || U < 1 || U > MAX_UNITS)
    rejectFile(source, `${describeLayer(layer)} has ${units} units`, `expected 1 to ${MAX_UNITS}`);
  const F = weights[0]?.shape[0] ?? 0;
  const expect = (k: number, shape: number[]): Float64Array => expectShape(layer, weights[k], shape, source);
  const gates =
    weights.length === SEPARATE_ARRAYS ? separateGates(expect, F, U) : stackedGates(expect, F, U, layer.config.use_bias !== false);
  return { gates, F, U };
}

/** Keras 1 apart from consume_less="gpu" stores W, U and b of each gate. */
const SEPARATE_ARRAYS = 12;

type Expect = (k: number, shape: number[]) => Float64Array;

/** In the order i, c, f, o. */
function separateGates(expect: Expect, F: number, U: number): Gates {
  const gate = (k: number): Gate => ({
    kernel: expect(3 * k, [F, U]),
    recurrent: expect(3 * k + 1, [U, U]),
    bias: expect(3 * k + 2, [U]),
  });
  return { i: gate(0), c: gate(1), f: gate(2), o: gate(3) };
}

/** Kernel (F,4U), recurrent kernel (U,4U) and bias (4U), in the order i, f, c, o. */
function stackedGates(expect: Expect, F: number, U: number, hasBias: boolean): Gates {
  const kernel = expect(0, [F, 4 * U]);
  const recurrent = expect(1, [U, 4 * U]);
  const bias = hasBias ? expect(2, [4 * U]) : new Float64Array(4 * U);
  const part = (matrix: Float64Array, k: number): Float64Array => matrix.filter((_, at) => Math.floor((at % (4 * U)) / U) === k);
  const gate = (k: number): Gate => ({ kernel: part(kernel, k), recurrent: part(recurrent, k), bias: part(bias, k) });
  return { i: gate(0), f: gate(1), c: gate(2), o: gate(3) };
}

function expectShape(layer: Layer, weights: Weights | undefined, shape: number[], source: string): Float64Array {
  if (weights === undefined || JSON.stringify(weights.shape) !== JSON.stringify(shape))
    return rejectFile(
      source,
      `${describeLayer(layer)} has weights of shape ${weights ? `(${weights.shape.join(", ")})` : "none"}, expected (${shape.join(", ")})`,
      "the file is damaged, or saved without its weights: save the whole model",
    );
  return weights.data;
}

/** Four (rows,U) → (rows,4U) in gates i,f,c,o, as float32. */
export function interleave(gates: Gates, key: keyof Gate, rows: number, U: number): Float32Array {
  const out = new Float32Array(rows * 4 * U);
  for (const [k, gate] of [gates.i, gates.f, gates.c, gates.o].entries())
    for (let row = 0; row < rows; row++) for (let u = 0; u < U; u++) out[row * 4 * U + k * U + u] = gate[key][row * U + u];
  return out;
}

/** LSTMCell.call: i, f, o by the recurrent activation, the candidate by tanh. `x` (F), `h` and `c` (U) → the next `h` and `c`. */
export function step(
  gates: Gates,
  hardGates: number | null,
  x: Float64Array,
  h: Float64Array,
  c: Float64Array,
): [h: Float64Array, c: Float64Array] {
  const U = h.length;
  const recurrent = (z: number): number => (hardGates === null ? sigmoid(z) : Math.max(0, Math.min(1, hardGates * z + 0.5)));
  const z = ({ kernel, recurrent: matrix, bias }: Gate, u: number): number => {
    let sum = bias[u];
    for (let f = 0; f < x.length; f++) sum += x[f] * kernel[f * U + u];
    for (let v = 0; v < U; v++) sum += h[v] * matrix[v * U + u];
    return sum;
  };
  const cell = c.map((before, u) => recurrent(z(gates.f, u)) * before + recurrent(z(gates.i, u)) * Math.tanh(z(gates.c, u)));
  return [h.map((_, u) => recurrent(z(gates.o, u)) * Math.tanh(cell[u])), cell];
}
