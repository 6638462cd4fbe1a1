// The names of Keras 1. Files of Keras 1 are in test/fixtures/import/good.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { planKeras } from "../../../../trainer/import/keras/config.ts";
import { renameKeras1 } from "../../../../trainer/import/keras/keras-1.ts";
import { importBytes } from "../../../fixtures/import/importing.ts";

test.each<[string, Record<string, unknown>, string, Record<string, unknown>]>([
  [
    "Convolution1D",
    { nb_filter: 4, filter_length: 3, subsample_length: 2, border_mode: "same", bias: false, init: "uniform" },
    "Conv1D",
    { filters: 4, kernel_size: 3, strides: 2, padding: "same", use_bias: false, init: "uniform" },
  ],
  ["AtrousConvolution1D", { nb_filter: 4, filter_length: 3, atrous_rate: 2 }, "Conv1D", { filters: 4, kernel_size: 3, dilation_rate: 2 }],
  [
    "AveragePooling1D",
    { pool_length: 2, stride: null, border_mode: "valid" },
    "AveragePooling1D",
    { pool_size: 2, strides: null, padding: "valid" },
  ],
  [
    "LSTM",
    { output_dim: 8, inner_activation: "hard_sigmoid", consume_less: "gpu" },
    "LSTM",
    { units: 8, recurrent_activation: "hard_sigmoid", consume_less: "gpu" },
  ],
  ["TimeDistributedDense", { output_dim: 8 }, "Dense", { units: 8 }],
  [
    "Bidirectional",
    { layer: { class_name: "LSTM", config: { output_dim: 8 } }, merge_mode: "sum" },
    "Bidirectional",
    { layer: { class_name: "LSTM", config: { units: 8 } }, merge_mode: "sum" },
  ],
  ["Merge", { mode: "ave" }, "Average", { mode: "ave" }],
  ["Merge", { mode: "concat", concat_axis: 1 }, "Concatenate", { mode: "concat", axis: 1 }],
  ["Merge", { mode: "cos" }, "Merge", { mode: "cos" }],
  ["Dense", { units: 3, output_dim: 4 }, "Dense", { units: 3 }],
])("%s %o is what Keras 2 calls %s %o", (type, config, newType, newConfig) => {
  expect(renameKeras1({ type, config })).toEqual({ type: newType, config: newConfig });
});

const plan = (...layers: readonly (readonly [type: string, config: object])[]) =>
  planKeras({ class_name: "Sequential", config: layers.map(([class_name, config]) => ({ class_name, config })) }, "1.2.2", "model");
const INPUT = { batch_input_shape: [null, 10, 5] };
const END = [
  ["GlobalMaxPooling1D", { name: "pool" }],
  ["Dense", { name: "dense", output_dim: 1, activation: "sigmoid" }],
] as const;

test("steps behind a Convolution1D and a pooling are counted by their own settings", () => {
  const layers = [
    ["Convolution1D", { ...INPUT, name: "conv", nb_filter: 4, filter_length: 3, border_mode: "valid", subsample_length: 1 }],
    ["MaxPooling1D", { name: "half", pool_length: 2, stride: null, border_mode: "valid" }],
    ...END,
  ] as const;
  expect(plan(...layers).planned).toMatchObject([{ steps: 10 }, { steps: 8 }, { steps: 4 }, { steps: 1 }]);
});

test.each<[string, readonly [type: string, config: object], string]>([
  ["a Highway", ["Highway", { ...INPUT, name: "h" }], "layer h (Highway) is not a layer that quickstep runs"],
  ["a MaxoutDense", ["MaxoutDense", { ...INPUT, name: "m" }], "layer m (MaxoutDense) is not a layer that quickstep runs"],
  [
    "a border of Theano",
    ["Convolution1D", { ...INPUT, name: "c", nb_filter: 4, filter_length: 3, border_mode: "full" }],
    "layer c (Conv1D) has the padding full: quickstep knows valid, same and causal",
  ],
  ["a mode of BatchNormalization", ["BatchNormalization", { ...INPUT, name: "b", mode: 2 }], "layer b (BatchNormalization) has mode 2"],
])("%s of Keras 1 is refused by name", (_, layer, sentence) => {
  expect(() => plan(layer, ...END)).toThrow(sentence);
});

test("a file that does not say on what its convolutions ran is told about, one that does is not", async () => {
  const findings = async (name: string) =>
    (await importBytes(readFileSync(new URL(`../../../fixtures/import/good/${name}.h5`, import.meta.url)))).findings.join();
  expect(await findings("keras1-convolutions")).toContain("on Theano it read kernels from the end");
  expect(await findings("keras1-merge-theano")).not.toContain("Theano");
  expect(await findings("keras1")).not.toContain("Theano");
});
