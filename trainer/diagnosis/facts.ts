// Facts about the data, as numbers: scales, movement, padding, and features that add nothing. Nothing is trained, and labels are not
// looked at.
// Legend: N sequences, T steps, F features.
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { placeZeroRows } from "../data/sequences.ts";
import { type FeatureFacts, type Relation, studyFeatures } from "../features/facts.ts";
import type { FeatureSummary } from "./diagnosis.ts";
import type { DataFinding, StillFeature, UnscaledFeature } from "./finding.ts";

export interface DataFacts {
  /** Over valid rows. */
  readonly features: FeatureFacts;
  /** What all-zero rows are taken for: padding in front, or anywhere where they stand behind as well. */
  readonly reading: Padding;
  /** (F) share of a feature's variance that lies within sequences; 1 for a constant. */
  readonly within: Float64Array;
  /** (F) standard deviation of a feature's change from row to row, in its own; 1.4 where rows are unrelated, 0 for a constant. */
  readonly movement: Float64Array;
  /** (F) share of a feature's numbers that are 0. */
  readonly zeros: Float64Array;
  readonly padding: PaddingFacts;
  /** Features that are constant, or follow from others. */
  readonly findings: readonly DataFinding[];
}

export interface PaddingFacts {
  /** All-zero rows in front, behind, and between others, as shares of all rows. */
  readonly front: number;
  readonly behind: number;
  readonly inside: number;
  /** Sequences that have any in front or behind, of all. */
  readonly sequences: number;
}

/** A spread or offset this far from 1 saturates gates, or drowns in the bias (start values of the TFDV and Karpathy checklists). */
const SPREAD = [0.2, 5] as const;
const OFFSET = 5;
/** A change from row to row, or a difference of two features, that is smaller against the levels may be hidden in them. */
export const SMALL = 0.7;

/** Whether a feature moves, but little against its levels. A feature that never moves within a sequence has no movement to show. */
export function isStill(movement: number): boolean {
  return movement > 0 && movement < SMALL;
}

/** A change from row to row below this share of the levels' spread is called tiny. */
const TINY = 0.1;

/** Whether any of `features` moves so little that its levels are all that a network sees. */
export function isAnyTiny(features: readonly StillFeature[]): boolean {
  return features.some(({ movement }) => movement < TINY);
}

/** Gaps of a feature in fewer rows are not worth an experiment. */
const LACKING = 0.01;

/** Zero rows behind others are padding too, not accidents, from this share of all rows on. */
const PADDED_BEHIND = 0.01;

/** Facts of all sequences of `values` (N,T,F), finite, or NaN where a number is missing. */
export function studyData(values: Float64Array, shape: Shape): DataFacts {
  const N = values.length / (shape.timesteps * shape.features);
  const padding = studyPadding(values, shape);
  const reading: Padding = padding.behind >= PADDED_BEHIND ? "any" : "leading";
  const features = studyFeatures(
    values,
    shape,
    Int32Array.from({ length: N }, (_, n) => n),
    reading,
  );
  const findings = [
    ...features.constant.map(
      (feature): DataFinding => ({
        code: "constant-feature",
        feature,
        value: Number.isFinite(features.lowest[feature]) ? features.lowest[feature] : null,
      }),
    ),
    ...features.relations.map((relation): DataFinding => ({ code: "redundant-feature", relation, isCopy: isCopy(relation) })),
  ];
  return { features, reading, ...studyRows(values, shape, reading, features), padding, findings };
}

function isCopy({ constant, terms }: Relation): boolean {
  return constant === 0 && terms.length === 1 && Math.abs(terms[0].coefficient - 1) < 1e-9;
}

