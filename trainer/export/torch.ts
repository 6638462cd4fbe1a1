// Model → a state dict of PyTorch in safetensors: torch.nn.LSTM(C, U) and torch.nn.Linear(U, 1), on the recipe's channels.
// Legend: C channels, U units.
import { encodeFrame, packTensors } from "../../shared/artifact/safetensors.ts";
import { ArtifactError } from "../../shared/errors.ts";
import { networksOf, soleNetwork } from "../../shared/members.ts";
import type { Model } from "../../shared/model.ts";
import type { Network } from "../../shared/networks/lstm.ts";
import { recipeLists } from "./recipe-lists.ts";
import { HEAD_MODULE, LSTM_GATES, LSTM_MODULE, METADATA_KEY, type RecurrentParameter, recurrentShapes, transpose } from "./torch-layout.ts";

type TensorsByName = Parameters<typeof packTensors>[0];

/** Bytes: the format's own writer has it (github.com/huggingface/safetensors, `serialize`). */
const ALIGNMENT = 8;

/**
 * A state dict of `lstm` (torch.nn.LSTM, batch_first as you like) and `fc` (torch.nn.Linear). The modules take the recipe's channels;
 * recipe and calibration travel as JSON in the metadata: probability = sigmoid(slope · fc(h) + intercept). Of a stack it holds the LSTM
 * member: networks `0.lstm`, `0.fc` …, as torch.nn.ModuleList names them, whose mean logit is the member's; the metadata has the stack
 * in place of a calibration. Throws ArtifactError where no member is an LSTM, or PyTorch has no such LSTM.
 */
export function encodeTorch(model: Model): Uint8Array<ArrayBuffer> {
  const { name, recipe, calibration, stack, members } = model;
  const network = soleNetwork(model);
  const networks = networksOf(model);
  if (networks.length === 0)
    throw new ArtifactError(
      `has no LSTM, only ${[...new Set(members.map(({ kind }) => kind))].join(" and ")}: a state dict of PyTorch holds an LSTM; export with --onnx FILE --preprocessing`,
    );
  networks.forEach(rejectUnusual);
  const tensors = Object.assign({}, ...networks.map((each, i) => tensorsOf(each, network ? "" : `${i}.`)));
  const facts = network ? { name, calibration } : { name, member: "lstm", members: members.map(({ kind }) => kind), stack, calibration };
  const metadata = { format: "pt", [METADATA_KEY]: JSON.stringify({ ...facts, recipe: recipeLists(recipe) }) };
  return encodeFrame(metadata, packTensors(tensors), ALIGNMENT);
}

function tensorsOf({ channels: C, units: U, kernel, recurrent, bias, headKernel, headBias }: Network, prefix: string): TensorsByName {
  const data: Record<RecurrentParameter, Float32Array> = {
    weight_ih_l0: transpose(kernel, C, 4 * U),
    weight_hh_l0: transpose(recurrent, U, 4 * U),
    bias_ih_l0: bias, // PyTorch adds two biases, Keras has one
    bias_hh_l0: new Float32Array(4 * U),
  };
  const parameters = Object.entries(recurrentShapes(LSTM_GATES, C, U)).map(
    ([parameter, shape]) => [`${prefix}${LSTM_MODULE}.${parameter}`, { shape, data: data[parameter as RecurrentParameter] }] as const,
  );
  return {
    ...Object.fromEntries(parameters),
    [`${prefix}${HEAD_MODULE}.weight`]: { shape: [1, U], data: headKernel },
    [`${prefix}${HEAD_MODULE}.bias`]: { shape: [1], data: headBias },
  };
}

function rejectUnusual({ hardGates, backwards, initial }: Network): void {
  const unusual =
    hardGates !== undefined ? "hard sigmoids" : backwards ? "steps read backwards" : initial ? "a state before the first step" : undefined;
  if (unusual) throw new ArtifactError(`has ${unusual}: a state dict of PyTorch cannot hold ${unusual}; export with --onnx`);
}
