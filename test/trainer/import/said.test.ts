// What a file cannot say is asked for, and a few inputs and outputs of the model prove an import: nothing is assumed in silence.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeFrame, packTensors } from "../../../shared/artifact/safetensors.ts";
import { checkPairs, readPairs } from "../../../trainer/import/check.ts";
import type { Said } from "../../../trainer/import/contract/said.ts";
import { readModel } from "../../../trainer/import/read-model.ts";
import { readTorchDescription } from "../../../trainer/import/torch/description.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { engines, importBytes, scoreBytes } from "../../fixtures/import/importing.ts";
import { normals } from "../../fixtures/import/onnx-graphs.ts";

const [F, U, T, N] = [3, 4, 6, 8];
const torch = readTorchDescription("lstm last linear", "torch");

function stateDict(head: string, classes = 1): Uint8Array {
  const shapes: Record<string, number[]> = {
    "lstm.weight_ih_l0": [4 * U, F],
    "lstm.weight_hh_l0": [4 * U, U],
    "lstm.bias_ih_l0": [4 * U],
    [`${head}.weight`]: [classes, U],
    [`${head}.bias`]: [classes],
  };
  const size = (shape: number[]): number => shape.reduce((product, count) => product * count, 1);
  const arrays = Object.entries(shapes).map(([name, shape], k) => [name, { shape, data: normals(k + 1, size(shape)) }]);
  return encodeFrame({ format: "pt" }, packTensors(Object.fromEntries(arrays)), 8);
}

const file = stateDict("fc");
const refuse = (bytes: Uint8Array, said: Partial<Said>): Promise<string> =>
  readModel(bytes, "m.safetensors", { timesteps: null, isChecked: false, ...said }, () => new Uint8Array()).then(
    () => "read",
    (error: Error) => error.message,
  );

/** (N,T,F); every second sequence has two all-zero rows in front. */
function sequences(): Float64Array {
  const random = createRandom(7);
  return Float64Array.from({ length: N * T * F }, (_, at) =>
    Math.floor(at / (T * F)) % 2 === 1 && at % (T * F) < 2 * F ? 0 : random.normal(),
  );
}

describe("a state dict holds no forward pass", () => {
  test("which is asked for, with the words that say it", async () => {
    expect(await refuse(file, { padding: "none" })).toMatch(
      /is a state dict, which does not hold the forward pass: say --torch "lstm last linear" .* or prove the import with --check pairs\.npz/,
    );
    expect(await refuse(file, { padding: "none", torch })).toBe("read");
    expect(await refuse(file, { padding: "none", isChecked: true })).toBe("read");
  });

  test("and a number in a name tells that something without weights stands between", async () => {
    expect(await refuse(stateDict("head.1"), { padding: "none" })).toContain(
      "head.1 has no head.0, so something without weights stands in front of it",
    );
  });

  test("and where nothing is said, all that is missing is asked for at once; fc1 and fc2 are names, not places", async () => {
    expect(await refuse(stateDict("fc1"), {})).toMatch(
      /^m\.safetensors: is a state dict, which does not hold the forward pass, nor what all-zero rows are: say --torch "lstm last linear" .*; and say --padding: none where/,
    );
  });

  test.each([
    ["lstm(2, bidirectional) mean linear", "lstm has 1 layer, where --torch says 2: say --torch as the model is"],
    ["lstm mean linear relu linear", 'holds 1 Linear modules (fc), where the forward pass "lstm mean linear relu linear" has 2'],
    ["gru last linear", "lstm is a lstm, where --torch says gru"],
  ])("%s is refused where the modules are others", async (words, sentence) => {
    expect(await refuse(file, { padding: "none", torch: readTorchDescription(words, "torch") })).toContain(sentence);
  });

  test.each(["mean", "max", "first", "cell"])("lstm %s linear is another model than lstm last linear", async (pooling) => {
    const read = (words: string) => importBytes(file, { timesteps: T, said: { torch: readTorchDescription(words, "torch") } });
    const [one, other] = [await read(`lstm ${pooling} linear`), await read("lstm last linear")];
    const [a, b] = [one, other].map(({ bytes }) => scoreBytes(bytes, sequences()));
    expect(a.filter((p, n) => Math.abs(p - b[n]) > 1e-3).length).toBeGreaterThan(N / 2);
    expect(one.findings.join()).toContain(`the forward pass is "lstm ${pooling} linear"`);
  });

  test.each([
    ["transformer linear", '--torch begins with "transformer", expected lstm, gru, rnn'],
    ["lstm last linear relu", "does not end in a linear layer"],
    ["lstm(12) last linear", '--torch has "12" in'],
    ["lstm last conv linear", '--torch has "conv" at 10, expected'],
    ["", '--torch begins with ""'],
  ])("the words %s are refused by their place", (words, sentence) => {
    expect(() => readTorchDescription(words, "torch")).toThrow(sentence);
  });

  test("a Linear of two is a softmax, whose second number is the probability", async () => {
    const { findings, parity } = await importBytes(stateDict("fc", 2));
    expect(findings.join()).toContain("a softmax, whose second number is the probability of label 1, follows: as --torch says");
    expect(parity).toBeLessThan(2e-6);
  });
});

