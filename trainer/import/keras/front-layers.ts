// Keras' layers that scale features in front of the LSTM: what each computes, as one mean and scale a feature and as Keras writes it.
// Definitions: keras.io/api/layers/normalization_layers/batch_normalization, …/preprocessing_layers/numerical/normalization,
// …/preprocessing_layers/image_preprocessing/rescaling.
// Legend: F features.
import { rejectFile } from "../contract/reject-file.ts";
import { describeLayer, type Layer, type Stage, type Weights } from "./layer.ts";

/** keras.backend.epsilon() */
const NORMALIZATION_EPSILON = 1e-7;
/** BatchNormalization's default. */
const BATCH_EPSILON = 1e-3;

/** `last` is the axis of the numbers that the layer scales. Throws DataError where it works along another, in a mode of old, or the other way round. */
export function checkAxis(layer: Layer, last: 1 | 2, source: string): void {
  const { type, config } = layer;
  const what = describeLayer(layer);
  const axis = [config.axis ?? -1].flat();
  const isLast = axis.length === 0 || (axis.length === 1 && (axis[0] === -1 || axis[0] === last));
  if (type !== "Rescaling" && !isLast)
    rejectFile(source, `${what} works along axis ${JSON.stringify(config.axis)}`, "quickstep scales features: use axis -1");
  if (config.mode !== undefined && config.mode !== 0) rejectFile(source, `${what} has mode ${config.mode}`, "quickstep knows mode 0");
  if (config.invert === true) rejectFile(source, `${what} has invert=True`, "quickstep standardises, not the reverse");
}

/** x · scale + offset. Throws DataError where a setting has not one number, or one a feature. */
export function readRescaling(layer: Layer, _: readonly Weights[], F: number, source: string): Stage {
  const perFeature = spreader(layer, F, source);
  const scale = perFeature(numbersIn(layer.config.scale));
  const offset = perFeature(numbersIn(layer.config.offset ?? 0));
  return checkStage(layer, source, {
    mean: Array.from(scale, (_, f) => -offset[f] / scale[f]),
    scale: Array.from(scale, (value) => 1 / value),
    apply: (x) => x.map((value, f) => value * scale[f] + offset[f]),
  });
}

/** (x − mean) / max(√variance, 1e-7), both from the settings or adapted. Throws DataError where they have not one number a feature. */
export function readNormalization(layer: Layer, weights: readonly Weights[], F: number, source: string): Stage {
  const { config } = layer;
  const perFeature = spreader(layer, F, source);
  const isGiven = config.mean !== undefined && config.mean !== null;
  const mean = perFeature(isGiven ? numbersIn(config.mean) : weights[0]?.data);
  const variance = perFeature(isGiven ? numbersIn(config.variance) : weights[1]?.data);
  const deviation = variance.map((value) => Math.max(Math.sqrt(value), NORMALIZATION_EPSILON));
  return checkStage(layer, source, {
    mean: [...mean],
    scale: [...deviation],
    apply: (x) => x.map((value, f) => (value - mean[f]) / deviation[f]),
  });
}

/** γ (x − mean) / √(variance + ε) + β, with the moving statistics. Throws DataError where arrays have not one number a feature. */
export function readBatchNormalization(layer: Layer, weights: readonly Weights[], F: number, source: string): Stage {
  const { config } = layer;
  const perFeature = spreader(layer, F, source);
  const rest = [...weights];
  const gamma = perFeature(config.scale === false ? [1] : rest.shift()?.data);
  const beta = perFeature(config.center === false ? [0] : rest.shift()?.data);
  const [mean, variance] = [perFeature(rest[0]?.data), perFeature(rest[1]?.data)];
  const epsilon = Number(config.epsilon ?? BATCH_EPSILON);
  const deviation = variance.map((value) => Math.sqrt(value + epsilon));
  return checkStage(layer, source, {
    mean: Array.from(mean, (value, f) => value - (beta[f] * deviation[f]) / gamma[f]),
    scale: Array.from(deviation, (value, f) => value / gamma[f]),
    apply: (x) => x.map((value, f) => (gamma[f] * (value - mean[f])) / deviation[f] + beta[f]),
  });
}

function checkStage(layer: Layer, source: string, stage: Stage): Stage {
  const { mean, scale } = stage;
  const constant = mean.findIndex((value, f) => !Number.isFinite(value) || !Number.isFinite(scale[f]) || scale[f] === 0);
  if (constant >= 0)
    rejectFile(source, `${describeLayer(layer)} makes a constant of feature ${constant}`, "leave that feature out and train again");
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
