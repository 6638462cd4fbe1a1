// The part of the OpenAPI document that is about streams and deliveries.
// Legend: T steps, F features.
import { operatingPointNames, type Served } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { DELIVERY_STATES } from "../deliveries/outbox.ts";
import { DEFAULT_LIMIT, MAX_LIMIT } from "../http/query.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { MAX_NAME_BYTES } from "../webhooks/event.ts";
import { BODIED, type Json, json, KEYED, type Operation, type Paths, PROBLEM, ref, text } from "./terms.ts";

const count: Json = { type: "integer", minimum: 0 };
const flag = (description: string): Json => ({ const: true, description });
const time: Json = { ...text, format: "date-time" };

const object = (properties: Record<string, Json>, optional: readonly string[] = []): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const list = (name: string, item: string): Json => object({ [name]: { type: "array", items: ref(item) }, cursor: text }, ["cursor"]);

export function streamSchemas(model: Served): Record<string, Json> {
  const { recipe, operatingPoints } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const row: Json = { type: "array", minItems: F, maxItems: F, items: { type: "number" }, description: recipe.features.join(", ") };
  const name: Json = { ...text, minLength: 1, maxLength: MAX_NAME_BYTES };
  const counts = Object.fromEntries(["pending", "delivered", "dead", "dropped"].map((state) => [state, count]));
  return {
    StreamEvent: object({
      id: { type: ["string", "integer"], minLength: 1, maxLength: MAX_NAME_BYTES, description: "The same event sent again has the same." },
      timestamp: { type: ["string", "number"], description: "ISO 8601 with its zone, or seconds or milliseconds since 1970." },
      values: row,
    }),
    StreamRequest: {
      description: "One event, or events in the order they are to be taken: all or none.",
      oneOf: [
        ref("StreamEvent"),
        object({ events: { type: "array", minItems: 1, maxItems: maxSequences(recipe), items: ref("StreamEvent") } }),
      ],
    },
    StreamAnswer: object(
      {
        key: name,
        source: text,
        id: name,
        timestamp: time,
        seq: { type: "integer", minimum: 1, description: "Counts the key's events in the order they came." },
        model: text,
        // An answer may be older than the artifact that serves now.
        operatingPoint: { enum: operatingPointNames(operatingPoints) },
        probability: { type: "number", minimum: 0, maximum: 1 },
        label: { enum: [0, 1] },
        outOfRange: flag("The window lies outside what training saw."),
        warming: flag("The window is shorter than the shortest sequence in training: no score."),
        late: flag("Older than a full window: remembered, not scored."),
        filled: { ...count, maximum: T },
        timesteps: { const: T },
        window: { type: "array", maxItems: T, items: object({ seq: count, id: name }), description: "What was scored, oldest first." },
      },
      ["operatingPoint", "probability", "label", "outOfRange", "warming", "late"],
    ),
    StreamAnswers: { oneOf: [ref("StreamAnswer"), object({ results: { type: "array", minItems: 1, items: ref("StreamAnswer") } })] },
    StreamView: object({
      key: name,
      seq: count,
      filled: { ...count, maximum: T },
      timesteps: { const: T },
      window: { type: "array", maxItems: T, items: object({ seq: count, source: text, id: name, timestamp: time, values: row }) },
      expires: { ...time, type: ["string", "null"], description: "When the window is forgotten if nothing comes." },
      deliveries: object(counts),
    }),
    ListedStream: object({ key: name, ...counts }),
    ListedStreams: list("streams", "ListedStream"),
    Delivery: object({
      id: { ...text, description: "webhook-id, the same on every attempt." },
      key: name,
      seq: { ...count, description: "The event whose result it carries." },
      destination: text,
      state: { enum: DELIVERY_STATES },
      attempts: count,
      created: time,
      due: { ...time, type: ["string", "null"] },
      status: { type: ["integer", "null"], description: "Of the last attempt." },
      diagnostics: { ...text, description: "Why the last attempt failed: the beginning of what the receiver said." },
    }),
    Deliveries: list("deliveries", "Delivery"),
    Replayed: object({ replayed: count, cursor: text }, ["cursor"]),
    Metrics: object({ streams: count, deliveries: object(counts) }),
  };
}

