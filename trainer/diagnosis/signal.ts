// Is there anything to learn: a linear and a nonlinear probe, fitted and chosen on one half, tested on the other against labels
// that were moved away from their sequences. Legend: M sequences, T steps, D columns.
import { logLossOf } from "../statistics/log-loss.ts";
import { fitLogistic } from "../statistics/logistic.ts";
import { areaUnderRoc } from "../statistics/metrics.ts";
import type { Random } from "../statistics/random.ts";

export interface Signal {
  readonly isFound: boolean;
  /** Of the probe, on the half that chose nothing. */
  readonly auc: number;
  readonly probe: string;
  readonly p: number;
  readonly permutations: number;
  /** The smallest AUC that would have been found four times in five. */
  readonly smallest: number;
}

export interface Probe {
  readonly name: string;
  /** (M,D) of the tested sequences, standardised */
  readonly columns: Float32Array | Float64Array;
}

const PERMUTATIONS = 999;
/** So that "signal" is claimed in one of a hundred data sets without one. */
const LEVEL = 0.01;
/** Standard normal: one-sided 1 %, and a power of 80 %. */
const Z = 2.326 + 0.842;
/** On standardised columns. */
const PENALTIES = [3, 30, 300];
/** N·D² of one Newton step. */
const MAX_WORK = 3e8;

/**
 * Whether a probe ranks labels better than chance. The half before `gap` positions in the middle fits and chooses; the other is scored
 * once, and its labels are moved 999 times: shuffled, or by circular shifts of more than `gap` where neighbours share rows. Throws
 * RangeError without a probe.
 */
export function findSignal(probes: readonly Probe[], labels: Uint8Array, gap: number, random: Random): Signal {
  const M = labels.length;
  const half = M >> 1;
  const { name, columns, l2 } = chooseProbe(probes, labels, half, gap);
  const D = columns.length / M;
  const start = Math.max(0, half - maxRows(300, D));
  const { predict } = fitLogistic(columns.subarray(start * D, half * D), labels.subarray(start, half), { l2 });
  const scores = predict(columns.subarray((half + gap) * D));
  const tested = labels.slice(half + gap);
  const { atLeast, deviation } = permute(scores, tested, gap, random);
  const p = (atLeast + 1) / (PERMUTATIONS + 1);
  return {
    isFound: p <= LEVEL,
    auc: areaUnderRoc(tested, scores) ?? 0.5,
    probe: name,
    p,
    permutations: PERMUTATIONS,
    smallest: Math.min(1, 0.5 + Z * deviation),
  };
}

/** Rows of D columns that one fit may take, at least `min`. */
function maxRows(min: number, D: number): number {
  return Math.max(min, Math.floor(MAX_WORK / (D * D)));
}

/** The probe and penalty with the lowest loss on the last third of the first `half`, fitted on the rest of that half. */
function chooseProbe(probes: readonly Probe[], labels: Uint8Array, half: number, gap: number): Probe & { readonly l2: number } {
  const cut = Math.floor((2 * half) / 3);
  let best: { readonly probe: Probe; readonly l2: number; readonly loss: number } | undefined;
  for (const probe of probes) {
    const start = Math.max(0, cut - maxRows(200, probe.columns.length / labels.length));
    for (const l2 of PENALTIES) {
      const loss = lossOf(probe.columns, labels, [start, cut], [cut + gap, half], l2);
      if (best === undefined || loss < best.loss) best = { probe, l2, loss };
    }
  }
  if (best === undefined) throw new RangeError("a signal test needs a probe");
  return { ...best.probe, l2: best.l2 };
}

/** Sum of the log losses at [from, to) after a fit at [start, cut); infinite where that part has one label only. */
function lossOf(
  columns: Probe["columns"],
  labels: Uint8Array,
  [start, cut]: readonly [number, number],
  [from, to]: readonly [number, number],
  l2: number,
): number {
  const D = columns.length / labels.length;
  const fitted = labels.subarray(start, cut);
  if (fitted.every((label) => label === fitted[0])) return Number.POSITIVE_INFINITY;
  const p = fitLogistic(columns.subarray(start * D, cut * D), fitted, { l2 }).predict(columns.subarray(from * D, to * D));
  return p.reduce((sum, q, i) => sum + logLossOf(labels[from + i], q), 0);
}

/** How often moved labels fit the scores as well as the true ones, and the standard deviation of their AUC. */
function permute(scores: Float64Array, labels: Uint8Array, gap: number, random: Random): { atLeast: number; deviation: number } {
  const M = labels.length;
  const ranks = rank(scores);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const pairs = positives * (M - positives);
  const aucOf = (labelAt: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < M; i++) if (labelAt(i) === 1) sum += ranks[i];
    return (sum - (positives * (positives + 1)) / 2) / pairs;
  };
  const observed = aucOf((i) => labels[i]);
  const order = Int32Array.from({ length: M }, (_, i) => i);
  let [atLeast, squares] = [0, 0];
  for (let k = 0; k < PERMUTATIONS; k++) {
    let auc: number;
    if (gap > 0) {
      const shift = gap + 1 + random.integer(Math.max(1, M - 2 * gap - 1));
      auc = aucOf((i) => labels[(i + shift) % M]);
    } else {
      random.shuffle(order);
      auc = aucOf((i) => labels[order[i]]);
    }
    if (auc >= observed) atLeast++;
    squares += (auc - 0.5) ** 2;
  }
  return { atLeast, deviation: Math.sqrt(squares / PERMUTATIONS) };
}

/** (M) from 1, equal scores share their mean rank. */
function rank(scores: Float64Array): Float64Array {
  const order = Int32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
  const ranks = new Float64Array(scores.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && scores[order[j]] === scores[order[i]]) j++;
    for (let k = i; k < j; k++) ranks[order[k]] = (i + j + 1) / 2;
    i = j;
  }
  return ranks;
}
