// The path of a training run of one network alone: prepare → represent → fit-network → package → assess. Every choice is made
// on the training, validation or calibration part; every metric comes from the decoded artifact and the kernel that serves it.

import { asMember, describeLayersOf, ofNetwork } from "../../shared/members.ts";
import type { MeasuredCard, Metrics } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { VERSION } from "../../shared/version.ts";
import { dropPaddingOnly, type Labelled, selectSequences } from "../data/sequences.ts";
import { selectView } from "../learners/learner.ts";
import { chooseSettings } from "../learners/lstm/settings.ts";
import type { LabelledDataset } from "../readers/dataset.ts";
import { fitCalibration } from "../statistics/calibration.ts";
import { joinLabels, takeLabels } from "../statistics/labels.ts";
import { computeMetrics } from "../statistics/metrics.ts";
import { type Assessment, assess, seal } from "./assess.ts";
import { type Baselines, fitBaselines } from "./baselines.ts";
import { dropClockOfData, dropClockOfPlan, dropClockOfRecipe, isClockIdle } from "./clock.ts";
import type { TrainDependencies, TrainOptions } from "./contract.ts";
import { describeData } from "./data-card.ts";
import { findFlaw } from "./data-checks.ts";
import { gatherEvidence } from "./evidence.ts";
import { type Fitted, fitNetwork } from "./fit-network.ts";
import { type Packaged, packageModel } from "./package.ts";
import { choosePrecision } from "./precision.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { type Represented, represent } from "./represent.ts";
import { describeVerdict, describeWarning, type Verdict } from "./sentences.ts";
import { compareWithTruth, type Trained } from "./trained.ts";
import { decideVerdict, findRareClass, findRestraint } from "./verdict.ts";
import { toCardWarnings, type Warning } from "./warning.ts";

/** What the steps before the assessment came to. */
interface Steps {
  readonly prepared: Prepared;
  readonly represented: Represented;
  readonly fitted: Fitted;
  readonly packaged: Packaged;
}

/** Training sequences that are scored to see how much better the model knows them. */
const MAX_SEEN = 10_000;

/** Trains one network on four disjoint parts. Contract and errors are those of trainModel. */
export async function trainNetwork(data: LabelledDataset, options: TrainOptions, dependencies: TrainDependencies): Promise<Trained> {
  const { seed, costs } = options;
  const { onNote } = dependencies;
  const { prepared, represented } = await prepareAndRepresent(data, options, dependencies);
  const fitted = await fitNetwork(prepared, represented, options, dependencies);
  const packaged = packageTrained(prepared, represented, fitted, options, dependencies);
  for (const warning of packaged.unattained) onNote({ code: "warning", warning });

  const steps = { prepared, represented, fitted, packaged };
  const warnings = [...represented.warnings, ...packaged.unattained];
  const test = selectTest(prepared, represented, dependencies);
  const assessment = assess(packaged, test, prepared.gap, seed);
  const baselines = fitBaselines(represented.view, prepared.usable.labels, prepared.split.train);
  const measured = measureBaselines(baselines, represented, test, dependencies);
  const card = writeCard(steps, options, assessment, measured.metrics, warnings, dependencies.node);
  const sealed = seal(packaged, card, test, assessment.probabilities, costs, dependencies);
  return {
    ...sealed,
    fit: fitted.member.fit,
    verdict: judge(steps, test, assessment, measured, options),
    truth: compareWithTruth(test, assessment.probabilities),
    channels: represented.view.names,
    warnings,
    evidence: gatherEvidence(prepared, represented, fitted, baselines, {
      test,
      probabilities: assessment.probabilities,
      baselineProbabilities: measured.probabilities,
      reliability: assessment.reliability,
    }),
  };
}

async function prepareAndRepresent(
  data: LabelledDataset,
  options: TrainOptions,
  dependencies: TrainDependencies,
): Promise<Pick<Steps, "prepared" | "represented">> {
  const prepared = prepare(data, options, dependencies.onNote);
  const represented = await represent(prepared, options, dependencies);
  const { recipe, plan } = represented;
  if (!isClockIdle(recipe, recipe.channels, dependencies.onNote)) return { prepared, represented };
  return {
    prepared: dropClockOfData(prepared),
    represented: { ...represented, recipe: dropClockOfRecipe(recipe), plan: dropClockOfPlan(plan) },
  };
}

