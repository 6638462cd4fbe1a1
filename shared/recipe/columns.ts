// The tabular view's columns of raw sequences, in float64: the same numbers for training and for scoring. Columns that nobody keeps
// are not computed.
// Legend: N sequences, T steps, F features, S series, P parts, V columns.
import { MAX_TIMESTEPS } from "../sequence.ts";
import { type Log, type Recipe, shapeOf } from "./recipe.ts";
import { computeSeries, type EditSeries, eraseGaps, moveTo, openRows } from "./series.ts";
import { computeStatistics, quantileOf, sortDefined } from "./series-statistics.ts";
import { type Column, columnsOf, type Interval, STATISTICS, type TabularView } from "./tabular.ts";

/** Which columns one series fills. A slot is a column's number, −1 where it is not kept. */
interface SeriesProgram {
  readonly series: number;
  /** (P) and (P − 1), empty where none is kept */
  readonly levels: Int32Array;
  readonly differences: Int32Array;
  /** (STATISTICS), empty where none is kept */
  readonly statistics: Int32Array;
  readonly quantiles: readonly QuantileProgram[];
}

/** One interval, of which some quantiles are kept. */
interface QuantileProgram {
  readonly isOfChanges: boolean;
  readonly from: number;
  readonly to: number;
  /** (quantiles) 0 to 1 */
  readonly positions: Float64Array;
  /** (quantiles) */
  readonly slots: Int32Array;
}

interface Program {
  /** V */
  readonly columns: number;
  readonly scratch: Scratch;
  /** Slots of the sequence's length. */
  readonly lengths: readonly number[];
  readonly series: readonly SeriesProgram[];
}

/** Programs of views that were computed before: a view is data, so its program never changes. What a call leaves in `scratch` is never read. */
const programs = new WeakMap<TabularView, Program>();

function programOf(view: TabularView): Program {
  let program = programs.get(view);
  if (program === undefined) programs.set(view, (program = compile(view)));
  return program;
}

function compile(view: TabularView): Program {
  const columns = columnsOf(view);
  const places = columns.map((column, slot) => ({ column, slot }));
  const bySeries = new Map<number, typeof places>();
  for (const place of places) {
    if (place.column.kind === "length") continue;
    const { series } = place.column;
    bySeries.set(series, [...(bySeries.get(series) ?? []), place]);
  }
  return {
    columns: columns.length,
    scratch: {
      x: new Float64Array(MAX_TIMESTEPS),
      levels: new Float64Array(view.parts),
      changes: new Float64Array(Math.max(0, view.parts - 1)),
      statistics: new Float64Array(STATISTICS.length),
      sorted: new Float64Array(view.parts),
    },
    lengths: places.flatMap(({ column, slot }) => (column.kind === "length" ? [slot] : [])),
    series: Array.from(bySeries, ([series, own]) => compileSeries(series, own, view.parts)),
  };
}

function compileSeries(
  series: number,
  places: readonly { readonly column: Column; readonly slot: number }[],
  parts: number,
): SeriesProgram {
  const levels = new Int32Array(parts).fill(-1);
  const differences = new Int32Array(Math.max(0, parts - 1)).fill(-1);
  const statistics = new Int32Array(STATISTICS.length).fill(-1);
  const quantiles = new Map<Interval, Int32Array>();
  for (const { column, slot } of places) {
    if (column.kind === "level") levels[column.part] = slot;
    if (column.kind === "difference") differences[column.part] = slot;
    if (column.kind === "statistic") statistics[STATISTICS.indexOf(column.statistic)] = slot;
    if (column.kind !== "quantile") continue;
    const slots = quantiles.get(column.interval) ?? new Int32Array(column.interval.count).fill(-1);
    slots[column.place] = slot;
    quantiles.set(column.interval, slots);
  }
  const used = (slots: Int32Array): Int32Array => (slots.some((slot) => slot >= 0) ? slots : new Int32Array(0));
  return {
    series,
    levels: used(levels),
    differences: used(differences),
    statistics: used(statistics),
    quantiles: Array.from(quantiles, ([{ of, from, to, count }, slots]) => ({
      isOfChanges: of === "changes",
      from,
      to,
      positions: Float64Array.from(slots, (_, q) => (count === 1 ? 0.5 : q / (count - 1))),
      slots,
    })),
  };
}

