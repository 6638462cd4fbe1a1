// Keras' Dense(1, sigmoid) behind the LSTM (keras.io/api/layers/core_layers/dense).
// Legend: U units of the LSTM.
import { rejectFile } from "../contract/reject-file.ts";
import { activationName, describeLayer, type Layer, type PlanDraft, type Weights } from "./layer.ts";

/** Adds the head to the draft; a linear one waits for an Activation. Throws DataError for other units and activations. */
export function addDense(draft: PlanDraft, layer: Layer, source: string): void {
  const what = describeLayer(layer);
  const units = layer.config.units ?? layer.config.output_dim;
  if (units !== 1) rejectFile(source, `${what} has ${units} units`, "quickstep needs Dense(1, sigmoid) right behind the LSTM");
  const activation = activationName(layer.config.activation);
  if (activation !== "sigmoid" && activation !== "linear")
    rejectFile(source, `${what} has the activation ${activation}`, "quickstep needs Dense(1, sigmoid)");
  draft.isActivated = activation === "sigmoid";
  draft.dense = layer;
}

/** The kernel (U) and the bias, 0 where the layer has none. Throws DataError where shapes do not fit. */
export function readDense(layer: Layer, weights: readonly Weights[], U: number, source: string): [kernel: Float64Array, bias: number] {
  const hasBias = (layer.config.use_bias ?? layer.config.bias ?? true) !== false;
  const [kernel, bias] = weights;
  if (kernel?.data.length !== U || (hasBias && bias?.data.length !== 1))
    rejectFile(
      source,
      `${describeLayer(layer)} has weights of other shapes than (${U}, 1) and (1)`,
      "the file is damaged: save the whole model again",
    );
  return [kernel.data, hasBias ? bias.data[0] : 0];
}
