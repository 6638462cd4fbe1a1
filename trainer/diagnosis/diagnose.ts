// The path of a diagnosis: facts of the data, is there anything to learn, hypotheses, ablations, verdict. Knows no file and no
// terminal. Legend: N sequences, M of them sampled, T steps, F features, K candidates.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Channels, Plan, Recipe } from "../../shared/recipe/recipe.ts";
import type { Shape } from "../../shared/sequence.ts";
import { checkLabels, type LabelFinding } from "../data/label-checks.ts";
import { take } from "../data/sequences.ts";
import { usefulFeatures } from "../features/candidates.ts";
import { featuresWithGaps } from "../features/facts.ts";
import { findOverlap } from "../split/overlap.ts";
import { mean } from "../statistics/descriptive.ts";
import { entropy } from "../statistics/log-loss.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { maxExperiments, runAblations } from "./ablations.ts";
import { type ColumnsFinding, studyColumns } from "./columns/study.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { createExperimentRunner, type Experiment, type ExperimentRunner } from "./experiment-runner.ts";
import type { ExperimentSetup } from "./experiment-setup.ts";
import { type DataFacts, studyData, summariseFeatures } from "./facts.ts";
import { drawSample, MAX_SEQUENCES, type Sample } from "./folds.ts";
import { type Candidates, chosenByMajority, closePairs, findHiddenDifferences, listCandidates } from "./hidden.ts";
import { formHypotheses, type Hypothesis } from "./hypotheses.ts";
import type { DiagnosisData, DiagnosisDependencies, DiagnosisOptions } from "./input.ts";
import { weighLabelFinding } from "./label-facts.ts";
import { noteCutWindows, noteEmpty, noteGaps, noteLogarithms, notePadding, noteSample } from "./notes.ts";
import { listProbes } from "./probes.ts";
import { findSignal, type Signal } from "./signal.ts";
import { studyTestPart } from "./test-part.ts";
import { findUsable } from "./usable.ts";
import { conclude, concludeWithoutExperiments, type Findings } from "./verdict.ts";

/** Numbers in the table of all candidates: 80 MB as float32. */
const MAX_TABLE = 20_000_000;
/** Sequences that one run of an experiment sees: on few data, and on many. */
const BUDGET = { few: 32_000, many: 100_000 };
const FEW = 8000;
/** Longer sequences cost more each, and as many more to learn: fewer are seen, so that an answer comes in time. */
const LONG = 128;

/** Why a loss stays where it is. Never throws for data that are merely bad: what is wrong with them is the answer. */
export async function diagnose(data: DiagnosisData, options: DiagnosisOptions, dependencies: DiagnosisDependencies): Promise<Diagnosis> {
  dependencies.onProgress?.({ stage: "data-checks", done: 0, total: 0 });
  const checked = checkData(data, options.seed);
  if (checked.sample === null) return concludeWithoutExperiments(checked.findings);
  const subject = prepareSubject(checked.sample, dependencies);
  await dependencies.yieldToEventLoop();

  dependencies.onProgress?.({ stage: "signal-test", done: 0, total: 0 });
  const signal = testSignal(subject, options.seed);
  dependencies.onInterimResult?.({ kind: "signal", signal });
  await dependencies.yieldToEventLoop();

  const hidden = findHiddenChannels(subject);
  const { baseline, hypotheses } = formHypotheses({
    baseline: options.baseline,
    examples: checked.findings.labels.length,
    facts: subject.facts,
    movement: hidden.movement.map((c) => subject.candidates.channels[c]),
    difference: hidden.difference.map((c) => subject.candidates.channels[c]),
    budget: budgetOf(subject),
    curveHypotheses: options.curveHypotheses ?? [],
  });
  dependencies.onInterimResult?.({ kind: "hypotheses", codes: hypotheses.map(({ code }) => code) });
  const runner = createRunner(subject, hidden, hypotheses, options.seed, dependencies);
  const result = await runAblations({
    runner,
    baseline,
    hypotheses,
    labels: subject.labels,
    positiveRate: mean(subject.labels),
    blocks: subject.sample.blocks,
    random: createRandom(options.seed, STREAMS.diagnosisBootstrap),
    onInterimResult: dependencies.onInterimResult,
  });

  const fixedPlan = planOf(subject, hidden, result.fixed.setup, result.isFixed);
  const columns = await testColumns(subject, result.fixed, fixedPlan, options.seed, dependencies);

  dependencies.onProgress?.({ stage: "network-checks", done: 0, total: 0 });
  const unmasked = baseline.inputs.padding === "none" && hasPadding(subject.facts) ? hypotheses : [];
  const carried = unmasked.flatMap(({ finding }) => ("channels" in finding ? finding.channels : []));
  const findings = { ...checked.findings, notes: [...checked.findings.notes, ...noteLogarithms(carried)] };
  return conclude(findings, {
    settings: options.baseline,
    signal,
    result,
    columns,
    baselinePlan: planOf(subject, hidden, result.baseline.setup, false),
    fixedPlan,
    sampled: subject.labels,
    tensors: { baseline: runner.examine(result.baseline.setup), fixed: runner.examine(result.fixed.setup) },
  });
}

