// Facts and experiments, ranked and put into words. Computes nothing that was not measured before.
import type { Plan } from "../../shared/recipe/recipe.ts";
import { figure, percent, short } from "../html/format.ts";
import { entropy } from "../statistics/log-loss.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import { MATERIAL, type Measured, type Proof, type Tested } from "./ablations.ts";
import type { Cause, CauseCode, Diagnosis, Outcome } from "./diagnose.ts";
import type { Run, Setup } from "./experiments.ts";
import type { LabelFact } from "./label-facts.ts";
import { describeTried, type Tried } from "./setup.ts";
import type { Signal } from "./signal.ts";
import type { Tensors } from "./tensors.ts";

export interface Conclusion {
  readonly blocking: readonly Cause[];
  readonly facts: readonly (Cause | LabelFact)[];
  readonly notes: readonly string[];
  /** (N) usable ones */
  readonly labels: Uint8Array;
  readonly gap: number;
  readonly tested: {
    readonly settings: Tried;
    readonly signal: Signal;
    readonly proof: Proof;
    readonly triedPlan: Plan;
    readonly curedPlan: Plan;
    readonly tensors: { readonly tried: Tensors; readonly cured: Tensors };
    /** (M) of the sample */
    readonly sampled: Uint8Array;
  } | null;
}

/** A length that brings so much of all that can be learnt is the answer rather than a feature. */
const MOSTLY = 0.6;

export function conclude({ blocking, facts, notes, labels, gap, tested }: Conclusion): Diagnosis {
  const N = labels.length;
  const rate = N === 0 ? null : labels.reduce((sum, label) => sum + label, 0) / N;
  const common = {
    examples: N,
    gap,
    positiveRate: rate,
    baseRateLoss: rate === null ? null : entropy(rate),
    majorityAccuracy: rate === null ? null : Math.max(rate, 1 - rate),
  };
  if (tested === null) {
    const [first] = blocking;
    const verdict = { code: first.code, text: `${first.evidence}; ${first.remedy}.` };
    return {
      verdict,
      causes: [...blocking, ...facts.map(strip)],
      ...common,
      tried: null,
      cured: null,
      joint: [],
      signal: null,
      tensors: null,
      notes,
    };
  }
  const { settings, signal, proof, triedPlan, curedPlan, sampled, tensors } = tested;
  const { gains } = proof;
  const learnable = Math.max(0, gains.cured.mean, gains.tried.mean);
  const isNothing = !signal.isFound && !isLearnt(proof);
  const holding = facts.filter((fact): fact is LabelFact => isLabelFact(fact) && holds(fact, learnable, isNothing));
  const lasting = facts.filter((fact) => !holding.includes(fact as LabelFact));
  const weighed = [
    ...proof.tested.map((test) => ({ cause: describeTested(test, proof), worth: test.worth })),
    ...holding.map((fact) => ({ cause: strip(fact), worth: isAnswer(fact, learnable) ? Number.POSITIVE_INFINITY : fact.gain })),
  ].sort((a, b) => b.worth - a.worth);
  const ranked: Cause[] = [
    ...blocking,
    ...weighed.map(({ cause }) => cause),
    ...(isNothing ? [describeNothing(signal, proof)] : []),
    ...lasting.map(strip),
  ];
  const holdsLoss = blocking.length + weighed.length > 0 || isNothing;
  const code: CauseCode | "healthy" = holdsLoss ? ranked[0].code : "healthy";
  const text = holdsLoss ? tell(ranked[0], tested) : tellHealthy(tested);
  return {
    verdict: { code, text },
    causes: ranked,
    ...common,
    tried: { ...outcome(proof.tried, triedPlan, sampled), settings },
    cured: {
      ...outcome(proof.cured, proof.isCure ? curedPlan : triedPlan, sampled),
      settings: proof.isCure ? cureSettings(settings, proof.tried.setup, proof.cured.setup, N) : settings,
      earlyStopping: true,
    },
    joint: proof.joint,
    signal,
    tensors,
    notes: [...notes, ...noteFigures(proof, common.majorityAccuracy, sampled), ...noteTensors(tested)],
  };
}

