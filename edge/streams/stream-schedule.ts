// When the object of a key has something to do, and whether it has nothing left. Pure: what is written down and the clock decide.
import type { EventLog } from "./event-log.ts";
import type { Settings } from "./settings.ts";

/** The directory hears of counts at most this often. */
export const REPORT_MS = 10_000;
/** Between two looks for ids that may be forgotten. */
export const PURGE_MS = 3_600_000;

/**
 * When the alarm must ring next, in milliseconds since 1970: for a delivery, a window that expires, a report to the directory, or ids to
 * forget. `purgeAt`: when ids may be forgotten; undefined: not looked yet.
 * `pausedUntil`: when a destination may be tried again.
 */
export function nextAlarmAt(
  eventLog: EventLog,
  { idleTtlMs, idsMs }: Settings,
  now: number,
  purgeAt: number | undefined,
  pausedUntil: (destination: string) => number,
): number {
  const { outbox, window, arrived, facts } = eventLog;
  const expiry = window.length > 0 ? arrived + idleTtlMs + 1 : Number.POSITIVE_INFINITY;
  const due = outbox.nextDue(now, pausedUntil);
  const isReported = facts.reported === JSON.stringify(eventLog.counts()) && (due !== undefined || facts.due === null);
  const report = isReported ? Number.POSITIVE_INFINITY : facts.reportedAt + REPORT_MS;
  const purge = purgeAt ?? arrived + idsMs + PURGE_MS;
  return Math.min(due ?? Number.POSITIVE_INFINITY, expiry, report, purge);
}

/** Whether nothing that is written down is of use any more: no window, no delivery, no id that is remembered. */
export function isDisposable({ window, outbox, arrived }: EventLog, { idsMs }: Settings, now: number): boolean {
  return window.length === 0 && outbox.isEmpty && now - arrived > idsMs;
}
