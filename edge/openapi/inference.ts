// The part of the OpenAPI document that is about the Open Inference Protocol.
// Legend: T steps, F features.

import type { ScorableModel } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { sampleSequence } from "../../shared/sample.ts";
import { JSON_DATATYPES } from "../scoring/datatypes.ts";
import { OUTPUTS } from "../scoring/inference-answer.ts";
import { INPUT } from "../scoring/inference-request.ts";
import { ABOUT, BODIED, type Json, json, KEYED, type Operation, open, type Paths, PROBLEM, pointOf, priorOf, ref, text } from "./terms.ts";

const SCALARS: Json = { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } };

/** InferRequest and InferAnswer. */
export function inferenceSchemas(model: ScorableModel): Record<string, Json> {
  return { InferRequest: requestSchema(model), InferAnswer: ANSWER };
}

function requestSchema(model: ScorableModel): Json {
  const { timesteps: T, features: F } = shapeOf(model.recipe);
  return {
    type: "object",
    properties: {
      id: text,
      parameters: {
        ...SCALARS,
        properties: { operatingPoint: pointOf(model), prior: priorOf(model), binary_data_output: { type: "boolean" } },
      },
      inputs: {
        type: "array",
        minItems: 1,
        maxItems: 1,
        items: {
          type: "object",
          properties: {
            name: { const: INPUT },
            datatype: { enum: JSON_DATATYPES },
            shape: {
              type: "array",
              minItems: 3,
              maxItems: 3,
              items: { type: "integer", minimum: 1 },
              description: `[sequences, 1 to ${T} steps, ${F} features]`,
            },
            data: { type: "array", description: "Row-major, flat or nested as the shape is; left out where binary_data_size is given." },
            parameters: { ...SCALARS, properties: { binary_data_size: { type: "integer", minimum: 0 } } },
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
            parameters: { ...SCALARS, properties: { binary_data: { type: "boolean" } } },
          },
          required: ["name"],
        },
      },
    },
    required: ["inputs"],
  };
}

const ANSWER: Json = {
  type: "object",
  properties: {
    model_name: text,
    model_version: text,
    id: text,
    parameters: SCALARS,
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
};

/** What is asked of the server, not of the model. */
function serverPaths(): Paths {
  const paths: Paths = {
    "/v2": {
      get: open("getServer", "inference", "Open Inference Protocol: the server", json({ type: "object" }), { security: ABOUT }, KEYED),
    },
    "/v2/health/live": { get: open("isServerLive", "inference", "Open Inference Protocol: live", json({ type: "object" })) },
    "/v2/health/ready": {
      get: open("isServerReady", "inference", "Open Inference Protocol: ready", json({ type: "object" }), {}, { "503": PROBLEM }),
    },
  };
  paths["/v2/repository/index"] = {
    post: open("listModels", "inference", "Triton's model repository: the one model", json({ type: "array" }), { security: ABOUT }, KEYED),
  };
  paths["/v2/models/stats"] = {
    get: open(
      "getStatistics",
      "inference",
      "Triton's statistics: counts of this isolate",
      json({ type: "object" }),
      { security: ABOUT },
      KEYED,
    ),
  };
  return paths;
}

/** The paths of the protocol, with and without a version. */
export function inferencePaths(model: ScorableModel): Paths {
  const sequence = sampleSequence(model);
  const example = { inputs: [{ name: INPUT, datatype: "FP64", shape: [1, sequence.length, sequence[0].length], data: [sequence] }] };
  const name: Json = { name: "name", in: "path", required: true, schema: { const: model.name } };
  const version: Json = { name: "version", in: "path", required: true, schema: { type: "string" } };
  const paths = serverPaths();
  for (const [path, parameters, suffix] of [
    ["/v2/models/{name}", [name], ""],
    ["/v2/models/{name}/versions/{version}", [name, version], "Version"],
  ] as const) {
    const keyed = { security: ABOUT, parameters };
    const missing = { "404": PROBLEM, ...KEYED };
    paths[path] = {
      get: open(
        `getModel${suffix}Metadata`,
        "inference",
        "Open Inference Protocol: the model's inputs and outputs",
        json({ type: "object" }),
        keyed,
        missing,
      ),
    };
    paths[`${path}/ready`] = {
      get: open(
        `isModel${suffix}Ready`,
        "inference",
        "Open Inference Protocol: the model is ready",
        json({ type: "object" }),
        keyed,
        missing,
      ),
    };
    for (const [last, id, summary] of [
      ["config", `getModel${suffix}Config`, "Triton's model configuration"],
      ["stats", `getModel${suffix}Statistics`, "Triton's statistics: counts of this isolate"],
    ])
      paths[`${path}/${last}`] = { get: open(id, "inference", summary, json({ type: "object" }), keyed, missing) };
    paths[`${path}/infer`] = { post: inferOperation(`inferModel${suffix}`, parameters, example) };
  }
  return paths;
}

function inferOperation(operationId: string, parameters: readonly Json[], example: Json): Operation {
  return {
    operationId,
    tags: ["inference"],
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
  };
}
