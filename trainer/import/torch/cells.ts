// PyTorch's recurrent cells: the parameters of one layer and direction → a cell in our layout, and the cell's own arithmetic in float64.
// Equations: docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, …torch.nn.GRU.html, …torch.nn.RNN.html.
// Legend: W inputs, U units; gates i,f,g,o of an LSTM, r,z,n of a GRU.

import { RECURRENT_MODULES, recurrentShapes } from "../../export/torch-layout.ts";
import type { DraftCell } from "../contract/draft-layers.ts";
import { MAX_UNITS, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { parameterOf, type TorchModule } from "./modules.ts";

export type CellKind = DraftCell["cell"];

/** A cell, and what it makes of rows in the order in which it reads them: every state, and the last cell state of an LSTM. */
export interface TorchCell {
  readonly cell: DraftCell;
  run(rows: readonly Float64Array[]): { readonly states: Float64Array[]; readonly memory: Float64Array };
}

/** One layer and direction as the file has it; (GU,W), (GU,U) and (GU) twice. */
interface Parameters {
  readonly W: number;
  readonly U: number;
  readonly inputs: Float64Array;
  readonly states: Float64Array;
  readonly inputBias: Float64Array;
  readonly stateBias: Float64Array;
}

const GATES: Readonly<Record<CellKind, number>> = { lstm: 4, gru: 3, rnn: 1 };
/** In the order of our gates: i,f,c,o are PyTorch's i,f,g,o; z,r,h are the second, first and third of r,z,n. */
const ORDER: Readonly<Record<CellKind, readonly number[]>> = { lstm: [0, 1, 2, 3], gru: [1, 0, 2], rnn: [0] };

/** What a recurrent module is: its cell by the rows of its parameters, its layers and directions by their names. */
export function measureModule({ name, parameters }: TorchModule, source: string) {
  const [inputs, states] = [parameters.get("weight_ih_l0"), parameters.get("weight_hh_l0")];
  if (inputs?.shape.length !== 2 || states?.shape.length !== 2)
    return rejectFile(source, `lacks ${name === "" ? "" : `${name}.`}weight_hh_l0`, "save the whole state dict");
  const U = states.shape[1];
  const gates = inputs.shape[0] / U;
  const projection = [...parameters.keys()].find((key) => key.startsWith("weight_hr_"));
  if (projection) rejectFile(source, `${name || "the LSTM"} has projections (${projection})`, SECOND_ENGINE);
  const cell = (["lstm", "gru", "rnn"] as const).find((kind) => GATES[kind] === gates);
  if (cell === undefined || U < 1 || U > MAX_UNITS || states.shape[0] !== gates * U)
    return rejectFile(
      source,
      `${name === "" ? "" : `${name}.`}weight_ih_l0 is (${inputs.shape.join(", ")}) and weight_hh_l0 is (${states.shape.join(", ")})`,
      `expected (4·units, features) and (4·units, units) of ${RECURRENT_MODULES[4]}, 3 times of ${RECURRENT_MODULES[3]}, once of ${RECURRENT_MODULES[1]}, 1 to ${MAX_UNITS} units`,
    );
  let layers = 1;
  while (parameters.has(`weight_ih_l${layers}`)) layers++;
  return { cell, W: inputs.shape[1], U, layers, isBidirectional: parameters.has("weight_ih_l0_reverse") };
}

/** The cell of one layer and direction: `suffix` is `l0`, `l1_reverse`, …. Throws DataError where parameters do not fit. */
export function readCell(
  module: TorchModule,
  kind: CellKind,
  suffix: string,
  W: number,
  U: number,
  isRelu: boolean,
  source: string,
): TorchCell {
  const shapes = recurrentShapes(GATES[kind], W, U);
  const bias = (key: "bias_ih" | "bias_hh"): Float64Array =>
    module.parameters.has(`${key}_${suffix}`)
      ? parameterOf(module, `${key}_${suffix}`, shapes[`${key}_l0`], source)
      : new Float64Array(GATES[kind] * U); // bias=False
  const parameters: Parameters = {
    W,
    U,
    inputs: parameterOf(module, `weight_ih_${suffix}`, shapes.weight_ih_l0, source),
    states: parameterOf(module, `weight_hh_${suffix}`, shapes.weight_hh_l0, source),
    inputBias: bias("bias_ih"),
    stateBias: bias("bias_hh"),
  };
  return { cell: cellOf(kind, parameters, isRelu), run: (rows) => runCell(kind, parameters, isRelu, rows) };
}

function cellOf(kind: CellKind, { W, U, inputs, states, inputBias, stateBias }: Parameters, isRelu: boolean): DraftCell {
  const turn = (matrix: Float64Array, rows: number): Float64Array => {
    const width = ORDER[kind].length * U;
    return Float64Array.from({ length: rows * width }, (_, at) => {
      const [row, g, u] = [Math.floor(at / width), Math.floor((at % width) / U), at % U];
      return matrix[(ORDER[kind][g] * U + u) * rows + row];
    });
  };
  const sum = inputBias.map((value, g) => value + stateBias[g]);
  const weights = { units: U, kernel: turn(inputs, W), recurrent: turn(states, U), bias: turn(sum, 1) };
  if (kind === "lstm") return { cell: kind, ...weights };
  if (kind === "rnn") return { cell: kind, ...weights, ...(isRelu && { activation: { kind: "relu" } }) };
  weights.bias.set(inputBias.subarray(2 * U), 2 * U);
  return { cell: kind, ...weights, recurrentBias: stateBias.slice(2 * U) };
}

function runCell(
  kind: CellKind,
  parameters: Parameters,
  isRelu: boolean,
  rows: readonly Float64Array[],
): { states: Float64Array[]; memory: Float64Array } {
  const { W, U, inputs, states: weights, inputBias, stateBias } = parameters;
  let h: Float64Array = new Float64Array(U);
  let c: Float64Array = new Float64Array(U);
  const out: Float64Array[] = [];
  for (const row of rows) {
    const before = h;
    const ofInput = (g: number, u: number): number => {
      const at = g * U + u;
      let sum = inputBias[at];
      for (let w = 0; w < W; w++) sum += inputs[at * W + w] * row[w];
      return sum;
    };
    const ofState = (g: number, u: number): number => {
      const at = g * U + u;
      let sum = stateBias[at];
      for (let v = 0; v < U; v++) sum += weights[at * U + v] * before[v];
      return sum;
    };
    const gate = (g: number, u: number): number => sigmoid(ofInput(g, u) + ofState(g, u));
    if (kind === "lstm") {
      c = c.map((memory, u) => gate(1, u) * memory + gate(0, u) * Math.tanh(ofInput(2, u) + ofState(2, u)));
      h = c.map((memory, u) => gate(3, u) * Math.tanh(memory));
    } else if (kind === "gru")
      h = before.map((state, u) => {
        const [z, n] = [gate(1, u), Math.tanh(ofInput(2, u) + gate(0, u) * ofState(2, u))];
        return (1 - z) * n + z * state;
      });
    else h = before.map((_, u) => (isRelu ? Math.max(0, ofInput(0, u) + ofState(0, u)) : Math.tanh(ofInput(0, u) + ofState(0, u))));
    out.push(h);
  }
  return { states: out, memory: c };
}
