// Recurrent cells as ONNX nodes: LSTM, GRU, RNN, one direction each.
// github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM, #GRU, #RNN
// Legend: N sequences, R rows, W width, U units, G gates.
import { ArtifactError } from "../../../shared/errors.ts";
import type { Activation } from "../../../shared/networks/activation.ts";
import { activationsOf, type Cell, GATES, type Returns } from "../../../shared/networks/layers.ts";
import type { Builder } from "./builder.ts";
import { floatList, int, ints, node, raw, string, strings } from "./graph.ts";
import { type AttributeProto, FLOAT } from "./schema.ts";

const OPERATORS = { lstm: "LSTM", gru: "GRU", rnn: "RNN" } as const;
/** ONNX' gates, i,o,f,c and z,r,h, as indices into ours. */
export const ONNX_GATES = { lstm: [0, 3, 1, 2], gru: [0, 1, 2], rnn: [0] } as const;

/** What ONNX' recurrent operators know: name, alpha and beta of those that have them. The operators take them one after the other. */
const FUNCTIONS: Readonly<Partial<Record<Activation["kind"], (activation: Activation) => [name: string, alpha?: number, beta?: number]>>> =
  {
    linear: () => ["Affine", 1, 0],
    relu: () => ["Relu"],
    tanh: () => ["Tanh"],
    sigmoid: () => ["Sigmoid"],
    softsign: () => ["Softsign"],
    softplus: () => ["Softplus"],
    leakyRelu: (activation) => ["LeakyRelu", (activation as { alpha: number }).alpha],
    elu: (activation) => ["Elu", (activation as { alpha: number }).alpha],
    hardSigmoid: (activation) => ["HardSigmoid", (activation as { slope: number }).slope, 0.5],
  };

/**
 * What a cell returns of `steps` (R,N,W), each sequence of its own length: rows (N,R,U), or one (N,1,U). Throws ArtifactError where ONNX'
 * operator has no such activation. Names of its weights begin with `name`.
 */
export function buildCell(
  build: Builder,
  cell: Cell,
  name: string,
  steps: string,
  lengths: string,
  { backwards, returns }: { readonly backwards: boolean; readonly returns: Returns },
): string {
  const { op } = build;
  const { cell: kind, units: U } = cell;
  const weights = cellWeights(build, cell, name);
  const states = initialStates(build, cell, name, lengths);
  const outputs = ["sequence", "state", "cell"].map((what) => `${what}${build.nodes.length}`).slice(0, kind === "lstm" ? 3 : 2);
  build.nodes.push(node(OPERATORS[kind], [steps, ...weights, lengths, ...states], outputs, ...cellAttributes(cell, backwards)));
  if (returns !== "sequence") return op("Transpose", [outputs[returns === "cell" ? 2 : 1]], [ints("perm", [1, 0, 2])]);
  return op("Reshape", [op("Transpose", [outputs[0]], [ints("perm", [2, 0, 1, 3])]), build.indices(0, 0, U)]); // (N,R,1,U) → (N,R,U)
}

function cellAttributes(cell: Cell, backwards: boolean): AttributeProto[] {
  const { activation, recurrentActivation: gates } = activationsOf(cell);
  const used: Activation[] = { lstm: [gates, activation, activation], gru: [gates, activation], rnn: [activation] }[cell.cell];
  const isDefault = activation.kind === "tanh" && gates.kind === "sigmoid";
  const functions = used.map((one) => {
    const found = FUNCTIONS[one.kind]?.(one);
    if (found === undefined) throw new ArtifactError(`has a cell with ${one.kind}, which ONNX' ${OPERATORS[cell.cell]} does not know`);
    return found;
  });
  return [
    int("hidden_size", cell.units),
    ...(backwards ? [string("direction", "reverse")] : []),
    ...(cell.cell === "gru" ? [int("linear_before_reset", cell.recurrentBias === undefined ? 0 : 1)] : []),
    ...(isDefault ? [] : functionAttributes(functions)),
  ];
}

function functionAttributes(functions: readonly [name: string, alpha?: number, beta?: number][]): AttributeProto[] {
  const given = (at: 1 | 2): number[] => functions.map((one) => one[at]).filter((x) => x !== undefined);
  const names = functions.map(([name]) => name);
  return [strings("activations", names), floatList("activation_alpha", given(1)), floatList("activation_beta", given(2))];
}

/** W (1,GU,W), R (1,GU,U), B (1,2GU). */
function cellWeights(build: Builder, cell: Cell, name: string): string[] {
  const { units: U, kernel, recurrent, bias } = cell;
  const G = GATES[cell.cell];
  const W = kernel.length / (G * U);
  const biases = new Float32Array(2 * G * U);
  biases.set(gateRows(cell, bias, 1));
  if (cell.cell === "gru" && cell.recurrentBias) biases.set(cell.recurrentBias, 5 * U);
  return [
    build.constant(FLOAT, [1, G * U, W], raw(gateRows(cell, kernel, W)), `${name}.W`),
    build.constant(FLOAT, [1, G * U, U], raw(gateRows(cell, recurrent, U)), `${name}.R`),
    build.constant(FLOAT, [1, 2 * G * U], raw(biases), `${name}.B`),
  ];
}

/** (rows,GU) in our order of gates → (GU,rows) in ONNX'. */
function gateRows({ cell, units: U }: Cell, weights: Float32Array, rows: number): Float32Array {
  const out = new Float32Array(weights.length);
  const G = GATES[cell];
  let at = 0;
  for (const gate of ONNX_GATES[cell])
    for (let u = 0; u < U; u++) for (let row = 0; row < rows; row++) out[at++] = weights[row * G * U + gate * U + u];
  return out;
}

/** The state before the first step, once for every sequence, (1,N,U) each; none where it is zeros. */
function initialStates(build: Builder, cell: Cell, name: string, lengths: string): string[] {
  const { units: U, initialHidden } = cell;
  const initialCell = cell.cell === "lstm" ? cell.initialCell : undefined;
  if (initialHidden === undefined && initialCell === undefined) return [];
  const one = build.indices(1);
  const shape = build.op("Concat", [one, build.op("Shape", [lengths]), one], [int("axis", 0)]);
  const states = cell.cell === "lstm" ? [initialHidden, initialCell] : [initialHidden];
  return states.map((state, k) => {
    const first = build.constant(FLOAT, [1, 1, U], raw(state ?? new Float32Array(U)), `${name}.${["initialHidden", "initialCell"][k]}`);
    return build.op("Expand", [first, shape]);
  });
}
