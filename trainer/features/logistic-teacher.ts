// A simple model that can teach the network. What is nearly linear in the right channels is learnt by a logistic regression from
// far fewer sequences than by an LSTM; trained on that model's probabilities instead of on noisy labels, the LSTM inherits what
// it knows (knowledge distillation: Hinton, Vinyals & Dean 2015). Whether it pays is decided on held-out data.
// Legend: N sequences, T steps, C channels, D columns.
import { FitError } from "../../shared/errors.ts";
import { take } from "../data/sequences.ts";
import { logitOf, logLossOf, logLossOfLogit } from "../statistics/log-loss.ts";
import { fitLogistic, type Logistic } from "../statistics/logistic.ts";
import { type Coefficients, type FitColumns, fitPenalised, logitsAt, prepareColumns } from "../statistics/penalised-logistic.ts";
import { BLOCKS, blocksOf } from "./score-test.ts";

/** Sizes, and products of all pairs, are taken up to this many channels; beyond, there would be too many columns. */
const MAX_RICH = 4;
/** Up to this many channels every step is a column; beyond, the last step and the mean of all stand for a channel. */
const MAX_BY_STEP = 20;
/** Numbers that one fit reads again and again, at most; sequences beyond are not looked at. */
const MAX_NUMBERS = 8_000_000;
/** Enough to choose a penalty. */
const MAX_FOR_PENALTY = 20_000;
/** Penalties tried, on the summed log loss of columns of about unit size, the strongest first: each fit starts where the one before ended. */
const PENALTIES = [300, 30, 3];

export interface TeacherData {
  /** (N,T,C) left-aligned */
  readonly channels: Float32Array;
  readonly lengths: Int32Array;
}

/**
 * (N,D): every step of every channel, its size, products of pairs of channels at each step, means of the last 3, 5, and all steps.
 * The more channels, the less of each: first without sizes and products, then the last step and the mean alone.
 */
export function teacherColumns(data: TeacherData, T: number): Float64Array {
  const { lengths } = data;
  const N = lengths.length;
  const C = data.channels.length / (N * T);
  if (C > MAX_BY_STEP) return lastAndMean(data, T);
  const blocks = Array.from({ length: C }, (_, c) => blocksOf(data, T, c));
  const isRich = C <= MAX_RICH;
  const pairs = !isRich ? [] : blocks.flatMap((_, a) => blocks.slice(a + 1).map((_, b) => [a, a + 1 + b] as const));
  const D = C * ((isRich ? 2 : 1) * BLOCKS + SPANS.length) + pairs.length * BLOCKS;
  const out = new Float64Array(N * D);
  for (let n = 0; n < N; n++) {
    let at = n * D;
    for (const block of blocks) {
      for (let j = 0; j < BLOCKS; j++) {
        const x = block[n * BLOCKS + j];
        out[at++] = x;
        if (isRich) out[at++] = Math.abs(x);
      }
      for (const span of SPANS) {
        let sum = 0;
        const count = Math.min(span, lengths[n], BLOCKS);
        for (let j = 0; j < count; j++) sum += block[n * BLOCKS + j];
        out[at++] = count === 0 ? 0 : sum / count;
      }
    }
    for (const [a, b] of pairs) for (let j = 0; j < BLOCKS; j++) out[at++] = blocks[a][n * BLOCKS + j] * blocks[b][n * BLOCKS + j];
  }
  return out;
}

const SPANS = [3, 5, BLOCKS];

/** (N,2C) of channels (N,T,C): the last step of every channel, and its mean over all steps; 0 for a sequence without a step. */
export function lastAndMean({ channels, lengths }: TeacherData, T: number): Float64Array {
  const N = lengths.length;
  const C = channels.length / (N * T);
  const out = new Float64Array(N * 2 * C);
  for (let n = 0; n < N; n++)
    for (let t = 0; t < lengths[n]; t++)
      for (let c = 0; c < C; c++) {
        const x = channels[(n * T + t) * C + c];
        if (t === lengths[n] - 1) out[(n * C + c) * 2] = x;
        out[(n * C + c) * 2 + 1] += x / lengths[n];
      }
  return out;
}

