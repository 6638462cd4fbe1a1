// What the importer knows of a Keras layer: the layer as its config describes it, what a kind of layer adds to the plan of a model, and what
// comes of a layer with its weights. Knows no kind.
// Legend: T steps, W width.
import type { DraftLayer } from "../contract/draft-layers.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";

export interface Layer {
  /** The class: `LSTM`. */
  readonly type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** How many layers of the class stand before this one in the config. */
  readonly ordinal: number;
  /** What files have in this one's place. Left out: the layer itself. */
  readonly saved?: SavedRnn;
}

/** An RNN of which a layer is one cell. */
interface SavedRnn {
  readonly type: "RNN";
  readonly name: string;
  /** Where .keras files keep the arrays of its cells, and what the cells are called, in their order. */
  readonly folders: readonly string[];
  readonly cells: readonly string[];
  /** Of all arrays of the RNN, those of this cell. */
  readonly from: number;
  readonly to: number;
}

/** A class as .keras files name folders after it: `LSTMCell` is lstm_cell (to_snake_case in keras/src/utils/naming.py). */
export function toSnake(type: string): string {
  return type
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** A layer's array, in Keras' order and layout. */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A plan while the layers are read one by one, from input to output. */
export interface PlanDraft {
  /** Of the Keras that saved the model; 1 where the file does not say, as Keras 1 did not. */
  readonly major: number;
  /** The number whose rows are passed over, as float32, while the mask lasts; null: no row is. */
  mask: number | null;
  /** The mask that a layer has read: what the recipe passes over. */
  readMask: number | null;
  /** Whether masked steps hold what a recurrent layer carried on. */
  isCarried: boolean;
  /** Whether steps lie here, or one row for the sequence. */
  isSequence: boolean;
  /** How many steps lie here; null where the file does not say. */
  steps: number | null;
  readonly planned: Planned[];
  readonly ignored: string[];
  readonly findings: string[];
}

export interface PlannedLayer {
  readonly layer: Layer;
  readonly build: BuildLayer;
  readonly major: number;
  /** Of what the layer is given. */
  readonly isSequence: boolean;
  readonly steps: number | null;
}

/** Branches, and the layer that merges them. */
export interface PlannedBranches {
  readonly layer: Layer;
  readonly branches: readonly (readonly Planned[])[];
  /** There where the second branch makes the scores by which the steps of the first are weighted and summed. */
  readonly attention?: Attention;
}

/** What the layers of one attention pooling say together. */
export interface Attention {
  /** How many steps the weighted sum is divided by; nothing where the sum itself is handed on. */
  readonly mean?: number;
  /** Whether masked steps weigh nothing. */
  readonly isMasked: boolean;
  /** Widths that settings name, each of which must be the rows' own. */
  readonly widths: readonly number[];
}

export type Planned = PlannedLayer | PlannedBranches;

/** What lies between layers as Keras has it: rows, masked ones among them, of which `mask` tells which are valid. */
export interface Signal {
  readonly rows: readonly Float64Array[];
  readonly mask: readonly boolean[] | null;
}

/** A layer with its weights. */
export interface BuiltLayer {
  /** What the layer comes to, where masked rows are no rows. */
  readonly layers: readonly DraftLayer[];
  /** What the layer computes as Keras defines it; shares no code with `layers`. */
  run(signal: Signal): Signal;
  /** `LSTM(8)` */
  readonly words: string;
}

/** Layers in a row, with their weights. */
export interface BuiltLayers {
  readonly built: readonly BuiltLayer[];
  readonly layers: readonly DraftLayer[];
}

type BuildLayer = (planned: PlannedLayer, weights: readonly Weights[], W: number, source: string) => BuiltLayer;

/** One kind of layer: an entry of the table in layers.ts. */
export interface LayerKind {
  /** Checks the settings and tells the draft what lies behind the layer. Throws DataError naming a setting that quickstep cannot compute. */
  plan(draft: PlanDraft, layer: Layer, source: string): void;
  /** The layer with its weights, given rows of width W. Throws DataError where the weights do not fit. Left out: there is nothing to compute. */
  readonly build?: BuildLayer;
  /** Where .keras files keep the arrays below the layer's folder; `vars` where nothing else is said. */
  readonly arraysFolders?: (layer: Layer) => readonly string[];
}

/**
 * The class that an entry of a config names. Keras 3 says of a class where it comes from: one of a person's own may have the name of one of
 * Keras', and computes something else; it is called `Custom>LSTM`.
 */
export function classOf({ class_name, module, registered_name }: Readonly<Record<string, unknown>>): string {
  const isOwn = typeof module === "string" ? !/^(keras|tf_keras|tensorflow)\b/.test(module) : typeof registered_name === "string";
  return isOwn ? `Custom>${class_name}` : String(class_name);
}

/** `layer lstm (LSTM)` */
export function describeLayer({ name, type }: Pick<Layer, "name" | "type">): string {
  return `layer ${name} (${type})`;
}

/** Throws DataError where the layer is given one row instead of steps. */
export function requireSequence({ isSequence }: PlanDraft, layer: Layer, source: string): void {
  if (!isSequence)
    rejectFile(source, `${describeLayer(layer)} is given one row instead of steps`, "the config is damaged: save the model again");
}

/**
 * A layer that does not know masks reads masked steps, too, and hands no mask on (supports_masking in keras/src/layers/layer.py and
 * keras/engine/base_layer.py). Where Masking(0) alone stands in front, its rows are zeros as they were. Throws DataError where such steps
 * hold anything else.
 */
export function dropMask(draft: PlanDraft, layer: Layer, source: string): void {
  if (draft.mask === null) return;
  if (draft.isCarried || draft.mask !== 0)
    rejectFile(
      source,
      `${describeLayer(layer)} reads the steps that are masked, as Keras has it`,
      `quickstep passes over such steps in all layers; ${SECOND_ENGINE}`,
    );
  draft.mask = null;
  draft.findings.push(`${describeLayer(layer)} drops the mask in front of it, as Keras ${draft.major} does: Masking has no effect`);
}

/** Throws DataError: the layer is called with a mask that is not the one of its input. */
export function rejectMask(layer: Layer, source: string): never {
  rejectFile(
    source,
    `${describeLayer(layer)} is given a mask that is not that of its input`,
    `quickstep knows Masking's; ${SECOND_ENGINE}`,
  );
}

/** The array of `shape`. Throws DataError where there is another, or none. */
export function expectShape(layer: Layer, weights: Weights | undefined, shape: readonly number[], source: string): Float64Array {
  if (weights === undefined || JSON.stringify(weights.shape) !== JSON.stringify(shape))
    return rejectFile(
      source,
      `${describeLayer(layer)} has weights of shape ${weights ? `(${weights.shape.join(", ")})` : "none"}, expected (${shape.join(", ")})`,
      "the file is damaged, or saved without its weights: save the whole model",
    );
  return weights.data;
}

/** A whole number from 1 to `max` in the layer's settings under `key`. Throws DataError. */
export function sizeIn(layer: Layer, key: string, max: number, source: string): number {
  const value = layer.config[key] ?? undefined;
  const size = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof size !== "number" || !Number.isInteger(size) || size < 1 || size > max)
    return rejectFile(source, `${describeLayer(layer)} has ${key} ${JSON.stringify(value)}`, `expected 1 to ${max}`);
  return size;
}
