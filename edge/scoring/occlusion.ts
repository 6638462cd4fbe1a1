// Which steps and features a score rests on: the change of the logit when one step's, or one feature's, channels and series are set to
// the training mean (occlusion; Zeiler & Fergus 2014), and the tabular view's columns are computed from these. The changes need not
// sum to anything.
// Legend: T steps, F features, C channels, L valid rows.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { looksAt, secondFeature, tellsOfGaps } from "../../shared/recipe/channel.ts";
import { computeColumns } from "../../shared/recipe/columns.ts";
import { type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import type { EditSeries } from "../../shared/recipe/series.ts";
import type { TabularView } from "../../shared/recipe/tabular.ts";
import { validRows } from "../../shared/sequence.ts";
import type { SeriesColumns } from "../../shared/series-columns.ts";
import type { Ready } from "../models/servable-model.ts";

export interface Explanation {
  readonly method: "occlusion";
  /** (T) logit minus the logit without this step, padded in front as the sequence is; null for padding. */
  readonly steps: (number | null)[];
  /** (F) the same for every channel and series that looks at this feature. */
  readonly features: number[];
}

/** Passes of the model that one request may cost in explanations: some 40 ms at 100 units, some 60 ms of a stack. */
const MAX_PASSES = 2000;
/** Variants in memory at once. */
const BATCH = 64;

/** Sequences that one request may have explained: at least one. */
export function maxExplained({ timesteps, features }: Recipe): number {
  return Math.max(1, Math.floor(MAX_PASSES / (1 + timesteps + features.length)));
}

/** What is left out of a sequence, of L valid rows: nothing (0), row t (1 + t), feature f (1 + L + f). */
interface Occluded {
  /** Undefined where a feature is left out, or nothing. */
  readonly row?: number;
  readonly feature?: number;
}

function occludedBy(variant: number, L: number): Occluded {
  if (variant === 0) return {};
  return variant <= L ? { row: variant - 1 } : { feature: variant - 1 - L };
}

/** Explains sequence `n` of `values` (N,T,F), which has a valid row. */
export function explain({ model: { recipe, view }, engine, log }: Ready, values: Float64Array, n: number): Explanation {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const size = T * recipe.channels.length;
  const own = values.slice(n * T * F, (n + 1) * T * F);
  const rows = new Int32Array(T);
  const L = validRows(own, 0, shape, recipe.padding, rows);
  const { channels } = applyRecipe(recipe, own, log);
  const means = occludedValues(recipe);
  const logits: number[] = [];
  for (let from = 0; from < 1 + L + F; from += BATCH) {
    const occluded = Array.from({ length: Math.min(BATCH, 1 + L + F - from) }, (_, v) => occludedBy(from + v, L));
    const variants = new Float32Array(occluded.length * size);
    for (const [v, each] of occluded.entries())
      occludeChannels(recipe, channels, means, L, each, variants.subarray(v * size, (v + 1) * size));
    const inputs = {
      channels: variants,
      lengths: new Int32Array(occluded.length).fill(L),
      ...(view && { columns: occludedColumns(view, recipe, own, log, engine.series!, occluded) }),
    };
    for (const p of engine.probabilities(inputs)) logits.push(logit(p, log));
  }
  const steps: (number | null)[] = Array(T).fill(null);
  for (let t = 0; t < L; t++) steps[rows[t]] = logits[0] - logits[1 + t];
  return { method: "occlusion", steps, features: Array.from({ length: F }, (_, f) => logits[0] - logits[1 + L + f]) };
}

/** Writes `channels` (T,C) to `out`, what is left out at its mean. */
function occludeChannels(
  recipe: Recipe,
  channels: Float32Array,
  means: Float32Array,
  L: number,
  { row, feature }: Occluded,
  out: Float32Array,
): void {
  const C = means.length;
  out.set(channels);
  if (row !== undefined) out.set(means, row * C);
  for (let c = 0; c < C && feature !== undefined; c++) {
    const isOccluded = looksAt(recipe.channels[c], feature);
    for (let at = c; isOccluded && at < L * C; at += C) out[at] = means[c];
  }
}

/**
 * (occluded,V) the view's columns of one sequence, `own` (T,F), computed again from series in which a row, or all of a series that looks
 * at the feature, is at its training mean. The number of rows stays what it is.
 */
function occludedColumns(
  view: TabularView,
  recipe: Recipe,
  own: Float64Array,
  log: Log,
  by: SeriesColumns,
  occluded: readonly Occluded[],
): Float64Array {
  const copies = new Float64Array(occluded.length * own.length);
  for (let v = 0; v < occluded.length; v++) copies.set(own, v * own.length);
  const edit: EditSeries = (v, s, x, from, to) => {
    const { row, feature } = occluded[v];
    if (row !== undefined && row >= from) x[row] = view.mean[s];
    if (feature !== undefined && looksAt(view.series[s], feature)) x.fill(view.mean[s], from, to);
  };
  return computeColumns(view, recipe, copies, log, by, { edit });
}

/**
 * (C) each channel's training mean, as the network sees it: 0 where the recipe standardises. One that does not keeps mean 0 and
 * scale 1, so a level's mean comes from the features'.
 */
function occludedValues({ channels, mean, scale, featureMean }: Recipe): Float32Array {
  return Float32Array.from(channels, (channel, c) => {
    if (mean[c] !== 0 || scale[c] !== 1 || channel.view !== "level" || channel.base === "logRatio" || tellsOfGaps(channel)) return 0;
    const b = secondFeature(channel);
    return b === undefined ? featureMean[channel.a] : featureMean[channel.a] - featureMean[b];
  });
}

/** float32's smallest number, and half an ulp below 1: a saturated probability has a finite logit, −103.3 or 17.3. */
const SMALLEST = 1.401298464324817e-45;
const LARGEST = 0.9999999701976776;

function logit(probability: number, log: Log): number {
  const p = Math.min(Math.max(probability, SMALLEST), LARGEST);
  return log(p) - log(1 - p);
}
