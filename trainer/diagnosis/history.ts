// The user's own training curve, compared with what guessing gives. Knows no model and no sentence, and of the data only their
// positive rate and the labels of a test part.
import { mean, median } from "../statistics/descriptive.ts";
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

/** What a training curve shows, as codes and numbers; history-sentences.ts makes sentences of them. */
export interface HistoryVerdict {
  readonly epochs: number;
  /** `flat`: never left the base rate. `left`: below it. `above`: never came down to it. `unclear`: depends on the class weights. `diverged`: no longer finite. */
  readonly code: "flat" | "left" | "above" | "unclear" | "diverged";
  readonly floors: readonly Floor[];
  /** The floor that the curve is compared with. */
  readonly floorLoss: number;
  /** Whether `best` and `stillFalling` are of the validation loss: the log holds one. */
  readonly hasValidation: boolean;
  /** Lowest loss, of the validation part where the log has one, and its epoch from 1. */
  readonly best: { readonly loss: number; readonly epoch: number };
  /** The first epoch, from 1, whose training loss is not finite; null where there is none. */
  readonly divergedAt: number | null;
  /** Mean accuracy over the last third of the epochs, of the validation part where the log has one; null where the log has none. */
  readonly accuracy: { readonly value: number; readonly isValidation: boolean } | null;
  /** Of always answering `majorityLabel`. */
  readonly majorityAccuracy: number;
  readonly majorityLabel: 0 | 1;
  readonly accuracyIsMajority: boolean;
  readonly stillFalling: boolean;
  readonly overfit: boolean;
  /** Whether the validation part must have as many sequences as the test part, and how many that has; null where there is none. */
  readonly validationIsTest: boolean;
  readonly testExamples: number | null;
}

/**
 * What guessing costs at a positive rate p, in nats: 0.562, 0.693 and 1.040 at p = 1/4. With class weights w the best constant is
 * q = w₁p / (w₁p + w₀(1−p)), and the weighted loss of it −(w₁ p ln q + w₀ (1−p) ln(1−q)).
 */
export function baseRateFloors(p: number): readonly [unweighted: Floor, balanced: Floor, inverse: Floor] {
  const ratio = (1 - p) / p;
  return [
    { weights: "without class weights", loss: entropy(p) },
    { weights: "with balanced class weights", loss: Math.LN2 },
    { weights: `with {0: 1, 1: ${Number(ratio.toPrecision(3))}}`, loss: 2 * (1 - p) * Math.LN2 },
  ];
}

/** What of the data a curve is compared with: labels that are neither 0 nor 1 are left out; undefined without two classes. */
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

/** Causes that a curve suggests, to be tested by experiment. */
export function hypothesesOfCurve({ overfit, stillFalling }: HistoryVerdict): CauseCode[] {
  return [...(overfit ? ["overfit" as const] : []), ...(stillFalling ? ["undertrained" as const] : [])];
}

/** A loss this much below the base rate's, as a share of it, has left it (the design's plateau stands at 0.9964 of it). */
const LEFT = 0.01;
/** A change this large, as a share of the loss, is worth a sentence. */
const NOTABLE = 0.02;
/** Keras' validation_split where nobody says more: it decides how well the validation part's own positive rate is known. */
const VALIDATION_SHARE = 0.2;

/** What `history` shows of a network trained on data like `context`. Throws nothing: losses may be NaN. */
export function judgeHistory(history: History, context: HistoryContext): HistoryVerdict {
  const { loss, valLoss, accuracy, valAccuracy } = history;
  const { positiveRate: p, testLabels } = context;
  const curve = valLoss ?? loss;
  const finite = curve.filter(Number.isFinite);
  const bestLoss = finite.length > 0 ? Math.min(...finite) : Number.NaN;
  const best = { loss: bestLoss, epoch: curve.indexOf(bestLoss) + 1 };
  const rateError = rateErrorOf(context, valLoss !== undefined);
  const floors = baseRateFloors(p);
  const { code, floorLoss } = compareWithFloors(history, bestLoss, floors, p, rateError);
  const lost = loss.findIndex((x) => !Number.isFinite(x));
  const accuracies = valAccuracy ?? accuracy;
  const ownAccuracy = accuracies && { value: mean(lastThird(accuracies)), isValidation: valAccuracy !== undefined };
  const majorityAccuracy = Math.max(p, 1 - p);
  return {
    epochs: loss.length,
    code,
    floors,
    floorLoss,
    hasValidation: valLoss !== undefined,
    best,
    divergedAt: lost < 0 ? null : lost + 1,
    accuracy: ownAccuracy ?? null,
    majorityAccuracy,
    majorityLabel: p < 0.5 ? 0 : 1,
    accuracyIsMajority: ownAccuracy !== undefined && Math.abs(ownAccuracy.value - majorityAccuracy) <= Math.max(0.005, rateError),
    stillFalling: code !== "diverged" && isFalling(curve),
    overfit: valLoss !== undefined && isOverfit(loss, valLoss, best),
    validationIsTest: valAccuracy !== undefined && testLabels !== undefined && countsInParts(valAccuracy, testLabels),
    testExamples: testLabels?.length ?? null,
  };
}

/** Two standard errors of the positive rate of the part that the curve is of. */
function rateErrorOf({ positiveRate: p, examples }: HistoryContext, hasValidation: boolean): number {
  return 2 * Math.sqrt((p * (1 - p)) / (examples * (hasValidation ? VALIDATION_SHARE : 1)));
}

/** Where the curve stands against what guessing costs, under the class weights that fit the training loss best. */
function compareWithFloors(
  { loss, valLoss }: History,
  bestLoss: number,
  floors: ReturnType<typeof baseRateFloors>,
  p: number,
  rateError: number,
): Pick<HistoryVerdict, "code" | "floorLoss"> {
  const [unweighted, balanced] = floors;
  const tolerance = Math.max(LEFT, (rateError * Math.abs(Math.log((1 - p) / p))) / unweighted.loss);
  const settled = median(lastThird(loss).filter(Number.isFinite));
  const nearest = [...floors].sort((a, b) => Math.abs(a.loss - settled) - Math.abs(b.loss - settled))[0];
  const isNear = Math.abs(nearest.loss - settled) <= Math.max(NOTABLE, tolerance) * nearest.loss;
  // Keras weights the training loss alone: a network trained with weights answers one half, which costs ln 2 on validation.
  const floor = valLoss && nearest !== unweighted ? balanced : nearest;
  const leaves = (other: Floor): boolean => bestLoss < (1 - tolerance) * other.loss;
  const floorLoss = leaves(unweighted) ? unweighted.loss : floor.loss;
  if (loss.some((x) => !Number.isFinite(x))) return { code: "diverged", floorLoss };
  if (leaves(unweighted) || (isNear && leaves(floor))) return { code: "left", floorLoss };
  if (isNear) return { code: "flat", floorLoss };
  return { code: settled < balanced.loss ? "unclear" : "above", floorLoss };
}

/** Whether the validation loss rises after its best epoch while the training loss falls. */
function isOverfit(loss: readonly number[], valLoss: readonly number[], best: HistoryVerdict["best"]): boolean {
  const epochs = loss.length;
  return (
    mean(lastThird(valLoss)) > (1 + NOTABLE) * best.loss && best.epoch < epochs && loss[epochs - 1] < (1 - NOTABLE) * loss[best.epoch - 1]
  );
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
