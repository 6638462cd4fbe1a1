// A Keras model from its plan and its weights: the network in our layout, and Keras' own forward pass in float64.
// Definitions: keras.io/api/layers/recurrent_layers/lstm, …/normalization_layers/batch_normalization,
// …/preprocessing_layers/numerical/normalization. Knows no file.
// Legend: T steps, F features, U units.
import type { Network } from "../../../shared/networks/lstm.ts";
import { addFront, type Front, plainFront } from "../contract/front.ts";
import { type ImportedNetwork, MAX_UNITS, sigmoid } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { KerasPlan, Layer } from "./config.ts";

export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** One gate's kernel (F,U), recurrent kernel (U,U) and bias (U). */
interface Gate {
  readonly kernel: Float64Array;
  readonly recurrent: Float64Array;
  readonly bias: Float64Array;
}
type Gates = Readonly<Record<"i" | "f" | "c" | "o", Gate>>;

/** `weightsOf` gives a layer's float arrays in Keras' order. Throws DataError. */
export function buildKeras(
  plan: KerasPlan,
  weightsOf: (layer: Layer) => readonly Weights[],
  format: string,
  source: string,
): ImportedNetwork {
  const { gates, F, U } = readGates(plan.lstm, weightsOf(plan.lstm), source);
  if (plan.features !== null && plan.features !== F)
    rejectFile(source, `takes ${plan.features} features, but its LSTM has weights for ${F}`, "it is damaged: save the model again");
  const [headKernel, headBias] = readDense(plan.dense, weightsOf(plan.dense), U, source);
  const stages = plan.front.map((layer) => readFront(layer, weightsOf(layer), F, source));
  const front = stages.reduce((before: Front, { mean, scale }) => addFront(before, mean, scale), plainFront(F));
  const { hardGates, backwards, isMasked } = plan;
  const network: Network = {
    channels: F,
    units: U,
    kernel: interleave(gates, "kernel", F, U),
    recurrent: interleave(gates, "recurrent", U, U),
    bias: interleave(gates, "bias", 1, U),
    headKernel: Float32Array.from(headKernel),
    headBias: Float32Array.of(headBias),
    ...(hardGates !== null && { hardGates }),
    ...(backwards && { backwards }),
  };
  const names = [...(isMasked ? ["Masking(0)"] : []), ...plan.front.map(({ type }) => type)];
  return {
    format,
    findings: [
      `${[...names, `LSTM(${U})`, "Dense(1, sigmoid)"].join(" → ")} on ${F} features${plan.ignored.length > 0 ? `; ${[...new Set(plan.ignored)].join(", ")} ignored` : ""}`,
      hardGates === null
        ? "gates: sigmoid"
        : `gates: hard_sigmoid, ${hardGates === 0.2 ? "0.2 · x + 0.5, as Keras 1 and 2 have it" : "x / 6 + 0.5, as Keras 3 has it"}`,
      isMasked ? "Masking(0): all-zero rows are passed over (padding: any)" : "no Masking: all-zero rows are data (padding: none)",
      ...(backwards ? ["go_backwards: steps are read from the last to the first"] : []),
      ...plan.findings,
    ],
    timesteps: plan.timesteps,
    padding: isMasked ? "any" : "none",
    front,
    network,
    forward(rows) {
      const T = rows.length / F;
      const order = Array.from({ length: T }, (_, t) => (backwards ? T - 1 - t : t));
      let h: Float64Array = new Float64Array(U);
      let c: Float64Array = new Float64Array(U);
      for (const t of order) {
        let x = rows.subarray(t * F, (t + 1) * F);
        if (isMasked && x.every((value) => value === 0)) continue;
        for (const { apply } of stages) x = apply(x);
        [h, c] = step(gates, hardGates, x, h, c);
      }
      return sigmoid(h.reduce((sum, value, u) => sum + value * headKernel[u], headBias));
    },
  };
}

/** LSTMCell.call: i, f, o by the recurrent activation, the candidate by tanh. */
function step(
  gates: Gates,
  hardGates: number | null,
  x: Float64Array,
  h: Float64Array,
  c: Float64Array,
): [h: Float64Array, c: Float64Array] {
  const U = h.length;
  const recurrent = (z: number): number => (hardGates === null ? sigmoid(z) : Math.max(0, Math.min(1, hardGates * z + 0.5)));
  const z = ({ kernel, recurrent: matrix, bias }: Gate, u: number): number => {
    let sum = bias[u];
    for (let f = 0; f < x.length; f++) sum += x[f] * kernel[f * U + u];
    for (let v = 0; v < U; v++) sum += h[v] * matrix[v * U + u];
    return sum;
  };
  const cell = c.map((before, u) => recurrent(z(gates.f, u)) * before + recurrent(z(gates.i, u)) * Math.tanh(z(gates.c, u)));
  return [h.map((_, u) => recurrent(z(gates.o, u)) * Math.tanh(cell[u])), cell];
}

