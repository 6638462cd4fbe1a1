// Short training runs on a sample, to compare sets of channels on held-out sequences. Counts its budget in sequences, never in
// seconds. Never sees calibration or test.
// Legend: N sequences, T steps, F features, C channels, K candidates (columns of the table), R rows of the sample.
import { applyRecipe } from "../../shared/recipe/apply.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { fitRecipe } from "../../shared/recipe/fit.ts";
import type { Channels, Log } from "../../shared/recipe/recipe.ts";
import type { Padding, Shape } from "../../shared/sequence.ts";
import { take } from "../data/sequences.ts";
import { mean } from "../statistics/descriptive.ts";
import { logitOf, logLossOfLogit } from "../statistics/log-loss.ts";
import { exceedsNoise } from "../statistics/paired.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork } from "../training/parameters.ts";
import type { CreateStepper, Stepper } from "../training/stepper.ts";
import { fitTeacher, teacherColumns } from "./logistic-teacher.ts";
import { trainShortRun } from "./short-run.ts";
import { computeSummaryFeatures, fitSummaryMlp } from "./summary-teacher.ts";

export interface EvaluationInput {
  /** (N,T,F) */
  readonly values: Float64Array;
  /** (N) */
  readonly labels: Uint8Array;
  readonly shape: Shape;
  readonly features: readonly string[];
  readonly padding: Padding;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Indices are in the order of time, and neighbours closer than this share rows; 0 when the order means nothing. */
  readonly gap: number;
  /** Any two sequences are strangers, as in a split at random: training sequences left over can be held out as well. */
  readonly areStrangers: boolean;
  readonly log: Log;
  readonly seed: number;
  readonly createStepper: CreateStepper;
  /** Gives others a turn; may throw, to leave. */
  yieldToEventLoop(): Promise<void>;
}

/** How one set of channels did, learnt in one way. */
export interface Evaluation {
  /** Columns of the table. */
  readonly set: readonly number[];
  /** Mean of `losses`. */
  readonly loss: number;
  /** Log loss of every held-out sequence, the same sequences in the same order for every evaluation. */
  readonly losses: Float64Array;
  /** (tested) probabilities of training sequences, as the models say that trained on them. */
  readonly probabilities: Float64Array;
}

export interface CandidateEvaluator {
  /** Every candidate's channels of the tested sequences, (tested,T,K) left-aligned. */
  readonly tested: Pick<Channels, "channels" | "lengths">;
  readonly testedLabels: Uint8Array;
  /** Training and validation are held out in turn, since validation alone is too small. */
  readonly isFolded: boolean;
  /** What answering the base rate does. */
  readonly baseRate: Evaluation;
  /** A small network on labels; on `distillationWeight` of a teacher's probabilities and the rest labels; or that teacher alone. */
  network(set: readonly number[], distillationWeight?: number): Promise<Evaluation>;
  teacher(set: readonly number[]): Promise<Evaluation>;
  /** The MLP on summary features. */
  summaryMlp(set: readonly number[]): Promise<Evaluation>;
  /** Whether `a` beats `b` by more than so many standard errors of the paired difference; 1 unless given. */
  isBetter(a: Evaluation, b: Evaluation, errors?: number): boolean;
}

const MAX_TRAIN = 20_000;
const MAX_VALIDATION = 10_000;
const MAX_TESTED = 10_000;
/** With a smaller validation part, training and validation are held out in turn, in so many parts. */
const ENOUGH_TO_VALIDATE = 3000;
const FOLDS = 3;
/** Numbers in the table of all candidates: 80 MB as float32. */
const MAX_TABLE = 20_000_000;
const UNITS = 24;
const BATCH = 128;
/** Sequences one network sees: six epochs, within these bounds, but never more than so many epochs. */
const BUDGET = [24_000, 60_000];
const MAX_EPOCHS = 60;
const LEARNING_RATE = 8e-3;
/** The MLP on summary features is so much cheaper that it may see more. */
const SUMMARY_EPOCHS = 20;

interface Fold {
  readonly train: Int32Array;
  readonly held: Int32Array;
}

