// Networks of layers whose files lie, turn in circles or ask for absurd sizes: tfjs LayersModels, ONNX graphs, state dicts. Each is refused
// in one sentence that names what is wrong and what to do, before memory is taken for it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { floats, int, ints, node, raw } from "../../../trainer/export/onnx/graph.ts";
import { ATTRIBUTE, EXTERNAL, FLOAT, type NodeProto, type TensorProto } from "../../../trainer/export/onnx/schema.ts";
import { readBeside } from "../../../trainer/files/whole-files.ts";
import type { Beside } from "../../../trainer/import/contract/said.ts";
import { readTorchDescription } from "../../../trainer/import/torch/description.ts";
import { rejection } from "../../fixtures/import/importing.ts";
import { int64s, lstmConstants, onnxModel } from "../../fixtures/import/onnx-graphs.ts";

const [T, F, U] = [10, 5, 4];
/** Of a process that refuses: far below what any of these files asks for. */
const MAX_MEMORY_BYTES = 3 * 2 ** 27;
const MAX_MS = 20_000; // of a machine that does other work besides

const root = mkdtempSync(join(tmpdir(), "quickstep-layers-"));
const folder = join(root, "model");
afterAll(() => rmSync(root, { recursive: true }));

/** As `import` reads files beside model.json, or beside model.onnx. */
const beside: Beside = (location) => readBeside(join(folder, "model.json"), location, 2 ** 28);

async function expectRefusal(bytes: Uint8Array, sentence: RegExp | string, said: Parameters<typeof rejection>[1] = {}): Promise<void> {
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const message = await rejection(bytes, { beside, ...said });
  expect(performance.now() - started).toBeLessThan(MAX_MS);
  expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_MEMORY_BYTES);
  expect(message).toMatch(/^DataError: /);
  expect(message).not.toContain("\n");
  expect(message.length).toBeLessThan(700);
  if (typeof sentence === "string") expect(message).toContain(sentence);
  else expect(message).toMatch(sentence);
}

/** A layer of a config: its class and settings. */
type Layer = readonly [type: string, settings: Record<string, unknown>];
type Weight = readonly [name: string, shape: readonly unknown[], more?: object];

const LSTM: Layer = ["LSTM", { name: "lstm", units: U, batch_input_shape: [null, T, F], recurrent_activation: "sigmoid" }];
const DENSE: Layer = ["Dense", { name: "dense", units: 1, activation: "sigmoid" }];
const LSTM_WEIGHTS: Weight[] = [
  ["lstm/kernel", [F, 4 * U]],
  ["lstm/recurrent_kernel", [U, 4 * U]],
  ["lstm/bias", [4 * U]],
];
const DENSE_WEIGHTS: Weight[] = [
  ["dense/kernel", [U, 1]],
  ["dense/bias", [1]],
];
const WEIGHTS = [...LSTM_WEIGHTS, ...DENSE_WEIGHTS];
const BYTES = 4 * (F * 4 * U + U * 4 * U + 4 * U + U + 1);

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

interface Manifest {
  readonly paths?: readonly unknown[];
  readonly weights?: readonly Weight[];
}

/** model.json of layers one after the other. */
function sequential(layers: readonly Layer[], { paths = ["good.bin"], weights = WEIGHTS }: Manifest = {}): Uint8Array {
  return modelJson(
    { class_name: "Sequential", config: { layers: layers.map(([class_name, config]) => ({ class_name, config })) } },
    paths,
    weights,
  );
}

function modelJson(config: object, paths: readonly unknown[], weights: readonly Weight[]): Uint8Array {
  return encode({
    format: "layers-model",
    modelTopology: { keras_version: "tfjs-layers 4.22.0", model_config: config },
    weightsManifest: [{ paths, weights: weights.map(([name, shape, more]) => ({ name, shape, dtype: "float32", ...more })) }],
  });
}

