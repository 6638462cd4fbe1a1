// export: an artifact in another form: its network for ONNX or PyTorch, or a Worker around it.
import { ArtifactError, DataError } from "../../shared/errors.ts";
import { type Engines, loadModel } from "../artifact/artifact-file.ts";
import type { Terminal } from "../cli/terminal.ts";
import { encodeOnnx } from "../export/onnx/export.ts";
import { encodeTorch } from "../export/torch.ts";
import { writeWorkerProject } from "../export/worker-project.ts";
import { writeWhole } from "../files/whole-files.ts";

export interface ExportCommand {
  readonly artifact: string;
  readonly onnx?: string;
  /** Whether the recipe goes into the ONNX graph. */
  readonly preprocessing: boolean;
  /** A state dict of PyTorch, as safetensors. */
  readonly torch?: string;
}

export function exportModel(command: ExportCommand, engines: Engines, terminal: Terminal): void {
  const { model, id } = loadModel(command.artifact, engines);
  const write = (path: string, bytes: Uint8Array, what: string): void => {
    writeWhole(path, bytes);
    terminal.say(`wrote ${id} as ${what}`.replace("FILE", `${path} (${bytes.length} bytes)`));
  };
  const torch = command.torch === undefined ? undefined : torchOf(model, command.artifact);
  if (command.onnx !== undefined)
    write(
      command.onnx,
      encodeOnnx(model, command),
      `ONNX to FILE: ${command.preprocessing ? "raw float64 sequences to probabilities" : "the network and its calibration, on the recipe's channels"}`,
    );
  if (command.torch !== undefined && torch)
    write(command.torch, torch, "a state dict of PyTorch to FILE: lstm and fc, on the recipe's channels");
}

function torchOf(model: Parameters<typeof encodeTorch>[0], source: string): Uint8Array {
  try {
    return encodeTorch(model);
  } catch (error) {
    if (error instanceof ArtifactError) throw new DataError(source, error.message);
    throw error;
  }
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
