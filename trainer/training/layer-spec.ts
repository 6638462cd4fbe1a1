// What a network of layers is made of before it has weights. What each layer computes once it is trained is shared/networks/layers.ts.
import type { Activation } from "../../shared/networks/activation.ts";

export const CELLS = ["lstm", "gru", "rnn"] as const;
export const POOLS = ["mean", "max", "last"] as const;

export type LayerSpec =
  /** `both`: a second cell reads the rows from the last to the first. `returns`: the state of every row, or the one after the last. */
  | {
      readonly kind: "recurrent";
      readonly cell: (typeof CELLS)[number];
      readonly both: boolean;
      readonly units: number;
      readonly returns: "sequence" | "state";
    }
  /** Of one row, or of every row. */
  | { readonly kind: "dense"; readonly units: number; readonly activation: Activation }
  /** Of as many rows as there are: rows of zeros stand in front and behind. */
  | { readonly kind: "conv"; readonly filters: number; readonly rows: number; readonly activation: Activation }
  /** All rows become one. */
  | { readonly kind: "pool"; readonly by: (typeof POOLS)[number] }
  /** In training alone: this share of the numbers becomes zero, the others grow to make up for it. */
  | { readonly kind: "dropout"; readonly rate: number }
  | { readonly kind: "batchnorm" }
  | { readonly kind: "layernorm" };

/** The layer that makes the logit. */
export const HEAD: LayerSpec = { kind: "dense", units: 1, activation: { kind: "linear" } };
