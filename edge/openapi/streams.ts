// The part of the OpenAPI document that is about streams and deliveries: its paths. Their bodies and queries are in stream-schemas.ts.
import { lazy } from "../http/schema.ts";
import { deliveriesQuery, listQuery, replayQuery, testQuery } from "../streams/requests.ts";
import { MAX_NAME_BYTES, textNameSchema } from "../webhooks/event.ts";
import { SHOWN } from "./figures.ts";
import { jsonSchema, queryParameters } from "./json-schema.ts";
import { BODIED, hole, type Json, json, KEYED, type Operation, type Paths, problems, ref, text } from "./terms.ts";

const KEY = lazy((): Json => {
  const schema = jsonSchema(textNameSchema(), "input");
  return { name: "key", in: "path", required: true, schema, description: `Percent-encoded; at most ${MAX_NAME_BYTES} bytes.` };
});
const DELIVERY_ID: Json = { name: "id", in: "path", required: true, schema: text };

const WHEN = "2026-01-31T12:00:00.000Z";
const COUNTS = { pending: 1, delivered: 16, dead: 0, dropped: 0 };
const DELIVERY = {
  id: "msg_EURUSD_17",
  key: "EURUSD",
  seq: 17,
  destination: "desk",
  state: "pending",
  attempts: 1,
  created: WHEN,
  due: "2026-01-31T12:00:05.000Z",
  status: 503,
  diagnostics: "answered 503",
  attempted: WHEN,
  ms: 120,
  batch: null,
};
const HISTORY = [{ at: WHEN, ms: 120, status: 503, diagnostics: "answered 503" }];
const SENT = `{"type":"prediction.created","timestamp":"${WHEN}","data":{}}`;
const METRICS = {
  streams: 1,
  deliveries: COUNTS,
  destinations: [{ name: "desk", state: "closed", openedAt: null, probeAt: null }],
  sources: [
    {
      name: "alerts",
      hours: [{ from: WHEN, taken: 16, replayed: 1, late: 0, refused: 1, ignored: 0 }],
      last: [{ at: WHEN, outcome: "refused", reason: "the signature is not that of the body" }],
    },
  ],
};

/** What a stream says of an event, as an example. */
export function shownStreamAnswer(): object {
  const scored = { operatingPoint: hole("firstPoint"), probability: SHOWN, label: hole("shownLabel") };
  const place = { filled: 1, timesteps: hole("timesteps"), window: [{ seq: 17, id: "bar-17" }] };
  return { key: "EURUSD", source: "api", id: "bar-17", timestamp: WHEN, seq: 17, model: hole("shownModel"), ...scored, ...place };
}

function shownView(): object {
  const window = [{ seq: 17, source: "api", id: "bar-17", timestamp: WHEN }];
  const state = { expires: "2026-02-07T12:00:00.000Z", remembered: 17, owner: "api", deliveries: COUNTS };
  return { key: "EURUSD", seq: 17, filled: 1, timesteps: hole("timesteps"), window, ...state };
}

/** The paths of streams, deliveries and metrics. */
export function streamPaths(): Paths {
  return { ...streams(), ...deliveries() };
}

function streams(): Paths {
  const times = { id: "bar-17", timestamp: "2026-01-31T12:00:00Z" };
  const example = { ...times, values: hole("sampleValues"), static: hole("sampleStatic") };
  return {
    "/v1/streams/{key}/events": {
      post: {
        operationId: "addEvents",
        tags: ["streams"],
        summary: "Add an event to a key's window and score it",
        description: `Scope: score. The same event again gets the same answer; its id with anything else a 409. At most ${hole("sequences")} events, of which all are taken or none.`,
        security: [{ key: ["score"] }],
        parameters: [KEY()],
        requestBody: { required: true, content: json(ref("StreamRequest"), example) },
        responses: {
          "200": { description: "Stored and scored.", content: json(ref("StreamAnswers"), shownStreamAnswer()) },
          ...problems("conflict", "loop"),
          ...BODIED,
          ...KEYED,
        },
      },
    },
    "/v1/streams/{key}": {
      get: read("getStream", "streams", "A key's window", ["StreamView", shownView()], [KEY()], problems("notFound")),
      delete: change("deleteStream", "streams", "Forget a key's window", "Its ids stay known, its deliveries go on.", [KEY()], {
        "204": { description: "Forgotten." },
        ...problems("notFound"),
      }),
    },
    "/v1/streams": {
      get: read(
        "listStreams",
        "streams",
        "All keys, with counts some seconds old",
        ["ListedStreams", { streams: [{ key: "EURUSD", ...COUNTS }] }],
        queryParameters(listQuery()),
      ),
    },
  };
}

