// LSTM → Dense(1) → sigmoid cross-entropy stepped by TensorFlow.js: its ops, its autodiff, its optimizers, its wasm backend.
// Legend: B sequences of a batch, T steps, C channels, U units.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import type { Network } from "../shared/lstm.ts";
import type { Channels } from "../shared/recipe.ts";
import { FitError } from "../shared/errors.ts";
import type { Stepper } from "./fit.ts";
import { flattenNetwork, parameterSizes } from "./network.ts";

/** Gradients longer than this are scaled down to it (Pascanu et al. 2013). */
const CLIP_NORM = 1;
const LOGITS_BATCH = 1000;

export async function createTfjsStepper(data: Channels & { labels: Uint8Array }, network: Network, optimizer: "adam" | "rmsprop"): Promise<Stepper> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend("wasm");
  const { channels: C, units: U } = network;
  const T = data.channels.length / (data.lengths.length * C);
  const kernel = tf.variable(tf.tensor2d(network.kernel, [C, 4 * U]));
  const recurrent = tf.variable(tf.tensor2d(network.recurrent, [U, 4 * U]));
  const bias = tf.variable(tf.tensor1d(network.bias));
  const headKernel = tf.variable(tf.tensor2d(network.headKernel, [U, 1]));
  const headBias = tf.variable(tf.tensor1d(network.headBias));
  const variables = [kernel, recurrent, bias, headKernel, headBias];
  const updater = optimizer === "adam" ? tf.train.adam(1e-3) : tf.train.rmsprop(1e-3, 0.9, 0, 1e-7);

  /** (B) logits; steps run to the longest sequence of the batch, shorter ones keep their last state. */
  const forward = (indices: Int32Array): tf.Tensor1D => {
    const B = indices.length;
    const steps = indices.reduce((longest, n) => Math.max(longest, data.lengths[n]), 1);
    const rows = new Float32Array(steps * B * C); // (steps,B,C)
    const masks = new Float32Array(steps * B); // (steps,B)
    for (let b = 0; b < B; b++) {
      for (let t = 0; t < steps; t++) {
        const from = (indices[b] * T + t) * C;
        rows.set(data.channels.subarray(from, from + C), (t * B + b) * C);
        masks[t * B + b] = t < data.lengths[indices[b]] ? 1 : 0;
      }
    }
    const projected = tf.tensor2d(rows, [steps * B, C]).matMul<tf.Tensor2D>(kernel as tf.Tensor2D).add<tf.Tensor2D>(bias);
    let h = tf.zeros<tf.Rank.R2>([B, U]);
    let c = tf.zeros<tf.Rank.R2>([B, U]);
    for (let t = 0; t < steps; t++) {
      const gates = projected.slice([t * B, 0], [B, 4 * U]).add<tf.Tensor2D>(h.matMul(recurrent as tf.Tensor2D));
      const [i, f, g, o] = tf.split(gates, 4, 1);
      const cNext = f.sigmoid().mul(c).add<tf.Tensor2D>(i.sigmoid().mul(g.tanh()));
      const hNext = o.sigmoid().mul<tf.Tensor2D>(cNext.tanh());
      const mask = tf.tensor2d(masks.subarray(t * B, (t + 1) * B), [B, 1]);
      h = h.add<tf.Tensor2D>(hNext.sub(h).mul(mask));
      c = c.add<tf.Tensor2D>(cNext.sub(c).mul(mask));
    }
    return h.matMul(headKernel as tf.Tensor2D).add(headBias).reshape([B]);
  };

  return {
    step(indices, learningRate) {
      (updater as unknown as { learningRate: number }).learningRate = learningRate;
      const targets = Float32Array.from(indices, (n) => data.labels[n]);
      return tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => tf.losses.sigmoidCrossEntropy<tf.Scalar>(tf.tensor1d(targets), forward(indices)));
        const loss = value.dataSync()[0];
        const names = Object.keys(grads);
        const norm = Math.sqrt(names.reduce((sum, name) => sum + grads[name].square().sum().dataSync()[0], 0));
        if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw new FitError(`the loss is ${loss} and its gradient's norm ${norm} at learning rate ${learningRate}`);
        const scale = norm > CLIP_NORM ? CLIP_NORM / norm : 1;
        updater.applyGradients(names.map((name) => ({ name, tensor: grads[name].mul(scale) })));
        return loss;
      });
    },
    logits(indices) {
      const out = new Float32Array(indices.length);
      for (let at = 0; at < indices.length; at += LOGITS_BATCH)
        out.set(tf.tidy(() => forward(indices.subarray(at, at + LOGITS_BATCH)).dataSync()) as Float32Array, at);
      return out;
    },
    getParameters: () => flattenNetwork({ channels: C, units: U, kernel: read(kernel), recurrent: read(recurrent), bias: read(bias), headKernel: read(headKernel), headBias: read(headBias) }),
    setParameters(parameters) {
      let at = 0;
      parameterSizes(C, U).forEach((size, k) => {
        const variable = variables[k];
        variable.assign(tf.tensor(parameters.slice(at, at + size), variable.shape));
        at += size;
      });
    },
    dispose() {
      tf.dispose(variables);
      updater.dispose();
    },
  };
}

function read(variable: tf.Variable): Float32Array {
  return Float32Array.from(variable.dataSync());
}
