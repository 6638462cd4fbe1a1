// What Keras models can hold and quickstep cannot run: refused by the layer's name, with what would be needed.
import { describe, expect, test } from "vitest";
import { DataError } from "../../../../shared/errors.ts";
import { readActivation } from "../../../../trainer/import/keras/activations.ts";
import { allLayers } from "../../../../trainer/import/keras/branches.ts";
import { type KerasPlan, planKeras } from "../../../../trainer/import/keras/config.ts";

type Config = Record<string, unknown>;
const layer = (class_name: string, config: Config = {}) => ({ class_name, config: { name: class_name.toLowerCase(), ...config } });
const lstm = (config: Config = {}) => layer("LSTM", { units: 4, activation: "tanh", recurrent_activation: "sigmoid", ...config });
const dense = (config: Config = {}) => layer("Dense", { units: 1, activation: "sigmoid", ...config });
const first = layer("InputLayer", { batch_input_shape: [null, 10, 5] });
const sequential = (...layers: unknown[]) => ({ class_name: "Sequential", config: { layers } });

function plan(config: unknown, version = "2.11.0"): KerasPlan | string {
  try {
    return planKeras(config, version, "m.h5");
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
}

test("the model that they all vary is understood", () => {
  expect(plan(sequential(first, layer("Masking", { mask_value: 0 }), lstm(), layer("Dropout"), dense()))).toMatchObject({
    timesteps: 10,
    features: 5,
    mask: 0,
    ignored: ["Dropout"],
  });
});

test.each([
  ["1.2.2", "hard_sigmoid", { kind: "hardSigmoid", slope: 0.2 }],
  ["2.2.4-tf", "hard_sigmoid", { kind: "hardSigmoid", slope: 0.2 }],
  ["", "hard_sigmoid", { kind: "hardSigmoid", slope: 0.2 }],
  ["3.8.0", "hard_sigmoid", { kind: "hardSigmoid", slope: 1 / 6 }],
  ["3.8.0", "sigmoid", { kind: "sigmoid" }],
])("Keras %s has a %s that is %j", (version, name, activation) => {
  expect(readActivation(name, { type: "LSTM", name: "l", config: {}, ordinal: 0 }, Number(version.split(".")[0]) || 1, "m.h5")).toEqual(
    activation,
  );
});

test("a mask in front of a convolution has no effect, and that is said", () => {
  const found = plan(
    sequential(
      first,
      layer("Masking", { mask_value: 0 }),
      layer("Conv1D", { filters: 2, kernel_size: 2, padding: "same" }),
      lstm(),
      dense(),
    ),
  );
  expect(found).toMatchObject({ mask: null, findings: [expect.stringContaining("layer conv1d (Conv1D) drops the mask in front of it")] });
});

test.each([
  ["2.15.0", false],
  ["2.2.4-tf", false],
  ["3.8.0", true],
])("Keras %s: a mask passes through Normalization and Rescaling: %s", (version, isPassed) => {
  for (const type of ["Normalization", "Rescaling"])
    expect(plan(sequential(first, layer("Masking", { mask_value: 0 }), layer(type, { scale: 2 }), lstm(), dense()), version)).toMatchObject(
      {
        mask: isPassed ? 0 : null,
      },
    );
  expect(plan(sequential(first, layer("Masking", { mask_value: 0 }), layer("BatchNormalization"), lstm(), dense()), version)).toMatchObject(
    {
      mask: 0,
    },
  );
});

describe("refused by name", () => {
  test.each<[string, unknown[], string]>([
    [
      "a second LSTM behind one that leaves its last state",
      [lstm({ return_sequences: false }), lstm({ name: "second" }), dense()],
      "layer second (LSTM) is given one row instead of steps: the config is damaged",
    ],
    [
      "Bidirectional around something else",
      [layer("Bidirectional", { layer: layer("ConvLSTM1D") }), dense()],
      "layer bidirectional (Bidirectional) wraps ConvLSTM1D",
    ],
    [
      "Bidirectional around a class of a person's own that has the name of one of Keras'",
      [layer("Bidirectional", { layer: { ...lstm(), module: "mine", registered_name: "mine>LSTM" } }), dense()],
      "layer bidirectional (Bidirectional) wraps Custom>LSTM: quickstep runs LSTM, GRU and SimpleRNN in it",
    ],
    [
      "such a class as the backward layer",
      [
        layer("Bidirectional", {
          layer: { ...lstm(), module: "keras.layers", registered_name: null },
          backward_layer: { ...lstm(), registered_name: "mine>LSTM" },
        }),
        dense(),
      ],
      "layer bidirectional (Bidirectional) wraps Custom>LSTM",
    ],
    [
      "TimeDistributed around such a class",
      [layer("TimeDistributed", { layer: { ...dense(), module: null, registered_name: "mine>Dense" } }), lstm(), dense()],
      "layer timedistributed (TimeDistributed) wraps Custom>Dense: quickstep runs a Dense layer for each step in it",
    ],
    [
      "directions that are not merged",
      [layer("Bidirectional", { layer: lstm(), merge_mode: null }), dense()],
      "has merge_mode null: quickstep merges by concat, sum, mul, ave",
    ],
    [
      "attention",
      [lstm({ return_sequences: true }), layer("MultiHeadAttention"), dense()],
      "layer multiheadattention (MultiHeadAttention) is not a layer that quickstep runs: as ONNX the whole model runs on the second engine",
    ],
    ["an embedding", [layer("Embedding"), lstm(), dense()], "layer embedding (Embedding) is not a layer that quickstep runs: as ONNX"],
    ["CuDNNLSTM", [layer("CuDNNLSTM", { units: 4 }), dense()], "load the weights into an LSTM layer in Keras and save that"],
    [
      "Lambda, whose code is never run",
      [layer("Lambda", { function: ["4wEAAAAAAA", null, null] }), lstm(), dense()],
      "layer lambda (Lambda) is not a layer that quickstep runs: its code is never run; as ONNX",
    ],
    [
      "another activation",
      [lstm({ activation: "mish" }), dense()],
      "layer lstm (LSTM) has the activation mish: quickstep does not compute it; as ONNX",
    ],
    [
      "a softmax in the gates",
      [lstm({ recurrent_activation: { class_name: "function", config: "softmax" } }), dense()],
      "layer lstm (LSTM) has a softmax inside",
    ],
    ["a ReLU with a ceiling", [lstm(), layer("ReLU", { max_value: 6 }), dense()], "layer relu (ReLU) has a ceiling or a threshold"],
    ["absurd units", [lstm({ units: 1e9 }), dense()], "layer lstm (LSTM) has units 1000000000: expected 1 to 4096"],
    ["filters that are none", [layer("Conv1D", { filters: -3, kernel_size: [3] }), lstm(), dense()], "has filters -3: expected 1 to 4096"],
    ["groups", [layer("Conv1D", { filters: 4, kernel_size: [3], groups: 2 }), lstm(), dense()], "has 2 groups: quickstep knows one group"],
    [
      "a window longer than the sequence",
      [layer("Conv1D", { filters: 4, kernel_size: [11] }), lstm(), dense()],
      "is given fewer steps than its window",
    ],
    [
      "a head for every step",
      [lstm({ return_sequences: true }), dense()],
      "answers at every step (InputLayer, LSTM, Dense): quickstep answers one probability; as ONNX",
    ],
    [
      "a maximum over masked steps",
      [layer("Masking", { mask_value: 0 }), lstm({ return_sequences: true }), layer("GlobalMaxPooling1D"), dense()],
      "layer globalmaxpooling1d (GlobalMaxPooling1D) reads the steps that are masked, as Keras has it: quickstep passes over such steps in all layers; as ONNX",
    ],
    [
      "Flatten over masked steps",
      [layer("Masking", { mask_value: 0 }), lstm({ return_sequences: true }), layer("Flatten"), dense()],
      "layer flatten (Flatten) reads the steps that are masked",
    ],
    [
      "a convolution behind a mask of another number",
      [layer("Masking", { mask_value: -99 }), layer("Conv1D", { filters: 2, kernel_size: 2 }), lstm(), dense()],
      "layer conv1d (Conv1D) reads the steps that are masked",
    ],
    [
      "steps turned around behind a mask",
      [layer("Masking", { mask_value: 0 }), lstm({ return_sequences: true, go_backwards: true }), lstm(), dense()],
      "turns the steps around, and the mask with them not",
    ],
    [
      "zeros where the last step is masked",
      [layer("Masking", { mask_value: 0 }), lstm({ zero_output_for_mask: true }), dense()],
      "layer lstm (LSTM) leaves zeros where its last step is masked (zero_output_for_mask): quickstep passes over masked steps; as ONNX",
    ],
    ...["GlobalMaxPooling1D", "GlobalAveragePooling1D", "Flatten"].map((type): [string, unknown[], string] => [
      `channels first in ${type}`,
      [lstm({ return_sequences: true }), layer(type, { data_format: "channels_first" }), dense()],
      `(${type}) has channels first: save a model with data_format=channels_last`,
    ]),
    ["a stateful LSTM", [lstm({ stateful: true }), dense()], "has stateful=True: scores would depend on earlier ones"],
    ["time-major data", [lstm({ time_major: true }), dense()], "has time_major=True"],
    [
      "two masks",
      [layer("Masking", { mask_value: -1 }), layer("Masking", { mask_value: -2 }), lstm(), dense()],
      "layer masking (Masking) is a second Masking: quickstep runs one; as ONNX the whole model runs on the second engine",
    ],
    [
      "Masking behind BatchNormalization",
      [layer("BatchNormalization", { axis: [2] }), layer("Masking", { mask_value: 0 }), lstm(), dense()],
      "layer masking (Masking) stands behind batchnormalization (BatchNormalization): masked rows are looked for in the raw rows; as ONNX the whole model runs on the second engine",
    ],
    [
      "normalising along steps",
      [layer("BatchNormalization", { axis: [1] }), lstm(), dense()],
      "works along axis [1]: quickstep scales the last axis; as ONNX",
    ],
    ["the inverse of Normalization", [layer("Normalization", { invert: true }), lstm(), dense()], "has invert=True"],
    [
      "half precision",
      [lstm({ dtype: { class_name: "Policy", config: { name: "mixed_float16" } } }), dense()],
      "layer lstm (LSTM) computes in mixed_float16",
    ],
    ["a model within the model", [sequential(lstm()), dense()], "is a model of its own (Sequential)"],
  ])("%s", (_, layers, sentence) => {
    expect(plan(sequential(first, ...layers))).toContain(sentence);
  });

  const keras2 = (class_name: string, name: string, from: string[], config: Config = {}) => ({
    class_name,
    name,
    config: { name, ...config },
    inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
  });
  const functional = (layers: unknown[], outputs = [["dense", 0, 0]]) => ({
    class_name: "Functional",
    config: { layers, output_layers: outputs },
  });
  const input = keras2("InputLayer", "x", [], { batch_input_shape: [null, 10, 5] });
  /** The layers behind `input`. */
  const graph = (...layers: unknown[]) => functional([input, ...layers]);

  test.each([
    ["MyCell", "layer rnn (RNN) runs MyCell: quickstep runs LSTMCell, GRUCell, SimpleRNNCell and StackedRNNCells of these"],
    ["nothing", "layer rnn (RNN) runs nothing"],
  ])("an RNN around %s is refused by the cell's name", (cell, sentence) => {
    const own = cell === "nothing" ? {} : { cell: { class_name: cell, config: {} } };
    expect(plan(sequential(first, layer("RNN", own), dense()))).toContain(sentence);
  });

  test("an RNN around several cells is refused in Bidirectional, where its cells are no layers one behind the other", () => {
    const cell = { class_name: "GRUCell", config: { units: 3 } };
    const stacked = layer("RNN", { cell: { class_name: "StackedRNNCells", config: { cells: [cell, cell] } } });
    expect(plan(sequential(first, layer("Bidirectional", { layer: stacked }), dense()))).toContain(
      "layer bidirectional (Bidirectional) wraps RNN",
    );
  });

  test("zeros at masked steps are read, where all steps are handed on: no layer behind reads those", () => {
    const states = lstm({ return_sequences: true, zero_output_for_mask: true });
    expect(plan(sequential(first, layer("Masking", { mask_value: 0 }), states, lstm(), dense()))).toMatchObject({ mask: 0 });
  });

  test("a functional chain is read from its end, whatever the order", () => {
    const layers = [keras2("Dense", "dense", ["l"], { units: 1, activation: "sigmoid" }), keras2("LSTM", "l", ["x"], { units: 4 }), input];
    expect(plan(functional(layers))).toMatchObject({ timesteps: 10, planned: [{ layer: { name: "l" } }, { layer: { name: "dense" } }] });
  });

  test("a layer that several branches have is one of the model's layers", () => {
    const shared = graph(
      keras2("ReLU", "r", ["x"]),
      keras2("Add", "s", ["r", "x"]),
      keras2("Add", "both", ["r", "s"]),
      keras2("LSTM", "l", ["both"], { units: 4 }),
      keras2("Dense", "dense", ["l"], { units: 1, activation: "sigmoid" }),
    );
    expect(allLayers((plan(shared) as KerasPlan).planned).map(({ name }) => name)).toEqual(["r", "l", "dense"]);
  });

  test.each<[string, unknown, string]>([
    [
      "a layer with two inputs",
      graph(
        keras2("LSTM", "a", ["x"], { units: 4 }),
        keras2("Concatenate", "both", ["a", "x"]),
        keras2("Dense", "dense", ["both"], { units: 1 }),
      ),
      "layer both (Concatenate) merges inputs of several shapes (one row, 10 rows): quickstep merges rows with as many rows; as ONNX",
    ],
    [
      "a state that another layer gives",
      graph(keras2("GRU", "a", ["x"], { units: 4 }), keras2("GRU", "dense", ["x", "a"], { units: 4 })),
      "layer dense (GRU) has 2 inputs (x, a): quickstep joins branches by Concatenate, Add, Subtract, Multiply, Average, and Dot after a softmax",
    ],
    [
      "two inputs of the model",
      graph(keras2("InputLayer", "y", []), keras2("Add", "dense", ["x", "y"])),
      "layer dense (Add) joins several inputs of the model: quickstep gives a model one",
    ],
    [
      "branches behind each other",
      graph(keras2("LSTM", "a", ["x"], { units: 5, return_sequences: true }), keras2("Concatenate", "dense", ["a", "x"], { axis: 1 })),
      "layer dense (Concatenate) puts steps behind each other (axis 1)",
    ],
    [
      "a mask in one branch alone",
      graph(
        keras2("Masking", "m", ["x"], { mask_value: 0 }),
        keras2("LSTM", "a", ["m"], { units: 5 }),
        keras2("GlobalMaxPooling1D", "b", ["x"]),
        keras2("Add", "dense", ["a", "b"]),
      ),
      "layer dense (Add) merges branches of which some pass over masked rows and some read them",
    ],
    [
      "a mask in a branch behind a layer",
      graph(
        keras2("Dense", "d", ["x"], { units: 5 }),
        keras2("Masking", "m", ["d"], { mask_value: 0 }),
        keras2("Add", "both", ["m", "d"]),
        keras2("LSTM", "dense", ["both"], { units: 5 }),
      ),
      "layer m (Masking) stands behind d (Dense)",
    ],
    [
      "the state beside the steps of a layer",
      graph(keras2("LSTM", "a", ["x"], { units: 5 }), {
        ...keras2("Dense", "dense", ["a"], { units: 1 }),
        inbound_nodes: [[["a", 0, 1, {}]]],
      }),
      "hands on tensor 1 of layer a (LSTM)",
    ],
    [
      "a layer that is called twice",
      graph(
        { ...keras2("Dense", "a", ["x"], { units: 5 }), inbound_nodes: [[["x", 0, 0, {}]], [["a", 0, 0, {}]]] },
        keras2("LSTM", "dense", ["a"], { units: 5 }),
      ),
      "layer a (Dense) is called 2 times",
    ],
    [
      "a ladder of branches that share their layers",
      graph(
        ...Array.from({ length: 40 }, (_, k) => {
          const [a, b] = k === 0 ? ["x", "x"] : [`a${k - 1}`, `b${k - 1}`];
          return [keras2("ReLU", `a${k}`, [a]), keras2("Add", `b${k}`, [`a${k}`, b])];
        }).flat(),
        keras2("LSTM", "dense", ["b39"], { units: 5 }),
      ),
      "has branches that share layers in many ways",
    ],
    ["a thousand layers", functional(Array(1001).fill(input)), "has 1001 layers: expected up to 1000"],
    [
      "two outputs",
      functional(
        [input],
        [
          ["a", 0, 0],
          ["b", 0, 0],
        ],
      ),
      "has 2 outputs",
    ],
    ["a layer that is not there", graph(keras2("Dense", "dense", ["gone"], { units: 1 })), "has no layer gone"],
    [
      "a circle",
      functional([keras2("Dense", "dense", ["b"], { units: 1 }), keras2("LSTM", "b", ["dense"], { units: 1 })]),
      "the config is damaged",
    ],
    [
      "a mask that is not Masking's",
      graph(
        keras2("NotEqual", "ne", ["x"]),
        keras2("LSTM", "l", ["x", "ne"], { units: 4 }),
        keras2("Dense", "dense", ["l"], { units: 1, activation: "sigmoid" }),
      ),
      "computes a mask by itself (NotEqual, Any)",
    ],
    ["a subclassed model", { class_name: "MyModel", config: { units: 3 } }, "is a model of the class MyModel"],
    ["no config", null, "its config is not what Keras writes"],
    ["layers that are none", { class_name: "Sequential", config: { layers: [1] } }, "a layer is not what Keras writes"],
  ])("%s", (_, config, sentence) => {
    expect(plan(config)).toContain(sentence);
  });
});
