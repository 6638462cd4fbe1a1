// The layers of a Sequential or functional Keras model in the order of computation: one behind the other, or in branches that a layer merges.
// Knows no kind of layer but those that only order.
// Layouts: keras.io/api/models/model_saving_apis, github.com/keras-team/keras (legacy/saving and saving/serialization_lib.py).
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { renameKeras1 } from "./keras-1.ts";
import { classOf, describeLayer, type Layer } from "./layer.ts";
import { argumentsIn, readOperation } from "./operations.ts";

/** A layer, and what it merges where it has several inputs: the layers of each input, behind those that all inputs have in common. */
export interface Step {
  readonly layer: Layer;
  readonly branches?: readonly (readonly Step[])[];
  /** Whether the file names a mask that the layer is called with, as Keras 3 does. */
  readonly isGivenMask?: boolean;
}

/** What a layer is fed: the tensor of that number which another layer leaves. */
interface Reference {
  readonly name: string;
  readonly tensor: number;
}

interface LinkedLayer extends Layer {
  readonly inbound: readonly Reference[];
  /** How often the model calls the layer. */
  readonly calls: number;
  /** Of an operation of Keras 3: the numbers that it is given beside tensors. */
  readonly constants: readonly number[];
}

const MODEL_CLASSES = /^(Sequential|Functional|Model)$/;
/** The operations in which Keras 3 records the mask that it makes of Masking's input, and of the masks of branches. */
const MASK_CLASSES = /^(NotEqual|Any|All|LogicalOr|LogicalAnd)$/;
/** What gives a mask of steps another axis, for a Softmax that is called with it. */
const MASK_SHAPES = /^(ExpandDims|Reshape|GetItem)$/;
const MAX_MASK_SHAPES = 4;
/** The layers that may have several inputs. */
const MERGE_CLASSES = /^(Concatenate|Add|Subtract|Multiply|Average|Dot)$/;
/** A model of the deepest kind that people train on sequences has some 200. */
const MAX_LAYERS = 1000;
/** Where branches share layers with each other, each computes them: this many times those that the model has. */
const MAX_REPEATS = 4;

/** Throws DataError where the model is no chain with branches, or its config is not what Keras writes. */
export function readChain(config: unknown, source: string): Step[] {
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
  if (list.length > MAX_LAYERS) rejectFile(source, `has ${list.length} layers`, `expected up to ${MAX_LAYERS}`);
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
  if (type === "Sequential") return layers.map((layer) => ({ layer }));
  const outputs = referencesIn(object(inner, "its config", source).output_layers);
  if (outputs.length !== 1)
    rejectFile(source, `has ${outputs.length} outputs`, "quickstep answers one probability: save a model with that output alone");
  return orderFrom(outputs[0], layers, source);
}

function readLayer(entry: unknown, source: string): LinkedLayer {
  const { class_name, name, config, inbound_nodes, ...origin } = object(entry, "a layer", source);
  const settings = object(config, "a layer's config", source);
  const operation = readOperation(class_name, settings, inbound_nodes);
  return {
    ...(operation
      ? { type: operation.type, config: operation.config }
      : renameKeras1({ type: classOf({ class_name, ...origin }), config: settings })),
    name: String(settings.name ?? name ?? class_name),
    ordinal: 0,
    inbound: referencesIn(inbound_nodes),
    calls: Array.isArray(inbound_nodes) ? inbound_nodes.length : 0,
    constants: operation?.constants ?? argumentsIn(inbound_nodes).filter((value) => typeof value === "number"),
  };
}

/** Follows a functional model from its output to its input. */
function orderFrom(output: Reference, layers: readonly LinkedLayer[], source: string): Step[] {
  const graph = createGraph(layers, source);
  graph.checkWays(output);
  let left = MAX_REPEATS * layers.length;
  let hasMasking = false;
  /** The steps behind the layer `until` that lead to `from`. */
  const stepsTo = (from: Reference, until: string | undefined): Step[] => {
    const steps: Step[] = [];
    for (let at: Reference | undefined = from; at !== undefined && at.name !== until; ) {
      const layer = graph.layerOf(at);
      if (--left < 0) rejectFile(source, "has branches that share layers in many ways", SECOND_ENGINE);
      hasMasking ||= layer.type === "Masking";
      const inbound = graph.inboundOf(layer);
      const isGivenMask = inbound.length < layer.inbound.length;
      if (inbound.length <= 1) {
        steps.unshift({ layer, isGivenMask });
        at = inbound[0];
        continue;
      }
      const fork = graph.forkOf(layer);
      steps.unshift({ layer, branches: inbound.map((one) => stepsTo(one, fork)) });
      at = { name: fork, tensor: 0 };
    }
    return steps;
  };
  const steps = stepsTo(output, undefined);
  if (graph.hasRecordedMask() && (!hasMasking || !layers.every((layer) => isMaskingsOwn(layer, layers))))
    rejectFile(source, "computes a mask by itself (NotEqual, Any)", "quickstep knows the mask of a Masking layer");
  return steps;
}

