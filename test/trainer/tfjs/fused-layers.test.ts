// Fused layers against tfjs' own: outputs, states, and the gradients of inputs, weights and initial states, for every way in which a
// layer can be configured; then inside models.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FusedLayers } from "../../../trainer/tfjs/fused-layers.ts";
import { openNodeLayers } from "../../../trainer/tfjs/node.ts";
import { generator, relativeDifference } from "../../fixtures/sequences.ts";

/** Sums of a few hundred products in float32, and tanh and sigmoid by different formulas (3e-7 at most here). */
const TOLERANCE = 5e-6;
const [B, T, C, U] = [13, 7, 3, 6];

let layers: FusedLayers;
beforeAll(async () => {
  await tf.setBackend("cpu");
  layers = openNodeLayers(2);
});
beforeEach(() => void tf.engine().startScope());
afterAll(() => tf.disposeVariables());

const random = generator(11);
const draw = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * random() - 1),
    shape,
  );

type Config = Parameters<typeof tf.layers.lstm>[0];
const PAIRS = {
  lstm: [(config: Config) => tf.layers.lstm(config), (config: Config) => layers.fusedLstm(config)],
  gru: [(config: Config) => tf.layers.gru(config as never), (config: Config) => layers.fusedGru(config as never)],
} as const;
type Kind = keyof typeof PAIRS;

const drawWeights = (kind: Kind, useBias = true): tf.Tensor[] => {
  const columns = (kind === "gru" ? 3 : 4) * U;
  return [draw([C, columns]), draw([U, columns]), ...(useBias ? [draw([columns])] : [])];
};

/** What a layer answers, and the gradients of a weighted sum of all its answers, for inputs and initial states, and for weights. */
function examine(layer: tf.layers.Layer, inputs: tf.Tensor[], weights: tf.Tensor[], kwargs: object, factors: tf.Tensor[]) {
  layer.apply(inputs[0], kwargs);
  layer.setWeights(weights);
  const answer = ([x, ...states]: tf.Tensor[]): tf.Tensor[] =>
    [layer.call(x, { ...kwargs, initialState: states.length > 0 ? states : undefined })].flat();
  const total = (...given: tf.Tensor[]): tf.Scalar => tf.addN(answer(given).map((y, n) => y.mul(factors[n]).sum())) as tf.Scalar;
  const values = (tensors: tf.Tensor[]) => tensors.map((tensor) => tensor.dataSync() as Float32Array);
  return {
    answers: values(answer(inputs)),
    inputs: values(tf.grads(total)(inputs)),
    weights: values(Object.values(tf.variableGrads(() => total(...inputs)).grads)),
  };
}

const CONFIGS: [what: string, config: Partial<Config>, how: { initial?: true; mask?: true }][] = [
  ["the last state", {}, {}],
  ["true sigmoids", { recurrentActivation: "sigmoid" }, {}],
  ["every step", { returnSequences: true }, {}],
  ["last states beside the output", { returnState: true }, {}],
  ["every step and last states", { returnSequences: true, returnState: true, recurrentActivation: "sigmoid" }, {}],
  ["steps backwards", { goBackwards: true }, {}],
  ["every step backwards, with states", { goBackwards: true, returnSequences: true, returnState: true }, {}],
  ["no bias", { useBias: false, recurrentActivation: "sigmoid" }, {}],
  ["states before the first step", { returnSequences: true, returnState: true, recurrentActivation: "sigmoid" }, { initial: true }],
  ["states before the first step, hard gates", {}, { initial: true }],
  ["a mask", { recurrentActivation: "sigmoid" }, { mask: true }],
  ["a mask, every step and last states", { returnSequences: true, returnState: true }, { mask: true }],
  ["a mask, backwards", { goBackwards: true, returnSequences: true, recurrentActivation: "sigmoid" }, { mask: true }],
  ["a mask and states before it", { returnSequences: true, returnState: true }, { mask: true, initial: true }],
];

describe.each(["lstm", "gru"] as const)("%s answers and learns as tfjs' own with", (kind) => {
  test.each(CONFIGS)("%s", (_, config, { initial, mask }) => {
    const states = kind === "lstm" ? 2 : 1;
    const inputs = [draw([B, T, C]), ...(initial ? Array.from({ length: states }, () => draw([B, U])) : [])];
    const weights = drawWeights(kind, config.useBias);
    /** Some sequences whole, some with gaps, one with nothing. */
    const rows = tf.tensor2d(
      Array.from({ length: B }, (_, b) => Array.from({ length: T }, (_, t) => b !== 4 && (b % 3 === 0 || random() < 0.6 || t === T - b))),
      [B, T],
      "bool",
    );
    const kwargs = mask ? { mask: rows } : {};
    const factors = [config.returnSequences ? draw([B, T, U]) : draw([B, U]), draw([B, U]), draw([B, U])];
    const [own, fused] = PAIRS[kind].map((make) => examine(make({ units: U, ...config }), inputs, weights, kwargs, factors));
    expect(fused.answers).toHaveLength(own.answers.length);
    expect(fused.answers).not.toEqual(own.answers); // another computation
    for (const part of ["answers", "inputs", "weights"] as const)
      own[part].forEach((values, n) => {
        expect(relativeDifference(fused[part][n], values), `${part} ${n}`).toBeLessThan(TOLERANCE);
      });
  });
});
