// Models as tfjs saves them: the topology with its shards, plain and quantised, and what of that is refused.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { halfToNumber } from "../../../trainer/import/contract/half-float.ts";
import { readModel } from "../../../trainer/import/read-model.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { definitionOf } from "../../fixtures/import/definition.ts";

const [T, F, N] = [6, 3, 12];
const TOLERANCE = 1e-6;

beforeAll(() => tf.setBackend("cpu"));

interface ModelJson extends Record<string, unknown> {
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly object[] }[];
}

interface Saved {
  readonly model: tf.Sequential;
  readonly json: ModelJson;
  readonly shards: Map<string, Uint8Array>;
}

/** What model.save writes, with weights that make probabilities differ, cut into shards of `size` bytes. */
async function save(layers: tf.layers.Layer[], size = 100): Promise<Saved> {
  const model = tf.sequential({ layers });
  const random = createRandom(5);
  model.setWeights(
    model.getWeights().map((w) =>
      tf.tensor(
        Float32Array.from({ length: w.size }, () => random.normal() * (w.shape.length > 1 ? 0.7 : 0.4) + (w.shape.length > 1 ? 0 : 0.6)),
        w.shape,
      ),
    ),
  );
  let saved: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const data = new Uint8Array(tf.io.CompositeArrayBuffer.join(saved.weightData));
  const paths = Array.from({ length: Math.ceil(data.length / size) }, (_, k) => `group1-shard${k + 1}.bin`);
  return {
    model,
    json: {
      format: "layers-model",
      generatedBy: saved.generatedBy,
      modelTopology: saved.modelTopology,
      weightsManifest: [{ paths, weights: saved.weightSpecs ?? [] }],
    },
    shards: new Map(paths.map((path, k) => [path, data.slice(k * size, (k + 1) * size)])),
  };
}

/** What of a model lies in files. */
type Files = { readonly json: unknown; readonly shards: Saved["shards"] };

const encode = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));

function read({ json, shards }: Files, isLogit = false) {
  const beside = (location: string): Uint8Array => {
    const bytes = shards.get(location);
    if (bytes === undefined) throw new DataError(location, "cannot be read: there is no such file");
    return bytes;
  };
  return readModel(encode(json), "model.json", { timesteps: null, isChecked: false, isLogit }, beside);
}