/** model.json of layers with the names of those that each takes. */
function functional(layers: readonly (readonly [...Layer, inbound: readonly string[]])[], last = "dense"): Uint8Array {
  const list = layers.map(([class_name, config, inbound]) => ({
    class_name,
    name: config.name,
    config,
    inbound_nodes: inbound.length === 0 ? [] : [inbound.map((name) => [name, 0, 0, {}])],
  }));
  const config = { name: "model", layers: list, input_layers: [["x", 0, 0]], output_layers: [[last, 0, 0]] };
  return modelJson({ class_name: "Model", config }, ["good.bin"], WEIGHTS);
}
const INPUT = ["InputLayer", { name: "x", batch_input_shape: [null, T, F] }, []] as const;

mkdirSync(folder);
writeFileSync(join(folder, "good.bin"), new Uint8Array(BYTES));
writeFileSync(join(folder, "short.bin"), new Uint8Array(100));
writeFileSync(join(folder, "nan.bin"), new Uint8Array(BYTES).fill(0xff));
writeFileSync(join(folder, "huge.bin"), new Uint8Array(1));
truncateSync(join(folder, "huge.bin"), 2 ** 33); // a hole: no disk is taken
writeFileSync(join(folder, "large.bin"), new Uint8Array(1));
truncateSync(join(folder, "large.bin"), 2 ** 26);
writeFileSync(join(root, "secret.bin"), new Uint8Array(BYTES));
symlinkSync(join(root, "secret.bin"), join(folder, "link.bin"));
symlinkSync("/dev/zero", join(folder, "zero.bin"));
symlinkSync(join(folder, "loop.bin"), join(folder, "loop.bin"));

test("the LayersModel that they all vary is imported", async () => {
  expect(await rejection(sequential([LSTM, DENSE]), { beside })).toBe("imported");
  expect(await rejection(functional([INPUT, [...LSTM, ["x"]], [...DENSE, ["lstm"]]]), { beside })).toBe("imported");
});

