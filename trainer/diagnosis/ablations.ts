// Ablations: the fix of every hypothesis added to the baseline setup and taken out of the fixed setup, on the same held-out
// sequences. Knows no sentence. Legend: M sequences.
import { mean } from "../statistics/descriptive.ts";
import { logLossOf } from "../statistics/log-loss.ts";
import type { Random } from "../statistics/random.ts";
import type { CauseCode } from "./cause.ts";
import type { Experiment, ExperimentRunner } from "./experiment-runner.ts";
import type { ExperimentSetup } from "./experiment-setup.ts";
import type { Hypothesis } from "./hypotheses.ts";
import { type Comparison, comparePairs, holm, type Losses } from "./paired-bootstrap.ts";
import type { InterimResult } from "./progress.ts";

/** What the two experiments on one hypothesis say. */
export interface Ablation {
  readonly hypothesis: Hypothesis;
  /** Baseline setup − the same with the fix; fixed setup without the fix − fixed setup. */
  readonly added: Comparison;
  readonly removed: Comparison;
  readonly isProven: boolean;
  readonly isLikely: boolean;
  /** Nats by which causes are ranked. */
  readonly rank: number;
}

export interface Gains {
  /** Base rate − baseline setup. */
  readonly baseline: Comparison;
  /** Base rate − fixed setup. */
  readonly fixed: Comparison;
  /** Baseline setup − fixed setup. */
  readonly gap: Comparison;
}

export interface AblationResult {
  readonly baseline: Experiment;
  readonly fixed: Experiment;
  /** Whether the fixed setup is better than the baseline setup, beyond chance and by enough to care. */
  readonly isFixed: boolean;
  readonly gains: Gains;
  readonly baseRateLoss: number;
  /** Those that are proven or likely, the largest rank first. */
  readonly ablations: readonly Ablation[];
  /** Nats gained by the fixes of `ablations` one after the other, in their order; the last is all. */
  readonly joint: readonly { readonly code: CauseCode; readonly gain: number }[];
}

export interface AblationInput {
  readonly runner: ExperimentRunner;
  readonly baseline: ExperimentSetup;
  readonly hypotheses: readonly Hypothesis[];
  /** (M) */
  readonly labels: Uint8Array;
  readonly positiveRate: number;
  /** (M) what is resampled together */
  readonly blocks: Int32Array;
  readonly random: Random;
  onInterimResult?(result: InterimResult): void;
}

/** Of all comparisons together, by Holm's correction. */
const LEVEL = 0.05;
/** Whether there is anything to fix, which is asked only where there is a hypothesis, and whether anything was learnt at all. */
const GAP_LEVEL = 0.1;
const LEARNT_LEVEL = 0.002;
/** What moves the loss by less than this share of what can be recovered is no cause. */
export const MATERIAL = 0.05;
/** A fix that gains less than this share of the gap when everything else is fixed is left out of the fixed setup. */
const NEGLIGIBLE = 0.01;
/** The fix of what is hidden brings its own scale: where scaling everything does about as well, what is hidden ranks first. */
const HIDDEN_BONUS = 1.1;
const HIDDEN: readonly CauseCode[] = ["movement-tiny", "movement-hidden", "difference-hidden", "gaps-hidden"];

const isHidden = ({ code }: Hypothesis): boolean => HIDDEN.includes(code);

/** Experiments that `runAblations` makes at most: the two setups, two a hypothesis, the levels, steps down, and joint gains. */
export function maxExperiments(hypotheses: readonly Hypothesis[]): number {
  const hidden = hypotheses.filter(isHidden).length;
  return 2 + Math.min(1, hidden) + 3 * hypotheses.length + hidden;
}

/** Runs the experiments one after the other; where fixing everything gains nothing, only those that show it. */
export async function runAblations(input: AblationInput): Promise<AblationResult> {
  const { runner, hypotheses, labels, positiveRate } = input;
  const baseline = await runner.run(input.baseline);
  const all = await runAllFixes(runner, input.baseline, hypotheses);
  input.onInterimResult?.({ kind: "setups", baseline: baseline.loss, fixed: all.loss });
  const baseRate = baseRateLosses(labels, positiveRate, baseline.seeds.length);
  const gains = compareSetups(input, baseRate, baseline, all);
  const baseRateLoss = mean(baseRate.losses);
  const isLearnt = gains.fixed.mean > 0 && gains.fixed.p <= LEARNT_LEVEL;
  const isFixed = isLearnt && gains.gap.mean >= MATERIAL * gains.fixed.mean && gains.gap.p <= GAP_LEVEL;
  if (!isFixed) {
    const better = isLearnt && gains.gap.mean < 0 ? baseline : all;
    return { baseline, fixed: better, isFixed, gains, baseRateLoss, ablations: [], joint: [] };
  }
  const tested = await testHypotheses(input, baseline, all, gains.gap.mean);
  const fixed = await dropNegligibleFixes(runner, all, tested, gains.gap.mean);
  const ablations = tested.filter(({ isProven, isLikely }) => isProven || isLikely).sort((a, b) => b.rank - a.rank);
  return {
    baseline,
    fixed,
    isFixed,
    gains: compareSetups(input, baseRate, baseline, fixed),
    baseRateLoss,
    ablations,
    joint: await measureJointGains(runner, baseline, ablations),
  };
}

