// What a reader finds out, leaves out or does by itself, as facts. describe.ts makes the sentences.
import type { Decimal, Separator } from "./dialect.ts";

/** What a reader finds out, leaves out or does by itself. */
export type ReadNote =
  /** One window in `stride` was taken, to fit into memory. */
  | {
      readonly code: "windows-thinned";
      readonly source: string;
      readonly rows: number;
      readonly windows: number;
      readonly window: number;
      readonly stride: number;
      readonly taken: number;
    }
  /** `series` of `total` series end within the horizon and give no window. */
  | {
      readonly code: "series-too-short";
      readonly source: string;
      readonly series: number;
      readonly total: number;
      readonly horizon: number;
    }
  /** `series` of `total` series are shorter than a window and give one padded sequence each. */
  | { readonly code: "series-padded"; readonly source: string; readonly series: number; readonly total: number; readonly window: number }
  /** So many rows stood before a row of an earlier time, and were put in order. */
  | { readonly code: "rows-unsorted"; readonly source: string; readonly rows: number }
  /** So many rows have the time of the row before in their series. */
  | { readonly code: "times-equal"; readonly source: string; readonly rows: number }
  /** So many rows come more than `factor` usual steps after the row before; `usual` in milliseconds where times are dates. */
  | {
      readonly code: "time-gaps";
      readonly source: string;
      readonly rows: number;
      readonly factor: number;
      readonly usual: number;
      readonly areDates: boolean;
    }
  /** A series begins anew at so many rows, which come later than --max-gap after the row before. */
  | { readonly code: "series-cut"; readonly source: string; readonly rows: number; readonly maxGap: string }
  /** How a table of text is written; `comments` lines before it begin with #. */
  | {
      readonly code: "dialect";
      readonly source: string;
      readonly separator: Separator;
      readonly decimal: Decimal;
      readonly comments: number;
    };
