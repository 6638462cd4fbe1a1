// Which steps and features a score rests on: the change of the logit when one step's, or one feature's, channels are set to
// the training mean (occlusion; Zeiler & Fergus 2014). The changes need not sum to anything.
// Legend: T steps, F features, C channels, L valid rows.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { looksAt, secondFeature, tellsOfGaps } from "../../shared/recipe/channel.ts";
import { type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { validRows } from "../../shared/sequence.ts";
import type { Ready } from "../models/servable-model.ts";

export interface Explanation {
  readonly method: "occlusion";
  /** (T) logit minus the logit without this step, padded in front as the sequence is; null for padding. */
  readonly steps: (number | null)[];
  /** (F) the same for every channel that looks at this feature. */
  readonly features: number[];
}

/** Passes of the network that one request may cost in explanations: some 40 ms at 100 units. */
const MAX_PASSES = 2000;
/** Variants in memory at once. */
const BATCH = 64;

/** Sequences that one request may have explained: at least one. */
export function maxExplained({ timesteps, features }: Recipe): number {
  return Math.max(1, Math.floor(MAX_PASSES / (1 + timesteps + features.length)));
}

/** Explains sequence `n` of `values` (N,T,F), which has a valid row. */
export function explain({ model: { recipe }, engine, log }: Ready, values: Float64Array, n: number): Explanation {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const C = recipe.channels.length;
  const own = values.subarray(n * T * F, (n + 1) * T * F);
  const rows = new Int32Array(T);
  const L = validRows(own, 0, shape, recipe.padding, rows);
  const { channels } = applyRecipe(recipe, own, log);
  const means = occludedValues(recipe);

  /** The sequence as it is (0), without step t (1 + t), without feature f (1 + L + f). */
  const occlude = (variant: number, out: Float32Array): void => {
    out.set(channels);
    const t = variant - 1;
    const f = variant - 1 - L;
    if (t >= 0 && t < L) out.set(means, t * C);
    for (let c = 0; c < C && f >= 0; c++) {
      const isOccluded = looksAt(recipe.channels[c], f);
      for (let at = c; isOccluded && at < L * C; at += C) out[at] = means[c];
    }
  };
  const logits: number[] = [];
  for (let from = 0; from < 1 + L + F; from += BATCH) {
    const count = Math.min(BATCH, 1 + L + F - from);
    const variants = new Float32Array(count * T * C);
    for (let v = 0; v < count; v++) occlude(from + v, variants.subarray(v * T * C, (v + 1) * T * C));
    for (const p of engine.probabilities({ channels: variants, lengths: new Int32Array(count).fill(L) })) logits.push(logit(p, log));
  }
  const steps: (number | null)[] = Array(T).fill(null);
  for (let t = 0; t < L; t++) steps[rows[t]] = logits[0] - logits[1 + t];
  return { method: "occlusion", steps, features: Array.from({ length: F }, (_, f) => logits[0] - logits[1 + L + f]) };
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
