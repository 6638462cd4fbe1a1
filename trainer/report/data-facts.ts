// The training part as it came: distributions by feature and class, padding, lengths. Knows no model.
// Legend: N sequences, T steps, F features.
import type { Recipe } from "../../shared/recipe/recipe.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { isZeroRow, type Padding, type Shape, validRows } from "../../shared/sequence.ts";
import { quantile } from "../statistics/descriptive.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import type { FeatureFacts, TrainingFacts } from "./content.ts";
import { histogramOf } from "./histogram.ts";

/** Values a feature's facts are taken from, at most: quantiles are then known to 0.2 % of rank. */
const MAX_ROWS = 200_000;
/** Values beyond are clamped to it, as the recipe clamps them, so that no spread overflows. */
const VALUE_LIMIT = 1e300;

/** Facts of the sequences `indices` of `values` (N,T,F); `labels` (N). */
export function describeTraining(
  recipe: Pick<Recipe, "timesteps" | "features" | "padding">,
  values: Float64Array,
  labels: Labels,
  indices: Int32Array,
): TrainingFacts {
  const { timesteps: T, padding } = recipe;
  const shape = shapeOf(recipe);
  const { lengths, zeroRows } = measureRows(values, indices, shape, padding);
  const sortedLengths = lengths.toSorted();
  const sampled = Math.min(indices.length, Math.max(1, Math.floor(MAX_ROWS / T)));
  const sample = Int32Array.from({ length: sampled }, (_, i) => indices[Math.floor((i * indices.length) / sampled)]);
  const labelsOfPart = takeLabels(labels, indices);
  return {
    sequences: indices.length,
    timesteps: T,
    padding,
    paddingShare: 1 - lengths.reduce((sum, length) => sum + length, 0) / (indices.length * T),
    zeroRows,
    lengths: histogramOf(lengths, labelsOfPart, sortedLengths),
    shortest: sortedLengths[0],
    longest: sortedLengths[sortedLengths.length - 1],
    features: recipe.features.map((name, f) => {
      return describeFeature(name, readColumn(values, labels, sample, shape, padding, f));
    }),
    sampled,
  };
}

/** Valid rows of each sequence, and how many of them are all zero. */
function measureRows(
  values: Float64Array,
  indices: Int32Array,
  shape: Shape,
  padding: Padding,
): { readonly lengths: Float64Array; readonly zeroRows: number } {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const lengths = new Float64Array(indices.length);
  let zeroRows = 0;
  indices.forEach((n, i) => {
    lengths[i] = validRows(values, n * T * F, shape, padding, rows);
    for (let t = 0; t < lengths[i]; t++) if (isZeroRow(values, (n * T + rows[t]) * F, shape)) zeroRows++;
  });
  return { lengths, zeroRows };
}

interface Column {
  /** One feature over the valid rows of the sample that have it, and the labels of their sequences. */
  readonly column: Float64Array;
  readonly classes: Labels;
  /** Absolute changes from row to row where both have it. */
  readonly moves: Float64Array;
  /** Share of the rows that lack it. */
  readonly missing: number;
}

function readColumn(values: Float64Array, labels: Labels, sample: Int32Array, shape: Shape, padding: Padding, f: number): Column {
  const { timesteps: T, features: F } = shape;
  const rows = new Int32Array(T);
  const column = new Float64Array(sample.length * T);
  const classes = labels instanceof Float64Array ? new Float64Array(sample.length * T) : new Uint8Array(sample.length * T);
  const moves = new Float64Array(sample.length * T);
  let [size, moved, missing, total] = [0, 0, 0, 0];
  for (const n of sample) {
    const length = validRows(values, n * T * F, shape, padding, rows);
    total += length;
    for (let t = 0, isNext = false; t < length; t++) {
      if (Number.isNaN(values[(n * T + rows[t]) * F + f])) {
        missing++;
        isNext = false;
        continue;
      }
      column[size] = Math.max(-VALUE_LIMIT, Math.min(VALUE_LIMIT, values[(n * T + rows[t]) * F + f]));
      classes[size] = labels[n];
      if (isNext) moves[moved++] = Math.abs(column[size] - column[size - 1]);
      isNext = true;
      size++;
    }
  }
  if (size === 0) size = 1; // nothing is observed: a constant
  return {
    column: column.subarray(0, size),
    classes: classes.subarray(0, size),
    moves: moves.subarray(0, moved),
    missing: missing / total,
  };
}

function describeFeature(name: string, { column, classes, moves, missing }: Column): FeatureFacts {
  const sorted = column.toSorted();
  const size = sorted.length;
  const [lowest, highest] = [sorted[0], sorted[size - 1]];
  // Scaled by the largest, so that no square overflows.
  const largest = Math.max(Math.abs(lowest), Math.abs(highest), Number.MIN_VALUE);
  const mean = column.reduce((sum, x) => sum + x / largest, 0) / size;
  const deviation = Math.sqrt(column.reduce((sum, x) => sum + (x / largest - mean) ** 2, 0) / size);
  const varies = lowest < highest && deviation > 0;
  return {
    name,
    histogram: histogramOf(column, classes, sorted),
    lowest,
    low: quantile(sorted, 0.01),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.99),
    highest,
    missingShare: missing,
    zeroShare: column.reduce((zeros, x) => zeros + (x === 0 ? 1 : 0), 0) / size,
    offset: varies ? Math.abs(mean) / deviation : null,
    step: varies && moves.length > 0 ? quantile(moves.toSorted(), 0.5) / largest / deviation : null,
  };
}
