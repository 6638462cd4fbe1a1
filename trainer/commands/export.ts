// export: an artifact's network in another format.
import { type Engines, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
import { encodeOnnx } from "../onnx/export.ts";
import type { Terminal } from "../terminal.ts";

export interface ExportCommand {
  readonly artifact: string;
  readonly onnx: string;
  /** Whether the recipe goes into the graph. */
  readonly preprocessing: boolean;
}

export function exportModel(command: ExportCommand, engines: Engines, terminal: Terminal): void {
  const { model, id } = loadModel(command.artifact, engines);
  const bytes = encodeOnnx(model, command);
  writeWhole(command.onnx, bytes);
  const what = command.preprocessing
    ? "raw float64 sequences to probabilities"
    : "the network and its calibration, on the recipe's channels";
  terminal.say(`wrote ${id} as ONNX to ${command.onnx} (${bytes.length} bytes): ${what}`);
}
