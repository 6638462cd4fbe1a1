// What the routes of streams and deliveries take, as schemas: queries, an event, a batch of events. The document is written from them, too.
import * as v from "valibot";
import { DELIVERY_STATES } from "../deliveries/outbox-rows.ts";
import { readInstant } from "../http/instant.ts";
import { paging } from "../http/paging.ts";
import { exactObject, lazy } from "../http/schema.ts";
import { nameSchema, type RowShape, rowOf, textNameSchema, timestampSchema } from "../webhooks/event.ts";

/** The query of GET /v1/streams. */
export const listQuery = lazy(() => exactObject(paging()));

const INSTANT_RULE = "must be a time such as 2026-11-25T09:30:00Z";
const instant = (what: string) =>
  v.pipe(
    v.optional(
      v.pipe(
        v.string(),
        v.check((text) => readInstant(text) !== undefined, INSTANT_RULE),
      ),
    ),
    v.description(what),
  );

const filters = lazy(() => ({
  key: v.pipe(v.optional(textNameSchema()), v.description("Of this key.")),
  since: instant("Made at this time or later."),
  until: instant("Made before this time."),
}));
const deliveryState = lazy(() => v.picklist(DELIVERY_STATES, `must be one of ${DELIVERY_STATES.join(", ")}`));

/** The query of GET /v1/deliveries. */
export const deliveriesQuery = lazy(() =>
  exactObject({
    state: v.pipe(v.optional(deliveryState()), v.description("Only these.")),
    destination: v.optional(destinationName()),
    ...filters(),
    ...paging(),
  }),
);

/** The query of POST /v1/deliveries/replay. */
export const replayQuery = lazy(() =>
  exactObject({
    destination: destinationName(),
    state: v.pipe(v.optional(deliveryState()), v.description("Only these; dead ones where nothing is said.")),
    ...filters(),
    cursor: paging().cursor,
  }),
);

/** The query of POST /v1/deliveries/test. */
export const testQuery = lazy(() => exactObject({ destination: destinationName() }));

/** Of a query with times, the filter. */
export function readFilter<Query extends { readonly since?: string; readonly until?: string }>({ since, until, ...rest }: Query) {
  return { ...rest, since: since === undefined ? since : readInstant(since), until: until === undefined ? until : readInstant(until) };
}

const DESTINATION_RULE = "must be one that DESTINATIONS lists";
const destinationName = lazy(() =>
  v.pipe(v.string(DESTINATION_RULE), v.minLength(1, DESTINATION_RULE), v.description("A name that DESTINATIONS lists.")),
);

/** What POST /v1/streams/{key}/events takes for a model whose rows are as `shape` says. */
export function eventSchema(shape: RowShape) {
  return exactObject({ id: nameSchema(), timestamp: timestampSchema(), values: rowOf(shape) });
}

/** A batch of 1 to `maxEvents` events, whatever these are. */
export function batchSchema(maxEvents: number) {
  const events = v.pipe(
    v.array(v.unknown(), "must be an array of events"),
    v.minLength(1, "must hold at least one event"),
    v.maxLength(maxEvents, `must hold at most ${maxEvents} events`),
  );
  return exactObject({ events });
}
