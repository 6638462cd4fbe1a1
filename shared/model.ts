// What a decoded artifact is, and what it means to score with it. Knows no file format, no engine's inside, no HTTP.
import type { Engine, EngineInputs } from "./engine.ts";
import { ArtifactError, type Path, SequenceError } from "./errors.ts";
import { type Precision, type Predictor, withPrecision } from "./members.ts";
import { priorShift } from "./prior.ts";
import { applyRecipe } from "./recipe/apply.ts";
import { computeColumns } from "./recipe/columns.ts";
import type { Log, Recipe } from "./recipe/recipe.ts";
import type { TabularView } from "./recipe/tabular.ts";
import type { SeriesColumns } from "./series-columns.ts";

/** A number with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** `cost` is a sequence's mean, in the unit the costs were given in. */
export const POINT_METRICS = ["precision", "recall", "f1", "balancedAccuracy", "cost"] as const;

/** A named threshold on the calibrated probability: label 1 at or above it. */
export interface OperatingPoint {
  readonly name: string;
  readonly threshold: number;
  /** Its metrics on held-out sequences; those without a denominator are left out. Nothing in it changes a label. */
  readonly figures?: Readonly<Partial<Record<(typeof POINT_METRICS)[number], Estimate>>>;
}

/** Raw inputs with the probabilities the kernel gave when the artifact was written. Synthesised: no row of the user's data. */
export interface Golden {
  /** (K,T,F) */
  readonly inputs: Float64Array;
  /** (K) compared bit for bit */
  readonly probabilities: Float32Array;
}

/** How held-out data looked at training time, to measure drift against. */
export interface Reference {
  /** (C,9) deciles of each standardised channel over valid rows */
  readonly channelEdges: Float32Array;
  /** (C,10) how many values fell between them; a value on an edge counts above it */
  readonly channelCounts: Uint32Array;
  /** (20) scores in equal bins over [0,1] */
  readonly scoreCounts: Uint32Array;
  /** One value a sequence, which a test can be built on. Left out of format 1, and of an imported model that was not calibrated. */
  readonly sequences?: SequenceReference;
}

/**
 * Of held-out sequences that share no row: each channel's last valid row, then the number of valid rows, of missing numbers, and the
 * score (C+3). Counts of 0 where nothing is known: of gaps in a model without, of scores where no sequence was kept apart.
 */
export interface SequenceReference {
  /** (C+3,9) deciles */
  readonly edges: Float32Array;
  /** (C+3,10) how many values fell between them; a value on an edge counts above it */
  readonly counts: Uint32Array;
}

export const CHANNEL_BINS = 10;
export const SCORE_BINS = 20;

/** Metrics on one set of labelled sequences. Losses in nats. Undefined metrics (AUC of one class) are null. */
export interface Metrics {
  readonly examples: number;
  readonly positiveRate: number;
  readonly logLoss: number;
  /** Log loss of always answering the set's own positive rate. */
  readonly baseRateLogLoss: number;
  readonly accuracy: number;
  readonly majorityAccuracy: number;
  readonly auc: number | null;
  readonly prAuc: number | null;
  readonly brier: number;
  readonly ece: number;
}

/** Sequences of neighbouring scores: what was predicted of them on average, and their positive rate. */
export interface ReliabilityBin {
  readonly examples: number;
  readonly predicted: number;
  readonly observed: Estimate;
}

/** A mean rise of the log loss, in nats, and the half-width of its 95 % interval over sequences. */
interface Rise {
  readonly rise: number;
  readonly halfWidth: number;
}