export function streamPaths(model: Served): Paths {
  const key: Json = { name: "key", in: "path", required: true, schema: text, description: "Percent-encoded." };
  const query = (name: string, schema: Json, description: string): Json => ({ name, in: "query", schema, description });
  const paging = [
    query("limit", { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }, "At most so many."),
    query("cursor", text, "Where the rest begins, as the last answer said."),
  ];
  const destination = query("destination", text, "A name that DESTINATIONS lists.");
  const read = (summary: string, schema: string, parameters: readonly Json[], problems: Record<string, Json> = {}): Operation => ({
    summary,
    description: "Scope: read.",
    security: [{ key: ["read"] }],
    parameters,
    responses: { "200": { description: "As it says.", content: json(ref(schema)) }, "422": PROBLEM, ...problems, ...KEYED },
  });
  const change = (summary: string, description: string, parameters: readonly Json[], answers: Record<string, Json>): Operation => ({
    summary,
    description: `Scope: admin. ${description}`,
    security: [{ key: ["admin"] }],
    parameters,
    responses: { ...answers, "422": PROBLEM, ...KEYED },
  });
  const example = { id: "bar-17", timestamp: "2026-01-31T12:00:00Z", values: lastRow(model) };
  return {
    "/v1/streams/{key}/events": {
      post: {
        summary: "Add an event to a key's window and score it",
        description: `Scope: score. The same event again gets the same answer; its id with anything else a 409. At most ${maxSequences(model.recipe)} events, of which all are taken or none.`,
        security: [{ key: ["score"] }],
        parameters: [key],
        requestBody: { required: true, content: json(ref("StreamRequest"), example) },
        responses: {
          "200": { description: "Stored and scored.", content: json(ref("StreamAnswers")) },
          "409": PROBLEM,
          ...BODIED,
          ...KEYED,
        },
      },
    },
    "/v1/streams/{key}": {
      get: read("A key's window", "StreamView", [key], { "404": PROBLEM }),
      delete: change("Forget a key's window", "Its ids stay known, its deliveries go on.", [key], {
        "204": { description: "Forgotten." },
        "404": PROBLEM,
      }),
    },
    "/v1/streams": { get: read("All keys, with counts some seconds old", "ListedStreams", paging) },
    "/v1/deliveries": {
      get: read("Deliveries, of one key newest first, else key by key", "Deliveries", [
        query("state", { enum: DELIVERY_STATES }, "Only these."),
        query("key", text, "Of this key."),
        destination,
        ...paging,
      ]),
    },
    "/v1/deliveries/replay": {
      post: change(
        "Send all dead deliveries to a destination again",
        "Of some keys at a time: again with the cursor until there is none.",
        [destination, paging[1]],
        {
          "200": { description: "How many.", content: json(ref("Replayed")) },
        },
      ),
    },
    "/v1/deliveries/{id}/replay": {
      post: change(
        "Send a delivery again",
        "Whatever became of it, under the same id.",
        [{ name: "id", in: "path", required: true, schema: text }],
        {
          "202": { description: "It is due." },
          "404": PROBLEM,
        },
      ),
    },
    "/v1/metrics": { get: read("Counts of streams, and of deliveries by state, some seconds old", "Metrics", []) },
  };
}

/** Of a golden vector, to the digits that people read. */
function lastRow({ recipe, golden }: Served): number[] {
  const { timesteps: T, features: F } = shapeOf(recipe);
  const k = golden.probabilities.length - 3; // a random walk of full length
  return Array.from(golden.inputs.subarray((k * T + T - 1) * F, (k * T + T) * F), (x) => Number(x.toPrecision(8)));
}
