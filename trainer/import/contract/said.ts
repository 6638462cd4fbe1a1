// What a person says of a model file beside the file itself: what no file of that format holds.
import type { Padding } from "../../../shared/sequence.ts";

/** The forward pass around a state dict of PyTorch, in the order of computation. */
export interface TorchDescription {
  readonly cell: "lstm" | "gru" | "rnn";
  readonly layers: number;
  readonly isBidirectional: boolean;
  /** What is made of the states of a sequence: `cell` is the last cell state. */
  readonly pooling: "last" | "first" | "mean" | "max" | "cell";
  /** `linear` and activations behind it, in order, without a last sigmoid. */
  readonly head: readonly string[];
}

export interface Said {
  /** null where nothing is said: an ONNX graph of any length is then probed with the usual number of steps. */
  readonly timesteps: number | null;
  readonly torch?: TorchDescription;
  readonly padding?: Padding;
  /** Whether outputs of the model itself are compared before anything is written: a proof of what a state dict does not say. */
  readonly isChecked: boolean;
}
