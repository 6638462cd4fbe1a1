// One learner on every fold, with one common setting and one common number of steps, chosen by the loss of what was held out, pooled.
// Knows no stack and no artifact. Legend: N sequences, H held out in some fold.
import type { Member } from "../../shared/members.ts";
import type { Learner, Path, View } from "../learners/learner.ts";
import type { Fold } from "../split/folds.ts";
import type { Labels } from "../statistics/labels.ts";
import { logLossOfLogit } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import type { Journal } from "../training/journal.ts";

/** What all learners learn from. */
export interface CrossFitInput {
  readonly view: View;
  /** (N) */
  readonly labels: Labels;
  readonly folds: readonly Fold[];
  readonly gap: number;
  readonly seed: number;
  /** Keeps the fits of this learner. */
  readonly journal: Journal;
  /** Hears that fold `fold` of setting `setting` is next. */
  onFold?(place: FoldPlace): void;
}

/** Where a cross-fit stands; numbers from 0. */
export interface FoldPlace {
  readonly learner: LearnerName;
  readonly setting: number;
  readonly settings: number;
  readonly fold: number;
  readonly folds: number;
  /** In a nested cross-validation: which of its folds is held out of all this. */
  readonly outer?: number;
  readonly outers?: number;
}

/** What people call the learners. */
export const LEARNER_NAMES = ["linear", "trees", "greedy trees", "quantile trees", "lstm", "layers"] as const;
export type LearnerName = (typeof LEARNER_NAMES)[number];

/** Whether the learner is a network: of those that are asked for by layers, or the LSTM in its place. */
export function isNetwork(name: string): boolean {
  return name === "lstm" || name === "layers";
}

/** A learner after all folds. */
export interface CrossFitted {
  readonly name: LearnerName;
  /** The average of the folds' members. */
  readonly member: Member;
  /** (H) logits by the fold's member that has not seen the sequence, fold after fold. */
  readonly outOfFold: Float64Array;
  /** Mean log loss of these. */
  readonly loss: number;
  /** Which of the learner's settings, as plain data, and which step of its path, from 0. */
  readonly settings: unknown;
  readonly step: number;
}

/** A learner that the pipeline can cross-fit, its types hidden. */
export interface CrossFitter {
  readonly name: LearnerName;
  crossFit(input: CrossFitInput): Promise<CrossFitted>;
}

/** What an artifact holds of a learner. */
export interface Shipping<Own> {
  /** Puts a member into an artifact's family. */
  toMember(member: Own): Member;
  /** What the folds' average takes of an artifact, and what it may take: steps are left off until it does. Default: no limit. */
  readonly size?: { readonly max: number; bytesOf(member: Own): number };
}

/** Hides the types of `learner`. */
export function createCrossFitter<Own, Settings>(
  name: LearnerName,
  learner: Learner<Own, Settings>,
  { toMember, size }: Shipping<Own>,
): CrossFitter {
  return {
    name,
    async crossFit(input) {
      const { view, labels, folds, gap, seed, journal, onFold } = input;
      const variants = [...learner.settings(folds[0].train.length)];
      const isAsGood = (own: Variant<Own, Settings>, other: Variant<Own, Settings>): boolean =>
        !exceedsNoise(outOfFoldLosses(own, learner, input), outOfFoldLosses(other, learner, input), gap);
      let best: Variant<Own, Settings> | undefined;
      for (let setting = 0; setting < variants.length; setting++) {
        const settings = variants[setting];
        const paths: Path<Own>[] = [];
        for (const [fold, { train, heldOut }] of folds.entries()) {
          onFold?.({ learner: name, setting, settings: variants.length, fold, folds: folds.length });
          const record = journal.record(`setting ${setting}, fold ${fold}`);
          paths.push(await learner.fit(view, labels, { train, validation: heldOut, gap }, settings, seedOfFold(seed, fold), record));
        }
        const lowest = { settings, ...poolLosses(paths.map(({ losses }) => losses)), paths };
        const fitsNoNoise = learner.fitsNoNoise?.(settings) === true;
        const chosen = fitsNoNoise ? takeLatest(lowest, learner, input) : lowest;
        const variant = limitSize(chosen, learner, size);
        const faster = variant.step < chosen.step ? learner.faster?.(settings) : undefined;
        if (faster !== undefined) variants.splice(setting + 1, 0, faster);
        if (best === undefined || variant.loss < best.loss || (fitsNoNoise && isAsGood(variant, best))) best = variant;
      }
      if (best === undefined) throw new RangeError(`the learner ${name} names no settings`);
      const { settings, step, paths } = best;
      const members = paths.map((path) => path.at(step));
      const average = learner.average(members);
      const logits = members.map((member, k) => learner.logits(member, view, folds[k].heldOut));
      const loss = best.loss / countHeldOut(folds);
      return { name, member: toMember(average), outOfFold: concatenate(logits), loss, settings, step };
    },
  };
}

