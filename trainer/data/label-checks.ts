// How labels and sequences go together: contradictions, copies, a drift along the file, and numbers that leak the label. Facts with
// codes and figures; label-sentences.ts makes sentences of them. Knows no model.
// Legend: N sequences, T steps, F features.
import type { Padding, Shape } from "../../shared/sequence.ts";
import type { Overlap } from "../split/overlap.ts";
import { contradict, countOnes, type Labels } from "../statistics/labels.ts";
import { crossEntropy, entropy } from "../statistics/log-loss.ts";
import { findLeakingCell, rankingAuc } from "./label-leaks.ts";
import { lengthsOf, placeZeroRows } from "./sequences.ts";

export type LabelFinding =
  /** Equal sequences with labels that contradict each other. `floor`: nats below which no model's loss gets on these data. */
  | { readonly code: "contradictory-copies"; readonly count: number; readonly examples: number; readonly floor: number }
  /** One number of a sequence ranks the labels by itself. `count`: sequences in which its row is no padding. */
  | { readonly code: "leaking-cell"; readonly feature: number; readonly step: number; readonly auc: number; readonly count: number }
  /** The length of a sequence ranks the labels by itself; looked for where zero rows are padding beyond doubt. `gain`: nats that the length alone gains on the base rate. */
  | { readonly code: "leaking-length"; readonly auc: number; readonly gain: number }
  | { readonly code: "copies"; readonly count: number; readonly examples: number }
  /** Sequences share rows, as windows of one series do. */
  | { readonly code: "shared-rows"; readonly count: number; readonly examples: number }
  /** The positive rate moves along the file. `cost`: nats of validation loss where the tail is held out. */
  | {
      readonly code: "drift";
      /** The lowest and the highest positive rate of a tenth of the file. */
      readonly min: number;
      readonly max: number;
      /** Positive rates of the last `tailShare` of the file, and before it. */
      readonly head: number;
      readonly tail: number;
      readonly tailShare: number;
      readonly cost: number;
    };

/** Shares of sequences below which contradictions and copies are accidents. */
const MIN_CONTRADICTORY = 0.01;
const MIN_COPIES = 0.02;
/** A single cell with a larger AUC is no feature but the answer. */
const MIN_CELL_AUC = 0.95;
const MIN_LENGTH_AUC = 0.6;
/** Of all zero rows, the share on one side of sequences from which they are padding: the rest may be accidents. */
const MIN_ON_ONE_SIDE = 0.9;
/** χ² of the positive rate over tenths of the file, in standard deviations, and the difference of the extremes that matters. */
const DRIFT = { deviations: 5, range: 0.1 };
const TENTHS = 10;
/** Keras' validation_split takes the tail of the file; 0.2 is what its guides use. */
const TAIL = 0.2;
/** Cells are compared on so many sequences at most. */
const MAX_SEQUENCES = 10_000;

/** What `values` (N,T,F) and `labels` (N) show before anything is trained. `padding` says what all-zero rows mean; `overlap` is these values'. */
export function checkLabels(values: Float64Array, labels: Labels, shape: Shape, padding: Padding, overlap: Overlap): LabelFinding[] {
  return [
    ...findContradictoryCopies(labels, overlap),
    ...findLeaks(values, labels, shape, padding),
    ...findSharing(overlap),
    ...findDrift(labels, overlap, shape.timesteps),
  ];
}

/** Equal inputs whose labels contradict each other: no model can answer both right. Σ n_g H(ȳ_g) / N is a floor under the loss. */
function findContradictoryCopies(labels: Labels, { copy, distinct }: Overlap): LabelFinding[] {
  const N = labels.length;
  const counts = new Int32Array(distinct);
  const positives = new Float64Array(distinct);
  const lowest = new Float64Array(distinct).fill(1);
  const highest = new Float64Array(distinct);
  copy.forEach((d, n) => {
    lowest[d] = Math.min(lowest[d], labels[n]);
    highest[d] = Math.max(highest[d], labels[n]);
    counts[d]++;
    positives[d] += labels[n];
  });
  let [floor, contradictory] = [0, 0];
  for (let d = 0; d < distinct; d++) {
    if (!contradict(lowest[d], highest[d])) continue;
    contradictory += counts[d];
    floor += (counts[d] / N) * entropy(positives[d] / counts[d]);
  }
  return contradictory < MIN_CONTRADICTORY * N ? [] : [{ code: "contradictory-copies", count: contradictory, examples: N, floor }];
}

