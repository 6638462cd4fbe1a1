// Keras' description of a model, as .h5 and .keras hold it, in every spelling since Keras 1: JSON → a plan of the layers that quickstep
// knows, with their settings. Everything else is rejected by name. Knows no weights.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { readChain } from "./chain.ts";
import { describeLayer, type Layer, type PlanDraft, type PlannedLayer } from "./layer.ts";
import { LAYERS, rejectLayer } from "./layers.ts";

export interface KerasPlan {
  readonly timesteps: number | null;
  readonly features: number | null;
  /** The number whose rows are passed over, as float32; null: none is. */
  readonly mask: number | null;
  /** Every layer but those that do nothing, in order. */
  readonly planned: readonly PlannedLayer[];
  /** Classes of layers that do nothing when a model is used. */
  readonly ignored: readonly string[];
  /** What had to be assumed, one line each. */
  readonly findings: readonly string[];
}

/** `version` is keras_version where the file has it. Throws DataError naming the layer and what would be needed. */
export function planKeras(config: unknown, version: string, source: string): KerasPlan {
  const layers = readChain(config, source);
  const { timesteps, features } = shapeOf(layers);
  const draft: PlanDraft = {
    major: Number(version.split(".")[0]) || 1,
    mask: null,
    readMask: null,
    isCarried: false,
    isSequence: true,
    steps: timesteps,
    planned: [],
    ignored: [],
    findings: [],
  };
  for (const layer of layers) {
    checkPrecision(layer, source);
    const kind = LAYERS.get(layer.type);
    if (kind === undefined) return rejectLayer(layer, source);
    const { major, isSequence, steps } = draft;
    kind.plan(draft, layer, source);
    if (kind.build) draft.planned.push({ layer, build: kind.build, major, isSequence, steps });
  }
  if (draft.isSequence)
    rejectFile(
      source,
      `answers at every step (${layers.map(({ type }) => type).join(", ")})`,
      `quickstep answers one probability; ${SECOND_ENGINE}`,
    );
  const { readMask: mask, planned, ignored, findings } = draft;
  return { timesteps, features, mask, planned, ignored, findings };
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
