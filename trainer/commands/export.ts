// export: an artifact in another form: its network as ONNX, or a Worker around it.
import { type Engines, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
import { encodeOnnx } from "../onnx/export.ts";
import type { Terminal } from "../terminal.ts";
import { writeWorkerProject } from "../worker-project.ts";

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

export interface ExportWorkerCommand {
  readonly artifact: string;
  /** Folder. */
  readonly worker: string;
}

export function exportWorker(command: ExportWorkerCommand, engines: Engines, terminal: Terminal): void {
  const { bytes, id } = loadModel(command.artifact, engines);
  writeWorkerProject(command.worker, bytes);
  terminal.say(`wrote a Worker that serves ${id} to ${command.worker}. In that folder:

  npx wrangler dev --var AUTH:open       try it on this machine
  npx wrangler deploy                    deploy it: shut, until the secret API_KEYS lists who may come
  npx wrangler secret put API_KEYS       lines of name:sha256 of the key
`);
}
