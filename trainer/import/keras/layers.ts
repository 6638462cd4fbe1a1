// The table of Keras layers that quickstep knows: a new layer is one entry here. Everything else is rejected by name.
// Settings: keras.io/api/layers.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { ACTIVATIONS, addDense, classesOf } from "./dense.ts";
import { checkAxis, readBatchNormalization, readNormalization, readRescaling } from "./front-layers.ts";
import { activationName, describeLayer, type Layer, type LayerKind, type PlanDraft } from "./layer.ts";
import { addLstm } from "./lstm.ts";

const isInFront = ({ lstm }: PlanDraft): boolean => lstm === undefined;
/** In front of the LSTM, or between it and the Dense layer. */
const isAround = ({ dense }: PlanDraft): boolean => dense === undefined;

/** Nothing when a model is used. */
const IGNORED: LayerKind = { fits: () => true, add: ({ ignored }, { type }) => void ignored.push(type) };

/** By class. A map, since classes come from files. */
export const LAYERS: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>([
  ["InputLayer", { fits: () => true, add: () => {} }],
  ["Dropout", IGNORED],
  ["SpatialDropout1D", IGNORED],
  ["GaussianNoise", IGNORED],
  ["GaussianDropout", IGNORED],
  ["AlphaDropout", IGNORED],
  ["ActivityRegularization", IGNORED],
  ["Masking", { fits: isInFront, add: addMasking }],
  ["BatchNormalization", { fits: isAround, add: addScalingLayer, readStage: readBatchNormalization }],
  ["Normalization", { fits: isInFront, add: addMaskDroppingLayer, readStage: readNormalization }],
  ["Rescaling", { fits: isInFront, add: addMaskDroppingLayer, readStage: readRescaling }],
  [
    "LSTM",
    {
      fits: isInFront,
      add: addLstm,
      arraysFolder: "cell/vars",
      misplaced: { problem: "is a second LSTM", fix: `quickstep runs one LSTM; ${SECOND_ENGINE}` },
    },
  ],
  ["Dense", { fits: ({ lstm, dense }) => lstm !== undefined && dense === undefined, add: addDense }],
  [
    "Activation",
    {
      fits: ({ dense, isActivated }, { config }) =>
        dense !== undefined && !isActivated && activationName(config.activation) === ACTIVATIONS[classesOf(dense)],
      add: (draft) => {
        draft.isActivated = true;
      },
    },
  ],
]);

/** What to do about classes that are not in the table, where another engine is not the nearest way. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ["CuDNNLSTM", "load the weights into an LSTM layer in Keras and save that"],
  ["Lambda", `its code is never run; ${SECOND_ENGINE}`],
]);

/** What is wrong with a layer that has no entry, or stands where no layer of its kind may stand. Throws DataError. */
export function rejectLayer(layer: Layer, source: string): never {
  const { problem, fix } = LAYERS.get(layer.type)?.misplaced ?? {
    problem: "is not supported here",
    fix: `quickstep runs [Masking], [Normalization], LSTM, [BatchNormalization], Dense(1, sigmoid); ${FIXES.get(layer.type) ?? SECOND_ENGINE}`,
  };
  rejectFile(source, `${describeLayer(layer)} ${problem}`, fix);
}

function addMasking(draft: PlanDraft, layer: Layer, source: string): void {
  const what = describeLayer(layer);
  const value = layer.config.mask_value ?? 0;
  const mask = typeof value === "number" ? Math.fround(value) : Number.NaN;
  if (!Number.isFinite(mask))
    rejectFile(source, `${what} masks ${JSON.stringify(value)}`, "expected a finite number for mask_value: save the model again");
  if (draft.mask !== null) rejectFile(source, `${what} is a second Masking`, `quickstep runs one; ${SECOND_ENGINE}`);
  const [before] = draft.front;
  if (before)
    rejectFile(
      source,
      `${what} stands behind ${before.name} (${before.type})`,
      `masked rows are looked for in the raw rows; ${SECOND_ENGINE}`,
    );
  draft.mask = mask;
}

function addScalingLayer(draft: PlanDraft, layer: Layer, source: string): void {
  checkAxis(layer, draft.lstm ? 1 : 2, source);
  (draft.lstm ? draft.behind : draft.front).push(layer);
}

/**
 * Keras 3 passes a mask through every layer that computes none of its own; Keras 2 dropped it at layers that do not say supports_masking,
 * Normalization and Rescaling among them (Layer.supports_masking in keras/src/layers/layer.py and keras/engine/base_layer.py).
 */
function addMaskDroppingLayer(draft: PlanDraft, layer: Layer, source: string): void {
  addScalingLayer(draft, layer, source);
  if (draft.mask === null || draft.major >= 3) return;
  draft.mask = null;
  draft.findings.push(`${describeLayer(layer)} drops the mask in front of it, as Keras ${draft.major} does: Masking has no effect`);
}
