// How a file was read, as facts: what was left out, what was taken by position, and why. A reader declares them, describe.ts makes
// the sentences. Whoever reads more adds a code here and a sentence there.

/** One thing that a reader did, and that the owner of the file should know. */
export type Remark =
  /** An index column, as pandas or R write it; `column` is empty where it has no name; `holdsTimes` where a time stands in it. */
  | { readonly code: "index-left-out"; readonly column: string; readonly holdsTimes?: true }
  /** A label column that nobody asked for. */
  | { readonly code: "label-left-out"; readonly column: string }
  /** A column that `--id` named in training, and that nobody names now. */
  | { readonly code: "id-left-out"; readonly column: string }
  /** A column beside the features; `isOnce` where it stands beside whole sequences, so that a model may be given it once a sequence. */
  | { readonly code: "column-left-out"; readonly column: string; readonly isOnce?: true }
  /** An archive's validation part, which only training looks at. */
  | { readonly code: "validation-left-out"; readonly array: string }
  /** Arrays of an archive that nobody reads. */
  | { readonly code: "arrays-left-out"; readonly arrays: readonly string[] }
  /** Labels were one-hot, and are the numbers of their columns. */
  | { readonly code: "one-hot"; readonly array: string; readonly columns: number }
  /** Columns or features stand for steps and features by their position alone. */
  | { readonly code: "by-position"; readonly reason: PositionReason }
  /**
   * Windows were cut from rows: of the series that `key` names, in the order of `time`; undefined: one series, in the file's order. A window's
   * label stands `horizon` rows behind its last; undefined: at its last. `timeFormat` and `maxGap` are as they were said.
   */
  | {
      readonly code: "series";
      readonly key?: string;
      readonly time?: string;
      readonly timeFormat?: string;
      readonly maxGap?: string;
      readonly horizon?: number;
      readonly isOneRowEach?: true;
    }
  /** Whole sequences belong together where this column says the same. */
  | { readonly code: "grouped"; readonly group: string }
  /** Whole sequences were sorted by a column of times. */
  | { readonly code: "sorted"; readonly time: string }
  /** Features stood in another order than the model takes them in, and were put in that order by their names. */
  | { readonly code: "reordered" }
  /** An array was features × steps, and was turned. */
  | { readonly code: "turned" }
  /** A feature is a category of so many levels. */
  | { readonly code: "category"; readonly feature: string; readonly levels: number }
  /** What is given once a sequence. */
  | { readonly code: "static"; readonly features: readonly string[] }
  /** What never changes within a sequence, and is given in each row nevertheless. */
  | { readonly code: "still"; readonly features: readonly string[] }
  /** Whole numbers beyond 2^53, which float64 rounds; `count` of them so far. */
  | { readonly code: "rounded"; readonly count: number };

/** Why columns went by position: nothing names them, pandas' 0, 1, 2, …, the user says so, or the model's features have no names. */
export type PositionReason = "no-names" | "integer-header" | "asked" | "default-names";

/** Remarks of several batches as one list: each once, with counts added up. */
export function mergeRemarks(...lists: readonly (readonly Remark[])[]): readonly Remark[] {
  const merged = new Map<string, Remark>();
  for (const remark of lists.flat()) {
    const key = JSON.stringify({ ...remark, count: undefined });
    const known = merged.get(key);
    merged.set(key, known && "count" in known && "count" in remark ? { ...known, count: known.count + remark.count } : remark);
  }
  return [...merged.values()];
}
