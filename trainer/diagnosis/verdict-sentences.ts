// The verdict in words, and what experiments add to the evidence of a cause. Computes nothing.
import type { Ablation, AblationResult } from "./ablations.ts";
import type { Cause, CauseCode } from "./cause.ts";
import { describeRun } from "./experiment-setup.ts";
import type { BaselineSetup } from "./setup.ts";
import type { Signal } from "./signal.ts";

/** What keeps the loss high, for those that experiments test. */
const SUBJECTS: Readonly<Partial<Record<CauseCode, string>>> = {
  "features-unscaled": "Features on different scales keep",
  "movement-tiny": "Movements that are tiny against the levels keep",
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

/** Of a cause that no experiment tested. */
export function sayUntested({ evidence, fix }: Cause): string {
  return `${evidence} ${fix}`;
}

/** Of the first of the causes, after experiments. */
export function sayCause(top: Cause, { result, signal }: TestedVerdict): string {
  const { baseline, fixed, baseRateLoss, isFixed, ablations } = result;
  if (top.code === "no-signal")
    return `Nothing to learn was found: the loss stays at the base rate's ${nats(baseRateLoss)}, and neither probes nor networks find more than chance (an AUC of ${signal.smallest.toFixed(3)} would have been found).`;
  if (!isFixed || top.added === undefined) return sayUntested(top);
  const others = ablations
    .filter(({ isProven, hypothesis }) => isProven && hypothesis.code !== top.code)
    .map(({ hypothesis }) => hypothesis.code);
  const together =
    others.length === 0 ? "this fix" : `this fix and ${others.length === 1 ? "the fix" : "the fixes"} of ${others.join(" and ")}`;
  return `${SUBJECTS[top.code]} the loss at ${nats(baseline.loss)}; the base rate has ${nats(baseRateLoss)}. ${top.fix} With ${together}, the loss is ${nats(fixed.loss)}.`;
}

/** `isLearnt`: whether any network is better than the base rate beyond chance. */
export function sayHealthy({ result, settings, signal }: TestedVerdict, isLearnt: boolean): string {
  const { baseline, baseRateLoss, gains } = result;
  const run = describeRun(settings, baseline.setup.training);
  if (!isLearnt)
    return `A probe finds a signal (AUC ${signal.auc.toFixed(3)}, p = ${signal.p.toFixed(3)}), but neither the baseline setup, run as ${run}, nor any fix is better than the base rate (${nats(baseRateLoss)}) beyond chance. The signal is weak, or it is the chance of one in a hundred; more sequences would tell.`;
  const below = gains.baseline.mean > 0 ? `, ${nats(gains.baseline.mean)} below the base rate` : "";
  return `Nothing was found that keeps the loss high: the baseline setup, run as ${run}, reaches ${nats(baseline.loss)}${below} (${nats(baseRateLoss)}), and no fix that was tested is better beyond chance.`;
}

/** What the two experiments say of a cause. */
export function sayAblation({ added, removed }: Ablation, { baseline, fixed, gains }: AblationResult): string {
  const share = (gain: number): number => Math.round((100 * gain) / gains.gap.mean);
  const [low, high] = (added.mean >= removed.mean ? added : removed).interval;
  const gap = `the gap between ${nats(baseline.loss)} (baseline setup) and ${nats(fixed.loss)} (fixed setup)`;
  return `Alone, the fix ${sayShare(share(added.mean))} ${gap}. Without the fix, the fixed setup ${sayShare(-share(removed.mean))} the gap. The larger effect has the 95 % interval ${nats(low)} … ${nats(high)} nats.`;
}

/** `recovers 12 % of`, `loses 3 % of`: in whole percents of the gap. */
function sayShare(percents: number): string {
  if (percents === 0) return "recovers nothing of";
  return percents > 0 ? `recovers ${percents} % of` : `loses ${-percents} % of`;
}

function nats(x: number): string {
  return x.toFixed(4);
}