export function createCandidateEvaluator(input: EvaluationInput, all: readonly Channel[]): CandidateEvaluator {
  const { values, labels, shape, features, padding, gap, log, seed, createStepper, yieldToEventLoop } = input;
  const T = shape.timesteps;
  const K = all.length;
  const random = createRandom(seed, STREAMS.candidateSample);
  const most = Math.floor(MAX_TABLE / (T * K));
  const [train, left] = sample(input.train, Math.min(MAX_TRAIN, most), random);
  const spare = input.areStrangers && input.validation.length >= ENOUGH_TO_VALIDATE ? left : [];
  const [validation] = sample(Int32Array.from([...input.validation, ...spare]), Math.min(MAX_VALIDATION, most), random);
  const rows = Int32Array.from([...train, ...validation]);
  const R = rows.length;
  const recipe = fitRecipe({ timesteps: T, features, padding, channels: all, standardise: true }, values, train, log);
  const table = applyRecipe(recipe, take(values, rows, T * shape.features), log); // (R,T,K)
  const y = Uint8Array.from(rows, (n) => labels[n]);
  const isFolded = validation.length < ENOUGH_TO_VALIDATE;
  const folds = isFolded
    ? Array.from({ length: FOLDS }, (_, k) => holdOut(Math.floor((k * R) / FOLDS), Math.floor(((k + 1) * R) / FOLDS), R, gap))
    : [holdOut(train.length, R, R, 0)];
  const isTrained = new Uint8Array(R);
  for (const fold of folds) for (const n of fold.train) isTrained[n] = 1;
  const tested = Int32Array.from(rows.keys())
    .filter((n) => isTrained[n] === 1)
    .subarray(0, MAX_TESTED);
  const rate = y.reduce((sum, label) => sum + label, 0) / R;

  /** The columns `set` of the table, (R,T,C). */
  const pick = (set: readonly number[]): Channels => {
    const channels = new Float32Array(R * T * set.length);
    for (let row = 0, at = 0; row < table.channels.length; row += K) for (const c of set) channels[at++] = table.channels[row + c];
    return { ...table, channels };
  };
  /** Runs `learn` on every fold; it answers with the logits of the given rows. */
  const acrossFolds = async (
    set: readonly number[],
    learn: (fold: Fold) => (rows: Int32Array) => ArrayLike<number>,
  ): Promise<Evaluation> => {
    const losses: number[] = [];
    const probabilities = new Float64Array(tested.length);
    const counts = new Uint8Array(tested.length);
    for (const fold of folds) {
      await yieldToEventLoop();
      const logits = learn(fold);
      const held = logits(fold.held);
      for (let i = 0; i < held.length; i++) losses.push(logLossOfLogit(y[fold.held[i]], held[i]));
      const isIn = new Uint8Array(R);
      for (const n of fold.train) isIn[n] = 1;
      const own = logits(tested);
      for (let i = 0; i < own.length; i++) {
        if (isIn[tested[i]] === 0) continue;
        probabilities[i] += 1 / (1 + Math.exp(-own[i]));
        counts[i]++;
      }
    }
    return { set, losses: Float64Array.from(losses), loss: mean(losses), probabilities: probabilities.map((p, i) => p / counts[i]) };
  };
  /** A teacher of each fold, fitted on its training rows: logits of all rows. */
  const teachers = (set: readonly number[]): ((fold: Fold) => Float64Array) => {
    const picked = pick(set);
    const columns = teacherColumns(picked, T);
    const D = columns.length / R;
    return ({ train: own }) => {
      const { predict } = fitTeacher(
        take(columns, own, D),
        Uint8Array.from(own, (n) => y[n]),
      );
      return predict(columns).map(logitOf);
    };
  };

  const known = new Map<string, Evaluation>();
  const once = async (key: string, run: () => Promise<Evaluation>): Promise<Evaluation> => {
    const evaluation = known.get(key) ?? (await run());
    known.set(key, evaluation);
    return evaluation;
  };
  const keyOf = (set: readonly number[]): string => [...set].sort((a, b) => a - b).join();

  const baseLosses = folds.flatMap(({ held }) => Array.from(held, (n) => logLossOfLogit(y[n], logitOf(rate))));
  return {
    tested: { channels: take(table.channels, tested, T * K), lengths: tested.map((n) => table.lengths[n]) },
    testedLabels: Uint8Array.from(tested, (n) => y[n]),
    isFolded,
    baseRate: {
      set: [],
      loss: mean(baseLosses),
      losses: Float64Array.from(baseLosses),
      probabilities: new Float64Array(tested.length).fill(rate),
    },
    network: (set, distillationWeight = 0) =>
      once(`network ${distillationWeight} ${keyOf(set)}`, async () => {
        const C = set.length;
        const data = pick(set);
        const initial = flattenNetwork(initialNetwork(C, UNITS, rate, createRandom(seed, STREAMS.candidateWeights)));
        const teach = distillationWeight > 0 ? teachers(set) : undefined;
        const options = {
          channels: C,
          timesteps: T,
          units: UNITS,
          maxBatch: BATCH,
          optimizer: "adam",
          clipNorm: 1,
          weightDecay: 0,
        } as const;
        let stepper: Stepper | undefined;
        try {
          return await acrossFolds(set, (fold) => {
            if (stepper === undefined || teach) {
              stepper?.dispose();
              stepper = createStepper({ ...data, labels: teach ? distil(y, teach(fold), distillationWeight) : y }, options);
            }
            const own = stepper;
            own.setParameters(initial);
            own.setOptimizer({ steps: 0, moments: new Float32Array(2 * initial.length) });
            const sequences = Math.min(BUDGET[1], MAX_EPOCHS * fold.train.length, Math.max(BUDGET[0], 6 * fold.train.length));
            trainShortRun(
              own,
              fold.train,
              { sequences, batch: BATCH, learningRate: LEARNING_RATE },
              createRandom(seed, STREAMS.candidateOrder),
            );
            return (wanted) => own.logits(wanted);
          });
        } finally {
          stepper?.dispose();
        }
      }),
    teacher: (set) =>
      once(`teacher ${keyOf(set)}`, () => {
        const teach = teachers(set);
        return acrossFolds(set, (fold) => {
          const logits = teach(fold);
          return (wanted) => Float64Array.from(wanted, (n) => logits[n]);
        });
      }),
    summaryMlp: (set) =>
      once(`summaryMlp ${keyOf(set)}`, () => {
        const columns = computeSummaryFeatures(pick(set), T);
        return acrossFolds(set, ({ train: own }) => {
          const sequences = SUMMARY_EPOCHS * own.length;
          const logits = fitSummaryMlp({ columns, labels: y, train: own, positiveRate: rate, sequences, seed, createStepper });
          return (wanted) => Float64Array.from(wanted, (n) => logits[n]);
        });
      }),
    isBetter: (a, b, errors) => exceedsNoise(b.losses, a.losses, gap, errors),
  };
}

/** Targets between labels and a teacher's probabilities. */
export function distil(labels: ArrayLike<number>, logits: ArrayLike<number>, distillationWeight: number): Float32Array {
  return Float32Array.from(
    { length: labels.length },
    (_, n) => (1 - distillationWeight) * labels[n] + distillationWeight / (1 + Math.exp(-logits[n])),
  );
}

/** Holds out rows `from` … `to` of `count`, and trains on the others that are at least `gap` away. */
function holdOut(from: number, to: number, count: number, gap: number): Fold {
  const all = Int32Array.from({ length: count }, (_, n) => n);
  return { held: all.subarray(from, to), train: all.filter((n) => n < from - gap || n >= to + gap) };
}

/** At most `count` of `indices`, at random, and those that are left. */
function sample(indices: Int32Array, count: number, random: Random): [Int32Array, Int32Array] {
  if (indices.length <= count) return [indices, new Int32Array(0)];
  const shuffled = indices.slice();
  random.shuffle(shuffled);
  return [shuffled.subarray(0, count), shuffled.subarray(count)];
}
