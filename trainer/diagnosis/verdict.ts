// Findings and experiments, ranked. Computes nothing that was not measured before.
import type { Plan } from "../../shared/recipe/recipe.ts";
import { describeLabelFinding } from "../data/label-sentences.ts";
import { mean } from "../statistics/descriptive.ts";
import { entropy } from "../statistics/log-loss.ts";
import { areaUnderRoc } from "../statistics/metrics.ts";
import { type Ablation, type AblationResult, MATERIAL } from "./ablations.ts";
import type { Cause, CauseCode } from "./cause.ts";
import type { ColumnsFinding } from "./columns/study.ts";
import { describeColumnsFinding } from "./columns-sentences.ts";
import type { Diagnosis, FeatureSummary, Outcome } from "./diagnosis.ts";
import type { Experiment } from "./experiment-runner.ts";
import type { ExperimentSetup } from "./experiment-setup.ts";
import type { Finding } from "./finding.ts";
import { describeFinding } from "./finding-sentences.ts";
import type { LabelFact } from "./label-facts.ts";
import { noteGuessing, noteJoint, noteRun } from "./notes.ts";
import { TRAIN_SHARE } from "./script.ts";
import type { BaselineSetup } from "./setup.ts";
import type { Signal } from "./signal.ts";
import type { Tensors } from "./tensors.ts";
import { replacesLevels, sayAblation, sayCause, sayHealthy, sayUntested } from "./verdict-sentences.ts";

/** What was found without an experiment. */
export interface Findings {
  /** Of the features. */
  readonly names: readonly string[];
  /** What stands in the way of experiments, or of some sequences. */
  readonly blocking: readonly Finding[];
  readonly labelFacts: readonly LabelFact[];
  readonly facts: readonly Finding[];
  readonly features: readonly FeatureSummary[];
  readonly notes: readonly string[];
  /** (N) usable ones */
  readonly labels: Uint8Array;
  readonly gap: number;
}

/** What was found by experiments. */
export interface Experiments {
  readonly settings: BaselineSetup;
  readonly signal: Signal;
  readonly result: AblationResult;
  /** Undefined where no learner on columns does clearly better. */
  readonly columns: ColumnsFinding | undefined;
  readonly baselinePlan: Plan;
  readonly fixedPlan: Plan;
  readonly tensors: { readonly baseline: Tensors; readonly fixed: Tensors };
  /** (M) labels of the sample */
  readonly sampled: Uint8Array;
}

/** A length that brings so much of all that can be learnt is the answer rather than a feature. */
const MOSTLY = 0.6;
/** A label fact is worth naming as what keeps the loss high from so many nats on. */
const MIN_GAIN = 0.005;
/** Whether anything was learnt at all. */
const LEARNT_LEVEL = 0.002;

/** The diagnosis of data on which nothing can be trained: the first blocking finding is the verdict. */
export function concludeWithoutExperiments(findings: Findings): Diagnosis {
  const { blocking, labelFacts, facts, features, notes, names } = findings;
  const causes = [
    ...blocking.map((finding) => factCause(finding, names)),
    ...labelFacts.map((fact) => labelCause(fact, names)),
    ...facts.map((finding) => factCause(finding, names)),
  ];
  const [first] = causes;
  return {
    verdict: { code: first.code, ...sayUntested(first) },
    causes,
    ...describeLabels(findings),
    baseline: null,
    fixed: null,
    columns: null,
    joint: [],
    signal: null,
    tensors: null,
    features,
    notes,
  };
}

