// export: an artifact's network in another format.
import { ArtifactError, DataError } from "../../shared/errors.ts";
import { type Engines, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
import { encodeTorch } from "../import/torch.ts";
import { encodeOnnx } from "../onnx/export.ts";
import type { Terminal } from "../terminal.ts";

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
