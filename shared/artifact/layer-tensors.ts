// The weights of a network's layers as tensors: their names, shapes and places in a layer.
// Legend: C channels, W width of a layer's rows, U units, G gates, K kernel size.
import { type CellText, GATES, type Layer, type LayeredNetwork, type LayerText, OPTIONAL_WEIGHTS, widthAfter } from "../networks/layers.ts";
import type { TensorData } from "./safetensors.ts";

/** `forward.kernel`: where the weights lie in a layer. */
type Weights = readonly (readonly [path: string, shape: readonly number[]])[];

/** The weights of each layer, of which `C` channels come in. `prefix` begins the names of tensors, each layer's number follows. */
export function layOutLayers(texts: readonly LayerText[], prefix: string, C: number): (readonly [string, "F32", readonly number[]])[] {
  return weightsIn(texts, C, `${prefix}layer`).map(([path, shape]) => [path, "F32", shape] as const);
}

/** The weights of layers in a row, each layer's number behind `prefix`. */
function weightsIn(texts: readonly LayerText[], C: number, prefix: string): Weights {
  let W = C;
  return texts.flatMap((text, i) => {
    const weights = weightsOf(text, W);
    W = widthAfter(text, W);
    return weights.map(([path, shape]) => [`${prefix}${i}.${path}`, shape] as const);
  });
}

function weightsOf(text: LayerText, W: number): Weights {
  switch (text.kind) {
    case "recurrent":
      return weightsOfCell(text.cell, W, "cell.");
    case "bidirectional":
      return [...weightsOfCell(text.forward, W, "forward."), ...weightsOfCell(text.backward, W, "backward.")];
    case "conv":
      return [
        ["kernel", [text.kernelSize, W, text.filters]],
        ["bias", [text.filters]],
      ];
    case "branches":
      return text.branches.flatMap((branch, b) => weightsIn(branch, W, `branches.${b}.`));
    case "dense":
      return [
        ["kernel", [W, text.units]],
        ["bias", [text.units]],
      ];
    case "affine":
      return [
        ["scale", [W]],
        ["shift", [W]],
      ];
    case "layerNormalization":
      return [
        ["gamma", [W]],
        ["beta", [W]],
      ];
    default:
      return [];
  }
}

function weightsOfCell(text: CellText, W: number, prefix: string): Weights {
  const { units: U, cell } = text;
  const G = GATES[cell];
  const optional = OPTIONAL_WEIGHTS.filter((name) => name in text);
  return [
    [`${prefix}kernel`, [W, G * U]],
    [`${prefix}recurrent`, [U, G * U]],
    [`${prefix}bias`, [G * U]],
    ...optional.map((name) => [`${prefix}${name}`, [U]] as const),
  ];
}

/** Every weight by its tensor's name. */
export function packLayers({ layers }: LayeredNetwork, prefix: string): Record<string, TensorData> {
  const tensors: Record<string, TensorData> = {};
  const collect = (object: object, path: string): void => {
    for (const [key, value] of Object.entries(object))
      if (value instanceof Float32Array) tensors[`${path}${key}`] = value;
      else if (typeof value === "object" && value !== null) collect(value, `${path}${key}.`);
  };
  for (const [i, layer] of layers.entries()) collect(layer, `${prefix}layer${i}.`);
  return tensors;
}

/** The network that `texts` and their tensors are. */
export function unpackLayers(
  texts: readonly LayerText[],
  tensors: Readonly<Record<string, TensorData>>,
  prefix: string,
  C: number,
): LayeredNetwork {
  const layers = structuredClone(texts) as unknown as Nested;
  for (const [path] of weightsIn(texts, C, "")) {
    const keys = path.split(".");
    const last = keys.pop()!;
    const place = keys.reduce((object, key) => object[key] as Nested, layers);
    place[last] = tensors[`${prefix}layer${path}`];
  }
  return { channels: C, layers: layers as unknown as Layer[] };
}

/** Layers and their parts, by the keys of a path. */
interface Nested {
  [key: string]: Nested | TensorData;
}
