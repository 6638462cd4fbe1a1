// The names of Keras 1. Files of Keras 1 are in test/fixtures/import/good.
import { readFileSync } from "node:fs";
import h5wasm from "h5wasm";
import { expect, test } from "vitest";
import { planKeras } from "../../../../trainer/import/keras/config.ts";
import { readKerasH5 } from "../../../../trainer/import/keras/file.ts";
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

/** A file as Keras 1 wrote it on Theano: a convolution of 2 filters over 3 steps of one feature, whose kernel has four axes. */
async function theanoFile(kernel: readonly number[], shape: readonly number[]): Promise<Uint8Array> {
  const layers = [
    ["Convolution1D", { batch_input_shape: [null, 10, 1], name: "conv", nb_filter: 2, filter_length: 3, border_mode: "valid" }],
    ...END,
  ].map(([class_name, config]) => ({ class_name, config }));
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File("theano.h5", "w");
  file.create_attribute("model_config", JSON.stringify({ class_name: "Sequential", config: layers }));
  file.create_attribute("keras_version", "1.0.0");
  file.create_attribute("backend", "theano");
  const root = file.create_group("model_weights");
  const add = (layer: string, arrays: Record<string, readonly [data: readonly number[], shape: readonly number[]]>): void => {
    const group = root.create_group(layer);
    group.create_attribute("weight_names", Object.keys(arrays));
    for (const [name, [data, size]] of Object.entries(arrays))
      group.create_dataset({ name, data: Float32Array.from(data), shape: [...size], dtype: "<f" });
  };
  add("conv", { conv_W: [kernel, shape], conv_b: [[0.5, -0.5], [2]] });
  add("pool", {});
  add("dense", {
    dense_W: [
      [1, -1],
      [2, 1],
    ],
    dense_b: [[0.25], [1]],
  });
  file.close();
  return FS.readFile("theano.h5");
}

test("a kernel that Theano read from the end is turned around in both layouts of Keras 1, also of one feature", async () => {
  // Filter 0 has the steps 1, 2, 3 from the end, filter 1 has 4, 5, 6: (K,1,W,F) and (F,W,K,1)
  const bySteps = await theanoFile([1, 4, 2, 5, 3, 6], [3, 1, 1, 2]);
  const byFilters = await theanoFile([1, 2, 3, 4, 5, 6], [2, 1, 3, 1]);
  for (const bytes of [bySteps, byFilters])
    expect((await readKerasH5(bytes, "model", { isLogit: false })).network).toMatchObject({
      layers: [{ kind: "conv", kernel: Float32Array.of(3, 6, 2, 5, 1, 4) }, {}, {}],
    });
});