const SHARD = /names the file ".*", expected one in its own folder|is a link out of its folder/;
test.each<[string, () => Uint8Array, RegExp | string]>([
  ["a missing shard", () => sequential([LSTM, DENSE], { paths: ["none.bin"] }), /none\.bin: cannot be read: there is no such file/],
  ["a short shard", () => sequential([LSTM, DENSE], { paths: ["short.bin"] }), "a shard is cut short, or of another model"],
  ["a shard above its folder", () => sequential([LSTM, DENSE], { paths: ["../secret.bin"] }), SHARD],
  ["a shard above its folder, as Windows writes it", () => sequential([LSTM, DENSE], { paths: ["..\\secret.bin"] }), SHARD],
  ["a shard at the root", () => sequential([LSTM, DENSE], { paths: [join(root, "secret.bin")] }), SHARD],
  ["a link out of the folder", () => sequential([LSTM, DENSE], { paths: ["link.bin"] }), SHARD],
  ["a link to what never ends", () => sequential([LSTM, DENSE], { paths: ["zero.bin"] }), SHARD],
  ["a link to itself", () => sequential([LSTM, DENSE], { paths: ["loop.bin"] }), /loop\.bin: cannot be read/],
  ["the folder as a shard", () => sequential([LSTM, DENSE], { paths: ["."] }), SHARD],
  ["a shard without a name", () => sequential([LSTM, DENSE], { paths: [""] }), SHARD],
  ["a shard of 8 GiB", () => sequential([LSTM, DENSE], { paths: ["huge.bin"] }), /huge\.bin: .*268435456/],
  ["numbers for paths", () => sequential([LSTM, DENSE], { paths: [7] }), "the file is damaged: save the model again"],
  [
    "one shard ten thousand times",
    () => sequential([LSTM, DENSE], { paths: Array.from({ length: 10_001 }, () => "good.bin") }),
    "the file is damaged: save the model again",
  ],
  [
    "a large shard again and again",
    () => sequential([LSTM, DENSE], { paths: Array.from({ length: 9000 }, () => "large.bin") }),
    "has shards of more than 268435456 bytes together",
  ],
  ["NaN weights", () => sequential([LSTM, DENSE], { paths: ["nan.bin"] }), "holds a number that is not finite: the weights are damaged"],
  [
    "a shape of 10^18 numbers",
    () => sequential([LSTM, DENSE], { weights: [["lstm/kernel", [1e9, 1e9]], ...WEIGHTS.slice(1)] }),
    "claims 1000000000000000000 numbers, more than a model has: the file is damaged",
  ],
  [
    "a shape of 10^300 axes' worth",
    () => sequential([LSTM, DENSE], { weights: [["lstm/kernel", Array(40).fill(2 ** 52)], ...WEIGHTS.slice(1)] }),
    "more than a model has",
  ],
  ["a negative shape", () => sequential([LSTM, DENSE], { weights: [["lstm/kernel", [-5, -16]], ...WEIGHTS.slice(1)] }), "cannot be read"],
  [
    "the sizes exchanged",
    () => sequential([LSTM, DENSE], { weights: [["lstm/kernel", [4 * U, F]], ...WEIGHTS.slice(1)] }),
    `shape (${4 * U}, ${F}), expected (${F}, ${4 * U})`,
  ],
  ["a weight that is not there", () => sequential([LSTM, DENSE], { weights: WEIGHTS.slice(1) }), /lstm/],
  ["a billion units", () => sequential([["LSTM", { ...LSTM[1], units: 1e9 }], DENSE]), /units|1000000000/],
  ["units of text", () => sequential([["LSTM", { ...LSTM[1], units: "4; drop" }], DENSE]), /units/],
  ["a billion dense units", () => sequential([LSTM, ["Dense", { name: "wide", units: 1e9 }], DENSE]), /1000000000/],
  [
    "a kernel a billion steps long",
    () => sequential([["Conv1D", { ...LSTM[1], name: "conv", filters: 2, kernel_size: [1e9] }], LSTM, DENSE]),
    /1000000000/,
  ],
  [
    "a billion filters",
    () => sequential([["Conv1D", { ...LSTM[1], name: "conv", filters: 1e9, kernel_size: [3] }], LSTM, DENSE]),
    /1000000000/,
  ],
  [
    "a dilation of a billion",
    () => sequential([["Conv1D", { ...LSTM[1], name: "conv", filters: 2, kernel_size: [3], dilation_rate: [1e9] }], LSTM, DENSE]),
    /1000000000|dilation/,
  ],
  [
    "a pool of a billion",
    () => sequential([["MaxPooling1D", { batch_input_shape: [null, T, F], name: "pool", pool_size: [1e9] }], LSTM, DENSE]),
    /1000000000|pool/,
  ],
  ["a billion steps", () => sequential([["LSTM", { ...LSTM[1], batch_input_shape: [null, 1e9, F] }], DENSE]), /1000000000|steps/],
  ["a billion features", () => sequential([["LSTM", { ...LSTM[1], batch_input_shape: [null, T, 1e9] }], DENSE]), /1000000000|features/],
  [
    "a normalisation without width",
    () => sequential([LSTM, ["BatchNormalization", { name: "bn", epsilon: "NaN" }], DENSE]),
    /bn|BatchNormalization/,
  ],
  [
    "ten thousand layers",
    () => sequential([LSTM, ...Array.from({ length: 10_000 }, (_, i): Layer => ["Dense", { name: `d${i}`, units: U }]), DENSE]),
    /layers|d0/,
  ],
  [
    "wrappers in wrappers",
    () => sequential([["Bidirectional", { name: "b", layer: nested(2000) }], DENSE]),
    /wraps|Bidirectional|JSON|deep/,
  ],
  [
    "a circle of layers",
    () => functional([INPUT, [...LSTM, ["dense"]], [...DENSE, ["lstm"]]]),
    /feeds layer (dense|lstm) with itself: the config is damaged/,
  ],
  [
    "a layer that takes itself",
    () => functional([INPUT, [...LSTM, ["lstm"]], [...DENSE, ["lstm"]]]),
    "feeds layer lstm with itself: the config is damaged",
  ],
  [
    "a layer that takes nobody",
    () => functional([INPUT, [...LSTM, ["ghost"]], [...DENSE, ["lstm"]]]),
    "has no layer ghost: the config is damaged",
  ],
  [
    "two layers of one name",
    () => functional([INPUT, [...LSTM, ["x"]], [...LSTM, ["lstm"]], [...DENSE, ["lstm"]]]),
    "has two layers lstm: Keras gives each layer a name of its own",
  ],
])("tfjs: %s", async (_, make, sentence) => expectRefusal(make(), sentence));

