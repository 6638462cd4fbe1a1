// Keras' layers that look at several steps at once: Conv1D, pooling over windows and over all steps, Flatten
// (keras.io/api/layers/convolution_layers, …/pooling_layers, …/reshaping_layers/flatten).
// Legend: T steps, W width, K kernel size.
import { rowsAfter } from "../../../shared/networks/layers.ts";
import { turnConvKernel } from "../contract/conv-kernel.ts";
import type { DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { readActivation, runActivation } from "./activations.ts";
import { layersOf } from "./dense.ts";
import {
  type BuiltLayer,
  describeLayer,
  dropMask,
  expectShape,
  type Layer,
  type PlanDraft,
  type PlannedLayer,
  requireSequence,
  type Signal,
  sizeIn,
  type Weights,
} from "./layer.ts";

/** Windows of `size` steps, `dilation` apart, every `strides`. */
interface Windows {
  readonly size: number;
  readonly strides: number;
  readonly dilation: number;
  readonly padding: string;
}

/** Far above any kernel, stride or pool. */
const MAX_WINDOW = 512;

function windowsOf(layer: Layer, source: string): Windows {
  const { config } = layer;
  const isConv = layer.type === "Conv1D";
  const size = sizeIn(layer, isConv ? "kernel_size" : "pool_size", MAX_WINDOW, source);
  const sizeOr = (key: string, missing: number): number =>
    sizeIn({ ...layer, config: { [key]: config[key] ?? missing } }, key, MAX_WINDOW, source);
  const strides = sizeOr("strides", isConv ? 1 : size);
  const dilation = isConv ? sizeOr("dilation_rate", 1) : 1;
  const padding = String(config.padding ?? "valid");
  if (!["valid", "same", ...(isConv ? ["causal"] : [])].includes(padding))
    rejectFile(source, `${describeLayer(layer)} has the padding ${padding}`, `quickstep knows valid, same and causal; ${SECOND_ENGINE}`);
  requireChannelsLast(layer, source);
  return { size, strides, dilation, padding };
}

/** Throws DataError where the layer takes steps for columns, and columns for steps. */
function requireChannelsLast(layer: Layer, source: string): void {
  if ((layer.config.data_format ?? "channels_last") !== "channels_last")
    rejectFile(source, `${describeLayer(layer)} has channels first`, "save a model with data_format=channels_last");
}

/** Rows of zeros in front and behind, as TensorFlow places them. Throws DataError where they depend on a number of steps that the file leaves open. */
function padsOf(
  layer: Layer,
  { size, strides, dilation, padding }: Windows,
  steps: number | null,
  source: string,
): readonly [number, number] {
  const span = (size - 1) * dilation;
  if (padding === "valid") return [0, 0];
  if (padding === "causal") return [span, 0];
  if (strides === 1) return [Math.floor(span / 2), Math.ceil(span / 2)];
  if (steps === null)
    return rejectFile(
      source,
      `${describeLayer(layer)} pads to the same length in strides of ${strides}`,
      "save a model with a fixed number of steps",
    );
  const total = Math.max((Math.ceil(steps / strides) - 1) * strides + span + 1 - steps, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Adds Conv1D or a pooling over windows to the draft. Throws DataError naming a setting that quickstep cannot compute. */
export function planWindows(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  const windows = windowsOf(layer, source);
  const pads = padsOf(layer, windows, draft.steps, source);
  if (layer.type === "Conv1D") {
    sizeIn(layer, "filters", MAX_UNITS, source);
    readActivation(layer.config.activation, layer, draft.major, source);
    if ((layer.config.groups ?? 1) !== 1)
      rejectFile(source, `${describeLayer(layer)} has ${layer.config.groups} groups`, `quickstep knows one group; ${SECOND_ENGINE}`);
  }
  dropMask(draft, layer, source);
  if (draft.steps === null) return;
  const { size: poolSize, strides, dilation } = windows;
  draft.steps = rowsAfter({ kind: "pooling", by: "max", poolSize: (poolSize - 1) * dilation + 1, strides, pads }, draft.steps);
  if (draft.steps < 1)
    rejectFile(source, `${describeLayer(layer)} is given fewer steps than its window`, "the config is damaged: save the model again");
}

/** Conv1D with its weights. Throws DataError where they do not fit. */
export function buildConv({ layer, major, steps }: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const windows = windowsOf(layer, source);
  const { size: K, strides, dilation } = windows;
  const filters = sizeIn(layer, "filters", MAX_UNITS, source);
  const pads = padsOf(layer, windows, steps, source);
  const activation = readActivation(layer.config.activation, layer, major, source);
  const kernel = expectShape(layer, withoutKeras1Axis(weights[0], K, filters), [K, W, filters], source);
  const bias = layer.config.use_bias === false ? new Float64Array(filters) : expectShape(layer, weights[1], [filters], source);
  const convolve = (rows: readonly (Float64Array | null)[]): Float64Array =>
    bias.map((b, u) => {
      let sum = b;
      for (const [k, row] of rows.entries()) if (row) for (let w = 0; w < W; w++) sum += row[w] * kernel[(k * W + w) * filters + u];
      return sum;
    });
  return {
    layers: [{ kind: "conv", filters, kernelSize: K, strides, dilationRate: dilation, pads, kernel, bias }, ...layersOf(activation)],
    run: ({ rows }) => ({ rows: slide(rows, windows, pads).map((window) => runActivation(activation, convolve(window))), mask: null }),
    words: `Conv1D(${filters}, ${K})`,
  };
}

/** (K,1,W,F) of Keras 1, and (F,W,K,1) of its first versions → (K,W,F), as Keras 2 reads them (preprocess_weights_for_loading). */
function withoutKeras1Axis(weights: Weights | undefined, K: number, filters: number): Weights | undefined {
  if (weights?.shape.length !== 4) return weights;
  const { shape, data } = weights;
  if (shape[0] === K && shape[1] === 1 && shape[3] === filters) return { shape: [K, shape[2], filters], data };
  if (shape[0] !== filters || shape[2] !== K || shape[3] !== 1) return weights;
  const W = shape[1];
  return { shape: [K, W, filters], data: turnConvKernel(data, K, W, filters) };
}

/** MaxPooling1D or AveragePooling1D, whose mean leaves pads out. */
export function buildPooling({ layer, steps }: PlannedLayer, _: readonly Weights[], __: number, source: string): BuiltLayer {
  const windows = windowsOf(layer, source);
  const pads = padsOf(layer, windows, steps, source);
  const by = layer.type.startsWith("Max") ? "max" : "mean";
  const { size: poolSize, strides } = windows;
  return {
    layers: [{ kind: "pooling", by, poolSize, strides, pads }],
    run: ({ rows }) => ({
      rows: slide(rows, windows, pads).map((window) =>
        reduceRows(
          by,
          window.filter((row) => row !== null),
        ),
      ),
      mask: null,
    }),
    words: `${layer.type}(${poolSize})`,
  };
}

/** The windows over rows, pads as null. */
function slide(
  rows: readonly Float64Array[],
  { size, strides, dilation }: Windows,
  [front, back]: readonly [number, number],
): (Float64Array | null)[][] {
  const out: (Float64Array | null)[][] = [];
  for (let first = -front; first + (size - 1) * dilation < rows.length + back; first += strides)
    out.push(Array.from({ length: size }, (_, k) => rows[first + k * dilation] ?? null));
  return out;
}

function reduceRows(by: "max" | "mean", rows: readonly Float64Array[]): Float64Array {
  return rows[0].map((_, w) => {
    const column = rows.map((row) => row[w]);
    return by === "max" ? Math.max(...column) : column.reduce((a, b) => a + b) / column.length;
  });
}

/** Adds a pooling over all steps to the draft: a mean over valid steps, a maximum over all. Throws DataError. */
export function planGlobalPooling(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  requireChannelsLast(layer, source);
  if (layer.config.keepdims === true) rejectFile(source, `${describeLayer(layer)} has keepdims=True`, SECOND_ENGINE);
  if (layer.type === "GlobalMaxPooling1D") dropMask(draft, layer, source);
  else if (draft.mask !== null) draft.readMask = draft.mask;
  [draft.isSequence, draft.steps] = [false, 1];
}

/** GlobalMaxPooling1D or GlobalAveragePooling1D. */
export function buildGlobalPooling({ layer }: PlannedLayer): BuiltLayer {
  const by = layer.type === "GlobalMaxPooling1D" ? "max" : "mean";
  const layers: DraftLayer[] = [{ kind: "globalPooling", by: [by] }];
  const valid = ({ rows, mask }: Signal): readonly Float64Array[] => (by === "mean" && mask ? rows.filter((_, t) => mask[t]) : rows);
  return { layers, run: (signal) => ({ rows: [reduceRows(by, valid(signal))], mask: null }), words: layer.type };
}

/** Adds Flatten to the draft. Throws DataError where the number of steps is open. */
export function planFlatten(draft: PlanDraft, layer: Layer, source: string): void {
  if (!draft.isSequence) return;
  requireChannelsLast(layer, source);
  dropMask(draft, layer, source);
  if (draft.steps === null)
    rejectFile(
      source,
      `${describeLayer(layer)} needs a number of steps that the file leaves open`,
      "save a model with a fixed number of steps",
    );
  [draft.isSequence, draft.steps] = [false, 1];
}

/** Flatten: step by step in one row. */
export function buildFlatten({ isSequence, steps }: PlannedLayer): BuiltLayer {
  return {
    layers: isSequence ? [{ kind: "flatten", steps: steps! }] : [],
    run: ({ rows }) => ({ rows: [Float64Array.from(rows.flatMap((row) => [...row]))], mask: null }),
    words: "Flatten",
  };
}
