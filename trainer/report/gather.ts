// From a trained model and the parts it was judged on to everything its report shows. Draws nothing.
// Legend: N sequences, T steps, F features, C channels.
import type { Engine } from "../../shared/engine.ts";
import type { MeasuredCard, Model, OperatingPoint, ReliabilityBin } from "../../shared/model.ts";
import { applyRecipe } from "../../shared/recipe/apply.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { type Channels, type Log, type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { validRows } from "../../shared/sequence.ts";
import { wilson, Z95 } from "../statistics/intervals.ts";
import { logLosses } from "../statistics/log-loss.ts";
import { bootstrapIntervals, computeMetrics } from "../statistics/metrics.ts";
import { measureOperatingPoints } from "../statistics/operating-points.ts";
import { pairedGain } from "../statistics/paired.ts";
import type { Random } from "../statistics/random.ts";
import { confusionAt, confusionAtEachScore, rank } from "../statistics/ranking.ts";
import type { EpochRecord } from "../training/loop.ts";
import type { Decision, Example, ReportContent } from "./content.ts";
import { describeTraining } from "./data-facts.ts";
import { countInBins } from "./histogram.ts";
import { type Effect, permutationImportance } from "./importance.ts";
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
  readonly data: { readonly values: Float64Array; readonly labels: Uint8Array };
  /** Sequences that held nothing but padding and are not among them. */
  readonly leftOut: number;
  /** Who of them is in which part. */
  readonly split: Readonly<Record<"train" | "validation" | "calibration", Int32Array>>;
  /** What each baseline says of the validation part, by the names they have in the card: the lines beside the learning curves. */
  readonly validation: Readonly<Record<string, ArrayLike<number>>>;
  /** `values` (N,T,F) raw; probabilities of the model and of each baseline, by the names they have in the card. */
  readonly test: {
    readonly values: Float64Array;
    readonly labels: Uint8Array;
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

export function gatherReport(input: ReportInput): ReportContent {
  const { model, id, verdict, history, truth, data, leftOut, split, validation, test, reliability, gap, engine, log, random } = input;
  const { card, recipe, network, calibration } = model;
  const { labels, probabilities, baselines } = test;
  const own = logLosses(labels, probabilities);
  const modelName = `LSTM(${network.units})`;
  const channels = applyRecipe(recipe, test.values, log);
  const labelsOf = (indices: Int32Array): Uint8Array => Uint8Array.from(indices, (n) => data.labels[n]);
  const curveOf = (name: string, scores: ArrayLike<number>): ReportContent["curves"][number] => {
    const confusions = confusionAtEachScore(rank(labels, scores));
    return { name, roc: thin(rocCurve(confusions)), precisionRecall: thin(precisionRecallCurve(confusions)) };
  };
  const gainOf = (before: Float64Array): Effect => {
    const { mean, standardError } = pairedGain(before, own, gap);
    return { rise: mean, halfWidth: Z95 * standardError };
  };
  return {
    name: model.name,
    id,
    verdict: { code: verdict.code, text: verdict.text, next: verdict.next },
    card,
    network: {
      units: network.units,
      parameters: [network.kernel, network.recurrent, network.bias, network.headKernel, network.headBias].reduce(
        (sum, { length }) => sum + length,
        0,
      ),
      slope: calibration.slope,
      intercept: calibration.intercept,
    },
    figures: [
      { name: modelName, metrics: card.test, intervals: card.intervals, gain: null },
      ...Object.entries(card.baselines).map(([name, metrics]) => ({
        name,
        metrics,
        intervals: baselines[name] === undefined ? {} : bootstrapIntervals(labels, baselines[name], random, BOOTSTRAP_RESAMPLES, gap),
        gain: baselines[name] === undefined ? null : gainOf(logLosses(labels, baselines[name])),
      })),
    ],
    truth: truth ?? null,
    learning: {
      history,
      bestEpoch: card.training.bestEpoch,
      lines: Object.entries(validation).map(([name, guesses]) => ({
        name,
        logLoss: computeMetrics(labelsOf(split.validation), guesses).logLoss,
      })),
    },
    reliability,
    curves: [
      curveOf(modelName, probabilities),
      ...Object.entries(baselines)
        .filter(([, guesses]) => Array.prototype.some.call(guesses, (guess) => guess !== guesses[0])) // a constant ranks nothing
        .map(([name, guesses]) => curveOf(name, guesses)),
    ],
    decisions: model.operatingPoints.map((point) => decide(point, labels, probabilities)),
    scores: countInBins(probabilities, labels, [0, 1], SCORE_BINS),
    training: describeTraining(recipe, data.values, data.labels, split.train),
    parts: [labelsOf(split.train), labelsOf(split.validation), labelsOf(split.calibration), labels].map((part) => ({
      sequences: part.length,
      positives: part.reduce((sum, label) => sum + label, 0),
    })),
    leftOut,
    standardised: recipe.scale.some((scale) => scale !== 1) || recipe.mean.some((mean) => mean !== 0),
    channels: recipe.channels.map((channel) => describeChannel(channel, recipe.features)),
    examples: chooseExamples(recipe, test.values, channels, labels, probabilities),
    importance: permutationImportance(
      { ...channels, labels },
      recipe.timesteps,
      (dealt, lengths) => engine.probabilities(dealt, lengths),
      random,
    ),
  };
}

function decide(point: OperatingPoint, labels: ArrayLike<number>, probabilities: Float32Array): Decision {
  const { truePositives, falsePositives, trueNegatives } = confusionAt(point.threshold, labels, probabilities);
  const negatives = falsePositives + trueNegatives;
  const [{ figures = {} }] = measureOperatingPoints([point], labels, probabilities);
  const { name, threshold } = point;
  const cost = point.figures?.cost; // what a mistake costs, only the one who trained knows
  return {
    name,
    threshold,
    labelled: wilson(truePositives + falsePositives, labels.length),
    falsePositiveRate: negatives === 0 ? null : wilson(falsePositives, negatives),
    figures: { ...figures, ...(cost && { cost }) },
  };
}

/** Ranks of the sequences that are shown: not the outermost, which are often odd. */
const EXAMPLES = [
  { title: "scored low", rank: 0.02 },
  { title: "scored in the middle", rank: 0.5 },
  { title: "scored high", rank: 0.98 },
];

function chooseExamples(
  recipe: Recipe,
  values: Float64Array,
  { channels, lengths }: Channels,
  labels: ArrayLike<number>,
  probabilities: Float32Array,
): Example[] {
  const shape = shapeOf(recipe);
  const { timesteps: T, features: F } = shape;
  const C = recipe.channels.length;
  const isUndefined = recipe.channels.map(({ view }) => view === "delta" || view === "logDelta");
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[a] - probabilities[b] || a - b);
  const rows = new Int32Array(T);
  return EXAMPLES.map(({ title, rank }) => {
    const n = order[Math.round(rank * (order.length - 1))];
    const raw = new Array<number[] | null>(T).fill(null);
    const seen = new Array<(number | null)[] | null>(T).fill(null);
    validRows(values, n * T * F, shape, recipe.padding, rows);
    for (let t = 0; t < lengths[n]; t++) {
      raw[rows[t]] = Array.from(values.subarray((n * T + rows[t]) * F, (n * T + rows[t] + 1) * F));
      seen[rows[t]] = Array.from(channels.subarray((n * T + t) * C, (n * T + t + 1) * C), (x, c) => (t === 0 && isUndefined[c] ? null : x));
    }
    return { title, probability: probabilities[n], label: labels[n], rows: raw, channels: seen };
  });
}
