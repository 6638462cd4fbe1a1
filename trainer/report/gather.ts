// From a trained model and the parts it was judged on to everything its report shows. Draws nothing.
// Legend: N sequences, T steps, F features, C channels.
import type { Engine } from "../../shared/engine.ts";
import { networksOf, soleLayers } from "../../shared/members.ts";
import type { MeasuredCard, Metrics, Model, OperatingPoint, ReliabilityBin } from "../../shared/model.ts";
import { countWeights } from "../../shared/networks/count-weights.ts";
import { describeLayers } from "../../shared/networks/describe-layers.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import type { Log } from "../../shared/recipe/recipe.ts";
import { measureInfluence } from "../explanation/influence.ts";
import { mean } from "../statistics/descriptive.ts";
import { wilson, Z95 } from "../statistics/intervals.ts";
import { countOnes, type Labels, takeLabels } from "../statistics/labels.ts";
import { entropy, logLosses } from "../statistics/log-loss.ts";
import { bootstrapIntervals, computeMetrics } from "../statistics/metrics.ts";
import { measureOperatingPoints } from "../statistics/operating-points.ts";
import { pairedGain } from "../statistics/paired.ts";
import type { Random } from "../statistics/random.ts";
import { confusionAt, confusionAtEachScore, rank } from "../statistics/ranking.ts";
import type { EpochRecord } from "../training/loop.ts";
import type { MeasuredPoint, ModelMetrics, ReportContent } from "./content.ts";
import { describeTraining } from "./data-facts.ts";
import { chooseExamples } from "./examples.ts";
import { countInBins } from "./histogram.ts";
import { precisionRecallCurve, rocCurve, thin } from "./ranking.ts";

export interface ReportInput {
  /** As decoded, its card complete. */
  readonly model: Model & { readonly card: MeasuredCard };
  /** As `describeModel` says it. */
  readonly id: string;
  readonly verdict: { readonly code: string; readonly text: string; readonly next: string };
  readonly history: readonly EpochRecord[];
  readonly truth?: { readonly bayesLogLoss: number; readonly recovered: number };
  /** All but a test part from elsewhere: `values` (N,T,F) raw, `labels` (N). */
  readonly data: { readonly values: Float64Array; readonly labels: Labels };
  /** Sequences that held nothing but padding and are not among them. */
  readonly leftOut: number;
  /** Who of them is in which part. */
  readonly split: Readonly<Record<"train" | "validation" | "calibration", Int32Array>>;
  /** What each baseline says of the validation part, by the names they have in the card: the lines beside the learning curves. */
  readonly validation: Readonly<Record<string, ArrayLike<number>>>;
  /** `values` (N,T,F) raw; probabilities of the model and of each baseline, by the names they have in the card. */
  readonly test: {
    readonly values: Float64Array;
    readonly labels: Labels;
    readonly probabilities: Float32Array;
    readonly baselines: Readonly<Record<string, ArrayLike<number>>>;
  };
  readonly reliability: readonly ReliabilityBin[];
  /** Test sequences closer than this share rows; 0 where their order means nothing. */
  readonly gap: number;
  /** Of the model. */
  readonly engine: Pick<Engine, "probabilities">;
  readonly log: Log;
  readonly random: Random;
}

const BOOTSTRAP_RESAMPLES = 200;
const SCORE_BINS = 25;

/** Everything the report shows. Draws from `input.random`; throws nothing of its own. */
export function gatherReport(input: ReportInput): ReportContent {
  const { model, id, verdict, truth, data, leftOut, split, test, reliability } = input;
  const { card, recipe } = model;
  const { labels, probabilities } = test;
  const channels = applyRecipe(recipe, test.values, input.log);
  return {
    name: model.name,
    id,
    verdict: { code: verdict.code, text: verdict.text, next: verdict.next },
    card,
    network: describeNetwork(model),
    models: compareModels(input),
    truth: truth ?? null,
    learning: gatherLearning(input),
    reliability,
    curves: gatherCurves(input),
    operatingPoints: model.operatingPoints.map((point) => measurePoint(point, labels, probabilities)),
    scores: countInBins(probabilities, labels, [0, 1], SCORE_BINS),
    training: describeTraining(recipe, data.values, data.labels, split.train),
    parts: [...[split.train, split.validation, split.calibration].map((indices) => takeLabels(data.labels, indices)), labels].map(
      (part) => ({
        sequences: part.length,
        positives: countOnes(part),
      }),
    ),
    leftOut,
    standardised: recipe.scale.some((scale) => scale !== 1) || recipe.mean.some((mean) => mean !== 0),
    channels: recipe.channels.map((channel) => describeChannel(channel, recipe.features)),
    examples: chooseExamples(recipe, test.values, channels, labels, probabilities),
    influence: card.influence ?? measureInfluence({ ...input, ...test }),
  };
}

