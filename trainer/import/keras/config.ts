// Keras' description of a model, as .h5 and .keras hold it, in every spelling since Keras 1: JSON → a plan of the layers that quickstep
// knows, with their settings. Everything else is rejected by name. Knows no weights.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { readChain } from "./chain.ts";
import { activationName, describeLayer, type Layer, type PlanDraft } from "./layer.ts";
import { LAYERS, rejectLayer } from "./layers.ts";

export interface KerasPlan {
  readonly timesteps: number | null;
  readonly features: number | null;
  /** The number whose rows are passed over, as float32; null: none is. */
  readonly mask: number | null;
  /** BatchNormalization, Normalization and Rescaling in front of the LSTM, in order. */
  readonly front: readonly Layer[];
  readonly lstm: Layer;
  /** BatchNormalization between the LSTM and the Dense layer, in order. */
  readonly behind: readonly Layer[];
  /** Slope of the hard sigmoid in the gates; null: true sigmoids. */
  readonly hardGates: number | null;
  readonly backwards: boolean;
  readonly dense: Layer;
  /** Classes of layers that do nothing when a model is used. */
  readonly ignored: readonly string[];
  /** What had to be assumed, one line each. */
  readonly findings: readonly string[];
}

/** Keras 1 and 2: max(0, min(1, 0.2·x + 0.5)); Keras 3: relu6(x + 3) / 6 (keras/src/activations/activations.py). */
const HARD_SIGMOID_SLOPES = { untilKeras2: 0.2, sinceKeras3: 1 / 6 };

/** `version` is keras_version where the file has it. Throws DataError naming the layer and what would be needed. */
export function planKeras(config: unknown, version: string, source: string): KerasPlan {
  const layers = readChain(config, source);
  const major = Number(version.split(".")[0]) || 1;
  const draft: PlanDraft = { major, mask: null, front: [], behind: [], isActivated: false, ignored: [], findings: [] };
  for (const layer of layers) {
    checkPrecision(layer, source);
    const kind = LAYERS.get(layer.type);
    if (!kind?.fits(draft, layer)) return rejectLayer(layer, source);
    kind.add(draft, layer, source);
  }
  const { lstm, dense } = checkComplete(draft, layers, source);
  const { mask, front, behind, ignored, findings } = draft;
  const backwards = lstm.config.go_backwards === true;
  return { ...shapeOf(layers), mask, front, lstm, behind, hardGates: hardGatesOf(lstm, major), backwards, dense, ignored, findings };
}

function checkComplete({ lstm, dense, isActivated }: PlanDraft, layers: readonly Layer[], source: string): { lstm: Layer; dense: Layer } {
  if (lstm === undefined)
    return rejectFile(source, `holds no LSTM among its layers (${layers.map(({ type }) => type).join(", ")})`, SECOND_ENGINE);
  if (dense === undefined)
    return rejectFile(source, "has no Dense layer behind its LSTM", "quickstep needs Dense(1, sigmoid) or Dense(2, softmax) there");
  if (!isActivated)
    rejectFile(
      source,
      `${describeLayer(dense)} is linear`,
      "add its activation (sigmoid of one, softmax of two) and save again, so that the model answers a probability",
    );
  return { lstm, dense };
}

/** The slope in the LSTM's gates, by its settings and the version's defaults. */
function hardGatesOf({ config }: Layer, major: number): number | null {
  const recurrent = activationName(config.recurrent_activation ?? config.inner_activation ?? (major < 3 ? "hard_sigmoid" : "sigmoid"));
  if (recurrent !== "hard_sigmoid") return null;
  return major >= 3 ? HARD_SIGMOID_SLOPES.sinceKeras3 : HARD_SIGMOID_SLOPES.untilKeras2;
}

function checkPrecision(layer: Layer, source: string): void {
  const { dtype } = layer.config;
  const policy = typeof dtype === "object" && dtype !== null ? JSON.stringify(dtype) : String(dtype ?? "float32");
  if (/mixed|float16|int8|float8/.test(policy))
    rejectFile(
      source,
      `${describeLayer(layer)} computes in ${policy.match(/mixed_\w+|b?float16|int8|float8/)?.[0]}`,
      "quickstep computes in float32: set that policy and save again",
    );
}

/** What the first layers say of (N,T,F). */
function shapeOf(layers: readonly Layer[]): { timesteps: number | null; features: number | null } {
  for (const { config } of layers) {
    const shape = config.batch_shape ?? config.batch_input_shape;
    if (Array.isArray(shape) && shape.length === 3)
      return { timesteps: typeof shape[1] === "number" ? shape[1] : null, features: typeof shape[2] === "number" ? shape[2] : null };
    if (typeof config.input_dim === "number")
      return { timesteps: typeof config.input_length === "number" ? config.input_length : null, features: config.input_dim };
  }
  return { timesteps: null, features: null };
}
