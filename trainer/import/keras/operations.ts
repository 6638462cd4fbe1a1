// Operations on tensors in functional models, as layers that have their settings in the config: as Keras 3 writes them, and, where Keras 3 has them as
// well, those of tf.keras 2 (the class TFOpLambda, which names a function; no code is in the file). Layout: TFOpLambda in keras/layers/core/tf_op_layer.py of Keras 2.15.

/** By TensorFlow's name: Keras 3's class. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["math.not_equal", "NotEqual"],
  ["math.reduce_any", "Any"],
  ["math.reduce_sum", "Sum"],
  ["math.multiply", "Multiply"],
  ["nn.softmax", "Softmax"],
  ["expand_dims", "ExpandDims"],
  ["compat.v1.squeeze", "Squeeze"],
  ["__operators__.getitem", "GetItem"],
]);

export interface Operation {
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Numbers in the place of a second tensor. */
  readonly constants: readonly number[];
}

/** What a layer of that class and config does, called once as `inboundNodes` say; undefined where it is a layer of Keras, or Keras 3 has nothing of the kind. */
export function readOperation(className: unknown, config: Readonly<Record<string, unknown>>, inboundNodes: unknown): Operation | undefined {
  if (className === "GetItem") return { type: className, config: { ...config, index: argumentsIn(inboundNodes)[1] }, constants: [] };
  const type = className === "TFOpLambda" || className === "SlicingOpLambda" ? CLASSES.get(String(config.function)) : undefined;
  if (type === undefined || !Array.isArray(inboundNodes)) return undefined;
  const [call] = inboundNodes;
  const settings = (Array.isArray(call) ? call[3] : undefined) ?? {};
  const { axis, keepdims, y, slice_spec: index } = settings as Readonly<Record<string, unknown>>;
  return {
    type,
    config: {
      ...config,
      ...(axis !== undefined && { axis }),
      ...(keepdims !== undefined && { keepdims }),
      ...(index !== undefined && { index }),
    },
    constants: typeof y === "number" ? [y] : [],
  };
}

/** What Keras 3 gives a layer or an operation in its first call, tensors among them. */
export function argumentsIn(inboundNodes: unknown): readonly unknown[] {
  const [first] = Array.isArray(inboundNodes) ? inboundNodes : [];
  const given: unknown = typeof first === "object" && first !== null ? (first as { args?: unknown }).args : undefined;
  return Array.isArray(given) ? given : [];
}
