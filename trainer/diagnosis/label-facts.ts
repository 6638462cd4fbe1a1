// Facts about how labels and sequences go together: conflicts, copies, a drift along the file, and what gives the label away.
// Legend: N sequences, T steps, F features.
import type { Padding, Shape } from "../../shared/sequence.ts";
import { findLeakingCell, rankingAuc } from "../data/label-leaks.ts";
import { lengthsOf } from "../data/sequences.ts";
import { percent } from "../html/format.ts";
import type { Overlap } from "../split/overlap.ts";
import { entropy } from "../statistics/metrics.ts";
import type { Cause } from "./diagnose.ts";

/** A cause from data alone; `gain` is what it is worth in nats. `holds`: it keeps the loss, or what one believes of it, where it is. */
export type LabelFact = Cause & { readonly gain: number; readonly holds: boolean };

/** Shares of sequences below which conflicts and copies are accidents. */
const CONFLICTS = 0.01;
const COPIES = 0.02;
/** A single cell with a larger AUC is no feature but the answer. */
const TELLING_CELL = 0.95;
/** The length alone: said from the one on, top from the other. */
const TELLING_LENGTH = 0.6;
/** χ² of the positive rate over tenths of the file, in standard deviations, and the difference of the extremes that matters. */
const DRIFT = { deviations: 5, range: 0.1 };
const TENTHS = 10;
/** Keras' validation_split takes the tail of the file; 0.2 is what its guides use. */
const TAIL = 0.2;
/** Cells are compared on so many sequences at most. */
const MAX_CELLS = 10_000;

export function studyLabels(
  values: Float64Array,
  labels: Uint8Array,
  shape: Shape,
  names: readonly string[],
  reading: Padding,
  overlap: Overlap,
): LabelFact[] {
  return [
    ...findConflicts(labels, overlap),
    ...findGivenAway(values, labels, shape, names, reading),
    ...findSharing(overlap),
    ...findDrift(labels, overlap, shape.timesteps),
  ];
}

/** Equal inputs with different labels: no network can answer both right. Σ n_g H(ȳ_g) / N is a floor under the loss. */
function findConflicts(labels: Uint8Array, { copy, distinct }: Overlap): LabelFact[] {
  const N = labels.length;
  const counts = new Int32Array(distinct);
  const positives = new Int32Array(distinct);
  copy.forEach((d, n) => {
    counts[d]++;
    positives[d] += labels[n];
  });
  let [floor, conflicting] = [0, 0];
  for (let d = 0; d < distinct; d++) {
    if (positives[d] === 0 || positives[d] === counts[d]) continue;
    conflicting += counts[d];
    floor += (counts[d] / N) * entropy([positives[d] / counts[d]]);
  }
  if (conflicting < CONFLICTS * N) return [];
  return [
    {
      code: "label-conflict",
      certainty: "fact",
      holds: true,
      gain: floor,
      evidence: `${conflicting} of ${N} sequences (${percent(conflicting / N)}) have an exact copy with the other label: no model gets below ${floor.toFixed(4)} nats on this file`,
      remedy: "find out which of the labels is right, or keep one of each copy with the mean of its labels",
    },
  ];
}

function findSharing({ copy, distinct, component, components, finding }: Overlap): LabelFact[] {
  const N = copy.length;
  const facts: LabelFact[] = [];
  if (N - distinct >= COPIES * N)
    facts.push({
      code: "leak",
      certainty: "fact",
      holds: false,
      gain: 0,
      evidence: `${N - distinct} of ${N} sequences are exact copies of others: a random split puts a sequence and its copy on both sides, and the validation loss flatters`,
      remedy: "drop the copies before splitting: np.unique(X, axis=0)",
    });
  if (finding === "series") {
    const sizes = new Int32Array(components);
    for (const c of component) sizes[c]++;
    const sharing = component.reduce((sum, c) => sum + (sizes[c] > 1 ? 1 : 0), 0);
    if (sharing >= COPIES * N && components < distinct)
      facts.push({
        code: "leak",
        certainty: "fact",
        holds: false,
        gain: 0,
        evidence: `${sharing} of ${N} sequences share rows with others, as windows of one series do: a random split trains on rows it is tested on`,
        remedy: "split by time with a gap of a sequence's length (train does)",
      });
  }
  return facts;
}

