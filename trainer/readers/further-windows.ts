// Windows beside a sample, as whoever learns from them gets them. Knows no rows.
// Legend: T the window's length in rows, F features, M further windows, S series.
import type { Labels } from "../statistics/labels.ts";

/** Windows that are cut when they are read; rows are counted series after series. */
export interface FurtherWindows {
  /** (M) ascending: the row with which each begins. Its rows are T of one series. */
  readonly first: Int32Array;
  /** (S) the row with which each series begins. */
  readonly seriesFirst: Int32Array;
  /** (M) as the sample's, or null where there are none. */
  readonly labels: Labels | null;
  /** (n,T,F) the windows that begin at the rows `first`. */
  read(first: Int32Array): Float64Array;
  /** Gives the rows back, half a gigabyte perhaps: nothing can be read any more. */
  free(): void;
}

/** The windows as `edit` leaves them: of (n,T,F) numbers it makes as many windows of its own. */
export function editFurther<W extends FurtherWindows>(further: W, edit: (values: Float64Array) => Float64Array): W {
  return { ...further, read: (first: Int32Array) => edit(further.read(first)) };
}
