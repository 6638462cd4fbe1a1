// The part of the OpenAPI document that is about the Open Inference Protocol. What JSON cannot hold, binary tensors, is in a description:
// generated clients speak JSON, and who sends tensors has a client of the protocol.
// Legend: N sequences, T steps, F features.
import type { ScorableModel } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { sampleSequence } from "../../shared/sample.ts";
import { JSON_DATATYPES } from "../scoring/datatypes.ts";
import { OUTPUTS } from "../scoring/inference-answer.ts";
import { createInferCounts } from "../scoring/inference-counts.ts";
import { configureModel, describeModel, describeReady, describeServer, listModels } from "../scoring/inference-metadata.ts";
import { INPUT } from "../scoring/inference-request.ts";
import { maxSequences } from "../scoring/scoring.ts";
import {
  ABOUT,
  BODIED,
  count,
  type Json,
  json,
  KEYED,
  type Operation,
  object,
  open,
  type Paths,
  pointOf,
  priorOf,
  problems,
  ref,
  SHOWN,
  shownLabel,
  text,
} from "./terms.ts";

/** Where the protocol is open: a client may say more. */
const MORE = { additionalProperties: true };
const whole: Json = { type: "integer" };
const list = (items: Json): Json => ({ type: "array", items });
const oneOf = (names: readonly string[]): Json => ({ type: "string", enum: names });
/** What may be left out may be null. */
const orNull = (schema: Json): Json => ({ anyOf: [schema, { type: "null" }] });

/** InferRequest, InferAnswer, and what is asked beside. */
export function inferenceSchemas(model: ScorableModel): Record<string, Json> {
  const tensor = object({ name: text, datatype: text, shape: list(whole) });
  const configured = object({ name: text, data_type: text, dims: list(whole) }, [], MORE);
  const counted = object({ count, ns: count });
  const named = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"];
  return {
    InferRequest: requestSchema(model),
    InferAnswer: answerSchema(),
    ServerMetadata: object({ name: text, version: text, extensions: list(text) }),
    ModelMetadata: object({ name: text, versions: list(text), platform: text, inputs: list(tensor), outputs: list(tensor) }),
    ModelReady: object({ name: text, ready: { type: "boolean" } }),
    ModelConfig: object({
      name: text,
      platform: text,
      backend: text,
      max_batch_size: whole,
      input: list(configured),
      output: list(configured),
    }),
    ModelStatistics: object({
      note: text,
      model_stats: list(
        object({
          name: text,
          version: text,
          last_inference: { ...count, description: "In milliseconds since 1970; 0: none." },
          inference_count: { ...count, description: "Sequences." },
          execution_count: { ...count, description: "Requests." },
          inference_stats: object(Object.fromEntries(named.map((name) => [name, counted]))),
          batch_stats: list({ type: "object", ...MORE }),
        }),
      ),
    }),
    RepositoryIndex: list(object({ name: text, version: text, state: text, reason: text })),
  };
}

function requestSchema(model: ScorableModel): Json {
  const { timesteps: T, features: F, gaps } = shapeOf(model.recipe);
  const maxN = maxSequences(model.recipe);
  const number: Json = { type: gaps ? ["number", "null"] : "number" };
  const array = (items: Json, max: number, min = 1): Json => ({ type: "array", minItems: min, maxItems: max, items });
  const { prior } = priorOf(model);
  const input = object(
    {
      name: { ...text, description: "Whatever it is." },
      datatype: oneOf(JSON_DATATYPES),
      shape: {
        type: "array",
        minItems: 3,
        maxItems: 3,
        prefixItems: [
          { ...whole, minimum: 1, maximum: maxN },
          { ...whole, minimum: 1, maximum: T },
          { ...whole, minimum: F, maximum: F },
        ],
        description: `[sequences, 1 to ${T} steps, ${F} features]`,
      },
      data: {
        anyOf: [array(number, maxN * T * F, F), array(ref("Sequence"), maxN)],
        description: "Row-major, flat or nested as the shape is; whole numbers within the datatype's, where it is one of whole numbers.",
      },
      parameters: orNull({ type: "object", ...MORE, description: "Those that are unknown here say nothing." }),
    },
    ["parameters"],
    MORE,
  );
  return object(
    {
      id: { type: ["string", "null"] },
      parameters: orNull({
        type: "object",
        ...MORE,
        properties: { operatingPoint: orNull(pointOf(model)), ...(prior && { prior: orNull(prior) }) },
        description: "Those that are unknown here say nothing.",
      }),
      inputs: { type: "array", minItems: 1, maxItems: 1, items: input },
      outputs: orNull({
        type: "array",
        items: object(
          {
            name: oneOf(OUTPUTS.map(({ name }) => name)),
            parameters: orNull({ type: "object", ...MORE, description: "classification must be left out." }),
          },
          ["parameters"],
          MORE,
        ),
        description: "Each once; all where none is named.",
      }),
    },
    ["id", "parameters", "outputs"],
    MORE,
  );
}

