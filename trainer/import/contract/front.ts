// The scaling in front of an imported network: one mean, one scale and one sign a feature. Knows no format.
// Legend: F features, U units.
import type { Layer, LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import type { DraftLayer } from "./draft-layers.ts";

/** (x − mean) / scale for each feature, then its sign: scales are above 0, as a recipe wants them. (F) each. */
export interface Front {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  readonly sign: Float64Array;
}

/** The front of `F` features that changes nothing. */
export function plainFront(F: number): Front {
  return { mean: new Float64Array(F), scale: new Float64Array(F).fill(1), sign: new Float64Array(F).fill(1) };
}

/** `front`, then (x − mean) / scale with (F) scales of any sign but 0. Behind plainFront, the means and scales keep their bits. */
export function addFront(front: Front, mean: ArrayLike<number>, scale: ArrayLike<number>): Front {
  const F = front.mean.length;
  const features = Array.from({ length: F }, (_, f) => f);
  return {
    mean: Float64Array.from(features, (f) => front.mean[f] + front.sign[f] * front.scale[f] * mean[f]),
    scale: Float64Array.from(features, (f) => front.scale[f] * Math.abs(scale[f])),
    sign: Float64Array.from(features, (f) => front.sign[f] * Math.sign(scale[f])),
  };
}

/** Layers of F features without those that scale features in front of all others, which are the front: they go into the recipe. */
export function splitFront(layers: readonly DraftLayer[], F: number): { front: Front; layers: readonly DraftLayer[] } {
  let front = plainFront(F);
  for (const [k, layer] of layers.entries()) {
    if (layer.kind !== "affine") return { front, layers: layers.slice(k) };
    front = addFront(front, layer.mean, layer.scale);
  }
  return { front, layers: [] };
}

/** The network with the signs of a front in its kernel (F,4U), or as a layer of their own, which is exact. */
export function absorbSigns(network: Network | LayeredNetwork, { sign }: Front): Network | LayeredNetwork {
  if ("layers" in network) {
    if (sign.every((one) => one === 1)) return network;
    const turn: Layer = { kind: "affine", scale: Float32Array.from(sign), shift: new Float32Array(sign.length) };
    return { ...network, layers: [turn, ...network.layers] };
  }
  const width = 4 * network.units;
  return { ...network, kernel: network.kernel.map((weight, at) => weight * sign[Math.floor(at / width)]) };
}
