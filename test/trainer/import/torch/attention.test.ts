// Attention pooling in state dicts of PyTorch: which modules make the scores, what the words say, and torch's own probabilities.
import { expect, test } from "vitest";
import { encodeFrame, packTensors } from "../../../../shared/artifact/safetensors.ts";
import { describeTorch, readTorchDescription } from "../../../../trainer/import/torch/description.ts";
import { importBytes, rejection, scoreBytes } from "../../../fixtures/import/importing.ts";

const [T, F, U] = [3, 2, 2];
type Shapes = Readonly<Record<string, readonly number[]>>;
const LSTM: Shapes = {
  "lstm.weight_ih_l0": [4 * U, F],
  "lstm.weight_hh_l0": [4 * U, U],
  "lstm.bias_ih_l0": [4 * U],
  "lstm.bias_hh_l0": [4 * U],
};
const linear = (name: string, inputs: number, outputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});

/** Every tensor is 0.1, −0.2, 0.3, −0.4 … in the order of names. */
function state(shapes: Shapes): Uint8Array {
  let at = 0;
  const next = (): number => ((((at++ * 7) % 11) + 1) / 10) * (at % 2 === 0 ? -1 : 1);
  const tensors = Object.entries(shapes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, shape]) =>
        [name, { shape: [...shape], data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next) }] as const,
    );
  return encodeFrame({ format: "pt" }, packTensors(Object.fromEntries(tensors)), 8);
}

const saying = (words: string) => ({ torch: readTorchDescription(words, "torch"), padding: "none" }) as const;

test.each<[string, Shapes]>([
  ["lstm attention linear", { ...linear("attention", U, 1), ...linear("fc", U, 1) }],
  ["lstm attention(linear tanh) linear", { ...linear("fc", U, 1), ...linear("self_attn", U, 1) }],
  [
    "lstm attention(linear tanh linear) linear relu linear",
    { ...linear("att.0", U, 3), ...linear("att.2", 3, 1), ...linear("fc.0", U, 4), ...linear("fc.2", 4, 1) },
  ],
  ["lstm attention layernorm linear", { ...linear("attn", U, 1), "norm.weight": [U], "norm.bias": [U], ...linear("out", U, 2) }],
])("%s is read", async (words, shapes) => {
  const { parity, findings } = await importBytes(state({ ...LSTM, ...shapes }), { said: saying(words), timesteps: T });
  expect(parity).toBeLessThanOrEqual(2e-6);
  expect(findings.join()).toContain(`the forward pass is "${words}"`);
});

test("probabilities are those of PyTorch", async () => {
  // import torch; t = lambda k, n: torch.tensor([(((i * 7) % 11 + 1) / 10) * (1 if i % 2 == 0 else -1) for i in range(k, k + n)])
  // lstm, att, fc = torch.nn.LSTM(2, 2, batch_first=True), torch.nn.Linear(2, 1), torch.nn.Linear(2, 1); k = 0
  // for p, n in ((att.bias, 1), (att.weight, 2), (fc.bias, 1), (fc.weight, 2), (lstm.bias_hh_l0, 8), (lstm.bias_ih_l0, 8), (lstm.weight_hh_l0, 16), (lstm.weight_ih_l0, 16)):
  //     p.data = t(k, n).reshape(p.shape); k += n
  // x = torch.tensor([[[1., -1], [0.5, 2], [0, 0]], [[-2, 1], [3, 0.25], [1, 1]]]); o = lstm(x)[0]
  // print(torch.sigmoid(fc((torch.softmax(att(o), 1) * o).sum(1))).ravel().tolist())
  const EXPECTED = [0.3102329671382904, 0.2773836851119995];
  const bytes = state({ ...LSTM, ...linear("att", U, 1), ...linear("fc", U, 1) });
  const { bytes: artifact } = await importBytes(bytes, { said: saying("lstm attention linear"), timesteps: T });
  const scores = scoreBytes(artifact, Float64Array.of(1, -1, 0.5, 2, 0, 0, -2, 1, 3, 0.25, 1, 1));
  for (const [n, p] of EXPECTED.entries()) expect(Math.abs(scores[n] - p)).toBeLessThanOrEqual(2e-6);
});

test("where names do not tell which Linear makes the scores, and nothing proves it, both are asked for", async () => {
  const bytes = state({ ...LSTM, ...linear("fc", U, 1), ...linear("score", U, 1) });
  expect(await rejection(bytes, { said: saying("lstm attention linear") })).toContain(
    "does not say which of its Linear modules (fc, score) make the scores of attention: 0 of them have att in the name, where --torch says 1: name them so",
  );
  const proved = await importBytes(bytes, { said: { ...saying("lstm attention linear"), isChecked: true }, timesteps: T });
  expect(proved.findings.join()).toContain("attention(fc(2, 1)) → score(2, 1)");
});

test("a module that is named after attention is what --check tries", async () => {
  const bytes = state({ ...LSTM, ...linear("attention", U, 1), ...linear("fc", U, 1) });
  const { findings } = await importBytes(bytes, { said: { torch: undefined, padding: "none", isChecked: true }, timesteps: T });
  expect(findings.join()).toContain('the forward pass is "lstm attention linear"');
});

test("several scores for each step are refused", async () => {
  const shapes = { ...LSTM, ...linear("att", U, 4), ...linear("fc", U, 1) };
  expect(await rejection(state(shapes), { said: saying("lstm attention linear") })).toContain("att makes 4 scores of each step");
});

test("words are read and said again", () => {
  expect(describeTorch(readTorchDescription("gru(bidirectional) Attention( linear, tanh linear ) dropout linear", "torch"))).toBe(
    "gru(bidirectional) attention(linear tanh linear) linear",
  );
  expect(() => readTorchDescription("lstm attention(tanh) linear", "torch")).toThrow(
    '"tanh" in attention, expected linear and activations',
  );
  expect(() => readTorchDescription("lstm attention(linear lstm) linear", "torch")).toThrow(
    "in attention, expected linear and activations",
  );
  expect(() => readTorchDescription("lstm attention attention linear", "torch")).toThrow("has attention twice, expected once");
});
