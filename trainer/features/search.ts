// Finds the numbers from which a data set can be learnt: forward by score tests, each step confirmed by a short run on held-out
// sequences, then backward by short runs; what all-zero rows mean, where the data leave it open; and whether a teacher pays.
import { type Channel, describeChannel } from "../../shared/recipe/channel.ts";
import type { Padding } from "../../shared/sequence.ts";
import { countZeroRows } from "../data/sequences.ts";
import { createCandidateEvaluator, type Evaluation, type EvaluationInput } from "./candidate-evaluation.ts";
import { listCandidates, plainChannels } from "./candidates.ts";
import { type FeatureFacts, studyFeatures } from "./facts.ts";
import { blocksOf, scoreGain } from "./score-test.ts";

/** What a network learns from: the teacher's probabilities by so much, labels by the rest. */
export interface DistillationTarget {
  readonly teacher: "none" | "logistic regression" | "MLP on summary features";
  readonly distillationWeight: number;
}

export const ON_LABELS: DistillationTarget = { teacher: "none", distillationWeight: 0 };

export interface SearchResult {
  readonly channels: readonly Channel[];
  /** Mean log loss on held-out sequences: of what was found, of levels and deltas of all features, of the base rate. */
  readonly loss: number;
  readonly plainLoss: number;
  readonly baseRateLoss: number;
  /** Whether something bettered the base rate by more than the best of many tries does by luck. */
  readonly isSignificant: boolean;
  /** What to learn from: two targets where a teacher is as good as the network, since only training both will tell. */
  readonly targets: readonly DistillationTarget[];
  /** What each step of the search gained or lost, for people. */
  readonly notes: readonly string[];
}

const MAX_CHANNELS = 10;
/** Candidates whose score test is best, tried by training. */
const TRIED = 3;
/** A score test counts from so many of its standard deviations. */
const SIGNIFICANT = 3;
/** Products are tested with the channels chosen last. */
const MAX_PRODUCTS = 4;
/** Standard errors by which the best of many candidates must better the base rate before anything is expected of it. */
const PROMISE = 2;
/** And standard errors by which the best of some channels must better what there is without it. (On fx, seed 102, one let `f2 − f3` in: −0.002.) */
const BEST_OF_SOME = 2;
/** Where they are features as they are, which cost little if they tell nothing. (On counts, seed 101, clicks came to 2.00 errors at first.) */
const BEST_OF_PLAIN = 1.5;
/**
 * And standard errors by which a whole other set must better what was found channel by channel: the paired error does not hold the
 * luck of two trainings. (Measured on mixed scales, 40,000: 0.80 of what can be learnt with one error and noise let in, 0.84 with two.)
 */
const WHOLESALE = 2;
/** A simpler channel is preferred if it loses no more than this share of what has been gained over the base rate. */
const SLIVER = 0.01;
/** A teacher that misses no more than this share of what the network gains over the base rate may teach it something. */
const COMPETITIVE = 0.05;
/** The distillation weight, where a teacher pays: labels keep a say, for what the teacher cannot know. */
const DISTILLATION_WEIGHT = 0.9;

export async function searchChannels(input: EvaluationInput, facts: FeatureFacts): Promise<SearchResult> {
  const { shape, features } = input;
  const T = shape.timesteps;
  const plain = plainChannels(facts, T);
  const candidates = listCandidates(facts, T);
  const all = [...candidates, ...plain.filter((channel) => !candidates.some((known) => isSame(known, channel)))];
  const evaluator = createCandidateEvaluator(input, all);
  const { tested, testedLabels, isFolded, baseRate, isBetter } = evaluator;
  /** What a teacher can learn from a set counts as much as what the network can: on small data the logistic regression, which is cheap there. */
  const attempt = async (set: readonly number[]): Promise<Evaluation> => {
    const network = await evaluator.network(set);
    const teacher = await (isFolded ? evaluator.teacher(set) : evaluator.summaryMlp(set));
    return teacher.loss < network.loss ? teacher : network;
  };
  const blocks = all.map((_, c) => blocksOf(tested, T, c));
  const name = (c: number): string => describeChannel(all[c], features);
  const notes: string[] = [];
  const note = (what: string, before: Evaluation, after: Evaluation): void => {
    notes.push(`${what}: ${before.loss.toFixed(4)} → ${after.loss.toFixed(4)}`);
  };

  /** The best of `from` with one more channel that better `from`: on few sequences by one standard error, lest nothing is found. */
  const extend = async (from: Evaluation, by: readonly Ranked[], errors = isFolded ? 1 : BEST_OF_SOME): Promise<Evaluation | undefined> => {
    const better: Evaluation[] = [];
    for (const { c } of by) {
      const evaluation = await attempt([...from.set, c]);
      if (isBetter(evaluation, from, errors)) better.push(evaluation);
    }
    return simplest(better, all, baseRate);
  };

  let best = baseRate;
  while (best.set.length < Math.min(MAX_CHANNELS, all.length)) {
    const chosen = best.set.slice(-MAX_PRODUCTS).map((c) => blocks[c]);
    const tests = [...all.keys()]
      .filter((c) => !best.set.includes(c))
      .map((c) => ({ c, ...scoreGain(blocks[c], chosen, testedLabels, best.probabilities) }))
      .sort((a, b) => b.gain - a.gain);
    const significant = tests.filter(({ gain, noise }) => gain > SIGNIFICANT * noise);
    const plainest = isFolded || best.set.length === 0 ? [] : tests.filter(({ c }) => isPlain(all[c])).slice(0, TRIED);
    const next = (await extend(best, withSimpler(significant, all))) ?? (await extend(best, plainest, BEST_OF_PLAIN));
    if (next === undefined) break;
    note(`+ ${name(next.set[next.set.length - 1])}`, best, next);
    best = next;
  }

  const plainEvaluation = await attempt(plain.map((channel) => all.findIndex((known) => isSame(known, channel))));
  const union = await attempt([...new Set([...best.set, ...plainEvaluation.set])]);
  for (const [evaluation, what] of [
    [plainEvaluation, "levels and deltas of all features instead"],
    [union, "with levels and deltas of all features"],
  ] as const) {
    if (!isBetter(evaluation, best, WHOLESALE)) continue;
    note(what, best, evaluation);
    best = evaluation;
  }
  const isSignificant = best.set.length > 0 && isBetter(best, baseRate, PROMISE);
  if (best.set.length === 0) {
    notes.push("nothing betters the base rate on held-out sequences: levels and deltas of all features stand in");
    best = plainEvaluation;
  }
  for (const c of [...best.set].reverse()) {
    if (best.set.length === 1) break;
    const without = await attempt(best.set.filter((other) => other !== c));
    if (isBetter(best, without)) continue;
    note(`− ${name(c)}`, best, without);
    best = without;
  }

  const network = await evaluator.network(best.set);
  const logistic = await evaluator.teacher(best.set);
  const targets: DistillationTarget[] = [];
  if (isFolded) {
    const taught = await evaluator.network(best.set, DISTILLATION_WEIGHT);
    if (taught.loss < network.loss) {
      targets.push({ teacher: "logistic regression", distillationWeight: DISTILLATION_WEIGHT });
      note("a logistic regression on the same channels teaches the network", network, taught);
    } else targets.push(ON_LABELS);
  } else {
    const summaryMlp = await evaluator.summaryMlp(best.set);
    const teacher = summaryMlp.loss < logistic.loss ? summaryMlp : logistic;
    targets.push(ON_LABELS);
    if (teacher.loss < network.loss + COMPETITIVE * (baseRate.loss - network.loss))
      targets.push({
        teacher: teacher === summaryMlp ? "MLP on summary features" : "logistic regression",
        distillationWeight: DISTILLATION_WEIGHT,
      });
  }
  return {
    channels: best.set.map((c) => all[c]),
    loss: best.loss,
    plainLoss: plainEvaluation.loss,
    baseRateLoss: baseRate.loss,
    isSignificant,
    targets,
    notes,
  };
}

