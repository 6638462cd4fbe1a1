// Layers as importers find them, in float64, on their way to a network: merged where layers say one thing together, then rounded once
// to float32. Knows no format.
// Legend: F features, W width, U units, K kernel size.
import { MAX_POOLS } from "../../../shared/artifact/layer-texts.ts";
import { type Layer, type LayeredNetwork, widthAfter } from "../../../shared/networks/layers.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import { plainNetwork } from "../../../shared/networks/plain-network.ts";

type Widened<T> = T extends Float32Array ? Float64Array : T extends object ? { readonly [K in keyof T]: Widened<T[K]> } : T;

/** A layer with its weights in float64. An affine layer is (x − mean) / scale, as scaling is in front of a network. */
export type DraftLayer =
  | Widened<Exclude<Layer, { kind: "affine" | "branches" }>>
  | { readonly kind: "affine"; readonly mean: Float64Array; readonly scale: Float64Array }
  | {
      readonly kind: "branches";
      readonly branches: readonly (readonly DraftLayer[])[];
      readonly merge: Extract<Layer, { kind: "branches" }>["merge"];
    }
  /** Over each row; only as the last layer, of two numbers. */
  | { readonly kind: "softmax" };

/** The cell of a recurrent layer. */
export type DraftCell = Extract<DraftLayer, { kind: "recurrent" }>["cell"];

type Dense = Extract<DraftLayer, { kind: "dense" }>;
type Affine = Extract<DraftLayer, { kind: "affine" }>;

/** The network of `layers`, which take F channels and leave one logit: LSTM → Dense(1) as the network that it is, all else as layers. */
export function settleLayers(layers: readonly DraftLayer[], F: number): Network | LayeredNetwork {
  const network = { channels: F, layers: mergeLayers(layers).map(narrowLayer) };
  return plainNetwork(network) ?? network;
}

/** The width that layers leave of rows of width W. */
export function widthBehind(layers: readonly DraftLayer[], W: number): number {
  return layers.reduce((width, layer) => (layer.kind === "softmax" ? width : widthAfter(layer as Layer, width)), W);
}

/** The layer that divides each number of rows of that width by `divisor`. */
export function dividedBy(divisor: number, width: number): DraftLayer {
  return { kind: "affine", mean: new Float64Array(width), scale: new Float64Array(width).fill(divisor) };
}

/** Layers that leave a logit, and the numbers that the model answers for a sequence. */
export interface LogitLayers {
  readonly layers: readonly DraftLayer[];
  readonly classes: 1 | 2;
}

/**
 * The layers that leave the logit of label 1, of layers that leave a probability: a sigmoid of one number or a softmax of two, whose second
 * is the probability of label 1; or of layers that leave the logit itself, where `isLogit` says so. A text says what they leave instead.
 */
export function logitOf(layers: readonly DraftLayer[], F: number, isLogit: boolean): LogitLayers | string {
  const merged = mergeLayers(layers);
  if (hasSoftmax(merged.slice(0, -1))) return "has a softmax that is not its last layer";
  const width = widthBehind(merged, F);
  const last = merged.at(-1);
  const isActivated = last?.kind === "softmax" || (last?.kind === "activation" && last.activation.kind === "sigmoid");
  const head = merged.at(isActivated ? -2 : -1);
  if (isLogit) return !isActivated && width === 1 ? { layers: merged, classes: 1 } : `ends in ${nameEnd(last, width)}, not in one logit`;
  if (last?.kind === "softmax" && width === 2 && head?.kind === "dense")
    return { layers: [...merged.slice(0, -2), logitOfTwo(head)], classes: 2 };
  if (isActivated && last?.kind === "activation" && width === 1) return { layers: merged.slice(0, -1), classes: 1 };
  return `ends in ${nameEnd(last, width)}`;
}

function hasSoftmax(layers: readonly DraftLayer[]): boolean {
  return layers.some((layer) => layer.kind === "softmax" || (layer.kind === "branches" && layer.branches.some(hasSoftmax)));
}

function nameEnd(last: DraftLayer | undefined, width: number): string {
  const numbers = width === 1 ? "one number" : `${width} numbers`;
  if (last?.kind === "softmax") return `a softmax of ${numbers}`;
  return last?.kind === "activation" ? `${last.activation.kind} of ${numbers}` : `${numbers} without an activation`;
}

/** Fewer layers that compute the same: what is linear joins the dense layer beside it, and what turns steps around joins what reads them. */
export function mergeLayers(layers: readonly DraftLayer[]): DraftLayer[] {
  const out: DraftLayer[] = [];
  for (const layer of layers) append(out, layer.kind === "branches" ? mergeBranches(layer) : layer);
  return out;
}

/** Layers that take each row alone: a row may be chosen in front of them as well as behind. */
const ROWWISE: ReadonlySet<DraftLayer["kind"]> = new Set(["dense", "activation", "affine", "layerNormalization", "softmax"]);

