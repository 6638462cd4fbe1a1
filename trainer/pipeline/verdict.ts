// What a training run amounts to, from paired losses on the test part: facts with a code. sentences.ts makes sentences of them.
import type { Metrics } from "../../shared/model.ts";
import { mean } from "../statistics/descriptive.ts";
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

export type VerdictFacts = Losses &
  (
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
}

/** A difference counts when it exceeds this many standard errors of the paired per-example difference. */
const STANDARD_ERRORS = 2;
/** Where the loss on the training part is lower than on the test part by more than this share of the gain, variance is the limit. */
const OVERFIT = 0.15;
/** Nats below which a difference is rounding. */
const ROUNDING = 1e-6;

/**
 * `bad-data`: whatever was learnt, `flaw` says why the metrics do not mean it. `no-better-model-found`: a simpler baseline beats the
 * model. `base-rate-only`: the model is no better than the base rate. `learned`: better than every baseline beyond noise, or than
 * the base rate while no baseline is better still.
 */
export function decideVerdict(input: VerdictInput): VerdictFacts {
  const { labels, probabilities, baselines, baselineProbabilities, trainLogLoss, gap, flaw } = input;
  const losses = logLosses(labels, probabilities);
  const logLoss = mean(losses);
  const figures = { logLoss, baseRateLogLoss: baselines[BASE_RATE].logLoss };
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
