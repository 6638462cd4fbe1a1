// Layers of a graph that quickstep exported: what each is from the metadata, weights by the names of their constants
// (trainer/export/onnx/layer-graph.ts).
// Legend: C channels, W width, U units, G gates, K kernel size.
import { parseLayers } from "../../../shared/artifact/layer-texts.ts";
import { ArtifactError } from "../../../shared/errors.ts";
import {
  type Cell,
  type CellText,
  GATES,
  type Layer,
  type LayeredNetwork,
  type LayerText,
  widthAfter,
} from "../../../shared/networks/layers.ts";
import type { Recipe } from "../../../shared/recipe/recipe.ts";
import { ONNX_GATES } from "../../export/onnx/cell-graph.ts";
import { turnConvKernel } from "../contract/conv-kernel.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";

/** A constant of this shape, as float32. */
type ReadConstant = (name: string, ...dims: number[]) => Float32Array;

/** The network of an export on the channels of `recipe`. Throws DataError where its metadata or constants are damaged. */
export function readExportedLayers(
  { metadata, constants }: Graph,
  { channels, timesteps, padding }: Recipe,
  source: string,
): LayeredNetwork {
  const damaged = (problem: string): never => rejectFile(source, problem, "the file is damaged: export the model again");
  const C = channels.length;
  const constant: ReadConstant = (name, ...dims) => {
    const tensor = constants.get(name) ?? damaged(`lacks its constant ${name}`);
    if (String(tensor.dims) !== String(dims)) damaged(`has the constant ${name} of shape (${tensor.dims}), expected (${dims})`);
    return Float32Array.from(tensor.data);
  };
  try {
    const texts = parseLayers(JSON.parse(metadata.get("layers")!), "its metadata layers", { channels: C, timesteps, padding });
    return { channels: C, layers: readAll(texts, C, "layer", constant) };
  } catch (error) {
    if (error instanceof SyntaxError) return damaged("has metadata layers that are no JSON");
    if (error instanceof ArtifactError) return damaged(error.message);
    throw error;
  }
}

/** Layers in a row, each layer's number behind `prefix`. */
function readAll(texts: readonly LayerText[], C: number, prefix: string, constant: ReadConstant): Layer[] {
  let W = C;
  return texts.map((text, i) => {
    const layer = readLayer(text, W, `${prefix}${i}`, constant);
    W = widthAfter(text, W);
    return layer;
  });
}

function readLayer(text: LayerText, W: number, name: string, constant: ReadConstant): Layer {
  switch (text.kind) {
    case "recurrent":
      return { ...text, cell: readCell(text.cell, W, `${name}.cell`, constant) };
    case "bidirectional":
      return {
        ...text,
        forward: readCell(text.forward, W, `${name}.forward`, constant),
        backward: readCell(text.backward, W, `${name}.backward`, constant),
      };
    case "branches":
      return { ...text, branches: text.branches.map((branch, b) => readAll(branch, W, `${name}.branches.${b}.`, constant)) };
    case "conv": {
      const { filters, kernelSize: K } = text;
      const kernel = turnConvKernel(constant(`${name}.kernel`, filters, W, K), K, W, filters);
      return { ...text, kernel, bias: constant(`${name}.bias`, filters) };
    }
    case "dense":
      return { ...text, kernel: constant(`${name}.kernel`, W, text.units), bias: constant(`${name}.bias`, text.units) };
    case "affine":
      return { ...text, scale: constant(`${name}.scale`, W), shift: constant(`${name}.shift`, W) };
    case "layerNormalization":
      return { ...text, gamma: constant(`${name}.gamma`, W), beta: constant(`${name}.beta`, W) };
    default:
      return text;
  }
}

/** W (1,GU,W), R (1,GU,U) and B (1,2GU) in ONNX' order of gates → kernel (W,GU), recurrent (U,GU) and bias (GU) in ours. */
function readCell(text: CellText, W: number, name: string, constant: ReadConstant): Cell {
  const { cell, units: U } = text;
  const [G, order] = [GATES[cell], ONNX_GATES[cell] as readonly number[]];
  const turn = (rows: Float32Array, columns: number): Float32Array =>
    rows.map((_, at) => {
      const [column, gate, u] = [Math.floor(at / (G * U)), Math.floor(at / U) % G, at % U];
      return rows[(order.indexOf(gate) * U + u) * columns + column];
    });
  const biases = constant(`${name}.B`, 1, 2 * G * U);
  const optional = (["initialHidden", "initialCell"] as const).filter((key) => key in text);
  return {
    ...text,
    kernel: turn(constant(`${name}.W`, 1, G * U, W), W),
    recurrent: turn(constant(`${name}.R`, 1, G * U, U), U),
    bias: turn(biases.slice(0, G * U), 1),
    ...("recurrentBias" in text && { recurrentBias: biases.slice(5 * U) }),
    ...Object.fromEntries(optional.map((key) => [key, constant(`${name}.${key}`, 1, 1, U)])),
  } as Cell;
}
