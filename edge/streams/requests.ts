// What the routes of streams and deliveries take, as schemas: queries, an event, a batch of events. The document is written from them, too.
import * as z from "zod/mini";
import { DELIVERY_STATES } from "../deliveries/outbox.ts";
import { readInstant } from "../http/instant.ts";
import { paging } from "../http/paging.ts";
import { exactObject, lazy } from "../http/schema.ts";
import { nameSchema, type RowShape, rowOf, textNameSchema, timestampSchema } from "../webhooks/event.ts";

/** The query of GET /v1/streams. */
export const listQuery = lazy(() => exactObject(paging()));

const INSTANT_RULE = "must be a time such as 2026-11-25T09:30:00Z";
const instant = (what: string) =>
  z.optional(z.string().check(z.refine((text) => readInstant(text) !== undefined, INSTANT_RULE))).check(z.describe(what));

const filters = lazy(() => ({
  key: z.optional(textNameSchema()).check(z.describe("Of this key.")),
  since: instant("Made at this time or later."),
  until: instant("Made before this time."),
}));
const deliveryState = lazy(() => z.enum(DELIVERY_STATES, `must be one of ${DELIVERY_STATES.join(", ")}`));

/** The query of GET /v1/deliveries. */
export const deliveriesQuery = lazy(() =>
  exactObject({
    state: z.optional(deliveryState()).check(z.describe("Only these.")),
    destination: z.optional(destinationName()),
    ...filters(),
    ...paging(),
  }),
);

/** The query of POST /v1/deliveries/replay. */
export const replayQuery = lazy(() =>
  exactObject({
    destination: destinationName(),
    state: z.optional(deliveryState()).check(z.describe("Only these; dead ones where nothing is said.")),
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
  z.string(DESTINATION_RULE).check(z.minLength(1, DESTINATION_RULE), z.describe("A name that DESTINATIONS lists.")),
);

/** What POST /v1/streams/{key}/events takes for a model whose rows are as `shape` says. */
export function eventSchema(shape: RowShape) {
  return exactObject({ id: nameSchema(), timestamp: timestampSchema(), values: rowOf(shape) });
}

/** A batch of 1 to `maxEvents` events. */
export function batchSchema<E extends z.ZodMiniType>(event: E, maxEvents: number) {
  const events = z
    .array(event, "must be an array of events")
    .check(z.minLength(1, "must hold at least one event"), z.maxLength(maxEvents, `must hold at most ${maxEvents} events`));
  return exactObject({ events });
}
