// Keras' layers that scale each column: what each computes, as one mean and scale a column and as Keras writes it; and LayerNormalization,
// which scales each row by its own.
// Definitions: keras.io/api/layers/normalization_layers/batch_normalization, …/preprocessing_layers/numerical/normalization,
// …/preprocessing_layers/image_preprocessing/rescaling.
// Legend: F columns.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import {
  type BuiltLayer,
  describeLayer,
  dropMask,
  expectShape,
  type Layer,
  type PlanDraft,
  type PlannedLayer,
  type Weights,
} from "./layer.ts";

/** What a layer computes, as (x − mean) / scale, (F) each, and as Keras computes one row. */
interface Stage {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  apply(x: Float64Array): Float64Array;
}

/** keras.backend.epsilon() */
const NORMALIZATION_EPSILON = 1e-7;
/** The default of BatchNormalization and LayerNormalization. */
const BATCH_EPSILON = 1e-3;

const READERS = new Map([
  ["BatchNormalization", readBatchNormalization],
  ["Normalization", readNormalization],
  ["Rescaling", readRescaling],
]);

/** Adds a layer that scales columns to the draft. Throws DataError naming a setting that quickstep cannot compute. */
export function planScaling(draft: PlanDraft, layer: Layer, source: string): void {
  checkAxis(layer, draft.isSequence ? 2 : 1, source);
}

/** As planScaling, of a layer that hands masks on since Keras 3. */
export function planMaskDroppingScaling(draft: PlanDraft, layer: Layer, source: string): void {
  planScaling(draft, layer, source);
  if (draft.major < 3) dropMask(draft, layer, source);
}

/** The layer with its weights. Throws DataError where they do not fit. */
export function buildScaling({ layer, major }: PlannedLayer, weights: readonly Weights[], F: number, source: string): BuiltLayer {
  const { mean, scale, apply } = READERS.get(layer.type)!(layer, weights, F, source);
  return {
    layers: [{ kind: "affine", mean, scale }],
    run: ({ rows, mask }) => ({ rows: rows.map(apply), mask: major < 3 && layer.type !== "BatchNormalization" ? null : mask }),
    words: layer.type,
  };
}

/** Adds LayerNormalization to the draft. Throws DataError where it works along another axis, or in another way. */
export function planLayerNormalization(draft: PlanDraft, layer: Layer, source: string): void {
  checkAxis(layer, draft.isSequence ? 2 : 1, source);
  if (layer.config.rms_scaling === true) rejectFile(source, `${describeLayer(layer)} has rms_scaling=True`, SECOND_ENGINE);
}

/** γ (x − the row's mean) / √(its variance + ε) + β. Throws DataError where the arrays do not fit. */
export function buildLayerNormalization({ layer }: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const { config } = layer;
  const rest = [...weights];
  const gamma = config.scale === false ? new Float64Array(W).fill(1) : expectShape(layer, rest.shift(), [W], source);
  const beta = config.center === false ? new Float64Array(W) : expectShape(layer, rest.shift(), [W], source);
  const epsilon = Number(config.epsilon ?? BATCH_EPSILON);
  const normalise = (row: Float64Array): Float64Array => {
    const mean = row.reduce((sum, x) => sum + x) / W;
    const variance = row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / W;
    return row.map((x, w) => (gamma[w] * (x - mean)) / Math.sqrt(variance + epsilon) + beta[w]);
  };
  return {
    layers: [{ kind: "layerNormalization", gamma, beta, epsilon }],
    run: ({ rows, mask }) => ({ rows: rows.map(normalise), mask }),
    words: "LayerNormalization",
  };
}

/** `last` is the axis of the numbers that the layer scales. Throws DataError where it works along another, in a mode of old, or the other way round. */
function checkAxis(layer: Layer, last: 1 | 2, source: string): void {
  const { type, config } = layer;
  const what = describeLayer(layer);
  const axis = [config.axis ?? -1].flat();
  const isLast = axis.length === 0 || (axis.length === 1 && (axis[0] === -1 || axis[0] === last));
  if (type !== "Rescaling" && !isLast)
    rejectFile(source, `${what} works along axis ${JSON.stringify(config.axis)}`, `quickstep scales the last axis; ${SECOND_ENGINE}`);
  if (config.mode !== undefined && config.mode !== 0)
    rejectFile(source, `${what} has mode ${config.mode}`, `quickstep knows mode 0; ${SECOND_ENGINE}`);
  if (config.invert === true) rejectFile(source, `${what} has invert=True`, `quickstep standardises, not the reverse; ${SECOND_ENGINE}`);
}

