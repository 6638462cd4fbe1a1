// The sequences on which candidates are compared: every candidate's channels of them once, in folds. Never sees calibration or test.
// Legend: N sequences, T steps, F features, C channels, K candidates (columns of the table), R rows of the sample.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Input } from "../../shared/recipe/inputs.ts";
import type { Channels, Log } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { take } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { type Labels, takeLabels } from "../statistics/labels.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";

export interface SampleInput {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N) */
  readonly labels: Labels;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly padding: Padding;
  /** As Plan.gaps. */
  readonly gaps?: readonly number[];
  /** As Plan.inputs. */
  readonly inputs?: readonly Input[];
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Indices are in the order of time, and neighbours closer than this share rows; 0 when the order means nothing. */
  readonly gap: number;
  /** Any two sequences are strangers, as in a split at random: training sequences left over can be held out as well. */
  readonly areStrangers: boolean;
  readonly log: Log;
  readonly seed: number;
  /** As the first versions did: every candidate is evaluated in whole, on statistics of all sequences, and teachers are fitted to the last bit. */
  readonly isExhaustive?: boolean;
}

/** Rows of the sample. */
export interface Fold {
  readonly train: Int32Array;
  readonly heldOut: Int32Array;
}

export interface EvaluationSample {
  /** (R,T,K) left-aligned */
  readonly table: Channels;
  readonly T: number;
  readonly K: number;
  /** (R) */
  readonly labels: Labels;
  readonly positiveRate: number;
  readonly folds: readonly Fold[];
  /** Training and validation are held out in turn, since validation alone is too small. */
  readonly isFolded: boolean;
  /** Rows that some fold trains on, for score tests. */
  readonly tested: Int32Array;
}

const MAX_TRAIN = 20_000;
const MAX_VALIDATION = 10_000;
const MAX_TESTED = 10_000;
/** Sequences that candidates' statistics are taken of, at most: they scale columns, and judge nothing. */
const MAX_FITTED = 5000;
/** With a smaller validation part, training and validation are held out in turn, in so many parts. */
const ENOUGH_TO_VALIDATE = 3000;
const FOLDS = 3;
/** Numbers in the table of all candidates: 80 MB as float32. */
const MAX_TABLE = 20_000_000;

/** Draws the sample by the input's seed; `candidates` (K) are fitted on some of its training rows. */
export function drawEvaluationSample(input: SampleInput, candidates: readonly Channel[]): EvaluationSample {
  const { values, labels, shape, features, padding, gaps, inputs, gap, log } = input;
  const [T, K] = [shape.timesteps, candidates.length];
  const { train, validation } = drawRows(input, Math.floor(MAX_TABLE / (T * K)));
  const rows = Int32Array.from([...train, ...validation]);
  const R = rows.length;
  const recipe = fitRecipe(
    { timesteps: T, features, padding, gaps, inputs, clock: shape.clock || undefined, channels: candidates, standardise: true },
    values,
    input.isExhaustive ? train : thin(train, MAX_FITTED),
    log,
  );
  const drawnLabels = takeLabels(labels, rows);
  const isFolded = validation.length < ENOUGH_TO_VALIDATE;
  const folds = isFolded
    ? Array.from({ length: FOLDS }, (_, k) => holdOut(Math.floor((k * R) / FOLDS), Math.floor(((k + 1) * R) / FOLDS), R, gap))
    : [holdOut(train.length, R, R, 0)];
  return {
    table: applyRecipe(recipe, take(values, rows, T * shape.features), log),
    T,
    K,
    labels: drawnLabels,
    positiveRate: mean(drawnLabels),
    folds,
    isFolded,
    tested: listTrained(folds, R).subarray(0, MAX_TESTED),
  };
}

/** The channels at columns `set` of the table, (R,T,C). */
export function selectColumns({ table, K }: EvaluationSample, set: readonly number[]): Channels {
  const channels = new Float32Array((table.channels.length / K) * set.length);
  for (let row = 0, at = 0; row < table.channels.length; row += K) for (const c of set) channels[at++] = table.channels[row + c];
  return { ...table, channels };
}

/** At most `maxRows` of each part. */
function drawRows(input: SampleInput, maxRows: number): { train: Int32Array; validation: Int32Array } {
  const random = createRandom(input.seed, STREAMS.candidateSample);
  const [train, left] = sample(input.train, Math.min(MAX_TRAIN, maxRows), random);
  const spare = input.areStrangers && input.validation.length >= ENOUGH_TO_VALIDATE ? left : [];
  const [validation] = sample(Int32Array.from([...input.validation, ...spare]), Math.min(MAX_VALIDATION, maxRows), random);
  return { train, validation };
}

/** At most `count` of `indices`, at random, and those that are left. */
function sample(indices: Int32Array, count: number, random: Random): [Int32Array, Int32Array] {
  if (indices.length <= count) return [indices, new Int32Array(0)];
  const shuffled = indices.slice();
  random.shuffle(shuffled);
  return [shuffled.subarray(0, count), shuffled.subarray(count)];
}

/** Holds out rows `from` … `to` of `count`, and trains on the others that are at least `gap` away. */
function holdOut(from: number, to: number, count: number, gap: number): Fold {
  const all = Int32Array.from({ length: count }, (_, n) => n);
  return { heldOut: all.subarray(from, to), train: all.filter((n) => n < from - gap || n >= to + gap) };
}

function listTrained(folds: readonly Fold[], R: number): Int32Array {
  const isTrained = new Uint8Array(R);
  for (const fold of folds) for (const n of fold.train) isTrained[n] = 1;
  return Int32Array.from(isTrained.keys()).filter((n) => isTrained[n] === 1);
}

/** At most `count` of `indices`, evenly spread. */
function thin(indices: Int32Array, count: number): Int32Array {
  const step = Math.ceil(indices.length / count);
  return step <= 1 ? indices : indices.filter((_, i) => i % step === 0);
}
