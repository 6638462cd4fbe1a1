// When a delivery is tried, and what an answer means. Clock and randomness arrive as arguments.

/** Seconds from the end of one attempt to the next: Standard Webhooks 1.0.0's example, 75.6 hours in all. */
export const SCHEDULE_S: readonly number[] = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/** A delay grows by up to this share at random, so that what failed together does not come back together. */
const JITTER = 0.2;
/** No receiver may put us off for longer than the longest step. */
const MAX_RETRY_AFTER_MS = 86_400_000;

export interface Attempted {
  /** Attempts made so far; 0 before the first. */
  readonly attempts: number;
  /** In [0, 1). */
  readonly random: number;
  /** What the last answer asked for. */
  readonly retryAfterMs?: number;
}

/** Milliseconds to wait before the next attempt; undefined when there is none left: the delivery is dead. */
export function nextDelayMs(
  { attempts, random, retryAfterMs = 0 }: Attempted,
  schedule: readonly number[] = SCHEDULE_S,
): number | undefined {
  if (attempts >= schedule.length) return undefined;
  return Math.max(Math.round(schedule[attempts] * 1000 * (1 + JITTER * random)), retryAfterMs);
}

/** `Retry-After`, seconds or a date (RFC 9110, 10.2.3), in milliseconds from now; undefined where there is none that can be read. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  // RFC 9110, 5.6.7: the form that senders must use; Date.parse alone takes nearly anything
  const isDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const delay = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), MAX_RETRY_AFTER_MS);
}

/** Only 2xx is success; 410 asks for no more deliveries; redirects are not followed and fail like all else. */
export function classifyStatus(status: number): "delivered" | "disable" | "retry" {
  if (status >= 200 && status < 300) return "delivered";
  return status === 410 ? "disable" : "retry";
}