/** Features whose spread, or offset, keeps a network that is not given standardised inputs from seeing them. */
export function findUnscaledFeatures({ features: { mean, deviation, constant } }: DataFacts): UnscaledFeature[] {
  return Array.from(mean.keys()).flatMap((feature): UnscaledFeature[] => {
    if (constant.includes(feature)) return [];
    const fact = { feature, mean: mean[feature], deviation: deviation[feature] };
    const isSpread = fact.deviation < SPREAD[0] || fact.deviation > SPREAD[1] || Math.abs(fact.mean) > SPREAD[1];
    if (isSpread) return [{ ...fact, reason: "spread" }];
    return Math.abs(fact.mean) / fact.deviation > OFFSET ? [{ ...fact, reason: "offset" }] : [];
  });
}

/** Features whose change from row to row is small against how far they spread, the smallest change first. */
export function findStillFeatures({ features, movement }: DataFacts): StillFeature[] {
  return Array.from(movement.keys())
    .filter((f) => !features.constant.includes(f) && isStill(movement[f]))
    .map((feature) => ({ feature, movement: movement[feature] }))
    .sort((a, b) => a.movement - b.movement);
}

/** Features that lack enough numbers to be worth an experiment, and the share of the valid rows in which they do. */
export function findFeaturesWithGaps({ features: { missing, rows } }: DataFacts): { readonly feature: number; readonly missing: number }[] {
  return Array.from(missing, (count, feature) => ({ feature, missing: count / rows })).filter((fact) => fact.missing >= LACKING);
}

/** The facts of each feature, by its name in `names` (F). */
export function summariseFeatures({ features, within, zeros }: DataFacts, names: readonly string[]): FeatureSummary[] {
  const { lowest, highest, mean, deviation, missing, rows } = features;
  return names.map((name, f) => ({
    name,
    lowest: lowest[f],
    highest: highest[f],
    mean: mean[f],
    deviation: deviation[f],
    within: within[f],
    zeros: zeros[f],
    missing: missing[f] / rows,
  }));
}

function studyRows(
  values: Float64Array,
  shape: Shape,
  reading: Padding,
  { deviation }: FeatureFacts,
): Pick<DataFacts, "within" | "movement" | "zeros"> {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const inside = new Float64Array(F);
  const steps = new Float64Array(F);
  const zeros = new Float64Array(F);
  const numbers = new Float64Array(F);
  const pairs = new Float64Array(F);
  for (let offset = 0; offset < values.length; offset += T * F) {
    const length = validRows(values, offset, shape, reading, rows);
    const at = (t: number, f: number): number => values[offset + rows[t] * F + f];
    for (let f = 0; f < F; f++) {
      let count = 0;
      for (let t = 0; t < length; t++) if (!Number.isNaN(at(t, f))) count++;
      let mean = 0;
      for (let t = 0; t < length; t++) if (!Number.isNaN(at(t, f))) mean += at(t, f) / count;
      numbers[f] += count;
      for (let t = 0; t < length; t++) {
        const x = at(t, f);
        if (Number.isNaN(x)) continue;
        inside[f] += (x - mean) ** 2;
        if (x === 0) zeros[f]++;
        if (t === 0 || Number.isNaN(at(t - 1, f))) continue;
        steps[f] += (x - at(t - 1, f)) ** 2;
        pairs[f]++;
      }
    }
  }
  return {
    zeros: zeros.map((count, f) => (numbers[f] === 0 ? 0 : count / numbers[f])),
    within: inside.map((sum, f) => (deviation[f] === 0 ? 1 : sum / numbers[f] / deviation[f] ** 2)),
    movement: steps.map((sum, f) => (deviation[f] === 0 || pairs[f] === 0 ? 0 : Math.sqrt(sum / pairs[f]) / deviation[f])),
  };
}

function studyPadding(values: Float64Array, shape: Shape): PaddingFacts {
  const { front, behind, inside, sequences } = placeZeroRows(values, shape);
  const N = values.length / (shape.timesteps * shape.features);
  const rows = N * shape.timesteps;
  return { front: front / rows, behind: behind / rows, inside: inside / rows, sequences: sequences / N };
}
