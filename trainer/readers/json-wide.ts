// A JSON record of a wide table, `{"open_0": 1.2, "high_0": 1.3, …}`: which field is which feature's step. Knows names only.
// Legend: T steps, F features.
import { DataError } from "../../shared/errors.ts";
import type { Shape } from "../../shared/sequence.ts";
import type { Wanted } from "./batch.ts";
import { findLayout } from "./layout.ts";
import type { Remark } from "./reading.ts";

/** Where a wide record holds what. */
export interface WideFields {
  /** (T·F) the field of step t, feature f at t·F + f */
  readonly names: readonly string[];
  readonly shape: Shape;
  /** (F) */
  readonly features: readonly string[] | null;
  /** Name of the label, null where there is none or nobody wants it. */
  readonly label: string | null;
  readonly remarks: readonly Remark[];
}

/** How the fields of a record that holds no sequence are read, as the columns of a CSV of the same names. Throws DataError. */
export function planWide(record: Readonly<Record<string, unknown>>, source: string, wanted: Wanted): WideFields {
  const fields = Object.keys(record);
  const { order, shape, features, label, remarks } = findLayout(fields, fields.length, source, wanted);
  const isNumbered = order.map((i) => /^\d+$/.test(fields[i]));
  if (remarks.some(({ code }) => code === "by-position") && isNumbered.includes(true) && isNumbered.includes(false))
    throw new DataError(source, "names some fields by numbers alone, which JSON does not keep in order: write the table as CSV or Parquet");
  return { names: order.map((i) => fields[i]), shape, features, label: label === null || !wanted.labels ? null : fields[label], remarks };
}
