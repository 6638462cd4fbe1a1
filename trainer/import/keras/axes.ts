// What Keras' layers and operations that only move numbers make of the axes behind the batch: Flatten, Reshape, Permute, RepeatVector,
// ExpandDims, Squeeze (keras.io/api/layers/reshaping_layers, keras.io/api/ops/numpy).
// Legend: T steps.
import type { Layer } from "./layer.ts";

/** All steps, all numbers of a step, or as many as are said. */
export type Axis = "steps" | "width" | number;

type Move = (config: Layer["config"], axes: readonly Axis[]) => readonly Axis[] | undefined;

const MOVES: ReadonlyMap<string, Move> = new Map<string, Move>([
  ["Flatten", (_, axes) => (axes.filter((axis) => axis !== 1).length === 1 ? axes.filter((axis) => axis !== 1) : undefined)],
  ["Permute", ({ dims }, axes) => permute([dims].flat().map(Number), axes)],
  ["RepeatVector", ({ n }, axes) => (axes.length === 1 && typeof n === "number" ? [n, axes[0]] : undefined)],
  ["ExpandDims", ({ axis }, axes) => axes.toSpliced(placeOf(axis, axes.length + 1), 0, 1)],
  ["Squeeze", ({ axis }, axes) => (axes[placeOf(axis, axes.length)] === 1 ? axes.toSpliced(placeOf(axis, axes.length), 1) : undefined)],
]);

/** Whether a layer only moves numbers. */
export function movesAxes({ type }: Pick<Layer, "type">): boolean {
  return type === "Reshape" || MOVES.has(type);
}

/**
 * The axes behind a layer that only moves numbers, and the widths that its settings name. A width of 1 that is not yet known is "width". Undefined
 * where axes are mixed with each other.
 */
export function moveAxes(
  { type, config }: Pick<Layer, "type" | "config">,
  axes: readonly Axis[],
  T: number | null,
): { readonly axes: readonly Axis[]; readonly widths: readonly number[] } | undefined {
  // What follows scores of one number a step, whose width is checked with the weights
  const known =
    axes.length === 2 && axes.includes("steps") && type !== "Permute" ? axes.map((axis) => (axis === "width" ? 1 : axis)) : axes;
  if (type === "Reshape") return reshape(config.target_shape, known, T);
  const moved = MOVES.get(type)?.(config, known);
  return moved && { axes: moved, widths: [] };
}

/** The axis that a softmax is over, counted behind the batch; of an Activation the last. */
export function softmaxAxis({ config }: Layer, axes: number): number {
  return placeOf(config.axis ?? -1, axes);
}

/** Where an axis of a setting, which counts the batch, or from the end, is among those behind the batch; NaN of several. */
export function placeOf(axis: unknown, axes: number): number {
  const [place = Number.NaN, ...more] = [axis].flat().map(Number);
  return more.length > 0 ? Number.NaN : place < 0 ? axes + place : place - 1;
}

function permute(dims: readonly number[], axes: readonly Axis[]): readonly Axis[] | undefined {
  const isOrder = dims.length === axes.length && axes.every((_, k) => dims.includes(k + 1));
  return isOrder ? dims.map((dim) => axes[dim - 1]) : undefined;
}

/** Axes of one number come and go beside the one axis that has more. */
function reshape(shape: unknown, axes: readonly Axis[], T: number | null) {
  const target = [shape].flat().map(Number);
  const [long, ...others] = axes.filter((axis) => axis !== 1);
  const [said, ...more] = target.filter((size) => size !== 1);
  if (long === undefined || said === undefined || others.length > 0 || more.length > 0) return undefined;
  if (said !== -1 && typeof long === "number" && said !== long) return undefined;
  if (said !== -1 && long === "steps" && said !== T) return undefined;
  return { axes: target.map((size) => (size === 1 ? 1 : long)), widths: long === "width" && said !== -1 ? [said] : [] };
}