/** How a teacher is found: a few cheap steps, or Newton's to the last bit, as the first versions did. */
export type TeacherSolver = "few steps" | "Newton";

/** Learns from the sequences `train`; (N) logits of all. Throws FitError where `train` lacks a class. */
export type Teach = (train: Int32Array) => Float32Array | Float64Array;

/**
 * A logistic regression on columns (N,D) and `labels` (N): the penalty is chosen on a third of the sequences that it then learns from
 * too. What the sequences share is prepared once, however often it is taught.
 */
export function prepareTeacher(columns: Float64Array, labels: ArrayLike<number>, solver: TeacherSolver): Teach {
  if (solver === "Newton") return (train) => fitByNewton(columns, labels, train);
  const shared = prepareColumns(labels.length, columns.length / labels.length, (x) => x.set(columns));
  return (train) => fitInFewSteps(shared, labels, train);
}

function fitInFewSteps(columns: FitColumns, labels: ArrayLike<number>, train: Int32Array): Float32Array {
  const rows = train.subarray(0, Math.max(1, Math.floor(MAX_NUMBERS / columns.width)));
  if (!hasBothClasses(labels, rows)) throw new FitError(`logistic regression needs both labels among its ${rows.length} examples`);
  const l2 = choosePenalty(columns, labels, rows.subarray(0, MAX_FOR_PENALTY));
  return logitsOf(columns, fitPenalised(columns, labels, rows, l2 / rows.length), labels.length);
}

/** The penalty that does best on the last third of `rows`; the strongest where the others lack a class. */
function choosePenalty(columns: FitColumns, labels: ArrayLike<number>, rows: Int32Array): number {
  const cut = Math.floor((2 * rows.length) / 3);
  const [learnt, judged] = [rows.subarray(0, cut), rows.subarray(cut)];
  if (!hasBothClasses(labels, learnt)) return PENALTIES[0];
  let best = { l2: PENALTIES[0], loss: Number.POSITIVE_INFINITY };
  let at: Coefficients | undefined;
  for (const l2 of PENALTIES) {
    at = fitPenalised(columns, labels, learnt, l2 / cut, at);
    const loss = logitsAt(columns, at, judged).reduce((sum, logit, i) => sum + logLossOfLogit(labels[judged[i]], logit), 0);
    if (loss < best.loss) best = { l2, loss };
  }
  return best.l2;
}

function hasBothClasses(labels: ArrayLike<number>, rows: Int32Array): boolean {
  return rows.some((n) => labels[n] > 0) && rows.some((n) => labels[n] < 1);
}

function logitsOf(columns: FitColumns, at: Coefficients, N: number): Float32Array {
  return Float32Array.from(
    logitsAt(
      columns,
      at,
      Int32Array.from({ length: N }, (_, n) => n),
    ),
  );
}

/** N·D² of one Newton step, about a second; more sequences than that allows are not looked at. */
const MAX_WORK = 1e9;

function fitByNewton(columns: Float64Array, labels: ArrayLike<number>, train: Int32Array): Float64Array {
  const D = columns.length / labels.length;
  const x = take(columns, train, D);
  const N = Math.min(train.length, Math.floor(MAX_WORK / (D * D)));
  const learn = (from: number, to: number, l2: number): Logistic =>
    fitLogistic(
      x.subarray(from * D, to * D),
      Float64Array.from({ length: to - from }, (_, i) => labels[train[from + i]]),
      { l2 },
    );
  const end = Math.min(N, MAX_FOR_PENALTY);
  const cut = Math.floor((2 * end) / 3);
  const scored = [...PENALTIES].reverse().map((l2) => {
    let loss = 0;
    learn(0, cut, l2)
      .predict(x.subarray(cut * D, end * D))
      .forEach((p, i) => {
        loss += logLossOf(labels[train[cut + i]], p);
      });
    return { l2, loss };
  });
  const { l2 } = scored.reduce((best, next) => (next.loss < best.loss ? next : best));
  return learn(0, N, l2).predict(columns).map(logitOf);
}
