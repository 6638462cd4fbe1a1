// What a tabular view may know of two series at a time: the contract, and the kernel's answer. The definition in plain TypeScript is
// recipe/series-definition.ts; recipe/columns.ts asks either. Knows no view.
import type { Kernel } from "./kernel-instance.ts";
import { MAX_TIMESTEPS } from "./sequence.ts";

/** Columns of two series at a time. Nothing but what one call of `fill` takes and gives is kept between calls. */
export interface SeriesColumns {
  /** (2) up to MAX_TIMESTEPS rows each, which the caller writes; NaN where a row has no number. */
  readonly series: readonly [Float64Array, Float64Array];
  /**
   * (2P − 1 + 7 + quantiles, 2) the two series side by side, which `fill` writes: P levels, the last part's first; the changes from the part
   * before, likewise; the STATISTICS; quantiles of the levels' intervals, then of the changes', as intervalsOf lists them.
   */
  readonly columns: Float64Array;
  /**
   * Of the first `length` rows, at least 1. `width` rows are a part, `parts` (P) are looked at. Intervals are halved `depth` times; −1: no
   * quantiles.
   */
  fill(length: number, width: number, parts: number, depth: number): void;
}

/** Columns of two series: 24 levels, 23 changes, 7 statistics, 28 quantiles of each. */
export const MAX_SERIES_COLUMNS = 110;

/** Computed by a kernel whose memory grows no more as long as the answer is used. */
export function openSeriesColumns(kernel: Pick<Kernel, "memory" | "seriesAddress" | "columnsAddress" | "fillColumns">): SeriesColumns {
  const { buffer } = kernel.memory;
  const at = kernel.seriesAddress();
  return {
    series: [new Float64Array(buffer, at, MAX_TIMESTEPS), new Float64Array(buffer, at + 8 * MAX_TIMESTEPS, MAX_TIMESTEPS)],
    columns: new Float64Array(buffer, kernel.columnsAddress(), 2 * MAX_SERIES_COLUMNS),
    fill: kernel.fillColumns,
  };
}
