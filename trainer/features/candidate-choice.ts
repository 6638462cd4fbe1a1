// Which candidate a step of the feature search takes: by score tests before short runs, by simplicity after them. Trains nothing.
import { type Channel, looksAt, secondFeature } from "../../shared/recipe/channel.ts";
import type { Labels } from "../statistics/labels.ts";
import type { Evaluation, Losses } from "./candidate-evaluation.ts";
import { type ScoreGain, scoreGain } from "./score-test.ts";

/** A candidate by its score test. */
export interface Ranked extends ScoreGain {
  /** Position among all candidates. */
  readonly c: number;
}

/** Candidates whose score test is best, evaluated by short runs. */
export const EVALUATED = 3;
/** Products are tested with the channels chosen last. */
const MAX_PRODUCTS = 4;
/** A simpler channel is preferred if it loses no more than this share of what has been gained over the base rate. */
const SLIVER = 0.01;

/** Those of `candidates` that `best` lacks, by falling score test; `blocksOf` a candidate and `labels` are those of the tested sequences. */
export function rankCandidates(
  candidates: readonly number[],
  blocksOf: (c: number) => Float64Array,
  labels: Labels,
  best: Evaluation,
): Ranked[] {
  const chosen = best.set.slice(-MAX_PRODUCTS).map(blocksOf);
  return candidates
    .filter((c) => !best.set.includes(c))
    .map((c) => ({ c, ...scoreGain(blocksOf(c), chosen, labels, best.probabilities) }))
    .sort((a, b) => b.gain - a.gain);
}

/** The first few, and of every pair among them its two features alone: who says as much by itself is preferred. */
export function withSimpler(ranked: readonly Ranked[], all: readonly Channel[]): Ranked[] {
  const first = ranked.slice(0, EVALUATED);
  const isPartOf = (single: Channel, pair: Channel): boolean =>
    secondFeature(pair) !== undefined && single.base === "feature" && single.view === pair.view && looksAt(pair, single.a);
  const simpler = ranked.slice(EVALUATED).filter(({ c }) => first.some(({ c: pair }) => isPartOf(all[c], all[pair])));
  return [...first, ...simpler];
}

/** The best, or one whose last channel is simpler and that loses no more than a sliver of what the best has gained over `baseRate`. */
export function chooseSimplest(screened: readonly Losses[], all: readonly Channel[], baseRate: number): Losses | undefined {
  if (screened.length === 0) return undefined;
  const best = screened.reduce((a, b) => (b.loss < a.loss ? b : a));
  const simple = screened
    .filter((own) => all[own.set[own.set.length - 1]].base === "feature" && losesSliver(own, best, baseRate))
    .sort((a, b) => a.loss - b.loss);
  return simple[0] ?? best;
}

/** Whether `own` loses no more than a sliver of what `best` has gained over `baseRate`. */
export function losesSliver(own: Pick<Losses, "loss">, best: Pick<Losses, "loss">, baseRate: number): boolean {
  return own.loss <= best.loss + SLIVER * (baseRate - best.loss);
}

/** A feature as it is. A score test sees what is added at each step; what only a total tells, beside others, it misses. */
export function isPlain({ base, view, whereObserved }: Channel): boolean {
  return base === "feature" && view === "level" && whereObserved === undefined;
}

/** Whether two channels are computed alike. */
export function isSame(a: Channel, b: Channel): boolean {
  const isAlike = a.view === b.view && a.base === b.base && a.a === b.a && secondFeature(a) === secondFeature(b);
  return isAlike && a.whereObserved === b.whereObserved && a.medianFilled === b.medianFilled;
}
