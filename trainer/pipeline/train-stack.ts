// The path of a training run of a stack: prepare-folds → stack-path → package → assess. Every choice is made by predictions of sequences that
// a member has not seen; every metric comes from the decoded artifact on a test part, or, where there are few, from nested cross-validation.
import { describeLayersOf } from "../../shared/members.ts";
import type { Influence, MeasuredCard, Metrics } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { VERSION } from "../../shared/version.ts";
import { dropLastFeature } from "../data/clock.ts";
import { dropPaddingOnly, type Labelled, requireBothClasses, selectSequences } from "../data/sequences.ts";
import { measureInfluence } from "../explanation/influence.ts";
import type { LstmPathSettings } from "../learners/lstm/lstm-learner.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { joinLabels } from "../statistics/labels.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { type Journal, NO_JOURNAL } from "../training/journal.ts";
import { type Assessment, assess, measure, seal } from "./assess.ts";
import { fitBaselines } from "./baselines.ts";
import { dropClockOfData, dropClockOfRecipe, isClockIdle } from "./clock.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { isNetwork } from "./cross-fit.ts";
import { describeData } from "./data-card.ts";
import { findFlaw } from "./data-checks.ts";
import type { Evidence } from "./evidence.ts";
import type { Kept } from "./kept.ts";
import { crossValidate } from "./nested.ts";
import { type Packaged, packageModel } from "./package.ts";
import { type FoldedData, MIN_OF_CLASS, prepareFolds, toLearnFrom } from "./prepare-folds.ts";
import { describeVerdict, describeWarning, type Verdict } from "./sentences.ts";
import { fitStackPath, type StackFit } from "./stack-path.ts";
import { compareWithTruth, type Trained } from "./trained.ts";
import { decideVerdict, findRareClass, findRestraint } from "./verdict.ts";
import { toCardWarnings, type Warning } from "./warning.ts";

/** Sequences learnt from that are scored to see how much better the model knows them. */
const MAX_SEEN = 10_000;

/** Of the learnt logit: where more is kept, nobody would see the difference. */
const WORTH_A_NOTE = 0.95;

/** Trains a stack of learners. Contract and errors are those of trainModel. */
export async function trainStack(data: LabelledDataset, options: TrainOptions, dependencies: TrainDependencies): Promise<Trained> {
  const { onNote } = dependencies;
  const path = findSimdPath(dependencies.createStepper);
  const journal = dependencies.openJournal?.(nameRun(data, options, path, dependencies.node)) ?? NO_JOURNAL;
  const { folded, fit } = await prepareAndFit(data, options, dependencies, journal);
  onNote({ code: "members", learners: fit.joined.learners, logLoss: fit.joined.logLoss });
  if (fit.joined.gate) onNote({ code: "gate", ...fit.joined.gate });
  const doubt = findDoubt(fit);
  if (doubt) onNote({ code: "kept", ...doubt });
  const packaged = packageStack(folded, fit, options, dependencies);
  for (const warning of packaged.unattained) onNote({ code: "warning", warning });
  const warnings = [...fit.warnings, ...packaged.unattained];
  const judged = await judge(folded, fit, packaged, options, dependencies, journal);
  const influence = findInfluence(packaged, judged, options, dependencies);
  const facts = { folded, fit, judged, influence, warnings, path };
  const card = writeCard(facts, options, dependencies.node);
  const { labels, values } = judged.test;
  const { probabilities } = judged.assessment;
  const sealed = seal(
    packaged,
    card,
    { labels, values: judged.by === "test-part" ? values : null },
    probabilities,
    options.costs,
    dependencies,
  );
  return {
    ...sealed,
    verdict: findVerdict(folded, fit, packaged, judged, options),
    truth: compareWithTruth(judged.test, probabilities),
    channels: fit.seen.names,
    warnings,
    evidence: gatherStackEvidence(folded, judged),
  };
}

