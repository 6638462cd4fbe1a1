// Times of rows beside a sequence → the last number of each row, in seconds, as a model with a clock takes it.
// Legend: T steps, F features, the row's time among them.
import { describe, type Path, SequenceError } from "../../shared/errors.ts";
import type { Shape } from "../../shared/sequence.ts";
import { parseTimestamp } from "../webhooks/event.ts";

/**
 * The rows of `sequence` with `times`, one each, as their last number. Where no times are given, the rows as they are: then each has its
 * seconds as the last number itself. `path` and `timesPath` name them in errors. Throws SequenceError.
 */
export function joinTimes(sequence: unknown, path: Path, times: unknown, timesPath: Path, { features: F, clock }: Shape): unknown {
  if (times === undefined) {
    if (clock && Array.isArray(sequence) && Array.isArray(sequence[0]) && sequence[0].length === F - 1)
      throw new SequenceError(timesPath, "must hold the time of each row, since this model looks at times", "nothing");
    return sequence;
  }
  if (!clock) throw new SequenceError(timesPath, "must be left out, since this model does not look at times", describe(times));
  if (!Array.isArray(sequence)) return sequence; // the parser of sequences says what is wrong
  if (!Array.isArray(times) || times.length !== sequence.length)
    throw new SequenceError(timesPath, `must be an array of ${sequence.length} times, one a row`, describe(times));
  let before = Number.NEGATIVE_INFINITY;
  return sequence.map((row: unknown, t) => {
    if (!Array.isArray(row)) return row;
    if (row.length === F) throw new SequenceError([...path, t], "must be without its time, since times stand beside", "a row with one");
    if (row.length !== F - 1)
      throw new SequenceError([...path, t], `must have ${F - 1} numbers, since times stand beside`, `${row.length}`);
    const ms = parseTimestamp(times[t], [...timesPath, t]);
    if (ms < before) throw new SequenceError([...timesPath, t], "must not be earlier than the time of the row before", describe(times[t]));
    before = ms;
    return [...row, ms / 1000];
  });
}
