// Keras' two files → ImportedNetwork: .h5 (config and weights in one HDF5 file) and .keras (a zip of config.json, metadata.json and
// model.weights.h5). Knows where each keeps a layer's arrays, and not what is in them.
import type { Zip } from "../../readers/zip.ts";
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import { allLayers } from "./branches.ts";
import { planKeras } from "./config.ts";
import { type Hdf5, readHdf5 } from "./hdf5.ts";
import { type Layer, toSnake, type Weights } from "./layer.ts";
import { LAYERS } from "./layers.ts";
import { buildKeras, type OutputSaid } from "./model.ts";

/** An LSTM of 2048 units with its optimizer's state has 200 MB. */
const MAX_WEIGHTS_BYTES = 2 ** 28;
/** A config has some kilobytes; layers' constants may lie in the config. */
const MAX_CONFIG_BYTES = 2 ** 24;

/** What a person says beside a Keras file. */
export interface KerasSaid extends OutputSaid {
  /** The text of a model's config, as model.to_json() gives it, for a file of weights alone. */
  readonly layers?: string;
}

/** Keras 1 did not write what it ran on. */
const BACKEND_OPEN =
  "convolutions are computed as Keras 1 did on TensorFlow; on Theano it read kernels from the end, and the file does not say on which it ran: --check pairs.npz proves it";

function backendOf({ attributes }: Hdf5): unknown {
  return attributes.get("@backend");
}

/** Reads a .h5 file (keras.io/api/models/model_saving_apis/whole_model_saving_and_loading, the legacy H5 format). Throws DataError. */
export async function readKerasH5(bytes: Uint8Array, source: string, said: KerasSaid): Promise<ImportedNetwork> {
  const file = await readHdf5(bytes, source);
  const config = file.attributes.get("@model_config");
  if (typeof config !== "string") return readWeightsAlone(file, source, said);
  const version = String(file.attributes.get("@keras_version") ?? "");
  const plan = planKeras(parse(config, source), version, source);
  const imported = buildKeras(plan, legacyWeights(file, "model_weights/", source), `Keras ${version || "1"} (.h5)`, source, said);
  const isOpen = plan.major < 2 && backendOf(file) === undefined && allLayers(plan.planned).some(({ type }) => type === "Conv1D");
  return isOpen ? { ...imported, findings: [...imported.findings, BACKEND_OPEN] } : imported;
}

/**
 * A layer's arrays by its name, as the legacy format has them below `root`. Theano reads a convolution's kernel from the end, TensorFlow from the
 * beginning (convert_kernel in keras/utils/conv_utils.py).
 */
function legacyWeights(file: Hdf5, root: string, source: string): (layer: Layer) => Weights[] {
  const isTheano = backendOf(file) === "theano";
  return ({ name, type, config, saved }) => {
    const folder = `${root}${saved?.name ?? name}`;
    const names = [file.attributes.get(`${folder}@weight_names`) ?? []].flat();
    const arrays = names.flatMap((weight) => arrayAt(file, `${folder}/${weight}`, source) ?? []);
    return isTheano && type === "Conv1D" ? arrays.map((array, k) => (k === 0 ? turnKernel(array, config) : array)) : arrays;
  };
}

/** (K,W,F) or (K,1,W,F), or (F,W,K,1) of Keras 1, its steps from the last to the first. */
function turnKernel({ shape, data }: Weights, { kernel_size, filters }: Layer["config"]): Weights {
  const isOldest = shape.length === 4 && !(shape[0] === [kernel_size].flat()[0] && shape[1] === 1 && shape[3] === [filters].flat()[0]);
  const axis = isOldest ? 2 : 0;
  const K = shape[axis];
  const inside = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return { shape, data: data.map((_, at) => data[at + inside * (K - 1 - 2 * (Math.floor(at / inside) % K))]) };
}

