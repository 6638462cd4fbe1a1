// Soft labels count as y of a 1 and 1 − y of a 0: every metric of theirs is that of both classes, weighted. Classes keep their bits.
import { expect, test } from "vitest";
import { fitCalibration } from "../../../trainer/statistics/calibration.ts";
import { contradict, countOnes, joinLabels, takeLabels } from "../../../trainer/statistics/labels.ts";
import { crossEntropy, logLossOf, logLossOfLogit } from "../../../trainer/statistics/log-loss.ts";
import { bootstrapIntervals, computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { chooseOperatingPoints, measureOperatingPoints } from "../../../trainer/statistics/operating-points.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { reliabilityBins } from "../../../trainer/statistics/reliability.ts";
import { fitStack } from "../../../trainer/statistics/stack.ts";

const N = 400;
const random = createRandom(3);
const logits = Float64Array.from({ length: N }, () => 2 * random.normal());
/** Quarters, so that four copies with whole labels are the same set. */
const quarters = logits.map((z) => Math.round(4 / (1 + Math.exp(-z - random.normal()))) / 4);
const probabilities = Float32Array.from(logits, (z) => 1 / (1 + Math.exp(-z)));
/** Each sequence four times, the label as often 1 as its quarters say. */
const copies = { labels: new Uint8Array(4 * N), probabilities: new Float32Array(4 * N), logits: new Float64Array(4 * N) };
quarters.forEach((y, n) => {
  for (let k = 0; k < 4; k++) {
    copies.labels[4 * n + k] = k < 4 * y ? 1 : 0;
    copies.probabilities[4 * n + k] = probabilities[n];
    copies.logits[4 * n + k] = logits[n];
  }
});

test("metrics of soft labels are those of copies with whole labels", () => {
  const { examples, ...soft } = computeMetrics(quarters, probabilities);
  const { examples: all, ...hard } = computeMetrics(copies.labels, copies.probabilities);
  expect(all).toBe(4 * examples);
  for (const name of [
    "positiveRate",
    "logLoss",
    "baseRateLogLoss",
    "accuracy",
    "majorityAccuracy",
    "auc",
    "prAuc",
    "brier",
    "ece",
  ] as const)
    expect(soft[name], name).toBeCloseTo(hard[name] as number, 10);
});

test("operating points and reliability count them as copies", () => {
  const points = [{ name: "default", threshold: 0.5 }];
  const [soft] = measureOperatingPoints(points, quarters, probabilities, { falsePositive: 1, falseNegative: 3 });
  const [hard] = measureOperatingPoints(points, copies.labels, copies.probabilities, { falsePositive: 1, falseNegative: 3 });
  for (const name of ["precision", "recall", "f1", "balancedAccuracy", "cost"] as const)
    expect(soft.figures?.[name]?.value).toBeCloseTo(hard.figures?.[name]?.value ?? Number.NaN, 10);
  const thresholds = (labels: Float64Array | Uint8Array, of: Float32Array) =>
    chooseOperatingPoints(labels, of, { precisions: [], recalls: [] }).map(({ threshold }) => threshold);
  expect(thresholds(quarters, probabilities)).toEqual(thresholds(copies.labels, copies.probabilities));
  const bins = reliabilityBins(quarters, probabilities, createRandom(1), 0);
  expect(bins.reduce((sum, { examples, observed }) => sum + examples * observed.value, 0)).toBeCloseTo(countOnes(quarters), 8);
});

test("a stack and a calibration of soft labels are those of copies with whole ones", () => {
  const weak = Float64Array.from({ length: 4 * N }, (_, i) => logits[i >> 2] / 3 + 0.4);
  const spread = Float64Array.from({ length: 4 * N }, (_, i) => quarters[i >> 2]);
  const own = fitStack([weak], spread);
  const twin = fitStack([weak], copies.labels);
  expect(own.weights[0]).toBeCloseTo(twin.weights[0], 8);
  expect(own.intercept).toBeCloseTo(twin.intercept, 8);
  const soft = fitCalibration(weak, spread);
  const hard = fitCalibration(weak, copies.labels);
  expect(soft.slope).toBeCloseTo(hard.slope, 8);
  expect(soft.intercept).toBeCloseTo(hard.intercept, 8);
  expect(soft.slope).toBeGreaterThan(1.5);
});

test("classes have the bits they had, as bytes and as floats", () => {
  const labels = Uint8Array.from(quarters, Math.round);
  expect(computeMetrics(labels, probabilities)).toEqual(computeMetrics(Float64Array.from(labels), probabilities));
  const draw = (of: Uint8Array | Float64Array) => bootstrapIntervals(of, probabilities, createRandom(2), 20, 0);
  expect(draw(labels)).toEqual(draw(Float64Array.from(labels)));
  expect(fitCalibration(logits, labels)).toEqual(fitCalibration(logits, Float64Array.from(labels)));
  for (const y of [0, 1]) expect(logLossOf(y, 0.3)).toBe(y === 1 ? -Math.log(0.3) : -Math.log1p(-0.3));
});

test("the loss of a soft label is the cross-entropy, by probability and by logit", () => {
  for (const y of [0.1, 0.5, 0.9]) {
    expect(logLossOf(y, 0.3)).toBeCloseTo(crossEntropy(y, 0.3), 14);
    expect(logLossOfLogit(y, Math.log(0.3 / 0.7))).toBeCloseTo(crossEntropy(y, 0.3), 12);
  }
});

test("labels keep their kind where some are taken or joined", () => {
  expect(takeLabels(Uint8Array.of(0, 1, 1), [2, 0])).toEqual(Uint8Array.of(1, 0));
  expect(takeLabels(Float64Array.of(0.2, 0.7), [1])).toEqual(Float64Array.of(0.7));
  expect(joinLabels([Uint8Array.of(0), Uint8Array.of(1)])).toEqual(Uint8Array.of(0, 1));
  expect(joinLabels([Uint8Array.of(0), Float64Array.of(0.3)])).toEqual(Float64Array.of(0, 0.3));
});

test("labels contradict each other as 0 and 1 do, soft ones where they are more than one half apart", () => {
  expect(contradict(0, 1)).toBe(true);
  expect(contradict(0.2, 0.8)).toBe(true);
  expect(contradict(0.5, 0.51)).toBe(false);
  expect(contradict(0.49, 0.51)).toBe(false);
  expect(contradict(1, 1)).toBe(false);
});
