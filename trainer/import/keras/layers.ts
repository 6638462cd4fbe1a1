// The table of Keras layers that quickstep knows: a new layer is one entry here. Everything else is rejected by name.
// Settings: keras.io/api/layers.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { buildChoice, planChoice } from "./choose-step.ts";
import { buildActivation, buildDense, buildTimeDistributed, planActivation, planDense, planTimeDistributed } from "./dense.ts";
import { type BuiltLayer, describeLayer, type Layer, type LayerKind, type PlanDraft, type PlannedLayer } from "./layer.ts";
import { buildBidirectional, buildRecurrent, planBidirectional, planRecurrent } from "./recurrent.ts";
import { buildLayerNormalization, buildScaling, planLayerNormalization, planMaskDroppingScaling, planScaling } from "./scaling.ts";
import { buildConv, buildFlatten, buildGlobalPooling, buildPooling, planFlatten, planGlobalPooling, planWindows } from "./windows.ts";

/** Nothing when a model is used. */
const IGNORED: LayerKind = { plan: ({ ignored }, { type }) => void ignored.push(type) };

const CELL = { arraysFolders: () => ["cell/vars"] };
const DIRECTIONS = { arraysFolders: () => ["forward_layer/cell/vars", "backward_layer/cell/vars"] };
const RECURRENT: LayerKind = { plan: planRecurrent, build: buildRecurrent, ...CELL };
const ACTIVATION: LayerKind = { plan: planActivation, build: buildActivation };

/** By class. A map, since classes come from files. */
export const LAYERS: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>([
  ["InputLayer", { plan: () => {} }],
  ["Dropout", IGNORED],
  ["SpatialDropout1D", IGNORED],
  ["GaussianNoise", IGNORED],
  ["GaussianDropout", IGNORED],
  ["AlphaDropout", IGNORED],
  ["ActivityRegularization", IGNORED],
  ["Masking", { plan: planMasking, build: buildMasking }],
  ["BatchNormalization", { plan: planScaling, build: buildScaling }],
  ["Normalization", { plan: planMaskDroppingScaling, build: buildScaling }],
  ["Rescaling", { plan: planMaskDroppingScaling, build: buildScaling }],
  ["LayerNormalization", { plan: planLayerNormalization, build: buildLayerNormalization }],
  ["LSTM", RECURRENT],
  ["GRU", RECURRENT],
  ["SimpleRNN", RECURRENT],
  ["Bidirectional", { plan: planBidirectional, build: buildBidirectional, ...DIRECTIONS }],
  ["TimeDistributed", { plan: planTimeDistributed, build: buildTimeDistributed, arraysFolders: () => ["layer/vars"] }],
  ["Conv1D", { plan: planWindows, build: buildConv }],
  ["MaxPooling1D", { plan: planWindows, build: buildPooling }],
  ["AveragePooling1D", { plan: planWindows, build: buildPooling }],
  ["GlobalMaxPooling1D", { plan: planGlobalPooling, build: buildGlobalPooling }],
  ["GlobalAveragePooling1D", { plan: planGlobalPooling, build: buildGlobalPooling }],
  ["GetItem", { plan: planChoice, build: buildChoice }],
  ["Flatten", { plan: planFlatten, build: buildFlatten }],
  ["Dense", { plan: planDense, build: buildDense }],
  ["Activation", ACTIVATION],
  ["ReLU", ACTIVATION],
  ["LeakyReLU", ACTIVATION],
  ["ELU", ACTIVATION],
  ["Softmax", ACTIVATION],
]);

/** What to do about classes that are not in the table, where another engine is not the nearest way. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ["CuDNNLSTM", `load the weights into an LSTM layer in Keras and save that`],
  ["CuDNNGRU", `load the weights into a GRU layer in Keras and save that`],
  ["Lambda", `its code is never run; ${SECOND_ENGINE}`],
]);

/** What is wrong with a layer of a class that has no entry. Throws DataError. */
export function rejectLayer(layer: Layer, source: string): never {
  const fix = FIXES.get(layer.type) ?? (layer.type.includes(">") ? `its code is not in the file; ${SECOND_ENGINE}` : SECOND_ENGINE);
  rejectFile(source, `${describeLayer(layer)} is not a layer that quickstep runs`, fix);
}

function planMasking(draft: PlanDraft, layer: Layer, source: string): void {
  const what = describeLayer(layer);
  const value = layer.config.mask_value ?? 0;
  const mask = typeof value === "number" ? Math.fround(value) : Number.NaN;
  if (!Number.isFinite(mask))
    rejectFile(source, `${what} masks ${JSON.stringify(value)}`, "expected a finite number for mask_value: save the model again");
  if (draft.mask !== null) rejectFile(source, `${what} is a second Masking`, `quickstep runs one; ${SECOND_ENGINE}`);
  const [before] = draft.planned;
  if (before)
    rejectFile(
      source,
      `${what} stands behind ${before.layer.name} (${before.layer.type})`,
      `masked rows are looked for in the raw rows; ${SECOND_ENGINE}`,
    );
  draft.mask = mask;
}

/** Masked rows become zeros, and the mask goes with them. */
function buildMasking({ layer }: PlannedLayer): BuiltLayer {
  const value = Math.fround(Number(layer.config.mask_value ?? 0));
  return {
    layers: [],
    words: `Masking(${value})`,
    run({ rows }) {
      const mask = rows.map((row) => row.some((x) => Math.fround(x) !== value));
      return { rows: rows.map((row, t) => (mask[t] ? row : row.map(() => 0))), mask };
    },
  };
}