/** What a model leans on, on some of the sequences that it was judged by. Effects are in falling order, 20 of a kind at most. */
export interface Influence {
  readonly sequences: number;
  readonly repeats: number;
  /** Where one raw feature's values, or one channel's, are permuted among sequences of one length. */
  readonly features: readonly ({ readonly name: string } & Rise)[];
  readonly channels: readonly ({ readonly name: string } & Rise)[];
  /** Where the rows `from` … `to` before the last are; 0 is the last. The latest first. */
  readonly steps: readonly ({ readonly from: number; readonly to: number } & Rise)[];
  /** Of the channels that matter most: the mean probability where all of a channel's rows are moved until the last one's value is `at`. */
  readonly dependence: readonly { readonly name: string; readonly at: readonly number[]; readonly probabilities: readonly number[] }[];
}

/**
 * What a reader did. Of code `series` it has the columns of the rows that windows were cut from, how times are written, where series are cut,
 * and how many rows later labels stand; of codes `sorted` and `grouped` the column of whole sequences' times, and of what they belong to.
 */
export interface ReadingRemark {
  readonly code: string;
  readonly group?: string;
  readonly key?: string;
  readonly time?: string;
  readonly timeFormat?: string;
  readonly maxGap?: string;
  readonly horizon?: number;
}

/** How labelled data were read, as the trainer writes it down; more is there than these names. */
export interface ReadingFacts {
  readonly sequences: number;
  readonly features: readonly string[];
  /** Which values the labels had, and which of them is 1. */
  readonly labels: LabelReading | "none" | "ignored";
  /** Columns that named sequences. */
  readonly ids?: readonly string[];
  /** How the columns of a wide table were named, as `{feature}_{step}`, where that was said. */
  readonly columns?: string;
  /** What the reader did. */
  readonly remarks?: readonly ReadingRemark[];
}

export interface LabelReading {
  readonly name: string;
  /** Whether the labels stood in a file of their own. */
  readonly isFile?: boolean;
  /** Null where there was no label. */
  readonly meaning: {
    readonly one: number | string;
    /** Null where 1 stands against several values. */
    readonly zero: number | string | null;
    readonly values: readonly (number | string)[];
  } | null;
}

/** Facts for people. Nothing in it changes a score. */
export interface Card {
  readonly data: {
    readonly name: string;
    readonly sha256: string;
    readonly float32: boolean;
    /** The sentence that said how the data were read, and its facts. Left out in older artifacts. */
    readonly read?: string;
    readonly facts?: ReadingFacts;
  };
  readonly split: { readonly by: string; readonly examples: Record<"train" | "validation" | "calibration" | "test", number> };
  readonly training: {
    readonly seed: number;
    readonly recipe: string;
    readonly units: number;
    /** In words, of a network of other layers; `units` are then those of the widest. */
    readonly layers?: string;
    /** The distillation weight: the share of a teacher's probabilities in what the network was trained on; 0 is labels alone. */
    readonly softness: number;
    readonly optimizer: string;
    readonly batch: number;
    readonly epochs: number;
    /** The epoch whose weights are kept, from 1; 0 for the initial weights. */
    readonly bestEpoch: number;
    /** The epoch with the lowest validation loss. Left out in older artifacts. */
    readonly lowestEpoch?: number;
  };
  /** Of a model of several learners; `training` then speaks of the network, with 0 units where none joined. */
  readonly stack?: {
    /** 5, or 1 for one held-out part. */
    readonly folds: number;
    /** All that were fitted: log loss alone on sequences that the fold's own member had not seen, and weight in the stack, 0 where left out. */
    readonly learners: readonly { readonly name: string; readonly logLoss: number; readonly weight: number }[];
    /** Of the stack on the same predictions. */
    readonly logLoss: number;
    /** Of the network, where it had to earn its place: what it gains beside the others, clustered standard error, how many of these were asked (left out: 2), whether it joined. */
    readonly gate?: {
      readonly gain: number;
      readonly standardError: number;
      readonly asked?: number;
      readonly joins: boolean;
      readonly learner?: "layers";
    };
    /** Where the gain over the base rate may be chance: that gain, its standard error, and the share of the distance from the base rate that is kept. */
    readonly kept?: { readonly share: number; readonly gain: number; readonly standardError: number };
  };
  /** Of a model of several learners. Left out in older artifacts. */
  readonly influence?: Influence;
  /** How `test` came about; left out where a test part was kept apart, as always at first. */
  readonly assessment?: "test-part" | "nested-cross-validation";
  /** Null where no labelled sequences have been seen: an imported model before `calibrate`. */
  readonly test: Metrics | null;
  /** Of the test part, by rising score. Left out in the oldest artifacts. */
  readonly reliability?: readonly ReliabilityBin[];
  /** Half-widths of 95 % intervals by bootstrap over test sequences, in blocks where these are in the order of time. */
  readonly intervals: Readonly<Partial<Record<keyof Metrics, number>>>;
  readonly baselines: Readonly<Record<string, Metrics>>;
  readonly warnings: readonly string[];
  /** What each warning is, in their order, for programs; empty where it has no code. Left out in older artifacts. */
  readonly warningCodes?: readonly string[];
  readonly versions: { readonly quickstep: string; readonly node: string; readonly path: string };
  /** The labelled sequences that `calibrate` saw, of which `test` and the operating points' metrics then speak. */
  readonly calibrated?: {
    readonly data: Card["data"];
    readonly by: string;
    readonly examples: Record<"calibration" | "validation" | "test", number>;
  };
  /** Of a model that was trained elsewhere; `training` then says nothing. */
  readonly imported?: {
    readonly file: string;
    readonly sha256: string;
    readonly format: string;
    /** What was found in the file, in words. */
    readonly found: readonly string[];
    /** The largest difference from a float64 pass written from the format's definition, on random sequences. */
    readonly parity: number;
  };
}

