// Why trees or a linear model say more than a network: what of the columns tells the label. Facts alone; sentences.ts says them.
// Legend: M sequences, V columns.
import type { Column } from "../../../shared/recipe/tabular.ts";
import { LEAF, MISSING_LEFT, type TreeEnsemble } from "../../../shared/trees.ts";
import { entropy } from "../../statistics/log-loss.ts";
import { type BinnedColumn, bestThreshold, binColumn, binLoss, crossBins, type Sides } from "./bins.ts";
import type { FitsInput } from "./fits.ts";

/** A stretch of values with its positive rate; without `from` or `to`, everything below or above. */
export interface Stretch {
  readonly from?: number;
  readonly to?: number;
  readonly rate: number;
}

/** Columns are positions in the table. */
export type Reason =
  | ({ readonly kind: "threshold"; readonly column: number } & Sides)
  /** The rate neither rises nor falls along the column. `cycle`: what whole numbers in that range usually are. */
  | {
      readonly kind: "values";
      readonly column: number;
      readonly isWhole: boolean;
      readonly cycle?: string;
      readonly high: readonly Stretch[];
      readonly rest: number;
    }
  /** Two columns that say together what neither says alone; rates [a below, a above][b below, b above]. */
  | {
      readonly kind: "interaction";
      readonly a: number;
      readonly b: number;
      readonly thresholds: readonly [number, number];
      readonly rates: readonly [readonly [number, number], readonly [number, number]];
    }
  | { readonly kind: "linear"; readonly columns: readonly number[]; readonly rises: readonly boolean[] }
  | { readonly kind: "many"; readonly columns: readonly number[] };

/** Bins of a column alone, and of each of two. */
const BINS = 32;
const PAIR_BINS = 6;
/** Of columns that tell as much as this share of the most, the simplest is taken. */
const AS_GOOD = 0.95;
/** Columns of the trees among which pairs are looked for. */
export const MAX_PAIRED = 20;
/** The share of what a column tells that one threshold must tell to be the reason. */
const BY_THRESHOLD = 0.75;
/** Two columns must tell so many times what they tell one by one to be an interaction. */
const TOGETHER = 1.3;
/** Rows that go down the trees to see what each column is worth there. */
const MAX_WALKED = 2000;

/** (V) what the trees' splits of each column set apart: Σ n₁n₂/n · (difference of the mean leaves)², on some rows. */
export function weighSplits(ensemble: TreeEnsemble, { columns, columnNames: { length: V }, lengths }: FitsInput["view"]): Float64Array {
  const { edgeStart, edges, column, edge, next, leaves, roots } = ensemble;
  const weights = new Float64Array(V);
  const stride = Math.max(1, Math.ceil(lengths.length / MAX_WALKED));
  const all = Array.from({ length: Math.ceil(lengths.length / stride) }, (_, i) => i * stride);
  const walk = (node: number, rows: readonly number[]): number => {
    const v = column[node];
    if (v === LEAF) return leaves[next[node]];
    const threshold = edges[edgeStart[v] + (edge[node] & ~MISSING_LEFT)];
    const isLeft = (n: number): boolean => {
      const value = columns[n * V + v];
      return Number.isNaN(value) ? (edge[node] & MISSING_LEFT) !== 0 : value <= threshold;
    };
    const [left, right] = [rows.filter(isLeft), rows.filter((n) => !isLeft(n))];
    if (left.length === 0) return walk(next[node], right);
    if (right.length === 0) return walk(node + 1, left);
    const [a, b] = [walk(node + 1, left), walk(next[node], right)];
    weights[v] += ((left.length * right.length) / rows.length) * (a - b) ** 2;
    return (a * left.length + b * right.length) / rows.length;
  };
  for (const root of roots) walk(root, all);
  return weights;
}

/** Columns of a table in the order of some weights, the heaviest first, without those of no weight. */
export function rankColumns(weights: Float64Array): number[] {
  return [...weights.keys()].filter((v) => weights[v] > 0).sort((a, b) => weights[b] - weights[a] || a - b);
}

/** The column that tells most alone, and the two that tell most together, by bins. */
export interface Tellers {
  /** Those that were looked at, in their order. */
  readonly ranked: readonly number[];
  readonly one: number;
  readonly pair: readonly [number, number] | undefined;
  /** Nats below the base rate: of a column alone, and of the pair. */
  gainOf(column: number): number;
  readonly pairGain: number;
}

/** `ranked` are the columns that trees use, the most first; `baseRateLoss` that of the held-out sequences. */
export function findTellers(
  { view, labels, folds }: FitsInput,
  columns: readonly Column[],
  ranked: readonly number[],
  baseRateLoss: number,
): Tellers {
  const known = new Map<number, number>();
  const gainOf = (v: number): number => {
    const gain = known.get(v) ?? baseRateLoss - binLoss(binColumn(valuesOf(view, v), BINS), labels, folds);
    known.set(v, gain);
    return gain;
  };
  const most = Math.max(...ranked.map(gainOf));
  const [one] = ranked
    .filter((v) => gainOf(v) >= Math.min(most, AS_GOOD * most))
    .sort((a, b) => complexityOf(columns[a]) - complexityOf(columns[b]));
  const paired = ranked.slice(0, MAX_PAIRED).map((v) => ({ v, binned: binColumn(valuesOf(view, v), PAIR_BINS) }));
  let best: { readonly pair: readonly [number, number]; readonly gain: number } | undefined;
  for (const [i, a] of paired.entries())
    for (const b of paired.slice(i + 1)) {
      const gain = baseRateLoss - binLoss(crossBins(a.binned, b.binned), labels, folds);
      if (best === undefined || gain > best.gain) best = { pair: [a.v, b.v], gain };
    }
  return { ranked, one, pair: best?.pair, gainOf, pairGain: best?.gain ?? 0 };
}

