// The circuit breaker of one destination, which the objects of all keys share: one Durable Object by the destination's name. A key asks
// it after a failure of its own alone, so that a healthy destination costs no call. Knows neither keys nor rows.
import { hasTable, type Sql, select } from "./sql.ts";

/** It opens after so many failures without a success between them, the first of them at most … and at least … before the last: what
 * fails now and then has had a success by then, since a key that failed tries again after 5 s. */
export const FAILURES_TO_OPEN = 10;
const MAX_SPAN_MS = 300_000;
const MIN_SPAN_MS = 20_000;
/** While it is open, one attempt is let through so often. */
const PROBE_EVERY_MS = 60_000;
/** A key that is put off asks again after this share of the time that the breaker has been open, and the next two are its bounds; up to
 * JITTER of it longer, at random. */
const WAIT_SHARE = 0.1;
const MIN_WAIT_MS = PROBE_EVERY_MS;
const MAX_WAIT_MS = 300_000;
const JITTER = 0.2;

/** Times in milliseconds since 1970. */
interface BreakerState {
  /** Failures since the last success, oldest first; at most FAILURES_TO_OPEN. */
  readonly failures: readonly number[];
  /** null: closed. */
  readonly openedAt: number | null;
  /** The last attempt that was let through while open, or its opening. */
  readonly probedAt: number;
}

const CLOSED: BreakerState = { failures: [], openedAt: null, probedAt: 0 };

/** Whether a key may try now: as it likes, once, or not; then it asks again in so many milliseconds, by its own clock. */
export type Admission = { readonly verdict: "closed" | "probe" } | { readonly verdict: "open"; readonly waitMs: number };

export interface Failure {
  /** The attempt was made while it was open: a row spends none by it. */
  readonly wasOpen: boolean;
  /** In how many milliseconds the key may ask again; null while it is closed. */
  readonly waitMs: number | null;
}

/** As people see it. Times in milliseconds since 1970. */
export interface BreakerView {
  readonly state: "closed" | "open";
  readonly openedAt: number | null;
  /** The earliest time at which an attempt is let through; null while it is closed. */
  readonly probeAt: number | null;
}

/** What the object of a key and the Worker ask of it. */
export interface Breaker {
  ask(): Promise<Admission>;
  /** An attempt failed. */
  failed(): Promise<Failure>;
  /** An attempt of a key that had failed before succeeded: it closes. */
  succeeded(): Promise<void>;
  view(): Promise<BreakerView>;
}

const SCHEMA = `
  CREATE TABLE breaker (failures TEXT NOT NULL, openedAt INTEGER, probedAt INTEGER NOT NULL);
  INSERT INTO breaker VALUES ('[]', NULL, 0);`;

export interface BreakerDependencies {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The breaker that an object's storage is. Nothing is written before the first failure. */
export function createBreaker(sql: Sql, { now, random }: BreakerDependencies): Breaker {
  let isReady = hasTable(sql, "breaker");
  let state = isReady ? read(sql) : CLOSED;

  function change(next: BreakerState): void {
    if (!isReady) sql.exec(SCHEMA);
    isReady = true;
    const update = "UPDATE breaker SET failures = ?, openedAt = ?, probedAt = ?";
    sql.exec(update, JSON.stringify(next.failures), next.openedAt, next.probedAt);
    state = next;
  }

  return {
    async ask() {
      const time = now();
      if (state.openedAt === null) return { verdict: "closed" };
      if (!isProbeDue(state, time)) return { verdict: "open", waitMs: waitOf(state.openedAt, time, random()) };
      change({ ...state, probedAt: time });
      return { verdict: "probe" };
    },
    async failed() {
      const time = now();
      const wasOpen = state.openedAt !== null;
      if (!wasOpen) change(afterFailure(state, time));
      return { wasOpen, waitMs: state.openedAt === null ? null : waitOf(state.openedAt, time, random()) };
    },
    async succeeded() {
      if (state.openedAt !== null || state.failures.length > 0) change(CLOSED);
    },
    async view() {
      const { openedAt, probedAt } = state;
      return { state: openedAt === null ? "closed" : "open", openedAt, probeAt: openedAt === null ? null : probedAt + PROBE_EVERY_MS };
    },
  };
}

function read(sql: Sql): BreakerState {
  const [{ failures, ...rest }] = select<Omit<BreakerState, "failures"> & { failures: string }>(sql, "SELECT * FROM breaker");
  return { ...rest, failures: JSON.parse(failures) };
}

/** A closed breaker after one more failure. What lies ahead of the clock was before the clock was set back. */
function afterFailure({ failures, probedAt }: BreakerState, now: number): BreakerState {
  const recent = [...failures.filter((at) => at <= now && at >= now - MAX_SPAN_MS), now];
  const opens = recent.length >= FAILURES_TO_OPEN && now - recent[0] >= MIN_SPAN_MS;
  if (opens) return { failures: [], openedAt: now, probedAt: now };
  // the oldest stays: how long they have gone on is told by it
  return { failures: recent.length > FAILURES_TO_OPEN ? recent.toSpliced(1, 1) : recent, openedAt: null, probedAt };
}

function isProbeDue({ probedAt }: BreakerState, now: number): boolean {
  return probedAt > now || now >= probedAt + PROBE_EVERY_MS;
}

function waitOf(openedAt: number, now: number, random: number): number {
  const wait = Math.min(Math.max((now - openedAt) * WAIT_SHARE, MIN_WAIT_MS), MAX_WAIT_MS);
  return Math.round(wait * (1 + JITTER * random));
}
