// The layers of a Sequential or functional Keras model in the order of computation. Knows no kind of layer but those that only order.
// Layouts: keras.io/api/models/model_saving_apis, github.com/keras-team/keras (legacy/saving and saving/serialization_lib.py).
import { rejectFile } from "../contract/reject-file.ts";
import { describeLayer, type Layer } from "./layer.ts";

interface LinkedLayer extends Layer {
  /** Names of the layers that feed this one. */
  readonly inbound: ReadonlySet<string>;
}

const MODEL_CLASSES = /^(Sequential|Functional|Model)$/;
/** The layers in which Keras 3 records the mask that it makes of Masking's input. */
const MASK_CLASSES = /^(NotEqual|Any)$/;

/** Throws DataError where the model is no chain, or its config is not what Keras writes. */
export function readChain(config: unknown, source: string): Layer[] {
  const model = object(config, "its config", source);
  const type = String(model.class_name);
  const inner = model.config;
  const list: unknown = Array.isArray(inner) ? inner : object(inner, "its config", source).layers;
  if (!MODEL_CLASSES.test(type) || !Array.isArray(list))
    return rejectFile(
      source,
      `is a model of the class ${type}`,
      "quickstep reads Sequential and functional models: build the model from layers and save again",
    );
  const classes = new Map<string, number>();
  const layers = list.map((entry) => {
    const layer = readLayer(entry, source);
    const ordinal = classes.get(layer.type) ?? 0;
    classes.set(layer.type, ordinal + 1);
    return { ...layer, ordinal };
  });
  const nested = layers.find((layer) => MODEL_CLASSES.test(layer.type));
  if (nested)
    rejectFile(source, `layer ${nested.name} is a model of its own (${nested.type})`, "flatten the layers into one model and save again");
  if (type === "Sequential") return layers;
  const outputs = namesIn(object(inner, "its config", source).output_layers);
  if (outputs.size !== 1)
    rejectFile(source, `has ${outputs.size} outputs`, "quickstep answers one probability: save a model with that output alone");
  const [output] = outputs;
  return orderFrom(output, layers, source);
}

function readLayer(entry: unknown, source: string): LinkedLayer {
  const { class_name, name, config, inbound_nodes } = object(entry, "a layer", source);
  const settings = object(config, "a layer's config", source);
  return {
    type: String(class_name),
    name: String(settings.name ?? name ?? class_name),
    config: settings,
    ordinal: 0,
    inbound: namesIn(inbound_nodes),
  };
}

/** Follows a functional model from its output to its input. */
function orderFrom(output: string, layers: readonly LinkedLayer[], source: string): LinkedLayer[] {
  const ordered: LinkedLayer[] = [];
  let hasRecordedMask = false;
  for (let name: string | undefined = output; name !== undefined; ) {
    const layer = layers.find((candidate) => candidate.name === name);
    if (layer === undefined || ordered.length > layers.length)
      return rejectFile(source, `has no layer ${name}`, "the config is damaged: save the model again");
    ordered.unshift(layer);
    const inbound = [...layer.inbound].filter((from) => !MASK_CLASSES.test(layers.find((other) => other.name === from)?.type ?? ""));
    if (inbound.length > 1)
      rejectFile(
        source,
        `${describeLayer(layer)} has ${inbound.length} inputs (${inbound.join(", ")})`,
        "quickstep runs a chain of layers, each with one input",
      );
    if (inbound.length < layer.inbound.size) hasRecordedMask = true;
    name = inbound[0];
  }
  if (hasRecordedMask && !ordered.some(({ type }) => type === "Masking"))
    rejectFile(source, "computes a mask by itself (NotEqual, Any)", "quickstep knows the mask of a Masking(0) layer");
  return ordered;
}

/** The layers that `inbound_nodes` or `output_layers` name: [[["lstm",0,0,{}]]] until Keras 2, keras_history since. */
function namesIn(value: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      if (typeof part[0] === "string" && typeof part[1] === "number") names.add(part[0]);
      else for (const inner of part) visit(inner);
    } else if (typeof part === "object" && part !== null) for (const inner of Object.values(part)) visit(inner);
  };
  visit(value);
  return names;
}

function object(value: unknown, what: string, source: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    rejectFile(source, `${what} is not what Keras writes`, "the file is damaged: save the model again");
  return value as Record<string, unknown>;
}