function deliveries(): Paths {
  return {
    "/v1/deliveries": {
      get: read(
        "listDeliveries",
        "deliveries",
        "Deliveries, of one key newest first, else key by key",
        ["Deliveries", { deliveries: [DELIVERY], cursor: "WzAsIkVVUlVTRCIsMTdd" }],
        queryParameters(deliveriesQuery()),
      ),
    },
    "/v1/deliveries/replay": {
      post: change(
        "replayDeliveries",
        "deliveries",
        "Send all deliveries of a filter again",
        "Dead ones where no state is said. Without key, of some keys at a time: again with the cursor until there is none.",
        queryParameters(replayQuery()),
        { "200": { description: "How many.", content: json(ref("Replayed"), { replayed: 3 }) } },
      ),
    },
    "/v1/deliveries/test": {
      post: change(
        "testDestination",
        "deliveries",
        "Send a test event to a destination",
        "A delivery as the destination gets them, whatever its condition: its key is quickstep:test, its type destination.test.",
        queryParameters(testQuery()),
        { "202": { description: "It is due.", content: json(ref("Made"), { id: DELIVERY.id }) } },
      ),
    },
    "/v1/deliveries/{id}": {
      get: read(
        "getDelivery",
        "deliveries",
        "A delivery: what it sends, and each attempt",
        ["WholeDelivery", { ...DELIVERY, body: SENT, history: HISTORY }],
        [DELIVERY_ID],
        problems("notFound"),
      ),
    },
    "/v1/deliveries/{id}/replay": {
      post: change("replayDelivery", "deliveries", "Send a delivery again", "Whatever became of it, under the same id.", [DELIVERY_ID], {
        "202": { description: "It is due." },
        ...problems("notFound"),
      }),
    },
    "/v1/metrics": {
      get: read("getMetrics", "streams", "Counts of streams, and of deliveries by state, some seconds old", ["Metrics", METRICS], []),
    },
  };
}

/** What receivers get: each result of a stream, signed as Standard Webhooks 1.0.0 says. */
export function deliveryWebhooks(): Paths {
  const header = (name: string, description: string): Json => ({ name, in: "header", required: true, schema: text, description });
  const receive = (operationId: string, summary: string, schema: string, example: object): Paths[string] => ({
    post: {
      operationId,
      tags: ["deliveries"],
      summary,
      description:
        "Signed as Standard Webhooks 1.0.0 says. A delivery comes again, with the same webhook-id, until it is answered with a 2xx.",
      parameters: [
        header("webhook-id", "The same on every attempt."),
        header("webhook-timestamp", "Of this attempt, in seconds since 1970."),
        header(
          "webhook-signature",
          "One signature of each key, separated by spaces: v1,base64 of an HMAC-SHA256, or v1a,base64 of Ed25519.",
        ),
      ],
      requestBody: {
        required: true,
        content: json(ref(schema), example),
      },
      responses: {
        "2XX": { description: "Taken: it is not sent again." },
        "410": { description: "Not wanted any more: the destination is disabled for this key." },
        default: { description: "Sent again later." },
      },
    },
  });
  const result = { type: "prediction.created", timestamp: WHEN, data: shownStreamAnswer() };
  return {
    result: receive("receiveResult", "A result of a stream", "DeliveredResult", result),
    batch: receive("receiveBatch", "Results of a stream, where the destination takes batches", "DeliveredBatch", [
      { id: DELIVERY.id, ...result },
    ]),
  };
}

function read(
  operationId: string,
  tag: Operation["tags"][number],
  summary: string,
  [schema, example]: readonly [schema: string, example: object],
  parameters: readonly Json[],
  refusals: Record<string, Json> = {},
): Operation {
  return {
    operationId,
    tags: [tag],
    summary,
    description: "Scope: read.",
    security: [{ key: ["read"] }],
    parameters,
    responses: {
      "200": { description: "As it says.", content: json(ref(schema), example) },
      ...problems("parameter"),
      ...refusals,
      ...KEYED,
    },
  };
}

function change(
  operationId: string,
  tag: Operation["tags"][number],
  summary: string,
  description: string,
  parameters: readonly Json[],
  answers: Record<string, Json>,
): Operation {
  return {
    operationId,
    tags: [tag],
    summary,
    description: `Scope: admin. ${description}`,
    security: [{ key: ["admin"] }],
    parameters,
    responses: { ...answers, ...problems("parameter"), ...KEYED },
  };
}
