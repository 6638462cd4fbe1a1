// Branches of a functional Keras model, and the layers that merge them: Concatenate, Add, Subtract, Multiply, Average
// (keras.io/api/layers/merging_layers). Knows no layer of a branch.
// Legend: W width.
import { type DraftLayer, dividedBy, widthBehind } from "../contract/draft-layers.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { buildAttention } from "./attention.ts";
import type { Step } from "./chain.ts";
import {
  type BuiltLayer,
  type BuiltLayers,
  describeLayer,
  type Layer,
  type PlanDraft,
  type Planned,
  type PlannedBranches,
  type Signal,
  type Weights,
} from "./layer.ts";

/** What lies behind a layer that merges branches, each of which `plan` adds to a draft of its own. Throws DataError where they do not fit together. */
export function planBranches(
  draft: PlanDraft,
  layer: Layer,
  branches: readonly (readonly Step[])[],
  plan: (draft: PlanDraft, steps: readonly Step[]) => void,
  source: string,
): PlannedBranches {
  const drafts = branches.map((steps): PlanDraft => {
    const own: PlanDraft = { ...draft, planned: [...draft.planned] };
    plan(own, steps);
    return own;
  });
  const [first] = drafts;
  const what = describeLayer(layer);
  if (drafts.some(({ isSequence, steps }) => isSequence !== first.isSequence || steps !== first.steps))
    rejectFile(
      source,
      `${what} merges inputs of several shapes (${drafts.map(shapeOf).join(", ")})`,
      `quickstep merges rows with as many rows; ${SECOND_ENGINE}`,
    );
  if (layer.type === "Concatenate" && ![-1, first.isSequence ? 2 : 1].includes(Number(layer.config.axis ?? -1)))
    rejectFile(source, `${what} puts steps behind each other (axis ${String(layer.config.axis)})`, SECOND_ENGINE);
  const masks = drafts.map(({ mask, readMask }) => readMask ?? mask);
  if (masks.some((mask) => mask !== masks[0]) || (first.isSequence && drafts.some(({ mask }) => mask !== first.mask)))
    rejectFile(
      source,
      `${what} merges branches of which some pass over masked rows and some read them`,
      `quickstep passes over such rows in all; ${SECOND_ENGINE}`,
    );
  draft.readMask = drafts.find(({ readMask }) => readMask !== null)?.readMask ?? null;
  draft.mask = first.mask;
  draft.isCarried = drafts.some(({ isCarried }) => isCarried);
  [draft.isSequence, draft.steps] = [first.isSequence, first.steps];
  return { layer, branches: drafts.map(({ planned }) => planned.slice(draft.planned.length)) };
}

function shapeOf({ isSequence, steps }: PlanDraft): string {
  return isSequence ? `${steps ?? "all"} rows` : "one row";
}

/** Layers in a row with their weights, which are those of `allLayers`, given rows of width W. Throws DataError where weights do not fit. */
export function buildLayers(
  planned: readonly Planned[],
  weights: ReadonlyMap<Layer, readonly Weights[]>,
  W: number,
  source: string,
): BuiltLayers {
  const built: BuiltLayer[] = [];
  const layers: DraftLayer[] = [];
  for (const one of planned) {
    const width = widthBehind(layers, W);
    const layer =
      "branches" in one
        ? buildBranches(
            one,
            one.branches.map((branch) => buildLayers(branch, weights, width, source)),
            width,
            source,
          )
        : one.build(one, weights.get(one.layer)!, width, source);
    built.push(layer);
    layers.push(...layer.layers);
  }
  return { built, layers };
}

function buildBranches({ layer, attention }: PlannedBranches, branches: readonly BuiltLayers[], W: number, source: string): BuiltLayer {
  if (attention) return buildAttention(layer, attention, branches, W, source);
  const widths = branches.map(({ layers }) => widthBehind(layers, W));
  if (layer.type !== "Concatenate" && widths.some((width) => width !== widths[0]))
    rejectFile(
      source,
      `${describeLayer(layer)} merges rows of ${widths.join(" and ")} numbers`,
      `quickstep merges rows of one width; ${SECOND_ENGINE}`,
    );
  const merge = layer.type === "Concatenate" ? "concat" : layer.type === "Multiply" ? "mul" : "sum";
  const parts = branches.map(({ layers }, b) => (layer.type === "Subtract" && b > 0 ? [...layers, dividedBy(-1, widths[0])] : layers));
  const words = branches.map(({ built }) => built.map((one) => one.words).join(" → ") || "as it is").join(" | ");
  return {
    layers: [{ kind: "branches", merge, branches: parts }, ...(layer.type === "Average" ? [dividedBy(branches.length, widths[0])] : [])],
    words: `${layer.type}(${words})`,
    run(signal) {
      const left = branches.map(({ built }) => built.reduce((given: Signal, one) => one.run(given), signal));
      const rows = left[0].rows.map((_, r) =>
        mergeRows(
          layer.type,
          left.map((each) => each.rows[r]),
        ),
      );
      return { rows, mask: left[0].mask };
    },
  };
}

/** As keras/src/layers/merging has them. */
function mergeRows(type: string, rows: readonly Float64Array[]): Float64Array {
  const [first, ...others] = rows;
  switch (type) {
    case "Concatenate":
      return Float64Array.from(rows.flatMap((row) => [...row]));
    case "Multiply":
      return first.map((x, w) => others.reduce((product, row) => product * row[w], x));
    case "Subtract":
      return first.map((x, w) => others.reduce((difference, row) => difference - row[w], x));
    default: {
      const sum = first.map((x, w) => others.reduce((total, row) => total + row[w], x));
      return type === "Average" ? sum.map((x) => x / rows.length) : sum;
    }
  }
}

/** Every layer that is planned, those of branches among them; once where several branches have it. */
export function allLayers(planned: readonly Planned[]): Layer[] {
  return [...new Set(planned.flatMap((one) => ("branches" in one ? one.branches.flatMap(allLayers) : [one.layer])))];
}
