// The feature search: finds the channels from which a data set can be learnt, forward by score tests, each step confirmed by short
// runs on held-out sequences, then backward by short runs; and whether a teacher pays.
import { type Channel, secondFeature } from "../../shared/recipe/channel.ts";
import { mean } from "../statistics/descriptive.ts";
import { chooseSimplest, EVALUATED, isPlain, isSame, losesSliver, type Ranked, rankCandidates, withSimpler } from "./candidate-choice.ts";
import type { CandidateEvaluator, Evaluation, EvaluationInput, Losses } from "./candidate-evaluation.ts";
import { removeChannels } from "./channel-removal.ts";
import { type DistillationTarget, ON_LABELS } from "./distillation.ts";
import type { FeatureFacts } from "./facts.ts";
import {
  MAX_CHANNELS,
  openSearch,
  reportProgress,
  type Search,
  type SearchListeners,
  SHORTLIST,
  type WholesaleStep,
} from "./search-state.ts";

export interface SearchResult {
  readonly channels: readonly Channel[];
  /** Mean log loss on held-out sequences: of what was found, of levels and deltas of all features, of the base rate. */
  readonly loss: number;
  readonly plainLoss: number;
  readonly baseRateLoss: number;
  /** Whether something bettered the base rate by more than the best of many candidates does by luck. */
  readonly isSignificant: boolean;
  /** What to learn from: two targets where a teacher is as good as the network, since only training both will tell. */
  readonly targets: readonly DistillationTarget[];
}

/** A score test counts from so many of its standard deviations. */
const SIGNIFICANT = 3;
/** Standard errors by which the best of many candidates must better the base rate before anything is expected of it. */
const SIGNIFICANT_ERRORS = 2;
/** And standard errors by which the best of some channels must better what there is without it. (On fx, seed 102, one let `f2 − f3` in: −0.002.) */
const BEST_OF_SOME = 2;
/** Where they are features as they are, which cost little if they tell nothing. (On counts, seed 101, clicks came to 2.00 errors at first.) */
const BEST_OF_PLAIN = 1.5;
/**
 * And standard errors by which a whole other set must better what was found channel by channel: the paired error does not hold the
 * luck of two trainings. (Measured on mixed scales, 40,000: 0.80 of what can be learnt with one error and noise let in, 0.84 with two.)
 */
const WHOLESALE = 2;
/** Of the candidates of a step, so many are evaluated in whole runs. */
const FINALISTS = 2;
/** A teacher that misses no more than this share of what the network gains over the base rate may teach it something. */
const COMPETITIVE = 0.05;
/** The distillation weight, where a teacher pays: labels keep a say, for what the teacher cannot know. */
const DISTILLATION_WEIGHT = 0.9;

/** Searches among the candidates that `facts` of the training part suggest. Deterministic; throws what `yieldToEventLoop` throws. */
export async function searchChannels(input: EvaluationInput, facts: FeatureFacts, listeners: SearchListeners = {}): Promise<SearchResult> {
  const search = openSearch(input, facts, listeners);
  const { evaluator, all, onStep, leftUntried } = search;
  const { baseRate } = evaluator;
  const added = await addChannels(search);
  const { best: compared, plain } = await comparePlain(search, added);
  const isSignificant = compared.set.length > 0 && evaluator.isBetter(compared, baseRate, SIGNIFICANT_ERRORS);
  if (compared.set.length === 0) onStep({ code: "nothing-found" });
  const best = await removeChannels(search, compared.set.length === 0 ? plain : compared);
  const targets = await chooseTargets(search, best);
  if (Object.values(leftUntried).some((count) => count > 0)) onStep({ code: "left-untried", ...leftUntried });
  return {
    channels: best.set.map((c) => all[c]),
    loss: best.loss,
    plainLoss: plain.loss,
    baseRateLoss: baseRate.loss,
    isSignificant,
    targets,
  };
}

/** Adds one channel after the other to none, while the best of the candidates betters what there is. */
async function addChannels(search: Search): Promise<Evaluation> {
  const { evaluator, all, onStep } = search;
  const { isFolded, baseRate } = evaluator;
  let best = baseRate;
  let candidates: readonly number[] = [...all.keys()];
  while (best.set.length < Math.min(MAX_CHANNELS, all.length)) {
    reportProgress(search, "adding", best.set.length, 0);
    const ranked = rankCandidates(candidates, search.blocksOf, evaluator.testedLabels, best);
    if (search.isWide && best === baseRate) {
      candidates = ranked.slice(0, SHORTLIST).map(({ c }) => c);
      search.leftUntried.candidates = ranked.length - candidates.length;
    }
    const significant = ranked.filter(({ gain, noise }) => gain > SIGNIFICANT * noise);
    const plainest = isFolded || best.set.length === 0 ? [] : ranked.filter(({ c }) => isPlain(all[c])).slice(0, EVALUATED);
    // On few sequences one standard error is enough, lest nothing is found.
    const next =
      (await extend(search, best, withSimpler(significant, all), isFolded ? 1 : BEST_OF_SOME)) ??
      (await extend(search, best, plainest, BEST_OF_PLAIN));
    if (next === undefined) break;
    onStep({ code: "channel-added", channel: all[next.set[next.set.length - 1]], before: best.loss, after: next.loss });
    best = next;
  }
  return best;
}

/**
 * `from` with one more channel, if it betters `from` by so many standard errors. All are screened with the learner that did best on
 * `from`; the best of the screening is evaluated with all learners, and the next best where that fails.
 */