/** A card with metrics, as training writes it. */
export type MeasuredCard = Card & { readonly test: Metrics };

export interface Model extends Predictor {
  readonly name: string;
  readonly recipe: Recipe;
  /** What members that take columns look at; left out where none does. */
  readonly view?: TabularView;
  /** Of the training part, above 0 and below 1: what a caller's prior is compared with. */
  readonly positiveRate: number;
  /** The first is the default. */
  readonly operatingPoints: readonly OperatingPoint[];
  readonly golden: Golden;
  readonly reference: Reference;
  readonly card: Card;
}

/** What serving needs to know of a model; of one that was not trained here, its training is not known. */
export type ScorableModel = Pick<Model, "name" | "recipe" | "operatingPoints" | "golden"> &
  Partial<Pick<Model, "view" | "members" | "stack" | "calibration" | "positiveRate" | "card">>;

export interface Scores {
  /** (N) */
  readonly probabilities: Float32Array;
  /** (N) as Channels.outOfRange */
  readonly outOfRange: Uint8Array;
}

/** What an engine takes of raw sequences, and which of these lie outside what training saw. */
export interface ModelInputs extends EngineInputs {
  /** (N) as Channels.outOfRange; a value ≤ 0 under a logarithm of the view counts, too. */
  readonly outOfRange: Uint8Array;
}

/**
 * Channels, and columns where the model has a view, of raw sequences, `values` (N,T,F). Lengths of nothing but padding are 0. `by`: the
 * engine's. Throws RangeError where it is left out and the model has a view.
 */
export function computeInputs(
  { recipe, view }: Pick<Model, "recipe" | "view">,
  values: Float64Array,
  log: Log,
  by: SeriesColumns | undefined,
): ModelInputs {
  const inputs = applyRecipe(recipe, values, log);
  if (view === undefined) return inputs;
  if (by === undefined) throw new RangeError("an engine must compute columns of series, since the model has a tabular view");
  const { outOfRange } = inputs;
  return { ...inputs, columns: computeColumns(view, recipe, values, log, by, { outOfRange }) };
}

/**
 * Scores raw sequences, `values` (N,T,F). Nothing is scored if one has no valid row: throws SequenceError, the place named by
 * `pathOf(n)`. `prior`, above 0 and below 1, is how common 1s are where the sequences come from; default: as in training. It needs
 * a model whose `positiveRate` is known.
 */
