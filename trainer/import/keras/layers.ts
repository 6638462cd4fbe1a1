// The table of Keras layers that quickstep knows: a new layer is one entry here. Everything else is rejected by name.
// Settings: keras.io/api/layers.
import { rejectFile } from "../contract/reject-file.ts";
import { addDense } from "./dense.ts";
import { checkAxis, readBatchNormalization, readNormalization, readRescaling } from "./front-layers.ts";
import { activationName, describeLayer, type Layer, type LayerKind, type PlanDraft } from "./layer.ts";
import { addLstm } from "./lstm.ts";

const isInFront = ({ lstm }: PlanDraft): boolean => lstm === undefined;

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
  ["BatchNormalization", { fits: isInFront, add: addFrontLayer, readStage: readBatchNormalization }],
  ["Normalization", { fits: isInFront, add: addMaskedFrontLayer, readStage: readNormalization }],
  ["Rescaling", { fits: isInFront, add: addMaskedFrontLayer, readStage: readRescaling }],
  [
    "LSTM",
    {
      fits: isInFront,
      add: addLstm,
      arraysFolder: "cell/vars",
      misplaced: { problem: "is a second LSTM", fix: "quickstep runs one LSTM: train a single one" },
    },
  ],
  ["Dense", { fits: ({ lstm, dense }) => lstm !== undefined && dense === undefined, add: addDense }],
  [
    "Activation",
    {
      fits: ({ dense, isActivated }, { config }) => dense !== undefined && !isActivated && activationName(config.activation) === "sigmoid",
      add: (draft) => {
        draft.isActivated = true;
      },
    },
  ],
]);

/** What to do about classes that are not in the table. */
const FIXES: readonly [type: RegExp, fix: string][] = [
  [/^(GRU|SimpleRNN|RNN|ConvLSTM.*|CuDNNGRU)$/, "this recurrent layer has another cell"],
  [/^CuDNNLSTM$/, "load the weights into an LSTM layer in Keras and save that"],
  [/^Bidirectional$/, "two directions would take a second LSTM"],
  [/^Lambda$/, "its code is never run"],
  [/^/, "leave this layer out"],
];

/** What is wrong with a layer that has no entry, or stands where no layer of its kind may stand. Throws DataError. */
export function rejectLayer(layer: Layer, source: string): never {
  const { problem, fix } = LAYERS.get(layer.type)?.misplaced ?? {
    problem: "is not supported here",
    fix: `quickstep runs [Masking], [Normalization], LSTM, Dense(1, sigmoid); ${FIXES.find(([type]) => type.test(layer.type))![1]}`,
  };
  rejectFile(source, `${describeLayer(layer)} ${problem}`, fix);
}

function addMasking(draft: PlanDraft, layer: Layer, source: string): void {
  const what = describeLayer(layer);
  if (layer.config.mask_value !== 0)
    rejectFile(source, `${what} masks ${layer.config.mask_value}`, "quickstep passes over all-zero rows, so mask_value must be 0");
  const [before] = draft.front;
  if (before)
    rejectFile(
      source,
      `${what} stands behind ${before.name} (${before.type})`,
      "zero rows are looked for in the raw rows: put Masking first",
    );
  draft.isMasked = true;
}

function addFrontLayer(draft: PlanDraft, layer: Layer, source: string): void {
  checkAxis(layer, source);
  draft.front.push(layer);
}

function addMaskedFrontLayer(draft: PlanDraft, layer: Layer, source: string): void {
  addFrontLayer(draft, layer, source);
  if (draft.isMasked)
    draft.findings.push(
      `the mask is taken to pass through ${layer.name} (${layer.type}), as in today's Keras; some older versions dropped it there`,
    );
}
