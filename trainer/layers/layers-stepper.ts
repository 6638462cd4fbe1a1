// A whole training step of a network of layers: forward and backward in tfjs with the kernel's recurrent layers, then clipping and the
// optimizer. tfjs runs on its backend cpu, on one thread, so that its sums have one order; the kernel's threads change no bit. Knows no
// epochs and no stopping. Legend: N sequences, B of a batch, T steps, C channels, P parameters.
import * as tf from "@tensorflow/tfjs";
import { FitError } from "../../shared/errors.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import type { Device } from "../tfjs/device.ts";
import { createFlatOptimizer } from "../training/flat-optimizer.ts";
import type { FurtherData, Stepper, StepperData, StepperOptions } from "../training/stepper.ts";
import { checkCount, checkData, checkStep } from "../training/stepper-checks.ts";
import { type Batch, createForward, type Forward, type Training } from "./forward.ts";
import { type Layout, layOut } from "./parameters.ts";
import { onCpu } from "./tfjs-cpu.ts";

/** How much of the statistics of batch normalisation is kept of the steps before; Keras' 0.99 needs hundreds of steps. */
const MOMENTUM = 0.9;

/** Throws RangeError where sizes do not fit, or `options` name no layers. `step` throws FitError where a loss or a gradient is not finite. */
export function createLayersStepper(device: Device, given: StepperData, options: StepperOptions): Stepper {
  const { channels: C, layers, maxBatch } = options;
  if (layers === undefined) throw new RangeError("layers must be given");
  checkData(given, options);
  const data = given.further ? joinFurther(given, given.further) : given;
  const layout = layOut(layers.specs, C);
  const forward = createForward(layout, device);
  const optimizer = createFlatOptimizer(decaysOf(layout), options);
  const parameters = new Float32Array(layout.size);
  const gradient = new Float32Array(layout.size);
  const seed = createRandom(layers.seed, STREAMS.dropout).integer(2 ** 32);
  return {
    simdPath: device.simdPath,
    step(indices, learningRate) {
      checkStep(indices, maxBatch);
      const drop = createDrop(seed, optimizer.steps());
      const { loss, statistics } = onCpu(() => computeGradient({ forward, layout, data, options }, indices, parameters, gradient, drop));
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw explain(layout, loss, gradient, optimizer.steps() + 1, learningRate);
      optimizer.update(parameters, gradient, norm, learningRate);
      for (const [start, value] of statistics) for (const [w, x] of value.entries()) mix(parameters, start + w, x);
      return loss;
    },
    logits(indices) {
      const out = new Float32Array(indices.length);
      for (let at = 0; at < indices.length; at += maxBatch) {
        const some = indices.subarray(at, at + maxBatch);
        const read = () => forward.logits(toTensors(layout, parameters), gatherBatch(data, options, some)).dataSync();
        out.set(
          onCpu(() => tf.tidy(read)),
          at,
        );
      }
      return out;
    },
    getParameters: () => parameters.slice(),
    setParameters(given) {
      checkCount("parameters", given, parameters.length);
      parameters.set(given);
    },
    getOptimizer: optimizer.state,
    setOptimizer: optimizer.setState,
    dispose: forward.dispose,
  };
}

/** All sequences in one piece. */
function joinFurther({ channels, lengths, labels }: StepperData, further: FurtherData): StepperData {
  const N = lengths.length;
  const joined = {
    channels: new Float32Array((channels.length / N) * (N + further.count)),
    lengths: new Int32Array(N + further.count),
    labels: new Float32Array(N + further.count),
  };
  joined.channels.set(channels);
  joined.lengths.set(lengths);
  joined.labels.set(labels);
  joined.labels.set(further.labels, N);
  further.fill(joined.channels.subarray(channels.length), joined.lengths.subarray(N));
  return joined;
}

/** (P) 1 for what weight decay shrinks. */
function decaysOf({ size, parts }: Layout): Uint8Array {
  const decays = new Uint8Array(size);
  for (const { role, start, end } of parts) if (role === "weight") decays.fill(1, start, end);
  return decays;
}