/** The diagnosis after experiments. What keeps the loss high comes first, by what it costs. */
export function conclude(findings: Findings, experiments: Experiments): Diagnosis {
  const { settings, signal, result, baselinePlan, fixedPlan, sampled, tensors } = experiments;
  const { causes, keepsLoss, isLearnt } = rankCauses(findings, experiments);
  const code: CauseCode | "healthy" = keepsLoss ? causes[0].code : "healthy";
  const { isFixed, baseline, fixed } = result;
  return {
    verdict: { code, ...(keepsLoss ? sayCause(causes[0], experiments) : sayHealthy(experiments, isLearnt)) },
    causes,
    ...describeLabels(findings),
    baseline: { ...outcome(baseline, baselinePlan, sampled), settings },
    fixed: {
      ...outcome(fixed, isFixed ? fixedPlan : baselinePlan, sampled),
      settings: isFixed ? fixedSettings(settings, baseline.setup, fixed.setup, findings.labels.length) : settings,
      earlyStopping: true,
    },
    columns: experiments.columns ?? null,
    joint: result.joint,
    signal,
    tensors,
    features: findings.features,
    notes: [...findings.notes, ...noteExperiments(findings, experiments)],
  };
}

function describeLabels({
  labels,
  gap,
}: Findings): Pick<Diagnosis, "examples" | "gap" | "positiveRate" | "baseRateLoss" | "majorityAccuracy" | "tailBaseRateLoss"> {
  const N = labels.length;
  const rate = N === 0 ? null : mean(labels);
  const tail = labels.subarray(Math.ceil(TRAIN_SHARE * N + gap));
  return {
    examples: N,
    gap,
    positiveRate: rate,
    baseRateLoss: rate === null ? null : entropy(rate),
    majorityAccuracy: rate === null ? null : Math.max(rate, 1 - rate),
    tailBaseRateLoss: gap > 0 && tail.length > 0 ? entropy(mean(tail)) : null,
  };
}

interface Ranking {
  readonly causes: readonly Cause[];
  /** Whether the first of them keeps the loss high; else all are plain facts. */
  readonly keepsLoss: boolean;
  readonly isLearnt: boolean;
}

function rankCauses({ names, blocking, labelFacts, facts }: Findings, { signal, result, columns }: Experiments): Ranking {
  const { gains } = result;
  const learnable = Math.max(0, gains.fixed.mean, gains.baseline.mean);
  const isLearnt = [gains.baseline, gains.fixed].some(({ mean, p }) => mean > 0 && p <= LEARNT_LEVEL);
  const isNothing = !signal.isFound && !isLearnt && columns === undefined;
  const costly = labelFacts.filter((fact) => isCostly(fact, learnable, isNothing));
  const ranked = [
    ...result.ablations.map((ablation) => ({ cause: ablationCause(ablation, result, names), rank: ablation.rank })),
    ...costly.map((fact) => ({ cause: labelCause(fact, names), rank: isAnswer(fact, learnable) ? Number.POSITIVE_INFINITY : fact.gain })),
    ...(columns ? [{ cause: columnsCause(columns), rank: columns.gain }] : []),
  ].sort((a, b) => b.rank - a.rank);
  const [gaps, others] = [blocking.filter(isFilled), blocking.filter((finding) => !isFilled(finding))];
  const isOutranked = ranked.length > 0 || isNothing;
  const noSignal: Finding[] = isNothing ? [{ code: "no-signal", signal, bestGain: Math.max(gains.baseline.mean, gains.fixed.mean) }] : [];
  return {
    causes: [
      ...[...others, ...(isOutranked ? [] : gaps)].map((finding) => factCause(finding, names)),
      ...ranked.map(({ cause }) => cause),
      ...noSignal.map((finding): Cause => ({ code: finding.code, certainty: "likely", ...describeFinding(finding, names), gain: 0 })),
      ...(isOutranked ? gaps : []).map((finding) => factCause(finding, names)),
      ...labelFacts.filter((fact) => !costly.includes(fact)).map((fact) => labelCause(fact, names)),
      ...facts.map((finding) => factCause(finding, names)),
    ],
    keepsLoss: blocking.length + ranked.length > 0 || isNothing,
    isLearnt,
  };
}

/** Gaps are filled in every experiment: what these prove holds the loss beside the gaps, and comes before them. */
function isFilled(finding: Finding): boolean {
  return finding.code === "non-finite" && finding.infinite === 0;
}

