// A LayersModel of tfjs (model.json and its shards) → ImportedNetwork: the topology is a Keras config, whose layers are read as Keras' are.
// Layout: tensorflow.org/js/guide/save_load, github.com/tensorflow/tfjs (tfjs-core/src/io/types.ts, ModelJSON).
import type { ImportedNetwork } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Beside } from "../contract/said.ts";
import { allLayers } from "../keras/branches.ts";
import { planKeras } from "../keras/config.ts";
import type { Layer, Weights } from "../keras/layer.ts";
import { buildKeras, type OutputSaid } from "../keras/model.ts";
import { type NamedArray, readWeights } from "./weights.ts";

/** What tfjs itself computes where a config does not say: as Keras 2. */
const OF_TFJS = "2";

/** Whether `bytes` begin as a JSON object does. */
export function isJson(bytes: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder("latin1").decode(bytes.subarray(0, 64)));
}

/** Reads model.json, whose shards `beside` gives. Throws DataError: another JSON, a graph model, layers or weights that do not fit. */
export function readTfjs(bytes: Uint8Array, source: string, said: OutputSaid, beside: Beside): ImportedNetwork {
  const model = parse(bytes, source);
  const topology = model.modelTopology as Record<string, unknown> | undefined;
  if (model.format === "graph-model" || Array.isArray(topology?.node))
    rejectFile(
      source,
      "is a graph model of tfjs, which holds operators instead of layers",
      "save or convert it as a layers model (--output_format tfjs_layers_model), or import the model that it was converted from",
    );
  if (typeof topology !== "object" || topology === null || model.weightsManifest === undefined)
    return rejectFile(source, "is JSON, but no model of tfjs", "expected model.json of a LayersModel, with its shards in the same folder");
  const config = topology.model_config ?? topology;
  const version = String(topology.keras_version ?? "");
  const plan = planKeras(config, /^\d/.test(version) ? version : OF_TFJS, source);
  const arrays = readWeights(model.weightsManifest, beside, source);
  const layers = allLayers(plan.planned);
  return buildKeras(
    plan,
    (layer) => weightsOf(arrays, layer, layers, source),
    `tfjs LayersModel${version ? `, ${version}` : ""}`,
    source,
    said,
  );
}

function parse(bytes: Uint8Array, source: string): Record<string, unknown> {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Record<string, unknown>;
  } catch {
    return rejectFile(source, "begins like JSON, but is none", "the file is cut short or damaged");
  }
}

/** Arrays of layers that were built before their model carry no layer's name. By class, what such arrays are called. */
const NAMELESS: ReadonlyMap<string, RegExp> = new Map([
  ["BatchNormalization", /^(gamma|beta|moving_mean|moving_variance)$/],
  ["Normalization", /^(mean|variance|count)$/],
  ["LayerNormalization", /^(gamma|beta)$/],
]);

/** Throws DataError where it cannot be told which layer's the arrays are. */
function weightsOf(arrays: readonly NamedArray[], layer: Layer, layers: readonly Layer[], source: string): Weights[] {
  const named = namedArrays(arrays, layer);
  const pattern = NAMELESS.get(layer.type);
  if (named.length > 0 || pattern === undefined) return named;
  const nameless = arrays.filter(({ name }) => pattern.test(name));
  const takers = layers.filter((other) => NAMELESS.has(other.type) && namedArrays(arrays, other).length === 0 && overlaps(pattern, other));
  if (nameless.length > 0 && takers.length > 1)
    rejectFile(
      source,
      `does not say to which layer ${nameless[0].name} belongs (${takers.map(({ name }) => name).join(", ")})`,
      "import the Keras model that it was converted from",
    );
  return nameless;
}

function overlaps(pattern: RegExp, { type }: Layer): boolean {
  return ["gamma", "mean"].some((name) => pattern.test(name) && NAMELESS.get(type)!.test(name));
}

/** A layer's arrays: their names' paths have the layer's name, or the name of a layer inside, forward before backward. */
function namedArrays(arrays: readonly NamedArray[], { config, saved, ...layer }: Layer): NamedArray[] {
  const name = saved?.name ?? layer.name;
  const parts = (array: NamedArray): string[] => array.name.split("/");
  const own = arrays.filter((array) => parts(array).includes(name));
  const inner = ((config.layer ?? {}) as { config?: { name?: unknown } }).config?.name;
  const names = [...(saved?.cells ?? []), ...(inner === undefined ? [] : [inner, `forward_${inner}`, `backward_${inner}`])];
  if (names.length === 0) return own;
  const wrapped = own.length > 0 ? own : arrays.filter((array) => parts(array).some((part) => names.includes(part)));
  const isBackward = (array: NamedArray): boolean => parts(array).some((part) => part.startsWith("backward_"));
  return [...wrapped.filter((array) => !isBackward(array)), ...wrapped.filter(isBackward)];
}
