// /v2: the Open Inference Protocol as KServe and Triton speak it, so that their clients work unchanged. Same validation, same
// numbers as /v1/score. Paths: kserve.github.io, "Open Inference Protocol", REST.

import { labelAt, type OperatingPoint, type Scores } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { mediaTypeOf, readBytes, refuseMediaType } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import type { ServedModel } from "../models/models.ts";
import { listModels } from "../models/publish.ts";
import { encodeInferAnswer, type OutputData, type OutputName } from "../scoring/inference-answer.ts";
import { createInferCounts, type InferCounts } from "../scoring/inference-counts.ts";
import { configureModel, describeModel, describeReady, describeServer, FIRST_VERSION, indexModels } from "../scoring/inference-metadata.ts";
import { parseJsonLength, readInferRequest } from "../scoring/inference-request.ts";
import { bodyOptions, queryOptions, refuseRemember } from "../scoring/options.ts";
import { maxSequences, scoreValues } from "../scoring/scoring.ts";
import type { ModelRegistry } from "./dependencies.ts";
import type { RequestModel } from "./request-model.ts";

const JSON_LENGTH = "inference-header-content-length";

/** The server's own routes, which answer with a model and without. */
export function inferenceHealthRoutes(modelOf: RequestModel, bound: ModelRegistry | undefined) {
  const app = new Hono<EdgeEnv>()
    .get("/", (c) => c.json(describeServer()))
    .get("/health/live", (c) => c.json({ live: true }))
    .get("/health/ready", async (c) => {
      await modelOf(c);
      return c.json({ ready: true });
    })
    .post("/repository/index", async (c) => c.json(indexModels(await allModels(await modelOf(c), bound))));
  for (const path of ["/", "/health/live", "/health/ready"]) app.all(path, allowOnly("GET", "HEAD"));
  return app.all("/repository/index", allowOnly("POST"));
}

/**
 * The model's routes: metadata, readiness, configuration, statistics, infer; each with and without a version in the path. `now`:
 * milliseconds since 1970.
 */
export function inferenceRoutes(modelOf: RequestModel, bound: ModelRegistry | undefined, now: () => number) {
  const counts = createInferCounts();
  const app = new Hono<EdgeEnv>();
  for (const path of ["/models/:name", "/models/:name/versions/:version"]) {
    const gets: Record<string, (served: ServedModel) => object> = {
      "": (served) => describeModel(served.model, versionOf(served)),
      "/ready": ({ model }) => describeReady(model.name),
      "/config": ({ model }) => configureModel(model),
      "/stats": (served) => counts.describe([{ name: served.model.name, version: versionOf(served) }]),
    };
    for (const [suffix, answer] of Object.entries(gets))
      app
        .get(`${path}${suffix}`, async (c) => {
          if (c.req.path !== ALL_STATISTICS) return c.json(answer(await namedModel(c, modelOf)));
          const served = await modelOf(c);
          return c.json(served.model.name === "stats" ? answer(served) : counts.describe(await allModels(served, bound)));
        })
        .all(`${path}${suffix}`, allowOnly("GET", "HEAD"));
    app.post(`${path}/infer`, async (c) => infer(c, await namedModel(c, modelOf), counts, now)).all(`${path}/infer`, allowOnly("POST"));
  }
  return app;
}

/** Statistics of all models, or the model `stats`. As a route it is none that the router takes, as in routes/deliveries.ts. */
const ALL_STATISTICS = "/v2/models/stats";

/** The default model, and all names in the bucket. Throws RequestError `storage`. */
async function allModels(served: ServedModel, bound: ModelRegistry | undefined) {
  const { name } = served.model;
  const listed = bound === undefined ? [] : await listModels(bound.bucket);
  const faults = bound?.registry.faults() ?? {};
  const others = listed.filter((one) => one.name !== name);
  return [
    { name, version: versionOf(served), fault: faults[name] },
    ...others.map((one) =>
      "fault" in one
        ? { name: one.name, version: "", fault: one.fault }
        : { name: one.name, version: versionOf(one), fault: faults[one.name] },
    ),
  ];
}

/** The protocol's version: the beginning of the artifact's hash. */
function versionOf({ sha256 }: Pick<ServedModel, "sha256">): string {
  return sha256.slice(0, 12);
}

/** The model that the path names. Throws as RequestModel, and RequestError where the path names another version. */
async function namedModel(c: EdgeContext, modelOf: RequestModel): Promise<ServedModel> {
  const { name, version } = c.req.param() as { name: string; version?: string };
  const served = await modelOf(c, name);
  if (version !== undefined && version !== FIRST_VERSION && version !== versionOf(served))
    throw new RequestError("notFound", `there is no version ${version} of ${name}: this Worker serves ${versionOf(served)}, also called 1`);
  return served;
}

async function infer(c: EdgeContext, ready: ServedModel, counts: InferCounts, now: () => number): Promise<Response> {
  try {
    const { response, sequences } = await answerInfer(c, ready);
    counts.add(ready.model.name, sequences, now());
    return response;
  } catch (error) {
    counts.addFailure(ready.model.name);
    throw error;
  }
}

async function answerInfer(c: EdgeContext, ready: ServedModel): Promise<{ readonly response: Response; readonly sequences: number }> {
  const { model } = ready;
  const jsonLength = checkBodyType(c);
  const query = queryOptions(c.req.url, model);
  const body = await readBytes(c.req.raw);
  const request = readInferRequest(body, parseJsonLength(jsonLength, body.length), shapeOf(model.recipe), maxSequences(model.recipe));
  const { id, parameters, values, pathOf } = request;
  const { operatingPoint, prior } = parameters;
  const options = bodyOptions({ operatingPoint, prior }, model, query, ["parameters"]);
  refuseRemember(options, "the Open Inference Protocol");
  if (options.explain)
    throw new RequestError("parameter", "explain is a parameter of /v1/score: the Open Inference Protocol has no place for it");
  const scores = scoreValues(ready, values, pathOf, options);
  const sequences = scores.probabilities.length;
  c.get("record").sequences = sequences;
  const head = {
    model_name: model.name,
    model_version: versionOf(ready),
    ...(id !== undefined && { id }),
    parameters: { ...parameters, operatingPoint: options.point.name },
  };
  const answer = encodeInferAnswer(head, request.outputs, (name) => outputOf(name, scores, options.point));
  const headers: Record<string, string> =
    answer.jsonBytes === undefined
      ? { "content-type": "application/json" }
      : { "content-type": "application/octet-stream", [JSON_LENGTH]: `${answer.jsonBytes}` };
  return { response: answerWith(c, answer.body, headers), sequences };
}

/** The header that says how many bytes are JSON, or null. Throws RequestError for a body of another type than the protocol's clients send. */
function checkBodyType(c: EdgeContext): string | null {
  const { type } = mediaTypeOf(c.req.raw);
  // Triton's clients send no type, and aiohttp's default with JSON and with tensors alike
  if (!["", "application/json", "application/octet-stream"].includes(type))
    refuseMediaType(c.req.raw, ["application/json", "application/octet-stream"]);
  return c.req.raw.headers.get(JSON_LENGTH);
}

function outputOf(name: OutputName, { probabilities, outOfRange }: Scores, point: OperatingPoint): OutputData {
  switch (name) {
    case "probability":
      return Float64Array.from(probabilities);
    case "label":
      return Int32Array.from(probabilities, (probability) => labelAt(point, probability));
    case "outOfRange":
      return outOfRange;
  }
}
