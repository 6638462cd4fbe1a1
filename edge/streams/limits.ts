// How much the object of one key may hold, in rows: what fits a share of the platform's 10 GB at the worst.
// Legend: T steps, F features.
import { MAX_NAME_BYTES } from "../webhooks/event.ts";

/** Of one destination's outbox, and of the events. */
const MAX_OUTBOX_BYTES = 256 * 1024 * 1024;
const MAX_EVENTS_BYTES = 2 * 1024 * 1024 * 1024;
const MAX_EVENTS = 1_000_000;
/** What an answer has beside its window, names that are escaped in JSON included; a number of JSON; a row's own columns and indices. */
const ANSWER_BYTES = 4 * MAX_NAME_BYTES + 512;
const NUMBER_BYTES = 25;
const ROW_BYTES = 3 * MAX_NAME_BYTES + 256;

/** Rows of one destination, of a model of T steps: each holds a whole answer, with the ids of its window. */
export function maxOutboxRows(T: number): number {
  return Math.floor(MAX_OUTBOX_BYTES / (ANSWER_BYTES + ROW_BYTES + T * (2 * MAX_NAME_BYTES + 32)));
}

/** Events that are remembered: each has its id, its values, and an answer that names its window by seq. */
export function maxEventRows(T: number, F: number): number {
  return Math.min(MAX_EVENTS, Math.floor(MAX_EVENTS_BYTES / (ANSWER_BYTES + ROW_BYTES + F * NUMBER_BYTES + T * 16)));
}
