// Rows as windows hold them: their numbers, and their time as a last one where that is wanted. Knows no window.
import { DataError } from "../../shared/errors.ts";
import { show } from "./quoting.ts";
import { copyRow, type Rows, timeOf } from "./rows.ts";
import { EXCEL } from "./time-format.ts";

/** Times below are seconds, then milliseconds, then microseconds, from the last on nanoseconds: as the edge tells numbers apart. */
const UNITS = [1e11, 1e14, 1e17];

/** Days from 1954 to 2119, as spreadsheets count them. */
const EXCEL_DAYS = [20_000, 80_000];

/** How rows are copied into windows. */
export interface TimedRows {
  /** Name of the time that stands as the last number of each row; undefined: it does not. */
  readonly time?: string;
  /** F, the time counted. */
  readonly features: number;
  /** Copies row `r` to `out[offset …]`. */
  copy(r: number, out: Float64Array, offset: number): void;
}

/** `clock`: the time of each row is wanted, in seconds since 1970. Throws DataError where numbers may be days. */
export function timeRows(rows: Rows, clock: boolean | undefined, source: string): TimedRows {
  const { time, features } = rows;
  if (clock !== true || time === undefined) return { features, copy: (r, out, offset) => copyRow(rows, r, out, offset) };
  checkDays(rows, time, source);
  const perSecond = unitsPerSecond(rows);
  return {
    time,
    features: features + 1,
    copy(r, out, offset) {
      copyRow(rows, r, out, offset);
      out[offset + features] = timeOf(rows, r) / perSecond;
    },
  };
}

/** Throws DataError where the first and the last time are numbers that a spreadsheet writes for dates. */
function checkDays(rows: Rows, time: string, source: string): void {
  const isDay = (r: number): boolean => timeOf(rows, r) >= EXCEL_DAYS[0] && timeOf(rows, r) < EXCEL_DAYS[1];
  if (rows.areDates || rows.count === 0 || !isDay(0) || !isDay(rows.count - 1)) return;
  throw new DataError(
    source,
    `has the times ${show(time)} from ${timeOf(rows, 0)} on, which may be days as Excel counts them or seconds: say --time-format ${EXCEL} for days, or --time-format s for seconds`,
  );
}

/** How many units of the rows' times make a second: dates stand in milliseconds, numbers say it by their magnitude. */
function unitsPerSecond(rows: Rows): number {
  if (rows.areDates) return 1000;
  const last = timeOf(rows, rows.count - 1);
  const unit = UNITS.findIndex((limit) => Math.abs(last) < limit);
  return 1000 ** (unit < 0 ? UNITS.length : unit);
}
