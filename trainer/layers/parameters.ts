// The parameters of a network of layers in one flat buffer: where each lies, how it begins, and the network that serves.
// Legend: C channels, W width of a layer's rows, U units, G gates, K rows of a convolution, P parameters.
import { type Cell, GATES, type Layer, type LayeredNetwork } from "../../shared/networks/layers.ts";
import { logitOf } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";
import { glorotUniform, orthogonal } from "../training/initial-weights.ts";
import { HEAD, type LayerSpec } from "../training/layer-spec.ts";

/** `weight`: decays; `bias`: does not; `statistic`: is measured, not learnt. */
type Role = "weight" | "bias" | "statistic";

/** Part of the flat buffer. */
export interface Part {
  /** `forward.kernel` of layer `layer`, the head's behind all others. */
  readonly layer: number;
  readonly name: string;
  readonly role: Role;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
  begin(random: Random): Float32Array;
}

export interface Layout {
  /** The layers, and the head. */
  readonly layers: readonly LayerSpec[];
  readonly channels: number;
  /** P */
  readonly size: number;
  readonly parts: readonly Part[];
}

type Draft = Pick<Part, "name" | "role" | "shape" | "begin">;

/** Of what batch and layer normalisation divide by, as Keras has it. */
export const EPSILON = 1e-3;

/** Lays the parameters of `layers` and of the head out, of which C channels come in. */
export function layOut(layers: readonly LayerSpec[], channels: number): Layout {
  const all = [...layers, HEAD];
  const parts: Part[] = [];
  let [W, size] = [channels, 0];
  for (const [layer, spec] of all.entries()) {
    for (const draft of draftParts(spec, W)) {
      const end = size + sizeOf(draft.shape);
      parts.push({ ...draft, layer, start: size, end });
      size = end;
    }
    W = widthAfter(spec, W);
  }
  return { layers: all, channels, size, parts };
}

/** The width of what a layer hands on. */
function widthAfter(spec: LayerSpec, W: number): number {
  if (spec.kind === "recurrent") return spec.both ? 2 * spec.units : spec.units;
  return spec.kind === "dense" ? spec.units : spec.kind === "conv" ? spec.filters : W;
}

function draftParts(spec: LayerSpec, W: number): readonly Draft[] {
  switch (spec.kind) {
    case "recurrent":
      return spec.both ? ["forward.", "backward."].flatMap((prefix) => draftCell(spec, W, prefix)) : draftCell(spec, W, "");
    case "dense":
      return [kernel([W, spec.units], W, spec.units), constant("bias", "bias", spec.units, 0)];
    case "conv":
      return [kernel([spec.rows, W, spec.filters], spec.rows * W, spec.rows * spec.filters), constant("bias", "bias", spec.filters, 0)];
    case "batchnorm":
      return [...scales(W), constant("mean", "statistic", W, 0), constant("variance", "statistic", W, 1)];
    case "layernorm":
      return scales(W);
    default:
      return [];
  }
}

function draftCell({ cell, units: U }: Extract<LayerSpec, { kind: "recurrent" }>, W: number, prefix: string): readonly Draft[] {
  const GU = GATES[cell] * U;
  const isForget = (i: number): boolean => cell === "lstm" && i >= U && i < 2 * U; // forget bias 1: Jozefowicz et al. 2015
  return [
    kernel([W, GU], W, GU, prefix),
    { name: `${prefix}recurrent`, role: "weight", shape: [U, GU], begin: (random) => orthogonal(U, GU, random) },
    { name: `${prefix}bias`, role: "bias", shape: [GU], begin: () => Float32Array.from({ length: GU }, (_, i) => Number(isForget(i))) },
  ];
}

function kernel(shape: readonly number[], inputs: number, outputs: number, prefix = ""): Draft {
  const begin = (random: Random): Float32Array => glorotUniform(inputs, outputs, random, sizeOf(shape));
  return { name: `${prefix}kernel`, role: "weight", shape, begin };
}