/**
 * Each fold draws numbers of its own, so that chance in the members, such as random thresholds and first weights, averages out in their
 * mean. Fold 0 draws the seed's; a run's seed is below 2^32, so that no fold of a run draws what a fold of another draws.
 */
function seedOfFold(seed: number, fold: number): number {
  return seed + fold * 2 ** 32;
}

/** The latest step whose out-of-fold losses are not above the lowest by more than noise: the lowest of many is often an early accident. */
function takeLatest<Own, Settings>(
  lowest: Variant<Own, Settings>,
  learner: Learner<Own, Settings>,
  input: CrossFitInput,
): Variant<Own, Settings> {
  const paths = lowest.paths.map(({ losses }) => losses);
  const last = Math.max(...paths.map(({ length }) => length)) - 1;
  if (last === lowest.step) return lowest;
  const before = outOfFoldLosses(lowest, learner, input);
  for (let step = last; step > lowest.step; step--) {
    const later = { ...lowest, step, loss: sumLosses(paths, step) };
    if (!exceedsNoise(outOfFoldLosses(later, learner, input), before, input.gap)) return later;
  }
  return lowest;
}

/** (H) losses of a variant at its step, fold after fold. */
function outOfFoldLosses<Own, Settings>(
  { step, paths }: Variant<Own, Settings>,
  learner: Learner<Own, Settings>,
  { view, labels, folds }: CrossFitInput,
): Float64Array {
  return concatenate(
    paths.map((path, k) => {
      const { heldOut } = folds[k];
      return learner.logits(path.at(step), view, heldOut).map((z, i) => logLossOfLogit(labels[heldOut[i]], z));
    }),
  );
}

/** The variant at its step, or at the last before it whose average is small enough; one step in any case. */
function limitSize<Own, Settings>(
  chosen: Variant<Own, Settings>,
  learner: Learner<Own, Settings>,
  size: Shipping<Own>["size"],
): Variant<Own, Settings> {
  if (size === undefined) return chosen;
  const { paths } = chosen;
  for (let step = chosen.step; ; ) {
    const share = size.bytesOf(learner.average(paths.map((path) => path.at(step)))) / size.max;
    if (share <= 1 || step === 0) {
      const losses = paths.map((path) => path.losses);
      return { ...chosen, step, loss: sumLosses(losses, step) };
    }
    step = Math.max(0, Math.min(step - 1, Math.floor((step + 1) / share) - 1));
  }
}

interface Variant<Own, Settings> {
  readonly settings: Settings;
  readonly step: number;
  /** Summed over all folds. */
  readonly loss: number;
  readonly paths: readonly Path<Own>[];
}

/** The step whose losses, summed over the folds, are least, the earliest of equals. A path that ended early stays where it ended. */
export function poolLosses(losses: readonly Float64Array[]): { readonly step: number; readonly loss: number } {
  const steps = Math.max(...losses.map(({ length }) => length));
  let best = { step: 0, loss: Number.POSITIVE_INFINITY };
  for (let step = 0; step < steps; step++) {
    const loss = sumLosses(losses, step);
    if (loss < best.loss) best = { step, loss };
  }
  return best;
}

function sumLosses(losses: readonly Float64Array[], step: number): number {
  return losses.reduce((sum, own) => sum + own[Math.min(step, own.length - 1)], 0);
}

/** H */
export function countHeldOut(folds: readonly Fold[]): number {
  return folds.reduce((sum, { heldOut }) => sum + heldOut.length, 0);
}

/** (H) positions, fold after fold. */
export function listHeldOut(folds: readonly Fold[]): Int32Array {
  return Int32Array.from(folds.flatMap(({ heldOut }) => Array.from(heldOut)));
}

function concatenate(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
