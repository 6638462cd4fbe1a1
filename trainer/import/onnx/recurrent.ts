// The one recurrent node of a graph: the node, its settings, and its constants as our network has them.
// Legend: F inputs, U units; gates i,o,f,c in ONNX, i,f,c,o here.
import type { Network } from "../../../shared/networks/lstm.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { attempt, evaluate } from "./interpreter.ts";
import type { Node, Tensor } from "./operators/node.ts";
import { type Attributes, OperatorError } from "./operators/operator.ts";
import { checkUnits, readRecurrentSettings } from "./operators/recurrent.ts";

export interface LstmSettings {
  readonly reverse: boolean;
  readonly batchFirst: boolean;
  /** Slope of HardSigmoid in the gates, null for Sigmoid. */
  readonly hardGates: number | null;
}

/** A graph with what is known of its one LSTM. */
export interface RecurrentGraph {
  readonly source: string;
  readonly graph: Graph;
  readonly node: Node;
  readonly settings: LstmSettings;
  readonly F: number;
  readonly U: number;
  /** The network without what stands behind the LSTM. */
  readonly lstm: Omit<Network, "headKernel" | "headBias">;
}

/** Inputs of the LSTM node, by their positions. */
export const LSTM_INPUT = { X: 0, W: 1, R: 2, B: 3, sequenceLens: 4, initialH: 5, initialC: 6, P: 7 } as const;

/** ONNX' gates i,o,f,c in the order i,f,c,o. */
const GATES = [0, 2, 3, 1];

/** Finds the LSTM of `graph`. Throws DataError where there is no LSTM or more than one, or where quickstep cannot run it. */
export function findRecurrent(graph: Graph, source: string): RecurrentGraph {
  const node = findNode(graph, source);
  const settings = attempt(node, () => readLstmSettings(node.attributes), source);
  const constant = (k: number, what: string): Tensor => readConstant(graph, node, k, what, source);
  const [w, r] = [constant(LSTM_INPUT.W, "weights W"), constant(LSTM_INPUT.R, "weights R")];
  const U = r.dims[2];
  const F = w.dims[2];
  if (String(r.dims) !== String([1, 4 * U, U]) || String(w.dims) !== String([1, 4 * U, F]) || !(U >= 1 && U <= MAX_UNITS))
    rejectFile(
      source,
      `has an LSTM with W (${w.dims.join(", ")}) and R (${r.dims.join(", ")})`,
      `expected (1, 4·units, features) and (1, 4·units, units), 1 to ${MAX_UNITS} units`,
    );
  attempt(node, () => checkUnits(readRecurrentSettings("LSTM", node.attributes), U), source);
  const b = node.inputs[LSTM_INPUT.B] ? constant(LSTM_INPUT.B, "biases B") : undefined;
  if (b && b.data.length !== 8 * U)
    rejectFile(source, `has an LSTM with ${b.data.length} biases, expected ${8 * U}`, "the file is damaged: export the model again");
  if (node.inputs[LSTM_INPUT.P] && constant(LSTM_INPUT.P, "peepholes P").data.some((weight) => weight !== 0))
    rejectFile(source, "has an LSTM with peepholes (P)", "quickstep's kernel has none: train without");
  const { hardGates, reverse } = settings;
  const lstm = {
    channels: F,
    units: U,
    kernel: turnGates(w.data, F, U),
    recurrent: turnGates(r.data, U, U),
    bias: turnGates(sumBiases(b, U), 1, U),
    ...(hardGates !== null && { hardGates }),
    ...(reverse && { backwards: true as const }),
  };
  return { source, graph, node, settings, F, U, lstm };
}

/** The settings in a node's attributes. Throws OperatorError naming what the kernel's one LSTM cannot compute. */
function readLstmSettings(attributes: Attributes): LstmSettings {
  const { directions, batchFirst, activations } = readRecurrentSettings("LSTM", attributes);
  if (directions.length > 1) throw new OperatorError("is bidirectional", "two directions would take a second LSTM: train with one");
  const [[gate, candidate, output]] = activations;
  if ((gate.kind !== "sigmoid" && gate.kind !== "hardSigmoid") || candidate.kind !== "tanh" || output.kind !== "tanh")
    throw new OperatorError(
      `has the activations ${[gate, candidate, output].map(({ kind }) => kind).join(", ")}`,
      "quickstep's kernel computes Sigmoid or HardSigmoid, Tanh, Tanh",
    );
  return { reverse: directions[0] === "reverse", batchFirst, hardGates: gate.kind === "hardSigmoid" ? gate.slope : null };
}

/** Lines for the findings: unusual gates, and a first state other than 0. */
export function describeSettings({ hardGates }: LstmSettings, hasInitial: boolean): string[] {
  return [
    ...(hardGates === null ? [] : [`gates: HardSigmoid, ${hardGates.toPrecision(3)} · x + 0.5`]),
    ...(hasInitial ? ["starts from a constant state (initial_h, initial_c)"] : []),
  ];
}

function findNode({ nodes }: Graph, source: string): Node {
  const recurrent = nodes.filter(({ operator }) => /^(.*\.)?(LSTM|GRU|RNN)$/.test(operator));
  if (recurrent.length !== 1 || recurrent[0].operator !== "LSTM")
    rejectFile(
      source,
      recurrent.length === 0
        ? `holds no LSTM node (${[...new Set(nodes.map(({ operator }) => operator))].slice(0, 12).join(", ")})`
        : `holds ${recurrent.map(({ operator }) => operator).join(", ")}`,
      `quickstep runs exactly one LSTM; ${SECOND_ENGINE}`,
    );
  return recurrent[0];
}

/** Input `k` of the node, computed from the file's constants alone. */
function readConstant(graph: Graph, node: Node, k: number, what: string, source: string): Tensor {
  if (node.inputs[k] && graph.inputs.some(({ name }) => name === node.inputs[k]))
    rejectFile(source, `takes its ${what} as an input`, "store the weights in the file, as constants");
  return evaluate(graph, new Map(), node.inputs[k] ?? "", source);
}

/** (4U,columns) in gates i,o,f,c → (columns,4U) in gates i,f,c,o. */
function turnGates(data: ArrayLike<number>, columns: number, U: number): Float32Array {
  return Float32Array.from({ length: columns * 4 * U }, (_, at) => {
    const [column, gate, u] = [Math.floor(at / (4 * U)), Math.floor((at % (4 * U)) / U), at % U];
    return data[(GATES[gate] * U + u) * columns + column];
  });
}

/** Wb + Rb (4U) of B (1,8U), in float64. */
function sumBiases(b: Tensor | undefined, U: number): Float64Array {
  return Float64Array.from({ length: 4 * U }, (_, g) => (b ? b.data[g] + b.data[4 * U + g] : 0));
}