function isLearnt({ gains: { tried, cured } }: Proof): boolean {
  return [tried, cured].some(({ mean, p }) => mean > 0 && p <= 0.002);
}

function isLabelFact(fact: Cause | LabelFact): fact is LabelFact {
  return "holds" in fact;
}

function isAnswer({ code, gain }: LabelFact, learnable: number): boolean {
  return code === "leak" && gain >= MOSTLY * learnable;
}

/** Whether a fact about labels is worth naming as what holds the loss. */
function holds(fact: LabelFact, learnable: number, isNothing: boolean): boolean {
  if (!fact.holds) return false;
  if (fact.code === "leak") return isAnswer(fact, learnable) && !isNothing;
  return fact.gain >= Math.max(0.005, MATERIAL * learnable);
}

function strip(fact: Cause | LabelFact): Cause {
  if (!isLabelFact(fact)) return fact;
  const { holds: _, gain, ...cause } = fact;
  return Number.isFinite(gain) && gain > 0 ? { ...cause, gain } : cause;
}

function describeTested({ accusation, added, removed, isProven }: Tested, { tried, cured, gains }: Proof): Cause {
  const share = (nats: number): string => `${Math.round((100 * nats) / gains.gap.mean)} %`;
  const interval = added.mean >= removed.mean ? added.interval : removed.interval;
  return {
    code: accusation.code,
    certainty: isProven ? "proven" : "likely",
    evidence: `${accusation.evidence}; its cure alone recovers ${share(added.mean)} of the gap between ${nats(tried.run.loss)} and ${nats(cured.run.loss)}, and without it the cured recipe loses ${share(removed.mean)} (the larger: 95 % interval ${nats(interval[0])} … ${nats(interval[1])} nats)`,
    remedy: accusation.remedy,
    gain: Math.max(added.mean, removed.mean),
    added: added.mean,
    removed: removed.mean,
  };
}

function describeNothing(signal: Signal, { gains }: Proof): Cause {
  return {
    code: "no-signal",
    certainty: "likely",
    evidence: `${signal.probe} reaches AUC ${signal.auc.toFixed(3)} on the half that chose nothing (p = ${signal.p.toFixed(3)} over ${signal.permutations} permutations), and no network betters the base rate beyond chance (best ${nats(Math.max(gains.tried.mean, gains.cured.mean))} nats); an AUC of ${signal.smallest.toFixed(3)} would have been found with 80 % power`,
    remedy: "ask whether these features can know the label at all; further features or another label help more than more training",
    gain: 0,
  };
}

/** What holds the loss, for those that experiments test. */
const SUBJECTS: Readonly<Partial<Record<CauseCode, string>>> = {
  "features-unscaled": "Features on scales of their own hold",
  "movement-tiny": "Movements that are tiny against the levels hold",
  "difference-hidden": "A difference hidden between features that run together holds",
  "padding-unmasked": "Padding that is read as data holds",
  "learning-rate-high": "Too high a learning rate holds",
  "learning-rate-low": "Too low a learning rate holds",
  overfit: "Training that goes on for too long holds",
  undertrained: "Training that ends too early holds",
};

function tell(top: Cause, { proof, settings, signal }: NonNullable<Conclusion["tested"]>): string {
  const { tried, cured, baseRateLoss, isCure } = proof;
  if (top.code === "no-signal")
    return `Nothing to learn was found: the loss stays at the base rate's ${nats(baseRateLoss)} because neither probes nor networks find more than chance (an AUC of ${signal.smallest.toFixed(3)} would have been found).`;
  if (!isCure || top.added === undefined) return `${top.evidence}; ${top.remedy}.`;
  const joint = proof.tested
    .filter(({ isProven, accusation }) => isProven && accusation.code !== top.code)
    .map(({ accusation }) => accusation.code);
  return `${SUBJECTS[top.code]} the loss at ${nats(tried.run.loss)} (base rate ${nats(baseRateLoss)}; ${describeTried(settings)}): ${top.remedy}${joint.length > 0 ? ` (together with ${joint.join(", ")})` : ""}, and it reaches ${nats(cured.run.loss)}.`;
}