function mix(parameters: Float32Array, p: number, measured: number): void {
  parameters[p] = MOMENTUM * parameters[p] + (1 - MOMENTUM) * measured;
}

/** What step `step` drops. */
function createDrop(seed: number, step: number): Training["drop"] {
  const random = createRandom(seed, step);
  return (count, rate) => Float32Array.from({ length: count }, () => (random.uniform() < rate ? 0 : 1 / (1 - rate)));
}

interface StepInput {
  readonly forward: Forward;
  readonly layout: Layout;
  readonly data: StepperData;
  readonly options: StepperOptions;
}

/** Mean loss of the batch, its gradient into `gradient` (P), and the statistics of batch normalisations by where they lie. */
function computeGradient(
  { forward, layout, data, options }: StepInput,
  indices: Int32Array,
  parameters: Float32Array,
  gradient: Float32Array,
  drop: Training["drop"],
): { readonly loss: number; readonly statistics: readonly (readonly [start: number, value: Float32Array])[] } {
  const { parts } = layout;
  return tf.tidy(() => {
    const batch = gatherBatch(data, options, indices);
    const targets = tf.tensor1d(Float32Array.from(indices, (n) => data.labels[n]));
    const statistics: [start: number, value: Float32Array][] = [];
    const onStatistics = (layer: number, mean: tf.Tensor, variance: tf.Tensor): void => {
      for (const { name, start } of parts.filter((part) => part.layer === layer && part.role === "statistic"))
        statistics.push([start, (name === "mean" ? mean : variance).dataSync() as Float32Array]);
    };
    const tensors = toTensors(layout, parameters);
    const isLearnt = parts.map(({ role }) => role !== "statistic");
    const lossOf = (...learnt: tf.Tensor[]): tf.Tensor => {
      let next = 0;
      const all = tensors.map((tensor, i) => (isLearnt[i] ? learnt[next++] : tensor));
      return meanLoss(forward.logits(all, batch, { drop, onStatistics }), targets);
    };
    const { value, grads } = tf.valueAndGrads(lossOf)(tensors.filter((_, i) => isLearnt[i]));
    for (const [k, { start }] of parts.filter((_, i) => isLearnt[i]).entries()) gradient.set(grads[k].dataSync(), start);
    return { loss: value.dataSync()[0], statistics };
  });
}

/** −y·ln p − (1 − y)·ln(1 − p) of logits z, without overflow: max(z, 0) − z·y + ln(1 + e^−|z|). */
function meanLoss(logits: tf.Tensor1D, targets: tf.Tensor1D): tf.Tensor {
  const losses = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return tf.mean(losses);
}

/** One tensor a part. */
function toTensors({ parts }: Layout, flat: Float32Array): tf.Tensor[] {
  return parts.map(({ shape, start, end }) => tf.tensor(flat.slice(start, end), [...shape]));
}

/** The sequences at `indices`. */
function gatherBatch({ channels, lengths }: StepperData, { channels: C, timesteps: T }: StepperOptions, indices: Int32Array): Batch {
  const B = indices.length;
  const own = Int32Array.from(indices, (n) => Math.max(1, lengths[n]));
  const rows = new Float32Array(B * T * C);
  const valid = new Float32Array(B * T);
  for (const [b, n] of indices.entries()) {
    rows.set(channels.subarray(n * T * C, (n * T + lengths[n]) * C), b * T * C);
    valid.fill(1, b * T, b * T + own[b]);
  }
  return { channels: tf.tensor3d(rows, [B, T, C]), valid: tf.tensor2d(valid, [B, T]), lengths: own };
}

function explain({ parts }: Layout, loss: number, gradient: Float32Array, step: number, learningRate: number): FitError {
  const broken = parts.filter(({ start, end }) => gradient.subarray(start, end).some((g) => !Number.isFinite(g)));
  const names = [...new Set(broken.map(({ layer }) => `layer ${layer + 1}`))].join(", ");
  const what = Number.isFinite(loss) ? `the gradient of ${names} is not finite` : `the loss is ${loss}`;
  return new FitError(
    `${what} at optimizer step ${step}: the learning rate is ${learningRate}; standardise the inputs, or take smaller or fewer layers`,
  );
}
