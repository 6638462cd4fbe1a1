// A Keras model from its plan and its weights: the network in our layers, and Keras' own forward pass in float64. Knows no file.
// Legend: T steps, F features, W width.
import { logitOf, settleLayers } from "../contract/draft-layers.ts";
import { splitFront } from "../contract/front.ts";
import { type ImportedNetwork, sigmoid } from "../contract/imported-network.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { allLayers, buildLayers } from "./branches.ts";
import type { KerasPlan } from "./config.ts";
import { type BuiltLayer, describeLayer, type Layer, type Signal, type Weights } from "./layer.ts";

/** What a person says of the model's output. */
export interface OutputSaid {
  /** Whether the model answers logits, behind which a sigmoid stands. */
  readonly isLogit: boolean;
}

/** `weightsOf` gives a layer's float arrays in Keras' order; `format` is what the card says of the file. Throws DataError. */
export function buildKeras(
  plan: KerasPlan,
  weightsOf: (layer: Layer) => readonly Weights[],
  format: string,
  source: string,
  { isLogit }: OutputSaid,
): ImportedNetwork {
  const ownOf = (layer: Layer) => weightsOf(layer).slice(layer.saved?.from, layer.saved?.to);
  const weights = new Map(allLayers(plan.planned).map((layer) => [layer, ownOf(layer)]));
  const F = featuresOf(plan, [...weights.values()], source);
  const { built, layers: computed } = buildLayers(plan.planned, weights, F, source);
  const { front, layers } = splitFront(computed, F);
  const logit = logitOf(layers, F, isLogit);
  if (typeof logit === "string") return rejectEnd(plan, logit, source);
  const { mask } = plan;
  return {
    format,
    findings: describe(plan, built, F, logit.classes, isLogit),
    timesteps: plan.timesteps,
    padding: mask === null ? "none" : mask === 0 ? "any" : null,
    ...(mask && { mask }),
    front,
    network: settleLayers(logit.layers, F),
    forward(rows) {
      const { rows: answer } = built.reduce((signal: Signal, layer) => layer.run(signal), { rows: rowsOf(rows, F), mask: null });
      const [row] = answer;
      return isLogit ? sigmoid(row[0]) : row[row.length - 1];
    },
  };
}

function rowsOf(values: Float64Array, F: number): Float64Array[] {
  return Array.from({ length: values.length / F }, (_, t) => values.slice(t * F, (t + 1) * F));
}

function rejectEnd({ planned }: KerasPlan, end: string, source: string): never {
  const last = planned.at(-1);
  rejectFile(
    source,
    `${last ? describeLayer(last.layer) : "the model"} ${end}`,
    `quickstep answers the probability of a sigmoid of one number or a softmax of two (--logits where one number is a logit, trained with from_logits=True); ${SECOND_ENGINE}`,
  );
}

/** As the config says, else as the first layer's weights do. Throws DataError where they differ or neither does. */
function featuresOf({ features }: KerasPlan, weights: readonly (readonly Weights[])[], source: string): number {
  const shape = weights.flat()[0]?.shape;
  const F = features ?? shape?.at(shape.length === 3 ? 1 : 0);
  if (F === undefined || F < 1)
    return rejectFile(source, "does not say how many features it takes", "the file is damaged: save the whole model again");
  return F;
}

function describe(
  { mask, major, planned, ignored, findings }: KerasPlan,
  built: readonly BuiltLayer[],
  F: number,
  classes: 1 | 2,
  isLogit: boolean,
): string[] {
  const chain = built.map(({ words }) => words).join(" → ");
  const layers = allLayers(planned);
  const hard = layers.find(({ config }) => /hard/.test(JSON.stringify(config.recurrent_activation ?? "")));
  const isOld = major < 3;
  const backwards = layers.filter(({ config }) => config.go_backwards === true);
  return [
    `${chain}${classes === 2 ? ", whose second number is the probability of label 1" : ""} on ${F} features${ignored.length > 0 ? `; ${[...new Set(ignored)].join(", ")} ignored` : ""}`,
    ...(isLogit ? ["a sigmoid stands behind the last layer, as --logits says"] : []),
    ...(hard ? [`gates: hard_sigmoid, ${isOld ? "0.2 · x + 0.5, as Keras 1 and 2 have it" : "x / 6 + 0.5, as Keras 3 has it"}`] : []),
    describeMask(mask),
    ...backwards.map(({ name }) => `${name}: go_backwards: steps are read from the last to the first`),
    ...findings,
  ];
}

function describeMask(mask: number | null): string {
  if (mask === null) return "no Masking: all-zero rows are data (padding: none)";
  return mask === 0 ? "Masking(0): all-zero rows are passed over (padding: any)" : `Masking(${mask}): rows of ${mask} are passed over`;
}