/** The positive rate along the file, and what the tail's differing rate costs a model that learnt the head's. */
function findDrift(labels: Uint8Array, { finding }: Overlap, T: number): LabelFact[] {
  const N = labels.length;
  const rateOf = (from: number, to: number): number => labels.subarray(from, to).reduce((sum, label) => sum + label, 0) / (to - from);
  const whole = rateOf(0, N);
  const rates = Array.from({ length: TENTHS }, (_, k) => rateOf(Math.floor((k * N) / TENTHS), Math.floor(((k + 1) * N) / TENTHS)));
  let statistic = 0;
  for (const rate of rates) statistic += ((N / TENTHS) * (rate - whole) ** 2) / (whole * (1 - whole));
  if (finding === "series") statistic /= T; // neighbours' labels are not independent
  const deviations = (statistic - (TENTHS - 1)) / Math.sqrt(2 * (TENTHS - 1));
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  if (deviations < DRIFT.deviations || high - low < DRIFT.range) return [];
  const cut = Math.floor((1 - TAIL) * N);
  const [head, tail] = [rateOf(0, cut), rateOf(cut, N)];
  const held = Math.max(1 / N, Math.min(1 - 1 / N, head));
  const cost = -tail * Math.log(held) - (1 - tail) * Math.log(1 - held) - entropy([tail]);
  return [
    {
      code: "drift-in-file",
      certainty: "fact",
      holds: true,
      gain: cost,
      evidence: `the share of 1s runs from ${percent(low)} to ${percent(high)} over tenths of the file; validation_split=${TAIL} holds out the tail (${percent(tail)} against ${percent(head)} before it), which alone costs ${cost.toFixed(4)} nats of validation loss`,
      remedy: "shuffle before splitting if the order means nothing, else hold out the latest and expect the rate to move on",
    },
  ];
}

/** A cell, or the length, that tells the label by itself. */
function findGivenAway(values: Float64Array, labels: Uint8Array, shape: Shape, names: readonly string[], reading: Padding): LabelFact[] {
  const N = labels.length;
  const facts: LabelFact[] = [];
  const stride = Math.ceil(N / MAX_CELLS);
  const some = Int32Array.from({ length: Math.ceil(N / stride) }, (_, i) => i * stride);
  const cell = findLeakingCell(values, labels, some, shape, reading);
  if (cell !== null && cell.auc >= TELLING_CELL)
    facts.push({
      code: "leak",
      certainty: "fact",
      holds: true,
      gain: Number.POSITIVE_INFINITY,
      evidence: `${names[cell.feature]} at step ${cell.step} alone tells the label with AUC ${cell.auc.toFixed(3)} (${cell.count} sequences)`,
      remedy: `ask whether ${names[cell.feature]} is known when the answer is needed; if it holds the answer, leave it out`,
    });
  const lengths = lengthsOf(values, shape, reading);
  const auc = rankingAuc(labels, lengths);
  if (auc >= TELLING_LENGTH)
    facts.push({
      code: "leak",
      certainty: "fact",
      holds: true,
      gain: gainOfLength(lengths, labels, shape.timesteps),
      evidence: `the length of a sequence alone tells its label with AUC ${auc.toFixed(3)}`,
      remedy: "make sure that the length is known when the answer is needed, and is not a trace of how the data were cut",
    });
  return facts;
}

/** Nats that knowing the length alone gains, less what chance would show. */
function gainOfLength(lengths: Int32Array, labels: Uint8Array, T: number): number {
  const counts = new Int32Array(T + 1);
  const positives = new Int32Array(T + 1);
  lengths.forEach((length, n) => {
    counts[length]++;
    positives[length] += labels[n];
  });
  const N = labels.length;
  let [loss, kinds, total] = [0, 0, 0];
  for (let length = 0; length <= T; length++) {
    if (counts[length] === 0) continue;
    kinds++;
    total += positives[length];
    loss += (counts[length] / N) * entropy([positives[length] / counts[length]]);
  }
  return Math.max(0, entropy([total / N]) - loss - (kinds - 1) / (2 * N));
}
