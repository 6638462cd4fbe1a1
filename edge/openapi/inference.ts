// The part of the OpenAPI document that is about the Open Inference Protocol. What JSON cannot hold, binary tensors, is in a description:
// generated clients speak JSON, and who sends tensors has a client of the protocol.
import { JSON_DATATYPES } from "../scoring/datatypes.ts";
import { OUTPUTS } from "../scoring/inference-answer.ts";
import { createInferCounts } from "../scoring/inference-counts.ts";
import { describeReady, describeServer, indexModels } from "../scoring/inference-metadata.ts";
import { INPUT } from "../scoring/inference-request.ts";
import { SHOWN, SHOWN_HASH } from "./figures.ts";
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
  only,
  open,
  orNull,
  type Paths,
  POINT,
  PRIOR,
  problems,
  ref,
  text,
} from "./terms.ts";

/** Where the protocol is open: a client may say more. */
const MORE = { additionalProperties: true };
const whole: Json = { type: "integer" };
const oneOf = (names: readonly string[]): Json => ({ type: "string", enum: names });

/** InferRequest, InferAnswer, and what is asked beside. */
export function inferenceSchemas(): Record<string, Json> {
  const tensor = object({ name: text, datatype: text, shape: list(whole) });
  const configured = object({ name: text, data_type: text, dims: list(whole) }, [], MORE);
  const counted = object({ count, ns: count });
  const named = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"];
  return {
    InferRequest: requestSchema(),
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

function requestSchema(): Json {
  const number: Json = { type: hole("numberType") };
  const array = (items: Json, max: string, min: unknown = 1): Json => ({ type: "array", minItems: min, maxItems: max, items });
  const input = object(
    {
      name: { ...text, description: "Whatever it is." },
      datatype: oneOf(JSON_DATATYPES),
      shape: {
        type: "array",
        minItems: 3,
        maxItems: 3,
        prefixItems: [
          { ...whole, minimum: 1, maximum: hole("sequences") },
          { ...whole, minimum: 1, maximum: hole("timesteps") },
          { ...whole, minimum: hole("features"), maximum: hole("features") },
        ],
        description: `[sequences, 1 to ${hole("timesteps")} steps, ${hole("features")} features]`,
      },
      data: {
        anyOf: [array(number, hole("numbers"), hole("features")), array(ref("Sequence"), hole("sequences"))],
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
        properties: { operatingPoint: orNull(POINT), prior: only("positiveRate", orNull(PRIOR)) },
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
function serverPaths(): Paths {
  const get = (id: string, what: string, content: Record<string, Json>, ...rest: [Partial<Operation>?, Record<string, Json>?]) => ({
    get: open(id, "inference", `Open Inference Protocol: ${what}`, content, ...rest),
  });
  const well = (word: string) => json(object({ [word]: { type: "boolean" } }), { [word]: true });
  const repository = json(ref("RepositoryIndex"), indexModels([{ name: hole("name"), version: SHOWN_HASH }]));
  const allStatistics = json(ref("ModelStatistics"), createInferCounts().describe([{ name: hole("name"), version: SHOWN_HASH }]));
  return {
    "/v2": get("getServer", "the server", json(ref("ServerMetadata"), describeServer()), { security: ABOUT }, KEYED),
    "/v2/health/live": get("isServerLive", "live", well("live")),
    "/v2/health/ready": get("isServerReady", "ready", well("ready"), {}, problems("artifact")),
    "/v2/repository/index": {
      post: open("listModels", "inference", "Triton's model repository: all models", repository, { security: ABOUT }, KEYED),
    },
    "/v2/models/stats": {
      get: open(
        "getStatistics",
        "inference",
        "Triton's statistics: all models, counts of this isolate",
        allStatistics,
        { security: ABOUT },
        KEYED,
      ),
    },
  };
}

/** The paths of the protocol, with and without a version. */
export function inferencePaths(): Paths {
  const name: Json = { name: "name", in: "path", required: true, schema: { type: "string", const: hole("name") } };
  const version: Json = { name: "version", in: "path", required: true, schema: text, description: "1, or the hash's beginning." };
  const paths = serverPaths();
  for (const [path, parameters, suffix] of [
    ["/v2/models/{name}", [name], ""],
    ["/v2/models/{name}/versions/{version}", [name, version], "Version"],
  ] as const) {
    const about = (id: string, summary: string, schema: string, example: unknown) => ({
      get: open(
        id,
        "inference",
        summary,
        json(ref(schema), example),
        { security: ABOUT, parameters },
        { ...problems("notFound"), ...KEYED },
      ),
    });
    paths[path] = about(
      `getModel${suffix}Metadata`,
      "Open Inference Protocol: the model's inputs and outputs",
      "ModelMetadata",
      hole("metadata"),
    );
    const ready = describeReady(hole("name"));
    paths[`${path}/ready`] = about(`isModel${suffix}Ready`, "Open Inference Protocol: the model is ready", "ModelReady", ready);
    paths[`${path}/config`] = about(`getModel${suffix}Config`, "Triton's model configuration", "ModelConfig", hole("configuration"));
    const counts = createInferCounts().describe([{ name: hole("name"), version: SHOWN_HASH }]);
    const summary = "Triton's statistics: counts of this isolate";
    paths[`${path}/stats`] = about(`getModel${suffix}Statistics`, summary, "ModelStatistics", counts);
    paths[`${path}/infer`] = { post: inferOperation(`inferModel${suffix}`, parameters) };
  }
  return paths;
}

function inferOperation(operationId: string, parameters: readonly Json[]): Operation {
  const request = { inputs: [{ name: INPUT, datatype: "FP64", shape: hole("sampleShape"), data: [hole("sampleRows")] }] };
  const answer = {
    model_name: hole("name"),
    model_version: SHOWN_HASH,
    parameters: { operatingPoint: hole("firstPoint") },
    outputs: OUTPUTS.map((output, i) => ({ ...output, shape: [1], data: [[SHOWN], [hole("shownLabel")], [false]][i] })),
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
