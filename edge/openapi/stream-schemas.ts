// The components of the document that are about streams, deliveries and metrics. Requests are in rows.ts, queries in streams/requests.ts.
import { MAX_BATCH_ROWS } from "../deliveries/batches.ts";
import { DELIVERY_STATES } from "../deliveries/outbox-rows.ts";
import { SOURCE_OUTCOMES } from "../streams/source-events.ts";
import { MAX_NAME_BYTES } from "../webhooks/event.ts";
import { event, featureRow } from "./rows.ts";
import { ANSWERED_POINT, hole, type Json, list, object, orNull, ref, text } from "./terms.ts";

/** Its bounds tell generated clients that 32 bits are not enough. */
const whole: Json = { type: "integer", minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
const count: Json = { ...whole, minimum: 0 };
const name: Json = { ...text, minLength: 1, maxLength: MAX_NAME_BYTES };
const time: Json = { ...text, format: "date-time" };
const filled: Json = { ...count, maximum: hole("timesteps") };
const timesteps: Json = { type: "integer", minimum: hole("timesteps"), maximum: hole("timesteps") };
const counts = object({ pending: count, delivered: count, dead: count, dropped: count });
/** Left out where it is not true. */
const flag = (description: string): Json => ({ type: "boolean", description });

/** By their names. */
export function streamSchemas(): Record<string, Json> {
  const batch = object({ events: list(ref("StreamEvent"), { minItems: 1, maxItems: hole("sequences") }) });
  const ignored = object({ source: text, ignored: { type: "boolean" } });
  const several = object({ results: list(ref("StreamAnswer"), { minItems: 1 }) });
  const delivered = { type: { ...text, const: "prediction.created" }, timestamp: time, data: ref("StreamAnswer") };
  return {
    StreamEvent: event(),
    StreamRequest: {
      anyOf: [ref("StreamEvent"), batch],
      description: "One event, or events in the order they are to be taken: all or none.",
    },
    StreamAnswer: answer(),
    StreamAnswers: { anyOf: [ref("StreamAnswer"), several] },
    StreamView: view(),
    HookAnswer: { anyOf: [ref("StreamAnswer"), several, ignored], description: "ignored: the source does not want it." },
    DeliveredResult: object(delivered),
    DeliveredRow: object({ id: { ...text, description: "The webhook-id of its own that GET /v1/deliveries lists." }, ...delivered }),
    DeliveredBatch: list(ref("DeliveredRow"), { minItems: 1, maxItems: MAX_BATCH_ROWS }),
    ...deliverySchemas(),
  };
}

function answer(): Json {
  const properties = {
    key: name,
    source: text,
    id: name,
    timestamp: time,
    seq: { ...whole, minimum: 1, description: "Counts the key's events in the order they came." },
    model: text,
    operatingPoint: ANSWERED_POINT,
    probability: { type: "number", minimum: 0, maximum: 1 },
    label: { type: "integer", minimum: 0, maximum: 1 },
    outOfRange: flag("The window lies outside what training saw."),
    warming: flag("The window is shorter than the shortest sequence in training: no score."),
    fresh: flag("The window began anew with this event: the rows before it were for a model of other features."),
    late: flag("Older than a full window: remembered, not scored."),
    filled,
    timesteps,
    window: list(object({ seq: count, id: name }), { maxItems: hole("timesteps"), description: "What was scored, oldest first." }),
  };
  return object(properties, ["operatingPoint", "probability", "label", "outOfRange", "warming", "fresh", "late"]);
}

function view(): Json {
  const values = { ...featureRow, description: `For scope admin: ${hole("rowText")}.` };
  const row = object({ seq: count, source: text, id: name, timestamp: time, values }, ["values"]);
  return object({
    key: name,
    seq: count,
    filled,
    timesteps,
    window: list(row, { maxItems: hole("timesteps") }),
    expires: orNull(time, "When the window is forgotten if nothing comes."),
    remembered: { ...count, description: "Events whose ids are known." },
    owner: {
      type: ["string", "null"],
      description: "The source that writes the window; api for keys; * where several did before it was asked.",
    },
    deliveries: counts,
  });
}

function deliverySchemas(): Record<string, Json> {
  const cursor = text;
  const delivery = {
    id: { ...text, description: "webhook-id, the same on every attempt." },
    key: name,
    seq: { ...count, description: "The event whose result it carries." },
    destination: text,
    state: { ...text, enum: DELIVERY_STATES },
    attempts: count,
    created: time,
    due: orNull(time),
    status: orNull(whole, "Of the last attempt."),
    diagnostics: { ...text, description: "Why the last attempt failed: the beginning of what the receiver said." },
    attempted: orNull(time, "When the last attempt began."),
    ms: orNull(count, "How long the last attempt took, in milliseconds."),
    batch: orNull(text, "The webhook-id of the batch that it is sent in; null: it is sent by itself, or waits for a batch."),
  };
  const diagnostics = { ...text, description: "The beginning of what the receiver said, or why there was no answer." };
  const attempt = { at: time, ms: count, status: orNull(whole, "null: there was no answer."), diagnostics };
  const detailed = {
    ...delivery,
    body: { ...text, description: "What is sent, the same on every attempt." },
    history: list(object(attempt), { description: "The latest attempts, oldest first, those before a replay included." }),
  };
  const destination = {
    name: text,
    state: { ...text, enum: ["closed", "open"], description: "Of its circuit breaker; open: it failed everywhere and is paused." },
    openedAt: orNull(time),
    probeAt: orNull(time, "The earliest time of the next attempt while it is open."),
  };
  return {
    ListedStream: object({ key: name, ...(counts.properties as Json) }),
    ListedStreams: object({ streams: list(ref("ListedStream")), cursor }, ["cursor"]),
    Delivery: object(delivery),
    Deliveries: object({ deliveries: list(ref("Delivery")), cursor }, ["cursor"]),
    WholeDelivery: object(detailed),
    Made: object({ id: text }),
    Replayed: object({ replayed: count, cursor }, ["cursor"]),
    Metrics: object({ streams: count, deliveries: counts, destinations: list(object(destination)), sources: list(source()) }),
  };
}

function source(): Json {
  const counted = Object.fromEntries(SOURCE_OUTCOMES.map((outcome) => [outcome, count]));
  const event = { at: time, outcome: { ...text, enum: SOURCE_OUTCOMES }, reason: { ...text, description: "Why it was refused." } };
  return object({
    name: text,
    hours: list(object({ from: time, ...counted }), {
      description: "Webhooks by the hour, of the last day; hours without any are left out.",
    }),
    last: list(object(event), { description: "The last of each outcome, newest first." }),
  });
}
