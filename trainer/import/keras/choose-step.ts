// x[:, -1] and x[:, 0] of functional Keras models: one step of all, as Keras 3 (GetItem) and tf.keras (SlicingOpLambda) write it.
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { type BuiltLayer, describeLayer, dropMask, type Layer, type PlanDraft, type PlannedLayer, requireSequence } from "./layer.ts";

/** Adds the choice of a step to the draft. Throws DataError for any other part, and where the step may be a masked one that holds something else. */
export function planChoice(draft: PlanDraft, layer: Layer, source: string): void {
  requireSequence(draft, layer, source);
  if (choiceOf(layer) === undefined)
    rejectFile(
      source,
      `${describeLayer(layer)} takes a part of its input by an index`,
      `quickstep takes the last step, [:, -1], or the first, [:, 0]; ${SECOND_ENGINE}`,
    );
  dropMask(draft, layer, source);
  [draft.isSequence, draft.steps] = [false, 1];
}

/** The last step or the first. */
export function buildChoice({ layer }: PlannedLayer): BuiltLayer {
  const by = choiceOf(layer)!;
  return {
    layers: [{ kind: "globalPooling", by: [by] }],
    run: ({ rows }) => ({ rows: [rows[by === "last" ? rows.length - 1 : 0]], mask: null }),
    words: `${by} step`,
  };
}

/** Undefined where the index is another than [:, -1], [:, 0], or these with all numbers of the step behind. */
function choiceOf({ config }: Layer): "last" | "first" | undefined {
  const [sequences, step, numbers, ...more] = Array.isArray(config.index) ? (config.index as readonly unknown[]) : [];
  if (!isWhole(sequences) || (numbers !== undefined && !isWhole(numbers)) || more.length > 0) return undefined;
  return step === -1 ? "last" : step === 0 ? "first" : undefined;
}

/** Whether a part of an index is `:`. */
function isWhole(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return false;
  const inner = "config" in part ? part.config : part;
  if (typeof inner !== "object" || inner === null || !("start" in inner && "stop" in inner && "step" in inner)) return false;
  return inner.start === null && inner.stop === null && inner.step === null;
}
