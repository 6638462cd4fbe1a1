// Attention pooling, as functional Keras models write it: scores, a softmax over steps, and the sum of the steps that it weights. The layers that
// say so together (Softmax, Dot or Multiply, and what only moves axes between them) are read as one.
// Legend: T steps, W width.
import { dividedBy, widthBehind } from "../contract/draft-layers.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { activationName, runActivation } from "./activations.ts";
import { type Axis, moveAxes, movesAxes, placeOf, softmaxAxis } from "./axes.ts";
import type { Step } from "./chain.ts";
import {
  type Attention,
  type BuiltLayer,
  type BuiltLayers,
  describeLayer,
  dropMask,
  type Layer,
  type PlanDraft,
  type PlannedBranches,
  rejectMask,
  type Signal,
} from "./layer.ts";
import { rejectLayer } from "./layers.ts";

/** The steps of one attention pooling: what is weighted, what makes the scores, and the softmax over them. */
interface Pooling {
  readonly values: readonly Step[];
  readonly scores: readonly Step[];
  readonly softmax: Step;
  /** The first layer behind the scores, which drops their mask. */
  readonly behind: Step;
  /** How many steps behind the merging layer belong to the pooling. */
  readonly taken: number;
  readonly isMean: boolean;
  readonly leavesOneStep: boolean;
  readonly widths: readonly number[];
}

/**
 * Plans the attention pooling that `steps` begin with: adds it to the draft and says how many steps it takes. 0 where they begin with anything else.
 * `plan` plans branches. Throws DataError where steps are weighted so, and something else than their sum follows.
 */
export function planAttention(
  draft: PlanDraft,
  steps: readonly Step[],
  plan: (branches: readonly (readonly Step[])[]) => PlannedBranches,
  source: string,
): number {
  const found = draft.isSequence ? findPooling(steps, draft.steps, source) : undefined;
  const { layer } = steps[0];
  if (found === undefined && layer.type === "Dot")
    rejectFile(
      source,
      `${describeLayer(layer)} multiplies branches, of which none ends in a softmax over steps`,
      `quickstep sums by Dot what a softmax weights; ${SECOND_ENGINE}`,
    );
  if (found === undefined) return 0;
  const planned = plan([found.values, found.scores]);
  if (!draft.isSequence)
    rejectFile(source, `${describeLayer(layer)} weights one row`, `quickstep weights the steps of a sequence; ${SECOND_ENGINE}`);
  const isMasked = found.softmax.isGivenMask === true;
  settleMask(draft, found, isMasked, source);
  if (found.isMean && draft.steps === null)
    rejectFile(
      source,
      `${describeLayer(steps[1].layer)} divides the weighted sum by a number of steps that the file leaves open`,
      "save a model with a fixed number of steps, or sum with Dot",
    );
  const attention = { isMasked, widths: found.widths, ...(found.isMean && { mean: draft.steps! }) };
  draft.planned.push({ ...planned, attention });
  [draft.isSequence, draft.steps, draft.mask] = [found.leavesOneStep, 1, null];
  return found.taken;
}

/** A mask that the softmax is given is read; each other is dropped in front of it. Throws DataError where masked steps weigh something. */
function settleMask(draft: PlanDraft, { softmax, behind, isMean }: Pooling, isMasked: boolean, source: string): void {
  const what = describeLayer(softmax.layer);
  if (isMasked && draft.mask === null) rejectMask(softmax.layer, source);
  if (draft.mask !== null && isMean)
    rejectFile(source, `${what} weights masked steps, of which a mean is taken`, `quickstep takes a sum of them; ${SECOND_ENGINE}`);
  if (isMasked) draft.readMask = draft.mask;
  else dropMask(draft, behind.layer, source);
}

