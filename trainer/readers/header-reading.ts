// What a list of column names says: as data. Knows no way of writing. Legend: T steps, F features.

/** Where each feature and step stands. */
export interface Grid {
  readonly timesteps: number;
  /** (F) in the order in which the columns name them */
  readonly features: readonly string[];
  /** (T·F) the column of step t, feature f at t·F + f: a place in the list of names */
  readonly order: readonly number[];
}

/** What a list of names says. Columns are places in the list. */
export type HeaderReading =
  | ({
      readonly code: "grid";
      /** Columns that are no feature's. */
      readonly rest: readonly number[];
      /** Whether all columns are one feature's, numbered: it may be steps, or features. */
      readonly isSingle: boolean;
      /** The oldest step: below 0 where steps are lags. */
      readonly from: number;
    } & Grid)
  /** No way of writing fits most of the names. */
  | { readonly code: "none" }
  /** Most names hold a date or a time of day, as a pivot by time writes them: this column's does. */
  | { readonly code: "moments"; readonly column: number }
  /** One name, or one feature and step, twice. */
  | { readonly code: "twice"; readonly columns: readonly [number, number] }
  /** The features have different steps, or steps are left out: nobody has this feature's step. */
  | { readonly code: "incomplete"; readonly missing: string; readonly features: number; readonly timesteps: number }
  /** Two ways of writing fit, and they say different things. */
  | { readonly code: "ambiguous"; readonly first: Place; readonly second: Place };

/** How one column can be read. */
export interface Place {
  readonly column: number;
  readonly feature: string;
  readonly step: number;
}
