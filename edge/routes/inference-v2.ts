// /v2: the Open Inference Protocol as KServe and Triton speak it, so that their clients work unchanged. Same validation, same
// numbers as /v1/score. Paths: kserve.github.io, "Open Inference Protocol", REST.
import { Hono } from "hono";
import { ArtifactError } from "../../shared/errors.ts";
import { labelAt, type OperatingPoint, type Scores } from "../../shared/model.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { VERSION } from "../../shared/version.ts";
import { mediaTypeOf, readBytes, refuseMediaType } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import type { Ready, ServableModel } from "../models/servable-model.ts";
import {
  encodeInferAnswer,
  INPUT,
  INPUT_DATATYPES,
  OUTPUTS,
  type OutputData,
  type OutputName,
  parseJsonLength,
  readInferRequest,
} from "../scoring/inference-request.ts";
import { bodyOptions, queryOptions } from "../scoring/options.ts";
import { maxSequences, scoreValues } from "../scoring/scoring.ts";

const JSON_LENGTH = "inference-header-content-length";

/** The server's own routes, which answer with a model and without. */
export function inferenceHealthRoutes(servable: ServableModel) {
  const app = new Hono<EdgeEnv>()
    .get("/", (c) => c.json({ name: "quickstep", version: VERSION, extensions: ["binary_tensor_data"] }))
    .get("/health/live", (c) => c.json({ live: true }))
    .get("/health/ready", (c) => {
      if ("unready" in servable) throw new ArtifactError(servable.unready);
      return c.json({ ready: true });
    });
  for (const path of ["/", "/health/live", "/health/ready"]) app.all(path, allowOnly("GET", "HEAD"));
  return app;
}

/** The model's routes: metadata, readiness, infer; each with and without a version in the path. */
export function inferenceRoutes(ready: Ready) {
  const checked =
    (answer: (c: EdgeContext, ready: Ready) => Response | Promise<Response>) =>
    (c: EdgeContext): Response | Promise<Response> => {
      checkPath(c, ready);
      return answer(c, ready);
    };
  const app = new Hono<EdgeEnv>();
  for (const path of ["/models/:name", "/models/:name/versions/:version"])
    app
      .get(path, checked(describeModel))
      .all(path, allowOnly("GET", "HEAD"))
      .get(
        `${path}/ready`,
        checked((c) => c.json({ name: ready.model.name, ready: true })),
      )
      .all(`${path}/ready`, allowOnly("GET", "HEAD"))
      .post(`${path}/infer`, checked(infer))
      .all(`${path}/infer`, allowOnly("POST"));
  return app;
}

/** The protocol's version: the beginning of the artifact's hash. */
function versionOf(c: EdgeContext): string {
  return c.get("sha256").slice(0, 12);
}

/** Throws RequestError where the path names another model or version. */
function checkPath(c: EdgeContext, { model }: Ready): void {
  const { name, version } = c.req.param() as { name: string; version?: string };
  if (name !== model.name) throw new RequestError("notFound", `there is no model ${name}: this Worker serves ${model.name}`);
  if (version !== undefined && version !== versionOf(c))
    throw new RequestError("notFound", `there is no version ${version} of ${name}: this Worker serves ${versionOf(c)}`);
}

function describeModel(c: EdgeContext, { model }: Ready): Response {
  const { timesteps, features } = shapeOf(model.recipe);
  return c.json({
    name: model.name,
    versions: [versionOf(c)],
    platform: "quickstep",
    inputs: [{ name: INPUT, datatype: Object.keys(INPUT_DATATYPES)[0], shape: [-1, timesteps, features] }],
    outputs: OUTPUTS.map((output) => ({ ...output, shape: [-1] })),
  });
}

async function infer(c: EdgeContext, ready: Ready): Promise<Response> {
  const { model } = ready;
  const jsonLength = checkBodyType(c);
  const query = queryOptions(c.req.url, model);
  const body = await readBytes(c.req.raw);
  const request = readInferRequest(body, parseJsonLength(jsonLength, body.length), shapeOf(model.recipe), maxSequences(model.recipe));
  const { id, parameters, values, pathOf } = request;
  const { operatingPoint, prior } = parameters;
  const options = bodyOptions({ operatingPoint, prior }, model, query, ["parameters"]);
  if (options.explain)
    throw new RequestError("parameter", "explain is a parameter of /v1/score: the Open Inference Protocol has no place for it");
  const scores = scoreValues(ready, values, pathOf, options);
  c.get("record").sequences = scores.probabilities.length;
  const head = {
    model_name: model.name,
    model_version: versionOf(c),
    ...(id !== undefined && { id }),
    parameters: { ...parameters, operatingPoint: options.point.name },
  };
  const answer = encodeInferAnswer(head, request.outputs, (name) => outputOf(name, scores, options.point));
  if (answer.jsonBytes === undefined) return answerWith(c, answer.body, { "content-type": "application/json" });
  return answerWith(c, answer.body, { "content-type": "application/octet-stream", [JSON_LENGTH]: `${answer.jsonBytes}` });
}

/** The header that says how many bytes are JSON, or null. Throws RequestError for a body of another type than the protocol's clients send. */
function checkBodyType(c: EdgeContext): string | null {
  const { type } = mediaTypeOf(c.req.raw);
  const jsonLength = c.req.raw.headers.get(JSON_LENGTH);
  // Triton's clients send no type with JSON and this one, or none, with tensors.
  if (type !== "" && type !== "application/json" && (type !== "application/octet-stream" || jsonLength === null))
    refuseMediaType(c.req.raw, ["application/json", `application/octet-stream with ${JSON_LENGTH}`]);
  return jsonLength;
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