/** What experiments work on before it is prepared. */
interface SampledData {
  /** (N,T,F) and (N), usable */
  readonly values: Float64Array;
  readonly labels: Uint8Array;
  readonly shape: Shape;
  readonly names: readonly string[];
  readonly facts: DataFacts;
  readonly candidates: Candidates;
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  readonly sample: Sample;
}

/** All that can be said without training; `sample` is null where nothing can be trained. */
function checkData(data: DiagnosisData, seed: number): { readonly findings: Findings; readonly sample: SampledData | null } {
  const { shape, features: names } = data;
  const { values, labels, empty, findings: blocking, isEnough } = findUsable(data);
  const testPart = studyTestPart(data);
  const notes = noteEmpty(empty);
  if (!isEnough)
    return { findings: { names, blocking, labelFacts: [], facts: testPart, features: [], notes, labels, gap: 0 }, sample: null };

  const facts = studyData(values, shape);
  const lacking = featuresWithGaps(facts.features);
  const gaps = lacking.length > 0 ? lacking : undefined;
  const overlap = findOverlap(values, shape, facts.reading);
  const candidates = listCandidates(facts, shape.timesteps);
  const maxSequences = Math.min(MAX_SEQUENCES, Math.floor(MAX_TABLE / (shape.timesteps * candidates.channels.length)));
  const sample = drawSample(overlap, labels, shape.timesteps, maxSequences, createRandom(seed, STREAMS.diagnosisSample));
  const labelFindings = checkLabels(values, labels, shape, facts.reading, overlap);
  const isByCutting = ({ code }: LabelFinding): boolean => data.isCut === true && (code === "copies" || code === "shared-rows");
  const findings: Findings = {
    names,
    blocking,
    labelFacts: labelFindings.filter((finding) => !isByCutting(finding)).map(weighLabelFinding),
    facts: [...testPart, ...facts.findings],
    features: summariseFeatures(facts, names),
    notes: [
      ...notes,
      ...noteGaps(gaps),
      ...notePadding(facts.padding, labels.length),
      ...noteCutWindows(labelFindings.filter(isByCutting)),
      ...noteSample(sample.order.length, labels.length, seed),
    ],
    labels,
    gap: sample.gap,
  };
  if (facts.features.constant.length === shape.features)
    return { findings: { ...findings, blocking: [...blocking, ...facts.findings], facts: testPart }, sample: null };
  if (sample.folds.length === 0) {
    const uncut = { code: "too-few", reason: "groups", groups: overlap.components } as const;
    return { findings: { ...findings, blocking: [...blocking, uncut] }, sample: null };
  }
  return { findings, sample: { values, labels, shape, names, facts, candidates, ...(gaps && { gaps }), sample } };
}

/** The same for the sample alone, M of N sequences, with every candidate channel of it. */
interface Subject extends SampledData {
  /** (M,T,K), standardised over the whole sample, and the scales. */
  readonly table: Channels;
  readonly recipe: Recipe;
}

function prepareSubject(sampled: SampledData, { log }: DiagnosisDependencies): Subject {
  const { shape, names, facts, candidates, gaps, sample } = sampled;
  const values = take(sampled.values, sample.order, shape.timesteps * shape.features);
  const labels = Uint8Array.from(sample.order, (n) => sampled.labels[n]);
  const plan: Plan = {
    timesteps: shape.timesteps,
    features: names,
    padding: facts.reading,
    channels: candidates.channels,
    standardise: true,
    ...(gaps && { gaps }),
  };
  const recipe = fitRecipe(plan, values, Int32Array.from(labels.keys()), log);
  return { ...sampled, values, labels, recipe, table: applyRecipe(recipe, values, log) };
}

