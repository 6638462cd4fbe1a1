// The service as OpenAPI 3.1, from the constants that validate and the model that is deployed. What a JSON
// schema cannot say is in the descriptions: a sequence of nothing but padding is refused, and more explanations than a request
// may cost.
// Legend: T steps, F features.
import type { Served } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { VERSION } from "../../shared/version.ts";
import { MAX_BODY_BYTES } from "../http/body.ts";
import { PROBLEMS } from "../http/problem.ts";
import { maxExplained } from "../scoring/occlusion.ts";
import { MAX_LINE_BYTES } from "../scoring/score-lines.ts";
import { SCORE_TYPES } from "../scoring/score-request.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { MAX_HOOK_BYTES } from "../webhooks/extraction.ts";
import { inferencePaths, inferenceSchemas } from "./inference.ts";
import { componentsOf } from "./json-schema.ts";
import { streamSchemas } from "./stream-schemas.ts";
import { streamPaths } from "./streams.ts";
import {
  answeredPointOf,
  BODIED,
  exampleSequence,
  type Json,
  json,
  KEYED,
  type Operation,
  open,
  type Paths,
  PROBLEM,
  pointOf,
  priorOf,
  ref,
  text,
} from "./terms.ts";

export interface Document {
  readonly openapi: "3.1.0";
  readonly info: Json;
  readonly paths: Paths;
  readonly components: { readonly schemas: Record<string, Json>; readonly securitySchemes: Json };
}

/** The document about `model`: what a client may send and what the Worker answers. */
export function describeService(model: Served): Document {
  return {
    openapi: "3.1.0",
    info: {
      title: `Quickstep: ${model.name}`,
      version: VERSION,
      description: "Scores short numeric sequences. Errors are RFC 9457 problems; in a request that has one nothing is scored.",
    },
    paths: { ...scorePaths(model), ...inferencePaths(model), ...streamPaths(model), ...hookPaths(), ...otherPaths() },
    components: {
      schemas: { ...schemasOf(model), ...inferenceSchemas(model), ...componentsOf(streamSchemas(model)) },
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "A key with the scope that the operation names, or admin." } },
    },
  };
}

