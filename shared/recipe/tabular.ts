// The tabular view as data: numbers of a sequence side by side, as trees and linear models take them. Planned and fitted by the
// trainer, computed by the same function on both sides (columns.ts).
// Legend: T steps, L valid rows, S series, P parts, V columns.
import { type Channel, describeChannel } from "./channel.ts";

/** Columns of a whole view. */
export const MAX_COLUMNS = 1000;
/** Steps of a view; longer sequences are averaged into so many. */
export const MAX_PARTS = 24;
/** Intervals are halved so often at most. */
export const MAX_DEPTH = 3;

/** Columns of one kind. A series has its columns of a block side by side, and blocks follow each other. */
export type Block =
  /** One column: L. */
  | { readonly kind: "length" }
  /** 2P − 1 columns a series: the parts' means from the last to the first, and the changes from the part before, likewise. */
  | { readonly kind: "steps"; readonly series: readonly number[] }
  /** One column a series for each of STATISTICS, over all valid rows. */
  | { readonly kind: "statistics"; readonly series: readonly number[] }
  /** One column a series, of those that are the same in all rows: the last part's mean. */
  | { readonly kind: "constants"; readonly series: readonly number[] }
  /**
   * A few quantiles of each dyadic interval of the parts, then of their changes (Dempster, Schmidt & Webb 2024, QUANT): intervals are
   * halved `depth` times, those of one part are left out.
   */
  | { readonly kind: "quantiles"; readonly series: readonly number[]; readonly depth: number };

export interface TabularView {
  /** (S) one number a step each */
  readonly series: readonly Channel[];
  /** (S,3) as Recipe.floor */
  readonly floor: Float64Array;
  /** (S) over the training part's valid rows: what a series is set to where it is left out of an explanation. */
  readonly mean: Float64Array;
  /** Rows of a part. Parts are aligned at the end, so the first may have fewer; 1 where a part is a row. */
  readonly width: number;
  /** P = ⌈T / width⌉ */
  readonly parts: number;
  readonly blocks: readonly Block[];
  /** (V) which columns of the blocks are the view's, ascending. Left out: all. */
  readonly keep?: Uint16Array;
}

/** What is planned of a view; the rest is fitted. */
export type TabularPlan = Pick<TabularView, "series" | "width" | "parts" | "blocks">;

/** Over a series' defined values x at rows t. `slope` is that of least squares; `change` is the mean of |x − the x before|. */
export const STATISTICS = ["mean", "deviation", "min", "max", "lastMinusFirst", "slope", "change"] as const;
export type Statistic = (typeof STATISTICS)[number];

/** A stretch of parts, or of changes, counted from the end: `from` ≤ place < `to`; and how many quantiles are taken of it. */
export interface Interval {
  readonly of: "values" | "changes";
  readonly from: number;
  readonly to: number;
  /** 1: the median. More: evenly from the minimum to the maximum. */
  readonly count: number;
}

/** One column of a view. */
export type Column =
  | { readonly kind: "length" }
  | { readonly kind: "level"; readonly series: number; readonly part: number; readonly isConstant?: true }
  | { readonly kind: "difference"; readonly series: number; readonly part: number }
  | { readonly kind: "statistic"; readonly series: number; readonly statistic: Statistic }
  | { readonly kind: "quantile"; readonly series: number; readonly interval: Interval; readonly place: number };

/** The intervals of a quantile block, in the order of its columns. */
export function intervalsOf(parts: number, depth: number): Interval[] {
  return (["values", "changes"] as const).flatMap((of) => {
    const size = of === "values" ? parts : parts - 1;
    const intervals: Interval[] = [];
    for (let pieces = 1; pieces <= 1 << depth && size >= 2 * pieces; pieces *= 2)
      for (let i = 0; i < pieces; i++) {
        const from = Math.floor((i * size) / pieces);
        const to = Math.floor(((i + 1) * size) / pieces);
        intervals.push({ of, from, to, count: 1 + Math.floor((to - from - 1) / 4) });
      }
    return intervals;
  });
}