async function extend(search: Search, from: Evaluation, by: readonly Ranked[], errors: number): Promise<Evaluation | undefined> {
  const { evaluator, all } = search;
  let screened: Losses[] = [];
  let rival: Losses = from;
  for (const [i, { c }] of by.entries()) {
    const own = await evaluator.race([...from.set, c], from.learner, rival);
    if (own !== undefined) screened.push(own);
    if (own !== undefined && own.loss < rival.loss) rival = own;
    reportProgress(search, "adding", from.set.length, (i + 1) / by.length);
  }
  if (evaluator.isExhaustive) screened = screened.filter((evaluation) => evaluator.isBetter(evaluation, from, errors));
  const baseRate = mean(evaluator.baseRate.losses.subarray(0, screened[0]?.losses.length));
  for (let k = 0; k < FINALISTS; k++) {
    const best = chooseSimplest(screened, all, baseRate);
    if (best === undefined) return undefined;
    const evaluation = await evaluator.evaluate(best.set);
    if (evaluator.isBetter(evaluation, from, errors)) return evaluation;
    screened = screened.filter((other) => other !== best);
  }
  return undefined;
}

/** Levels where observed of what was found, and levels and deltas of all features instead or besides, where that betters it. */
async function comparePlain(search: Search, found: Evaluation): Promise<{ best: Evaluation; plain: Evaluation }> {
  const { evaluator, onStep } = search;
  reportProgress(search, "comparing", found.set.length, 0);
  const plain = await evaluator.evaluate(search.plain);
  let best = found;
  const take = (evaluation: Evaluation, code: WholesaleStep): void => {
    onStep({ code, before: best.loss, after: evaluation.loss });
    best = evaluation;
  };
  const consider = (evaluation: Evaluation, code: WholesaleStep): void => {
    if (evaluator.isBetter(evaluation, best, WHOLESALE)) take(evaluation, code);
  };
  const levels = levelsWhereObserved(search, found);
  const observed = levels && (await evaluator.evaluate(levels));
  if (observed && isAsGood(evaluator, observed, found)) take(observed, "observed-levels-instead");
  const { set } = best;
  consider(plain, "plain-channels-instead");
  const union = [...new Set([...set, ...plain.set])];
  const fallsBehind = set.length > 0 && (await losesRace(evaluator, union, await evaluator.screen(set)));
  if (!fallsBehind) consider(await evaluator.evaluate(union), "plain-channels-added");
  return { best, plain };
}

/** Whether `set` is worse than `rival`, which was screened, beyond noise. */
async function losesRace(evaluator: CandidateEvaluator, set: readonly number[], rival: Losses): Promise<boolean> {
  const own = await evaluator.race(set, undefined, rival);
  return own === undefined || evaluator.isBetter(rival, own);
}

/** Whether `observed` may take the place of `found`: it loses no more than a sliver, or is better where it has more channels. */
function isAsGood({ isBetter, baseRate }: CandidateEvaluator, observed: Evaluation, found: Evaluation): boolean {
  return observed.set.length <= found.set.length ? losesSliver(observed, found, baseRate.loss) : isBetter(observed, found);
}

/**
 * The features that `found` looks at, as they are, with nothing in their gaps; none where these lack no number. A difference filled by medians, and a value carried on, look like numbers: where a gap is they do not tell, which a
 * short run hardly misses. (Measured on order-30, five LSTMs: 0.528 recovered where medians hide gaps, 0.558 where not.)
 */
function levelsWhereObserved({ all }: Search, { set }: Evaluation): number[] | undefined {
  const features = [...new Set(set.flatMap((c) => [all[c].a, secondFeature(all[c]) ?? all[c].a]))].sort((a, b) => a - b);
  const levelOf = (a: number, isObserved: boolean): number => {
    const channel: Channel = { base: "feature", a, view: "level", ...(isObserved && { whereObserved: true as const }) };
    return all.findIndex((known) => isSame(known, channel));
  };
  const observed = features.map((a) => levelOf(a, true));
  if (observed.every((c) => c < 0)) return undefined;
  const levels = observed.map((c, i) => (c < 0 ? levelOf(features[i], false) : c)).filter((c) => c >= 0);
  return levels.length === set.length && levels.every((c) => set.includes(c)) ? undefined : levels;
}

/** What to train on: labels, a teacher's probabilities, or both in turn. */
async function chooseTargets(search: Search, { set }: Evaluation): Promise<DistillationTarget[]> {
  const { evaluator, onStep } = search;
  reportProgress(search, "teachers", set.length, 0);
  const network = await evaluator.by("LSTM", set);
  const logistic = await evaluator.by("logistic regression", set);
  if (evaluator.isFolded) {
    const taught = await evaluator.taught(set, DISTILLATION_WEIGHT);
    const pays = taught.loss < network.loss;
    if (pays) onStep({ code: "teacher-pays", before: network.loss, after: taught.loss });
    return [pays ? { teacher: "logistic regression", distillationWeight: DISTILLATION_WEIGHT } : ON_LABELS];
  }
  const summaryMlp = await evaluator.by("MLP on summary features", set);
  const teacher = summaryMlp.loss < logistic.loss ? summaryMlp : logistic;
  const isCompetitive = teacher.loss < network.loss + COMPETITIVE * (evaluator.baseRate.loss - network.loss);
  const name = teacher === summaryMlp ? "MLP on summary features" : "logistic regression";
  return isCompetitive ? [ON_LABELS, { teacher: name, distillationWeight: DISTILLATION_WEIGHT }] : [ON_LABELS];
}
