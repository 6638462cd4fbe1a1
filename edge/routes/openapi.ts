// GET /openapi.json: the service as OpenAPI 3.1, from the constants that validate and the model that is deployed. What a JSON
// schema cannot say is in the descriptions: a sequence of nothing but padding is refused, and more explanations than a request
// may cost.
// Legend: T steps, F features.
import { Hono } from "hono";
import type { Served } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe.ts";
import { isZeroRow } from "../../shared/sequence.ts";
import { VERSION } from "../../shared/version.ts";
import { MAX_BODY_BYTES } from "../body.ts";
import type { Ready } from "../deployment.ts";
import { INPUT, INPUT_DATATYPES, OUTPUTS } from "../inference-request.ts";
import { allowOnly, type EdgeEnv } from "../middleware.ts";
import { maxExplained } from "../occlusion.ts";
import { PROBLEMS } from "../problem.ts";
import { MAX_LINE_BYTES } from "../score-lines.ts";
import { maxSequences } from "../scoring.ts";
import { MAX_HOOK_BYTES } from "./hooks.ts";
import { streamPaths, streamSchemas } from "./openapi-streams.ts";
import { BODIED, type Json, json, KEYED, type Operation, type Paths, PROBLEM, ref } from "./openapi-terms.ts";
import { SCORE_TYPES } from "./score.ts";

const text: Json = { type: "string" };

export interface Document {
  readonly openapi: "3.1.0";
  readonly info: Json;
  readonly paths: Paths;
  readonly components: { readonly schemas: Record<string, Json>; readonly securitySchemes: Json };
}

export function openapiRoutes(ready: Ready) {
  let document: string | undefined; // written when first asked for: starting up stays short
  return new Hono<EdgeEnv>()
    .get("/", (c) => c.body((document ??= JSON.stringify(describeService(ready.model))), 200, { "content-type": "application/json" }))
    .all("/", allowOnly("GET", "HEAD"));
}

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
      schemas: { ...schemasOf(model), ...streamSchemas(model) },
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "A key with the scope that the operation names, or admin." } },
    },
  };
}

/** Another base rate than the training part's; the schema of nothing where that is not known. */
function priorOf({ positiveRate }: Served): Json | false {
  if (positiveRate === undefined) return false;
  const description = "How common 1s are where the sequences come from, applied on the logit exactly.";
  return { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1, default: positiveRate, description };
}

function schemasOf(model: Served): Record<string, Json> {
  const { recipe, operatingPoints } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const point: Json = { enum: operatingPoints.map(({ name }) => name), default: operatingPoints[0].name };
  const prior = priorOf(model);
  const probability: Json = { type: "number", minimum: 0, maximum: 1, description: "Calibrated; a float32, written exactly." };
  const scalars: Json = { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } };
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
      properties: { model: text, operatingPoint: point, results: { type: "array", minItems: 1, items: ref("Result") } },
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
    InferRequest: {
      type: "object",
      properties: {
        id: text,
        parameters: { ...scalars, properties: { operatingPoint: point, prior, binary_data_output: { type: "boolean" } } },
        inputs: {
          type: "array",
          minItems: 1,
          maxItems: 1,
          items: {
            type: "object",
            properties: {
              name: { const: INPUT },
              datatype: { enum: Object.keys(INPUT_DATATYPES) },
              shape: {
                type: "array",
                minItems: 3,
                maxItems: 3,
                items: { type: "integer", minimum: 1 },
                description: `[sequences, 1 to ${T} steps, ${F} features]`,
              },
              data: { type: "array", description: "Row-major, flat or nested as the shape is; left out where binary_data_size is given." },
              parameters: { ...scalars, properties: { binary_data_size: { type: "integer", minimum: 0 } } },
            },
            required: ["name", "datatype", "shape"],
          },
        },
        outputs: {
          type: "array",
          items: {
            type: "object",
            properties: {
              name: { enum: OUTPUTS.map(({ name }) => name) },
              parameters: { ...scalars, properties: { binary_data: { type: "boolean" } } },
            },
            required: ["name"],
          },
        },
      },
      required: ["inputs"],
    },
    InferAnswer: {
      type: "object",
      properties: {
        model_name: text,
        model_version: text,
        id: text,
        parameters: scalars,
        outputs: {
          type: "array",
          items: {
            type: "object",
            properties: {
              name: { enum: OUTPUTS.map(({ name }) => name) },
              datatype: { enum: OUTPUTS.map(({ datatype }) => datatype) },
              shape: { type: "array", items: { type: "integer" } },
              data: { type: "array", items: { type: ["number", "boolean"] } },
              parameters: { type: "object", properties: { binary_data_size: { type: "integer" } } },
            },
            required: ["name", "datatype", "shape"],
            additionalProperties: false,
          },
        },
      },
      required: ["model_name", "model_version", "outputs"],
      additionalProperties: false,
    },
  };
}

