// What a tabular view may know of series, in plain TypeScript: the definition, which the kernel's answer (shared/kernel/columns.ts) is held
// to bit by bit, and what exported recipes compute, which have no kernel.
// Legend: P parts.
import { MAX_TIMESTEPS } from "../sequence.ts";
import { MAX_SERIES_COLUMNS, type SeriesColumns } from "../series-columns.ts";
import { computeStatistics, quantileOf, sortDefined } from "./series-statistics.ts";
import { intervalsOf, STATISTICS } from "./tabular.ts";

/** The definition, with memory of its own. */
export function defineSeriesColumns(): SeriesColumns {
  const series = [new Float64Array(MAX_TIMESTEPS), new Float64Array(MAX_TIMESTEPS)] as const;
  const columns = new Float64Array(2 * MAX_SERIES_COLUMNS);
  return {
    series,
    columns,
    fill(length, width, parts, depth) {
      for (let lane = 0; lane < 2; lane++) {
        const own = columnsOfSeries(series[lane], length, width, parts, depth);
        for (let i = 0; i < own.length; i++) columns[2 * i + lane] = own[i];
      }
    },
  };
}

/** All of one series' columns, in the order of SeriesColumns. */
function columnsOfSeries(x: Float64Array, length: number, width: number, parts: number, depth: number): number[] {
  const levels = averageParts(x, length, width, parts);
  const changes = new Float64Array(parts - 1);
  for (let p = 0; p < parts - 1; p++) changes[p] = levels[p] - levels[p + 1];
  const statistics = new Float64Array(STATISTICS.length);
  computeStatistics(x, 0, length, statistics);
  const sorted = new Float64Array(parts);
  const quantiles = (depth < 0 ? [] : intervalsOf(parts, depth)).flatMap(({ of, from, to, count }) => {
    const found = sortDefined(of === "changes" ? changes : levels, from, to, sorted);
    return Array.from({ length: count }, (_, q) => quantileOf(sorted, found, count === 1 ? 0.5 : q / (count - 1)));
  });
  return [...levels, ...changes, ...statistics, ...quantiles];
}

/** (P) means of `width` rows each, the last first; NaN where no row is defined. */
function averageParts(x: Float64Array, length: number, width: number, parts: number): Float64Array {
  const means = new Float64Array(parts);
  for (let p = 0; p < parts; p++) {
    const end = length - p * width;
    let origin = Number.NaN;
    let sum = 0;
    let count = 0;
    for (let t = Math.max(0, end - width); t < end; t++) {
      if (Number.isNaN(x[t])) continue;
      if (count++ === 0) origin = x[t];
      sum += x[t] - origin;
    }
    means[p] = count === 0 ? Number.NaN : origin + sum / count;
  }
  return means;
}
