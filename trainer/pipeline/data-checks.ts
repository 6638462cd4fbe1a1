// Facts about the data that whoever uses the model should know, and those that make its metrics worthless.
// Legend: N sequences, T steps, F features.
import { secondFeature, takesMovement, tellsOfGaps } from "../../shared/recipe/channel.ts";
import type { Plan } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { checkLabels } from "../data/label-checks.ts";
import { findLeakingCell, rankingAuc } from "../data/label-leaks.ts";
import { countZeroRows, type Labelled, lengthsOf } from "../data/sequences.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { intern } from "../split/intern.ts";
import type { Overlap } from "../split/overlap.ts";
import type { Split } from "../split/split.ts";
import { contradict, type Labels, takeLabels } from "../statistics/labels.ts";
import type { Warning } from "./warning.ts";

/** What labels and sequences show under the reading of zero rows in force; what the split takes care of is left out. */
export function findLabelWarnings(usable: Labelled, shape: Shape, padding: Padding, overlap: Overlap): Warning[] {
  return checkLabels(usable.values, usable.labels, shape, padding, overlap).filter(
    (finding) => finding.code !== "copies" && finding.code !== "shared-rows",
  );
}

/** What the recipe makes of the data. */
export function findRecipeWarnings(data: Pick<LabelledDataset, "float32" | "shape" | "read">, usable: Labelled, plan: Plan): Warning[] {
  const warnings: Warning[] = [];
  if (data.float32) {
    const dtype = data.read?.dtype?.includes("float16") ? "float16" : "float32";
    const features = findRoundedFeatures(usable.values, data.shape, plan, FRACTION_BITS[dtype]);
    if (features.length > 0) warnings.push({ code: "float32-differences", dtype, features });
  }
  if (plan.padding === "leading") {
    const { zeros } = countZeroRows(usable.values, data.shape, Int32Array.from(usable.labels.keys()));
    if (zeros > 0) warnings.push({ code: "zero-rows-inside", rows: zeros });
  }
  return warnings;
}

/** Of IEEE 754's binary32 and binary16. */
const FRACTION_BITS = { float32: 23, float16: 10 } as const;
/** A difference of fewer spacings of the number type has less than two digits. */
const MIN_SPACINGS = 64;

/** Features of which `plan` takes differences, from row to row or to another feature, most of which are below MIN_SPACINGS. */
function findRoundedFeatures(values: Float64Array, { timesteps: T, features: F }: Shape, { channels }: Plan, bits: number): number[] {
  const rounded = new Set<number>();
  const look = (a: number, b: number, step: number): void => {
    let [few, all] = [0, 0];
    for (let row = step; row < values.length / F; row++) {
      if (step > 0 && row % T === 0) continue; // the first of its sequence
      const [x, y] = [values[row * F + a], values[(row - step) * F + b]];
      const distance = Math.abs(x - y);
      if (!(distance > 0) || x === 0 || y === 0) continue; // missing, padding, or no change
      all++;
      if (distance < MIN_SPACINGS * spacingAt(Math.max(Math.abs(x), Math.abs(y)), bits) && !(Number.isInteger(x) && Number.isInteger(y)))
        few++;
    }
    if (2 * few > all) for (const feature of [a, b]) rounded.add(feature);
  };
  for (const channel of channels) {
    if (tellsOfGaps(channel)) continue;
    const second = secondFeature(channel);
    if (second !== undefined) look(channel.a, second, 0);
    else if (takesMovement(channel) || channel.view === "centred") look(channel.a, channel.a, 1);
  }
  return [...rounded].sort((a, b) => a - b);
}

/** How far a number of so many fraction bits lies from the next one. */
function spacingAt(x: number, bits: number): number {
  return 2 ** (Math.floor(Math.log2(x)) - bits);
}

/** What about the data makes every metric worthless or misleading. Shares are of all sequences. */
export type Flaw =
  /** One number ranks the labels so well that it holds them, or leaves a network nothing to do: a cell, or the length. */
  | { readonly code: "leaking-cell"; readonly feature: number; readonly step: number; readonly auc: number }
  | { readonly code: "leaking-length"; readonly auc: number }
  /** Sequences share rows with another part of the split. */
  | { readonly code: "crosses-parts"; readonly share: number }
  /** Sequences of a test part from elsewhere are among the training data; `recurring` of the training data recur there. */
  | { readonly code: "test-seen"; readonly share: number; readonly recurring: number }
  /** Sequences have an equal, and the labels of equals agree no more than those of any two. */
  | { readonly code: "labels-unrelated"; readonly share: number };

/** One number that ranks the labels this well holds them, or leaves a network nothing to do. */
const LEAK = 0.99;
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
  readonly split: Pick<Split, "train" | "crossesParts">;
  /** A test part from elsewhere. */
  readonly test: Labelled | null;
  readonly shape: Shape;
  readonly padding: Padding;
  /** Which sequences are equal, and their labels, where `data` are a few of them. */
  readonly equals?: { readonly ids: Int32Array; readonly count: number; readonly labels: Labels };
}

