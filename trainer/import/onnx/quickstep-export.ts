// An ONNX file that quickstep exported: its constants by their names (trainer/export/onnx/export.ts), its recipe from the metadata.
// Legend: T steps, C channels, U units.
import { describeLayers } from "../../../shared/networks/describe-layers.ts";
import { type ExportMetadata, restoreExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { evaluate } from "./interpreter.ts";
import type { Tensor } from "./operators/node.ts";
import { readExportedLayers } from "./quickstep-layers.ts";
import { describeSettings, findRecurrent, type RecurrentGraph } from "./recurrent.ts";

/** Whether quickstep wrote the graph, with the recipe of its channels. */
export function isQuickstepExport({ producer, metadata }: Graph): boolean {
  return producer === "quickstep" && metadata.has("recipe");
}

/** The network, recipe and calibration of an export. Throws DataError where the file is damaged. */
export function readQuickstepExport(graph: Graph, source: string): ImportedNetwork {
  return graph.metadata.has("layers") ? readLayersExport(graph, source) : readLstmExport(findRecurrent(graph, source));
}

function readLstmExport({ graph, source, settings, lstm, U, F: C }: RecurrentGraph): ImportedNetwork {
  const constant = (name: string): Float64Array => constantOf(graph, name, source);
  const exportMetadata = readMetadata(graph, source);
  if (exportMetadata.recipe.channels.length !== C) rejectRecipe(source);
  const initial = graph.constants.has("hidden") && {
    hidden: Float32Array.from(constant("hidden")),
    cell: Float32Array.from(constant("cell")),
  };
  return {
    ...describeExport(graph, exportMetadata, source, [`LSTM(${U}) on ${C} channels`, ...describeSettings(settings, Boolean(initial))]),
    network: {
      ...lstm,
      headKernel: Float32Array.from(constant("headKernel")),
      headBias: Float32Array.from(constant("headBias")),
      ...(initial && { initial }),
    },
  };
}

function readLayersExport(graph: Graph, source: string): ImportedNetwork {
  const exportMetadata = readMetadata(graph, source);
  const network = readExportedLayers(graph, exportMetadata.recipe, source);
  return {
    ...describeExport(graph, exportMetadata, source, [`${describeLayers(network)} on ${network.channels} channels`]),
    network,
  };
}

/** All but the network: what the metadata say, and the graph's own answers on channels. */
function describeExport(
  graph: Graph,
  exportMetadata: ExportMetadata,
  source: string,
  words: readonly string[],
): Omit<ImportedNetwork, "network"> {
  const { timesteps: T, padding, channels } = exportMetadata.recipe;
  const C = channels.length;
  return {
    format: `ONNX, opset ${graph.opset}, as quickstep exports it`,
    findings: [...words, "recipe and calibration come from the file; operating points and metrics are not in the file"],
    timesteps: T,
    padding,
    front: plainFront(C),
    forward(rows) {
      const channels = new Float64Array(T * C);
      channels.set(rows);
      const feeds = new Map<string, Tensor>([
        ["channels", { dims: [1, T, C], data: channels }],
        ["lengths", { dims: [1], data: Float64Array.of(rows.length / C) }],
      ]);
      return evaluate(graph, feeds, "probabilities", source).data[0];
    },
    exportMetadata,
  };
}

function constantOf({ constants }: Graph, name: string, source: string): Float64Array {
  return constants.get(name)?.data ?? rejectFile(source, `lacks its constant ${name}`, "the file is damaged: export the model again");
}

function readMetadata(graph: Graph, source: string): ExportMetadata {
  const { metadata } = graph;
  const [slope, intercept] = ["slope", "intercept"].map((name) => constantOf(graph, name, source)[0]);
  try {
    const recipe = JSON.parse(metadata.get("recipe") ?? "");
    return restoreExportMetadata(metadata.get("name") ?? "", recipe, { slope, intercept }, recipe.channels.length);
  } catch {
    return rejectRecipe(source);
  }
}

function rejectRecipe(source: string): never {
  return rejectFile(source, "carries a recipe that cannot be read", "the file is damaged: export the model again");
}
