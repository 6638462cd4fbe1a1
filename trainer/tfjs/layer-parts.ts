// What of tfjs' recurrent layers is not in their published types, as tfjs 4 has it, and what of a layer's configuration the kernel can do.
import type * as tf from "@tensorflow/tfjs";

interface Weight {
  read(): tf.Tensor;
}

/** tfjs' cell of an LSTM or a GRU. */
export interface RecurrentCell {
  readonly units: number;
  readonly kernel: Weight;
  readonly recurrentKernel: Weight;
  readonly bias: Weight | null;
  readonly dropout: number;
  readonly dropoutFunc?: (x: tf.Tensor, rate: number) => tf.Tensor;
}

/** tfjs' LSTM or GRU layer. */
export type RecurrentLayer = tf.layers.Layer & {
  readonly cell: RecurrentCell;
  readonly returnSequences: boolean;
  readonly returnState: boolean;
  readonly goBackwards: boolean;
  readonly stateful: boolean;
  readonly states: (tf.Tensor | null)[];
  resetStates(states?: tf.Tensor | tf.Tensor[], training?: boolean): void;
};

/** How tfjs calls a recurrent layer. */
export interface CallArguments {
  readonly mask?: tf.Tensor | tf.Tensor[] | null;
  readonly training?: boolean | null;
  readonly initialState?: tf.Tensor[] | null;
}

const CELLS: Readonly<Record<string, "lstm" | "gru">> = { LSTM: "lstm", GRU: "gru" };

/** Which cell a layer has that can be fused; undefined for every other layer. */
export function cellOf(layer: tf.layers.Layer): "lstm" | "gru" | undefined {
  return CELLS[layer.getClassName()];
}

/** The layers inside `layer`: of a model, of Bidirectional, of TimeDistributed. */
export function innerLayers(layer: object): tf.layers.Layer[] {
  const { layers = [], forwardLayer, backwardLayer, layer: wrapped } = layer as Record<string, unknown> & { layers?: tf.layers.Layer[] };
  return [...layers, ...([forwardLayer, backwardLayer, wrapped].filter((inner) => inner !== undefined) as tf.layers.Layer[])];
}

/** Why the kernel does not compute a layer of this configuration, as the end of a sentence; undefined where it does. */
export function findObstacle(layer: tf.layers.Layer): string | undefined {
  const { activation, recurrentActivation, recurrentDropout } = layer.getConfig();
  if (activation !== "tanh") return `its activation is ${activation}, not tanh`;
  if (recurrentActivation !== "sigmoid" && recurrentActivation !== "hardSigmoid")
    return `its recurrentActivation is ${recurrentActivation}, neither sigmoid nor hardSigmoid`;
  if (typeof recurrentDropout === "number" && recurrentDropout > 0) return "it has recurrentDropout";
  return undefined;
}
