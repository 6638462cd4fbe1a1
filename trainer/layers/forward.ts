// A network of layers as operations of tfjs, differentiable in its parameters; LSTM and GRU are computed by the training kernel. Rows behind
// a sequence's last count nowhere. Legend: B sequences of a batch, T steps, W width, U units, K rows of a convolution.
import * as tf from "@tensorflow/tfjs";
import type { Activation } from "../../shared/networks/activation.ts";
import type { Device } from "../tfjs/device.ts";
import { KernelLayer, type RecurrentOptions } from "../tfjs/recurrent.ts";
import { applyRecurrent } from "../tfjs/recurrent-op.ts";
import type { LayerSpec } from "../training/layer-spec.ts";
import { EPSILON, type Layout, padsOf } from "./parameters.ts";
import { runSimple } from "./simple-cell.ts";

/** What training does and serving does not. */
export interface Training {
  /** (count) 0 for a number that is dropped, 1 / (1 − rate) for the others. */
  drop(count: number, rate: number): Float32Array;
  /** Hears the mean and the variance, (W) each, of what came into batch normalisation `layer`. */
  onStatistics(layer: number, mean: tf.Tensor, variance: tf.Tensor): void;
}

export interface Batch {
  /** (B,T,C) */
  readonly channels: tf.Tensor3D;
  /** (B,T) 1 for a valid row, else 0. */
  readonly valid: tf.Tensor2D;
  /** (B) */
  readonly lengths: Int32Array;
}

export interface Forward {
  /** (B) logits; `parameters` are one tensor a part, in the layout's order. */
  logits(parameters: readonly tf.Tensor[], batch: Batch, training?: Training): tf.Tensor1D;
  /** Gives the kernel's memory back. */
  dispose(): void;
}

/** What one layer looks at. */
interface Context {
  /** Its number, and its parts by name. */
  readonly layer: number;
  readonly weights: Readonly<Record<string, tf.Tensor>>;
  readonly batch: Batch;
  /** Whether every row is valid, so that nothing is to be passed over. */
  readonly isFull: boolean;
  readonly training: Training | undefined;
  /** One for each direction of a recurrent layer that the kernel computes. */
  readonly kernels: readonly FusedCell[];
}

interface FusedCell {
  readonly options: RecurrentOptions;
  readonly kernel: KernelLayer;
}

/** The network of `layout` on `device`. */
export function createForward({ layers, parts }: Layout, device: Device): Forward {
  const kernels = layers.map((spec) => openKernels(spec, device));
  return {
    logits(parameters, batch, training) {
      const T = batch.channels.shape[1];
      const isFull = batch.lengths.every((length) => length === T);
      let x: tf.Tensor = batch.channels;
      for (const [layer, spec] of layers.entries()) {
        const own = parts.flatMap((part, i) => (part.layer === layer ? [[part.name, parameters[i]] as const] : []));
        x = runLayer(spec, x, { layer, weights: Object.fromEntries(own), batch, isFull, training, kernels: kernels[layer] });
      }
      return x.reshape([x.shape[0]]);
    },
    dispose() {
      for (const { kernel } of kernels.flat()) kernel.dispose();
    },
  };
}

function openKernels(spec: LayerSpec, device: Device): FusedCell[] {
  if (spec.kind !== "recurrent" || spec.cell === "rnn") return [];
  const { cell, units, returns, both } = spec;
  return (both ? [false, true] : [false]).map((backwards) => {
    const options = { cell, units, hardGates: false, sequences: returns === "sequence", backwards };
    return { options, kernel: new KernelLayer(device, options) };
  });
}

/** (B,T,W) or (B,W) in and out. */
function runLayer(spec: LayerSpec, x: tf.Tensor, context: Context): tf.Tensor {
  switch (spec.kind) {
    case "recurrent":
      return runRecurrent(spec, x, context);
    case "dense":
      return activate(spec.activation, runDense(x, context.weights.kernel, context.weights.bias));
    case "conv":
      return activate(spec.activation, runConv(spec.rows, x, context));
    case "pool":
      return runPool(spec.by, x, context);
    case "dropout":
      return context.training ? tf.mul(x, tf.tensor(context.training.drop(x.size, spec.rate), x.shape)) : x;
    case "batchnorm":
      return runBatchNorm(x, context);
    case "layernorm": {
      const { mean, variance } = tf.moments(x, -1, true);
      return scale(x, mean, variance, context.weights);
    }
  }
}

