// What a reader finds out, leaves out or does by itself, as facts. describe.ts makes the sentences.
import type { Decimal, Separator } from "./dialect.ts";

/** What a reader finds out, leaves out or does by itself. */
export type ReadNote =
  /** One window in `stride` was taken, to fit into memory. */
  | {
      readonly code: "windows-thinned";
      readonly rows: number;
      readonly windows: number;
      readonly window: number;
      readonly stride: number;
      readonly taken: number;
    }
  /** Of so many windows `taken`, evenly spread, are the sample; the others come as further ones. */
  | { readonly code: "windows-sampled"; readonly windows: number; readonly taken: number }
  /** `series` of `total` series end within the horizon and give no window. */
  | { readonly code: "series-too-short"; readonly series: number; readonly total: number; readonly horizon: number }
  /** `series` of `total` series are shorter than a window and give one padded sequence each. */
  | { readonly code: "series-padded"; readonly series: number; readonly total: number; readonly window: number }
  /** So many rows stood before a row of an earlier time, and were put in order. */
  | { readonly code: "rows-unsorted"; readonly rows: number }
  /** So many rows have the time of the row before in their series; `isWithoutKey`: no column tells series apart. */
  | { readonly code: "times-equal"; readonly rows: number; readonly isWithoutKey?: true }
  /** So many rows come more than `factor` usual steps after the row before; `usual` in milliseconds where times are dates. */
  | {
      readonly code: "time-gaps";
      readonly rows: number;
      readonly factor: number;
      readonly usual: number;
      readonly areDates: boolean;
    }
  /** A series begins anew at so many rows, which come later than --max-gap after the row before. */
  | { readonly code: "series-cut"; readonly rows: number; readonly maxGap: string }
  /** How tables of text are written; `comments` lines before them begin with #. */
  | {
      readonly code: "dialect";
      readonly files: readonly string[];
      readonly separator: Separator;
      readonly decimal: Decimal;
      readonly comments: number;
    };

/** The notes with one more; files that are written alike are one note. */
export function addNote(notes: readonly ReadNote[], note: ReadNote): readonly ReadNote[] {
  if (note.code !== "dialect") return [...notes, note];
  const isAlike = (other: ReadNote): boolean =>
    other.code === "dialect" && other.separator === note.separator && other.decimal === note.decimal;
  if (!notes.some(isAlike)) return [...notes, note];
  return notes.map((other) =>
    other.code === "dialect" && isAlike(other)
      ? { ...other, files: [...other.files, ...note.files], comments: other.comments + note.comments }
      : other,
  );
}