function nameOf(model: Model): string {
  if (model.stack !== undefined) return "stack";
  const layered = soleLayers(model);
  return layered === undefined ? `LSTM(${networksOf(model)[0]?.units})` : "network"; // its layers are too long for a column
}

function describeNetwork(model: Model): ReportContent["network"] {
  const { slope, intercept } = model.calibration;
  const layered = soleLayers(model);
  const networks = networksOf(model);
  const name = layered === undefined ? `LSTM, ${networks[0]?.units ?? 0} units` : describeLayers(layered);
  return { name, parameters: countWeights(layered ?? networks), slope, intercept };
}

/** The model, then every baseline with its intervals and the model's gain on it, where its probabilities are at hand. */
function compareModels({ model, test, gap, random }: ReportInput): ModelMetrics[] {
  const { labels, probabilities, baselines } = test;
  const { card } = model;
  const modelLosses = logLosses(labels, probabilities);
  const compare = ([name, metrics]: [string, Metrics]): ModelMetrics => {
    const guesses = baselines[name];
    if (guesses === undefined) return { name, metrics, intervals: {}, gain: null };
    const intervals = bootstrapIntervals(labels, guesses, random, BOOTSTRAP_RESAMPLES, gap);
    const gain = pairedGain(logLosses(labels, guesses), modelLosses, gap);
    return { name, metrics, intervals, gain: { rise: gain.mean, halfWidth: Z95 * gain.standardError } };
  };
  return [
    { name: nameOf(model), metrics: card.test, intervals: card.intervals, gain: null },
    ...Object.entries(card.baselines).map(compare),
  ];
}

function gatherLearning({ model, history, validation, data, split }: ReportInput): ReportContent["learning"] {
  const labels = takeLabels(data.labels, split.validation);
  return {
    history,
    bestEpoch: model.card.training.bestEpoch,
    lowestEpoch: model.card.training.lowestEpoch ?? lowestOf(history),
    trainingBaseRate: entropy(mean(takeLabels(data.labels, split.train))),
    lines: Object.entries(validation).map(([name, guesses]) => ({ name, logLoss: computeMetrics(labels, guesses).logLoss })),
  };
}

function lowestOf(history: ReportInput["history"]): number {
  const losses = history.map(({ validationLoss }) => validationLoss);
  return 1 + losses.indexOf(Math.min(...losses));
}

function gatherCurves({ model, test: { labels, probabilities, baselines } }: ReportInput): ReportContent["curves"] {
  const curveOf = ([name, scores]: [string, ArrayLike<number>]): ReportContent["curves"][number] => {
    const confusions = confusionAtEachScore(rank(labels, scores));
    return { name, roc: thin(rocCurve(confusions)), precisionRecall: thin(precisionRecallCurve(confusions)) };
  };
  const ranking = Object.entries(baselines).filter(([, guesses]) => {
    return Array.prototype.some.call(guesses, (guess) => guess !== guesses[0]); // a constant ranks nothing
  });
  return [curveOf([nameOf(model), probabilities]), ...ranking.map(curveOf)];
}

/** The point on the test part; what a mistake costs comes from the point, since only the one who trained knows. */
function measurePoint(point: OperatingPoint, labels: ArrayLike<number>, probabilities: Float32Array): MeasuredPoint {
  const { truePositives, falsePositives, trueNegatives } = confusionAt(point.threshold, labels, probabilities);
  const negatives = falsePositives + trueNegatives;
  const [{ figures = {} }] = measureOperatingPoints([point], labels, probabilities);
  const { name, threshold } = point;
  const cost = point.figures?.cost;
  return {
    name,
    threshold,
    labelled: wilson(truePositives + falsePositives, labels.length),
    falsePositiveRate: negatives === 0 ? null : wilson(falsePositives, negatives),
    metrics: { ...figures, ...(cost && { cost }) },
  };
}
