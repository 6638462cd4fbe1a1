// Plain facts about the data, with numbers: what a script as it was tried would stumble over, before anything is trained.
// Legend: N sequences, T steps, F features.
import { isZeroRow, type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { describeRelation, type FeatureFacts, studyFeatures } from "../features/facts.ts";
import { count, percent, short } from "../html/format.ts";
import type { Cause } from "./diagnose.ts";

export interface DataFacts {
  /** Over valid rows. */
  readonly features: FeatureFacts;
  /** What all-zero rows are taken for: padding in front, or anywhere where they stand behind as well. */
  readonly reading: Padding;
  /** (F) share of a feature's variance that lies within sequences; 1 for a constant. */
  readonly within: Float64Array;
  /** (F) standard deviation of a feature's change from row to row, in its own; 1.4 where rows are unrelated, 0 for a constant. */
  readonly movement: Float64Array;
  /** (F) share of the valid rows in which a feature is 0. */
  readonly zeros: Float64Array;
  readonly padding: PaddingFacts;
  readonly causes: readonly Cause[];
  readonly notes: readonly string[];
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
/** Zero rows behind others are padding too, not accidents, from this share of all rows on. */
const PADDED_BEHIND = 0.01;

/** `features` names; `labels` are of the same sequences, in the order of the file. */
export function studyData(values: Float64Array, labels: Uint8Array, shape: Shape, names: readonly string[]): DataFacts {
  const N = labels.length;
  const everything = Int32Array.from(labels.keys());
  const padding = studyPadding(values, shape);
  const reading: Padding = padding.behind >= PADDED_BEHIND ? "any" : "leading";
  const features = studyFeatures(values, shape, everything, reading);
  const { within, movement, zeros } = studyRows(values, shape, reading, features);
  const causes: Cause[] = [];
  for (const f of features.constant)
    causes.push({
      code: "constant-feature",
      certainty: "fact",
      evidence: `${names[f]} is ${features.lowest[f]} in every valid row: it tells nothing`,
      remedy: `leave ${names[f]} out`,
    });
  for (const relation of features.relations) {
    const text = describeRelation(relation, names);
    const isCopy = relation.constant === 0 && relation.terms.length === 1 && Math.abs(relation.terms[0].coefficient - 1) < 1e-9;
    causes.push({
      code: "redundant-feature",
      certainty: "fact",
      evidence: isCopy ? `${text}: two of the features are one` : `${text} to seven digits: ${names[relation.feature]} tells nothing new`,
      remedy: `leave ${names[relation.feature]} out`,
    });
  }
  const found = { features, reading, within, movement, zeros, padding, causes };
  return { ...found, notes: describeData(found, names, N) };
}

/** Features whose scale, or offset, keeps an unscaled network from seeing them; each with a reason. */
export function findUnscaled({ features }: DataFacts, names: readonly string[]): string[] {
  const { mean, deviation, constant } = features;
  return names.flatMap((name, f) => {
    if (constant.includes(f)) return [];
    const offset = Math.abs(mean[f]) / deviation[f];
    const spread = deviation[f];
    if (spread < SPREAD[0] || spread > SPREAD[1] || Math.abs(mean[f]) > SPREAD[1])
      return [`${name} is ${short(mean[f])} ± ${short(spread)}`];
    return offset > OFFSET ? [`${name} stands at ${short(offset)} of its standard deviations`] : [];
  });
}

/** Features whose change from row to row is small against how far they spread. */
export function findStill({ features, movement }: DataFacts): number[] {
  return Array.from(movement.keys()).filter((f) => !features.constant.includes(f) && movement[f] < SMALL);
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
  let [total, pairs] = [0, 0];
  for (let offset = 0; offset < values.length; offset += T * F) {
    const length = validRows(values, offset, shape, reading, rows);
    total += length;
    pairs += Math.max(0, length - 1);
    for (let f = 0; f < F; f++) {
      let mean = 0;
      for (let t = 0; t < length; t++) mean += values[offset + rows[t] * F + f] / length;
      for (let t = 0; t < length; t++) {
        const x = values[offset + rows[t] * F + f];
        inside[f] += (x - mean) ** 2;
        if (x === 0) zeros[f]++;
        if (t > 0) steps[f] += (x - values[offset + rows[t - 1] * F + f]) ** 2;
      }
    }
  }
  return {
    zeros: zeros.map((count) => count / total),
    within: inside.map((sum, f) => (deviation[f] === 0 ? 1 : sum / total / deviation[f] ** 2)),
    movement: steps.map((sum, f) => (deviation[f] === 0 || pairs === 0 ? 0 : Math.sqrt(sum / pairs) / deviation[f])),
  };
}

function studyPadding(values: Float64Array, { timesteps: T, features: F }: Shape): PaddingFacts {
  const N = values.length / (T * F);
  let [front, behind, inside, sequences] = [0, 0, 0, 0];
  for (let offset = 0; offset < values.length; offset += T * F) {
    const isZero = (t: number): boolean => isZeroRow(values, offset + t * F, F);
    let [first, last] = [0, T - 1];
    while (first < T && isZero(first)) first++;
    while (last > first && isZero(last)) last--;
    front += first;
    behind += T - 1 - last;
    for (let t = first + 1; t < last; t++) if (isZero(t)) inside++;
    if (first > 0 || last < T - 1) sequences++;
  }
  return { front: front / (N * T), behind: behind / (N * T), inside: inside / (N * T), sequences: sequences / N };
}

/** Features that are described one by one: what fits a screen. */
const MAX_DESCRIBED = 12;

function describeData({ features, within, zeros, padding }: Omit<DataFacts, "notes">, names: readonly string[], N: number): string[] {
  const { lowest, highest, mean, deviation } = features;
  const notes = names.slice(0, MAX_DESCRIBED).map((name, f) => {
    const zero = zeros[f] > 0 ? `, ${percent(zeros[f])} of its valid entries are 0` : "";
    return `${name}: ${short(lowest[f])} … ${short(highest[f])}, mean ${short(mean[f])}, standard deviation ${short(deviation[f])}, ${percent(within[f])} of its variance within sequences${zero}`;
  });
  if (names.length > MAX_DESCRIBED) notes.push(`and ${names.length - MAX_DESCRIBED} features more`);
  const { front, behind, inside, sequences } = padding;
  notes.push(
    front + behind === 0
      ? `no all-zero row stands in front of or behind any of the ${count(N)} sequences`
      : `padding: ${percent(front)} of all rows are zeros in front and ${percent(behind)} zeros behind, in ${percent(sequences)} of the sequences`,
  );
  if (inside > 0) notes.push(`${percent(inside)} of all rows are zeros between others`);
  return notes;
}