/** Branches with fewer layers; those that all are poolings over rows are one layer. */
function mergeBranches(layer: Extract<DraftLayer, { kind: "branches" }>): DraftLayer {
  const branches = layer.branches.map(mergeLayers);
  const by = branches.flatMap(([pool, ...more]) => (pool?.kind === "globalPooling" && more.length === 0 ? [pool.by] : []));
  if (layer.merge === "concat" && by.length === branches.length && by.flat().length <= MAX_POOLS)
    return { kind: "globalPooling", by: by.flat() };
  return { ...layer, branches };
}

function append(out: DraftLayer[], layer: DraftLayer): void {
  if (layer.kind === "activation" && layer.activation.kind === "linear") return;
  if (layer.kind === "affine" && layer.mean.every((value) => value === 0) && layer.scale.every((value) => value === 1)) return;
  const before = out.at(-1);
  if (before === undefined) return void out.push(layer);
  const isChoice = layer.kind === "globalPooling" && layer.by.length === 1 && (layer.by[0] === "first" || layer.by[0] === "last");
  const joined = isChoice && ROWWISE.has(before.kind) ? [layer, before] : joinLayers(before, layer);
  if (joined === undefined) return void out.push(layer);
  out.pop();
  for (const one of joined) append(out, one);
}

/** What two neighbours come to; undefined where they stay two. */
function joinLayers(before: DraftLayer, layer: DraftLayer): DraftLayer[] | undefined {
  if (before.kind === "dense" && layer.kind === "affine") return [denseThenAffine(before, layer)];
  if (before.kind === "conv" && layer.kind === "affine") {
    const { kernel, bias, filters } = before;
    const { mean, scale } = layer;
    return [
      { ...before, kernel: kernel.map((weight, at) => weight / scale[at % filters]), bias: bias.map((b, u) => (b - mean[u]) / scale[u]) },
    ];
  }
  if (before.kind === "affine" && layer.kind === "dense") return [affineThenDense(before, layer)];
  if (before.kind === "reverse" && layer.kind === "reverse") return [];
  if (before.kind === "reverse" && layer.kind === "recurrent") return turnAround(layer);
  if (layer.kind !== "globalPooling") return undefined;
  if (before.kind === "reverse") {
    const by = layer.by.map((pool) => (pool === "last" ? "first" : pool === "first" ? "last" : pool));
    return [{ ...layer, by }];
  }
  if (before.kind === "recurrent" && before.returns === "sequence" && layer.by.length === 1)
    return layer.by[0] === (before.backwards ? "first" : "last") ? [{ ...before, returns: "state" }] : undefined;
  return undefined;
}

/** Steps that come turned around are read from the other end. */
function turnAround({ backwards, ...layer }: Extract<DraftLayer, { kind: "recurrent" }>): DraftLayer[] {
  const turned: DraftLayer = { ...layer, ...(!backwards && { backwards: true }) };
  return layer.returns === "sequence" ? [turned, { kind: "reverse" }] : [turned];
}

function denseThenAffine({ units, kernel, bias, ...dense }: Dense, { mean, scale }: Affine): Dense {
  return {
    ...dense,
    units,
    kernel: kernel.map((weight, at) => weight / scale[at % units]),
    bias: bias.map((b, u) => (b - mean[u]) / scale[u]),
  };
}

function affineThenDense({ mean, scale }: Affine, { units, kernel, bias, ...dense }: Dense): Dense {
  const scaled = kernel.map((weight, at) => weight / scale[Math.floor(at / units)]);
  return { ...dense, units, kernel: scaled, bias: bias.map((b, u) => b - mean.reduce((sum, m, w) => sum + scaled[w * units + u] * m, 0)) };
}

/** The dense layer whose one number is the second of two less the first: the logit of label 1 behind a softmax. */
export function logitOfTwo({ kernel, bias, ...dense }: Dense): Dense {
  const W = kernel.length / 2;
  const weights = Float64Array.from({ length: W }, (_, w) => kernel[2 * w + 1] - kernel[2 * w]);
  return { ...dense, units: 1, kernel: weights, bias: Float64Array.of(bias[1] - bias[0]) };
}

function narrowLayer(layer: DraftLayer): Layer {
  if (layer.kind === "softmax") throw new RangeError("a softmax that is not the last layer");
  if (layer.kind === "branches") return { ...layer, branches: layer.branches.map((branch) => branch.map(narrowLayer)) };
  if (layer.kind !== "affine") return narrow(layer) as Layer;
  const { mean, scale } = layer;
  return { kind: "affine", scale: Float32Array.from(scale, (s) => 1 / s), shift: Float32Array.from(mean, (m, w) => -m / scale[w]) };
}

/** Every array in `value` as float32. */
function narrow(value: unknown): unknown {
  if (value instanceof Float64Array) return Float32Array.from(value);
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, narrow(part)]));
}
