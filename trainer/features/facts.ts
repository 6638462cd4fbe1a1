// What the raw features are like on the training part: ranges, constants, and which are sums of others.
// Legend: N sequences, T steps, F features.
import { type Input, placeCategories } from "../../shared/recipe/inputs.ts";
import { type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { dot, orthogonalise } from "../statistics/linear-algebra.ts";

/** A feature that is a linear combination of others, to the last digits the data have. */
export interface Relation {
  readonly feature: number;
  readonly constant: number;
  readonly terms: readonly { readonly feature: number; readonly coefficient: number }[];
}

export interface FeatureFacts {
  /** (F) of what is observed in valid rows */
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  readonly constant: readonly number[];
  /** Position of the row's time, where rows have one: no feature like the others. */
  readonly clock?: number;
  /** Features that are the same in all rows of a sequence, by what they are given as, ascending. */
  readonly statics: readonly number[];
  /** Features that are one level of a category, ascending. */
  readonly levels: readonly number[];
  /** (F) numbers that are missing, and the rows there are. */
  readonly missing: Float64Array;
  readonly rows: number;
  /** Each expressed by features before it that are neither constant nor redundant themselves. */
  readonly relations: readonly Relation[];
}

/** Rows that are enough to tell a relation that holds everywhere from chance. */
const MAX_ROWS = 20_000;
/** What is left of a redundant feature: rounding of eight printed digits, not information. */
const EXACT = 1e-7;
/** A coefficient below this share of the largest contribution is rounding. */
const NEGLIGIBLE = 1e-7;

/**
 * Facts of the features over the valid rows of the sequences at `indices` of `values` (N,T,F); NaN is a number that is missing. `inputs`
 * says which features are categories' levels.
 */
export function studyFeatures(
  values: Float64Array,
  shape: Shape,
  indices: ArrayLike<number>,
  padding: Padding,
  inputs: readonly Input[] = [],
): FeatureFacts {
  const F = shape.features;
  const rows = collectRows(values, shape, indices, padding);
  const count = rows.length / F;
  const lowest = new Float64Array(F).fill(Infinity);
  const highest = new Float64Array(F).fill(-Infinity);
  const mean = new Float64Array(F);
  const deviation = new Float64Array(F);
  const missing = countMissing(rows, F);
  const clock = shape.clock ? F - 1 : undefined;
  for (let i = 0; i < rows.length; i++) {
    const f = i % F;
    if (Number.isNaN(rows[i])) continue;
    lowest[f] = Math.min(lowest[f], rows[i]);
    highest[f] = Math.max(highest[f], rows[i]);
    mean[f] += rows[i] / (count - missing[f]);
  }
  for (let i = 0; i < rows.length; i++)
    if (!Number.isNaN(rows[i])) deviation[i % F] += (rows[i] - mean[i % F]) ** 2 / (count - missing[i % F]);
  for (let f = 0; f < F; f++) deviation[f] = Math.sqrt(deviation[f]);
  const constant = Array.from({ length: F }, (_, f) => f).filter((f) => !(lowest[f] < highest[f]));
  const independent = Array.from({ length: F }, (_, f) => f).filter((f) => missing[f] === 0 && !constant.includes(f) && f !== clock);
  return {
    lowest,
    highest,
    mean,
    deviation,
    constant,
    ...(clock !== undefined && { clock }),
    statics: listStatics(shape),
    levels: placeCategories(inputs).flatMap(({ from, levels }) => Array.from({ length: levels }, (_, i) => from + i)),
    missing,
    rows: count,
    relations: findRelations(rows, mean, deviation, independent),
  };
}

function listStatics({ features: F, statics = 0, clock }: Shape): number[] {
  const end = clock ? F - 1 : F;
  return Array.from({ length: statics }, (_, i) => end - statics + i);
}

/** Features that lack numbers, ascending. */
export function featuresWithGaps({ missing }: Pick<FeatureFacts, "missing">): number[] {
  return Array.from(missing.keys()).filter((f) => missing[f] > 0);
}

/** (F) numbers missing in `rows` (rows,F). */
function countMissing(rows: Float64Array, F: number): Float64Array {
  const missing = new Float64Array(F);
  if (!rows.includes(Number.NaN)) return missing; // native code: most data lack nothing
  for (let i = 0; i < rows.length; i++) if (Number.isNaN(rows[i])) missing[i % F]++;
  return missing;
}

/** All valid rows (rows,F). */
function collectRows(values: Float64Array, shape: Shape, indices: ArrayLike<number>, padding: Padding): Float64Array {
  const { timesteps: T, features: F } = shape;
  const valid = new Int32Array(T);
  const out = new Float64Array(indices.length * T * F);
  let at = 0;
  for (let i = 0; i < indices.length; i++) {
    const offset = indices[i] * T * F;
    const length = validRows(values, offset, shape, padding, valid);
    for (let t = 0; t < length; t++, at += F) out.set(values.subarray(offset + valid[t] * F, offset + (valid[t] + 1) * F), at);
  }
  return out.subarray(0, at);
}

/**
 * Feature by feature, Gram–Schmidt on centred, scaled columns against the independent features so far; what leaves nothing
 * behind is redundant, and its coefficients follow by back substitution. Looks at `features` alone: one with gaps can be told by others
 * only where it is observed, so that it is never redundant.
 */
function findRelations(rows: Float64Array, mean: Float64Array, deviation: Float64Array, features: readonly number[]): Relation[] {
  const F = mean.length;
  const stride = Math.max(1, Math.ceil(rows.length / F / MAX_ROWS));
  const count = Math.floor((rows.length / F - 1) / stride) + 1;
  const relations: Relation[] = [];
  const independent: { readonly feature: number; readonly direction: Float64Array; readonly norm: number; readonly on: number[] }[] = [];
  for (const f of features) {
    if (deviation[f] === 0 || !Number.isFinite(deviation[f])) continue; // squares overflow beyond 1e154
    const column = Float64Array.from({ length: count }, (_, i) => (rows[i * stride * F + f] - mean[f]) / deviation[f]);
    const size = Math.sqrt(dot(column, column));
    // The column's components along the orthonormal directions.
    const on = orthogonalise(
      column,
      independent.map(({ direction }) => direction),
    );
    const left = Math.sqrt(dot(column, column));
    if (left > EXACT * size) {
      independent.push({ feature: f, direction: column.map((x) => x / left), norm: left, on });
      continue;
    }
    // direction_k = (column_k − Σ_j on_kj · direction_j) / norm_k, so solve for columns from the last direction back.
    const along = [...on];
    const weights = along.map(() => 0);
    for (let k = along.length - 1; k >= 0; k--) {
      weights[k] = along[k] / independent[k].norm;
      for (let j = 0; j < k; j++) along[j] -= weights[k] * independent[k].on[j];
    }
    const largest = Math.max(...weights.map(Math.abs));
    const terms = weights.flatMap((weight, k) => {
      const { feature } = independent[k];
      return Math.abs(weight) > NEGLIGIBLE * largest ? [{ feature, coefficient: (weight * deviation[f]) / deviation[feature] }] : [];
    });
    const constantTerm = mean[f] - terms.reduce((sum, term) => sum + term.coefficient * mean[term.feature], 0);
    relations.push({ feature: f, constant: Math.abs(constantTerm) < EXACT * deviation[f] ? 0 : constantTerm, terms });
  }
  return relations;
}

/** `f4 = f3 + 0.00875 · f2` */
export function describeRelation({ feature, constant, terms }: Relation, names: readonly string[]): string {
  const sum = [...terms]
    .sort((a, b) => Math.abs(b.coefficient) - Math.abs(a.coefficient))
    .map(({ feature: f, coefficient }) => {
      const size = Number(Math.abs(coefficient).toPrecision(6));
      return `${coefficient < 0 ? "− " : "+ "}${size === 1 ? "" : `${size} · `}${names[f]}`;
    });
  if (constant !== 0) sum.push(`${constant < 0 ? "−" : "+"} ${Number(Math.abs(constant).toPrecision(6))}`);
  return `${names[feature]} = ${sum.join(" ").replace(/^\+ /, "")}`;
}