function scorePaths(model: Served): Paths {
  const { recipe, operatingPoints } = model;
  const { timesteps: T, features: F } = shapeOf(recipe);
  const [JSON_TYPE, NDJSON, OCTETS, NPY] = SCORE_TYPES;
  const numbers: Json = { type: "string", format: "binary" };
  const names = operatingPoints.map(({ name }) => name);
  return {
    "/v1/score": {
      post: {
        summary: "Score sequences",
        description:
          `Scope: score. At most ${maxSequences(recipe)} sequences and ${MAX_BODY_BYTES} bytes a request. The answer is of the request's type; ` +
          `bare numbers and arrays are answered as JSON with the header \`accept: application/json\`.`,
        security: [{ key: ["score"] }],
        parameters: [
          { name: "operatingPoint", in: "query", schema: { enum: names, default: names[0] } },
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

function inferencePaths(model: Served): Paths {
  const sequence = exampleSequence(model);
  const example = { inputs: [{ name: INPUT, datatype: "FP64", shape: [1, sequence.length, sequence[0].length], data: [sequence] }] };
  const name: Json = { name: "name", in: "path", required: true, schema: { const: model.name } };
  const version: Json = { name: "version", in: "path", required: true, schema: { type: "string" } };
  const paths: Paths = {
    "/v2": { get: open("Open Inference Protocol: the server", json({ type: "object" }), { security: [{ key: ["read"] }] }) },
    "/v2/health/live": { get: open("Open Inference Protocol: live", json({ type: "object" })) },
    "/v2/health/ready": { get: open("Open Inference Protocol: ready", json({ type: "object" }), {}, { "503": PROBLEM }) },
  };
  for (const [path, parameters] of [
    ["/v2/models/{name}", [name]],
    ["/v2/models/{name}/versions/{version}", [name, version]],
  ] as const) {
    const keyed = { security: [{ key: ["read"] }], parameters };
    const missing = { "404": PROBLEM, ...KEYED };
    paths[path] = { get: open("Open Inference Protocol: the model's inputs and outputs", json({ type: "object" }), keyed, missing) };
    paths[`${path}/ready`] = { get: open("Open Inference Protocol: the model is ready", json({ type: "object" }), keyed, missing) };
    paths[`${path}/infer`] = {
      post: {
        summary: "Open Inference Protocol: score sequences",
        description:
          "Scope: score. With the header inference-header-content-length, JSON of that many bytes and binary tensors behind it. The parameter operatingPoint names where probabilities become labels.",
        security: [{ key: ["score"] }],
        parameters: [...parameters, { name: "inference-header-content-length", in: "header", schema: { type: "integer" } }],
        requestBody: {
          required: true,
          content: { ...json(ref("InferRequest"), example), "application/octet-stream": { schema: { type: "string", format: "binary" } } },
        },
        responses: {
          "200": {
            description: "The outputs asked for, all where none is.",
            content: { ...json(ref("InferAnswer")), "application/octet-stream": { schema: { type: "string", format: "binary" } } },
          },
          "404": PROBLEM,
          ...BODIED,
          ...KEYED,
        },
      },
    };
  }
  return paths;
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

function open(
  summary: string,
  content: Record<string, Json>,
  more: Partial<Operation> = {},
  problems: Record<string, Json> = {},
): Operation {
  return { summary, ...more, responses: { "200": { description: "As it says.", content }, ...problems } };
}

/** A golden vector of full length, a random walk, to the digits that people read. */
export function exampleSequence({ recipe, golden }: Served): number[][] {
  const { timesteps: T, features: F } = shapeOf(recipe);
  const k = Math.max(0, golden.probabilities.length - 3);
  const rows: number[][] = [];
  for (let t = 0; t < T; t++) {
    const from = (k * T + t) * F;
    if (!isZeroRow(golden.inputs, from, F)) rows.push(Array.from(golden.inputs.subarray(from, from + F), (x) => Number(x.toPrecision(8))));
  }
  return rows;
}