export function score(
  model: Pick<ScorableModel, "recipe" | "view" | "positiveRate">,
  engine: Engine,
  log: Log,
  values: Float64Array,
  pathOf: (n: number) => Path = (n) => ["sequences", n],
  prior = model.positiveRate,
): Scores {
  const inputs = computeInputs(model, values, log, engine.series);
  const { lengths, outOfRange } = inputs;
  for (let n = 0; n < lengths.length; n++)
    if (lengths[n] === 0) throw new SequenceError(pathOf(n), "must have at least one row that is not all zeros", "only padding");
  const shift = prior === undefined ? 0 : priorShift(model.positiveRate!, prior, log);
  return { probabilities: engine.probabilities(inputs, shift), outOfRange };
}

/** The label of a probability at an operating point: 1 from its threshold on. */
export function labelAt(point: OperatingPoint, probability: number): 0 | 1 {
  return probability >= point.threshold ? 1 : 0;
}

/** The operating point at 0.5 that every trained or imported model has, and the name that older artifacts give it. */
export const DEFAULT_POINT = "default";
const OLD_DEFAULT_POINT = "even";
const OTHER_NAME: Readonly<Record<string, string>> = { [DEFAULT_POINT]: OLD_DEFAULT_POINT, [OLD_DEFAULT_POINT]: DEFAULT_POINT };

/**
 * The point a caller means by `name`, undefined where there is none. Both names of the default point find it, whichever the
 * artifact has; a point of that very name goes first.
 */
export function findOperatingPoint<Point extends { readonly name: string }>(points: readonly Point[], name: unknown): Point | undefined {
  const exact = points.find((point) => point.name === name);
  if (exact !== undefined || (name !== DEFAULT_POINT && name !== OLD_DEFAULT_POINT)) return exact;
  return points.find((point) => point.name === OTHER_NAME[name]);
}

/** Every name that findOperatingPoint finds: those of the points in their order, then the other name of the default point. */
export function operatingPointNames(points: readonly { readonly name: string }[]): string[] {
  const names = points.map(({ name }) => name);
  return [...names, ...[DEFAULT_POINT, OLD_DEFAULT_POINT].filter((name) => !names.includes(name) && names.includes(OTHER_NAME[name]))];
}

/** `sp500@0123456789ab`: the name people know, and enough of the artifact's hash (hexadecimal) to tell two of that name apart. */
export function modelId({ name }: Pick<Model, "name">, sha256: string): string {
  return `${name}@${sha256.slice(0, 12)}`;
}

/** The model with its LSTMs computed at `precision`, those that take it, and with what its golden vectors then give. */
export function atPrecision(model: Model, precision: Precision, createEngine: (predictor: Predictor) => Engine, log: Log): Model {
  const other = withPrecision(model, precision);
  const { inputs } = model.golden;
  return { ...other, golden: { inputs, probabilities: score(other, createEngine(other), log, inputs).probabilities } };
}

/** Scores the golden vectors and compares bits, or what the engine's tolerance allows. Throws ArtifactError at the first that differs. */
export function checkGolden(model: Pick<ScorableModel, "recipe" | "view" | "positiveRate" | "golden">, engine: Engine, log: Log): void {
  const { tolerance = 0 } = engine;
  const { inputs, probabilities } = model.golden;
  const scored = score(model, engine, log, inputs, (n) => ["golden", n]).probabilities;
  for (let k = 0; k < probabilities.length; k++)
    if (!(Object.is(scored[k], probabilities[k]) || Math.abs(scored[k] - probabilities[k]) <= tolerance))
      throw new ArtifactError(
        `golden vector ${k} scored ${scored[k]}, expected ${probabilities[k]}: this ${engine.name} engine does not compute what the trainer computed; rebuild the kernel or retrain`,
      );
}
