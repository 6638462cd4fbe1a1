// Attention pooling, and the choice of a step, in functional Keras configs: how they may be written, and what is refused by name. Files with weights:
// formats.test.ts.
import { describe, expect, test } from "vitest";
import { DataError } from "../../../../shared/errors.ts";
import { type KerasPlan, planKeras } from "../../../../trainer/import/keras/config.ts";

type Config = Record<string, unknown>;
type Entry = ReturnType<typeof layer>;

/** A layer as Keras 2 writes it, called with `kwargs`. */
const layer = (class_name: string, name: string, from: readonly string[], config: Config = {}, kwargs: Config = {}) => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: from.length > 0 ? [from.map((one) => [one, 0, 0, kwargs] as const)] : [],
});
/** An operation as tf.keras 2 writes it. */
const operation = (name: string, from: string, kwargs: Config = {}): Entry =>
  ({
    ...layer(name === "__operators__.getitem" ? "SlicingOpLambda" : "TFOpLambda", name, [], { function: name }),
    inbound_nodes: [[from, 0, 0, kwargs]],
  }) as unknown as Entry;

const T = 10;
const inputOf = (steps: number | null): Entry => layer("InputLayer", "x", [], { batch_input_shape: [null, steps, 5] });
const states = layer("LSTM", "h", ["x"], { units: 4, activation: "tanh", recurrent_activation: "sigmoid", return_sequences: true });
const score = layer("Dense", "score", ["h"], { units: 1, activation: "tanh" });
const head = (from: string): Entry => layer("Dense", "head", [from], { units: 1, activation: "sigmoid" });
const plain: readonly Entry[] = [
  layer("Softmax", "a", ["score"], { axis: 1 }),
  layer("Dot", "dot", ["a", "h"], { axes: 1 }),
  layer("Flatten", "flat", ["dot"]),
  head("flat"),
];
const functional = (layers: readonly Entry[], start: readonly Entry[] = [inputOf(T), states, score]) => ({
  class_name: "Functional",
  config: { layers: [...start, ...layers], input_layers: [["x", 0, 0]], output_layers: [["head", 0, 0]] },
});