function testSignal({ table, candidates, shape, labels, sample }: Subject, seed: number): Signal {
  const probes = listProbes(table, candidates.channels.length, shape.timesteps, labels);
  return findSignal(probes, labels, sample.gap, createRandom(seed, STREAMS.diagnosisSignal));
}

/** Channels beyond the levels, as positions among the candidates. */
interface HiddenChannels {
  readonly movement: readonly number[];
  /** What more than half of the folds chose, and what each chose for itself. */
  readonly difference: readonly number[];
  readonly differenceOfFold: readonly (readonly number[])[];
  /** What tells which numbers are observed. */
  readonly observed: readonly number[];
}

function findHiddenChannels({ candidates, recipe, facts, sample, table, labels }: Subject): HiddenChannels {
  const pairs = closePairs(candidates, recipe.scale, facts);
  const differenceOfFold = sample.folds.map(({ train }) => findHiddenDifferences(candidates, pairs, table, labels, train));
  return {
    movement: Array.from({ length: candidates.movements }, (_, i) => candidates.levels + i),
    difference: chosenByMajority(differenceOfFold),
    differenceOfFold,
    observed: Array.from({ length: candidates.observed }, (_, i) => candidates.channels.length - candidates.observed + i),
  };
}

/** Whether trees or a linear model on columns clearly beat the best network. */
async function testColumns(
  { values, labels, facts, sample }: Subject,
  network: Experiment,
  plan: Plan,
  seed: number,
  dependencies: DiagnosisDependencies,
): Promise<ColumnsFinding | undefined> {
  const { log, createTrees, yieldToEventLoop, onProgress, onInterimResult } = dependencies;
  onProgress?.({ stage: "columns", done: 0, total: 0 });
  const { folds, gap, blocks } = sample;
  const reading = { ...plan, padding: hasPadding(facts) ? facts.reading : "none" } as const;
  const about = { values, plan: reading, moving: usefulFeatures(facts.features), log, labels, folds, gap, blocks, seed };
  const rest = { createTrees, yieldToEventLoop, networkLosses: network.losses, baseRateLoss: entropy(mean(labels)) };
  const found = await studyColumns({ ...about, ...rest });
  if (found) onInterimResult?.({ kind: "columns", learner: found.learner, loss: found.loss, network: found.networkLoss });
  return found;
}

function hasPadding({ padding: { front, behind } }: DataFacts): boolean {
  return front + behind > 0;
}

/** Sequences that one training run may see. */
function budgetOf({ sample, shape }: Subject): number {
  return BUDGET[sample.order.length > FEW ? "many" : "few"] * Math.min(1, (LONG / shape.timesteps) ** 2);
}

function createRunner(
  { values, labels, shape, names, sample: { folds }, candidates, gaps }: Subject,
  { movement, differenceOfFold, observed }: HiddenChannels,
  hypotheses: readonly Hypothesis[],
  seed: number,
  dependencies: DiagnosisDependencies,
): ExperimentRunner {
  const total = maxExperiments(hypotheses) * folds.length;
  let done = 0;
  const report = (): void => dependencies.onProgress?.({ stage: "experiments", done, total });
  report();
  const onFoldRun = (): void => {
    done++;
    report();
  };
  const { channels } = candidates;
  const { log } = dependencies;
  const beyond = { movement, difference: differenceOfFold, observed };
  const input = { values, labels, shape, features: names, folds, channels, ...beyond, ...(gaps && { gaps }), seed, log, onFoldRun };
  return createExperimentRunner(input, dependencies);
}

/** The recipe plan of an experiment on all data. A fixed one leaves out levels that it does not need, and useless features. */
function planOf(
  { shape, names, facts, candidates, gaps }: Subject,
  hidden: HiddenChannels,
  { inputs }: ExperimentSetup,
  isFixed: boolean,
): Plan {
  const added = [
    ...(inputs.movement ? hidden.movement : []),
    ...(inputs.difference ? hidden.difference : []),
    ...(inputs.observed ? hidden.observed : []),
  ];
  const useful = inputs.levels || added.length === 0 ? usefulFeatures(facts.features) : [];
  const levels = isFixed ? useful : [...names.keys()];
  const channels: Channel[] = [...levels, ...added].map((c) => candidates.channels[c]);
  return {
    timesteps: shape.timesteps,
    features: names,
    padding: inputs.padding,
    channels,
    standardise: inputs.scaled,
    ...(gaps && { gaps }),
  };
}
