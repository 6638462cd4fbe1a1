// The tabular view's columns of raw sequences, in float64: the same numbers for training and for scoring. Series that no column is kept
// of are not computed.
// Legend: N sequences, T steps, F features, S series, P parts, V columns.
import type { SeriesColumns } from "../series-columns.ts";
import { type Log, type Recipe, shapeOf } from "./recipe.ts";
import { computeSeries, type EditSeries, eraseGaps, moveTo, openRows } from "./series.ts";
import { columnsOf, type Interval, intervalsOf, MAX_PARTS, STATISTICS, type TabularView } from "./tabular.ts";

/** Which columns one series fills. */
interface SeriesProgram {
  readonly series: number;
  /** (kept) each column's number of the view, then its place among SeriesColumns' of a series. */
  readonly slots: Int32Array;
  readonly places: Int32Array;
}

interface Program {
  /** V */
  readonly columns: number;
  /** Slots of the sequence's length. */
  readonly lengths: readonly number[];
  readonly series: readonly SeriesProgram[];
  /** How often intervals are halved; −1 where no quantile is kept. */
  readonly depth: number;
}

/** Programs of views that were computed before: a view is data, so its program never changes. */
const programs = new WeakMap<TabularView, Program>();

function programOf(view: TabularView): Program {
  let program = programs.get(view);
  if (program === undefined) programs.set(view, (program = compile(view)));
  return program;
}

function compile(view: TabularView): Program {
  const { parts: P, blocks } = view;
  const depth = blocks.reduce((deepest, block) => (block.kind === "quantiles" ? Math.max(deepest, block.depth) : deepest), -1);
  const quantilePlaces = placeQuantiles(P, depth);
  const lengths: number[] = [];
  const bySeries = new Map<number, [slot: number, place: number][]>();
  const columns = columnsOf(view);
  for (const [slot, column] of columns.entries()) {
    if (column.kind === "length") {
      lengths.push(slot);
      continue;
    }
    let place: number;
    if (column.kind === "level") place = column.part;
    else if (column.kind === "difference") place = P + column.part;
    else if (column.kind === "statistic") place = 2 * P - 1 + STATISTICS.indexOf(column.statistic);
    else place = 2 * P - 1 + STATISTICS.length + quantilePlaces.get(keyOf(column.interval))! + column.place;
    const own = bySeries.get(column.series);
    if (own) own.push([slot, place]);
    else bySeries.set(column.series, [[slot, place]]);
  }
  const series = Array.from(bySeries, ([series, kept]) => ({
    series,
    slots: Int32Array.from(kept, ([slot]) => slot),
    places: Int32Array.from(kept, ([, place]) => place),
  }));
  return { columns: columns.length, lengths, series, depth };
}

/** Where each interval's first quantile is among those of a series whose intervals are halved `depth` times. Shallower blocks have some of them. */
function placeQuantiles(parts: number, depth: number): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  let place = 0;
  for (const interval of depth < 0 ? [] : intervalsOf(parts, depth)) {
    places.set(keyOf(interval), place);
    place += interval.count;
  }
  return places;
}

function keyOf({ of, from, to }: Interval): number {
  return ((of === "changes" ? MAX_PARTS : 0) + from) * 2 * MAX_PARTS + to;
}

export interface ColumnsOptions {
  /** (N) becomes 1 where a value ≤ 0 stands under a logarithm. */
  readonly outOfRange?: Uint8Array;
  /** For explanations: sees each series before its columns are taken. */
  readonly edit?: EditSeries;
}

/**
 * (N,V) columns of N raw sequences, `values` (N,T,F); NaN where there is nothing: a step before the first row, a change without a row
 * before, anything of a sequence of nothing but padding; a number that is missing, however it is filled for channels. Every finite input
 * gives finite numbers or NaN. `by` computes what is known of a series: the kernel, or the definition, with the same bits.
 */
export function computeColumns(
  view: TabularView,
  recipe: Pick<Recipe, "timesteps" | "features" | "padding" | "fill" | "clock" | "inputs">,
  values: Float64Array,
  log: Log,
  by: SeriesColumns,
  { outOfRange, edit }: ColumnsOptions = {},
): Float64Array {
  const { columns: V, lengths, series, depth } = programOf(view);
  const shape = shapeOf(recipe);
  const N = values.length / (shape.timesteps * shape.features);
  const out = new Float64Array(N * V);
  const recipeOfSeries = { channels: view.series, floor: view.floor };
  const sequence = openRows(values, shape, recipe.padding, recipe.fill);
  const fillSeries = (n: number, s: number, x: Float64Array): void => {
    const { firstDefined, floored } = computeSeries(recipeOfSeries, s, sequence, log, x);
    if (floored && outOfRange) outOfRange[n] = 1;
    if (recipe.fill) eraseGaps(view.series[s], sequence, x);
    edit?.(n, s, x, firstDefined, sequence.length);
    if (firstDefined > 0) x[0] = Number.NaN;
  };
  for (let n = 0; n < N; n++) {
    const length = moveTo(sequence, n);
    if (length === 0) {
      out.fill(Number.NaN, n * V, (n + 1) * V);
      continue;
    }
    for (const slot of lengths) out[n * V + slot] = length;
    for (let i = 0; i < series.length; i += 2) {
      const two = Math.min(2, series.length - i);
      for (let lane = 0; lane < two; lane++) fillSeries(n, series[i + lane].series, by.series[lane]);
      by.fill(length, view.width, view.parts, depth);
      for (let lane = 0; lane < two; lane++) takeColumns(series[i + lane], by.columns, lane, out, n * V);
    }
  }
  return out;
}

/** Writes the columns of one of two series to `out` from `at` on. */
function takeColumns({ slots, places }: SeriesProgram, columns: Float64Array, lane: number, out: Float64Array, at: number): void {
  for (let i = 0; i < slots.length; i++) out[at + slots[i]] = columns[2 * places[i] + lane];
}
