// What the routes of streams and deliveries take, as schemas: queries, an event, a batch of events. The document is written from them, too.
import * as z from "zod/mini";
import { DELIVERY_STATES } from "../deliveries/outbox.ts";
import { paging } from "../http/paging.ts";
import { exactObject, lazy } from "../http/schema.ts";
import { nameSchema, type RowShape, rowOf, textNameSchema, timestampSchema } from "../webhooks/event.ts";

/** The query of GET /v1/streams. */
export const listQuery = lazy(() => exactObject(paging()));

/** The query of GET /v1/deliveries. */
export const deliveriesQuery = lazy(() => {
  const state = z.enum(DELIVERY_STATES, `must be one of ${DELIVERY_STATES.join(", ")}`);
  return exactObject({
    state: z.optional(state).check(z.describe("Only these.")),
    key: z.optional(textNameSchema()).check(z.describe("Of this key.")),
    destination: z.optional(destinationName()),
    ...paging(),
  });
});

/** The query of POST /v1/deliveries/replay. */
export const replayQuery = lazy(() => exactObject({ destination: destinationName(), cursor: paging().cursor }));

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