async function prepareAndFit(
  data: LabelledDataset,
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<{ readonly folded: FoldedData; readonly fit: StackFit }> {
  const folded = prepareFolds(data, options, dependencies.onNote);
  const fit = await fitStackPath(folded, folded.plan.train, options, dependencies, journal);
  const { recipe, view, learnt } = fit;
  if (!isClockIdle(recipe, [...recipe.channels, ...(view?.series ?? [])], dependencies.onNote)) return { folded, fit };
  const values = dropLastFeature(learnt.values, recipe.features.length);
  return { folded: dropClockOfData(folded), fit: { ...fit, recipe: dropClockOfRecipe(recipe), learnt: { ...learnt, values } } };
}

/** Which arithmetic trains: with data, seed and version it fixes every bit. */
function findSimdPath(createStepper: TrainDependencies["createStepper"]): string {
  const data = { channels: new Float32Array(1), lengths: Int32Array.of(1), labels: [0] };
  const size = { channels: 1, timesteps: 1, units: 1, maxBatch: 1 };
  const stepper = createStepper(data, { ...size, optimizer: "adam", clipNorm: 1, weightDecay: 0 });
  stepper.dispose();
  return stepper.simdPath;
}

/** All that decides the bytes of a run: a checkpoint of another is not taken up. */
function nameRun({ sha256, reading, further }: LabelledDataset, options: TrainOptions, path: string, node: string): string {
  const beside = further && { "further windows": further.first.length };
  return JSON.stringify({ data: sha256, reading, ...beside, ...options, "SIMD path": path, version: VERSION, node });
}

function packageStack(
  { data }: FoldedData,
  { recipe, view, predictor, positiveRate, seen, learnt, heldOut, outOfFold }: StackFit,
  { name = data.name, costs, seed }: TrainOptions,
  dependencies: TrainDependencies,
): Packaged {
  const model = { name, recipe, ...(view && { view }), ...predictor, positiveRate };
  const unseen = Float32Array.from(outOfFold, (z) => 1 / (1 + Math.exp(-z)));
  const none = new Int32Array(0);
  return packageModel(
    { model, view: seen, values: learnt.values, labels: learnt.labels, calibration: none, validation: heldOut, unseen, costs, seed },
    dependencies,
  );
}

/** What the model is judged on, and what it and the baselines say of it. */
interface Judged {
  readonly by: NonNullable<MeasuredCard["assessment"]>;
  readonly test: Labelled;
  readonly assessment: Assessment;
  readonly baselines: Readonly<Record<string, Float64Array>>;
  readonly metrics: Readonly<Record<string, Metrics>>;
}

async function judge(
  folded: FoldedData,
  fit: StackFit,
  packaged: Packaged,
  options: TrainOptions,
  dependencies: TrainDependencies,
  journal: Journal,
): Promise<Judged> {
  const { data, usable, plan } = folded;
  const { gap } = plan;
  const withMetrics = (judged: Omit<Judged, "metrics">): Judged => ({
    ...judged,
    metrics: Object.fromEntries(Object.entries(judged.baselines).map(([name, q]) => [name, computeMetrics(judged.test.labels, q)])),
  });
  if (data.test === null && plan.test.length === 0) {
    const judged = toLearnFrom(folded);
    dependencies.onNote({ code: "nested", sequences: judged.length });
    const { probabilities, baselines } = await crossValidate(folded, options, dependencies, journal);
    const test = folded.validation.length === 0 ? fit.learnt : selectSequences(usable, judged, data.shape);
    const assessment = measure(test.labels, probabilities, gap, options.seed);
    return withMetrics({ by: "nested-cross-validation", test, assessment, baselines });
  }
  const test =
    data.test === null
      ? selectSequences(usable, plan.test, data.shape)
      : dropPaddingOnly({ ...data.test, source: `${data.source} (test part)`, shape: data.shape }, fit.recipe.padding, dependencies.onNote);
  if (data.test === null) requireBothClasses({ test: plan.test }, usable.labels, data.source);
  const assessment = assess(packaged, test, gap, options.seed);
  const own = fitBaselines(fit.seen, fit.learnt.labels, Int32Array.from(fit.learnt.labels.keys()));
  const baselines = own({ ...fit.seen, ...applyRecipe(fit.recipe, test.values, dependencies.kernel.log) });
  return withMetrics({ by: "test-part", test, assessment, baselines });
}

/** What the model leans on, by the sequences that it is judged by. */
function findInfluence(
  { model, engine }: Packaged,
  { test: { values, labels } }: Judged,
  { seed }: TrainOptions,
  { kernel }: TrainDependencies,
): Influence {
  return measureInfluence({ model, engine, log: kernel.log, values, labels, random: createRandom(seed, STREAMS.influence) });
}

interface CardFacts {
  readonly folded: FoldedData;
  readonly fit: StackFit;
  readonly judged: Judged;
  readonly influence: Influence;
  readonly warnings: readonly Warning[];
  readonly path: string;
}

function writeCard({ folded, fit, judged, influence, warnings, path }: CardFacts, options: TrainOptions, node: string): MeasuredCard {
  const { data, plan, validation } = folded;
  const { test, intervals, reliability } = judged.assessment;
  const { learners, logLoss, gate } = fit.joined;
  const doubt = findDoubt(fit);
  return {
    data: describeData(data),
    split: {
      by: plan.by,
      examples: {
        train: fit.learnt.labels.length - validation.length + fit.further,
        validation: validation.length,
        calibration: 0,
        test: judged.by === "test-part" ? test.examples : 0,
      },
    },
    training: describeNetwork(fit, options),
    stack: { folds: fit.folds, learners, logLoss, ...(gate && { gate }), ...(doubt && { kept: doubt }) },
    influence,
    assessment: judged.by,
    test,
    intervals,
    reliability,
    baselines: judged.metrics,
    ...toCardWarnings(warnings, (warning) => describeWarning(warning, data.features)),
    versions: { quickstep: VERSION, node, path },
  };
}

/** What is kept of what was learnt, where anybody would see the difference. */
function findDoubt({ kept: { share, gain, standardError } }: StackFit): Omit<Kept, "baseRate"> | undefined {
  return share < WORTH_A_NOTE ? { share, gain, standardError } : undefined;
}

/** The network's training; of a stack without one, nothing of it. */
function describeNetwork({ fitted, joined }: StackFit, { seed, recipe }: TrainOptions): MeasuredCard["training"] {
  const own = fitted.find(({ name }) => isNetwork(name));
  const isHeard = joined.learners.some(({ name, weight }) => isNetwork(name) && weight > 0);
  if (own === undefined || !isHeard) return { seed, recipe, units: 0, softness: 0, optimizer: "none", batch: 0, epochs: 0, bestEpoch: 0 };
  const { network, target } = own.settings as LstmPathSettings;
  const { units, optimizer, batch, epochs } = network;
  const layers = describeLayersOf(own.member);
  return {
    seed,
    recipe,
    units,
    ...(layers && { layers }),
    softness: target.distillationWeight,
    optimizer,
    batch,
    epochs,
    bestEpoch: own.step + 1,
  };
}

/** The network as findRestraint takes it: one that nobody hears holds nothing back by its size. */
function describeRun({ fitted, joined, usual: { units, epochs } }: StackFit) {
  const own = fitted.find(({ name }) => isNetwork(name));
  const isHeard = joined.learners.some(({ name, weight }) => isNetwork(name) && weight > 0);
  return own && { trained: own.step + 1, usual: { epochs, ...(isHeard && { units }) } };
}

function findVerdict(
  { data, usable, plan, aside }: FoldedData,
  fit: StackFit,
  packaged: Packaged,
  judged: Judged,
  options: TrainOptions,
): Verdict {
  const { labels, values } = fit.learnt;
  const { test, assessment, baselines, metrics } = judged;
  const isNested = judged.by === "nested-cross-validation";
  const all = Int32Array.from(labels.keys());
  const split = { train: plan.train, crossesParts: plan.crossesParts };
  const { padding } = fit.recipe;
  const { equals } = aside ?? {};
  const flaw = findFlaw({
    data: usable,
    split,
    test: data.test === null ? null : test,
    shape: data.shape,
    padding,
    ...(equals && { equals }),
  });
  const seen = all.subarray(0, MAX_SEEN);
  const size = data.shape.timesteps * data.shape.features;
  const seenLabels = labels.subarray(0, seen.length);
  const seenProbabilities = packaged.score(values.subarray(0, seen.length * size));
  const facts = decideVerdict({
    labels: test.labels,
    probabilities: assessment.probabilities,
    baselines: metrics,
    baselineProbabilities: baselines,
    trainLogLoss: computeMetrics(seenLabels, seenProbabilities).logLoss,
    gap: plan.gap,
    flaw,
    rareClass: findRareClass(isNested ? labels : joinLabels([labels, test.labels]), labels, test.labels),
    restraint: findRestraint(options, describeRun(fit)),
    minToLearn: MIN_OF_CLASS,
  });
  return describeVerdict(facts, data.features);
}

function gatherStackEvidence({ usable, plan, leftOut }: FoldedData, { test, assessment, baselines }: Judged): Evidence {
  const none = new Int32Array(0);
  return {
    history: [],
    data: { values: usable.values, labels: usable.labels },
    leftOut,
    split: { train: plan.train, validation: none, calibration: none },
    validation: {},
    test: { values: test.values, labels: test.labels, probabilities: assessment.probabilities, baselines },
    reliability: assessment.reliability,
    gap: plan.gap,
  };
}
