// What an importer hands over, whatever the format: the network in our layout, the scaling in front of the network, and the source's
// own forward pass, against which the network is checked. Knows no format.
// Legend: T steps, F features, U units.
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import type { Padding } from "../../../shared/sequence.ts";
import type { ExportMetadata } from "./export-metadata.ts";
import type { Front } from "./front.ts";

export interface ImportedNetwork {
  /** `Keras 3 (.keras)` */
  readonly format: string;
  /** What the importer found and what the importer had to assume: one line each. */
  readonly findings: readonly string[];
  /** null where the file does not say the number of steps. */
  readonly timesteps: number | null;
  /** null where the file cannot say what an all-zero row is. */
  readonly padding: Padding | null;
  /** Rows of this number alone are passed over, as the network takes them; there where the file has such a mask and it is not 0. */
  readonly mask?: number;
  readonly front: Front;
  readonly network: Network | LayeredNetwork;
  /**
   * The format's definition in float64, from the file's own arrays: `rows` (T,F) → probability. Shares no code with `network`.
   * Rows are as the model itself takes them, zero rows among them; only the valid rows where padding is `leading`; and channels
   * instead of features where `exportMetadata` is given.
   */
  forward(rows: Float64Array): number;
  /** Carried only by files that quickstep exported. */
  readonly exportMetadata?: ExportMetadata;
}

/** A network of which it is settled what an all-zero row is. */
export type SettledNetwork = ImportedNetwork & { readonly padding: Padding };

/** The largest network that an artifact holds (shared/artifact/artifact.ts). */
export const MAX_UNITS = 4096;

/** 1 / (1 + exp(−x)) in float64. */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
