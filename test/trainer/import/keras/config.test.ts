// What Keras models can hold and quickstep cannot run: refused by the layer's name, with what would be needed.
import { describe, expect, test } from "vitest";
import { DataError } from "../../../../shared/errors.ts";
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
    hardGates: null,
    backwards: false,
    ignored: ["Dropout"],
  });
});

test.each([
  ["1.2.2", "hard_sigmoid", 0.2],
  ["2.2.4-tf", "hard_sigmoid", 0.2],
  ["", "hard_sigmoid", 0.2],
  ["3.8.0", "hard_sigmoid", 1 / 6],
  ["3.8.0", "sigmoid", null],
])("Keras %s has a %s of slope %s", (version, recurrent_activation, slope) => {
  expect(plan(sequential(first, lstm({ recurrent_activation }), dense()), version)).toMatchObject({ hardGates: slope });
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
      "two LSTMs",
      [lstm({ return_sequences: false }), lstm({ name: "second" }), dense()],
      "layer second (LSTM) is a second LSTM: quickstep runs one LSTM",
    ],
    [
      "stacked LSTMs",
      [lstm({ return_sequences: true }), lstm(), dense()],
      "layer lstm (LSTM) has return_sequences=True: quickstep reads the last state of one LSTM; as ONNX the whole model runs on the second engine",
    ],
    ["Bidirectional", [layer("Bidirectional", { layer: lstm() }), dense()], "layer bidirectional (Bidirectional) is not supported here"],
    [
      "GRU",
      [layer("GRU", { units: 4 }), dense()],
      "layer gru (GRU) is not supported here: quickstep runs [Masking], [Normalization], LSTM, [BatchNormalization], Dense(1, sigmoid); as ONNX",
    ],
    ["CuDNNLSTM", [layer("CuDNNLSTM", { units: 4 }), dense()], "load the weights into an LSTM layer in Keras and save that"],
    [
      "Lambda, whose code is never run",
      [layer("Lambda", { function: ["4wEAAAAAAA", null, null] }), lstm(), dense()],
      "layer lambda (Lambda) is not supported here: quickstep runs [Masking], [Normalization], LSTM, [BatchNormalization], Dense(1, sigmoid); its code is never run",
    ],
    [
      "another activation",
      [lstm({ activation: "relu" }), dense()],
      "layer lstm (LSTM) has the activation relu: quickstep's kernel computes tanh there",
    ],
    [
      "another recurrent activation",
      [lstm({ recurrent_activation: { class_name: "function", config: "tanh" } }), dense()],
      "layer lstm (LSTM) has the recurrent activation tanh",
    ],
    ["a stateful LSTM", [lstm({ stateful: true }), dense()], "has stateful=True: scores would depend on earlier ones"],
    ["time-major data", [lstm({ time_major: true }), dense()], "has time_major=True"],
    [
      "three units at the end",
      [lstm(), dense({ units: 3, activation: "softmax" })],
      "layer dense (Dense) has 3 units: quickstep needs Dense(1, sigmoid) or Dense(2, softmax)",
    ],
    [
      "two units that are two sigmoids",
      [lstm(), dense({ units: 2, activation: "sigmoid" })],
      "layer dense (Dense) has the activation sigmoid: quickstep needs Dense(1, sigmoid) or Dense(2, softmax)",
    ],
    ["another activation at the end", [lstm(), dense({ activation: "tanh" })], "layer dense (Dense) has the activation tanh"],
    ["a linear end", [lstm(), dense({ activation: "linear" })], "layer dense (Dense) is linear: add its activation"],
    ["a hidden layer", [lstm(), dense({ name: "hidden", units: 16, activation: "relu" }), dense()], "layer hidden (Dense) has 16 units"],
    ["a layer behind the end", [lstm(), dense(), dense({ name: "more" })], "layer more (Dense) is not supported here"],
    ["no Dense", [lstm()], "has no Dense layer behind its LSTM"],
    ["no LSTM", [dense()], "layer dense (Dense) is not supported here"],
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
      "works along axis [1]: quickstep scales features: use axis -1",
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

  test("a functional chain is read from its end, whatever the order", () => {
    const layers = [keras2("Dense", "dense", ["l"], { units: 1, activation: "sigmoid" }), keras2("LSTM", "l", ["x"], { units: 4 }), input];
    expect(plan(functional(layers))).toMatchObject({ timesteps: 10, lstm: { name: "l" } });
  });

  test.each<[string, unknown, string]>([
    [
      "a layer with two inputs",
      functional([
        input,
        keras2("LSTM", "a", ["x"], { units: 4 }),
        keras2("Concatenate", "both", ["a", "x"]),
        keras2("Dense", "dense", ["both"], { units: 1 }),
      ]),
      "layer both (Concatenate) has 2 inputs (a, x)",
    ],
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
    ["a layer that is not there", functional([input, keras2("Dense", "dense", ["gone"], { units: 1 })]), "has no layer gone"],
    [
      "a circle",
      functional([keras2("Dense", "dense", ["b"], { units: 1 }), keras2("LSTM", "b", ["dense"], { units: 1 })]),
      "the config is damaged",
    ],
    [
      "a mask that is not Masking's",
      functional([
        input,
        keras2("NotEqual", "ne", ["x"]),
        keras2("LSTM", "l", ["x", "ne"], { units: 4 }),
        keras2("Dense", "dense", ["l"], { units: 1, activation: "sigmoid" }),
      ]),
      "computes a mask by itself (NotEqual, Any)",
    ],
    ["a subclassed model", { class_name: "MyModel", config: { units: 3 } }, "is a model of the class MyModel"],
    ["no config", null, "its config is not what Keras writes"],
    ["layers that are none", { class_name: "Sequential", config: { layers: [1] } }, "a layer is not what Keras writes"],
  ])("%s", (_, config, sentence) => {
    expect(plan(config)).toContain(sentence);
  });
});
