// The verdict in words: a headline and what follows from it. And what experiments add to the evidence of a cause. Computes nothing.
import type { Ablation, AblationResult } from "./ablations.ts";
import type { Cause, CauseCode } from "./cause.ts";
import { describeRun } from "./experiment-setup.ts";
import type { BaselineSetup } from "./setup.ts";
import type { Signal } from "./signal.ts";

/** What keeps the loss high, for those that experiments test. */
const SUBJECTS: Readonly<Partial<Record<CauseCode, string>>> = {
  "features-unscaled": "Features on different scales keep",
  "movement-tiny": "Movements that are tiny against the levels keep",
  "movement-hidden": "Movements that are hidden beside the levels keep",
  "difference-hidden": "A difference hidden between correlated features keeps",
  "padding-unmasked": "Padding that is read as data keeps",
  "gaps-hidden": "Gaps that are filled as if their numbers were observed keep",
  "learning-rate-high": "A learning rate that is too high keeps",
  "learning-rate-low": "A learning rate that is too low keeps",
  overfit: "Training for too many epochs keeps",
  undertrained: "Training that ends too early keeps",
};

export interface TestedVerdict {
  readonly settings: BaselineSetup;
  readonly signal: Signal;
  readonly result: AblationResult;
}

/** `text`: what holds the loss, in a sentence or two. `next`: what fixes that, and what was found beside. */
export interface Headline {
  readonly text: string;
  readonly next: string;
}

/** Of a cause that no experiment tested. */
export function sayUntested({ evidence, fix }: Cause): Headline {
  return { text: evidence, next: fix };
}

/** Of the first of the causes, after experiments. */
export function sayCause(top: Cause, { result, signal }: TestedVerdict): Headline {
  const { baseline, fixed, baseRateLoss, isFixed, ablations } = result;
  if (top.code === "no-signal")
    return {
      text: `Nothing to learn was found: the loss stays at the base rate's ${nats(baseRateLoss)}.`,
      next: `Neither probes nor networks find more than chance. A probe would have found an AUC of ${signal.smallest.toFixed(3)}. ${top.fix}`,
    };
  if (!isFixed || top.added === undefined) return sayUntested(top);
  const others = ablations
    .filter(({ isProven, hypothesis }) => isProven && hypothesis.code !== top.code)
    .map(({ hypothesis }) => hypothesis.code);
  const together =
    others.length === 0 ? "this fix" : `this fix and ${others.length === 1 ? "the fix" : "the fixes"} of ${others.join(" and ")}`;
  return {
    text: `${SUBJECTS[top.code]} the loss at ${nats(baseline.loss)}.`,
    next: `The base rate has ${nats(baseRateLoss)}. ${top.fix} With ${together}, the loss is ${nats(fixed.loss)}.`,
  };
}

/** `isLearnt`: whether any network is better than the base rate beyond chance. */
export function sayHealthy({ result, settings, signal }: TestedVerdict, isLearnt: boolean): Headline {
  const { baseline, baseRateLoss, gains } = result;
  const run = describeRun(settings, baseline.setup.training);
  if (!isLearnt)
    return {
      text: "A probe finds a signal, but no network is better than the base rate beyond chance.",
      next: `The probe has AUC ${signal.auc.toFixed(3)} (p = ${signal.p.toFixed(3)}). The base rate has ${nats(baseRateLoss)}. The baseline setup was run as ${run}, and each fix was tried. The signal is weak, or it is the chance of one in a hundred: more sequences would tell.`,
    };
  const below = gains.baseline.mean > 0 ? `, ${nats(gains.baseline.mean)} below the base rate` : "";
  return {
    text: "Nothing was found that keeps the loss high.",
    next: `The baseline setup, run as ${run}, reaches ${nats(baseline.loss)}${below} (${nats(baseRateLoss)}). No fix that was tested is better beyond chance.`,
  };
}

/** What the two experiments say of a cause. A fixed setup without the levels has the channels of a fix in their place, not beside them. */
export function sayAblation({ hypothesis, added, removed }: Ablation, result: AblationResult): string {
  const { baseline, fixed, gains } = result;
  const share = (gain: number): number => Math.round((100 * gain) / gains.gap.mean);
  const [low, high] = (added.mean >= removed.mean ? added : removed).interval;
  const gap = `the gap between ${nats(baseline.loss)} (baseline setup) and ${nats(fixed.loss)} (fixed setup)`;
  const isInPlace = replacesLevels(hypothesis.code, result);
  const alone = isInPlace ? "Beside the levels" : "Alone";
  const without = isInPlace ? "The fixed setup has the fix in place of the levels. With the levels in place of the fix" : "Without the fix";
  return `${alone}, the fix ${sayShare(share(added.mean))} ${gap}. ${without}, the fixed setup ${sayShare(-share(removed.mean))} the gap. The larger effect has the 95 % interval ${nats(low)} … ${nats(high)} nats.`;
}

/** Whether the fix of `code` stands in the fixed setup instead of the levels. */
export function replacesLevels(code: CauseCode, { fixed }: Pick<AblationResult, "fixed">): boolean {
  const { inputs } = fixed.setup;
  if (inputs.levels) return false;
  return code === "difference-hidden" ? inputs.difference : (code === "movement-tiny" || code === "movement-hidden") && inputs.movement;
}

/** `recovers 12 % of`, `loses 3 % of`: in whole percents of the gap. */
function sayShare(percents: number): string {
  if (percents === 0) return "recovers nothing of";
  return percents > 0 ? `recovers ${percents} % of` : `loses ${-percents} % of`;
}

function nats(x: number): string {
  return x.toFixed(4);
}
