// The cells of Keras' recurrent layers: weights in Keras' order → a cell in our layout, and the cell's own arithmetic in float64.
// Legend: W width, U units; gates i,f,c,o of an LSTM, z,r,h of a GRU.
import type { Activation } from "../../../shared/networks/activation.ts";
import { evaluateActivation } from "../contract/activations.ts";
import type { DraftCell } from "../contract/draft-layers.ts";
import { expectShape, type Layer, type Weights } from "./layer.ts";

/** A cell's arithmetic: `step` changes the states in place, the first of which is the output. */
export interface CellRun {
  start(): Float64Array[];
  step(x: Float64Array, state: Float64Array[]): void;
}

export interface CellSize {
  readonly W: number;
  readonly U: number;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
}

type ReadCell = (layer: Layer, weights: readonly Weights[], size: CellSize, source: string) => { cell: DraftCell; run: CellRun };

/** One gate's kernel (W,U), recurrent kernel (U,U) and bias (U); of a GRU with reset_after the recurrent bias (U), too. */
interface Gate {
  readonly kernel: Float64Array;
  readonly recurrent: Float64Array;
  readonly bias: Float64Array;
  readonly recurrentBias: Float64Array;
}

/** Arrays of Keras 1 apart from consume_less="gpu": W, U and b of each gate, in this order. */
const SEPARATE_ARRAYS = { LSTM: 12, GRU: 9 };

/** LSTM: gates i,f,c,o, in Keras 1's separate arrays i,c,f,o. */
export const readLstm: ReadCell = (layer, weights, size, source) => {
  const isSeparate = weights.length === SEPARATE_ARRAYS.LSTM;
  const gates = readGates(layer, weights, size, isSeparate ? [0, 2, 1, 3] : null, 4, source);
  const { activation, recurrentActivation, U } = size;
  const [i, f, c, o] = gates;
  const gate = (one: Gate, x: Float64Array, h: Float64Array, u: number): number =>
    evaluateActivation(recurrentActivation, inputOf(one, x, u) + stateOf(one, h, u));
  return {
    cell: { cell: "lstm", units: U, ...joinGates(gates, size), ...functions(size) },
    run: {
      start: () => [new Float64Array(U), new Float64Array(U)],
      step(x, state) {
        const [h, memory] = state;
        const next = memory.map(
          (before, u) => gate(f, x, h, u) * before + gate(i, x, h, u) * evaluateActivation(activation, inputOf(c, x, u) + stateOf(c, h, u)),
        );
        state[0] = next.map((value, u) => gate(o, x, h, u) * evaluateActivation(activation, value));
        state[1] = next;
      },
    },
  };
};

/** GRU: gates z,r,h; with reset_after two rows of biases, of inputs and of states. */
export const readGru: ReadCell = (layer, weights, size, source) => {
  const gates = readGates(layer, weights, size, weights.length === SEPARATE_ARRAYS.GRU ? [0, 1, 2] : null, 3, source);
  const { activation, recurrentActivation, U } = size;
  const [z, r, h] = gates;
  const resetAfter = layer.config.reset_after === true;
  const gate = (one: Gate, x: Float64Array, state: Float64Array, u: number): number =>
    evaluateActivation(recurrentActivation, inputOf(one, x, u) + one.recurrentBias[u] + stateOf(one, state, u));
  return {
    cell: {
      cell: "gru",
      units: U,
      ...joinGates(gates, size),
      bias: Float64Array.of(...z.bias.map((b, u) => b + z.recurrentBias[u]), ...r.bias.map((b, u) => b + r.recurrentBias[u]), ...h.bias),
      ...(resetAfter && { recurrentBias: h.recurrentBias }),
      ...functions(size),
    },
    run: {
      start: () => [new Float64Array(U)],
      step(x, state) {
        const [before] = state;
        const reset = before.map((_, u) => gate(r, x, before, u));
        const kept = before.map((value, u) => value * reset[u]);
        const candidate = (u: number): number =>
          inputOf(h, x, u) + (resetAfter ? reset[u] * (stateOf(h, before, u) + h.recurrentBias[u]) : stateOf(h, kept, u));
        state[0] = before.map((value, u) => {
          const update = gate(z, x, before, u);
          return update * value + (1 - update) * evaluateActivation(activation, candidate(u));
        });
      },
    },
  };
};

