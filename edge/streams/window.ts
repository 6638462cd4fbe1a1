// A key's window: its last T events by timestamp, and what it scores. Pure.
// Legend: T steps, F features.
import { labelAt, score } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { type Shape, validRows, widthWithoutTime } from "../../shared/sequence.ts";
import type { Ready } from "../models/servable-model.ts";
import type { LatestStatics } from "./latest-statics.ts";

export interface WindowRow {
  readonly seq: number;
  readonly source: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Without the time: whole, or without what is given once a sequence; NaN where a number is missing. */
  readonly values: readonly number[];
}

/**
 * The window with `row` at its place: by timestamp, and behind those of the same. The oldest gives way where there were T
 * already; undefined where that would be `row` itself: it is late.
 */
export function placeRow(window: readonly WindowRow[], row: WindowRow, T: number): readonly WindowRow[] | undefined {
  let at = window.length;
  while (at > 0 && window[at - 1].timestamp > row.timestamp) at--;
  if (at === 0 && window.length >= T) return undefined;
  return window.toSpliced(at, 0, row).slice(-T);
}

/** The numbers of a row of the window, without its time: what is given once a sequence is the latest, where that is known. */
export function completeRow(values: readonly number[], latest: LatestStatics | undefined, shape: Shape): readonly number[] {
  const { statics = 0 } = shape;
  return latest === undefined ? values : [...values.slice(0, widthWithoutTime(shape) - statics), ...latest.values];
}

/** The same (F) with the time, as the model takes a row. */
export function timedRow({ values, timestamp }: WindowRow, latest: LatestStatics | undefined, shape: Shape): readonly number[] {
  const row = completeRow(values, latest, shape);
  return shape.clock ? [...row, timestamp / 1000] : row;
}

/** Scores a window (T,F) just as /v1/score does, but nobody hears of it: (1) probabilities, and what the answer says. Throws SequenceError where no row is valid. */
export function scoreWindow({ model, engine, log }: Ready, values: Float64Array) {
  const { probabilities, outOfRange } = score(model, engine, log, values, () => ["sequence"]);
  const [point] = model.operatingPoints;
  const [probability] = probabilities;
  const said = { operatingPoint: point.name, probability, label: labelAt(point, probability) };
  return { probabilities, said: outOfRange[0] === 1 ? { ...said, outOfRange: true as const } : said };
}

/** By which the outcome of an event's prediction can be told: no id of another kind begins as this does. */
export function eventPredictionId(key: string, source: string, id: string): string {
  return JSON.stringify([key, source, id]);
}

/** `filled` rows, or the valid ones of a window (T,F), are fewer than the shortest sequence in training has. */
export function isWarming(ready: Ready, values: Float64Array, filled: number): boolean {
  return Math.min(filled, countValid(ready, values)) < Math.max(1, ready.model.recipe.lengths[0]);
}

/** How many rows of a window (T,F) are no padding. */
export function countValid({ model: { recipe } }: Ready, values: Float64Array): number {
  return validRows(values, 0, shapeOf(recipe), recipe.padding, new Int32Array(recipe.timesteps));
}

/** Up to T rows as a window (T,F), zeros in front. What is static is the last row's in all rows: the latest that is known. */
export function alignRows({ model }: Ready, rows: readonly (readonly number[])[]): Float64Array {
  const { timesteps: T, features: F, statics = 0, clock } = shapeOf(model.recipe);
  const values = new Float64Array(T * F);
  for (let t = 0; t < rows.length; t++) values.set(rows[t], (T - rows.length + t) * F);
  const end = T * F - (clock ? 1 : 0);
  if (statics > 0) for (let t = 0; t < T - 1; t++) values.set(values.subarray(end - statics, end), end - statics - (T - 1 - t) * F);
  return values;
}
