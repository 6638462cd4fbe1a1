// How long streams remember, how much they hold, and when deliveries are tried again: what wrangler.toml's vars may change.
import { describe } from "../../shared/errors.ts";
import { SCHEDULE_S } from "../deliveries/schedule.ts";
import { ConfigurationError } from "./configuration.ts";

const DAY_MS = 86_400_000;

export interface Settings {
  /** A window in which nothing arrived for longer is forgotten. */
  readonly quietMs: number;
  /** Ids are remembered for this long after they came, whatever becomes of the window. */
  readonly idsMs: number;
  /** Outbox rows of one key, of every state: beyond it the oldest go, delivered ones first. */
  readonly outboxRows: number;
  /** Seconds from the end of one attempt to the next; the first number is before the first. */
  readonly scheduleS: readonly number[];
  /** Where results of events go that came by POST /v1/streams/{key}/events. */
  readonly destinations: readonly string[];
}

export const DEFAULT_SETTINGS: Settings = {
  quietMs: 7 * DAY_MS,
  idsMs: 7 * DAY_MS,
  outboxRows: 10_000,
  scheduleS: SCHEDULE_S,
  destinations: [],
};

/** The vars STREAM_QUIET_S, STREAM_OUTBOX_ROWS, STREAM_DESTINATIONS and RETRY_SCHEDULE_S. Throws ConfigurationError. */
export function parseSettings(env: Readonly<Record<string, unknown>>, isDestination: (name: string) => boolean): Settings {
  const words = (name: string): string[] =>
    String(env[name] ?? "")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
  const numbers = (name: string, least: number, most: number): number[] =>
    words(name).map((word) => {
      const number = Number(word);
      if (!(number >= least && number <= most)) throw new ConfigurationError([name], `must be ${least} to ${most}`, describe(word));
      return number;
    });
  const number = (name: string, least: number, most: number): number | undefined => {
    const [first, ...more] = numbers(name, least, most);
    if (more.length > 0) throw new ConfigurationError([name], "must be one number", `${more.length + 1}`);
    return first;
  };
  const quietS = number("STREAM_QUIET_S", 1, 1e9);
  const outboxRows = number("STREAM_OUTBOX_ROWS", 1, 1e6);
  const schedule = numbers("RETRY_SCHEDULE_S", 0, 1e6);
  const destinations = words("STREAM_DESTINATIONS");
  const unknown = destinations.find((name) => !isDestination(name));
  if (unknown !== undefined) throw new ConfigurationError(["STREAM_DESTINATIONS"], "must name some of DESTINATIONS", describe(unknown));
  return {
    ...DEFAULT_SETTINGS,
    ...(quietS !== undefined && { quietMs: quietS * 1000 }),
    ...(outboxRows !== undefined && { outboxRows: Math.floor(outboxRows) }),
    ...(schedule.length > 0 && { scheduleS: schedule }),
    destinations,
  };
}