function schemasOf(model: Served): Record<string, Json> {
  const { recipe } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const point = pointOf(model);
  const prior = priorOf(model);
  const probability: Json = { type: "number", minimum: 0, maximum: 1, description: "Calibrated; a float32, written exactly." };
  return {
    Sequence: {
      type: "array",
      description: `Up to ${T} rows of ${F} numbers: ${recipe.features.join(", ")}. Fewer rows are padding in front. At least one row must not be all zeros.`,
      minItems: 1,
      maxItems: T,
      items: { type: "array", minItems: F, maxItems: F, items: { type: "number" } },
    },
    ScoreRequest: {
      type: "object",
      description: `Either sequence or sequences. With explain at most ${maxExplained(recipe)} sequences.`,
      properties: {
        sequence: ref("Sequence"),
        sequences: { type: "array", minItems: 1, maxItems: maxSequences(recipe), items: ref("Sequence") },
        operatingPoint: { ...point, description: "Where probabilities become labels." },
        explain: { type: "boolean", default: false },
        prior,
      },
      additionalProperties: false,
      oneOf: [{ required: ["sequence"] }, { required: ["sequences"] }],
    },
    ScoreAnswer: {
      type: "object",
      properties: { model: text, operatingPoint: answeredPointOf(model), results: { type: "array", minItems: 1, items: ref("Result") } },
      required: ["model", "operatingPoint", "results"],
      additionalProperties: false,
    },
    Result: {
      type: "object",
      properties: {
        probability,
        label: { enum: [0, 1] },
        outOfRange: { const: true, description: "The sequence lies outside what training saw." },
        explanation: ref("Explanation"),
      },
      required: ["probability", "label"],
      additionalProperties: false,
    },
    Explanation: {
      type: "object",
      description:
        "The change of the logit when one step's, or one feature's, channels are set to the training mean. They need not sum to anything.",
      properties: {
        method: { const: "occlusion" },
        steps: { type: "array", minItems: T, maxItems: T, items: { type: ["number", "null"] }, description: "null for padding" },
        features: { type: "array", minItems: F, maxItems: F, items: { type: "number" } },
      },
      required: ["method", "steps", "features"],
      additionalProperties: false,
    },
    Problem: {
      type: "object",
      properties: {
        type: { enum: [...new Set(Object.keys(PROBLEMS))].map((kind) => `urn:quickstep:problem:${kind}`) },
        title: text,
        status: { enum: [...new Set(Object.values(PROBLEMS).map(([status]) => status))] },
        detail: text,
        pointer: { ...text, description: "RFC 6901: where in the body." },
        error: { ...text, description: "Under /v2: the detail, where its clients look for it." },
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
}

function scorePaths(model: Served): Paths {
  const { recipe } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const [JSON_TYPE, NDJSON, OCTETS, NPY] = SCORE_TYPES;
  const numbers: Json = { type: "string", format: "binary" };
  return {
    "/v1/score": {
      post: {
        summary: "Score sequences",
        description:
          `Scope: score. At most ${maxSequences(recipe)} sequences and ${MAX_BODY_BYTES} bytes a request. The answer is of the request's type; ` +
          `bare numbers and arrays are answered as JSON with the header \`accept: application/json\`.`,
        security: [{ key: ["score"] }],
        parameters: [
          { name: "operatingPoint", in: "query", schema: pointOf(model) },
          { name: "explain", in: "query", schema: { enum: ["true", "false"], default: "false" } },
          ...(model.positiveRate === undefined ? [] : [{ name: "prior", in: "query", schema: priorOf(model) }]),
        ],
        requestBody: {
          required: true,
          content: {
            [JSON_TYPE]: { schema: ref("ScoreRequest"), example: { sequence: exampleSequence(model) } },
            [NDJSON]: {
              schema: numbers,
              description: `A sequence, or an object with one as sequence, on each line of at most ${MAX_LINE_BYTES} bytes; any number of lines. Results leave while lines arrive; a bad line is answered with a LineError.`,
            },
            [OCTETS]: {
              schema: numbers,
              description: `(N, ${T}, ${F}) little-endian float64; float32 with the type's parameter dtype=float32. Answer: (N) probabilities of the same type.`,
            },
            [NPY]: { schema: numbers, description: `An array of NumPy, (N, 1 to ${T}, ${F}). Answer: an array of (N) probabilities.` },
          },
        },
        responses: {
          "200": {
            description: "Results in the order of the sequences.",
            content: {
              [JSON_TYPE]: { schema: ref("ScoreAnswer") },
              [NDJSON]: { schema: { oneOf: [ref("Result"), ref("LineError")] } },
              [OCTETS]: { schema: numbers },
              [NPY]: { schema: numbers },
            },
          },
          ...BODIED,
          ...KEYED,
        },
      },
    },
    "/v1/model": {
      get: {
        summary: "The deployed model's card",
        description: "Scope: read.",
        security: [{ key: ["read"] }],
        responses: { "200": { description: "Features, recipe, metrics, limits.", content: json({ type: "object" }) }, ...KEYED },
      },
    },
  };
}

function hookPaths(): Paths {
  const source: Json = { name: "source", in: "path", required: true, schema: text, description: "A name that SOURCES lists." };
  const token: Json = { name: "token", in: "path", required: true, schema: text };
  const receive = (summary: string, parameters: readonly Json[]): { post: Operation } => ({
    post: {
      summary,
      description: `No key: the source's own signature, or token, over at most ${MAX_HOOK_BYTES} bytes of JSON, of whatever type they say they are. A 503 is worth sending again.`,
      parameters,
      requestBody: { required: true, content: { "*/*": { schema: { type: "object" } } } },
      responses: {
        "200": { description: "Stored, and what the key's stream says of it.", content: json({ type: "object" }) },
        ...BODIED,
        "401": PROBLEM,
        "404": PROBLEM,
        "409": PROBLEM,
        "503": PROBLEM,
      },
    },
  });
  return {
    "/hooks/{source}": receive("A webhook from outside, in its sender's own form", [source]),
    "/hooks/{source}/{token}": receive("The same of a sender that cannot sign", [source, token]),
  };
}

function otherPaths(): Paths {
  const page: Record<string, Json> = { "text/html": { schema: { type: "string" } } };
  return {
    "/health/live": { get: open("Whether this Worker runs", json({ type: "object" })) },
    "/health/ready": {
      get: open("Whether it has a proven model, readable keys and webhooks", json({ type: "object" }), {}, { "503": PROBLEM }),
    },
    "/openapi.json": { get: open("This document", json({ type: "object" })) },
    "/docs": { get: open("This document, for people", page) },
    "/": { get: open("A page to try the model on", page) },
  };
}
