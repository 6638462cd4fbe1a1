// What Keras 1 called its layers and their settings, as Keras 2 calls them (keras.io/api and github.com/keras-team/keras/blob/2.0.0/keras/legacy).
// Knows no layer's meaning.

type Settings = Readonly<Record<string, unknown>>;

/** A layer's class and settings. */
export interface NamedSettings {
  readonly type: string;
  readonly config: Settings;
}

const CLASSES: ReadonlyMap<string, string> = new Map([
  ["Convolution1D", "Conv1D"],
  ["AtrousConvolution1D", "Conv1D"],
  ["TimeDistributedDense", "Dense"],
]);

const KEYS: ReadonlyMap<string, string> = new Map([
  ["output_dim", "units"],
  ["bias", "use_bias"],
  ["inner_activation", "recurrent_activation"],
  ["nb_filter", "filters"],
  ["filter_length", "kernel_size"],
  ["subsample_length", "strides"],
  ["atrous_rate", "dilation_rate"],
  ["border_mode", "padding"],
  ["pool_length", "pool_size"],
  ["stride", "strides"],
  ["concat_axis", "axis"],
]);

/** The layers that a Merge was, by its mode; `max`, `dot` and `cos` stay what they are called. */
const MERGES: ReadonlyMap<unknown, string> = new Map([
  ["concat", "Concatenate"],
  ["sum", "Add"],
  ["mul", "Multiply"],
  ["ave", "Average"],
]);

/** The layer under the names that Keras 2 has, those of layers inside it, too. Of a newer Keras: the layer as it is. */
export function renameKeras1({ type, config }: NamedSettings): NamedSettings {
  const renamed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = KEYS.get(key) ?? key;
    if (name === key || !(name in config)) renamed[name] = key === "layer" ? renameInner(value) : value;
  }
  const merge = type === "Merge" ? MERGES.get(config.mode) : undefined;
  return { type: merge ?? CLASSES.get(type) ?? type, config: renamed };
}

/** The layer that Bidirectional or TimeDistributed wraps. */
function renameInner(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("class_name" in value) || !("config" in value)) return value;
  const { class_name, config } = value;
  if (typeof config !== "object" || config === null) return value;
  const inner = renameKeras1({ type: String(class_name), config: config as Settings });
  return { ...value, class_name: inner.type, config: inner.config };
}
