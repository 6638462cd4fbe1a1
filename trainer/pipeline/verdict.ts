// What a training run amounts to, in a code and a sentence, from paired losses on the test part.
import type { Metrics } from "../../shared/model.ts";
import { type MeanWithError, mean } from "../statistics/descriptive.ts";
import { logLosses } from "../statistics/log-loss.ts";
import { pairedGain } from "../statistics/paired.ts";

export interface Verdict {
  readonly code: "learned" | "base-rate-only" | "no-better-model-found" | "bad-data";
  readonly text: string;
  /** The one step that would help most. */
  readonly next: string;
}

/** What about the data makes every figure worthless or misleading, and what to do about it. */
export type Flaw = Pick<Verdict, "text" | "next">;

/** A difference counts when it exceeds this many standard errors of the paired per-example difference. */
const STANDARD_ERRORS = 2;
/** Where the loss on the training part is lower than on the test part by more than this share of the gain, variance is the limit. */
const OVERFIT = 0.15;
/** Nats below which a difference is rounding. */
const ROUNDING = 1e-6;

/**
 * `learned`: better than every baseline beyond noise, or than the base rate while no baseline is better still.
 * `bad-data`: whatever was learnt, `flaw` says why the figures do not mean it. `base-rate-only`: no better than the base rate. `no-better-model-found`: a simpler baseline beats the network.
 * `trainLogLoss` is the model's own on sequences it was trained on; `gap` as in a split by time, neighbours closer than it share rows.
 */
export function decideVerdict(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  baselines: Readonly<Record<string, Metrics>>,
  baselineProbabilities: Readonly<Record<string, ArrayLike<number>>>,
  trainLogLoss: number,
  gap: number,
  flaw: Flaw | undefined,
): Verdict {
  const own = logLosses(labels, probabilities);
  const ownLoss = mean(own);
  const gain = (name: string): MeanWithError => pairedGain(logLosses(labels, baselineProbabilities[name]), own, gap);
  const overBaseRate = gain("base rate");
  const figures = `log loss ${ownLoss.toFixed(4)} against ${baselines["base rate"].logLoss.toFixed(4)} of the base rate`;
  if (flaw !== undefined) return { code: "bad-data", text: `${flaw.text}; the figures mean little: ${figures}.`, next: flaw.next };
  for (const name of Object.keys(baselines)) {
    const over = gain(name);
    if (name !== "base rate" && over.mean < -STANDARD_ERRORS * over.standardError)
      return {
        code: "no-better-model-found",
        text: `The ${name} on the same channels is better (${baselines[name].logLoss.toFixed(4)}): ${figures}.`,
        next: "Train on more sequences, or use the simpler model: at this size it generalises better.",
      };
  }
  if (overBaseRate.mean <= Math.max(ROUNDING, STANDARD_ERRORS * overBaseRate.standardError))
    return {
      code: "base-rate-only",
      text: `The model answers no better than the base rate: ${figures}.`,
      next: "Ask whether these features can know the label at all: further features, or another label, help more than more of the same.",
    };
  const overLogistic = gain("logistic regression");
  const comparison = overLogistic.mean > STANDARD_ERRORS * overLogistic.standardError ? "better than" : "level with";
  return {
    code: "learned",
    text: `Learned: ${figures}, ${comparison} logistic regression (${baselines["logistic regression"].logLoss.toFixed(4)}).`,
    next:
      ownLoss - trainLogLoss > OVERFIT * overBaseRate.mean
        ? `More sequences would help most: on those it was trained on its loss is ${trainLogLoss.toFixed(4)}.`
        : "Further features or a longer history would help most: it knows what it was trained on no better than what it has not seen, so more of the same would change little.",
  };
}
