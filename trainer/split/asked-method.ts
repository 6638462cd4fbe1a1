// How the parts are to be made, from what is said of the data.
import { isLong, type ReadOptions } from "../readers/options.ts";
import type { SplitMethod } from "./situation.ts";

/** What the options that name columns ask for, where `split` does not say. The time of rows is known and only orders them. */
export function splitMethodOf(values: ReadOptions & { readonly split?: SplitMethod }): SplitMethod {
  const isTimed = values.time !== undefined && !isLong(values);
  return values.split ?? (values.group !== undefined ? "group" : isTimed ? "time" : "auto");
}
