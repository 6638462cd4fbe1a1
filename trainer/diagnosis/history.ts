// The user's own training curve, held against what guessing gives. Knows no model, and of the data only their positive rate and the
// labels of a test part.
import { entropy } from "../statistics/log-loss.ts";
import type { CauseCode } from "./cause.ts";
import type { DiagnosisData } from "./input.ts";
import type { History } from "./training-log.ts";

export interface HistoryContext {
  readonly positiveRate: number;
  /** Sequences in the file the curve was trained on. */
  readonly examples: number;
  /** (N) of the test part, where there is one. */
  readonly testLabels?: ArrayLike<number>;
}

/** The loss of always answering the best constant. */
export interface Floor {
  readonly weights: string;
  readonly loss: number;
}

export interface HistoryVerdict {
  readonly epochs: number;
  /** `flat`: never left the base rate. `left`: below it. `above`: never came down to it. `unclear`: depends on the class weights. `diverged`: no longer finite. */
  readonly code: "flat" | "left" | "above" | "unclear" | "diverged";
  readonly floors: readonly Floor[];
  /** Lowest loss, of the validation part where the log has one, and its epoch from 1. */
  readonly best: { readonly loss: number; readonly epoch: number };
  readonly accuracyIsMajority: boolean;
  readonly stillFalling: boolean;
  readonly overfit: boolean;
  readonly validationIsTest: boolean;
  /** What to tell people, one sentence each, the most important first. */
  readonly sentences: readonly string[];
}

/**
 * What guessing costs at a share p of 1s, in nats: 0.562, 0.693 and 1.040 at p = 1/4. With class weights w the best constant is
 * q = w₁p / (w₁p + w₀(1−p)), and the weighted loss of it −(w₁ p ln q + w₀ (1−p) ln(1−q)).
 */
export function baseRateFloors(p: number): readonly [unweighted: Floor, balanced: Floor, inverse: Floor] {
  const ratio = (1 - p) / p;
  return [
    { weights: "without class weights", loss: entropy(p) },
    { weights: "with balanced ones", loss: Math.LN2 },
    { weights: `with {0: 1, 1: ${Number(ratio.toPrecision(3))}}`, loss: 2 * (1 - p) * Math.LN2 },
  ];
}

/** What of the data a curve is held against: labels that are neither 0 nor 1 are left out; undefined without two classes. */
export function contextOf({ values, labels, shape, test }: DiagnosisData): HistoryContext | undefined {
  let [zeros, ones] = [0, 0];
  for (let n = 0; n < (labels?.length ?? 0); n++) {
    if (labels![n] === 0) zeros++;
    if (labels![n] === 1) ones++;
  }
  if (zeros === 0 || ones === 0) return undefined;
  const examples = values.length / shape.timesteps / shape.features;
  return { positiveRate: ones / (zeros + ones), examples, testLabels: test?.labels };
}

/** Causes that a curve accuses, to be tried by experiment. */
export function hypothesesOfCurve({ overfit, stillFalling }: HistoryVerdict): CauseCode[] {
  return [...(overfit ? ["overfit" as const] : []), ...(stillFalling ? ["undertrained" as const] : [])];
}

/** A loss this much below the base rate's, as a share of it, has left it (the design's plateau stands at 0.9964 of it). */
const LEFT = 0.01;
/** A change this large, as a share of the loss, is worth a sentence. */
const NOTABLE = 0.02;
/** Keras' validation_split where nobody says more: it decides how well the validation part's own positive rate is known. */
const VALIDATION_SHARE = 0.2;

