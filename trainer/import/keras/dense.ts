// Keras' Dense(1, sigmoid) or Dense(2, softmax) behind the LSTM (keras.io/api/layers/core_layers/dense).
// Legend: U units of the LSTM, K classes: 1, or 2 of which the second is label 1.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { activationName, describeLayer, type Layer, type PlanDraft, type Weights } from "./layer.ts";

/** What makes a probability of K logits. */
export const ACTIVATIONS: Readonly<Record<number, string>> = { 1: "sigmoid", 2: "softmax" };

export interface DenseWeights {
  readonly K: 1 | 2;
  /** (U,K) */
  readonly kernel: Float64Array;
  /** (K), zeros where the layer has none */
  readonly bias: Float64Array;
}

/** K of a Dense layer. */
export function classesOf({ config }: Layer): number {
  return Number(config.units ?? config.output_dim);
}

/** Adds the head to the draft; a linear one waits for an Activation. Throws DataError for other units and activations. */
export function addDense(draft: PlanDraft, layer: Layer, source: string): void {
  const what = describeLayer(layer);
  const wanted = ACTIVATIONS[classesOf(layer)];
  if (wanted === undefined)
    rejectFile(
      source,
      `${what} has ${classesOf(layer)} units`,
      `quickstep needs Dense(1, sigmoid) or Dense(2, softmax) behind the LSTM; ${SECOND_ENGINE}`,
    );
  const activation = activationName(layer.config.activation);
  if (activation !== wanted && activation !== "linear")
    rejectFile(source, `${what} has the activation ${activation}`, "quickstep needs Dense(1, sigmoid) or Dense(2, softmax)");
  draft.isActivated = activation === wanted;
  draft.dense = layer;
}

/** The layer's arrays. Throws DataError where shapes do not fit. */
export function readDense(layer: Layer, weights: readonly Weights[], U: number, source: string): DenseWeights {
  const K = classesOf(layer) as 1 | 2;
  const hasBias = (layer.config.use_bias ?? layer.config.bias ?? true) !== false;
  const [kernel, bias] = weights;
  if (kernel?.data.length !== U * K || (hasBias && bias?.data.length !== K))
    rejectFile(
      source,
      `${describeLayer(layer)} has weights of other shapes than (${U}, ${K}) and (${K})`,
      "the file is damaged: save the whole model again",
    );
  return { K, kernel: kernel.data, bias: hasBias ? bias.data : new Float64Array(K) };
}