/** With the fix of every hypothesis; without the levels where that is better, since a network that leans on levels loses where they wander off. */
async function runAllFixes(runner: ExperimentRunner, baseline: ExperimentSetup, hypotheses: readonly Hypothesis[]): Promise<Experiment> {
  const setup = hypotheses.reduce((sum, { addFix }) => addFix(sum), baseline);
  const all = await runner.run(setup);
  if (!setup.inputs.movement && !setup.inputs.difference) return all;
  const without = await runner.run({ ...setup, inputs: { ...setup.inputs, levels: false } });
  return without.loss < all.loss ? without : all;
}

/** Of always answering the base rate. */
function baseRateLosses(labels: Uint8Array, positiveRate: number, seeds: number): Losses {
  const losses = Float64Array.from(labels, (label) => logLossOf(label, positiveRate));
  return { losses, seeds: Array.from({ length: seeds }, () => losses) };
}

function compareSetups({ blocks, random }: AblationInput, baseRate: Losses, baseline: Experiment, fixed: Experiment): Gains {
  const pairs = [
    [baseRate, baseline],
    [baseRate, fixed],
    [baseline, fixed],
  ] as const;
  const [ofBaseline, ofFixed, gap] = comparePairs(pairs, blocks, random);
  return { baseline: ofBaseline, fixed: ofFixed, gap };
}

/** Every hypothesis by its two experiments; all comparisons stand or fall together. */
async function testHypotheses(input: AblationInput, baseline: Experiment, fixed: Experiment, gap: number): Promise<Ablation[]> {
  const { runner, hypotheses, blocks, random } = input;
  const pairs: (readonly [Losses, Losses])[] = [];
  for (const { code, addFix, removeFix } of hypotheses) {
    const added = await runner.run(addFix(baseline.setup));
    const removed = await runner.run(removeFix(fixed.setup));
    pairs.push([baseline, added], [removed, fixed]);
    input.onInterimResult?.({ kind: "ablation", code, added: added.loss, removed: removed.loss });
  }
  const comparisons = comparePairs(pairs, blocks, random);
  const stands = holm(
    comparisons.map(({ p }) => p),
    LEVEL,
  );
  return hypotheses.map((hypothesis, k) => {
    // A fixed setup that trains on and on overfits as well: only the baseline setup can show that it did.
    const counted = hypothesis.code === "overfit" ? [2 * k] : [2 * k, 2 * k + 1];
    const moves = (i: number): boolean => comparisons[i].mean >= MATERIAL * gap && comparisons[i].seeds.every((gain) => gain > 0);
    return {
      hypothesis,
      added: comparisons[2 * k],
      removed: comparisons[2 * k + 1],
      isProven: counted.some((i) => moves(i) && stands[i]),
      isLikely: counted.some(moves),
      rank: Math.max(...counted.map((i) => comparisons[i].mean)) * (isHidden(hypothesis) ? HIDDEN_BONUS : 1),
    };
  });
}

/** The fixed setup is handed over with only the inputs it needs; each step down is measured. */
async function dropNegligibleFixes(
  runner: ExperimentRunner,
  all: Experiment,
  tested: readonly Ablation[],
  gap: number,
): Promise<Experiment> {
  let fixed = all;
  for (const { hypothesis } of tested.toSorted((a, b) => a.removed.mean - b.removed.mean)) {
    if (!isHidden(hypothesis)) continue;
    const without = await runner.run(hypothesis.removeFix(fixed.setup));
    if (without.loss <= fixed.loss + NEGLIGIBLE * gap) fixed = without;
  }
  return fixed;
}

async function measureJointGains(
  runner: ExperimentRunner,
  baseline: Experiment,
  ablations: readonly Ablation[],
): Promise<AblationResult["joint"]> {
  const joint: { code: CauseCode; gain: number }[] = [];
  let setup = baseline.setup;
  for (const { hypothesis } of ablations) {
    setup = hypothesis.addFix(setup);
    joint.push({ code: hypothesis.code, gain: baseline.loss - (await runner.run(setup)).loss });
  }
  return joint;
}