interface Ranked {
  readonly c: number;
  readonly gain: number;
}

/** The first few, and of every pair among them its two features alone: who says as much by itself is preferred. */
function withSimpler(ranked: readonly Ranked[], all: readonly Channel[]): Ranked[] {
  const first = ranked.slice(0, TRIED);
  const simpler = ranked.slice(TRIED).filter(({ c }) =>
    first.some(({ c: pair }) => {
      const [own, other] = [all[c], all[pair]];
      return other.base !== "feature" && own.base === "feature" && own.view === other.view && (own.a === other.a || own.a === other.b);
    }),
  );
  return [...first, ...simpler];
}

/** The best evaluation, or one whose last channel is simpler and that loses no more than a sliver of what the best has gained. */
function simplest(tried: readonly Evaluation[], all: readonly Channel[], baseRate: Evaluation): Evaluation | undefined {
  if (tried.length === 0) return undefined;
  const best = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
  const enough = best.loss + SLIVER * (baseRate.loss - best.loss);
  const simple = tried
    .filter(({ set, loss }) => all[set[set.length - 1]].base === "feature" && loss <= enough)
    .sort((a, b) => a.loss - b.loss);
  return simple[0] ?? best;
}

/** A feature as it is. A score test sees what is added at each step; what only a total tells, beside others, it misses. */
function isPlain({ base, view }: Channel): boolean {
  return base === "feature" && view === "level";
}

function isSame(a: Channel, b: Channel): boolean {
  return a.view === b.view && a.base === b.base && a.a === b.a && (a.base === "feature" || (b.base !== "feature" && a.b === b.b));
}

/** Fewer zero rows than this inside sequences are accidents, not a meaning. */
const FEW_ZERO_ROWS = 1e-3;

/**
 * What all-zero rows mean. `leading` where they stand only in front, or nowhere; else every reading is tried with levels and
 * deltas, and the one that validates best is taken.
 */
export async function choosePadding(input: Omit<EvaluationInput, "padding">): Promise<{ padding: Padding; note: string }> {
  const { values, shape, train } = input;
  const { zeros, total } = countZeroRows(values, shape, train);
  const share = total === 0 ? 0 : zeros / total;
  if (share < FEW_ZERO_ROWS) return { padding: "leading", note: "all-zero rows stand in front only: padding" };
  const losses: { padding: Padding; loss: number }[] = [];
  for (const padding of ["leading", "any", "none"] as const) {
    const channels = plainChannels(studyFeatures(values, shape, train, padding), shape.timesteps);
    if (channels.length === 0) continue;
    const evaluation = await createCandidateEvaluator({ ...input, padding }, channels).network([...channels.keys()]);
    losses.push({ padding, loss: evaluation.loss });
  }
  const best = losses.reduce((a, b) => (b.loss < a.loss ? b : a));
  const figures = losses.map(({ padding, loss }) => `${padding} ${loss.toFixed(4)}`).join(", ");
  return {
    padding: best.padding,
    note: `${(100 * share).toFixed(1)} % of the rows inside sequences are all zero; log loss by reading: ${figures}`,
  };
}