/** A cell, or the length, that ranks the labels by itself. */
function findLeaks(values: Float64Array, labels: Labels, shape: Shape, padding: Padding): LabelFinding[] {
  const N = labels.length;
  const findings: LabelFinding[] = [];
  const stride = Math.ceil(N / MAX_SEQUENCES);
  const sampled = Int32Array.from({ length: Math.ceil(N / stride) }, (_, i) => i * stride);
  const cell = findLeakingCell(values, labels, sampled, shape, padding);
  if (cell !== null && cell.auc >= MIN_CELL_AUC) findings.push({ code: "leaking-cell", ...cell });
  if (!isPaddedOnOneSide(values, shape)) return findings;
  const lengths = lengthsOf(values, shape, padding);
  const auc = rankingAuc(labels, lengths);
  if (auc >= MIN_LENGTH_AUC) findings.push({ code: "leaking-length", auc, gain: gainOfLength(lengths, labels, shape.timesteps) });
  return findings;
}

/** Padding stands on one side of sequences. Zero rows on both sides, or between other rows, may be data: then nobody knows a length. */
function isPaddedOnOneSide(values: Float64Array, shape: Shape): boolean {
  const { front, behind, inside } = placeZeroRows(values, shape);
  return Math.max(front, behind) >= MIN_ON_ONE_SIDE * (front + behind + inside);
}

/** Nats that knowing the length alone gains, less what chance would show. */
function gainOfLength(lengths: Int32Array, labels: Labels, T: number): number {
  const counts = new Int32Array(T + 1);
  const positives = new Float64Array(T + 1);
  lengths.forEach((length, n) => {
    counts[length]++;
    positives[length] += labels[n];
  });
  const N = labels.length;
  let [loss, distinctLengths, total] = [0, 0, 0];
  for (let length = 0; length <= T; length++) {
    if (counts[length] === 0) continue;
    distinctLengths++;
    total += positives[length];
    loss += (counts[length] / N) * entropy(positives[length] / counts[length]);
  }
  return Math.max(0, entropy(total / N) - loss - (distinctLengths - 1) / (2 * N));
}

function findSharing({ copy, distinct, component, components, finding }: Overlap): LabelFinding[] {
  const N = copy.length;
  const findings: LabelFinding[] = [];
  if (N - distinct >= MIN_COPIES * N) findings.push({ code: "copies", count: N - distinct, examples: N });
  if (finding !== "series") return findings;
  const sizes = new Int32Array(components);
  for (const c of component) sizes[c]++;
  const sharing = component.reduce((sum, c) => sum + (sizes[c] > 1 ? 1 : 0), 0);
  if (sharing >= MIN_COPIES * N && components < distinct) findings.push({ code: "shared-rows", count: sharing, examples: N });
  return findings;
}

/** The positive rate along the file, and what the tail's differing rate costs a model that learnt the head's. */
function findDrift(labels: Labels, { finding }: Overlap, T: number): LabelFinding[] {
  const N = labels.length;
  const rateOf = (from: number, to: number): number => countOnes(labels.subarray(from, to)) / (to - from);
  const whole = rateOf(0, N);
  const rates = Array.from({ length: TENTHS }, (_, k) => rateOf(Math.floor((k * N) / TENTHS), Math.floor(((k + 1) * N) / TENTHS)));
  let statistic = 0;
  for (const rate of rates) statistic += ((N / TENTHS) * (rate - whole) ** 2) / (whole * (1 - whole));
  if (finding === "series") statistic /= T; // neighbours' labels are not independent
  const deviations = (statistic - (TENTHS - 1)) / Math.sqrt(2 * (TENTHS - 1));
  const [min, max] = [Math.min(...rates), Math.max(...rates)];
  if (deviations < DRIFT.deviations || max - min < DRIFT.range) return [];
  const cut = Math.floor((1 - TAIL) * N);
  const [head, tail] = [rateOf(0, cut), rateOf(cut, N)];
  const clamped = Math.max(1 / N, Math.min(1 - 1 / N, head));
  const cost = crossEntropy(tail, clamped) - entropy(tail);
  return [{ code: "drift", min, max, head, tail, tailShare: TAIL, cost }];
}
