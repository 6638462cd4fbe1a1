// A model file of whatever kind → ImportedNetwork. The kind is told by the first bytes, never by the name. A format that states more of
// its first bytes is asked first: the two bytes of a pickle or a zip are also lengths with which a safetensors header may begin.
import { isZip, openZip } from "../readers/zip.ts";
import type { ImportedNetwork, SettledNetwork } from "./contract/imported-network.ts";
import { rejectFile } from "./contract/reject-file.ts";
import type { Beside, Said } from "./contract/said.ts";
import { type KerasSaid, readKerasH5, readKerasZip } from "./keras/file.ts";
import { isHdf5 } from "./keras/hdf5.ts";
import { looksLikeOnnx } from "./onnx/file.ts";
import { readOnnx } from "./onnx/read-onnx.ts";
import { settlePadding } from "./padding.ts";
import { attachRecipe, type RecipeSource } from "./recipe.ts";
import { isJson, readTfjs } from "./tfjs/read-tfjs.ts";
import { isSafetensors, readMetadata, readSafetensors } from "./torch/safetensors.ts";
import { readTorch } from "./torch/state-dict.ts";

/**
 * Reads a model file of any format. `said` is what the person says of it, `beside` reads other files of its folder, `from` has the recipe on whose channels the
 * network was trained. Throws DataError naming what cannot be imported, and
 * what to do; and what must be said, where the file cannot say it.
 */
export async function readModel(
  bytes: Uint8Array,
  source: string,
  said: Said,
  beside: Beside,
  from?: RecipeSource,
): Promise<SettledNetwork> {
  const imported = await readFile(bytes, source, said, beside);
  if (!hasFiniteNumbers(imported.network)) rejectFile(source, "holds a weight that is not finite", "the weights are damaged");
  return from ? attachRecipe(imported, from, said.padding, source) : settlePadding(imported, said.padding, source);
}

/** Whether every number in `value`, a network, is finite. */
function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value instanceof Float32Array) return value.every(Number.isFinite);
  return typeof value !== "object" || value === null || Object.values(value).every(hasFiniteNumbers);
}

async function readFile(bytes: Uint8Array, source: string, said: Said, beside: Beside): Promise<ImportedNetwork> {
  if (isSafetensors(bytes)) return readTensors(bytes, source, said);
  if (said.torch) rejectFile(source, "is no state dict of PyTorch, and holds its own forward pass", "leave --torch out");
  if (isHdf5(bytes)) return readKerasH5(bytes, source, outputSaid(said));
  if (isZip(bytes)) {
    const zip = await openZip(bytes, source, "a model as Keras saves it (.keras)");
    if (zip.names.some((name) => /(^|\/)data\.pkl$/.test(name))) rejectPickle(source, "a PyTorch file with a pickle in it");
    if (zip.names.some((name) => /(^|\/)archive_format$|^serialized_exported_program\.json$/.test(name)))
      rejectFile(
        source,
        "is an exported program of PyTorch (.pt2)",
        "save the model with torch.onnx.export, or its state dict with safetensors.torch.save_file",
      );
    if (!zip.names.includes("config.json"))
      rejectFile(source, "is a zip archive without a config.json", "expected a .keras file: save the model with model.save('….keras')");
    return readKerasZip(zip, source, outputSaid(said));
  }
  // Pickle protocols 2 to 5 start with their number
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) rejectPickle(source, "a pickle");
  if (isJson(bytes)) return readTfjs(bytes, source, outputSaid(said), beside);
  if (looksLikeOnnx(bytes)) return readOnnx(bytes, source, said, beside);
  return rejectFile(
    source,
    "is no model file that quickstep knows",
    "expected Keras (.keras, .h5), tfjs (model.json), ONNX, or a state dict of PyTorch as safetensors",
  );
}

function outputSaid({ isLogit = false, layers }: Said): KerasSaid {
  return { isLogit, layers };
}

function readTensors(bytes: Uint8Array, source: string, said: Said): ImportedNetwork {
  const { format } = readMetadata(bytes, source);
  if (format?.startsWith("quickstep/"))
    rejectFile(
      source,
      "is already an artifact of quickstep",
      `there is nothing to import: evaluate, score and serve take the file as it is (${format})`,
    );
  return readTorch(readSafetensors(bytes, source), source, said);
}

function rejectPickle(source: string, what: string): never {
  rejectFile(
    source,
    `is ${what}; quickstep never reads a pickle, since a pickle can run code`,
    "save the state dict with safetensors.torch.save_file, or the model with torch.onnx.export",
  );
}
