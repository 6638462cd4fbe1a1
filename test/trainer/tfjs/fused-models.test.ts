// Fused layers inside tfjs' models: training, saving and loading both ways, and what the kernel leaves to tfjs.
import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { FusedLayers } from "../../../trainer/tfjs/fused-layers.ts";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { generator, relativeDifference } from "../../fixtures/sequences.ts";

const [B, T, C, U] = [24, 6, 3, 5];
const random = generator(3);
const draw = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * random() - 1),
    shape,
  );
const warnings: string[] = [];
let layers: FusedLayers;
let xs: tf.Tensor;
let ys: tf.Tensor;
beforeAll(async () => {
  await tf.setBackend("cpu");
  layers = openNodeLayers(2, (message) => warnings.push(message));
  xs = draw([B, T, C]);
  ys = draw([B, 1]).greater(0).toFloat();
});

type Makers = Pick<FusedLayers, "fusedLstm" | "fusedGru" | "bidirectional">;
const OWN: Makers = { fusedLstm: tf.layers.lstm, fusedGru: tf.layers.gru, bidirectional: tf.layers.bidirectional };

/** Both models from the same weights, fitted the same way; weights are drawn here, since tfjs draws others each time. */
async function fitBoth(make: (makers: Makers) => tf.LayersModel, x: tf.Tensor | tf.Tensor[] = xs) {
  const models = [make(OWN), make(layers)];
  const weights = models[0].getWeights().map(({ shape }) => draw(shape as number[]).mul(0.5));
  for (const model of models) model.setWeights(weights);
  const losses: unknown[] = [];
  for (const model of models) {
    model.compile({ optimizer: tf.train.sgd(0.5), loss: "binaryCrossentropy" });
    losses.push((await model.fit(x, ys, { epochs: 4, batchSize: 10, shuffle: false, verbose: 0 })).history.loss);
  }
  const [own, fused] = models.map((model) => model.getWeights().map((weight) => weight.dataSync() as Float32Array));
  own.forEach((values, n) => {
    expect(relativeDifference(fused[n], values)).toBeLessThan(1e-5);
  });
  return { models, losses };
}

const dense = (): tf.layers.Layer => tf.layers.dense({ units: 1, activation: "sigmoid" });

test("model.fit in tf.sequential(), a mask in front, stacked layers", async () => {
  await fitBoth(
    ({ fusedLstm, fusedGru }) =>
      tf.sequential({
        layers: [
          tf.layers.masking({ maskValue: 0, inputShape: [T, C] }),
          fusedLstm({ units: U, returnSequences: true }),
          fusedGru({ units: U, returnSequences: true, recurrentActivation: "sigmoid" }),
          fusedLstm({ units: U, goBackwards: true }),
          dense(),
        ],
      }),
    xs.mul(
      tf.tensor3d(
        Array.from({ length: B * T }, (_, n) => Number(n % T > 1 || n % 5 === 0)),
        [B, T, 1],
      ),
    ),
  );
});

test("the functional API: one layer serves two inputs, and its states are outputs", async () => {
  await fitBoth(
    ({ fusedLstm }) => {
      const [a, b] = [tf.input({ shape: [T, C] }), tf.input({ shape: [T, C] })];
      const shared = fusedLstm({ units: U, returnState: true });
      const [outA, h, c] = shared.apply(a) as tf.SymbolicTensor[];
      const [outB] = shared.apply(b) as tf.SymbolicTensor[];
      const joined = tf.layers.concatenate().apply([outA, outB, h, c]) as tf.SymbolicTensor;
      return tf.model({ inputs: [a, b], outputs: dense().apply(joined) as tf.SymbolicTensor });
    },
    [xs, xs.mul(0.5)],
  );
});

test.each(["concat", "sum", "mul", "ave"] as const)("bidirectional around both, merged by %s", async (mergeMode) => {
  await fitBoth(({ fusedLstm, fusedGru, bidirectional }) =>
    tf.sequential({
      layers: [
        bidirectional({ layer: fusedLstm({ units: U, returnSequences: true }) as never, mergeMode, inputShape: [T, C] }),
        bidirectional({ layer: fusedGru({ units: U }) as never, mergeMode }),
        dense(),
      ],
    }),
  );
});