/** x · scale + offset. Throws DataError where a setting has not one number, or one a feature. */
function readRescaling(layer: Layer, _: readonly Weights[], F: number, source: string): Stage {
  const perFeature = spreader(layer, F, source);
  const scale = perFeature(numbersIn(layer.config.scale));
  const offset = perFeature(numbersIn(layer.config.offset ?? 0));
  return checkStage(layer, source, {
    mean: scale.map((value, f) => -offset[f] / value),
    scale: scale.map((value) => 1 / value),
    apply: (x) => x.map((value, f) => value * scale[f] + offset[f]),
  });
}

/** (x − mean) / max(√variance, 1e-7), both from the settings or adapted. Throws DataError where they have not one number a feature. */
function readNormalization(layer: Layer, weights: readonly Weights[], F: number, source: string): Stage {
  const { config } = layer;
  const perFeature = spreader(layer, F, source);
  const isGiven = config.mean !== undefined && config.mean !== null;
  const mean = perFeature(isGiven ? numbersIn(config.mean) : weights[0]?.data);
  const variance = perFeature(isGiven ? numbersIn(config.variance) : weights[1]?.data);
  const deviation = variance.map((value) => Math.max(Math.sqrt(value), NORMALIZATION_EPSILON));
  return checkStage(layer, source, {
    mean,
    scale: deviation,
    apply: (x) => x.map((value, f) => (value - mean[f]) / deviation[f]),
  });
}

/** γ (x − mean) / √(variance + ε) + β, with the moving statistics. Throws DataError where arrays have not one number a feature. */
function readBatchNormalization(layer: Layer, weights: readonly Weights[], F: number, source: string): Stage {
  const { config } = layer;
  const perFeature = spreader(layer, F, source);
  const rest = [...weights];
  const gamma = perFeature(config.scale === false ? [1] : rest.shift()?.data);
  const beta = perFeature(config.center === false ? [0] : rest.shift()?.data);
  const [mean, variance] = [perFeature(rest[0]?.data), perFeature(rest[1]?.data)];
  const epsilon = Number(config.epsilon ?? BATCH_EPSILON);
  const deviation = variance.map((value) => Math.sqrt(value + epsilon));
  return checkStage(layer, source, {
    mean: mean.map((value, f) => value - (beta[f] * deviation[f]) / gamma[f]),
    scale: deviation.map((value, f) => value / gamma[f]),
    apply: (x) => x.map((value, f) => (gamma[f] * (value - mean[f])) / deviation[f] + beta[f]),
  });
}

function checkStage(layer: Layer, source: string, stage: Stage): Stage {
  const { mean, scale } = stage;
  const constant = mean.findIndex((value, f) => !Number.isFinite(value) || !Number.isFinite(scale[f]) || scale[f] === 0);
  if (constant >= 0)
    rejectFile(
      source,
      `${describeLayer(layer)} makes a constant of column ${constant}`,
      `quickstep divides by the scale of each; ${SECOND_ENGINE}`,
    );
  return stage;
}

/** One number for all features, or one for each → (F). */
function spreader(layer: Layer, F: number, source: string) {
  return (values: ArrayLike<number> | undefined): Float64Array => {
    if (values?.length !== F && values?.length !== 1)
      return rejectFile(
        source,
        `${describeLayer(layer)} has ${values?.length ?? 0} numbers for ${F} features`,
        "the file is damaged: save the model again",
      );
    return Float64Array.from({ length: F }, (_, f) => values[values.length === 1 ? 0 : f]);
  };
}

/** A number, a list, or what Keras wraps an array in: the numbers in it, in order. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  if (typeof value === "object" && value !== null) return numbersIn((value as { config?: { value?: unknown } }).config?.value);
  return [];
}