/** SimpleRNN: one gate. */
export const readSimpleRnn: ReadCell = (layer, weights, size, source) => {
  const gates = readGates(layer, weights, size, null, 1, source);
  const { activation, U } = size;
  return {
    cell: { cell: "rnn", units: U, ...joinGates(gates, size), ...(activation.kind !== "tanh" && { activation }) },
    run: {
      start: () => [new Float64Array(U)],
      step(x, state) {
        const [h] = state;
        state[0] = h.map((_, u) => evaluateActivation(activation, inputOf(gates[0], x, u) + stateOf(gates[0], h, u)));
      },
    },
  };
};

/** What is not the default, as the cell has it. */
function functions({
  activation,
  recurrentActivation,
}: CellSize): Pick<DraftCell & { cell: "lstm" }, "activation" | "recurrentActivation"> {
  return {
    ...(activation.kind !== "tanh" && { activation }),
    ...(recurrentActivation.kind !== "sigmoid" && { recurrentActivation }),
  };
}

function inputOf({ kernel, bias }: Gate, x: Float64Array, u: number): number {
  let sum = bias[u];
  for (let w = 0; w < x.length; w++) sum += x[w] * kernel[w * bias.length + u];
  return sum;
}

function stateOf({ recurrent, bias }: Gate, h: Float64Array, u: number): number {
  let sum = 0;
  for (let v = 0; v < h.length; v++) sum += h[v] * recurrent[v * bias.length + u];
  return sum;
}

/** `separate`: where each gate's three arrays stand; null: kernel (W,GU), recurrent kernel (U,GU) and bias (GU) or (2,GU), gate by gate. */
function readGates(
  layer: Layer,
  weights: readonly Weights[],
  { W, U }: CellSize,
  separate: readonly number[] | null,
  G: number,
  source: string,
): Gate[] {
  const expect = (k: number, shape: number[]): Float64Array => expectShape(layer, weights[k], shape, source);
  if (separate)
    return separate.map((k) => ({
      kernel: expect(3 * k, [W, U]),
      recurrent: expect(3 * k + 1, [U, U]),
      bias: expect(3 * k + 2, [U]),
      recurrentBias: new Float64Array(U),
    }));
  const [kernel, recurrent] = [expect(0, [W, G * U]), expect(1, [U, G * U])];
  const hasBias = layer.config.use_bias !== false;
  const isDouble = layer.type === "GRU" && layer.config.reset_after === true;
  const bias = hasBias ? expect(2, isDouble ? [2, G * U] : [G * U]) : new Float64Array(2 * G * U);
  const part = (matrix: Float64Array, k: number): Float64Array => matrix.filter((_, at) => Math.floor((at % (G * U)) / U) === k);
  return Array.from({ length: G }, (_, k) => ({
    kernel: part(kernel, k),
    recurrent: part(recurrent, k),
    bias: bias.slice(k * U, (k + 1) * U),
    recurrentBias: isDouble ? bias.slice((G + k) * U, (G + k + 1) * U) : new Float64Array(U),
  }));
}

/** (W,GU), (U,GU) and (GU), gate by gate. */
function joinGates(gates: readonly Gate[], { W, U }: CellSize): { kernel: Float64Array; recurrent: Float64Array; bias: Float64Array } {
  const G = gates.length;
  const join = (key: "kernel" | "recurrent" | "bias", rows: number): Float64Array =>
    Float64Array.from(
      { length: rows * G * U },
      (_, at) => gates[Math.floor((at % (G * U)) / U)][key][Math.floor(at / (G * U)) * U + (at % U)],
    );
  return { kernel: join("kernel", W), recurrent: join("recurrent", U), bias: join("bias", 1) };
}
