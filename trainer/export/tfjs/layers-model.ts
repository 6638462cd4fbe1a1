// A member as a LayersModel of tfjs, model.json and weights.bin, as tf.loadLayersModel reads them. Legend: T steps, C channels, U units.
import { ArtifactError } from "../../../shared/errors.ts";
import type { LinearClassifier } from "../../../shared/linear.ts";
import type { LayeredNetwork } from "../../../shared/networks/layers.ts";
import type { Calibration, Network } from "../../../shared/networks/lstm.ts";
import { VERSION } from "../../../shared/version.ts";
import { type LayerText, TFJS_HARD_SLOPE } from "./layer-text.ts";
import { listLayers } from "./network-layers.ts";

export interface LayersModelFiles {
  readonly "model.json": Uint8Array;
  readonly "weights.bin": Uint8Array;
}

/**
 * The mean of the networks' logits, calibrated, as a probability: (N,T,C) channels in, rows of `maskValue` passed over, (N,1) out. Throws
 * ArtifactError where tfjs has no such LSTM.
 */
export function encodeNetworks(
  networks: readonly Network[],
  { slope, intercept }: Calibration,
  timesteps: number,
  maskValue: number,
): LayersModelFiles {
  const isOne = networks.length === 1;
  const heads = networks.map((_, k) => (isOne ? "probability" : `logit_${k}`));
  const own = networks.flatMap((network, k) => [
    lstmLayer(network, isOne ? "lstm" : `lstm_${k}`),
    denseLayer(network, heads[k], isOne ? "lstm" : `lstm_${k}`, isOne ? { slope, intercept } : { slope: 1, intercept: 0 }, isOne),
  ]);
  return encode([
    ...inputLayers(networks[0].channels, timesteps, maskValue),
    ...own,
    ...(isOne ? [] : meanLayers(heads, { slope, intercept })),
  ]);
}

/**
 * The same of networks of layers. `isFixed`: every sequence has all rows, so that nothing is passed over. Throws ArtifactError, which names the
 * layer that tfjs cannot hold.
 */
export function encodeLayers(
  networks: readonly LayeredNetwork[],
  calibration: Calibration,
  timesteps: number,
  maskValue: number,
  isFixed: boolean,
): LayersModelFiles {
  const inputs = inputLayers(networks[0].channels, timesteps, maskValue).slice(0, isFixed ? 1 : 2);
  const from = inputs[inputs.length - 1].name;
  const rows = isFixed ? timesteps : undefined;
  const chains = networks.map((network, k) => listLayers(network, { prefix: networks.length === 1 ? "" : `network${k}_`, from, rows }));
  const heads = chains.map((chain) => chain[chain.length - 1].name);
  return encode([...inputs, ...chains.flat(), ...meanLayers(heads, calibration)]);
}

function inputLayers(channels: number, timesteps: number, maskValue: number): LayerText[] {
  const config = { batch_input_shape: [null, timesteps, channels], dtype: "float32", sparse: false };
  return [
    { name: "channels", className: "InputLayer", config, from: [] },
    { name: "masking", className: "Masking", config: { mask_value: maskValue }, from: ["channels"] },
  ];
}

/** The mean of the logits that `heads` give, calibrated, as a probability. */
function meanLayers(heads: readonly string[], { slope, intercept }: Calibration): LayerText[] {
  const last: LayerText = {
    name: "probability",
    className: "Dense",
    config: { units: 1, activation: "sigmoid", use_bias: true },
    from: heads.length === 1 ? heads : ["mean"],
    weights: [
      { name: "kernel", shape: [1, 1], data: Float32Array.of(slope) },
      { name: "bias", shape: [1], data: Float32Array.of(intercept) },
    ],
  };
  return heads.length === 1 ? [last] : [{ name: "mean", className: "Average", config: {}, from: heads }, last];
}