/** A file of save_weights, with the layers that are said beside it. */
function readWeightsAlone(file: Hdf5, source: string, said: KerasSaid): ImportedNetwork {
  const isLegacy = file.attributes.has("@layer_names");
  const isNew = [...file.arrays.keys()].some((path) => path.endsWith("/vars/0"));
  if (!isLegacy && !isNew) rejectFile(source, "is an HDF5 file without a Keras model in it", "save the whole model with model.save(…)");
  if (said.layers === undefined)
    rejectFile(
      source,
      "holds weights without the model's layers",
      "say --layers model.json, written by open('model.json', 'w').write(model.to_json()), or save the whole model with model.save(…)",
    );
  const config = parse(said.layers, source) as { keras_version?: unknown };
  const version = String(config?.keras_version ?? (isNew ? "3" : ""));
  const weightsOf = isLegacy ? legacyWeights(file, "", source) : (layer: Layer) => arraysOf(file, layer, source);
  return buildKeras(planKeras(config, version, source), weightsOf, `Keras ${version || "1"} (weights, with --layers)`, source, said);
}

/** Reads a .keras file, opened as a zip (keras.io/guides/serialization_and_saving). Throws DataError. */
export async function readKerasZip(zip: Zip, source: string, said: KerasSaid): Promise<ImportedNetwork> {
  const text = async (name: string): Promise<string> => new TextDecoder().decode(await zip.read(name, MAX_CONFIG_BYTES));
  const config = parse(await text("config.json"), source);
  const metadata = zip.names.includes("metadata.json") ? parse(await text("metadata.json"), source) : {};
  const version = String((metadata as { keras_version?: unknown })?.keras_version ?? "3");
  if (!zip.names.includes("model.weights.h5")) rejectFile(source, "holds no model.weights.h5", "save the model with model.save('….keras')");
  const weights = await readHdf5(await zip.read("model.weights.h5", MAX_WEIGHTS_BYTES), `${source}: model.weights.h5`);
  const plan = planKeras(config, version, source);
  return buildKeras(plan, (layer) => arraysOf(weights, layer, source), `Keras ${version} (.keras)`, source, said);
}

/**
 * A layer's arrays in Keras 3's format: by the layer's name where the file has it (Keras 3.7 on writes it beside the arrays), else by its class
 * and number, layers/lstm/cell/vars/0, layers/batch_normalization_1/vars/0; or by its name as a folder.
 */
function arraysOf(weights: Hdf5, layer: Layer, source: string): Weights[] {
  const { type, name } = layer.saved ?? layer;
  const { ordinal, saved } = layer;
  const snake = toSnake(type) + (ordinal > 0 ? `_${ordinal}` : "");
  const folders = saved?.folders ?? LAYERS.get(type)?.arraysFolders?.(layer) ?? ["vars"];
  for (const root of ["layers", "_layer_checkpoint_dependencies"]) {
    // the second: TensorFlow 2.12 and 2.13
    const named = [...weights.attributes].find(
      ([path, text]) => text === name && path.startsWith(`${root}/`) && /^[^/]+\/[^/]+\/vars@name$/.test(path),
    );
    for (const folder of [named?.[0].split("/")[1], snake, name]) {
      if (folder === undefined) continue;
      const found = folders.flatMap((inside) => arraysIn(weights, `${root}/${folder}/${inside}`, source));
      if (found.length > 0) return found;
    }
  }
  return [];
}

function arraysIn(weights: Hdf5, path: string, source: string): Weights[] {
  const found: Weights[] = [];
  for (let k = 0; ; k++) {
    const array = arrayAt(weights, `${path}/${k}`, source);
    if (array === undefined) return found;
    found.push(array);
  }
}

/** The array at `path`, undefined where there is none. Throws DataError where its numbers are of a type that is not read. */
function arrayAt({ arrays, unread }: Hdf5, path: string, source: string): Weights | undefined {
  const type = unread.get(path);
  if (type !== undefined)
    rejectFile(source, `${path} holds ${type}`, "quickstep reads weights in float16, float32 and float64: save them in float32");
  const array = arrays.get(path);
  if (array && !array.data.every(Number.isFinite))
    rejectFile(source, `${path} holds a number that is not finite`, "the weights are damaged");
  return array;
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return rejectFile(source, "holds a config that is not JSON", "the file is damaged: save the model again");
  }
}
