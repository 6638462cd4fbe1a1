// The service as OpenAPI 3.1, from the constants and schemas that validate. The build writes it with holes where the model's figures belong.
import { VERSION } from "../../shared/version.ts";
import { SCOPES } from "../http/access.ts";
import { PROBLEMS } from "../http/problem.ts";
import { MAX_HOOK_BYTES } from "../webhooks/extraction.ts";
import { inferencePaths, inferenceSchemas } from "./inference.ts";
import { registryPaths, registrySchemas } from "./models.ts";
import { monitorPaths, monitorSchemas } from "./monitor.ts";
import { predictPaths, predictSchemas } from "./predict.ts";
import { scorePaths, scoreSchemas } from "./score.ts";
import { streamSchemas } from "./stream-schemas.ts";
import { deliveryWebhooks, shownStreamAnswer, streamPaths } from "./streams.ts";
import {
  ABOUT,
  BODIED,
  hole,
  type Json,
  json,
  KEYED,
  list,
  type Operation,
  object,
  open,
  type Paths,
  problemResponses,
  problems,
  ref,
  TAGS,
  text,
} from "./terms.ts";

export interface Document {
  readonly openapi: "3.1.0";
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  readonly paths: Paths;
  readonly webhooks: Record<string, Json>;
  readonly components: {
    readonly schemas: Record<string, Json>;
    readonly responses: Record<string, Json>;
    readonly pathItems: Paths;
    readonly securitySchemes: Json;
  };
}

/** The document about any model: what a client may send and what the Worker answers. `fill` makes it that of one. */
export function describeService(): Document {
  const webhooks = deliveryWebhooks();
  return {
    openapi: "3.1.0",
    info: {
      title: `Quickstep: ${hole("name")}`,
      version: VERSION,
      description: "Scores short numeric sequences. Errors are RFC 9457 problems; in a request that has one nothing is scored.",
    },
    servers: [{ url: "/", description: "The Worker that answers with this document." }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: {
      ...scorePaths(),
      ...inferencePaths(),
      ...merged(predictPaths(), registryPaths()),
      ...streamPaths(),
      ...hookPaths(),
      ...monitorPaths(),
      ...otherPaths(),
    },
    // by reference: openapi-generator's Python writes a webhook that stands here as an operation without types, which is no Python
    webhooks: Object.fromEntries(Object.keys(webhooks).map((name) => [name, { $ref: `#/components/pathItems/${name}` }])),
    components: {
      schemas: {
        ...scoreSchemas(),
        ...PROBLEM_SCHEMAS,
        Key: object({ name: text, scopes: list({ ...text, enum: SCOPES }) }),
        ...inferenceSchemas(),
        ...predictSchemas(),
        ...registrySchemas(),
        ...streamSchemas(),
        ...monitorSchemas(),
      },
      responses: problemResponses(),
      pathItems: webhooks,
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "A key with the scope that the operation names, or admin." } },
    },
  };
}

/** Paths that both have get the methods of both. */
function merged(one: Paths, other: Paths): Paths {
  const both = Object.entries(other).map(([path, methods]) => [path, { ...one[path], ...methods }] as const);
  return { ...one, ...Object.fromEntries(both) };
}

function hookPaths(): Paths {
  const source: Json = { name: "source", in: "path", required: true, schema: text, description: "A name that SOURCES lists." };
  const token: Json = { name: "token", in: "path", required: true, schema: text };
  const event = { ticker: "EURUSD", time: "2026-01-31T12:00:00Z", bar: hole("sampleValues") };
  const receive = (operationId: string, summary: string, parameters: readonly Json[]): { post: Operation } => ({
    post: {
      operationId,
      tags: ["hooks"],
      summary,
      description: `No key: the source's own signature, or token, over at most ${MAX_HOOK_BYTES} bytes of JSON, of whatever type they say they are. Where key, time and numbers stand, SOURCES says. A 503 is worth sending again.`,
      parameters,
      requestBody: { required: true, content: json({ type: "object", additionalProperties: true }, event) },
      responses: {
        "200": { description: "Stored, and what the key's stream says of it.", content: json(ref("HookAnswer"), shownStreamAnswer()) },
        ...BODIED,
        ...problems("signature", "forbidden", "notFound", "slow", "conflict", "rate", "loop", "storage"),
      },
    },
  });
  const greet: Operation = open(
    "answerHandshake",
    "hooks",
    "A provider's question whether the address is its own",
    { "text/plain": { schema: text, example: "1158201444" } },
    { parameters: [source] },
    problems("signature", "notFound", "rate"),
  );
  return {
    "/hooks/{source}": {
      get: greet,
      ...receive("receiveWebhook", "A webhook from outside, in its sender's own form", [source]),
    },
    "/hooks/{source}/{token}": receive("receiveWebhookByToken", "The same of a sender that cannot sign", [source, token]),
    "/hooks/{source}/{token}/{key}": receive("receiveWebhookOfKey", "The same where the stream's key stands in the path", [
      source,
      token,
      { name: "key", in: "path", required: true, schema: text },
    ]),
  };
}

function otherPaths(): Paths {
  const page = (example: string): Record<string, Json> => ({ "text/html": { schema: text, example } });
  const live = json(object({ live: { type: "boolean" } }), { live: true });
  const ready = json(object({ ready: { type: "boolean" }, model: text }), { ready: true, model: hole("shownModel") });
  const document = { openapi: "3.1.0", info: {}, paths: {} };
  return {
    "/health/live": { get: open("isLive", "service", "Whether this Worker runs", live) },
    "/health/ready": {
      get: open("isReady", "service", "Whether it has a proven model, readable keys and webhooks", ready, {}, problems("artifact")),
    },
    "/v1/key": {
      get: open(
        "getKey",
        "service",
        "What the key that asks may do",
        json(ref("Key"), { name: "desk", scopes: ["score", "read"] }),
        { security: ABOUT },
        KEYED,
      ),
    },
    "/openapi.json": {
      get: open(
        "getOpenapi",
        "service",
        "This document",
        json({ type: "object", additionalProperties: true }, document),
        {},
        problems("rate", "artifact"),
      ),
    },
    "/docs": { get: open("getDocs", "service", "This document, for people", page("<!doctype html>…"), {}, problems("rate", "artifact")) },
    "/": { get: open("getPage", "service", "A page to try the model on", page("<!doctype html>…")) },
  };
}

const PROBLEM_SCHEMAS: Record<string, Json> = {
  Problem: {
    type: "object",
    properties: {
      type: { type: "string", enum: [...new Set(Object.keys(PROBLEMS))].map((kind) => `urn:quickstep:problem:${kind}`) },
      title: text,
      status: { type: "integer", enum: [...new Set(Object.values(PROBLEMS).map(([status]) => status))] },
      detail: text,
      pointer: { ...text, description: "RFC 6901: where in the body." },
      error: { ...text, description: "Under /v2 and /v1/models: the detail, where their clients look for it." },
    },
    required: ["type", "title", "status", "detail"],
    additionalProperties: false,
  },
  LineError: {
    type: "object",
    properties: { line: { type: "integer", minimum: 1 }, error: ref("Problem") },
    required: ["line", "error"],
    additionalProperties: false,
  },
};