/** How many columns a block has. */
export function columnCount(block: Block, parts: number): number {
  switch (block.kind) {
    case "length":
      return 1;
    case "steps":
      return block.series.length * (2 * parts - 1);
    case "statistics":
      return block.series.length * STATISTICS.length;
    case "constants":
      return block.series.length;
    case "quantiles":
      return block.series.length * intervalsOf(parts, block.depth).reduce((sum, { count }) => sum + count, 0);
  }
}

/** (V) The columns of a view, in order. */
export function columnsOf({ blocks, parts, keep }: Pick<TabularView, "blocks" | "parts" | "keep">): Column[] {
  const all = blocks.flatMap((block) => columnsOfBlock(block, parts));
  return keep === undefined ? all : Array.from(keep, (column) => all[column]);
}

function columnsOfBlock(block: Block, parts: number): Column[] {
  switch (block.kind) {
    case "length":
      return [block];
    case "steps":
      return block.series.flatMap((series) => [
        ...Array.from({ length: parts }, (_, part) => ({ kind: "level", series, part }) as const),
        ...Array.from({ length: parts - 1 }, (_, part) => ({ kind: "difference", series, part }) as const),
      ]);
    case "statistics":
      return block.series.flatMap((series) => STATISTICS.map((statistic) => ({ kind: "statistic", series, statistic }) as const));
    case "constants":
      return block.series.map((series) => ({ kind: "level", series, part: 0, isConstant: true }) as const);
    case "quantiles": {
      const intervals = intervalsOf(parts, block.depth);
      return block.series.flatMap((series) =>
        intervals.flatMap((interval) =>
          Array.from({ length: interval.count }, (_, place) => ({ kind: "quantile", series, interval, place }) as const),
        ),
      );
    }
  }
}

/** Column `v` as people read it: `close, 3 rows before the last`; `features` (F) names. */
export function describeColumn(
  view: Pick<TabularView, "series" | "blocks" | "parts" | "width" | "keep">,
  v: number,
  features: readonly string[],
): string {
  return nameColumn(columnsOf(view)[v], view, features);
}

/** (V) What to call the columns. */
export function describeColumns(
  view: Pick<TabularView, "series" | "blocks" | "parts" | "width" | "keep">,
  features: readonly string[],
): string[] {
  return columnsOf(view).map((column) => nameColumn(column, view, features));
}

const STATISTIC_NAMES: Readonly<Record<Statistic, string>> = {
  mean: "mean of",
  deviation: "standard deviation of",
  min: "minimum of",
  max: "maximum of",
  lastMinusFirst: "last minus first of",
  slope: "slope of",
  change: "mean absolute change of",
};

function nameColumn(column: Column, { series, width }: Pick<TabularView, "series" | "width">, features: readonly string[]): string {
  if (column.kind === "length") return "number of rows";
  const name = describeChannel(series[column.series], features);
  switch (column.kind) {
    case "level":
      return column.isConstant ? name : `${name}, ${nameRows(column.part, column.part + 1, width)}`;
    case "difference":
      return `change of ${name} to ${nameRows(column.part, column.part + 1, width)}`;
    case "statistic":
      return `${STATISTIC_NAMES[column.statistic]} ${name}`;
    case "quantile": {
      const { of, from, to, count } = column.interval;
      const quantile = count === 1 ? 0.5 : column.place / (count - 1);
      return `${nameQuantile(quantile)} of ${of === "changes" ? `changes of ${name}` : name}, ${nameRows(from, to, width)}`;
    }
  }
}

function nameQuantile(quantile: number): string {
  if (quantile === 0) return "minimum";
  if (quantile === 1) return "maximum";
  return quantile === 0.5 ? "median" : `${Math.round(100 * quantile)} % quantile`;
}

/** Parts `from` ≤ part < `to`, counted from the end. */
function nameRows(from: number, to: number, width: number): string {
  const [first, last] = [from * width, to * width - 1];
  if (last === 0) return "last row";
  if (first === 0) return `last ${last + 1} rows`;
  return first === last ? `${first} ${first === 1 ? "row" : "rows"} before the last` : `${first} to ${last} rows before the last`;
}
