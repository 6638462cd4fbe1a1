// An ONNX file that quickstep exported: its constants by their names (trainer/export/onnx/export.ts), its recipe from the metadata.
// Legend: T steps, C channels, U units.
import { type ExportMetadata, restoreExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { evaluate } from "./interpreter.ts";
import type { Tensor } from "./operators/node.ts";
import { describeSettings, type RecurrentGraph } from "./recurrent.ts";

/** Whether quickstep wrote the graph, with the recipe of its channels. */
export function isQuickstepExport({ producer, metadata }: Graph): boolean {
  return producer === "quickstep" && metadata.has("recipe");
}

/** The network, recipe and calibration of an export. Throws DataError where the file is damaged. */
export function readQuickstepExport({ graph, source, settings, lstm, U, F: C }: RecurrentGraph): ImportedNetwork {
  const constant = (name: string): Float64Array =>
    graph.constants.get(name)?.data ?? rejectFile(source, `lacks its constant ${name}`, "the file is damaged: export the model again");
  const exportMetadata = readMetadata(graph, C, constant, source);
  const initial = graph.constants.has("hidden") && {
    hidden: Float32Array.from(constant("hidden")),
    cell: Float32Array.from(constant("cell")),
  };
  const { timesteps: T, padding } = exportMetadata.recipe;
  return {
    format: `ONNX, opset ${graph.opset}, as quickstep exports it`,
    findings: [
      `LSTM(${U}) on ${C} channels`,
      ...describeSettings(settings, Boolean(initial)),
      "recipe and calibration come from the file; operating points and metrics are not in the file",
    ],
    timesteps: T,
    padding,
    front: plainFront(C),
    network: {
      ...lstm,
      headKernel: Float32Array.from(constant("headKernel")),
      headBias: Float32Array.from(constant("headBias")),
      ...(initial && { initial }),
    },
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

function readMetadata({ metadata }: Graph, C: number, constant: (name: string) => Float64Array, source: string): ExportMetadata {
  try {
    const calibration = { slope: constant("slope")[0], intercept: constant("intercept")[0] };
    return restoreExportMetadata(metadata.get("name") ?? "", JSON.parse(metadata.get("recipe") ?? ""), calibration, C);
  } catch {
    return rejectFile(source, "carries a recipe that cannot be read", "the file is damaged: export the model again");
  }
}
