// Keras' description of a model, as .h5 and .keras hold it, in every spelling since Keras 1: JSON → a plan of the layers that quickstep
// knows, with their settings. Everything else is rejected by name. Knows no weights.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { planAttention } from "./attention.ts";
import { planBranches } from "./branches.ts";
import { readChain, type Step } from "./chain.ts";
import { describeLayer, type Layer, type PlanDraft, type Planned, type PlannedBranches, rejectMask } from "./layer.ts";
import { LAYERS, rejectLayer } from "./layers.ts";
import { unwrapCells } from "./rnn.ts";

export interface KerasPlan {
  /** Of the Keras that saved the model. */
  readonly major: number;
  readonly timesteps: number | null;
  readonly features: number | null;
  /** The number whose rows are passed over, as float32; null: none is. */
  readonly mask: number | null;
  /** Every layer but those that do nothing, in order. */
  readonly planned: readonly Planned[];
  /** Classes of layers that do nothing when a model is used. */
  readonly ignored: readonly string[];
  /** What had to be assumed, one line each. */
  readonly findings: readonly string[];
}

/** `version` is keras_version where the file has it. Throws DataError naming the layer and what would be needed. */
export function planKeras(config: unknown, version: string, source: string): KerasPlan {
  const steps = readChain(config, source);
  const layers = layersIn(steps);
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
  planSteps(draft, steps, source);
  if (draft.isSequence)
    rejectFile(
      source,
      `answers at every step (${layers.map(({ type }) => type).join(", ")})`,
      `quickstep answers one probability; ${SECOND_ENGINE}`,
    );
  const { major, readMask: mask, planned, ignored, findings } = draft;
  return { major, timesteps, features, mask, planned, ignored, findings };
}

/** Adds the steps to the draft. Throws DataError naming the layer and what would be needed. */
function planSteps(draft: PlanDraft, steps: readonly Step[], source: string): void {
  for (let k = 0; k < steps.length; k++) {
    const { layer, branches, isGivenMask } = steps[k];
    checkPrecision(layer, source);
    if (branches) {
      const plan = (of: typeof branches): PlannedBranches =>
        planBranches(draft, layer, of, (own, inner) => planSteps(own, inner, source), source);
      const taken = planAttention(draft, steps.slice(k), plan, source);
      if (taken === 0) draft.planned.push(plan(branches));
      else k += taken - 1;
      continue;
    }
    if (isGivenMask && draft.mask === null) rejectMask(layer, source);
    for (const own of unwrapCells(layer, source)) planLayer(draft, own, source);
  }
}

function planLayer(draft: PlanDraft, layer: Layer, source: string): void {
  checkPrecision(layer, source);
  const kind = LAYERS.get(layer.type) ?? rejectLayer(layer, source);
  const { major, isSequence, steps } = draft;
  kind.plan(draft, layer, source);
  if (kind.build) draft.planned.push({ layer, build: kind.build, major, isSequence, steps });
}

/** The layers in the order of computation, those of branches among them. */
function layersIn(steps: readonly Step[]): Layer[] {
  return steps.flatMap(({ layer, branches = [] }) => [...branches.flatMap(layersIn), layer]);
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