function nested(depth: number): unknown {
  let layer: unknown = { class_name: "LSTM", config: LSTM[1] };
  for (let i = 0; i < depth; i++) layer = { class_name: "Bidirectional", config: { name: `b${i}`, layer } };
  return layer;
}

const constants = [...lstmConstants(F, U), int64s("zeroth", 0)];
const transposed = node("Transpose", ["x"], "steps", ints("perm", [1, 0, 2]));
const lstm = (units = U, outputs = ["", "Y_h"]): NodeProto => node("LSTM", ["steps", "W", "R", "B"], outputs, int("hidden_size", units));
const head = [
  node("Squeeze", ["Y_h", "zeroth"], "h"),
  node("MatMul", ["h", "head"], "product"),
  node("Add", ["product", "bias"], "z"),
  node("Sigmoid", ["z"], "p"),
];
const base = { nodes: [transposed, lstm(), ...head], constants, x: ["n", T, F] };
/** A Scan over the steps, with a body of these nodes. */
const scan = (count: number, nodes: readonly NodeProto[] = []): NodeProto => ({
  ...node("Scan", ["bias", "steps"], "Y_h", int("num_scan_inputs", count)),
  attribute: [
    int("num_scan_inputs", count),
    {
      name: "body",
      type: ATTRIBUTE.GRAPH,
      g: { node: [...nodes], input: [{ name: "state" }, { name: "row" }], output: [{ name: nodes.length > 0 ? "b" : "state" }] },
    },
  ],
});
const instead = (name: string, tensor: TensorProto): TensorProto[] => constants.map((one) => (one.name === name ? tensor : one));
const external = (location: string, more: Record<string, string> = {}): TensorProto => ({
  dims: [1, 4 * U, F],
  dataType: FLOAT,
  name: "W",
  dataLocation: EXTERNAL,
  externalData: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
});

test("the graph that they all vary is imported", async () => expect(await rejection(onnxModel(base))).toBe("imported"));