test("a fused model is saved as tfjs saves its own, and each is loaded as the other", async () => {
  const make = ({ fusedLstm, fusedGru, bidirectional }: Makers): tf.LayersModel =>
    tf.sequential({
      layers: [
        bidirectional({ layer: fusedLstm({ units: U, name: "l", returnSequences: true }) as never, inputShape: [T, C], name: "b" }),
        fusedGru({ units: 3, name: "g" }),
      ],
      name: "m",
    });
  const save = async (model: tf.LayersModel): Promise<tf.io.ModelArtifacts> => {
    let kept: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        kept = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
      }),
    );
    return kept!;
  };
  const [own, fused] = [make(OWN), make(layers)];
  own.setWeights(fused.getWeights());
  const [ofOwn, ofFused] = [await save(own), await save(fused)];
  expect(ofFused.modelTopology).toEqual(ofOwn.modelTopology);
  expect(ofFused.weightSpecs).toEqual(ofOwn.weightSpecs);
  expect(ofFused.weightData).toEqual(ofOwn.weightData);
  const plain = await tf.loadLayersModel(tf.io.fromMemory(ofFused));
  const loaded = layers.fuse(await tf.loadLayersModel(tf.io.fromMemory(ofOwn)));
  const predict = (model: tf.LayersModel) => (model.predict(xs) as tf.Tensor).dataSync() as Float32Array;
  expect(predict(plain)).toEqual(predict(own));
  expect(predict(loaded)).toEqual(predict(fused));
  expect(relativeDifference(predict(loaded), predict(own))).toBeLessThan(2e-6);
  expect(predict(loaded)).not.toEqual(predict(own));
});

test("dropout is drawn by tfjs, once for all steps, in training alone", async () => {
  const dropoutFunc = (x: tf.Tensor, rate: number): tf.Tensor =>
    x.mul(tf.range(0, x.size).reshape(x.shape).mod(3).greater(0).toFloat()).div(1 - rate);
  const apply = (layer: tf.layers.Layer, training: boolean, weights?: tf.Tensor[]) => {
    const first = layer.apply(xs, { training }) as tf.Tensor;
    if (!weights) return { values: first.dataSync() as Float32Array, weights: layer.getWeights() };
    layer.setWeights(weights);
    return { values: (layer.apply(xs, { training }) as tf.Tensor).dataSync() as Float32Array, weights };
  };
  for (const [own, fused] of [
    [tf.layers.lstm, layers.fusedLstm],
    [tf.layers.gru, layers.fusedGru],
  ] as const) {
    const config = { units: U, dropout: 0.4, dropoutFunc } as never;
    const [ownLayer, fusedLayer] = [own(config), fused(config)];
    const dropped = apply(ownLayer, true);
    expect(relativeDifference(apply(fusedLayer, true, dropped.weights).values, dropped.values)).toBeLessThan(2e-6);
    const whole = apply(ownLayer, false, dropped.weights);
    expect(relativeDifference(apply(fusedLayer, false, dropped.weights).values, whole.values)).toBeLessThan(2e-6);
    expect(relativeDifference(whole.values, dropped.values)).toBeGreaterThan(0.01);
  }
  const random = layers.fusedLstm({ units: U, dropout: 0.5 });
  const [a, b] = [1, 2].map(() => (random.apply(xs, { training: true }) as tf.Tensor).dataSync());
  expect(a).not.toEqual(b);
});

