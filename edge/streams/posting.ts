// An answer → rows of the outbox, one for each destination that wants it.
import { ENVELOPE, renderBody } from "../deliveries/bodies.ts";
import { holds } from "../deliveries/conditions.ts";
import { nextDelayMs } from "../deliveries/schedule.ts";
import type { Endpoints } from "./endpoints.ts";
import type { Added, EventLog } from "./event-log.ts";
import { maxOutboxRows } from "./limits.ts";
import type { Origin } from "./stream-object.ts";

export interface PostDependencies {
  readonly endpoints: Endpoints;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
}

type PostOrigin = Pick<Origin, "destinations" | "hops" | "trace">;

/**
 * Puts the answer to the log's last event into the outbox for each of `destinations`, names, whose condition it meets. Where a
 * destination has more rows than the settings allow, its oldest go, which is logged. `now`: milliseconds since 1970.
 */
export function postAnswer(
  eventLog: EventLog,
  { answer, text, previous }: Added,
  origin: PostOrigin,
  now: number,
  dependencies: PostDependencies,
): void {
  const bodyFor = (name: string): string | undefined => {
    const destination = dependencies.endpoints.destinations.get(name);
    if (!holds(destination?.when, { ...answer, previous })) return undefined;
    const said = { answer: { ...answer }, text, time: new Date(now).toISOString(), generation: eventLog.facts.generation };
    return renderBody(destination?.body ?? ENVELOPE, said);
  };
  postBody(eventLog, bodyFor, origin, now, dependencies);
}

/** The same of any body. `bodyFor`: undefined where the destination gets none. Returns the rows. */
export function postBody(
  eventLog: EventLog,
  bodyFor: (destination: string) => string | undefined,
  { destinations, hops = 0, trace }: PostOrigin,
  now: number,
  { endpoints, random, log }: PostDependencies,
): readonly number[] {
  const rows: number[] = [];
  if (destinations.length === 0) return rows;
  const { settings, destinations: known } = endpoints;
  const limit = Math.min(settings.outboxRows, maxOutboxRows(eventLog.timesteps));
  let dropped = 0;
  for (const name of destinations) {
    const body = bodyFor(name);
    if (body === undefined) continue;
    const due = now + nextDelayMs({ attempts: 0, random: random() }, settings.scheduleS)!;
    rows.push(eventLog.outbox.add({ seq: eventLog.seq, destination: name, url: known.get(name)?.address, body, now, due, hops, trace }));
    dropped += eventLog.outbox.trim(name, limit);
  }
  if (dropped === 0) return rows;
  eventLog.change({ dropped: eventLog.facts.dropped + dropped });
  log({ event: "deliveries dropped", key: eventLog.facts.key, dropped, limit });
  return rows;
}
