// The longest step between two rows of one series, as it is said and as rows' times count it.
import { DataError, UsageError } from "../../shared/errors.ts";
import type { Rows } from "./rows.ts";

export interface MaxGap {
  /** As it was said. */
  readonly text: string;
  readonly amount: number;
  /** Milliseconds of a unit; null where none was said: `amount` counts as the times do. */
  readonly unitMs: number | null;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `2h`, `1d`, or a bare number for times that are numbers. Throws UsageError. */
export function parseMaxGap(text: string): MaxGap {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  const amount = Number(digits);
  if (!(amount > 0)) throw new UsageError(`--max-gap must be a number above 0, with ms, s, m, h or d where times are dates, got ${text}`);
  return { text, amount, unitMs: unit === undefined ? null : UNITS_MS[unit] };
}

/** As the times of `rows` count it; Infinity where nothing is said. Throws UsageError, DataError where the unit does not fit. */
export function toStep(gap: MaxGap | undefined, { time, areDates }: Rows, source: string): number {
  if (gap === undefined) return Number.POSITIVE_INFINITY;
  if (time === undefined) throw new UsageError("--max-gap needs the rows' times: name their column with --time");
  if (areDates && gap.unitMs === null)
    throw new DataError(source, `has dates in ${time}: say --max-gap with a unit, as ${gap.text}s or ${gap.text}d`);
  if (!areDates && gap.unitMs !== null)
    throw new DataError(source, `has numbers in ${time}: say their unit with --time-format s, ms, us or ns, or --max-gap without a unit`);
  return gap.amount * (gap.unitMs ?? 1);
}