/** The pooling that steps begin with: a layer that multiplies weights and values, and what sums the products. */
function findPooling(steps: readonly Step[], T: number | null, source: string): Pooling | undefined {
  const [{ layer, branches = [] }, next] = steps;
  if (branches.length !== 2 || (layer.type !== "Dot" && layer.type !== "Multiply")) return undefined;
  const weighted = branches.map((branch) => findWeights(branch, T, source));
  const at = weighted.findIndex((one) => one !== undefined);
  const weights = weighted[at];
  if (weights === undefined) return undefined;
  const [values, valueAxes] = withoutMoves(branches[1 - at], T);
  const order = at === 0 ? [weights.axes, valueAxes] : [valueAxes, weights.axes];
  const parts = { ...weights, values };
  if (layer.type === "Dot") return { ...parts, ...findSum(steps, order, T, source), isMean: false };
  const [axes, other] = [weights.axes, valueAxes];
  if (axes.length !== 2 || axes[0] !== "steps" || other[0] !== "steps" || other[1] !== "width" || typeof axes[1] !== "number")
    return rejectFile(
      source,
      `${describeLayer(layer)} weights (${other.join(", ")}) by (${axes.join(", ")})`,
      `quickstep weights each step by one number; ${SECOND_ENGINE}`,
    );
  const isMean = next?.layer.type === "GlobalAveragePooling1D" && next.layer.config.keepdims !== true;
  const isSum = next?.layer.type === "Sum" && next.layer.config.keepdims !== true && [1, -2].includes(Number(next.layer.config.axis));
  if (next?.layer.type === "Lambda") rejectLayer(next.layer, source);
  if (!isMean && !isSum)
    return rejectFile(
      source,
      `${describeLayer(layer)} weights steps by a softmax over them, and ${next ? describeLayer(next.layer) : "nothing"} follows`,
      `quickstep sums such steps (Dot, GlobalAveragePooling1D); ${SECOND_ENGINE}`,
    );
  return { ...parts, isMean, taken: 2, leavesOneStep: false, widths: axes[1] === 1 ? [] : [axes[1]] };
}

/** What a Dot over steps leaves, and the layers behind it that only move axes. Throws DataError where it is no sum over steps. */
function findSum(
  steps: readonly Step[],
  order: readonly (readonly Axis[])[],
  T: number | null,
  source: string,
): Pick<Pooling, "taken" | "leavesOneStep" | "widths"> {
  const { layer } = steps[0];
  const said = [layer.config.axes].flat().map(Number);
  const over = said.length === 1 ? [said[0], said[0]] : said;
  const places = order.map((axes, k) => placeOf(over[k], axes.length));
  if (layer.config.normalize === true || over.length !== 2 || order.some((axes, k) => axes[places[k]] !== "steps"))
    rejectFile(
      source,
      `${describeLayer(layer)} multiplies (${order[0].join(", ")}) and (${order[1].join(", ")}) over the axes ${over.join(", ")}`,
      `quickstep sums over steps what their softmax weights; ${SECOND_ENGINE}`,
    );
  let axes: readonly Axis[] = order.flatMap((each, k) => each.filter((_, place) => place !== places[k]));
  const widths: number[] = [];
  let taken = 1;
  for (const { layer: next, branches } of steps.slice(1)) {
    const moved = branches || !movesAxes(next) ? undefined : moveAxes(next, axes, T);
    if (moved === undefined || axes.length === 1) break;
    axes = moved.axes;
    widths.push(...moved.widths);
    taken++;
  }
  const isRow = axes.length === 1 && axes[0] === "width";
  const leavesOneStep = axes.length === 2 && axes[0] === 1 && axes[1] === "width";
  if (!isRow && !leavesOneStep)
    rejectFile(
      source,
      `${describeLayer(layer)} leaves (${axes.join(", ")})`,
      `quickstep reads one row of it: put Flatten behind; ${SECOND_ENGINE}`,
    );
  return { taken, leavesOneStep, widths };
}

