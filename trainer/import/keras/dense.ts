// Keras' Dense, alone or in TimeDistributed, and its activations as layers of their own (keras.io/api/layers/core_layers/dense). Over steps a
// Dense layer takes each row.
// Legend: W width, U units.
import type { DraftLayer } from "../contract/draft-layers.ts";
import { MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { activationOf, type KerasActivation, readActivation, runActivation } from "./activations.ts";
import {
  type BuiltLayer,
  classOf,
  describeLayer,
  expectShape,
  type Layer,
  type PlanDraft,
  type PlannedLayer,
  requireSequence,
  sizeIn,
  type Weights,
} from "./layer.ts";

/** Checks a Dense layer's settings. Throws DataError for an activation that quickstep does not compute. */
export function planDense(draft: PlanDraft, layer: Layer, source: string): void {
  sizeIn(layer, "units", MAX_UNITS, source);
  readActivation(layer.config.activation, layer, draft.major, source);
}

/** The layer with its weights. Throws DataError where shapes do not fit. */
export function buildDense({ layer, major }: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const U = sizeIn(layer, "units", MAX_UNITS, source);
  const hasBias = layer.config.use_bias !== false;
  const kernel = expectShape(layer, weights[0], [W, U], source);
  const bias = hasBias ? expectShape(layer, weights[1], [U], source) : new Float64Array(U);
  const activation = readActivation(layer.config.activation, layer, major, source);
  const product = (row: Float64Array): Float64Array => bias.map((b, u) => row.reduce((sum, x, w) => sum + x * kernel[w * U + u], b));
  return {
    layers: [{ kind: "dense", units: U, kernel, bias }, ...layersOf(activation)],
    run: ({ rows, mask }) => ({ rows: rows.map((row) => runActivation(activation, product(row))), mask }),
    words: `Dense(${U}${activation.kind === "linear" ? "" : `, ${activation.kind}`})`,
  };
}

/** An activation behind a layer, as layers: none where it is linear. */
export function layersOf(activation: KerasActivation): DraftLayer[] {
  if (activation.kind === "linear") return [];
  return [activation.kind === "softmax" ? { kind: "softmax" } : { kind: "activation", activation }];
}

/** Checks a layer that is an activation. Throws DataError for one that quickstep does not compute. */
export function planActivation(draft: PlanDraft, layer: Layer, source: string): void {
  readOwnActivation(layer, draft.major, source);
}

/** A layer that is an activation. */
export function buildActivation({ layer, major }: PlannedLayer, _: readonly Weights[], __: number, source: string): BuiltLayer {
  const activation = readOwnActivation(layer, major, source);
  return {
    layers: layersOf(activation),
    run: ({ rows, mask }) => ({ rows: rows.map((row) => runActivation(activation, row)), mask }),
    words: activation.kind,
  };
}

/** Of Activation by the setting, of ReLU, LeakyReLU, ELU and Softmax by the class. */
function readOwnActivation(layer: Layer, major: number, source: string): KerasActivation {
  if (layer.type === "Activation") return readActivation(layer.config.activation, layer, major, source);
  return (
    activationOf(layer.type, layer.config, major) ??
    rejectFile(source, `${describeLayer(layer)} has a ceiling or a threshold`, `quickstep does not compute it; ${SECOND_ENGINE}`)
  );
}

/** What TimeDistributed wraps, as the layer that it is for each step. Throws DataError where that is no Dense layer or activation. */
function innerOf(layer: Layer, source: string): Layer {
  const entry = (layer.config.layer ?? {}) as Readonly<Record<string, unknown>>;
  const type = classOf(entry);
  if (type !== "Dense" && type !== "Activation" && type !== "Dropout")
    return rejectFile(
      source,
      `${describeLayer(layer)} wraps ${type}`,
      `quickstep runs a Dense layer for each step in it; ${SECOND_ENGINE}`,
    );
  return { type, name: `${layer.name}/${type}`, config: (entry.config ?? {}) as Layer["config"], ordinal: 0 };
}

/** Checks what TimeDistributed wraps. Throws DataError. */
export function planTimeDistributed(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  const inner = innerOf(layer, source);
  if (inner.type === "Dense") planDense(draft, inner, source);
  if (inner.type === "Activation") planActivation(draft, inner, source);
}

/** What TimeDistributed wraps, with its weights. Throws DataError. */
export function buildTimeDistributed(planned: PlannedLayer, weights: readonly Weights[], W: number, source: string): BuiltLayer {
  const inner = { ...planned, layer: innerOf(planned.layer, source) };
  if (inner.layer.type === "Dense") return buildDense(inner, weights, W, source);
  if (inner.layer.type === "Activation") return buildActivation(inner, weights, W, source);
  return { layers: [], run: (signal) => signal, words: "Dropout" };
}