/** What is used again from series to series. */
interface Scratch {
  /** One series, of up to MAX_TIMESTEPS rows. */
  readonly x: Float64Array;
  /** (P) means of the parts, and (P − 1) changes from the part before, the last first */
  readonly levels: Float64Array;
  readonly changes: Float64Array;
  readonly statistics: Float64Array;
  readonly sorted: Float64Array;
}

/**
 * (N,V) columns of N raw sequences, `values` (N,T,F); NaN where there is nothing: a step before the first row, a change without a row
 * before, anything of a sequence of nothing but padding; a number that is missing, however it is filled for channels. Every finite input gives finite numbers or NaN. Where a value ≤ 0 stands under
 * a logarithm, `outOfRange` (N) becomes 1. `edit`, for explanations, sees each series before its columns are taken.
 */
export function computeColumns(
  view: TabularView,
  recipe: Pick<Recipe, "timesteps" | "features" | "padding" | "fill" | "clock" | "inputs">,
  values: Float64Array,
  log: Log,
  outOfRange?: Uint8Array,
  edit?: EditSeries,
): Float64Array {
  const program = programOf(view);
  const { scratch } = program;
  const shape = shapeOf(recipe);
  const N = values.length / (shape.timesteps * shape.features);
  const V = program.columns;
  const out = new Float64Array(N * V);
  const recipeOfSeries = { channels: view.series, floor: view.floor };
  const sequence = openRows(values, shape, recipe.padding, recipe.fill);
  for (let n = 0; n < N; n++) {
    const length = moveTo(sequence, n);
    if (length === 0) {
      out.fill(Number.NaN, n * V, (n + 1) * V);
      continue;
    }
    for (const slot of program.lengths) out[n * V + slot] = length;
    for (const own of program.series) {
      const { firstDefined, floored } = computeSeries(recipeOfSeries, own.series, sequence, log, scratch.x);
      if (floored && outOfRange) outOfRange[n] = 1;
      if (recipe.fill) eraseGaps(view.series[own.series], sequence, scratch.x);
      edit?.(n, own.series, scratch.x, firstDefined, length);
      fillColumns(own, scratch, firstDefined, length, view.width, out, n * V);
    }
  }
  return out;
}

/** The columns of the series `scratch.x[from] … scratch.x[to − 1]`, to `out` from `at` on. */
function fillColumns(
  program: SeriesProgram,
  scratch: Scratch,
  from: number,
  to: number,
  width: number,
  out: Float64Array,
  at: number,
): void {
  const { x, levels, changes, statistics, sorted } = scratch;
  if (program.statistics.length > 0) {
    computeStatistics(x, from, to, statistics);
    write(statistics, program.statistics, out, at);
  }
  if (program.levels.length + program.differences.length + program.quantiles.length === 0) return;
  averageParts(x, from, to, width, levels);
  for (let p = 0; p < changes.length; p++) changes[p] = levels[p] - levels[p + 1];
  write(levels, program.levels, out, at);
  write(changes, program.differences, out, at);
  for (let i = 0; i < program.quantiles.length; i++) {
    const { isOfChanges, from, to, positions, slots } = program.quantiles[i];
    const count = sortDefined(isOfChanges ? changes : levels, from, to, sorted);
    for (let q = 0; q < slots.length; q++) if (slots[q] >= 0) out[at + slots[q]] = quantileOf(sorted, count, positions[q]);
  }
}

function write(from: Float64Array, slots: Int32Array, out: Float64Array, at: number): void {
  for (let i = 0; i < slots.length; i++) if (slots[i] >= 0) out[at + slots[i]] = from[i];
}

/** (P) means of `width` rows each, the last first; NaN where no row is defined. */
function averageParts(x: Float64Array, from: number, to: number, width: number, parts: Float64Array): void {
  for (let p = 0; p < parts.length; p++) {
    const end = to - p * width;
    const begin = Math.max(from, end - width);
    let origin = Number.NaN;
    let sum = 0;
    let count = 0;
    for (let t = begin; t < end; t++) {
      if (Number.isNaN(x[t])) continue;
      if (count++ === 0) origin = x[t];
      sum += x[t] - origin;
    }
    parts[p] = count === 0 ? Number.NaN : origin + sum / count;
  }
}
