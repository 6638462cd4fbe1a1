// An MLP on summary features: a few numbers for each channel of a sequence. What counts the same wherever it happens (a
// total, a ratio of totals, how long nothing has happened) it learns from far fewer sequences than an LSTM, which must first learn
// to add; so it can teach one, and shows sooner what a channel is worth. Knows no held-out data.
// Legend: N sequences, T steps, C channels, D = C · SUMMARY_FEATURES columns.
import { createRandom } from "../statistics/random.ts";
import { STREAMS } from "../statistics/random-streams.ts";
import { flattenNetwork, initialNetwork } from "../training/parameters.ts";
import type { CreateStepper, Stepper } from "../training/stepper.ts";
import type { TeacherData } from "./logistic-teacher.ts";
import { trainShortRun } from "./short-run.ts";

/** What is left of an exponential moving average after a step. */
const DECAYS = [0.5, 0.7, 0.85];
/** Per channel: the last value, the mean, exponential moving averages, and for how many rows the value has not changed (run length). */
export const SUMMARY_FEATURES = 3 + DECAYS.length;
/** Standardised columns end here. */
const CLIP = 8;

const UNITS = 64;
const BATCH = 256;
const LEARNING_RATE = 8e-3;
const WEIGHT_DECAY = 0.1;
const CLIP_NORM = 1;

/** Sequences to see in all, to learn from so many: 40 epochs, but no more than a second or two. */
export function summaryMlpBudget(examples: number): number {
  return Math.min(40 * examples, 1_200_000);
}

/** (N,D) float32 */
export function computeSummaryFeatures({ channels, lengths }: TeacherData, T: number): Float32Array {
  const N = lengths.length;
  const C = channels.length / (N * T);
  const out = new Float32Array(N * C * SUMMARY_FEATURES);
  const averages = new Float64Array(DECAYS.length);
  for (let n = 0, at = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      let [last, sum, runLength] = [0, 0, 0];
      averages.fill(0);
      for (let t = 0; t < lengths[n]; t++) {
        const x = channels[(n * T + t) * C + c];
        runLength = t > 0 && x === last ? runLength + 1 : 0;
        last = x;
        sum += x;
        for (let m = 0; m < averages.length; m++) averages[m] = DECAYS[m] * averages[m] + (1 - DECAYS[m]) * x;
      }
      out[at++] = last;
      out[at++] = sum / Math.max(1, lengths[n]);
      out[at++] = runLength;
      for (let m = 0; m < averages.length; m++) out[at++] = averages[m];
    }
  return out;
}

export interface SummaryMlpInput {
  /** (N,D), as `computeSummaryFeatures` gives them */
  readonly columns: Float32Array;
  /** (N) */
  readonly labels: ArrayLike<number>;
  /** Which of the N it may learn from. */
  readonly train: Int32Array;
  readonly positiveRate: number;
  /** Seen in training, in all. */
  readonly sequences: number;
  readonly seed: number;
  readonly createStepper: CreateStepper;
}

/** (N) logits, of those it has learnt from too. An LSTM at its first step has no past: over sequences of one row it is an MLP. */
export function fitSummaryMlp(input: SummaryMlpInput): Float32Array {
  const { columns, labels, train, positiveRate, sequences, seed, createStepper } = input;
  const N = labels.length;
  const D = columns.length / N;
  const data = { channels: standardise(columns, D, train), lengths: new Int32Array(N).fill(1), labels };
  const stepper: Stepper = createStepper(data, {
    channels: D,
    timesteps: 1,
    units: UNITS,
    maxBatch: BATCH,
    optimizer: "adam",
    clipNorm: CLIP_NORM,
    weightDecay: WEIGHT_DECAY,
  });
  try {
    stepper.setParameters(flattenNetwork(initialNetwork(D, UNITS, positiveRate, createRandom(seed, STREAMS.summaryWeights))));
    trainShortRun(stepper, train, { sequences, batch: BATCH, learningRate: LEARNING_RATE }, createRandom(seed, STREAMS.summaryOrder));
    return stepper.logits(Int32Array.from({ length: N }, (_, n) => n));
  } finally {
    stepper.dispose();
  }
}

/** Columns (N,D) less their mean over their deviation in `train`; 0 where they do not vary there. */
function standardise(columns: Float32Array, D: number, train: Int32Array): Float32Array {
  const out = new Float32Array(columns.length);
  for (let d = 0; d < D; d++) {
    let sum = 0;
    for (const n of train) sum += columns[n * D + d];
    const mean = sum / train.length;
    let squares = 0;
    for (const n of train) squares += (columns[n * D + d] - mean) ** 2;
    const deviation = Math.sqrt(squares / train.length);
    if (deviation < 1e-6) continue; // channels are standardised: this is rounding
    for (let at = d; at < columns.length; at += D) out[at] = Math.max(-CLIP, Math.min(CLIP, (columns[at] - mean) / deviation));
  }
  return out;
}
