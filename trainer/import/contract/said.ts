// What comes with a model file from outside of it: what a person says of it, since no file of that format holds it, and files beside it.
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

/** Reads a file of the model's own folder, by the name that the model has for it. Throws DataError: no such file, or another folder. */
export type Beside = (location: string) => Uint8Array;

export interface Said {
  /** null where nothing is said: an ONNX graph of any length is then probed with the usual number of steps. */
  readonly timesteps: number | null;
  readonly torch?: TorchDescription;
  readonly padding?: Padding;
  /** Whether the model answers logits, behind which a sigmoid stands. */
  readonly isLogit?: boolean;
  /** The text of a Keras model's config, for a file of weights alone. */
  readonly layers?: string;
  /** Whether outputs of the model itself are compared before anything is written: a proof of what a state dict does not say. */
  readonly isChecked: boolean;
}