function answerSchema(): Json {
  const output = object({
    name: oneOf(OUTPUTS.map(({ name }) => name)),
    datatype: oneOf(OUTPUTS.map(({ datatype }) => datatype)),
    shape: list(whole),
    data: list({ type: ["number", "boolean"] }),
  });
  const parameters = { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } };
  return object({ model_name: text, model_version: text, id: text, parameters, outputs: list(output) }, ["id", "parameters"]);
}

/** What is asked of the server, not of the model. */
function serverPaths({ name }: ScorableModel, version: string): Paths {
  const get = (id: string, what: string, content: Record<string, Json>, ...rest: [Partial<Operation>?, Record<string, Json>?]) => ({
    get: open(id, "inference", `Open Inference Protocol: ${what}`, content, ...rest),
  });
  const well = (word: string) => json(object({ [word]: { type: "boolean" } }), { [word]: true });
  const repository = json(ref("RepositoryIndex"), listModels(name, version));
  const allStatistics = json(ref("ModelStatistics"), createInferCounts().describe(name, version));
  return {
    "/v2": get("getServer", "the server", json(ref("ServerMetadata"), describeServer()), { security: ABOUT }, KEYED),
    "/v2/health/live": get("isServerLive", "live", well("live")),
    "/v2/health/ready": get("isServerReady", "ready", well("ready"), {}, problems("artifact")),
    "/v2/repository/index": {
      post: open("listModels", "inference", "Triton's model repository: the one model", repository, { security: ABOUT }, KEYED),
    },
    "/v2/models/stats": {
      get: open("getStatistics", "inference", "Triton's statistics: counts of this isolate", allStatistics, { security: ABOUT }, KEYED),
    },
  };
}

/** The paths of the protocol, with and without a version. */
export function inferencePaths(model: ScorableModel): Paths {
  const shown = "0123456789ab";
  const name: Json = { name: "name", in: "path", required: true, schema: { type: "string", const: model.name } };
  const version: Json = { name: "version", in: "path", required: true, schema: text, description: "1, or the hash's beginning." };
  const paths = serverPaths(model, shown);
  for (const [path, parameters, suffix] of [
    ["/v2/models/{name}", [name], ""],
    ["/v2/models/{name}/versions/{version}", [name, version], "Version"],
  ] as const) {
    const about = (id: string, summary: string, schema: string, example: object) => ({
      get: open(
        id,
        "inference",
        summary,
        json(ref(schema), example),
        { security: ABOUT, parameters },
        { ...problems("notFound"), ...KEYED },
      ),
    });
    const metadata = describeModel(model, shown);
    paths[path] = about(`getModel${suffix}Metadata`, "Open Inference Protocol: the model's inputs and outputs", "ModelMetadata", metadata);
    const ready = describeReady(model.name);
    paths[`${path}/ready`] = about(`isModel${suffix}Ready`, "Open Inference Protocol: the model is ready", "ModelReady", ready);
    paths[`${path}/config`] = about(`getModel${suffix}Config`, "Triton's model configuration", "ModelConfig", configureModel(model));
    const counts = createInferCounts().describe(model.name, shown);
    const summary = "Triton's statistics: counts of this isolate";
    paths[`${path}/stats`] = about(`getModel${suffix}Statistics`, summary, "ModelStatistics", counts);
    paths[`${path}/infer`] = { post: inferOperation(`inferModel${suffix}`, parameters, model) };
  }
  return paths;
}

function inferOperation(operationId: string, parameters: readonly Json[], model: ScorableModel): Operation {
  const sequence = sampleSequence(model);
  const request = { inputs: [{ name: INPUT, datatype: "FP64", shape: [1, sequence.length, sequence[0].length], data: [sequence] }] };
  const label = shownLabel(model);
  const answer = {
    model_name: model.name,
    model_version: "0123456789ab",
    parameters: { operatingPoint: model.operatingPoints[0].name },
    outputs: OUTPUTS.map((output, i) => ({ ...output, shape: [1], data: [[SHOWN], [label], [false]][i] })),
  };
  return {
    operationId,
    tags: ["inference"],
    summary: "Open Inference Protocol: score sequences",
    description:
      "Scope: score. Binary tensors are taken and given as the protocol's extension says, with the header inference-header-content-length and the type application/octet-stream.",
    security: [{ key: ["score"] }],
    parameters,
    requestBody: { required: true, content: json(ref("InferRequest"), request) },
    responses: {
      "200": { description: "The outputs asked for, all where none is.", content: json(ref("InferAnswer"), answer) },
      ...problems("notFound"),
      ...BODIED,
      ...KEYED,
    },
  };
}
