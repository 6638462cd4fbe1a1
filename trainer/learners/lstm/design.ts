// What a network member is trained as: its parameters in one flat buffer, how they begin, and the network that they are in the end. An LSTM
// under a dense layer in the training kernel's own path, or any layers. Legend: C channels, P parameters.
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { initialParameters, layOut, toLayeredNetwork, zeroHeadOf } from "../../layers/parameters.ts";
import type { Random } from "../../statistics/random.ts";
import type { LayerSpec } from "../../training/layer-spec.ts";
import { flattenNetwork, initialNetwork, unflattenNetwork, zeroHead } from "../../training/parameters.ts";

export interface NetworkDesign {
  /** (P) before the first step. */
  initial(positiveRate: number, random: Random): Float32Array;
  /** The network whose parameters `flat` (P) holds. */
  network(flat: Float32Array): Network | LayeredNetwork;
  /** A copy of `flat` (P) that answers the bias of its head, whatever comes in. */
  withoutSignal(flat: Float32Array): Float32Array;
}

/** LSTM(units) → Dense(1) on C channels; where `layers` are given, those. */
export function designNetwork(channels: number, units: number, layers: readonly LayerSpec[] | undefined): NetworkDesign {
  if (layers === undefined)
    return {
      initial: (rate, random) => flattenNetwork(initialNetwork(channels, units, rate, random)),
      network: (flat) => unflattenNetwork(channels, units, flat),
      withoutSignal: (flat) => zeroHead(flat, channels, units),
    };
  const layout = layOut(layers, channels);
  return {
    initial: (rate, random) => initialParameters(layout, rate, random),
    network: (flat) => toLayeredNetwork(layout, flat),
    withoutSignal: (flat) => zeroHeadOf(layout, flat),
  };
}