/** The linear member's probability: (N,W) standardised columns in, (N,1) out. */
export function encodeLinear({ weights, intercept }: LinearClassifier): LayersModelFiles {
  const W = weights.length;
  return encode([
    { name: "columns", className: "InputLayer", config: { batch_input_shape: [null, W], dtype: "float32", sparse: false }, from: [] },
    {
      name: "probability",
      className: "Dense",
      config: { units: 1, activation: "sigmoid", use_bias: true },
      from: ["columns"],
      weights: [
        { name: "kernel", shape: [W, 1], data: Float32Array.from(weights) },
        { name: "bias", shape: [1], data: Float32Array.of(intercept) },
      ],
    },
  ]);
}

function lstmLayer(network: Network, name: string): LayerText {
  const { channels: C, units: U, kernel, recurrent, bias, hardGates, backwards, initial } = network;
  if (initial) throw new ArtifactError("has a state before the first step: tfjs' LSTM layer cannot hold a state; export with --onnx");
  // Another slope of hard gates is tfjs' slope on weights that are larger or smaller.
  const factor = hardGates === undefined ? 1 : hardGates / TFJS_HARD_SLOPE;
  const scale = (values: Float32Array): Float32Array =>
    factor === 1 ? values : values.map((value, i) => (Math.floor((i % (4 * U)) / U) === 2 ? value : value * factor));
  return {
    name,
    className: "LSTM",
    config: {
      units: U,
      activation: "tanh",
      recurrent_activation: hardGates === undefined ? "sigmoid" : "hard_sigmoid",
      use_bias: true,
      unit_forget_bias: true,
      return_sequences: false,
      return_state: false,
      go_backwards: backwards === true,
      stateful: false,
      unroll: false,
    },
    from: ["masking"],
    weights: [
      { name: "kernel", shape: [C, 4 * U], data: scale(kernel) },
      { name: "recurrent_kernel", shape: [U, 4 * U], data: scale(recurrent) },
      { name: "bias", shape: [4 * U], data: scale(bias) },
    ],
  };
}

/** The head, its calibration folded into its weights in float64. */
function denseLayer(
  { units: U, headKernel, headBias }: Network,
  name: string,
  from: string,
  { slope, intercept }: Calibration,
  isProbability: boolean,
): LayerText {
  return {
    name,
    className: "Dense",
    config: { units: 1, activation: isProbability ? "sigmoid" : "linear", use_bias: true },
    from: [from],
    weights: [
      { name: "kernel", shape: [U, 1], data: headKernel.map((weight) => weight * slope) },
      { name: "bias", shape: [1], data: Float32Array.of(headBias[0] * slope + intercept) },
    ],
  };
}

/** tfjs' own format: https://www.tensorflow.org/js/guide/save_load, as tfjs 4.22 writes it. */
function encode(layers: readonly LayerText[]): LayersModelFiles {
  const weights = layers.flatMap(({ name, weights = [] }) => weights.map((weight) => ({ ...weight, name: `${name}/${weight.name}` })));
  const text = {
    format: "layers-model",
    generatedBy: `quickstep ${VERSION}`,
    convertedBy: null,
    modelTopology: {
      keras_version: "tfjs-layers 4.22.0",
      backend: "tensor_flow.js",
      model_config: {
        class_name: "Model",
        config: {
          name: "quickstep",
          layers: layers.map(({ name, className, config, from }) => ({
            name,
            class_name: className,
            config: { name, ...config },
            inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
          })),
          input_layers: [[layers[0].name, 0, 0]],
          output_layers: [[layers[layers.length - 1].name, 0, 0]],
        },
      },
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: weights.map(({ name, shape }) => ({ name, shape, dtype: "float32" as const })) }],
  };
  const data = new Float32Array(weights.reduce((sum, weight) => sum + weight.data.length, 0));
  let at = 0;
  for (const weight of weights) {
    data.set(weight.data, at);
    at += weight.data.length;
  }
  return { "model.json": new TextEncoder().encode(JSON.stringify(text)), "weights.bin": new Uint8Array(data.buffer) };
}
