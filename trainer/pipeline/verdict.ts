// What a training run amounts to, from paired losses on the test part: facts with a code. sentences.ts makes sentences of them.
import type { Metrics } from "../../shared/model.ts";
import { mean } from "../statistics/descriptive.ts";
import { countOnes } from "../statistics/labels.ts";
import { logLosses } from "../statistics/log-loss.ts";
import { pairedGain } from "../statistics/paired.ts";
import type { Flaw } from "./data-checks.ts";

export const BASE_RATE = "base rate";
export const LOGISTIC_REGRESSION = "logistic regression";

/** Log losses on the test part. */
interface Losses {
  readonly logLoss: number;
  readonly baseRateLogLoss: number;
}

export type VerdictFacts = Losses & { readonly restraint?: Restraint } & (
    | ({ readonly code: "too-few-examples" } & RareClass & { readonly canLearn: boolean; readonly canJudge: boolean })
    | { readonly code: "bad-data"; readonly flaw: Flaw }
    | { readonly code: "no-better-model-found"; readonly baseline: string; readonly baselineLogLoss: number }
    | { readonly code: "base-rate-only" }
    | {
        readonly code: "learned";
        readonly logisticLogLoss: number;
        readonly isBetterThanLogistic: boolean;
        /** On sequences it was trained on. */
        readonly trainLogLoss: number;
        /** The model knows what it was trained on much better than the test part. */
        readonly isOverfit: boolean;
      }
  );

/** The class with fewer sequences: how many there are in all, in the training part and in the test part. */
export interface RareClass {
  readonly label: 0 | 1;
  readonly count: number;
  readonly inTraining: number;
  readonly inTest: number;
}

/** Of the rarer class, in the training part: fewer teach a network nothing that holds elsewhere. */
export const MIN_TO_LEARN = 20;
/** And in the test part: of fewer, one more or less moves recall by a fifth or more. */
export const MIN_TO_JUDGE = 5;

/** The rarer class among the labels of all sequences. */
export function findRareClass(all: ArrayLike<number>, training: ArrayLike<number>, test: ArrayLike<number>): RareClass {
  const label = countOnes(all) <= all.length / 2 ? 1 : 0;
  const countOf = (labels: ArrayLike<number>): number => (label === 1 ? countOnes(labels) : labels.length - countOnes(labels));
  return { label, count: countOf(all), inTraining: countOf(training), inTest: countOf(test) };
}

export interface VerdictInput {
  /** (test) */
  readonly labels: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
  /** By name, BASE_RATE and LOGISTIC_REGRESSION among them: metrics, and probabilities (test). */
  readonly baselines: Readonly<Record<string, Metrics>>;
  readonly baselineProbabilities: Readonly<Record<string, ArrayLike<number>>>;
  /** The model's own, on sequences it was trained on. */
  readonly trainLogLoss: number;
  /** As in a split by time: neighbours closer than this share rows. */
  readonly gap: number;
  readonly flaw: Flaw | undefined;
  readonly rareClass: RareClass;
  /** An option that held the run back; undefined where none did. */
  readonly restraint?: Restraint;
  /** Default MIN_TO_LEARN. */
  readonly minToLearn?: number;
}

/**
 * `recipe-raw`: the numbers as they are. `few-epochs`: fewer epochs than the data's size calls for, and all of them were trained.
 * `few-units`: a smaller network than it calls for.
 */
export type Restraint =
  | { readonly code: "recipe-raw" }
  | { readonly code: "few-epochs"; readonly epochs: number; readonly usual: number }
  | { readonly code: "few-units"; readonly units: number; readonly usual: number };

/** The network of a run; `usual`: what so many sequences call for, `units` left out where their number holds nothing back. */
interface NetworkFacts {
  readonly usual: { readonly epochs: number; readonly units?: number };
  /** Epochs that were of use. */
  readonly trained: number;
}

/** What the options kept the run from. */
export function findRestraint(
  { recipe, epochs, units }: { readonly recipe: "auto" | "raw"; readonly epochs?: number; readonly units?: number },
  network: NetworkFacts | undefined,
): Restraint | undefined {
  if (recipe === "raw") return { code: "recipe-raw" };
  if (network === undefined) return undefined;
  const { usual, trained } = network;
  if (epochs !== undefined && epochs < usual.epochs && trained >= epochs) return { code: "few-epochs", epochs, usual: usual.epochs };
  if (units === undefined || usual.units === undefined || units >= usual.units) return undefined;
  return { code: "few-units", units, usual: usual.units };
}

/** A difference counts when it exceeds this many standard errors of the paired per-example difference. */
const STANDARD_ERRORS = 2;
/** Where the loss on the training part is lower than on the test part by more than this share of the gain, variance is the limit. */
const OVERFIT = 0.15;
/** Nats below which a difference is rounding. */
const ROUNDING = 1e-6;

/**
 * `too-few-examples`: one class has too few sequences to learn from or to judge by. `bad-data`: whatever was learnt, `flaw` says why the metrics do not mean it. `no-better-model-found`: a simpler baseline beats the
 * model. `base-rate-only`: the model is no better than the base rate. `learned`: better than every baseline beyond noise, or than
 * the base rate while no baseline is better still.
 */
export function decideVerdict(input: VerdictInput): VerdictFacts {
  const {
    labels,
    probabilities,
    baselines,
    baselineProbabilities,
    trainLogLoss,
    gap,
    flaw,
    rareClass,
    restraint,
    minToLearn = MIN_TO_LEARN,
  } = input;
  const losses = logLosses(labels, probabilities);
  const logLoss = mean(losses);
  const figures = { logLoss, baseRateLogLoss: baselines[BASE_RATE].logLoss, ...(restraint && { restraint }) };
  const [canLearn, canJudge] = [rareClass.inTraining >= minToLearn, rareClass.inTest >= MIN_TO_JUDGE];
  if (!canLearn || !canJudge) return { code: "too-few-examples", ...figures, ...rareClass, canLearn, canJudge };
  if (flaw !== undefined) return { code: "bad-data", ...figures, flaw };
  const gainOver = (name: string) => pairedGain(logLosses(labels, baselineProbabilities[name]), losses, gap);
  for (const [name, { logLoss: baselineLogLoss }] of Object.entries(baselines)) {
    const gain = gainOver(name);
    if (name !== BASE_RATE && gain.mean < -STANDARD_ERRORS * gain.standardError)
      return { code: "no-better-model-found", ...figures, baseline: name, baselineLogLoss };
  }
  const overBaseRate = gainOver(BASE_RATE);
  if (overBaseRate.mean <= Math.max(ROUNDING, STANDARD_ERRORS * overBaseRate.standardError)) return { code: "base-rate-only", ...figures };
  const overLogistic = gainOver(LOGISTIC_REGRESSION);
  return {
    code: "learned",
    ...figures,
    logisticLogLoss: baselines[LOGISTIC_REGRESSION].logLoss,
    isBetterThanLogistic: overLogistic.mean > STANDARD_ERRORS * overLogistic.standardError,
    trainLogLoss,
    isOverfit: logLoss - trainLogLoss > OVERFIT * overBaseRate.mean,
  };
}