function constant(name: string, role: Role, size: number, value: number): Draft {
  return { name, role, shape: [size], begin: () => new Float32Array(size).fill(value) };
}

function scales(W: number): Draft[] {
  return [constant("gamma", "bias", W, 1), constant("beta", "bias", W, 0)];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** (P) as Keras begins them; the head's bias at ln(p/(1−p)), so that no epoch is spent on learning the base rate `positiveRate`. */
export function initialParameters({ size, parts }: Layout, positiveRate: number, random: Random): Float32Array {
  const flat = new Float32Array(size);
  for (const part of parts) flat.set(part.begin(random), part.start);
  flat[size - 1] = logitOf(positiveRate);
  return flat;
}

/** A copy of `flat` (P) whose head has weight 0 for everything: whatever the input, its bias is the logit. */
export function zeroHeadOf({ parts }: Layout, flat: Float32Array): Float32Array {
  const { start, end } = parts[parts.length - 2];
  return flat.slice().fill(0, start, end);
}

/** The network whose parameters `flat` (P) holds: what only training needs is gone. */
export function toLayeredNetwork({ layers, channels, parts }: Layout, flat: Float32Array): LayeredNetwork {
  return { channels, layers: layers.flatMap((spec, i) => toLayers(spec, weightsOf(parts, i, flat))) };
}

type Weights = Readonly<Record<string, Float32Array>>;

/** The weights of layer `i` by name, copies. */
function weightsOf(parts: readonly Part[], i: number, flat: Float32Array): Weights {
  return Object.fromEntries(parts.filter(({ layer }) => layer === i).map(({ name, start, end }) => [name, flat.slice(start, end)]));
}

function toLayers(spec: LayerSpec, weights: Weights): Layer[] {
  switch (spec.kind) {
    case "recurrent":
      return [
        spec.both
          ? {
              kind: "bidirectional",
              forward: toCell(spec, weights, "forward."),
              backward: toCell(spec, weights, "backward."),
              merge: "concat",
              returns: spec.returns,
            }
          : { kind: "recurrent", cell: toCell(spec, weights, ""), returns: spec.returns },
      ];
    case "dense":
      return withActivation({ kind: "dense", units: spec.units, kernel: weights.kernel, bias: weights.bias }, spec);
    case "conv": {
      const { filters, rows } = spec;
      const size = { filters, kernelSize: rows, strides: 1, dilationRate: 1, pads: padsOf(rows) };
      return withActivation({ kind: "conv", ...size, kernel: weights.kernel, bias: weights.bias }, spec);
    }
    case "pool":
      return [{ kind: "globalPooling", by: [spec.by] }];
    case "batchnorm":
      return [toAffine(weights)];
    case "layernorm":
      return [{ kind: "layerNormalization", gamma: weights.gamma, beta: weights.beta, epsilon: EPSILON }];
    case "dropout":
      return [];
  }
}

/** Rows of zeros in front and behind, so that a convolution leaves as many rows as come in. */
export function padsOf(rows: number): readonly [front: number, back: number] {
  return [Math.floor((rows - 1) / 2), Math.ceil((rows - 1) / 2)];
}

function withActivation(layer: Layer, { activation }: Extract<LayerSpec, { kind: "dense" | "conv" }>): Layer[] {
  return activation.kind === "linear" ? [layer] : [layer, { kind: "activation", activation }];
}

function toCell({ cell, units }: Extract<LayerSpec, { kind: "recurrent" }>, weights: Weights, prefix: string): Cell {
  const [kernel, recurrent, bias] = ["kernel", "recurrent", "bias"].map((name) => weights[`${prefix}${name}`]);
  return { cell, units, kernel, recurrent, bias };
}

/** With its measured statistics, batch normalisation is a scale and a shift. */
function toAffine({ gamma, beta, mean, variance }: Weights): Layer {
  const scale = gamma.map((value, w) => value / Math.sqrt(variance[w] + EPSILON));
  return { kind: "affine", scale, shift: beta.map((value, w) => value - mean[w] * scale[w]) };
}
