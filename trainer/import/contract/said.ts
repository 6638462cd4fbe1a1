// What comes with a model file from outside of it: what a person says of it, since no file of that format holds it, and files beside it.
import type { Activation } from "../../../shared/networks/activation.ts";
import type { Padding } from "../../../shared/sequence.ts";

/** One step of a forward pass of PyTorch. */
export type TorchStep =
  | {
      readonly kind: "cell";
      readonly cell: "lstm" | "gru" | "rnn";
      readonly layers: number;
      readonly isBidirectional: boolean;
      /** Of an rnn: relu instead of tanh. */
      readonly isRelu: boolean;
    }
  /** What is read of a cell's states: `last` is output[:, -1], `state` the last h_n of each direction, `cell` of c_n. */
  | { readonly kind: "pool"; readonly by: "last" | "state" | "cell" | "first" | "mean" | "max" }
  /** Several of them side by side, each of the same cell's states. */
  | { readonly kind: "pools"; readonly by: readonly ("last" | "state" | "first" | "mean" | "max")[] }
  /** All steps become one, their sum weighted by the softmax over steps of the scores that `steps` make of each: Linear layers and activations. */
  | { readonly kind: "attention"; readonly steps: readonly TorchStep[] }
  /** Over steps, (N,C,T) in PyTorch; the weights tell the kernel size, which may be said as well. */
  | {
      readonly kind: "conv";
      readonly size?: number;
      readonly stride: number;
      readonly padding: number | "same";
      readonly dilation: number;
    }
  | { readonly kind: "pooling"; readonly by: "max" | "mean"; readonly size: number; readonly stride: number; readonly padding: number }
  | { readonly kind: "flatten" | "linear" | "batchnorm" | "layernorm" }
  | { readonly kind: "activation"; readonly activation: Activation };

/** The forward pass around a state dict of PyTorch, in the order of computation, without a last sigmoid. */
export type TorchDescription = readonly TorchStep[];

/** What each answer to --padding means, as the question has it. */
export const PADDING_MEANINGS =
  "none where every row is data, leading where shorter sequences were given alone or packed, any where all-zero rows were passed over";

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