test("a stateful layer goes on where the batch before ended, until its states are reset", () => {
  const run = (make: typeof tf.layers.lstm, weights?: tf.Tensor[]) => {
    const layer = make({ units: U, stateful: true, batchInputShape: [B, T, C] });
    layer.apply(xs);
    if (weights) layer.setWeights(weights);
    layer.resetStates();
    const outputs = [1, 2].map(() => (layer.apply(xs) as tf.Tensor).dataSync() as Float32Array);
    layer.resetStates();
    return { outputs: [...outputs, (layer.apply(xs) as tf.Tensor).dataSync() as Float32Array], weights: layer.getWeights() };
  };
  const fused = run(layers.fusedLstm);
  const own = run(tf.layers.lstm, fused.weights);
  own.outputs.forEach((values, n) => {
    expect(relativeDifference(fused.outputs[n], values)).toBeLessThan(2e-6);
  });
  expect(fused.outputs[1]).not.toEqual(fused.outputs[0]);
  expect(fused.outputs[2]).toEqual(fused.outputs[0]);
});

test.each([
  [{ activation: "relu" }, "its activation is relu, not tanh"],
  [{ recurrentActivation: "tanh" }, "its recurrentActivation is tanh, neither sigmoid nor hardSigmoid"],
  [{ recurrentDropout: 0.5 }, "it has recurrentDropout"],
] as const)("tfjs' own layer computes %o, and one warning says so", (config, reason) => {
  warnings.length = 0;
  const layer = layers.fusedLstm({ units: U, ...config, name: `own_${reason.length}` });
  const own = tf.layers.lstm({ units: U, ...config });
  own.apply(xs);
  layer.apply(xs);
  layer.setWeights(own.getWeights());
  expect((layer.apply(xs) as tf.Tensor).dataSync()).toEqual((own.apply(xs) as tf.Tensor).dataSync());
  expect(warnings).toEqual([`own_${reason.length}: tfjs' own layer computes, because ${reason}`]);
});

test("resetAfter is refused, as tfjs refuses it", () => {
  expect(() => layers.fusedGru({ units: U, resetAfter: true } as never)).toThrow("does not support reset_after");
});

test("the results are the same bits on one thread and two", () => {
  const one = openNodeLayers(1, () => {});
  const weights = [draw([C, 4 * U]), draw([U, 4 * U]), draw([4 * U])];
  const [a, b] = [one, layers].map(({ fusedLstm }) => {
    const layer = fusedLstm({ units: U, returnSequences: true });
    layer.apply(xs);
    layer.setWeights(weights);
    const { value, grads } = tf.variableGrads(() => (layer.apply(xs) as tf.Tensor).square().sum() as tf.Scalar);
    return [value, ...Object.values(grads)].map((tensor) => tensor.dataSync());
  });
  expect(a).toEqual(b);
  expect([one.device()?.threads, layers.device()?.threads]).toEqual([1, 2]);
});

test("batches of other sizes and steps follow each other, and no tensor stays behind", () => {
  const layer = layers.fusedLstm({ units: U, returnSequences: true });
  const own = tf.layers.lstm({ units: U, returnSequences: true });
  const check = (batch: number, steps: number): void =>
    tf.tidy(() => {
      const x = draw([batch, steps, C]);
      for (const one of [own, layer]) one.apply(x);
      layer.setWeights(own.getWeights());
      const [a, b] = [own, layer].map((one) => (one.apply(x) as tf.Tensor).dataSync() as Float32Array);
      expect(relativeDifference(b, a)).toBeLessThan(2e-6);
    });
  check(3, 4);
  const before = tf.memory().numTensors;
  for (const [batch, steps] of [
    [1, 4],
    [70, 9],
    [2, 1],
    [3, 4],
  ])
    check(batch, steps);
  expect(tf.memory().numTensors).toBe(before);
});

test("fusing twice changes nothing, and layers of other kinds stay as they are", () => {
  const model = tf.sequential({ layers: [tf.layers.simpleRNN({ units: 2, inputShape: [T, C] }), dense()] });
  const calls = model.layers.map((layer) => layer.call);
  expect(layers.fuse(layers.fuse(model))).toBe(model);
  expect(model.layers.map((layer) => layer.call)).toEqual(calls);
  const layer = layers.fusedLstm({ units: 2 });
  const { call } = layer;
  expect(layers.fuse(layer).call).toBe(call);
});
