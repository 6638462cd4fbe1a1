// A model file of whatever kind → Found. The kind is told by the first bytes, never by the name.
import { FORMAT } from "../../shared/artifact/artifact.ts";
import { openZip } from "../readers/npz.ts";
import { type Found, refuse } from "./found.ts";
import { isHdf5 } from "./hdf5.ts";
import { readKerasH5, readKerasZip } from "./keras-file.ts";
import { readOnnx } from "./onnx.ts";
import { looksLikeProtobuf } from "./onnx-file.ts";
import { isSafetensors, readMetadata, readSafetensors } from "./safetensors.ts";
import { readTorch } from "./torch.ts";

/** `timesteps` where the user says it: a graph of any length is tried with it. Throws DataError. */
export async function readModel(bytes: Uint8Array, source: string, timesteps: number | null): Promise<Found> {
  if (isHdf5(bytes)) return readKerasH5(bytes, source);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    const zip = await openZip(bytes, source, "a model as Keras saves it (.keras)");
    if (zip.names.some((name) => /(^|\/)data\.pkl$/.test(name))) refusePickle(source, "a PyTorch file with a pickle in it");
    if (!zip.names.includes("config.json"))
      refuse(source, "is a zip archive without a config.json", "expected a .keras file: save it with model.save('….keras')");
    return readKerasZip(zip, source);
  }
  // Pickle protocols 2 to 5 start with their number
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) refusePickle(source, "a pickle");
  if (isSafetensors(bytes)) {
    if (readMetadata(bytes, source).format?.startsWith("quickstep/"))
      refuse(
        source,
        "is already an artifact of quickstep",
        `there is nothing to import: evaluate, score and serve take it as it is (${FORMAT})`,
      );
    return readTorch(readSafetensors(bytes, source), source);
  }
  if (looksLikeProtobuf(bytes)) return readOnnx(bytes, source, timesteps);
  return refuse(
    source,
    "is no model file that quickstep knows",
    "expected Keras (.keras, .h5), ONNX, or a state dict of PyTorch as safetensors",
  );
}

function refusePickle(source: string, what: string): never {
  refuse(
    source,
    `is ${what}, which can run code and is never read`,
    "save the state dict with safetensors.torch.save_file, or the model with torch.onnx.export",
  );
}