test.each<[string, () => Uint8Array, RegExp | string]>([
  [
    "a circle of nodes",
    () =>
      onnxModel({
        ...base,
        nodes: [
          transposed,
          node("LSTM", ["again", "W", "R", "B"], ["", "Y_h"], int("hidden_size", U)),
          node("Transpose", ["Y_h"], "again"),
          ...head,
        ],
      }),
    "has nodes in a circle or out of order: LSTM (LSTM Y_h) reads again, which is made behind it",
  ],
  [
    "a node that takes itself",
    () => onnxModel({ ...base, nodes: [node("Add", ["steps", "steps"], "steps"), lstm(), ...head] }),
    "has nodes in a circle or out of order: Add (Add steps) reads steps",
  ],
  [
    "a tensor that nobody makes",
    () => onnxModel({ ...base, nodes: [lstm(), ...head] }),
    "has a node that reads what nothing makes: LSTM (LSTM Y_h) reads steps",
  ],
  [
    "one name made twice",
    () => onnxModel({ ...base, nodes: [transposed, transposed, lstm(), ...head] }),
    "makes steps twice, the second time in Transpose",
  ],
  [
    "a billion units",
    () => onnxModel({ ...base, nodes: [transposed, lstm(1e9), ...head] }),
    "says hidden_size 1000000000, but its weights R are of 4 units",
  ],
  [
    "negative units",
    () => onnxModel({ ...base, nodes: [transposed, lstm(-4), ...head] }),
    "says hidden_size -4, but its weights R are of 4 units",
  ],
  [
    "weights of another size",
    () => onnxModel({ ...base, constants: instead("W", floats("W", [1, 4 * U, F + 1], raw(new Float32Array(4 * U * (F + 1))))) }),
    /W|features|6/,
  ],
  [
    "weights that claim more than they hold",
    () =>
      onnxModel({
        ...base,
        constants: instead("W", { dims: [1, 2 ** 30, 2 ** 30], dataType: FLOAT, name: "W", rawData: new Uint8Array(8) }),
      }),
    "but holds 2",
  ],
  [
    "weights of negative size",
    () => onnxModel({ ...base, constants: instead("W", { dims: [-1, 16, 5], dataType: FLOAT, name: "W", rawData: new Uint8Array(320) }) }),
    "tensor W has the shape (-1, 16, 5): the file is damaged",
  ],
  [
    "NaN weights",
    () => onnxModel({ ...base, constants: instead("W", floats("W", [1, 4 * U, F], raw(new Float32Array(4 * U * F).fill(Number.NaN)))) }),
    "tensor W holds NaN: the weights are damaged",
  ],
  [
    "infinite weights in the head",
    () =>
      onnxModel({ ...base, constants: instead("head", floats("head", [U, 1], raw(new Float32Array(U).fill(Number.POSITIVE_INFINITY)))) }),
    "not finite",
  ],
  [
    "a graph of 100,000 nodes",
    () =>
      onnxModel({
        ...base,
        nodes: [
          transposed,
          lstm(),
          ...head.slice(0, 3),
          ...Array.from({ length: 100_000 }, (_, i) => node("Identity", [i === 0 ? "z" : `i${i - 1}`], `i${i}`)),
          node("Sigmoid", ["i99999"], "p"),
        ],
      }),
    "more fields than a model has",
  ],
  [
    "an expansion to a terabyte",
    () =>
      onnxModel({
        ...base,
        nodes: [
          node("ConstantOfShape", ["size"], "big"),
          node("Add", ["x", "big"], "x2"),
          node("Transpose", ["x2"], "steps", ints("perm", [1, 0, 2])),
          lstm(),
          ...head,
        ],
        constants: [...constants, int64s("size", 1e6, 1e6)],
      }),
    /1000000|big|ConstantOfShape/,
  ],
  [
    "a convolution a billion steps long",
    () =>
      onnxModel({
        ...base,
        nodes: [
          node("Transpose", ["x"], "c", ints("perm", [0, 2, 1])),
          node("Conv", ["c", "K"], "d", ints("kernel_shape", [1e9]), ints("pads", [1e9, 0])),
          node("Transpose", ["d"], "steps", ints("perm", [2, 0, 1])),
          lstm(),
          ...head,
        ],
        constants: [...constants, floats("K", [F, F, 1], raw(new Float32Array(F * F)))],
      }),
    "the operator Conv (Conv d) makes 10000000100 numbers",
  ],
  [
    "a tile of a terabyte",
    () =>
      onnxModel({
        ...base,
        nodes: [node("Tile", ["x", "many"], "big"), node("Transpose", ["big"], "steps", ints("perm", [1, 0, 2])), lstm(), ...head],
        constants: [...constants, int64s("many", 1e6, 1e6, 1)],
      }),
    "the operator Tile (Tile big) makes 100000000000000 numbers",
  ],
  ...(
    [
      ["a scan of more tensors than it is given", 99],
      ["a scan of less than none", -3],
      ["a scan of nothing", 0],
    ] as const
  ).map(([name, count]): [string, () => Uint8Array, RegExp] => [
    name,
    () => onnxModel({ ...base, nodes: [transposed, scan(count), ...head] }),
    /the operator Scan \(Scan Y_h\) does not fit its inputs \(num_scan_inputs (99|-3|0) of 2\): the file is damaged/,
  ]),
  [
    "a scan whose body turns in a circle",
    () => onnxModel({ ...base, nodes: [transposed, scan(1, [node("Identity", ["b"], "a"), node("Identity", ["a"], "b")]), ...head] }),
    /the operator Scan|needs|circle/,
  ],
  [
    "a scan without a body",
    () => onnxModel({ ...base, nodes: [transposed, { ...scan(1), attribute: [int("num_scan_inputs", 1)] }, ...head] }),
    /the operator Scan \(Scan Y_h\) (is not supported|has no body)/,
  ],
  ["an If without branches", () => onnxModel({ ...base, nodes: [transposed, node("If", ["zeroth"], "Y_h"), ...head] }), /the operator If/],
  [
    "weights of more steps than there are",
    () =>
      onnxModel({
        ...base,
        nodes: [
          node("Softmax", ["x"], "w", int("axis", 9)),
          node("Mul", ["w", "x"], "v"),
          node("ReduceSum", ["v", "zeroth"], "h", int("keepdims", 0)),
          ...head.slice(1),
        ],
      }),
    /the operator Softmax/,
  ],
  ["a billion steps", () => onnxModel({ ...base, x: ["n", 1e9, F] }), /steps|1000000000/],
  ["a billion features", () => onnxModel({ ...base, x: ["n", T, 1e9] }), /features|1000000000/],
  ["weights above the folder", () => onnxModel({ ...base, constants: instead("W", external("../secret.bin")) }), SHARD],
  ["weights at the root", () => onnxModel({ ...base, constants: instead("W", external("/etc/passwd")) }), SHARD],
  ["weights behind a link", () => onnxModel({ ...base, constants: instead("W", external("link.bin")) }), SHARD],
  ["weights without a place", () => onnxModel({ ...base, constants: instead("W", external("")) }), SHARD],
  [
    "weights in a file that is missing",
    () => onnxModel({ ...base, constants: instead("W", external("none.data")) }),
    "there is no such file",
  ],
  ["weights in a file of 8 GiB", () => onnxModel({ ...base, constants: instead("W", external("huge.bin")) }), "268435456"],
  [
    "weights behind the end of their file",
    () => onnxModel({ ...base, constants: instead("W", external("short.bin", { offset: "1e15", length: "320" })) }),
    "the file is cut short or damaged",
  ],
])("ONNX: %s", async (_, make, sentence) => expectRefusal(make(), sentence));