function plan(config: unknown, version = "2.15.0"): KerasPlan | string {
  try {
    return planKeras(config, version, "m.h5");
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
}

const sum = { isMasked: false, widths: [] };

test.each<[string, readonly Entry[], Config]>([
  ["a softmax over axis 1, Dot, Flatten", plain, sum],
  [
    "the values first",
    [plain[0], layer("Dot", "dot", ["h", "a"], { axes: [1, 1] }), layer("Reshape", "flat", ["dot"], { target_shape: [4] }), head("flat")],
    { isMasked: false, widths: [4] },
  ],
  [
    "flattened weights",
    [
      layer("Flatten", "f", ["score"]),
      layer("Activation", "a", ["f"], { activation: "softmax" }),
      layer("Dot", "dot", ["a", "h"], { axes: [1, 1] }),
      head("dot"),
    ],
    sum,
  ],
  [
    "reshaped weights",
    [
      layer("Reshape", "f", ["score"], { target_shape: [-1] }),
      layer("Softmax", "a", ["f"], { axis: -1 }),
      layer("Dot", "dot", ["a", "h"], { axes: [1, -2] }),
      head("dot"),
    ],
    sum,
  ],
  [
    "permuted weights",
    [
      layer("Permute", "p", ["score"], { dims: [2, 1] }),
      layer("Softmax", "a", ["p"]),
      layer("Dot", "dot", ["a", "h"], { axes: [2, 1] }),
      layer("Flatten", "flat", ["dot"]),
      head("flat"),
    ],
    sum,
  ],
  [
    "RepeatVector, Permute, Multiply and a mean",
    [
      layer("Flatten", "f", ["score"]),
      layer("Activation", "a", ["f"], { activation: "softmax" }),
      layer("RepeatVector", "r", ["a"], { n: 4 }),
      layer("Permute", "p", ["r"], { dims: [2, 1] }),
      layer("Multiply", "m", ["h", "p"]),
      layer("GlobalAveragePooling1D", "mean", ["m"]),
      head("mean"),
    ],
    { mean: T, isMasked: false, widths: [4] },
  ],
  [
    "operations of tf.keras",
    [
      operation("compat.v1.squeeze", "score", { axis: -1 }),
      operation("nn.softmax", "compat.v1.squeeze"),
      operation("expand_dims", "nn.softmax", { axis: -1 }),
      operation("math.multiply", "h", { y: ["expand_dims", 0, 0], name: null }),
      operation("math.reduce_sum", "math.multiply", { axis: 1 }),
      head("math.reduce_sum"),
    ],
    sum,
  ],
])("reads %s", (_, layers, attention) => {
  expect(plan(functional(layers))).toMatchObject({ planned: [{ layer: { name: "h" } }, { attention }, { layer: { name: "head" } }] });
});

describe("masks", () => {
  const masking = layer("Masking", "masking", ["x"], { mask_value: 0 });
  const masked = [inputOf(T), masking, { ...states, inbound_nodes: [[["masking", 0, 0, {}]]] } as Entry, score];
  const ownMask = (value: number): readonly Entry[] => [
    operation("math.not_equal", "x", { y: value }),
    operation("math.reduce_any", "math.not_equal", { axis: -1 }),
    operation("expand_dims", "math.reduce_any", { axis: -1 }),
    layer("Softmax", "a", ["score"], { axis: 1 }, { mask: ["expand_dims", 0, 0] }),
    ...plain.slice(1),
  ];

  test("a softmax that is called with Masking's mask passes over masked steps", () => {
    expect(plan(functional(ownMask(0), masked))).toMatchObject({ mask: 0, planned: [{}, {}, { attention: { isMasked: true } }, {}] });
  });

  test("a mask of another number is refused", () => {
    expect(plan(functional(ownMask(-1), masked))).toContain(
      "computes a mask by itself (NotEqual, Any): quickstep knows the mask of a Masking layer",
    );
  });

  test("a softmax that the mask does not reach weights masked steps, and is refused", () => {
    expect(plan(functional(plain, masked))).toContain("layer a (Softmax) reads the steps that are masked, as Keras has it");
    const flattened = [
      layer("Flatten", "f", ["score"]),
      layer("Softmax", "a", ["f"]),
      layer("Dot", "dot", ["a", "h"], { axes: 1 }),
      head("dot"),
    ];
    expect(plan(functional(flattened, masked))).toContain("layer f (Flatten) reads the steps that are masked");
  });

  test("a recurrent layer of Keras 2 that is called with a mask of its own is refused", () => {
    const given = { ...layer("LSTM", "l", ["x"], { units: 4 }, { mask: ["math.reduce_any", 0, 0] }) };
    const model = functional([...ownMask(0).slice(0, 2), given, head("l")], [inputOf(T)]);
    expect(plan(model)).toContain("computes a mask by itself (NotEqual, Any)");
  });
});

describe("refused by name", () => {
  test.each<[string, readonly Entry[], string]>([
    [
      "a Lambda that sums",
      [plain[0], layer("Multiply", "m", ["h", "a"]), layer("Lambda", "l", ["m"], { function: ["4wE", null, null] }), head("l")],
      "layer l (Lambda) is not a layer that quickstep runs: its code is never run",
    ],
    [
      "an LSTM over weighted steps",
      [plain[0], layer("Multiply", "m", ["h", "a"]), layer("LSTM", "l", ["m"], { units: 4 }), head("l")],
      "layer m (Multiply) weights steps by a softmax over them, and layer l (LSTM) follows: quickstep sums such steps",
    ],
    [
      "a softmax of one number",
      [layer("Softmax", "a", ["score"]), ...plain.slice(1)],
      "layer a (Softmax) is over the numbers of each step, not over steps",
    ],
    [
      "a Dot of states",
      [layer("Dot", "dot", ["score", "h"], { axes: 1 }), layer("Flatten", "flat", ["dot"]), head("flat")],
      "layer dot (Dot) multiplies branches, of which none ends in a softmax over steps",
    ],
    [
      "a Dot that normalises",
      [plain[0], layer("Dot", "dot", ["a", "h"], { axes: 1, normalize: true }), layer("Flatten", "flat", ["dot"]), head("flat")],
      "layer dot (Dot) multiplies (steps, 1) and (steps, width) over the axes 1",
    ],
    [
      "a Dot over numbers",
      [plain[0], layer("Dot", "dot", ["a", "h"], { axes: [1, 2] }), layer("Flatten", "flat", ["dot"]), head("flat")],
      "layer dot (Dot) multiplies (steps, 1) and (steps, width) over the axes 1, 2",
    ],
    [
      "a query",
      [layer("Attention", "a", ["h", "h"]), layer("GlobalAveragePooling1D", "g", ["a"]), head("g")],
      "layer a (Attention) has 2 inputs (h, h)",
    ],
  ])("%s", (_, layers, sentence) => {
    expect(plan(functional(layers))).toContain(sentence);
  });

  test("a mean over steps whose number the file leaves open", () => {
    const mean = [plain[0], layer("Multiply", "m", ["h", "a"]), layer("GlobalAveragePooling1D", "g", ["m"]), head("g")];
    expect(plan(functional(mean, [inputOf(null), states, score]))).toContain(
      "layer g (GlobalAveragePooling1D) divides the weighted sum by a number of steps that the file leaves open",
    );
  });

  test("a class of a person's own that has the name of one of Keras'", () => {
    const own = { ...states, module: null, registered_name: "mine>LSTM" };
    expect(plan(functional(plain, [inputOf(T), own, score]), "3.8.0")).toContain(
      "layer h (Custom>LSTM) is not a layer that quickstep runs: its code is not in the file",
    );
  });
});

describe("one step of all", () => {
  const whole = { start: null, stop: null, step: null };
  const chosen = (...slice_spec: readonly unknown[]) =>
    functional([operation("__operators__.getitem", "h", { slice_spec }), head("__operators__.getitem")], [inputOf(T), states]);
  /** As Keras 3 writes it. */
  const chosenByKeras3 = (index: readonly unknown[]) => {
    const tensor = { class_name: "__keras_tensor__", config: { keras_history: ["h", 0, 0] } };
    const item = { ...layer("GetItem", "last", []), module: "keras.src.ops.numpy", inbound_nodes: [{ args: [tensor, index], kwargs: {} }] };
    return functional([item as unknown as Entry, head("last")], [inputOf(T), states]);
  };
  const slice = { class_name: "__slice__", config: whole };

  test.each([
    ["tf.keras, [:, -1]", chosen(whole, -1), "2.15.0"],
    ["tf.keras, [:, 0, :]", chosen(whole, 0, whole), "2.15.0"],
    ["Keras 3, [:, -1, :]", chosenByKeras3([slice, -1, slice]), "3.8.0"],
  ])("is read: %s", (_, config, version) => {
    expect(plan(config, version)).toMatchObject({ planned: [{ layer: { name: "h" } }, { isSequence: true }, { isSequence: false }] });
  });

  test.each([
    ["a number of each step", chosen(whole, -1, 2), "2.15.0"],
    ["steps from the second", chosen(whole, { start: 1, stop: null, step: null }), "2.15.0"],
    ["the third step", chosenByKeras3([slice, 2, slice]), "3.8.0"],
    ["nothing known", chosenByKeras3(["..."]), "3.8.0"],
  ])("is refused: %s", (_, config, version) => {
    expect(plan(config, version)).toContain(
      "(GetItem) takes a part of its input by an index: quickstep takes the last step, [:, -1], or the first, [:, 0]",
    );
  });

  test("behind a mask it may be a masked one, and is refused", () => {
    const start = [
      inputOf(T),
      layer("Masking", "m", ["x"], { mask_value: 0 }),
      { ...states, inbound_nodes: [[["m", 0, 0, {}]]] } as unknown as Entry,
    ];
    const last = operation("__operators__.getitem", "h", { slice_spec: [whole, -1] });
    expect(plan(functional([last, head("__operators__.getitem")], start))).toContain(
      "(GetItem) reads the steps that are masked, as Keras has it",
    );
  });
});