function packageTrained(
  { data, usable, split }: Prepared,
  { recipe, view }: Represented,
  { learner, member, positiveRate }: Fitted,
  { name = data.name, seed, costs, precision }: TrainOptions,
  dependencies: TrainDependencies,
): Packaged {
  const { labels, values } = usable;
  const { calibration: part, validation } = split;
  const calibration = fitCalibration(learner.logits(member, selectView(view, part)), takeLabels(labels, part));
  const asFitted = ofNetwork(member.network, calibration);
  const held = takeLabels(labels, validation);
  const { predictor, facts } = choosePrecision(asFitted, selectView(view, validation), held, precision, dependencies);
  if (facts) dependencies.onNote({ code: "precision", ...facts });
  const model = { name, recipe, ...predictor, positiveRate };
  return packageModel({ model, view, values, labels, calibration: part, validation, costs, seed }, dependencies);
}

/** The untouched test part: of the split, or the data's own. */
function selectTest({ data, usable, split }: Prepared, { plan }: Represented, { onNote }: TrainDependencies): Labelled {
  const { shape, source } = data;
  if (data.test === null) return selectSequences(usable, split.test, shape);
  return dropPaddingOnly({ ...data.test, source: `${source} (test part)`, shape }, plan.padding, onNote);
}

interface MeasuredBaselines {
  readonly metrics: Readonly<Record<string, Metrics>>;
  /** (test) */
  readonly probabilities: Readonly<Record<string, Float64Array>>;
}

function measureBaselines(
  baselines: Baselines,
  { recipe, view }: Represented,
  test: Labelled,
  { kernel }: TrainDependencies,
): MeasuredBaselines {
  const { channels, lengths } = applyRecipe(recipe, test.values, kernel.log);
  const probabilities = baselines({ ...view, channels, lengths });
  const metrics = Object.fromEntries(Object.entries(probabilities).map(([name, q]) => [name, computeMetrics(test.labels, q)]));
  return { metrics, probabilities };
}

function writeCard(
  { prepared, fitted }: Steps,
  { seed, recipe }: TrainOptions,
  { test, intervals, reliability }: Assessment,
  baselines: Readonly<Record<string, Metrics>>,
  warnings: readonly Warning[],
  node: string,
): MeasuredCard {
  const { data, split } = prepared;
  const { member, settings } = fitted;
  const { train, validation, calibration } = split;
  const layers = describeLayersOf(asMember([member.network]));
  return {
    data: describeData(data),
    split: {
      by: split.by,
      examples: { train: train.length, validation: validation.length, calibration: calibration.length, test: test.examples },
    },
    training: {
      seed,
      recipe,
      units: settings.units,
      ...(layers && { layers }),
      softness: member.target.distillationWeight,
      optimizer: settings.optimizer,
      batch: settings.batch,
      epochs: member.fit.history.length,
      bestEpoch: member.fit.bestEpoch,
      lowestEpoch: member.fit.lowestEpoch,
    },
    test,
    intervals,
    reliability,
    baselines,
    ...toCardWarnings(warnings, (warning) => describeWarning(warning, data.features)),
    versions: { quickstep: VERSION, node, path: member.simdPath },
  };
}

function judge(
  { prepared, represented, fitted, packaged }: Steps,
  test: Labelled,
  { probabilities }: Assessment,
  measured: MeasuredBaselines,
  options: TrainOptions,
): Verdict {
  const { data, usable, split, gap } = prepared;
  const { shape, features } = data;
  const flaw = findFlaw({ data: usable, split, test: data.test === null ? null : test, shape, padding: represented.plan.padding });
  const seen = selectView(represented.view, split.train.subarray(0, MAX_SEEN));
  const seenLabels = takeLabels(usable.labels, split.train.subarray(0, MAX_SEEN));
  const { logLoss: trainLogLoss } = computeMetrics(seenLabels, packaged.engine.probabilities(seen));
  const facts = decideVerdict({
    labels: test.labels,
    probabilities,
    baselines: measured.metrics,
    baselineProbabilities: measured.probabilities,
    trainLogLoss,
    gap,
    flaw,
    rareClass: findRareClass(
      data.test === null ? usable.labels : joinLabels([usable.labels, test.labels]),
      takeLabels(usable.labels, split.train),
      test.labels,
    ),
    restraint: findRestraint(options, {
      trained: fitted.member.fit.history.length,
      usual: { epochs: chooseSettings(split.train.length).epochs },
    }),
  });
  return describeVerdict(facts, features);
}
