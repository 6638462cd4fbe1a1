// The bodies and queries of streams, deliveries and metrics, as schemas: the routes read what comes by them, the document is written
// from them.
// Legend: T steps, F features.
import * as z from "zod/mini";
import type { ScorableModel } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { type Shape, widthWithoutTime } from "../../shared/sequence.ts";
import { DELIVERY_STATES } from "../deliveries/outbox.ts";
import { paging } from "../http/paging.ts";
import { exactObject, lazy } from "../http/schema.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { MAX_NAME_BYTES, nameSchema, type RowShape, rowOf, textNameSchema, timestampSchema } from "../webhooks/event.ts";

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

/** The components of the document, by their names. */
export function streamSchemas(model: ScorableModel) {
  const shape = shapeOf(model.recipe);
  const { timesteps: T } = shape;
  const event = eventSchema(shape);
  const batch = batchSchema(event, maxSequences(model.recipe));
  const answer = answerSchema(model, T);
  return {
    StreamEvent: event,
    StreamRequest: z.union([event, batch]).check(z.describe("One event, or events in the order they are to be taken: all or none.")),
    StreamAnswer: answer,
    StreamAnswers: z.union([answer, z.strictObject({ results: z.array(answer).check(z.minLength(1)) })]),
    StreamView: viewSchema(model, shape),
    HookAnswer: z
      .union([answer, z.strictObject({ source: text(), ignored: z.boolean() })])
      .check(z.describe("ignored: the source does not want it.")),
    DeliveredResult: z.strictObject({ type: z.literal("prediction.created"), timestamp: time(), data: answer }),
    ...deliverySchemas(),
  };
}

const text = lazy(() => z.string());
const name = lazy(() => z.string().check(z.minLength(1), z.maxLength(MAX_NAME_BYTES)));
const time = lazy(() => z.iso.datetime());
const count = lazy(() => z.int().check(z.minimum(0)));
/** Left out where it is not true. */
const flag = (description: string) => z.optional(z.boolean()).check(z.describe(description));
const counts = () => ({ pending: count(), delivered: count(), dead: count(), dropped: count() });

function answerSchema({ operatingPoints }: ScorableModel, T: number) {
  return z.strictObject({
    key: name(),
    source: text(),
    id: name(),
    timestamp: time(),
    seq: z.int().check(z.minimum(1), z.describe("Counts the key's events in the order they came.")),
    model: text(),
    operatingPoint: z.optional(z.enum(operatingPoints.map((point) => point.name))),
    probability: z.optional(z.number().check(z.minimum(0), z.maximum(1))),
    label: z.optional(z.int().check(z.minimum(0), z.maximum(1))),
    outOfRange: flag("The window lies outside what training saw."),
    warming: flag("The window is shorter than the shortest sequence in training: no score."),
    fresh: flag("The window began anew with this event: the rows before it were for a model of other features."),
    late: flag("Older than a full window: remembered, not scored."),
    filled: count().check(z.maximum(T)),
    timesteps: z.int().check(z.minimum(T), z.maximum(T)),
    window: z.array(z.strictObject({ seq: count(), id: name() })).check(z.maxLength(T), z.describe("What was scored, oldest first.")),
  });
}

function viewSchema({ recipe }: ScorableModel, shape: Shape) {
  const { timesteps: T } = shape;
  const values = z.optional(
    rowOf(shape).check(z.describe(`For scope admin: ${recipe.features.slice(0, widthWithoutTime(shape)).join(", ")}.`)),
  );
  const row = z.strictObject({ seq: count(), source: text(), id: name(), timestamp: time(), values });
  return z.strictObject({
    key: name(),
    seq: count(),
    filled: count().check(z.maximum(T)),
    timesteps: z.int().check(z.minimum(T), z.maximum(T)),
    window: z.array(row).check(z.maxLength(T)),
    expires: z.nullable(time()).check(z.describe("When the window is forgotten if nothing comes.")),
    remembered: count().check(z.describe("Events whose ids are known.")),
    owner: z
      .nullable(text())
      .check(z.describe("The source that writes the window; api for keys; * where several did before it was asked.")),
    deliveries: z.strictObject(counts()),
  });
}

function deliverySchemas() {
  const cursor = z.optional(text());
  const ListedStream = z.strictObject({ key: name(), ...counts() });
  const Delivery = z.strictObject({
    id: text().check(z.describe("webhook-id, the same on every attempt.")),
    key: name(),
    seq: count().check(z.describe("The event whose result it carries.")),
    destination: text(),
    state: z.enum(DELIVERY_STATES),
    attempts: count(),
    created: time(),
    due: z.nullable(time()),
    status: z.nullable(z.int()).check(z.describe("Of the last attempt.")),
    diagnostics: text().check(z.describe("Why the last attempt failed: the beginning of what the receiver said.")),
  });
  return {
    ListedStream,
    ListedStreams: z.strictObject({ streams: z.array(ListedStream), cursor }),
    Delivery,
    Deliveries: z.strictObject({ deliveries: z.array(Delivery), cursor }),
    Replayed: z.strictObject({ replayed: count(), cursor }),
    Metrics: z.strictObject({ streams: count(), deliveries: z.strictObject(counts()), destinations: z.array(destinationSchema()) }),
  };
}

function destinationSchema() {
  return z.strictObject({
    name: text(),
    state: z.enum(["closed", "open"]).check(z.describe("Of its circuit breaker; open: it failed everywhere and is paused.")),
    openedAt: z.nullable(time()),
    probeAt: z.nullable(time()).check(z.describe("The earliest time of the next attempt while it is open.")),
  });
}
