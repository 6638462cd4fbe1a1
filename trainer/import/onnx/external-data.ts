// Weights that lie in a file beside the model's, as torch.onnx.export writes them (onnx.ai, "External data"): put back into the model.
import type { ModelProto, TensorProto } from "../../export/onnx/schema.ts";
import { EXTERNAL } from "../../export/onnx/schema.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Beside } from "../contract/said.ts";

/** The model with every initializer's numbers inside. Throws DataError where a file beside it is missing, elsewhere, or too short. */
export function embedExternalData(model: ModelProto, beside: Beside, source: string): ModelProto {
  const { graph } = model;
  if (!graph?.initializer?.some(isExternal)) return model;
  const files = new Map<string, Uint8Array>();
  const fileAt = (location: string): Uint8Array => {
    const bytes = files.get(location) ?? beside(location);
    files.set(location, bytes);
    return bytes;
  };
  return {
    ...model,
    graph: { ...graph, initializer: graph.initializer.map((tensor) => (isExternal(tensor) ? embed(tensor, fileAt, source) : tensor)) },
  };
}

/** Whether a tensor's numbers lie in another file. */
export function isExternal({ externalData, dataLocation }: TensorProto): boolean {
  return (externalData?.length ?? 0) > 0 || dataLocation === EXTERNAL;
}

function embed(tensor: TensorProto, fileAt: (location: string) => Uint8Array, source: string): TensorProto {
  const entries = new Map(tensor.externalData?.map(({ key = "", value = "" }) => [key, value]));
  const location = entries.get("location") ?? "";
  const bytes = fileAt(location);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? bytes.length - offset);
  if (!(Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0 && offset + length <= bytes.length))
    rejectFile(
      source,
      `tensor ${tensor.name} claims bytes ${offset} to ${offset + length} of ${location}, which has ${bytes.length}`,
      "the file is cut short or damaged",
    );
  return { ...tensor, externalData: undefined, dataLocation: undefined, rawData: bytes.subarray(offset, offset + length) };
}