const torch = (words: string) => ({ said: { torch: readTorchDescription(words, "torch"), padding: "none" as const } });
const STATE = {
  "lstm.weight_ih_l0": [4 * U, F],
  "lstm.weight_hh_l0": [4 * U, U],
  "lstm.bias_ih_l0": [4 * U],
  "lstm.bias_hh_l0": [4 * U],
  "fc.weight": [1, U],
  "fc.bias": [1],
};
const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** A state dict whose header says `claims`, over the bytes of STATE, all of which are `fill`. */
function stateDict(claims: Record<string, readonly number[]>, fill = 0): Uint8Array {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(claims).map(([name, shape]) => {
      const bytes = 4 * count(STATE[name as keyof typeof STATE] ?? []);
      at += bytes;
      return [name, { dtype: "F32", shape, data_offsets: [at - bytes, at] }];
    }),
  );
  const text = encode(header);
  const out = new Uint8Array(8 + text.length + at).fill(fill, 8 + text.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

test("the state dict that they all vary is imported", async () =>
  expect(await rejection(stateDict(STATE), torch("lstm last linear"))).toBe("imported"));

test.each<[string, () => Uint8Array, RegExp | string, string?]>([
  ["a shape of 10^18 numbers", () => stateDict({ ...STATE, "fc.weight": [1e9, 1e9] }), /fc\.weight claims 1000000000000000000 numbers/],
  ["a shape that is none", () => stateDict({ ...STATE, "fc.weight": [-1, -4] }), "in a way that cannot be read"],
  ["the sizes exchanged", () => stateDict({ ...STATE, "lstm.weight_ih_l0": [F, 4 * U] }), /lstm/],
  ["NaN weights", () => stateDict(STATE, 0xff), "holds a number that is not finite: the weights are damaged"],
  ["a billion layers said", () => stateDict(STATE), /1000000000|layers/, "lstm(1000000000) last linear"],
  ["ten thousand linear layers said", () => stateDict(STATE), /linear/, `lstm last ${"linear relu ".repeat(10_000)}linear`],
  [
    "a layer that is not there said",
    () => stateDict(STATE),
    /lstm has 1 layer, where --torch says 2/,
    "lstm(2, bidirectional) mean linear",
  ],
])("torch: %s", async (_, make, sentence, words = "lstm last linear") => {
  let said: ReturnType<typeof torch>;
  try {
    said = torch(words);
  } catch (error) {
    expect((error as Error).message).toMatch(sentence);
    return;
  }
  await expectRefusal(make(), sentence, said);
});
