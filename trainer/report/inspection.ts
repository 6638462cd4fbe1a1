// What a data set holds, before anybody trains on it: each feature, lengths, copies, and what its owner should know. Knows no model.
// Legend: N sequences, T steps, F features.
import type { Input } from "../../shared/recipe/inputs.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { isZeroRow, type Shape } from "../../shared/sequence.ts";
import type { Timeline } from "../readers/batch.ts";
import type { ReadFacts } from "../readers/facts.ts";
import { findOverlap } from "../split/overlap.ts";
import { contradict, countOnes, type Labels } from "../statistics/labels.ts";
import type { TrainingFacts } from "./content.ts";
import { describeTraining } from "./data-facts.ts";
import { type FarNumbers, findFarNumbers } from "./far-numbers.ts";

/** The data set that is inspected. */
export interface Inspected {
  /** (N,T,F), NaN where a number is missing */
  readonly values: Float64Array;
  /** (N); null where there are none. */
  readonly labels: Labels | null;
  readonly float32: boolean;
  /** Of windows cut from rows of series, which share rows. */
  readonly timeline?: Timeline;
  /** What the features come from, where some are categories or given once a sequence. */
  readonly inputs?: readonly Input[];
  readonly facts: ReadFacts;
}

export interface InspectedFeature {
  readonly name: string;
  readonly type: "numbers" | "whole numbers" | "0 and 1" | "nothing";
  /** Of the numbers that are there; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  /** Numbers that are missing, outside padding; a row that several windows share counts once, and so does what is given once a sequence. */
  readonly gaps: number;
  readonly isConstant: boolean;
  /** Different numbers; `MAX_DISTINCT` stands for as many and more. */
  readonly distinct: number;
  /** Numbers that stand alone, where any does. */
  readonly far?: FarNumbers;
}

/** What settles each: an option, or what the owner may do. */
export type InspectionWarning =
  | { readonly code: "no-labels" | "float32" }
  | { readonly code: "one-class"; readonly label: number }
  | { readonly code: "too-few"; readonly sequences: number; readonly min: number }
  | { readonly code: "gaps"; readonly features: readonly { readonly feature: string; readonly gaps: number }[] }
  | { readonly code: "constant" | "empty"; readonly feature: string }
  | ({ readonly code: "far"; readonly feature: string } & FarNumbers)
  | { readonly code: "copies"; readonly copies: number; readonly contradictory: number }
  | { readonly code: "overlap"; readonly finding: "series" }
  | { readonly code: "zero-rows"; readonly rows: number };

export interface Inspection {
  readonly features: readonly InspectedFeature[];
  /** Distributions by class; without labels all sequences are of class 0. */
  readonly distributions: TrainingFacts;
  readonly isLabelled: boolean;
  /** Sequences equal to one before. */
  readonly copies: number;
  readonly warnings: readonly InspectionWarning[];
}

/** Different numbers are counted up to here. */
export const MAX_DISTINCT = 1000;
/** What training takes at least, as readers/dataset.ts has it. */
const MIN_SEQUENCES = 100;