describe("what an all-zero row is", () => {
  test("is asked for where the file cannot say, and decides scores", async () => {
    expect(await refuse(file, { torch })).toMatch(
      /does not say what all-zero rows are: say --padding: none where every row is data, leading .*, any/,
    );
    const scores = await Promise.all(
      (["none", "leading", "any"] as const).map(async (padding) => {
        const { bytes, model, parity, findings } = await importBytes(file, { timesteps: T, said: { padding } });
        expect([model.recipe.padding, parity < 2e-6, findings.join().includes(`padding: ${padding}, as --padding says`)]).toEqual([
          padding,
          true,
          true,
        ]);
        return scoreBytes(bytes, sequences());
      }),
    );
    expect(scores[1]).not.toEqual(scores[0]);
    expect(scores[1]).toEqual(scores[2]); // zero rows stand in front alone
  });

  test("is the file's word where the file says it", async () => {
    const masked = readFileSync(new URL("../../fixtures/import/good/masked-batchnorm.h5", import.meta.url));
    expect(await refuse(masked, { padding: "none" })).toContain(
      "says padding: any: --padding none would be another model: leave --padding out",
    );
    expect(await refuse(masked, { padding: "any" })).toBe("read");
    expect(await refuse(masked, { torch })).toContain("is no state dict of PyTorch, and holds its own forward pass: leave --torch out");
  });
});

describe("a check", () => {
  const pairs = async (p: ArrayLike<number>, values = sequences(), n = N): Promise<Uint8Array> =>
    encodeNpz({ X: { data: values, shape: [n, T, F] }, p: { data: Float64Array.from(p), shape: [p.length] } });

  test("passes where the artifact says what the model said, and fails naming the sequence that differs most", async () => {
    const { model, bytes } = await importBytes(file, { timesteps: T, said: { padding: "leading" } });
    const said = scoreBytes(bytes, sequences());
    expect(checkPairs(model, await readPairs(await pairs(said), "pairs.npz"), engines)).toBeLessThan(1e-7);
    const wrong = said.map((p, n) => (n === 3 ? 1 - p : p));
    const read = await readPairs(await pairs(wrong), "pairs.npz");
    expect(() => checkPairs(model, read, engines)).toThrow(/pairs\.npz: p\[3\] is .*, but the imported model says .*nothing is written/);
  });

  test.each<[string, () => Promise<Uint8Array>, string]>([
    ["logits", () => pairs([0.1, 3, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]), "p[1] is 3, expected a probability from 0 to 1"],
    ["equal outputs", () => pairs(new Float64Array(N).fill(0.4)), "p is nearly the same for all 8 sequences, which proves nothing"],
    ["too few", () => pairs([0.1, 0.9], sequences().subarray(0, 2 * T * F), 2), "has 2 sequences, expected at least 3"],
    ["as many outputs as there are not sequences", () => pairs([0.1, 0.9]), "p has 2 numbers for 8 sequences"],
    ["no p", () => encodeNpz({ X: { data: sequences(), shape: [N, T, F] } }), "has no array p"],
  ])("%s are refused", async (_, make, sentence) => {
    await expect(make().then((bytes) => readPairs(bytes, "pairs.npz"))).rejects.toThrow(sentence);
  });

  test("of sequences that were padded behind, as packed ones are, says so where --padding leading takes such rows as data", async () => {
    const behind = sequences();
    for (let n = 0; n < N; n++) {
      const one = behind.slice(n * T * F, (n + 1) * T * F);
      const zeros = n % 2 === 1 ? 2 * F : 0;
      behind.set([...one.slice(zeros), ...one.slice(0, zeros)], n * T * F);
    }
    const [any, leading] = await Promise.all(
      (["any", "leading"] as const).map((padding) => importBytes(file, { timesteps: T, said: { padding } })),
    );
    const read = await readPairs(await pairs(scoreBytes(any.bytes, behind), behind), "pairs.npz");
    expect(checkPairs(any.model, read, engines)).toBeLessThan(1e-7);
    expect(() => checkPairs(leading.model, read, engines)).toThrow(
      "X has all-zero rows behind the last row of a sequence, which --padding leading takes as data (--padding any passes over them)",
    );
  });

  test("of other steps is refused by both numbers", async () => {
    const { model, bytes } = await importBytes(file, { timesteps: 5, said: { padding: "none" } });
    expect(bytes.length).toBeGreaterThan(0);
    const read = await readPairs(await pairs([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), "pairs.npz");
    expect(() => checkPairs(model, read, engines)).toThrow("X has 6 steps × 3 features, but the model takes 5 × 3");
  });
});
