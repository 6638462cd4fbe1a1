// How long streams remember, how much they hold, and when deliveries are tried again: what wrangler.toml's vars may change.
import { describe } from "../../shared/errors.ts";
import { ConfigurationError } from "../config/configuration.ts";
import { SCHEDULE_S } from "../deliveries/schedule.ts";

const DAY_MS = 86_400_000;

export interface Settings {
  /** A window in which nothing arrived for longer is forgotten. */
  readonly idleTtlMs: number;
  /** Ids are remembered for this long after they came, whatever becomes of the window. */
  readonly idsMs: number;
  /** Events whose time is further ahead of the clock are refused, and leave the window where they are stored. */
  readonly futureMs: number;
  /** Outbox rows of one key and destination, of every state: beyond it its oldest go, delivered ones first. */
  readonly outboxRows: number;
  /** Outbox rows that were not delivered for longer after they were made are dropped, dead ones and waiting ones. */
  readonly undeliveredMs: number;
  /** Keys of the whole deployment: an event of one more is refused. */
  readonly keys: number;
  /** Seconds from the end of one attempt to the next; the first number is before the first. */
  readonly scheduleS: readonly number[];
  /** Where word of drift and of performance goes. */
  readonly monitorDestinations: readonly string[];
  /** How long a prediction waits for its outcome. */
  readonly outcomesMs: number;
  /** Where results of events go that came by POST /v1/streams/{key}/events. */
  readonly destinations: readonly string[];
}

export const DEFAULT_SETTINGS: Settings = {
  idleTtlMs: 7 * DAY_MS,
  idsMs: 7 * DAY_MS,
  futureMs: 5 * 60_000,
  outboxRows: 10_000,
  undeliveredMs: 30 * DAY_MS,
  keys: 1_000_000,
  scheduleS: SCHEDULE_S,
  destinations: [],
  monitorDestinations: [],
  outcomesMs: 30 * DAY_MS,
};

/**
 * The vars STREAM_IDLE_TTL_S (STREAM_QUIET_S is its older name, and stays), STREAM_FUTURE_S, STREAM_OUTBOX_ROWS,
 * STREAM_UNDELIVERED_TTL_S, STREAM_KEYS, STREAM_DESTINATIONS, RETRY_SCHEDULE_S, MONITOR_DESTINATIONS and OUTCOMES_TTL_S. Throws ConfigurationError.
 */
export function parseSettings(env: Readonly<Record<string, unknown>>, isDestination: (name: string) => boolean): Settings {
  const words = (name: string): string[] =>
    String(env[name] ?? "")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
  const numbers = (name: string, min: number, max: number): number[] =>
    words(name).map((word) => {
      const number = Number(word);
      if (!(number >= min && number <= max)) throw new ConfigurationError([name], `must be ${min} to ${max}`, describe(word));
      return number;
    });
  const number = (name: string, min: number, max: number): number | undefined => {
    const [first, ...more] = numbers(name, min, max);
    if (more.length > 0) throw new ConfigurationError([name], "must be one number", `${more.length + 1}`);
    return first;
  };
  const [idleTtlS, olderIdleTtlS] = [number("STREAM_IDLE_TTL_S", 1, 1e9), number("STREAM_QUIET_S", 1, 1e9)];
  if (idleTtlS !== undefined && olderIdleTtlS !== undefined)
    throw new ConfigurationError(["STREAM_IDLE_TTL_S"], "must be set without STREAM_QUIET_S, its older name", "both");
  const ttlS = idleTtlS ?? olderIdleTtlS;
  const futureS = number("STREAM_FUTURE_S", 0, 1e9);
  const outboxRows = number("STREAM_OUTBOX_ROWS", 1, 1e6);
  const undeliveredS = number("STREAM_UNDELIVERED_TTL_S", 86_400, 1e9);
  const keys = number("STREAM_KEYS", 1, 1e9);
  const schedule = numbers("RETRY_SCHEDULE_S", 0, 1e6);
  const outcomesS = number("OUTCOMES_TTL_S", 60, 1e9);
  const namesIn = (name: string): string[] => {
    const names = words(name);
    const unknown = names.find((one) => !isDestination(one));
    if (unknown !== undefined) throw new ConfigurationError([name], "must name some of DESTINATIONS", describe(unknown));
    return names;
  };
  const destinations = namesIn("STREAM_DESTINATIONS");
  return {
    ...DEFAULT_SETTINGS,
    ...(ttlS !== undefined && { idleTtlMs: ttlS * 1000 }),
    ...(futureS !== undefined && { futureMs: futureS * 1000 }),
    ...(outboxRows !== undefined && { outboxRows: Math.floor(outboxRows) }),
    ...(undeliveredS !== undefined && { undeliveredMs: undeliveredS * 1000 }),
    ...(keys !== undefined && { keys: Math.floor(keys) }),
    ...(schedule.length > 0 && { scheduleS: schedule }),
    ...(outcomesS !== undefined && { outcomesMs: outcomesS * 1000 }),
    destinations,
    monitorDestinations: namesIn("MONITOR_DESTINATIONS"),
  };
}