function tellHealthy({ proof, settings, signal }: NonNullable<Conclusion["tested"]>): string {
  const { tried, baseRateLoss, gains } = proof;
  if (!isLearnt(proof))
    return `A probe finds something (AUC ${signal.auc.toFixed(3)}, p = ${signal.p.toFixed(3)}), but neither ${describeTried(settings)} nor any cure betters the base rate (${nats(baseRateLoss)}) beyond chance: it is little, or chance once in a hundred; more sequences would tell.`;
  const learnt = gains.tried.mean > 0 ? `${nats(tried.run.loss)}, ${nats(gains.tried.mean)} below the base rate` : nats(tried.run.loss);
  return `Nothing was found that holds the loss: ${describeTried(settings)} reaches ${learnt} (${nats(baseRateLoss)}), and no cure that was tried betters it beyond chance.`;
}

function noteFigures({ tried, baseRateLoss }: Proof, majority: number | null, labels: Uint8Array): string[] {
  const notes = [];
  const accuracy = accuracyOf(tried.run, labels);
  if (majority !== null && Math.abs(accuracy - majority) < 0.005)
    notes.push(
      `the accuracy of what was tried, ${percent(accuracy)}, is that of always answering the majority (${percent(majority)}): it says nothing`,
    );
  if (Math.abs(tried.run.loss - baseRateLoss) < 0.01)
    notes.push(`what was tried stays at the base rate: ${nats(tried.run.loss)} against ${nats(baseRateLoss)}`);
  return notes;
}

function noteTensors({ proof, tensors, settings }: NonNullable<Conclusion["tested"]>): string[] {
  const both = (of: (which: "tried" | "cured") => string): string => (proof.isCure ? `${of("tried")}; cured ${of("cured")}` : of("tried"));
  const rates = (which: "tried" | "cured"): string => {
    const found = tensors[which].rates;
    return found === null ? "at none" : `from ${short(found[0])} to ${short(found[1])}`;
  };
  const notes = [
    `one batch of 32 learnt by heart in 300 steps: tried ${both((which) => figure(tensors[which].batchLoss))} nats left`,
    `in a ramp of learning rates the loss falls: tried ${both(rates)} (tried with ${settings.learningRate})`,
    `gates that stand below 0.05 or above 0.95: tried ${both((which) => percent(proof[which].run.saturation))}; a step near the end moves the weights by ${both((which) => short(proof[which].run.updateRatio))} of their size (0.001 is usual)`,
  ];
  if (proof.joint.length > 1)
    notes.push(
      `cured one after the other: ${proof.joint.map(({ code, gain }) => `+ ${code} ${Math.round((100 * gain) / proof.gains.gap.mean)} %`).join(", ")} of the gap of ${nats(proof.gains.gap.mean)} nats`,
    );
  return notes;
}

function accuracyOf({ probabilities }: Run, labels: Uint8Array): number {
  let [right, count] = [0, 0];
  probabilities.forEach((p, i) => {
    if (Number.isNaN(p)) return;
    count++;
    if (p >= 0.5 === (labels[i] === 1)) right++;
  });
  return right / count;
}

function outcome({ run }: Measured, plan: Plan, labels: Uint8Array): Outcome {
  const at = [...run.probabilities.keys()].filter((i) => !Number.isNaN(run.probabilities[i]));
  const { auc } = computeMetrics(
    at.map((i) => labels[i]),
    at.map((i) => run.probabilities[i]),
  );
  const { loss, curve, trainLoss, updateRatio, saturation } = run;
  return { plan, loss, auc, curve, trainLoss, updateRatio, saturation };
}

/** What one's own script should be set to. */
function cureSettings(tried: Tried, before: Setup, after: Setup, N: number): Tried {
  const isRateCured = before.regime.rate !== after.regime.rate;
  const batch = Math.max(32, Math.min(tried.batch, 2 ** Math.round(Math.log2(N / 50))));
  return {
    ...tried,
    scaled: after.view.scaled,
    masked: after.view.padding !== "none",
    learningRate: isRateCured ? 1e-3 : tried.learningRate,
    batch: Math.min(tried.batch, batch),
    epochs: undefined,
  };
}

function nats(x: number): string {
  return x.toFixed(4);
}
