// The part of the OpenAPI document that is about TensorFlow Serving's REST predict.
import { describeStatus } from "../scoring/predict-request.ts";
import { SHOWN } from "./figures.ts";
import {
  ABOUT,
  BODIED,
  count,
  hole,
  type Json,
  json,
  KEYED,
  list,
  type Operation,
  object,
  open,
  type Paths,
  problems,
  ref,
  text,
} from "./terms.ts";

/** PredictRequest, PredictAnswer and ModelStatus. */
export function predictSchemas(): Record<string, Json> {
  const many: Json = { type: "array", minItems: 1, maxItems: hole("sequences"), items: ref("Sequence") };
  const predictions: Json = { type: "array", items: { type: "array", minItems: 1, maxItems: 1, items: { type: "number" } } };
  const signature: Json = { type: ["string", "null"], enum: ["serving_default", null] };
  const request = (name: string, more: string): Json => ({
    type: "object",
    description: more,
    properties: { signature_name: signature, [name]: many },
    required: [name],
    additionalProperties: false,
  });
  const answer = (name: string): Json => ({
    type: "object",
    properties: { [name]: predictions },
    required: [name],
    additionalProperties: false,
  });
  return {
    PredictRequest: {
      anyOf: [request("instances", "Answered with predictions."), request("inputs", "Answered with outputs.")],
      description: "A sequence, or all under inputs, may stand under the name of the model's input, whatever the name is.",
    },
    PredictAnswer: { anyOf: [answer("predictions"), answer("outputs")] },
    ModelStatus: {
      type: "object",
      properties: {
        name: text,
        ready: { type: "boolean" },
        ...takenSchemas(),
        model_version_status: {
          type: "array",
          items: {
            type: "object",
            properties: {
              version: text,
              state: text,
              status: { type: "object", properties: { error_code: text, error_message: text }, required: ["error_code", "error_message"] },
            },
            required: ["version", "state", "status"],
          },
        },
      },
      required: ["name", "ready", "model_version_status", "id", "features", "timesteps", "recipe", "operatingPoints"],
      additionalProperties: false,
    },
  };
}

/** What the status says beside both protocols: what a row has, and what comes back. */
function takenSchemas(): Json {
  const input = object({ name: text, levels: list(text), static: { type: "boolean" } }, ["levels", "static"]);
  return {
    id: text,
    features: list(text),
    timesteps: count,
    recipe: object({ padding: text, gaps: list(text), clock: text, inputs: list(input) }, ["gaps", "clock", "inputs"], {
      description:
        "padding: which all-zero rows are padding. gaps: features that may be missing. inputs: what people give where that is not the features. clock: what a row's time is called.",
    }),
    operatingPoints: list(object({ name: text, threshold: { type: "number" } })),
    labels: ref("Labels"),
  };
}

/** Status and predict, with and without a version. */
export function predictPaths(): Paths {
  const name: Json = { name: "name", in: "path", required: true, schema: { type: "string", const: hole("name") } };
  const version: Json = { name: "version", in: "path", required: true, schema: text, description: "1, or the hash's beginning." };
  const paths: Paths = {};
  for (const [path, parameters, suffix] of [
    ["/v1/models/{name}", [name], ""],
    ["/v1/models/{name}/versions/{version}", [name, version], "Version"],
  ] as const) {
    const summary = "What the model takes, what its labels stand for, and its status as KServe and TensorFlow Serving have it";
    paths[path] = {
      get: open(
        `getModel${suffix}Status`,
        "predict",
        summary,
        json(ref("ModelStatus"), shownStatus()),
        { security: ABOUT, parameters },
        {
          ...problems("notFound"),
          ...KEYED,
        },
      ),
    };
    paths[`${path}:predict`] = { post: predictOperation(`predictModel${suffix}`, parameters) };
  }
  return paths;
}

const shownStatus = (): Json => ({
  ...describeStatus(hole("name")),
  id: hole("shownModel"),
  features: hole("featureNames"),
  timesteps: hole("timesteps"),
  recipe: { padding: hole("padding") },
  operatingPoints: hole("cardPoints"),
  labels: hole("labels"),
});

function predictOperation(operationId: string, parameters: readonly Json[]): Operation {
  return {
    operationId,
    tags: ["predict"],
    summary: "TensorFlow Serving's predict: probabilities",
    description: "Scope: score. The shape of the answer is that of Keras' predict. The body is read as JSON, whatever it is said to be.",
    security: [{ key: ["score"] }],
    parameters,
    requestBody: { required: true, content: json(ref("PredictRequest"), { instances: [hole("sampleRows")] }) },
    responses: {
      "200": { description: "In the order of the sequences.", content: json(ref("PredictAnswer"), { predictions: [[SHOWN]] }) },
      ...problems("notFound"),
      ...BODIED,
      ...KEYED,
    },
  };
}
