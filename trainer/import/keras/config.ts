// Keras' description of a model, as .h5 and .keras hold it, in every spelling since Keras 1: JSON → the chain of layers that
// quickstep knows, with their settings. Everything else is refused by name. Knows no weights.
// Layouts: keras.io/api/models/model_saving_apis, github.com/keras-team/keras (legacy/saving and saving/serialization_lib.py).
import { rejectFile } from "../contract/reject-file.ts";

export interface Layer {
  readonly type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface KerasPlan {
  readonly timesteps: number | null;
  readonly features: number | null;
  readonly isMasked: boolean;
  /** BatchNormalization, Normalization and Rescaling in front of the LSTM, in order. */
  readonly front: readonly Layer[];
  readonly lstm: Layer;
  /** Slope of the hard sigmoid in the gates; null: true sigmoids. */
  readonly hardGates: number | null;
  readonly backwards: boolean;
  readonly dense: Layer;
  /** Layers that do nothing when a model is used. */
  readonly ignored: readonly string[];
  readonly findings: readonly string[];
}

/** Nothing at inference. */
const IGNORED = /^(InputLayer|Dropout|SpatialDropout1D|GaussianNoise|GaussianDropout|AlphaDropout|ActivityRegularization)$/;
const FRONT = /^(BatchNormalization|Normalization|Rescaling)$/;

/** `version` is keras_version where the file has it. Throws DataError naming the layer and what would be needed. */
export function planKeras(config: unknown, version: string, source: string): KerasPlan {
  const layers = chain(config, source);
  const major = Number(version.split(".")[0]) || 1;
  const front: Layer[] = [];
  const ignored: string[] = [];
  const findings: string[] = [];
  let isMasked = false;
  let lstm: Layer | undefined;
  let dense: Layer | undefined;
  let isActivated = false;
  for (const layer of layers) {
    const { type, name, config } = layer;
    const what = `layer ${name} (${type})`;
    checkPrecision(layer, source);
    if (IGNORED.test(type)) {
      if (type !== "InputLayer") ignored.push(type);
    } else if (type === "Masking" && lstm === undefined) {
      if (config.mask_value !== 0)
        rejectFile(source, `${what} masks ${config.mask_value}`, "quickstep passes over all-zero rows, so mask_value must be 0");
      if (front.length > 0)
        rejectFile(
          source,
          `${what} stands behind ${front[0].name} (${front[0].type})`,
          "which rows are zero must be asked of the raw rows: put Masking first",
        );
      isMasked = true;
    } else if (FRONT.test(type) && lstm === undefined) {
      checkFront(layer, source);
      if (isMasked && type !== "BatchNormalization")
        findings.push(`the mask is taken to pass through ${name} (${type}), as in today's Keras; some older versions dropped it there`);
      front.push(layer);
    } else if (type === "LSTM" && lstm === undefined) {
      checkLstm(layer, source);
      lstm = layer;
    } else if (type === "LSTM") rejectFile(source, `${what} is a second LSTM`, "quickstep runs one LSTM: train a single one");
    else if (type === "Dense" && lstm !== undefined && dense === undefined) {
      const units = config.units ?? config.output_dim;
      if (units !== 1) rejectFile(source, `${what} has ${units} units`, "quickstep needs Dense(1, sigmoid) right behind the LSTM");
      const activation = nameOf(config.activation);
      if (activation !== "sigmoid" && activation !== "linear")
        rejectFile(source, `${what} has the activation ${activation}`, "quickstep needs Dense(1, sigmoid)");
      isActivated = activation === "sigmoid";
      dense = layer;
    } else if (type === "Activation" && dense !== undefined && !isActivated && nameOf(config.activation) === "sigmoid") isActivated = true;
    else
      rejectFile(
        source,
        `${what} is not supported here`,
        `quickstep runs [Masking], [Normalization], LSTM, Dense(1, sigmoid); ${fixOf(type)}`,
      );
  }
  if (lstm === undefined)
    rejectFile(source, `holds no LSTM among its layers (${layers.map(({ type }) => type).join(", ")})`, "only LSTM models can be imported");
  if (dense === undefined) rejectFile(source, "has no Dense layer behind its LSTM", "quickstep needs Dense(1, sigmoid) there");
  if (!isActivated)
    rejectFile(
      source,
      `layer ${dense.name} (Dense) is linear`,
      "add a sigmoid activation and save again, so that the model answers a probability",
    );
  const recurrent = nameOf(lstm.config.recurrent_activation ?? lstm.config.inner_activation ?? (major < 3 ? "hard_sigmoid" : "sigmoid"));
  // Keras 1 and 2: max(0, min(1, 0.2·x + 0.5)); Keras 3: relu6(x + 3) / 6 (keras/src/activations/activations.py)
  const hardGates = recurrent === "hard_sigmoid" ? (major >= 3 ? 1 / 6 : 0.2) : null;
  return {
    ...shapeOf(layers),
    isMasked,
    front,
    lstm,
    hardGates,
    backwards: lstm.config.go_backwards === true,
    dense,
    ignored,
    findings,
  };
}

/** The layers in the order of computation. */
function chain(config: unknown, source: string): Layer[] {
  const model = object(config, "its config", source);
  const type = String(model.class_name);
  const inner = model.config;
  const list: unknown = Array.isArray(inner) ? inner : object(inner, "its config", source).layers;
  if (!/^(Sequential|Functional|Model)$/.test(type) || !Array.isArray(list))
    rejectFile(
      source,
      `is a model of the class ${type}`,
      "quickstep reads Sequential and functional models: build it from layers and save again",
    );
  const layers = list.map((entry) => {
    const { class_name, name, config, inbound_nodes } = object(entry, "a layer", source);
    const settings = object(config, "a layer's config", source);
    return {
      type: String(class_name),
      name: String(settings.name ?? name ?? class_name),
      config: settings,
      inbound: namesIn(inbound_nodes),
    };
  });
  const nested = layers.find(({ type }) => /^(Sequential|Functional|Model)$/.test(type));
  if (nested) rejectFile(source, `layer ${nested.name} is a model of its own (${nested.type})`, "flatten it into one model and save again");
  if (type === "Sequential") return layers;

  const outputs = namesIn(object(inner, "its config", source).output_layers);
  if (outputs.size !== 1)
    rejectFile(source, `has ${outputs.size} outputs`, "quickstep answers one probability: save a model with that output alone");
  const ordered: typeof layers = [];
  let hasRecordedMask = false;
  for (let [name] = outputs; name !== undefined; ) {
    const layer = layers.find((candidate) => candidate.name === name);
    if (layer === undefined || ordered.length > layers.length)
      rejectFile(source, `has no layer ${name}`, "its config is damaged: save it again");
    ordered.unshift(layer);
    // Keras 3 records the mask that it makes of Masking's input as layers of their own.
    const inbound = [...layer.inbound].filter((from) => !/^(NotEqual|Any)$/.test(layers.find((other) => other.name === from)?.type ?? ""));
    if (inbound.length > 1)
      rejectFile(
        source,
        `layer ${name} (${layer.type}) has ${inbound.length} inputs (${inbound.join(", ")})`,
        "quickstep runs a chain of layers, each with one input",
      );
    if (inbound.length < layer.inbound.size) hasRecordedMask = true;
    [name] = inbound;
  }
  if (hasRecordedMask && !ordered.some((layer) => layer.type === "Masking"))
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

function checkLstm({ name, config }: Layer, source: string): void {
  const what = `layer ${name} (LSTM)`;
  const activation = nameOf(config.activation ?? "tanh");
  if (activation !== "tanh") rejectFile(source, `${what} has the activation ${activation}`, "quickstep's kernel computes tanh there");
  const recurrent = nameOf(config.recurrent_activation ?? config.inner_activation ?? "sigmoid");
  if (recurrent !== "sigmoid" && recurrent !== "hard_sigmoid")
    rejectFile(source, `${what} has the recurrent activation ${recurrent}`, "quickstep's kernel computes sigmoid and hard_sigmoid there");
  const flags: [key: string, fix: string][] = [
    ["return_sequences", "quickstep reads the last state only: save a model with return_sequences=False"],
    ["return_state", "quickstep reads the last state only: save a model with return_state=False"],
    ["stateful", "scores would depend on earlier ones: save a model with stateful=False"],
    ["time_major", "save a model with sequences first"],
  ];
  for (const [key, fix] of flags) if (config[key] === true) rejectFile(source, `${what} has ${key}=True`, fix);
}

function checkFront({ type, name, config }: Layer, source: string): void {
  const axis = [config.axis ?? -1].flat();
  const isLast = axis.length === 0 || (axis.length === 1 && (axis[0] === -1 || axis[0] === 2));
  if (type !== "Rescaling" && !isLast)
    rejectFile(source, `layer ${name} (${type}) works along axis ${JSON.stringify(config.axis)}`, "quickstep scales features: use axis -1");
  if (config.mode !== undefined && config.mode !== 0)
    rejectFile(source, `layer ${name} (${type}) has mode ${config.mode}`, "quickstep knows mode 0");
  if (config.invert === true) rejectFile(source, `layer ${name} (${type}) has invert=True`, "quickstep standardises, not the reverse");
}

function checkPrecision({ name, type, config: { dtype } }: Layer, source: string): void {
  const policy = typeof dtype === "object" && dtype !== null ? JSON.stringify(dtype) : String(dtype ?? "float32");
  if (/mixed|float16|int8|float8/.test(policy))
    rejectFile(
      source,
      `layer ${name} (${type}) computes in ${policy.match(/mixed_\w+|b?float16|int8|float8/)?.[0]}`,
      "quickstep computes in float32: set that policy and save again",
    );
}

/** `sigmoid`, or the object that Keras 3 and 2.15 write for a function. */
function nameOf(activation: unknown): string {
  if (typeof activation === "object" && activation !== null) {
    const { config, class_name } = activation as Record<string, unknown>;
    return typeof config === "string" ? config : String(class_name);
  }
  return String(activation ?? "linear");
}

function fixOf(type: string): string {
  if (/^(GRU|SimpleRNN|RNN|ConvLSTM.*|CuDNNGRU)$/.test(type)) return "this recurrent layer has another cell";
  if (type === "CuDNNLSTM") return "load the weights into an LSTM layer in Keras and save that";
  if (type === "Bidirectional") return "two directions would take a second LSTM";
  if (type === "Lambda") return "its code is never run";
  return "leave this layer out";
}

/** What the first layers say of (N,T,F). */
function shapeOf(layers: readonly Layer[]): { timesteps: number | null; features: number | null } {
  for (const { config } of layers) {
    const shape = config.batch_shape ?? config.batch_input_shape;
    if (Array.isArray(shape) && shape.length === 3)
      return { timesteps: typeof shape[1] === "number" ? shape[1] : null, features: typeof shape[2] === "number" ? shape[2] : null };
    if (typeof config.input_dim === "number")
      return { timesteps: typeof config.input_length === "number" ? config.input_length : null, features: config.input_dim };
  }
  return { timesteps: null, features: null };
}

function object(value: unknown, what: string, source: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    rejectFile(source, `${what} is not what Keras writes`, "it is damaged: save the model again");
  return value as Record<string, unknown>;
}