/** The last row first, then other rows, then what takes several. */
function complexityOf(column: Column): number {
  switch (column.kind) {
    case "length":
      return 0;
    case "level":
      return column.part;
    case "difference":
      return 100 + column.part;
    case "statistic":
    case "quantile":
      return 200;
  }
}

/** What one column tells that is nearly all. */
export function reasonOfOne({ view, labels, folds }: FitsInput, column: number, gain: number, baseRateLoss: number): Reason {
  const values = valuesOf(view, column);
  const sides = bestThreshold(values, labels);
  if (sides) {
    const { threshold } = sides;
    const bins = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 2 : value <= threshold ? 0 : 1));
    if (baseRateLoss - binLoss({ bins, count: 3 }, labels, folds) >= BY_THRESHOLD * gain) return { kind: "threshold", column, ...sides };
  }
  return { kind: "values", column, ...nameCycle(values), ...findStretches(binColumn(values, BINS), labels) };
}

/** What two columns tell that is nearly all. */
export function reasonOfTwo({ view, labels }: FitsInput, { pair, gainOf, pairGain }: Tellers): Reason | undefined {
  if (pair === undefined || pairGain < TOGETHER * Math.max(0, gainOf(pair[0]) + gainOf(pair[1]))) return undefined;
  const [a, b] = pair;
  const [x, y] = pair.map((v) => binColumn(valuesOf(view, v), BINS));
  let best: { readonly loss: number; readonly reason: Reason } | undefined;
  for (const i of x.edges.keys())
    for (const j of y.edges.keys()) {
      const table = [0, 0, 0, 0, 0, 0, 0, 0]; // sizes, then positives, of four quadrants
      for (let n = 0; n < labels.length; n++) {
        const quadrant = 2 * Number(x.bins[n] > i) + Number(y.bins[n] > j);
        table[quadrant]++;
        table[4 + quadrant] += labels[n];
      }
      const rates = [0, 1, 2, 3].map((q) => (table[q] === 0 ? 0.5 : table[4 + q] / table[q]));
      const loss = rates.reduce((sum, rate, q) => sum + table[q] * entropy(rate), 0);
      if (best !== undefined && loss >= best.loss) continue;
      const thresholds = [x.edges[i], y.edges[j]] as const;
      best = {
        loss,
        reason: {
          kind: "interaction",
          a,
          b,
          thresholds,
          rates: [
            [rates[0], rates[1]],
            [rates[2], rates[3]],
          ],
        },
      };
    }
  return best?.reason;
}

/** (M) of column `v`. */
export function valuesOf({ columns, columnNames: { length: V }, lengths }: FitsInput["view"], v: number): Float64Array {
  return Float64Array.from(lengths, (_, n) => columns[n * V + v]);
}

/** What whole numbers from the lowest to the highest usually count. */
const CYCLES: Readonly<Record<string, string>> = {
  "0 23": "an hour of the day",
  "1 24": "an hour of the day",
  "0 6": "a day of the week",
  "1 7": "a day of the week",
  "0 11": "a month",
  "1 12": "a month",
  "1 31": "a day of the month",
  "0 59": "a minute or a second",
};

function nameCycle(values: Float64Array): { readonly isWhole: boolean; readonly cycle?: string } {
  const numbers = [...new Set(values.filter((value) => !Number.isNaN(value)))];
  if (!numbers.every(Number.isInteger)) return { isWhole: false };
  const cycle = CYCLES[`${numbers.reduce((a, b) => Math.min(a, b))} ${numbers.reduce((a, b) => Math.max(a, b))}`];
  return { isWhole: true, ...(cycle !== undefined && { cycle }) };
}

/** Stretches of bins whose rate is above that of all, and the rate of the rest. */
function findStretches({ bins, edges }: BinnedColumn, labels: Uint8Array): { readonly high: readonly Stretch[]; readonly rest: number } {
  const sizes = new Float64Array(edges.length + 2);
  const positives = new Float64Array(edges.length + 2);
  bins.forEach((bin, n) => {
    sizes[bin]++;
    positives[bin] += labels[n];
  });
  const overall = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const isHigh = (b: number): boolean => positives[b] > overall * sizes[b];
  const high: Stretch[] = [];
  let [restSize, restPositive] = [0, 0];
  for (let b = 0; b <= edges.length; b++) {
    if (!isHigh(b)) {
      restSize += sizes[b];
      restPositive += positives[b];
      continue;
    }
    let [size, positive, end] = [0, 0, b];
    for (; end <= edges.length && isHigh(end); end++) {
      size += sizes[end];
      positive += positives[end];
    }
    high.push({ ...(b > 0 && { from: edges[b - 1] }), ...(end <= edges.length && { to: edges[end - 1] }), rate: positive / size });
    b = end - 1;
  }
  return { high, rest: restSize === 0 ? overall : restPositive / restSize };
}
