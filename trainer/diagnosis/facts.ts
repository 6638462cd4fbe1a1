// Plain facts about the data, with numbers: what a script as it was tried would stumble over, before anything is trained.
// Legend: N sequences, T steps, F features.
import { isZeroRow, type Shape, validRows } from "../../shared/sequence.ts";
import { percent, short } from "../report/format.ts";
import { describeRelation, type FeatureFacts, studyFeatures } from "../representation/features.ts";
import { countZeroRows } from "../sequences.ts";
import type { Cause } from "./diagnosis.ts";

export interface DataFacts {
  /** Over valid rows. */
  readonly features: FeatureFacts;
  /** (F) share of a feature's variance that lies within sequences; 1 for a constant. */
  readonly within: Float64Array;
  readonly padding: PaddingFacts;
  readonly causes: readonly Cause[];
  readonly notes: readonly string[];
}

export interface PaddingFacts {
  /** Shares of all rows that are all zero in front; of sequences that have any. */
  readonly rows: number;
  readonly sequences: number;
  /** Rows all zero after the first other one, as a share of those. */
  readonly inside: number;
}

/** A spread or offset this far from 1 saturates gates, or drowns in the bias (start values of the TFDV and Karpathy checklists). */
const SPREAD = [0.1, 10] as const;
const OFFSET = 5;
/** Below this share of movement a level that differs from sequence to sequence is nearly all that a network sees. */
export const LITTLE_MOVEMENT = 0.1;

/** `features` names; `labels` are of the same sequences, in the order of the file. */
export function studyData(values: Float64Array, labels: Uint8Array, shape: Shape, names: readonly string[]): DataFacts {
  const N = labels.length;
  const everything = Int32Array.from(labels.keys());
  const features = studyFeatures(values, shape, everything, "leading");
  const within = shareWithin(values, shape, features);
  const padding = studyPadding(values, shape, everything);
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
  return { features, within, padding, causes, notes: describeFeatures(names, features, within, padding, N) };
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

/** Features that differ between sequences far more than they move within one. */
export function findStill({ features, within }: DataFacts): number[] {
  return Array.from(within.keys()).filter((f) => !features.constant.includes(f) && within[f] < LITTLE_MOVEMENT);
}

function shareWithin(values: Float64Array, shape: Shape, { deviation }: FeatureFacts): Float64Array {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const squares = new Float64Array(F);
  let total = 0;
  for (let offset = 0; offset < values.length; offset += T * F) {
    const length = validRows(values, offset, shape, "leading", rows);
    total += length;
    for (let f = 0; f < F; f++) {
      let mean = 0;
      for (let t = 0; t < length; t++) mean += values[offset + rows[t] * F + f] / length;
      for (let t = 0; t < length; t++) squares[f] += (values[offset + rows[t] * F + f] - mean) ** 2;
    }
  }
  return squares.map((sum, f) => (deviation[f] === 0 ? 1 : sum / total / deviation[f] ** 2));
}

function studyPadding(values: Float64Array, shape: Shape, everything: Int32Array): PaddingFacts {
  const { timesteps: T, features: F } = shape;
  let [rows, sequences] = [0, 0];
  for (let offset = 0; offset < values.length; offset += T * F) {
    let t = 0;
    while (t < T && isZeroRow(values, offset + t * F, F)) t++;
    rows += t;
    if (t > 0) sequences++;
  }
  const { zeros, total } = countZeroRows(values, shape, everything);
  const N = everything.length;
  return { rows: rows / (N * T), sequences: sequences / N, inside: total === 0 ? 0 : zeros / total };
}

function describeFeatures(names: readonly string[], facts: FeatureFacts, within: Float64Array, padding: PaddingFacts, N: number): string[] {
  const notes = names.map(
    (name, f) =>
      `${name}: ${short(facts.lowest[f])} … ${short(facts.highest[f])}, mean ${short(facts.mean[f])}, standard deviation ${short(facts.deviation[f])}, ${percent(within[f])} of its variance within sequences`,
  );
  notes.push(
    padding.rows === 0
      ? `no all-zero row stands in front of any of the ${N} sequences`
      : `padding: ${percent(padding.rows)} of all rows are zeros in front, in ${percent(padding.sequences)} of the sequences`,
  );
  if (padding.inside > 0) notes.push(`${percent(padding.inside)} of the rows after the first that is not zero are all zero`);
  return notes;
}