/** The first that is found of: the label in plain sight, parts that are not apart, labels that belong to other sequences. */
export function findFlaw(input: FlawInput): Flaw | undefined {
  return findLeak(input) ?? findCrossing(input) ?? findTestSeen(input) ?? findUnrelatedLabels(input);
}

function findLeak({ data, split, shape, padding }: FlawInput): Flaw | undefined {
  const size = shape.timesteps * shape.features;
  const stride = Math.max(1, Math.floor(split.train.length / Math.max(MIN_SEQUENCES, MAX_CELLS / size)));
  const sampled = split.train.filter((_, i) => i % stride === 0);
  const labels = takeLabels(data.labels, sampled);
  const lengths = lengthsOf(data.values, shape, padding);
  const lengthAuc = rankingAuc(
    labels,
    sampled.map((n) => lengths[n]),
  );
  const cell = findLeakingCell(data.values, data.labels, sampled, shape, padding);
  if (Math.max(cell?.auc ?? 0, lengthAuc) < LEAK) return undefined;
  return cell !== null && cell.auc > lengthAuc
    ? { code: "leaking-cell", feature: cell.feature, step: cell.step, auc: cell.auc }
    : { code: "leaking-length", auc: lengthAuc };
}

function findCrossing({ data, split }: FlawInput): Flaw | undefined {
  const share = split.crossesParts / data.labels.length;
  return split.crossesParts > MANY * data.labels.length ? { code: "crosses-parts", share } : undefined;
}

/** Sequences of the test part that training has seen. */
function findTestSeen({ data, test, shape }: FlawInput): Flaw | undefined {
  if (test === null) return undefined;
  const N = data.labels.length;
  const all = new Float64Array(data.values.length + test.values.length);
  all.set(data.values);
  all.set(test.values, data.values.length);
  const { ids, count } = identify(all, shape.timesteps * shape.features);
  const copies = new Int32Array(count);
  for (let n = 0; n < N; n++) copies[ids[n]]++;
  const share = ids.subarray(N).reduce((sum, id) => sum + (copies[id] > 0 ? 1 : 0), 0) / test.labels.length;
  const recurring = ids.subarray(0, N).reduce((sum, id) => sum + (copies[id] > 1 ? 1 : 0), 0) / N; // as counts and flags do
  return share - recurring <= MANY ? undefined : { code: "test-seen", share, recurring };
}

/** Equal sequences whose labels agree no more than those of any two: among many, the labels are not these sequences' own. */
function findUnrelatedLabels({ data, shape, equals: known }: FlawInput): Flaw | undefined {
  const { ids, count } = known ?? identify(data.values, shape.timesteps * shape.features);
  const { labels } = known ?? data;
  const N = labels.length;
  const sizes = new Int32Array(count);
  for (const id of ids) sizes[id]++;
  const equals = new Map<number, Equals>(); // of most sequences there is one
  ids.forEach((id, n) => {
    if (sizes[id] < 2) return;
    const set = equals.get(id) ?? { total: 0, ones: 0, squares: 0, lowest: 1, highest: 0 };
    equals.set(id, set);
    const label = labels[n];
    set.total++;
    set.ones += label;
    set.squares += label * label;
    set.lowest = Math.min(set.lowest, label);
    set.highest = Math.max(set.highest, label);
  });
  const { contradicted, compared, kappa } = compareEquals([...equals.values()]);
  if (contradicted <= MANY * count || kappa > NOISE * Math.sqrt(2 / compared)) return undefined;
  return { code: "labels-unrelated", share: compared / N };
}

/** A set of equal sequences: how many, at least two, the sums of their labels and of the labels' squares, and the labels farthest apart. */
interface Equals {
  total: number;
  ones: number;
  squares: number;
  lowest: number;
  highest: number;
}

/**
 * Of sets of equal sequences: how many have labels that contradict each other, how many sequences have an equal, and Cohen's κ (1960) of the
 * labels of equals: 0 by chance, 1 where equals are always labelled alike. A soft label y is y of a 1 and 1 − y of a 0, and labels that are
 * alike agree by y² + (1 − y)².
 */
function compareEquals(sets: readonly Equals[]) {
  let [contradicted, compared, ones] = [0, 0, 0];
  let agreement = 0; // over sequences that have an equal: the share of their equals with the same label
  let most = 0; // were equals labelled alike
  for (const { total: m, ones: k, squares, lowest, highest } of sets) {
    if (contradict(lowest, highest)) contradicted++;
    agreement += (k * k - squares + (m - k) ** 2 - (m - 2 * k + squares)) / (m - 1); // Σ y·y′ + (1 − y)(1 − y′) over pairs
    most += m - 2 * k + 2 * squares;
    compared += m;
    ones += k;
  }
  const rate = ones / compared;
  const chance = rate * rate + (1 - rate) * (1 - rate);
  return { contradicted, compared, kappa: (agreement / compared - chance) / (most / compared - chance) };
}

function identify(values: Float64Array, size: number): { readonly ids: Int32Array; readonly count: number } {
  return intern(new Int32Array(values.buffer, values.byteOffset, 2 * values.length), 2 * size, null);
}
