// Keras' two files → ImportedNetwork: .h5 (config and weights in one HDF5 file) and .keras (a zip of config.json, metadata.json and
// model.weights.h5). Knows where each keeps a layer's arrays, and not what is in them.
import type { Zip } from "../../readers/zip.ts";
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import { planKeras } from "./config.ts";
import { type Hdf5, readHdf5 } from "./hdf5.ts";
import type { Layer, Weights } from "./layer.ts";
import { LAYERS } from "./layers.ts";
import { buildKeras } from "./model.ts";

/** An LSTM of 2048 units with its optimizer's state has 200 MB. */
const MAX_WEIGHTS_BYTES = 2 ** 28;
/** A config has some kilobytes; layers' constants may lie in the config. */
const MAX_CONFIG_BYTES = 2 ** 24;

/** Reads a .h5 file (keras.io/api/models/model_saving_apis/whole_model_saving_and_loading, the legacy H5 format). Throws DataError. */
export async function readKerasH5(bytes: Uint8Array, source: string): Promise<ImportedNetwork> {
  const file = await readHdf5(bytes, source);
  const config = file.attributes.get("@model_config");
  if (typeof config !== "string")
    rejectFile(
      source,
      file.attributes.has("@layer_names") || [...file.arrays.keys()].some((path) => path.endsWith("/vars/0"))
        ? "holds weights without the model's config"
        : "is an HDF5 file without a Keras model in it",
      "save the whole model with model.save(…)",
    );
  const version = String(file.attributes.get("@keras_version") ?? "");
  const weightsOf = ({ name }: Layer): Weights[] => {
    const folder = `model_weights/${name}`;
    const names = [file.attributes.get(`${folder}@weight_names`) ?? []].flat();
    return names.flatMap((weight) => arrayAt(file, `${folder}/${weight}`, source) ?? []);
  };
  return buildKeras(planKeras(parse(config, source), version, source), weightsOf, `Keras ${version || "1"} (.h5)`, source);
}

/** Reads a .keras file, opened as a zip (keras.io/guides/serialization_and_saving). Throws DataError. */
export async function readKerasZip(zip: Zip, source: string): Promise<ImportedNetwork> {
  const text = async (name: string): Promise<string> => new TextDecoder().decode(await zip.read(name, MAX_CONFIG_BYTES));
  const config = parse(await text("config.json"), source);
  const metadata = zip.names.includes("metadata.json") ? parse(await text("metadata.json"), source) : {};
  const version = String((metadata as { keras_version?: unknown })?.keras_version ?? "3");
  if (!zip.names.includes("model.weights.h5")) rejectFile(source, "holds no model.weights.h5", "save the model with model.save('….keras')");
  const weights = await readHdf5(await zip.read("model.weights.h5", MAX_WEIGHTS_BYTES), `${source}: model.weights.h5`);
  const plan = planKeras(config, version, source);
  const scaling = [...plan.front, ...plan.behind];
  const ordinal = (layer: Layer): number => scaling.filter(({ type }) => type === layer.type).indexOf(layer);
  return buildKeras(plan, (layer) => arraysOf(weights, layer, ordinal(layer), source), `Keras ${version} (.keras)`, source);
}

/** Layers are stored by their class and number, not by their name: layers/lstm/cell/vars/0, layers/batch_normalization_1/vars/0. */
function arraysOf(weights: Hdf5, { type, name }: Layer, ordinal: number, source: string): Weights[] {
  const snake = type.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase() + (ordinal > 0 ? `_${ordinal}` : "");
  const inside = `/${LAYERS.get(type)?.arraysFolder ?? "vars"}/`;
  for (const root of ["layers", "_layer_checkpoint_dependencies"]) // the second: TensorFlow 2.12 and 2.13
    for (const folder of [snake, name]) {
      const found: Weights[] = [];
      for (let k = 0; ; k++) {
        const array = arrayAt(weights, `${root}/${folder}${inside}${k}`, source);
        if (array === undefined) break;
        found.push(array);
      }
      if (found.length > 0) return found;
    }
  return [];
}

/** The array at `path`, undefined where there is none. Throws DataError where its numbers are of a type that is not read. */
function arrayAt({ arrays, unread }: Hdf5, path: string, source: string): Weights | undefined {
  const type = unread.get(path);
  if (type !== undefined)
    rejectFile(source, `${path} holds ${type}`, "quickstep reads weights in float16, float32 and float64: save them in float32");
  return arrays.get(path);
}

function parse(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return rejectFile(source, "holds a config that is not JSON", "the file is damaged: save the model again");
  }
}
