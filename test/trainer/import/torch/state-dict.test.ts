// State dicts of PyTorch that are more, or less, than one LSTM and one Linear: refused by name.
import { expect, test } from "vitest";
import { encodeFrame, packTensors } from "../../../../shared/artifact/safetensors.ts";
import { describeTorch, readTorchDescription } from "../../../../trainer/import/torch/description.ts";
import { importBytes, rejection, scoreBytes } from "../../../fixtures/import/importing.ts";
import { normals } from "../../../fixtures/import/onnx-graphs.ts";
import { networkOf } from "../../../fixtures/model.ts";

const [F, U] = [5, 4];
type Shapes = Record<string, number[]>;
const LSTM: Shapes = {
  "lstm.weight_ih_l0": [4 * U, F],
  "lstm.weight_hh_l0": [4 * U, U],
  "lstm.bias_ih_l0": [4 * U],
  "lstm.bias_hh_l0": [4 * U],
};
const HEAD: Shapes = { "fc.weight": [1, U], "fc.bias": [1] };

function state(shapes: Shapes, fill?: number): Uint8Array {
  const count = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);
  const tensors = packTensors(
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape], k) => [
        name,
        { shape, data: fill === undefined ? normals(k + 1, count(shape)) : new Float32Array(count(shape)).fill(fill) },
      ]),
    ),
  );
  return encodeFrame({ format: "pt" }, tensors, 8);
}

test.each<[string, Shapes, string]>([
  [
    "two layers",
    { ...LSTM, "lstm.weight_ih_l1": [4 * U, U], ...HEAD },
    "lstm has 2 layers, where --torch says 1: say --torch as the model is",
  ],
  [
    "two directions",
    { ...LSTM, "lstm.weight_ih_l0_reverse": [4 * U, F], ...HEAD },
    "model: lstm is bidirectional, where --torch says one direction: say --torch as the model is",
  ],
  ["projections", { ...LSTM, "lstm.weight_hr_l0": [2, U], ...HEAD }, "model: lstm has projections"],
  [
    "a GRU",
    { "rnn.weight_ih_l0": [3 * U, F], "rnn.weight_hh_l0": [3 * U, U], ...HEAD },
    "model: rnn is a gru, where --torch says lstm: say --torch as the model is",
  ],
  ["a plain RNN", { "rnn.weight_ih_l0": [U, F], "rnn.weight_hh_l0": [U, U], ...HEAD }, "model: rnn is a rnn, where --torch says lstm"],
  [
    "two LSTMs",
    { ...LSTM, "other.weight_ih_l0": [4 * U, F], ...HEAD },
    'holds 2 recurrent modules (lstm, other), where the forward pass "lstm last linear" has 1',
  ],
  ["no LSTM", HEAD, "holds no recurrent module: none of its tensors (fc.weight, fc.bias) is named …weight_ih_l0"],
  ["no head", LSTM, 'holds 0 Linear modules (none), where the forward pass "lstm last linear" has 1'],
  [
    "a head of three classes",
    { ...LSTM, "fc.weight": [3, U], "fc.bias": [3] },
    "ends in sigmoid of 3 numbers: quickstep reads Linear(units, 1), behind which a sigmoid stands, or Linear(units, 2); as ONNX",
  ],
  ["a layer that has no place", { ...LSTM, "norm.running_mean": [F], ...HEAD }, "holds norm.running_mean, unknown to quickstep"],
  ["biases of another size", { ...LSTM, "lstm.bias_hh_l0": [3], ...HEAD }, "lstm.bias_hh_l0 is (3): expected (16)"],
  [
    "shapes that do not fit",
    { ...LSTM, "lstm.weight_ih_l0": [15, F], ...HEAD },
    "lstm.weight_ih_l0 is (15, 5) and weight_hh_l0 is (16, 4)",
  ],
])("%s", async (_, shapes, sentence) => {
  expect(await rejection(state(shapes))).toContain(sentence);
});

test("weights that are not finite", async () => {
  expect(await rejection(state({ ...LSTM, ...HEAD }, Number.NaN))).toContain("lstm.weight_ih_l0 holds a number that is not finite");
});