/** Looks at everything once. All-zero rows before the first other row are padding. */
export function inspectData({ values, labels, float32, timeline, inputs, facts }: Inspected): Inspection {
  const { features: names, sequences: N } = facts;
  const recipe = { timesteps: facts.shape.timesteps, features: names, padding: "leading" as const, ...(inputs && { inputs }) };
  const shape = shapeOf(recipe);
  const features = describeFeatures(values, names, listRows(values, shape, timeline), {
    from: names.length - (shape.statics ?? 0),
    rows: Array.from({ length: N }, (_, n) => (n + 1) * shape.timesteps - 1),
  });
  const distributions = describeTraining(
    recipe,
    values,
    labels ?? new Uint8Array(N),
    Int32Array.from({ length: N }, (_, n) => n),
  );
  const overlap = findOverlap(values, shape, "leading");
  const { copies, contradictory } = countCopies(overlap.copy, overlap.distinct, labels);
  const positives = labels && countOnes(labels);
  const gappy = features.filter(({ gaps, type }) => gaps > 0 && type !== "nothing").map(({ name, gaps }) => ({ feature: name, gaps }));
  const warnings: InspectionWarning[] = [
    ...(labels === null ? [{ code: "no-labels" as const }] : []),
    ...(positives === 0 || positives === N ? [{ code: "one-class" as const, label: positives === 0 ? 0 : 1 }] : []),
    ...(N < MIN_SEQUENCES ? [{ code: "too-few" as const, sequences: N, min: MIN_SEQUENCES }] : []),
    ...(gappy.length > 0 ? [{ code: "gaps" as const, features: gappy }] : []),
    ...features.flatMap(({ name, isConstant, type, far }): InspectionWarning[] => [
      ...(type === "nothing" ? [{ code: "empty" as const, feature: name }] : []),
      ...(isConstant ? [{ code: "constant" as const, feature: name }] : []),
      ...(far ? [{ code: "far" as const, feature: name, ...far }] : []),
    ]),
    ...(copies > 0 ? [{ code: "copies" as const, copies, contradictory }] : []),
    ...(overlap.finding === "series" && facts.series === null ? [{ code: "overlap" as const, finding: "series" as const }] : []),
    ...(distributions.zeroRows > 0 ? [{ code: "zero-rows" as const, rows: distributions.zeroRows }] : []),
    ...(float32 ? [{ code: "float32" as const }] : []),
  ];
  return { features, distributions, isLabelled: labels !== null, copies, warnings };
}

/** Positions of the rows that are not all zero. Windows of one series come in its order: of each, what the windows before it did not have. */
function listRows(values: Float64Array, shape: Shape, timeline?: Timeline): number[] {
  const { timesteps: T, features: F } = shape;
  const isZero = (row: number): boolean => isZeroRow(values, row * F, shape);
  const rows: number[] = [];
  const seen = new Map<number, number>(); // rows of a series
  for (let n = 0; n < values.length / (T * F); n++) {
    const from = timeline ? Math.max(0, (seen.get(timeline.series[n]) ?? 0) - timeline.start[n]) : 0;
    for (let row = n * T + from; row < (n + 1) * T; row++) if (!isZero(row)) rows.push(row);
    if (timeline) seen.set(timeline.series[n], timeline.start[n] + T);
  }
  return rows;
}

/** Each feature over these rows; those from number `statics.from` on, which are given once a sequence, over its last row. */
function describeFeatures(
  values: Float64Array,
  names: readonly string[],
  moving: readonly number[],
  statics: { readonly from: number; readonly rows: readonly number[] },
): InspectedFeature[] {
  const F = names.length;
  return names.map((name, f) => {
    const rows = f < statics.from ? moving : statics.rows;
    const distinct = new Set<number>();
    const numbers = new Float64Array(rows.length); // those that are no gaps, in front
    let [min, max, gaps, isWhole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, true];
    for (const [i, row] of rows.entries()) {
      const value = values[row * F + f];
      if (Number.isNaN(value)) {
        gaps++;
        continue;
      }
      numbers[i - gaps] = value;
      min = Math.min(min, value);
      max = Math.max(max, value);
      isWhole &&= Number.isInteger(value);
      if (distinct.size < MAX_DISTINCT) distinct.add(value);
    }
    const far = findFarNumbers(numbers.subarray(0, rows.length - gaps));
    const isEmpty = max < min;
    const isFlag = isWhole && min >= 0 && max <= 1;
    return {
      name,
      type: isEmpty ? "nothing" : isFlag ? "0 and 1" : isWhole ? "whole numbers" : "numbers",
      min: isEmpty ? null : min,
      max: isEmpty ? null : max,
      gaps,
      isConstant: min === max,
      distinct: distinct.size,
      ...(far && { far }),
    };
  });
}

/** Sequences equal to one before, and those among them whose label contradicts it. `copy` (N) numbers the distinct ones. */
function countCopies(copy: Int32Array, distinct: number, labels: Labels | null): { copies: number; contradictory: number } {
  const first = new Int32Array(distinct).fill(-1);
  let contradictory = 0;
  for (const [n, d] of copy.entries()) {
    if (first[d] < 0) first[d] = n;
    else if (labels && contradict(labels[first[d]], labels[n])) contradictory++;
  }
  return { copies: copy.length - distinct, contradictory };
}