function readGates({ name, config }: Layer, weights: readonly Weights[], source: string): { gates: Gates; F: number; U: number } {
  const what = `layer ${name} (LSTM)`;
  const U = Number(config.units ?? config.output_dim);
  if (!Number.isInteger(U) || U < 1 || U > MAX_UNITS)
    rejectFile(source, `${what} has ${config.units ?? config.output_dim} units`, `expected 1 to ${MAX_UNITS}`);
  const F = weights[0]?.shape[0] ?? 0;
  const expect = (found: Weights | undefined, shape: number[]): Float64Array => {
    if (found === undefined || JSON.stringify(found.shape) !== JSON.stringify(shape))
      rejectFile(
        source,
        `${what} has weights of shape ${found ? `(${found.shape.join(", ")})` : "none"}, expected (${shape.join(", ")})`,
        "it is damaged, or saved without its weights: save the whole model",
      );
    return found.data;
  };
  if (weights.length === 12) {
    // Keras 1 apart from consume_less="gpu": W, U and b of the gates i, c, f, o
    const gate = (k: number): Gate => ({
      kernel: expect(weights[3 * k], [F, U]),
      recurrent: expect(weights[3 * k + 1], [U, U]),
      bias: expect(weights[3 * k + 2], [U]),
    });
    return { gates: { i: gate(0), c: gate(1), f: gate(2), o: gate(3) }, F, U };
  }
  const kernel = expect(weights[0], [F, 4 * U]);
  const recurrent = expect(weights[1], [U, 4 * U]);
  const bias = config.use_bias === false ? new Float64Array(4 * U) : expect(weights[2], [4 * U]);
  const part = (matrix: Float64Array, k: number): Float64Array => matrix.filter((_, at) => Math.floor((at % (4 * U)) / U) === k);
  const gate = (k: number): Gate => ({ kernel: part(kernel, k), recurrent: part(recurrent, k), bias: part(bias, k) });
  return { gates: { i: gate(0), f: gate(1), c: gate(2), o: gate(3) }, F, U };
}

/** Four (rows,U) → (rows,4U) in gates i,f,c,o. */
function interleave(gates: Gates, key: keyof Gate, rows: number, U: number): Float32Array {
  const out = new Float32Array(rows * 4 * U);
  for (const [k, gate] of [gates.i, gates.f, gates.c, gates.o].entries())
    for (let row = 0; row < rows; row++) for (let u = 0; u < U; u++) out[row * 4 * U + k * U + u] = gate[key][row * U + u];
  return out;
}

function readDense({ name, config }: Layer, weights: readonly Weights[], U: number, source: string): [kernel: Float64Array, bias: number] {
  const hasBias = (config.use_bias ?? config.bias ?? true) !== false;
  const [kernel, bias] = weights;
  if (kernel?.data.length !== U || (hasBias && bias?.data.length !== 1))
    rejectFile(
      source,
      `layer ${name} (Dense) has weights of other shapes than (${U}, 1) and (1)`,
      "it is damaged: save the whole model again",
    );
  return [kernel.data, hasBias ? bias.data[0] : 0];
}

interface Stage {
  /** What the layer computes, as (x − mean) / scale. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  /** As Keras writes it. */
  apply(x: Float64Array): Float64Array;
}

const NORMALIZATION_EPSILON = 1e-7; // keras.backend.epsilon()

function readFront({ type, name, config }: Layer, weights: readonly Weights[], F: number, source: string): Stage {
  const what = `layer ${name} (${type})`;
  const perFeature = (values: ArrayLike<number> | undefined): Float64Array => {
    if (values?.length !== F && values?.length !== 1)
      return rejectFile(source, `${what} has ${values?.length ?? 0} numbers for ${F} features`, "it is damaged: save the model again");
    return Float64Array.from({ length: F }, (_, f) => values[values.length === 1 ? 0 : f]);
  };
  const features = Array.from({ length: F }, (_, f) => f);
  const finish = (mean: readonly number[], scale: readonly number[], apply: Stage["apply"]): Stage => {
    const strange = features.find((f) => !Number.isFinite(mean[f]) || !Number.isFinite(scale[f]) || scale[f] === 0);
    if (strange !== undefined)
      rejectFile(source, `${what} makes a constant of feature ${strange}`, "leave that feature out and train again");
    return { mean, scale, apply };
  };
  if (type === "Rescaling") {
    const scale = perFeature(numbersIn(config.scale));
    const offset = perFeature(numbersIn(config.offset ?? 0));
    return finish(
      features.map((f) => -offset[f] / scale[f]),
      features.map((f) => 1 / scale[f]),
      (x) => x.map((value, f) => value * scale[f] + offset[f]),
    );
  }
  if (type === "Normalization") {
    const isGiven = config.mean !== undefined && config.mean !== null;
    const mean = perFeature(isGiven ? numbersIn(config.mean) : weights[0]?.data);
    const variance = perFeature(isGiven ? numbersIn(config.variance) : weights[1]?.data);
    const deviation = variance.map((value) => Math.max(Math.sqrt(value), NORMALIZATION_EPSILON));
    return finish([...mean], [...deviation], (x) => x.map((value, f) => (value - mean[f]) / deviation[f]));
  }
  const rest = [...weights];
  const gamma = perFeature(config.scale === false ? [1] : rest.shift()?.data);
  const beta = perFeature(config.center === false ? [0] : rest.shift()?.data);
  const [mean, variance] = [perFeature(rest[0]?.data), perFeature(rest[1]?.data)];
  const epsilon = Number(config.epsilon ?? 1e-3);
  const deviation = variance.map((value) => Math.sqrt(value + epsilon));
  return finish(
    features.map((f) => mean[f] - (beta[f] * deviation[f]) / gamma[f]),
    features.map((f) => deviation[f] / gamma[f]),
    (x) => x.map((value, f) => (gamma[f] * (value - mean[f])) / deviation[f] + beta[f]),
  );
}

/** A number, a list, or what Keras wraps an array in: the numbers in it, in order. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  if (typeof value === "object" && value !== null) return numbersIn((value as { config?: { value?: unknown } }).config?.value);
  return [];
}
