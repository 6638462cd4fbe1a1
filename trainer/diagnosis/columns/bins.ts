// Columns cut into a few bins, and the positive rate in each: what one column, or two together, tell of the label without any model.
// Legend: M sequences, B bins.
import { entropy, logLossOf } from "../../statistics/log-loss.ts";
import type { Parts } from "./fits.ts";

/** One column in bins: bin b holds values above edge b − 1 and at most edge b; the last bin is for missing values. */
export interface BinnedColumn {
  /** (M) */
  readonly bins: Uint8Array;
  readonly edges: readonly number[];
  /** B, with that of missing values */
  readonly count: number;
}

/** Cuts a column at quantiles, each edge halfway between two values; fewer bins where values are few. */
export function binColumn(values: Float64Array, maxBins: number): BinnedColumn {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const edges: number[] = [];
  for (let b = 1; b < maxBins && sorted.length > 1; b++) {
    let at = Math.min(sorted.length - 1, Math.max(1, Math.round((b * sorted.length) / maxBins)));
    while (at < sorted.length && sorted[at] === sorted[at - 1]) at++; // a bin ends where a value does
    if (at === sorted.length) break;
    const edge = sorted[at - 1] / 2 + sorted[at] / 2;
    if (edges.length === 0 || edge > edges[edges.length - 1]) edges.push(edge);
  }
  const bins = Uint8Array.from(values, (value) => {
    if (Number.isNaN(value)) return edges.length + 1;
    let bin = 0;
    while (bin < edges.length && value > edges[bin]) bin++;
    return bin;
  });
  return { bins, edges, count: edges.length + 2 };
}

/** Bins of two columns together. */
export function crossBins(a: BinnedColumn, b: BinnedColumn): Pick<BinnedColumn, "bins" | "count"> {
  return { bins: a.bins.map((bin, n) => bin * b.count + b.bins[n]), count: a.count * b.count };
}

/** Mean log loss of held-out sequences where each bin says the positive rate of its training sequences, drawn to that of all by two. */
export function binLoss({ bins, count }: Pick<BinnedColumn, "bins" | "count">, labels: Uint8Array, folds: readonly Parts[]): number {
  let [sum, seen] = [0, 0];
  for (const { train, heldOut } of folds) {
    const positives = new Float64Array(count);
    const sizes = new Float64Array(count);
    let all = 0;
    for (const n of train) {
      positives[bins[n]] += labels[n];
      sizes[bins[n]]++;
      all += labels[n];
    }
    const rate = all / train.length;
    const rates = positives.map((own, b) => (own + 2 * rate) / (sizes[b] + 2));
    for (const n of heldOut) sum += logLossOf(labels[n], rates[bins[n]]);
    seen += heldOut.length;
  }
  return sum / seen;
}

/** A two-sided table: how many sequences, and the positive rate, of each side. */
export interface Sides {
  readonly threshold: number;
  readonly below: { readonly sequences: number; readonly rate: number };
  readonly above: { readonly sequences: number; readonly rate: number };
}

const CANDIDATES = 100;

/** The threshold that tells most of the label among those at hundredths of a column; undefined where it has one value. */
export function bestThreshold(values: Float64Array, labels: Uint8Array): Sides | undefined {
  const { bins, edges } = binColumn(values, CANDIDATES);
  const sizes = new Float64Array(edges.length + 2);
  const positives = new Float64Array(edges.length + 2);
  bins.forEach((bin, n) => {
    sizes[bin]++;
    positives[bin] += labels[n];
  });
  const total = edges.map((_, b) => b).concat(edges.length);
  const [allSizes, allPositives] = [sizes, positives].map((of) => total.reduce((sum, b) => sum + of[b], 0));
  let best: { readonly loss: number; readonly sides: Sides } | undefined;
  for (let b = 0, size = 0, positive = 0; b < edges.length; b++) {
    size += sizes[b];
    positive += positives[b];
    const below = { sequences: size, rate: positive / size };
    const above = { sequences: allSizes - size, rate: (allPositives - positive) / (allSizes - size) };
    const loss = below.sequences * entropy(below.rate) + above.sequences * entropy(above.rate);
    if (best === undefined || loss < best.loss) best = { loss, sides: { threshold: edges[b], below, above } };
  }
  return best?.sides;
}