const refusal = (saved: Files): Promise<string> =>
  read(saved).then(
    () => "read",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** (N,T,F); every second sequence has an all-zero row in front and inside. */
function sequences(): Float32Array {
  const random = createRandom(9);
  return Float32Array.from({ length: N * T * F }, (_, at) => {
    const t = Math.floor(at / F) % T;
    return Math.floor(at / (T * F)) % 2 === 1 && (t === 0 || t === 3) ? 0 : random.normal();
  });
}

const inputShape = [T, F];
const head = () => tf.layers.dense({ units: 1, activation: "sigmoid" });

test.each<[string, () => tf.layers.Layer[]]>([
  ["LSTM", () => [tf.layers.lstm({ units: 4, inputShape, recurrentActivation: "sigmoid" }), head()]],
  ["LSTM as tfjs has it by default, hard gates", () => [tf.layers.lstm({ units: 4, inputShape }), head()]],
  ["Masking, LSTM", () => [tf.layers.masking({ inputShape }), tf.layers.lstm({ units: 4 }), head()]],
  [
    "BatchNormalization, two LSTMs with dropout",
    () => [
      tf.layers.batchNormalization({ inputShape }),
      tf.layers.lstm({ units: 4, returnSequences: true }),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.lstm({ units: 3 }),
      head(),
    ],
  ],
  [
    "Bidirectional LSTM, mean over steps",
    () => [
      tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 3, returnSequences: true }) as tf.RNN, inputShape }),
      tf.layers.globalAveragePooling1d({}),
      head(),
    ],
  ],
  [
    "RNN around a cell, and around several",
    () => [
      tf.layers.rnn({ cell: tf.layers.lstmCell({ units: 4, recurrentActivation: "sigmoid" }), returnSequences: true, inputShape }),
      tf.layers.rnn({
        cell: [tf.layers.gruCell({ units: 3, name: "first" }), tf.layers.gruCell({ units: 4, useBias: false })],
        goBackwards: true,
      }),
      head(),
    ],
  ],
  ["GRU backwards", () => [tf.layers.gru({ units: 4, inputShape, goBackwards: true }), head()]],
  [
    "SimpleRNN, hidden layers",
    () => [
      tf.layers.simpleRNN({ units: 4, inputShape }),
      tf.layers.dense({ units: 5, activation: "elu" }),
      tf.layers.leakyReLU({ alpha: 0.1 }),
      tf.layers.dense({ units: 2, activation: "softmax" }),
    ],
  ],
  [
    "Conv1D, MaxPooling1D, LSTM",
    () => [
      tf.layers.conv1d({ filters: 4, kernelSize: 3, padding: "same", activation: "relu", inputShape }),
      tf.layers.maxPooling1d({ poolSize: 2 }),
      tf.layers.lstm({ units: 3 }),
      head(),
    ],
  ],
  [
    "LayerNormalization, LSTM, Flatten",
    () => [tf.layers.layerNormalization({ inputShape }), tf.layers.lstm({ units: 3, returnSequences: true }), tf.layers.flatten(), head()],
  ],
])("%s: the definition and the network read give what predict gives", async (_, layers) => {
  const saved = await save(layers());
  const imported = await read(saved);
  const X = sequences();
  const p = (saved.model.predict(tf.tensor3d(X, [N, T, F])) as tf.Tensor).arraySync() as number[][];
  const scores = definitionOf(imported);
  for (const [n, row] of p.entries()) {
    const rows = Float64Array.from(X.subarray(n * T * F, (n + 1) * T * F));
    expect(Math.abs(imported.forward(rows) - row[row.length - 1]), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
    expect(Math.abs(scores(rows) - row[row.length - 1]), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
  }
  expect(new Set(p.map(String)).size).toBeGreaterThan(N / 2);
});

describe("quantised", () => {
  /** Each weight in `dtype`, as tfjs' converter quantises, and what comes back of each. */
  async function quantise(dtype: "uint8" | "uint16" | "float16"): Promise<Saved> {
    const saved = await save([tf.layers.lstm({ units: 4, inputShape }), head()]);
    const back: tf.Tensor[] = [];
    const bytes: number[] = [];
    const weights = saved.json.weightsManifest[0].weights.map((entry, k) => {
      const values = saved.model.getWeights()[k].dataSync();
      const levels = dtype === "uint8" ? 255 : 65535;
      const [min, scale] = [Math.min(...values), (Math.max(...values) - Math.min(...values)) / levels || 1];
      const stored = [...values].map((x) => (dtype === "float16" ? halfOf(x) : Math.round((x - min) / scale)));
      for (const q of stored) bytes.push(...(dtype === "uint8" ? [q] : [q & 255, q >> 8]));
      back.push(
        tf.tensor(
          stored.map((q) => (dtype === "float16" ? halfToNumber(q) : Math.fround(q * scale + min))),
          saved.model.getWeights()[k].shape,
        ),
      );
      return { ...entry, quantization: dtype === "float16" ? { dtype } : { dtype, scale, min } };
    });
    saved.model.setWeights(back);
    return {
      ...saved,
      json: { ...saved.json, weightsManifest: [{ paths: ["a.bin", "b.bin"], weights }] },
      shards: new Map([
        ["a.bin", Uint8Array.from(bytes.slice(0, 33))],
        ["b.bin", Uint8Array.from(bytes.slice(33))],
      ]),
    };
  }

  /** The bits of a half, cut off. */
  function halfOf(x: number): number {
    const exponent = Math.floor(Math.log2(Math.abs(x)));
    return (x < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.floor((Math.abs(x) / 2 ** exponent - 1) * 1024);
  }

  test.each(["uint8", "uint16", "float16"] as const)("%s: what tfjs computes with these weights", async (dtype) => {
    const saved = await quantise(dtype);
    const imported = await read(saved);
    const X = sequences();
    const p = (saved.model.predict(tf.tensor3d(X, [N, T, F])) as tf.Tensor).dataSync();
    for (let n = 0; n < N; n++)
      expect(Math.abs(definitionOf(imported)(Float64Array.from(X.subarray(n * T * F, (n + 1) * T * F))) - p[n])).toBeLessThanOrEqual(
        TOLERANCE,
      );
  });
});

test("logits are taken where that is said, and refused where it is not", async () => {
  const saved = await save([tf.layers.lstm({ units: 4, inputShape }), tf.layers.dense({ units: 1 })]);
  expect(await refusal(saved)).toContain("ends in one number without an activation: quickstep answers the probability of a sigmoid");
  const logits = (saved.model.predict(tf.tensor3d(sequences(), [N, T, F])) as tf.Tensor).dataSync();
  const forward = (await read(saved, true)).forward(Float64Array.from(sequences().subarray(0, T * F)));
  expect(Math.abs(forward - 1 / (1 + Math.exp(-logits[0])))).toBeLessThanOrEqual(TOLERANCE);
});

describe("refused", async () => {
  const saved = await save([tf.layers.lstm({ units: 4, inputShape }), head()]);
  const entry = saved.json.weightsManifest[0];
  const withWeight = (change: object): Record<string, unknown> => ({
    ...saved.json,
    weightsManifest: [{ ...entry, weights: [{ ...entry.weights[0], ...change }, ...entry.weights.slice(1)] }],
  });
  const broken = (at: number): Map<string, Uint8Array> =>
    new Map([...saved.shards].map(([path, bytes], k) => [path, k === 0 ? bytes.with(at, 0xff).with(at + 1, 0xff) : bytes]));
  test.each<[string, unknown, Map<string, Uint8Array> | undefined, string]>([
    [
      "a graph model",
      { format: "graph-model", modelTopology: { node: [] }, weightsManifest: [] },
      undefined,
      "is a graph model of tfjs, which holds operators instead of layers",
    ],
    ["a graph model that does not say so", { modelTopology: { node: [] }, weightsManifest: [] }, undefined, "is a graph model of tfjs"],
    ["another JSON", { name: "x" }, undefined, "is JSON, but no model of tfjs: expected model.json of a LayersModel"],
    ["a missing shard", saved.json, new Map([...saved.shards].slice(1)), "group1-shard1.bin: cannot be read: there is no such file"],
    [
      "shards that are cut short",
      saved.json,
      new Map([...saved.shards].map(([path, bytes]) => [path, bytes.subarray(0, 60)])),
      "a shard is cut short, or of another model",
    ],
    ["a lying shape", withWeight({ shape: [1e9, 1e9] }), undefined, "claims 1000000000000000000 numbers, more than a model has"],
    ["a shape of text", withWeight({ shape: ["3", 16] }), undefined, "describes a weight in a way that cannot be read"],
    ["weights of another shape", withWeight({ shape: [16, 3] }), undefined, "has weights of shape (16, 3), expected (3, 16)"],
    ["NaN weights", saved.json, broken(2), "holds a number that is not finite: the weights are damaged"],
    ["texts for weights", withWeight({ dtype: "string" }), undefined, "is of type string: save the model in float32"],
    [
      "a quantisation without a scale",
      withWeight({ quantization: { dtype: "uint8", min: 0 } }),
      undefined,
      "is quantised without a scale and a min",
    ],
    ["no manifest", { ...saved.json, weightsManifest: 3 }, undefined, "has no weightsManifest"],
  ])("%s", async (_, json, shards, sentence) => {
    const message = await refusal({ json, shards: shards ?? saved.shards });
    expect(message).toContain(sentence);
    expect(message).toMatch(/^DataError: /);
  });

  test("JSON that is cut short", async () => {
    const bytes = encode(saved.json).subarray(0, 200);
    await expect(readModel(bytes, "model.json", { timesteps: null, isChecked: false }, () => bytes)).rejects.toThrow(
      "begins like JSON, but is none",
    );
  });
});