/** Whether an operation that begins a mask, if it is one, begins the mask of a Masking layer: its rows differ from the layer's value somewhere. */
function isMaskingsOwn({ type, inbound, constants, config }: LinkedLayer, layers: readonly LinkedLayer[]): boolean {
  const [from, ...more] = inbound;
  if (type === "Any" && layers.find(({ name }) => name === from?.name)?.type === "NotEqual")
    return [-1, 2].includes(Number(config.axis ?? -1));
  if (type !== "NotEqual") return true;
  const maskings = layers.filter((other) => other.type === "Masking" && other.inbound[0]?.name === from?.name);
  return more.length === 0 && maskings.some((other) => (constants[0] ?? other.config.mask_value) === other.config.mask_value);
}

/** The layers by what feeds them. */
function createGraph(layers: readonly LinkedLayer[], source: string) {
  const twice = layers.find(({ name }, k) => layers.findIndex((other) => other.name === name) !== k);
  if (twice) rejectFile(source, `has two layers ${twice.name}`, "Keras gives each layer a name of its own: save the model again");
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const dominators = new Map<string, ReadonlySet<string>>();
  const underway = new Set<string>();
  let hasRecordedMask = false;
  const layerOf = ({ name, tensor }: Reference): LinkedLayer => {
    const layer = byName.get(name) ?? rejectFile(source, `has no layer ${name}`, "the config is damaged: save the model again");
    if (tensor !== 0)
      rejectFile(source, `hands on tensor ${tensor} of ${describeLayer(layer)}`, `quickstep hands on the first; ${SECOND_ENGINE}`);
    if (layer.calls > 1) rejectFile(source, `${describeLayer(layer)} is called ${layer.calls} times`, SECOND_ENGINE);
    return layer;
  };
  const isMask = (layer: LinkedLayer | undefined): boolean => {
    let at = layer;
    for (let k = 0; at && k < MAX_MASK_SHAPES && MASK_SHAPES.test(at.type); k++) at = byName.get(at.inbound[0]?.name);
    return MASK_CLASSES.test(at?.type ?? "");
  };
  const inboundOf = (layer: LinkedLayer): readonly Reference[] => {
    const inbound = layer.inbound.filter(({ name }) => !isMask(byName.get(name)));
    if (inbound.length < layer.inbound.length) hasRecordedMask = true;
    if (inbound.length > 1 && !MERGE_CLASSES.test(layer.type))
      rejectFile(
        source,
        `${describeLayer(layer)} has ${inbound.length} inputs (${inbound.map(({ name }) => name).join(", ")})`,
        `quickstep joins branches by Concatenate, Add, Subtract, Multiply, Average, and Dot after a softmax; ${SECOND_ENGINE}`,
      );
    return inbound;
  };
  /** The layers through which every way from the input to this one leads. */
  const dominatorsOf = (at: Reference): ReadonlySet<string> => {
    const known = dominators.get(at.name);
    if (known) return known;
    if (underway.has(at.name))
      return rejectFile(source, `feeds layer ${at.name} with itself`, "the config is damaged: save the model again");
    underway.add(at.name);
    const found = new Set([...commonOf(inboundOf(layerOf(at)).map(dominatorsOf)), at.name]);
    dominators.set(at.name, found);
    return found;
  };
  /** The last layer that all inputs of `layer` come from. */
  const forkOf = (layer: LinkedLayer): string => {
    return (
      commonOf(inboundOf(layer).map(dominatorsOf)).at(-1) ??
      rejectFile(source, `${describeLayer(layer)} joins several inputs of the model`, `quickstep gives a model one; ${SECOND_ENGINE}`)
    );
  };
  return { layerOf, inboundOf, forkOf, checkWays: (to: Reference) => void dominatorsOf(to), hasRecordedMask: () => hasRecordedMask };
}

/** What all sets hold, in the order of the first. */
function commonOf([first, ...others]: readonly ReadonlySet<string>[]): string[] {
  return [...(first ?? [])].filter((name) => others.every((set) => set.has(name)));
}

/**
 * What `inbound_nodes` or `output_layers` name: [[["lstm",0,0,{}]]] until Keras 2, keras_history since. Keras 2 has tensors that stand beside the
 * first, a mask or the other factor of a product, in the object behind.
 */
function referencesIn(value: unknown): Reference[] {
  const found: Reference[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      if (typeof part[0] === "string" && typeof part[1] === "number") {
        found.push({ name: part[0], tensor: Number(part[2] ?? 0) });
        visit(part[3]);
      } else for (const inner of part) visit(inner);
    } else if (typeof part === "object" && part !== null) for (const inner of Object.values(part)) visit(inner);
  };
  visit(value);
  return found;
}

function object(value: unknown, what: string, source: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    rejectFile(source, `${what} is not what Keras writes`, "the file is damaged: save the model again");
  return value as Record<string, unknown>;
}