/** Scores and the softmax over steps that a branch ends in; undefined where it ends in something else. Throws DataError for one over another axis. */
function findWeights(branch: readonly Step[], T: number | null, source: string) {
  const at = branch.findLastIndex(({ layer, branches }) => branches !== undefined || !isStill(layer.type));
  const softmax = branch[at];
  if (softmax === undefined || softmax.branches || !isSoftmax(softmax)) return undefined;
  const [scores, given] = withoutMoves(branch.slice(0, at), T);
  const scored = given.map((axis) => (axis === "width" ? 1 : axis));
  if (!scored.includes("steps")) return undefined;
  const over = softmaxAxis(softmax.layer, scored.length);
  if (scored[over] !== "steps")
    return rejectFile(
      source,
      `${describeLayer(softmax.layer)} is over the numbers of each step, not over steps`,
      `quickstep weights steps by a softmax over them (axis=1, or Flatten in front); ${SECOND_ENGINE}`,
    );
  let axes: readonly Axis[] = scored;
  for (const { layer } of branch.slice(at + 1).filter((step) => movesAxes(step.layer))) {
    const moved = moveAxes(layer, axes, T);
    if (moved === undefined) return rejectFile(source, `${describeLayer(layer)} moves weights of steps`, SECOND_ENGINE);
    axes = moved.axes;
  }
  return { scores, softmax, behind: branch[scores.length], axes };
}

function isSoftmax({ layer }: Step): boolean {
  return layer.type === "Softmax" || (layer.type === "Activation" && activationName(layer.config.activation) === "softmax");
}

/** Moves numbers, or does nothing when a model is used. */
function isStill(type: string): boolean {
  return type === "Dropout" || movesAxes({ type });
}

/** Steps without those at the end that only move axes, and what these make of rows. */
function withoutMoves(steps: readonly Step[], T: number | null): [readonly Step[], readonly Axis[]] {
  const count = steps.findLastIndex(({ layer, branches }) => branches !== undefined || !isStill(layer.type)) + 1;
  let axes: readonly Axis[] = ["steps", "width"];
  for (const { layer } of steps.slice(count)) if (movesAxes(layer)) axes = moveAxes(layer, axes, T)?.axes ?? [];
  return [steps.slice(0, count), axes];
}

/** The pooling with its weights, of what is weighted and of what makes the scores. Throws DataError where a step has several scores. */
export function buildAttention(
  layer: Layer,
  { mean, widths, isMasked }: Attention,
  [values, scores]: readonly BuiltLayers[],
  W: number,
  source: string,
): BuiltLayer {
  const [width, count] = [widthBehind(values.layers, W), widthBehind(scores.layers, W)];
  if (count !== 1)
    rejectFile(
      source,
      `${describeLayer(layer)} is given ${count} scores for each step`,
      `quickstep weights a step by one; ${SECOND_ENGINE}`,
    );
  const other = widths.find((named) => named !== width);
  if (other !== undefined)
    rejectFile(
      source,
      `${describeLayer(layer)} weights rows of ${width} numbers, as ${other}`,
      "the config is damaged: save the model again",
    );
  return {
    layers: [
      { kind: "branches", merge: "concat", branches: [values.layers, scores.layers] },
      { kind: "attentionPooling" },
      ...(mean === undefined ? [] : [dividedBy(mean, width)]),
    ],
    words: `attention(${scores.built.map(({ words }) => words).join(" → ")})${mean === undefined ? "" : `/${mean}`}`,
    run(signal) {
      const [rows, scored] = [values, scores].map(({ built }) => built.reduce((given: Signal, one) => one.run(given), signal).rows);
      const masked = Float64Array.from(scored, ([score], t) => (isMasked && signal.mask?.[t] === false ? Number.NEGATIVE_INFINITY : score));
      const weights = runActivation({ kind: "softmax" }, masked);
      const sum = rows[0].map((_, w) => rows.reduce((part, row, t) => part + (weights[t] / (mean ?? 1)) * row[w], 0));
      return { rows: [sum], mask: null };
    },
  };
}
