// Model → a state dict of PyTorch in safetensors: torch.nn.LSTM(C, U) and torch.nn.Linear(U, 1), on the recipe's channels.
// Legend: C channels, U units.
import { encodeFrame, packTensors } from "../../shared/artifact/safetensors.ts";
import { ArtifactError } from "../../shared/errors.ts";
import { soleNetwork } from "../../shared/members.ts";
import type { Model } from "../../shared/model.ts";
import type { Network } from "../../shared/networks/lstm.ts";
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { HEAD_MODULE, LSTM_GATES, LSTM_MODULE, METADATA_KEY, type RecurrentParameter, recurrentShapes, transpose } from "./torch-layout.ts";

/** Bytes: the format's own writer has it (github.com/huggingface/safetensors, `serialize`). */
const ALIGNMENT = 8;

/**
 * A state dict of `lstm` (torch.nn.LSTM, batch_first as you like) and `fc` (torch.nn.Linear). The modules take the recipe's channels;
 * recipe and calibration travel as JSON in the metadata: probability = sigmoid(slope · fc(h) + intercept). Throws ArtifactError where
 * the model is not one network alone, or PyTorch has no such LSTM.
 */
export function encodeTorch(model: Model): Uint8Array<ArrayBuffer> {
  const { name, recipe, calibration } = model;
  const network = soleNetwork(model);
  if (network === undefined) throw new ArtifactError("has several members: a state dict of PyTorch holds one network alone");
  rejectUnusual(network);
  const { channels: C, units: U, kernel, recurrent, bias, headKernel, headBias } = network;
  const data: Record<RecurrentParameter, Float32Array> = {
    weight_ih_l0: transpose(kernel, C, 4 * U),
    weight_hh_l0: transpose(recurrent, U, 4 * U),
    bias_ih_l0: bias, // PyTorch adds two biases, Keras has one
    bias_hh_l0: new Float32Array(4 * U),
  };
  const parameters = Object.entries(recurrentShapes(LSTM_GATES, C, U)).map(
    ([parameter, shape]) => [`${LSTM_MODULE}.${parameter}`, { shape, data: data[parameter as RecurrentParameter] }] as const,
  );
  const tensors = {
    ...Object.fromEntries(parameters),
    [`${HEAD_MODULE}.weight`]: { shape: [1, U], data: headKernel },
    [`${HEAD_MODULE}.bias`]: { shape: [1], data: headBias },
  };
  const metadata = { format: "pt", [METADATA_KEY]: JSON.stringify({ name, calibration, recipe: withLists(recipe) }) };
  return encodeFrame(metadata, packTensors(tensors), ALIGNMENT);
}

function rejectUnusual({ hardGates, backwards, initial }: Network): void {
  const unusual =
    hardGates !== undefined ? "hard sigmoids" : backwards ? "steps read backwards" : initial ? "a state before the first step" : undefined;
  if (unusual) throw new ArtifactError(`has ${unusual}: a state dict of PyTorch cannot hold ${unusual}; export with --onnx`);
}

/** A recipe whose arrays are lists, as JSON has them. */
function withLists(recipe: Recipe): Record<string, unknown> {
  return Object.fromEntries(Object.entries(recipe).map(([key, value]) => [key, value instanceof Float64Array ? [...value] : value]));
}
