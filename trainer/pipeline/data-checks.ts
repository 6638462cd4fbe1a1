// Facts about the data that whoever uses the model should know, and those that make its figures worthless.
// Legend: N sequences, T steps, F features.
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { checkLabels } from "../data/label-checks.ts";
import { findLeakingCell, rankingAuc } from "../data/label-leaks.ts";
import { describeLabelFinding } from "../data/label-sentences.ts";
import { countZeroRows, type Labelled, lengthsOf } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { intern } from "../split/intern.ts";
import type { Overlap } from "../split/overlap.ts";
import type { Split } from "../split/split.ts";
import type { Flaw } from "./verdict.ts";

/** A float32 file carries about seven digits: its differences are mostly rounding where a feature stands on a large offset. */
function takesDifferences({ channels }: Plan): boolean {
  return channels.some(({ base, view }) => base !== "feature" || view === "delta" || view === "logDelta" || view === "centred");
}

/** What the labels alone show before anything is trained. One sentence each; what the split takes care of is left out. */
export function findLabelWarnings(usable: Labelled, { shape, features }: LabelledDataset, overlap: Overlap): string[] {
  return checkLabels(usable.values, usable.labels, shape, "leading", overlap)
    .filter(({ code }) => code !== "copies" && code !== "shared-rows")
    .map((finding) => describeLabelFinding(finding, features))
    .map(({ evidence, fix }) => `${evidence} ${fix}`);
}

/** What the recipe makes of the data. One sentence each. */
export function findRecipeWarnings(data: LabelledDataset, usable: Labelled, plan: Plan): string[] {
  const warnings: string[] = [];
  if (data.float32 && takesDifferences(plan))
    warnings.push(
      "the data came as float32, about seven digits, and the recipe takes differences: small movements on a large offset are rounded away; save it as float64",
    );
  if (plan.padding === "leading") {
    const { zeros } = countZeroRows(usable.values, data.shape, Int32Array.from(usable.labels.keys()));
    if (zeros > 0)
      warnings.push(
        `${zeros} all-zero rows stand after the first data row of their sequence and count as data: use --padding any if they are padding too`,
      );
  }
  return warnings;
}

/** One number that ranks the labels this well holds them, or leaves a network nothing to do. */
const GIVES_AWAY = 0.99;
/** Numbers looked at, at most, which is a fraction of a second; but sequences enough to tell 0.99 from 0.95. */
const MAX_CELLS = 500_000;
const MIN_SEQUENCES = 500;
/** From this share of the sequences on, a flaw is not an accident. */
const MANY = 0.1;
/** Standard errors within which equals agree by chance; of n sequences in pairs √(2/n), of larger sets less. */
const NOISE = 3;

export interface FlawInput {
  /** All but a test part from elsewhere. */
  readonly data: Labelled;
  readonly features: readonly string[];
  readonly split: Pick<Split, "train" | "crossesParts">;
  /** A test part from elsewhere. */
  readonly test: Labelled | null;
  readonly shape: Shape;
  readonly padding: Padding;
}

/** The first that is found of: the label in plain sight, parts that are not apart, labels that belong to other sequences. */
export function findFlaw(input: FlawInput): Flaw | undefined {
  return findGiveaway(input) ?? findStraying(input) ?? findContradictions(input);
}

function findGiveaway({ data, features, split, shape, padding }: FlawInput): Flaw | undefined {
  const size = shape.timesteps * shape.features;
  const step = Math.max(1, Math.floor(split.train.length / Math.max(MIN_SEQUENCES, MAX_CELLS / size)));
  const some = split.train.filter((_, i) => i % step === 0);
  const labels = Uint8Array.from(some, (n) => data.labels[n]);
  const lengths = lengthsOf(data.values, shape, padding);
  const ofLength = rankingAuc(
    labels,
    some.map((n) => lengths[n]),
  );
  const cell = findLeakingCell(data.values, data.labels, some, shape, padding);
  const best =
    cell !== null && cell.auc > ofLength
      ? { what: `${features[cell.feature]} in row ${1 + cell.step}`, auc: cell.auc }
      : { what: "the length of a sequence", auc: ofLength };
  if (best.auc < GIVES_AWAY) return undefined;
  return {
    text: `${capitalise(best.what)} alone tells the label with AUC ${best.auc.toFixed(4)}: it was made from the label, or leaves a network nothing to do`,
    next: "Check that it is known when the score is needed: if not, leave it out and train again; if it is, compare with it alone.",
  };
}

/** Sequences of the test part that training has seen, or that share rows with it. */
function findStraying({ data, split, test, shape }: FlawInput): Flaw | undefined {
  const N = data.labels.length;
  if (split.crossesParts > MANY * N)
    return {
      text: `${formatPercent(split.crossesParts / N)} of the sequences share rows with another part of this split, so the test part is not new to the model`,
      next: "Train with --split auto, which keeps them together.",
    };
  if (test === null) return undefined;
  const size = shape.timesteps * shape.features;
  const both = new Float64Array(data.values.length + test.values.length);
  both.set(data.values);
  both.set(test.values, data.values.length);
  const { ids, count } = identify(both, size);
  const seen = new Int32Array(count);
  for (let n = 0; n < N; n++) seen[ids[n]]++;
  const known = ids.subarray(N).reduce((sum, id) => sum + (seen[id] > 0 ? 1 : 0), 0) / test.labels.length;
  const recurring = ids.subarray(0, N).reduce((sum, id) => sum + (seen[id] > 1 ? 1 : 0), 0) / N; // as counts and flags do
  if (known - recurring <= MANY) return undefined;
  return {
    text: `${formatPercent(known)} of the test sequences are among those trained on, where ${formatPercent(recurring)} recur within these`,
    next: "Leave them out of one of the two files and train again.",
  };
}

/** Equal sequences whose labels agree no more than those of any two: among many, the labels are not these sequences' own. */
function findContradictions({ data, shape }: FlawInput): Flaw | undefined {
  const N = data.labels.length;
  const { ids, count } = identify(data.values, shape.timesteps * shape.features);
  const totals = new Float64Array(count);
  const positives = new Float64Array(count);
  ids.forEach((id, n) => {
    totals[id]++;
    positives[id] += data.labels[n];
  });
  let contradicted = 0; // distinct sequences that have both labels
  let agreement = 0; // over sequences that have an equal: the share of their equals with the same label
  let compared = 0;
  let ones = 0;
  for (let id = 0; id < count; id++) {
    const [m, k] = [totals[id], positives[id]];
    if (m < 2) continue;
    if (k > 0 && k < m) contradicted++;
    agreement += (k * (k - 1) + (m - k) * (m - k - 1)) / (m - 1);
    compared += m;
    ones += k;
  }
  const rate = ones / compared;
  const chance = rate * rate + (1 - rate) * (1 - rate);
  const kappa = (agreement / compared - chance) / (1 - chance); // Cohen 1960: 0 by chance, 1 where equals are always labelled alike
  if (contradicted <= MANY * count || kappa > NOISE * Math.sqrt(2 / compared)) return undefined;
  return {
    text: `${formatPercent(compared / N)} of the sequences have an exact equal, and the labels of equals agree no more often than those of any two`,
    next: "Check how labels were joined to sequences: a key or an order was lost, or the label depends on something that is not in the file.",
  };
}

function identify(values: Float64Array, size: number): { readonly ids: Int32Array; readonly count: number } {
  return intern(new Int32Array(values.buffer, values.byteOffset, 2 * values.length), 2 * size, null);
}

function capitalise(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/** `27.2 %` */
function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