function isAnswer({ code, gain }: LabelFact, learnable: number): boolean {
  return code === "leak" && gain >= MOSTLY * learnable;
}

/** Whether a fact about labels is worth naming as what keeps the loss high. */
function isCostly(fact: LabelFact, learnable: number, isNothing: boolean): boolean {
  if (!fact.keepsLoss) return false;
  if (fact.code === "leak") return isAnswer(fact, learnable) && !isNothing;
  return fact.gain >= Math.max(MIN_GAIN, MATERIAL * learnable);
}

function factCause(finding: Finding, names: readonly string[]): Cause {
  return { code: finding.code, certainty: "fact", ...describeFinding(finding, names) };
}

function labelCause({ code, finding, gain }: LabelFact, names: readonly string[]): Cause {
  const cause = { code, certainty: "fact", ...describeLabelFinding(finding, names) } as const;
  return Number.isFinite(gain) && gain > 0 ? { ...cause, gain } : cause;
}

function columnsCause(finding: ColumnsFinding): Cause {
  return { code: "columns-better", certainty: "proven", ...describeColumnsFinding(finding), gain: finding.gain };
}

function ablationCause(ablation: Ablation, result: AblationResult, names: readonly string[]): Cause {
  const { hypothesis, added, removed, isProven } = ablation;
  const { evidence, fix } = describeFinding(hypothesis.finding, names);
  const isInPlace = replacesLevels(hypothesis.code, result);
  return {
    code: hypothesis.code,
    certainty: isProven ? "proven" : "likely",
    evidence: `${evidence} ${sayAblation(ablation, result)}`,
    fix: isInPlace ? `${fix} Leave out the levels.` : fix,
    gain: Math.max(added.mean, removed.mean),
    added: added.mean,
    removed: removed.mean,
  };
}

function noteExperiments({ labels }: Findings, { settings, result, sampled }: Experiments): string[] {
  const { baseline, joint, gains, baseRateLoss } = result;
  const rate = mean(labels);
  return [
    ...noteGuessing({ accuracy: accuracyOf(baseline, sampled), majority: Math.max(rate, 1 - rate), loss: baseline.loss, baseRateLoss }),
    ...noteJoint(joint, gains.gap.mean, result.isFixed && !result.fixed.setup.inputs.levels),
    ...noteRun(settings, baseline.setup.training),
  ];
}

/** At one half, over the sequences that were held out. */
function accuracyOf({ probabilities }: Experiment, labels: Uint8Array): number {
  let [right, count] = [0, 0];
  probabilities.forEach((p, i) => {
    if (Number.isNaN(p)) return;
    count++;
    if (p >= 0.5 === (labels[i] === 1)) right++;
  });
  return right / count;
}

function outcome(
  { setup, probabilities, loss, curve, trainLoss, updateRatio, saturation }: Experiment,
  plan: Plan,
  labels: Uint8Array,
): Outcome {
  const at = [...probabilities.keys()].filter((i) => !Number.isNaN(probabilities[i]));
  const auc = areaUnderRoc(
    at.map((i) => labels[i]),
    at.map((i) => probabilities[i]),
  );
  return { plan, training: setup.training, loss, auc, curve, trainLoss, updateRatio, saturation };
}

/** What the user's script should be set to; `N` sequences in the file. */
function fixedSettings(settings: BaselineSetup, before: ExperimentSetup, after: ExperimentSetup, N: number): BaselineSetup {
  const isRateFixed = before.training.rate !== after.training.rate;
  const batch = Math.max(32, Math.min(settings.batch, 2 ** Math.round(Math.log2(N / 50))));
  return {
    ...settings,
    scaled: after.inputs.scaled,
    masked: after.inputs.padding !== "none",
    learningRate: isRateFixed ? 1e-3 : settings.learningRate,
    batch: Math.min(settings.batch, batch),
    epochs: undefined,
  };
}