test("modules of any name, without biases: the head's 0 and the LSTM's 0 are assumed", async () => {
  const shapes = { "net.0.weight_ih_l0": [4 * U, F], "net.0.weight_hh_l0": [4 * U, U], "net.1.weight": [1, U] };
  const { model, bytes, findings } = await importBytes(state(shapes), { timesteps: 3, features: ["a", "b", "c", "d", "e"] });
  expect([...networkOf(model).bias, networkOf(model).headBias[0]].every((value) => value === 0)).toBe(true);
  expect([model.recipe.timesteps, model.recipe.features]).toEqual([3, ["a", "b", "c", "d", "e"]]);
  expect(findings.join()).toContain("a sigmoid follows the Linear");
  expect(scoreBytes(bytes, new Float64Array(3 * F))[0]).toBe(0.5);
});

const CONV: Shapes = { "conv.weight": [6, F, 3], "conv.bias": [6], ...LSTM, "lstm.weight_ih_l0": [4 * U, 6], ...HEAD };

const TWO_WAY: Shapes = {
  ...LSTM,
  "lstm.weight_ih_l0_reverse": [4 * U, F],
  "lstm.weight_hh_l0_reverse": [4 * U, U],
  "lstm.bias_ih_l0_reverse": [4 * U],
  "lstm.bias_hh_l0_reverse": [4 * U],
  "fc.weight": [1, 6 * U],
  "fc.bias": [1],
};
/** Of 10 steps both leave 6. */
const FLAT: Shapes = { "a.weight": [4, F, 3], "a.bias": [4], "b.weight": [6, 4, 3], "b.bias": [6], "fc.weight": [1, 36], "fc.bias": [1] };

// parity is with PyTorch's own definition in float64; test/outside/torch has a module of PyTorch
test.each([
  "conv1d(padding=1) relu maxpool1d(2) lstm last linear",
  "conv1d(stride=2, dilation=2) tanh avgpool1d(3, stride=1, padding=1) lstm mean linear",
  "conv1d(padding=same) lstm linear",
])("%s is read", async (words) => {
  const { parity, findings } = await importBytes(state(CONV), { said: { torch: readTorchDescription(words, "torch"), padding: "none" } });
  expect(parity).toBeLessThanOrEqual(2e-6);
  expect(findings.join()).toContain("conv(5, 6, 3)");
});

test.each([
  ["conv1d(2) lstm linear", "conv has a kernel", false],
  ["conv1d(padding=1) lstm linear", "expected (16, 6)", true],
  ["lstm conv1d flatten relu linear", "flattens what a convolution leaves, and no linear follows at once", true],
] as const)("%s is refused where it does not fit", async (words, sentence, isNarrow) => {
  const narrow = words.startsWith("lstm") ? { ...LSTM, "conv.weight": [6, U, 3], ...HEAD } : { ...CONV, "lstm.weight_ih_l0": [4 * U, 7] };
  const bytes = state(isNarrow ? narrow : CONV);
  const refused = async () => rejection(bytes, { said: { torch: readTorchDescription(words, "torch"), padding: "none" } });
  if (isNarrow) expect(await refused()).toContain(sentence);
  else await expect(refused()).rejects.toThrow('"2" in "conv1d(2)", expected settings such as conv1d(padding=1, stride=2)');
});

test.each<[string, Shapes, number | null]>([
  ["lstm(bidirectional) state+mean+max linear", TWO_WAY, null],
  ["conv1d relu conv1d flatten linear", FLAT, null],
  ["conv1d(padding=1) maxpool1d(3) conv1d(padding=1) flatten linear", { ...FLAT, "fc.weight": [1, 18] }, 10],
])("%s is read, in PyTorch's order of numbers", async (words, shapes, timesteps) => {
  const said = { torch: readTorchDescription(words, "torch"), padding: "none", timesteps } as const;
  const { parity } = await importBytes(state(shapes), { said });
  expect(parity).toBeLessThanOrEqual(2e-6);
});

test("where several numbers of steps leave as many to flatten, the number is asked for", async () => {
  const words = "conv1d(padding=1) maxpool1d(3) conv1d(padding=1) flatten linear";
  const said = { torch: readTorchDescription(words, "torch"), padding: "none" } as const;
  expect(await rejection(state({ ...FLAT, "fc.weight": [1, 18] }), { said })).toContain(
    "flattens 3 steps, which sequences of 9, 10, 11 leave: say --timesteps",
  );
});

test("poolings side by side are said by name", () => {
  expect(describeTorch(readTorchDescription("lstm mean+max linear", "torch"))).toBe("lstm mean+max linear");
  expect(() => readTorchDescription("lstm mean+sum linear", "torch")).toThrow(
    '"sum" in "mean+sum", expected last, state, first, mean, max',
  );
});