export function judgeHistory(history: History, { positiveRate: p, examples, testLabels }: HistoryContext): HistoryVerdict {
  const { loss, valLoss, accuracy, valAccuracy } = history;
  const epochs = loss.length;
  const floors = baseRateFloors(p);
  const [unweighted, balanced] = floors;
  const curve = valLoss ?? loss;
  const ofCurve = valLoss ? "validation loss" : "loss";
  const finite = curve.filter(Number.isFinite);
  const bestLoss = finite.length > 0 ? Math.min(...finite) : Number.NaN;
  const best = { loss: bestLoss, epoch: curve.indexOf(bestLoss) + 1 };
  const rateError = 2 * Math.sqrt((p * (1 - p)) / (examples * (valLoss ? VALIDATION_SHARE : 1)));
  const tolerance = Math.max(LEFT, (rateError * Math.abs(Math.log((1 - p) / p))) / unweighted.loss);
  const settled = median(lastThird(loss).filter(Number.isFinite));
  const near = [...floors].sort((a, b) => Math.abs(a.loss - settled) - Math.abs(b.loss - settled))[0];
  const isNear = Math.abs(near.loss - settled) <= Math.max(NOTABLE, tolerance) * near.loss;
  // Keras weights the training loss alone: a network trained with weights answers one half, which costs ln 2 on validation.
  const floor = valLoss && near !== unweighted ? balanced : near;
  const lost = loss.findIndex((x) => !Number.isFinite(x));
  const leaves = (held: Floor): boolean => bestLoss < (1 - tolerance) * held.loss;
  const code =
    lost >= 0
      ? "diverged"
      : leaves(unweighted) || (isNear && leaves(floor))
        ? "left"
        : isNear
          ? "flat"
          : settled < balanced.loss
            ? "unclear"
            : "above";

  const majority = Math.max(p, 1 - p);
  const right = valAccuracy ?? accuracy;
  const accuracyIsMajority = right !== undefined && Math.abs(mean(lastThird(right)) - majority) <= Math.max(0.005, rateError);
  const stillFalling = code !== "diverged" && isFalling(curve);
  const overfit =
    valLoss !== undefined &&
    mean(lastThird(valLoss)) > (1 + NOTABLE) * bestLoss &&
    best.epoch < epochs &&
    loss[epochs - 1] < (1 - NOTABLE) * loss[best.epoch - 1];
  const validationIsTest = valAccuracy !== undefined && testLabels !== undefined && countsInParts(valAccuracy, testLabels);

  const f = (x: number): string => x.toFixed(3);
  const all = floors.map((each) => `${f(each.loss)} ${each.weights}`).join(", ");
  const sentences = [
    {
      flat: `Your ${ofCurve} never left the base rate: its best is ${f(bestLoss)} (epoch ${best.epoch} of ${epochs}), and guessing alone gives ${f(floor.loss)} (${all}).`,
      left: `Your ${ofCurve} left the base rate: its best is ${f(bestLoss)} (epoch ${best.epoch} of ${epochs}) against ${f(leaves(unweighted) ? unweighted.loss : floor.loss)} of guessing (${all}).`,
      above: `Your ${ofCurve} never came down to what guessing gives: its best is ${f(bestLoss)}, guessing ${all}.`,
      unclear: `Your ${ofCurve}, ${f(bestLoss)} at best, is above what guessing gives ${unweighted.weights} and below what it gives ${balanced.weights} (${all}): compare it with the one you trained by.`,
      diverged: `Your loss is no longer a number from epoch ${lost + 1} of ${epochs} on: the learning rate is too high, or the inputs too large.`,
    }[code],
  ];
  if (accuracyIsMajority)
    sentences.push(
      `Your ${valAccuracy ? "validation accuracy" : "accuracy"}, ${f(mean(lastThird(right!)))}, is the majority's: always answering ${p < 0.5 ? 0 : 1} gives ${f(majority)}.`,
    );
  if (validationIsTest)
    sentences.push(
      `Your validation figures were counted on exactly as many sequences as the test part holds (${testLabels!.length}): if you passed X_test as validation_data, what stopped or chose the network by it cannot also judge it; keep one part that chose nothing.`,
    );
  if (overfit)
    sentences.push(
      `Your validation loss rises from epoch ${best.epoch} on while the training loss falls: stop there and keep those weights.`,
    );
  if (stillFalling) sentences.push(`Your ${ofCurve} is still falling at the last epoch: train longer.`);
  return { epochs, code, floors, best, accuracyIsMajority, stillFalling, overfit, validationIsTest, sentences };
}

function lastThird(values: readonly number[]): readonly number[] {
  return values.slice(-Math.ceil(values.length / 3));
}

/** Whether a line through the last half of at least six epochs falls beyond its noise, and notably. */
function isFalling(curve: readonly number[]): boolean {
  const y = curve.slice(-Math.max(4, Math.ceil(curve.length / 2)));
  const n = y.length;
  if (curve.length < 6 || !y.every(Number.isFinite)) return false;
  const centre = (n - 1) / 2;
  const squares = (n * (n * n - 1)) / 12; // Σ (t − centre)²
  const slope = y.reduce((sum, value, t) => sum + value * (t - centre), 0) / squares;
  const level = mean(y);
  const residual = y.reduce((sum, value, t) => sum + (value - level - slope * (t - centre)) ** 2, 0);
  const error = Math.sqrt(residual / (n - 2) / squares);
  return slope < -3 * error && -slope * n > NOTABLE * level && y[n - 1] < y[0];
}

/** float32 keeps an accuracy to 6e-8: any that is a whole number of N-ths to this was counted on N sequences, or a divisor of N. */
const ACCURACY_DIGITS = 1e-7;

/**
 * Whether every accuracy is a whole number of N-ths and not all of a divisor's, N the labels of the test part: one of a part of
 * another size is with probability 2 · 1e-7 · N. A constant must be exactly the majority's. A part of the same size passes, too.
 */
function countsInParts(accuracy: readonly number[], labels: ArrayLike<number>): boolean {
  const N = labels.length;
  const distinct = [...new Set(accuracy.filter(Number.isFinite))];
  const offBy = (share: number): number => Math.abs(share - Math.round(share * N) / N);
  if (N < 20 || N > 1e6 || distinct.length === 0 || !distinct.every((share) => offBy(share) <= ACCURACY_DIGITS)) return false;
  if (distinct.length > 1) return distinct.reduce((divisor, share) => greatestCommonDivisor(divisor, Math.round(share * N)), N) === 1;
  let positives = 0;
  for (let n = 0; n < N; n++) positives += labels[n];
  return Math.abs(distinct[0] - Math.max(positives, N - positives) / N) <= ACCURACY_DIGITS;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
