// A fused layer as a tfjs operation with its own gradient, so that tfjs' autodiff, layers and optimizers stay in charge.
// Legend: B sequences of a batch, T steps, C channels, U units, G gates.
import * as tf from "@tensorflow/tfjs";
import type { KernelLayer, LayerInputs, LayerOutputs, RecurrentOptions } from "./recurrent.ts";

export interface OpInputs {
  /** (B,T,C) */
  readonly x: tf.Tensor;
  /** (B,T), or (B,T,1); 0 where a step is passed over */
  readonly mask?: tf.Tensor;
  /** (C,GU), (U,GU), (GU) */
  readonly kernel: tf.Tensor;
  readonly recurrent: tf.Tensor;
  readonly bias?: tf.Tensor;
  /** (B,U) before the first step: states, and of an LSTM cells */
  readonly initial?: readonly tf.Tensor[];
}

/** (B,T,U) or (B,U), and the states after the last step, (B,U) each. */
export interface OpOutputs {
  readonly output: tf.Tensor;
  readonly states: tf.Tensor[];
}

/** What goes into the op as one tensor: an operation of tfjs has one output, so cells stand behind the R rows of states. */
function pack({ outputs, states, cells }: LayerOutputs, B: number, U: number, hasCells: boolean): Float32Array {
  const rows = outputs ?? states;
  if (!hasCells) return rows;
  const R = rows.length / (B * U);
  const packed = new Float32Array(B * (R + 1) * U);
  for (let b = 0; b < B; b++) {
    packed.set(rows.subarray(b * R * U, (b + 1) * R * U), b * (R + 1) * U);
    packed.set(cells!.subarray(b * U, (b + 1) * U), (b * (R + 1) + R) * U);
  }
  return packed;
}

/** The gradient of each part, from that of the packed tensor. */
function unpack(dy: Float32Array, B: number, U: number, sequences: boolean, hasCells: boolean): Partial<LayerOutputs> {
  const R = dy.length / (B * U) - (hasCells ? 1 : 0);
  const name = sequences ? "outputs" : "states";
  if (!hasCells) return { [name]: dy };
  const rows = new Float32Array(B * R * U);
  const cells = new Float32Array(B * U);
  for (let b = 0; b < B; b++) {
    const at = b * (R + 1) * U;
    rows.set(dy.subarray(at, at + R * U), b * R * U);
    cells.set(dy.subarray(at + R * U, at + (R + 1) * U), b * U);
  }
  return { [name]: rows, cells };
}

/** Applies `layer`, differentiable in all inputs but the mask. `wantsStates`: the states after the last step are wanted, too. */
export function applyRecurrent(
  layer: KernelLayer,
  { cell, units: U, sequences }: RecurrentOptions,
  { x, mask, kernel, recurrent, bias, initial = [] }: OpInputs,
  wantsStates: boolean,
): OpOutputs {
  const [B, T, C] = x.shape as [number, number, number];
  const rows = mask?.dataSync();
  const hasCells = wantsStates && cell === "lstm";
  const given = [x, kernel, recurrent, ...(bias ? [bias] : []), ...initial];
  const run = (tensors: readonly tf.Tensor[]): LayerOutputs => {
    const [xs, k, r, ...more] = tensors.map((tensor) => tensor.dataSync() as Float32Array);
    const [states, cells] = bias ? more.slice(1) : more;
    const inputs: LayerInputs = { batch: B, timesteps: T, channels: C, x: xs, mask: rows, states, cells };
    return layer.forward(inputs, { kernel: k, recurrent: r, bias: bias && more[0] });
  };
  const op = tf.customGrad((...all: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const save = all.pop() as tf.GradSaveFunc;
    const tensors = all as tf.Tensor[];
    const outputs = run(tensors);
    const pass = layer.passes;
    save(tensors);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      if (layer.passes !== pass || !layer.canGoBack) run(saved); // another batch went forward in between, or this one back already
      const gradients = layer.backward(unpack(dy.dataSync() as Float32Array, B, U, sequences, hasCells));
      const { states, cells } = gradients;
      const parts = [gradients.x, gradients.kernel, gradients.recurrent, ...(bias ? [gradients.bias] : []), states, cells];
      return saved.map((tensor, n) => tf.tensor(parts[n]!, tensor.shape));
    };
    const shape = hasCells ? [B, (sequences ? T : 1) + 1, U] : sequences ? [B, T, U] : [B, U];
    return { value: tf.tensor(pack(outputs, B, U, hasCells), shape), gradFunc };
  });
  return split(op(...given), B, T, U, { sequences, wantsStates, hasCells });
}

function split(
  packed: tf.Tensor,
  B: number,
  T: number,
  U: number,
  { sequences, wantsStates, hasCells }: Readonly<Record<"sequences" | "wantsStates" | "hasCells", boolean>>,
): OpOutputs {
  if (!wantsStates) return { output: packed, states: [] };
  const R = sequences ? T : 1;
  const row = (r: number): tf.Tensor => tf.slice(packed, [0, r, 0], [B, 1, U]).reshape([B, U]);
  if (!hasCells) return { output: packed, states: [sequences ? row(T - 1) : packed] };
  const last = row(R - 1);
  return { output: sequences ? tf.slice(packed, [0, 0, 0], [B, R, U]) : last, states: [last, row(R)] };
}
