// Real data: the S&P 500's daily figures from 2000 to 2020, as vega-datasets brings them. Ten days, and whether the next one
// moves by more than 1 %. Windows overlap and stand in the order of time. Legend: N sequences, T steps, F features.
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { findCompanion } from "../files/companions.ts";
import { readWhole } from "../files/whole-files.ts";

export interface Sp500Sample {
  /** (N,10,5) */
  readonly values: Float64Array;
  /** (N) */
  readonly labels: Uint8Array;
  readonly features: readonly string[];
}

const T = 10;
const FEATURES = ["open", "high", "low", "close", "volume"]; // not adjclose: it is the close, for an index
/** |log(next close / close)| > 0.01, written without a logarithm: e^0.01 and e^−0.01. */
const RISE = 1.010050167084168;
const FALL = 0.990049833749168;

/** All windows of the file, in the order of time: the same numbers on every host. Throws DataError where vega-datasets is missing. */
export function makeSp500(): Sp500Sample {
  const path = join(findCompanion("vega-datasets", "for the S&P 500's figures"), "data", "sp500-2000.csv");
  const days: Record<string, string>[] = parse(readWhole(path), { columns: true });
  const rows = days.map((day) => FEATURES.map((name) => Number(day[name])));
  const N = rows.length - T;
  const close = FEATURES.indexOf("close");
  const labels = Uint8Array.from({ length: N }, (_, n) => {
    const ratio = rows[n + T][close] / rows[n + T - 1][close];
    return ratio > RISE || ratio < FALL ? 1 : 0;
  });
  const values = Float64Array.from(Array.from({ length: N }, (_, n) => rows.slice(n, n + T).flat()).flat());
  return { values, labels, features: FEATURES };
}
