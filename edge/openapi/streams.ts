// The part of the OpenAPI document that is about streams and deliveries: its paths. Their bodies and queries are in stream-schemas.ts.
// Legend: T steps, F features.

import type { ScorableModel } from "../../shared/model.ts";
import { sampleSequence } from "../../shared/sample.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { queryParameters } from "./json-schema.ts";
import { deliveriesQuery, listQuery, replayQuery } from "./stream-schemas.ts";
import { BODIED, type Json, json, KEYED, type Operation, type Paths, PROBLEM, ref, text } from "./terms.ts";

const KEY: Json = { name: "key", in: "path", required: true, schema: text, description: "Percent-encoded." };
const DELIVERY_ID: Json = { name: "id", in: "path", required: true, schema: text };

/** The paths of streams, deliveries and metrics. */
export function streamPaths(model: ScorableModel): Paths {
  return { ...streamsOf(model), ...deliveries() };
}

function streamsOf(model: ScorableModel): Paths {
  const example = { id: "bar-17", timestamp: "2026-01-31T12:00:00Z", values: sampleSequence(model).at(-1)! };
  return {
    "/v1/streams/{key}/events": {
      post: {
        summary: "Add an event to a key's window and score it",
        description: `Scope: score. The same event again gets the same answer; its id with anything else a 409. At most ${maxSequences(model.recipe)} events, of which all are taken or none.`,
        security: [{ key: ["score"] }],
        parameters: [KEY],
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
      get: read("A key's window", "StreamView", [KEY], { "404": PROBLEM }),
      delete: change("Forget a key's window", "Its ids stay known, its deliveries go on.", [KEY], {
        "204": { description: "Forgotten." },
        "404": PROBLEM,
      }),
    },
    "/v1/streams": { get: read("All keys, with counts some seconds old", "ListedStreams", queryParameters(listQuery())) },
  };
}

function deliveries(): Paths {
  return {
    "/v1/deliveries": {
      get: read("Deliveries, of one key newest first, else key by key", "Deliveries", queryParameters(deliveriesQuery())),
    },
    "/v1/deliveries/replay": {
      post: change(
        "Send all dead deliveries to a destination again",
        "Of some keys at a time: again with the cursor until there is none.",
        queryParameters(replayQuery()),
        { "200": { description: "How many.", content: json(ref("Replayed")) } },
      ),
    },
    "/v1/deliveries/{id}/replay": {
      post: change("Send a delivery again", "Whatever became of it, under the same id.", [DELIVERY_ID], {
        "202": { description: "It is due." },
        "404": PROBLEM,
      }),
    },
    "/v1/metrics": { get: read("Counts of streams, and of deliveries by state, some seconds old", "Metrics", []) },
  };
}

function read(summary: string, schema: string, parameters: readonly Json[], problems: Record<string, Json> = {}): Operation {
  return {
    summary,
    description: "Scope: read.",
    security: [{ key: ["read"] }],
    parameters,
    responses: { "200": { description: "As it says.", content: json(ref(schema)) }, "422": PROBLEM, ...problems, ...KEYED },
  };
}

function change(summary: string, description: string, parameters: readonly Json[], answers: Record<string, Json>): Operation {
  return {
    summary,
    description: `Scope: admin. ${description}`,
    security: [{ key: ["admin"] }],
    parameters,
    responses: { ...answers, "422": PROBLEM, ...KEYED },
  };
}