function runRecurrent(
  { cell, both, returns, units }: Extract<LayerSpec, { kind: "recurrent" }>,
  x: tf.Tensor,
  context: Context,
): tf.Tensor {
  const { weights, batch, isFull, kernels } = context;
  const mask = isFull ? undefined : batch.valid;
  const directions = (both ? ["forward.", "backward."] : [""]).map((prefix, k) => {
    const [kernel, recurrent, bias] = ["kernel", "recurrent", "bias"].map((name) => weights[`${prefix}${name}`]);
    const backwards = k === 1;
    if (cell === "rnn") return runSimple({ x: x as tf.Tensor3D, valid: mask, kernel, recurrent, bias, units, backwards, returns });
    const { output } = applyRecurrent(kernels[k].kernel, kernels[k].options, { x, mask, kernel, recurrent, bias }, false);
    return backwards && returns === "sequence" ? tf.reverse(output, 1) : output;
  });
  return both ? tf.concat(directions, -1) : directions[0];
}

/** One row, or each row of a sequence. */
function runDense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const W = x.shape[x.rank - 1];
  const rows = tf.add(tf.matMul(x.reshape([-1, W]), kernel), bias);
  return x.rank === 2 ? rows : rows.reshape([...x.shape.slice(0, -1), bias.size]);
}

/** Each row's window side by side, times the kernel (K,W,filters). Invalid rows are zeros, as those in front and behind are. */
function runConv(K: number, x: tf.Tensor, { weights, batch, isFull }: Context): tf.Tensor {
  const [B, T, W] = x.shape;
  const rows = isFull ? x : tf.mul(x, batch.valid.expandDims(2));
  const padded = tf.pad(rows, [[0, 0], [...padsOf(K)], [0, 0]]);
  const windows = Array.from({ length: K }, (_, k) => tf.slice(padded, [0, k, 0], [B, T, W]));
  return runDense(K === 1 ? rows : tf.concat(windows, 2), weights.kernel.reshape([K * W, -1]), weights.bias);
}

/** Far below any number that comes in, and what is added to it vanishes. */
const NOWHERE = 1e30;

function runPool(by: "mean" | "max" | "last", x: tf.Tensor, { batch: { valid, lengths } }: Context): tf.Tensor {
  const T = x.shape[1]!;
  if (by === "max") return tf.max(tf.add(x, valid.sub(1).mul(NOWHERE).expandDims(2)), 1);
  const weights = new Float32Array(lengths.length * T);
  for (const [b, length] of lengths.entries()) {
    if (by === "last") weights[b * T + length - 1] = 1;
    else weights.fill(1 / length, b * T, b * T + length);
  }
  return tf.sum(tf.mul(x, tf.tensor3d(weights, [lengths.length, T, 1])), 1);
}

/** Over all valid rows of the batch in training; else with what was measured then. */
function runBatchNorm(x: tf.Tensor, { layer, weights, batch, training }: Context): tf.Tensor {
  if (training === undefined) return scale(x, weights.mean, weights.variance, weights);
  const W = x.shape[x.rank - 1];
  const rows = x.reshape([-1, W]);
  const counted = x.rank === 3 ? batch.valid.reshape([-1, 1]) : tf.ones([rows.shape[0], 1]);
  const count = tf.sum(counted);
  const mean = tf.div(tf.sum(tf.mul(rows, counted), 0), count);
  const variance = tf.div(tf.sum(tf.mul(tf.square(tf.sub(rows, mean)), counted), 0), count);
  training.onStatistics(layer, mean, variance);
  return scale(x, mean, variance, weights);
}

function scale(x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, { gamma, beta }: Context["weights"]): tf.Tensor {
  const standardised = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, EPSILON)));
  return tf.add(tf.mul(standardised, gamma), beta);
}

function activate({ kind }: Activation, x: tf.Tensor): tf.Tensor {
  switch (kind) {
    case "relu":
      return tf.relu(x);
    case "elu":
      return tf.elu(x);
    case "selu":
      return tf.selu(x);
    case "silu":
      return tf.mul(x, tf.sigmoid(x));
    case "tanh":
      return tf.tanh(x);
    case "sigmoid":
      return tf.sigmoid(x);
    case "softplus":
      return tf.softplus(x);
    case "softsign":
      return tf.div(x, tf.add(tf.abs(x), 1));
    default:
      return x;
  }
}
