// export: an artifact's network in another format.
import { type Engines, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
import { encodeOnnx } from "../onnx/export.ts";
import type { Terminal } from "../terminal.ts";

export interface ExportCommand {
  readonly artifact: string;
  readonly onnx: string;
}

export function exportModel(command: ExportCommand, engines: Engines, terminal: Terminal): void {
  const { model, id } = loadModel(command.artifact, engines);
  const bytes = encodeOnnx(model);
  writeWhole(command.onnx, bytes);
  terminal.say(`wrote ${id} as ONNX to ${command.onnx} (${bytes.length} bytes): the network and its calibration, on the recipe's channels`);
}
