// What the importer knows of a Keras layer: the layer as its config describes it, and what a kind of layer adds to the plan of a model.
// Knows no kind.
// Legend: F features.

export interface Layer {
  /** The class: `LSTM`. */
  readonly type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
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
  /** The number whose rows are passed over; null: none is. */
  mask: number | null;
  readonly front: Layer[];
  lstm?: Layer;
  /** BatchNormalization between the LSTM and the Dense layer. */
  readonly behind: Layer[];
  dense?: Layer;
  /** Whether a sigmoid, or a softmax of two, follows the Dense layer. */
  isActivated: boolean;
  readonly ignored: string[];
  readonly findings: string[];
}

/** A layer in front of the LSTM, with its weights. */
export interface Stage {
  /** What the layer computes, as (x − mean) / scale; (F) each. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  /** One row (F), as Keras computes it. */
  apply(x: Float64Array): Float64Array;
}

/** One kind of layer: an entry of the table in layers.ts. */
export interface LayerKind {
  /** Whether a layer of this kind may stand behind what the draft holds. */
  fits(draft: PlanDraft, layer: Layer): boolean;
  /** Adds the layer to the draft. Throws DataError naming a setting that quickstep cannot compute. */
  add(draft: PlanDraft, layer: Layer, source: string): void;
  /** Of a kind in front of the LSTM: the stage from its weights. Throws DataError where the weights do not fit. */
  readonly readStage?: (layer: Layer, weights: readonly Weights[], F: number, source: string) => Stage;
  /** Where .keras files keep the arrays below the layer's folder; `vars` where nothing else is said. */
  readonly arraysFolder?: string;
  /** What is said of a layer that does not fit, where "is not supported here" would not do. */
  readonly misplaced?: { readonly problem: string; readonly fix: string };
}

/** `layer lstm (LSTM)` */
export function describeLayer({ name, type }: Layer): string {
  return `layer ${name} (${type})`;
}

/** `sigmoid`: a text, or the object that Keras 3 and 2.15 write for a function. Absent is `linear`. */
export function activationName(activation: unknown): string {
  if (typeof activation === "object" && activation !== null) {
    const { config, class_name } = activation as Record<string, unknown>;
    return typeof config === "string" ? config : String(class_name);
  }
  return String(activation ?? "linear");
}
