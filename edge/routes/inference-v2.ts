// /v2: the Open Inference Protocol as KServe and Triton speak it, so that their clients work unchanged. Same validation, same
// numbers as /v1/score. Paths: kserve.github.io, "Open Inference Protocol", REST.
import { Hono } from "hono";
import { ArtifactError } from "../../shared/errors.ts";
import { labelAt } from "../../shared/model.ts";
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

/** What answers with a model and without. */
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

export function inferenceRoutes(ready: Ready) {
  const { model } = ready;
  const versionOf = (c: EdgeContext): string => c.get("sha256").slice(0, 12);

  /** Throws RequestError where the path names another model or version. */
  function checkPath(c: EdgeContext): void {
    const { name, version } = c.req.param() as { name: string; version?: string };
    if (name !== model.name) throw new RequestError("notFound", `there is no model ${name}: this Worker serves ${model.name}`);
    if (version !== undefined && version !== versionOf(c))
      throw new RequestError("notFound", `there is no version ${version} of ${name}: this Worker serves ${versionOf(c)}`);
  }

  function metadata(c: EdgeContext): Response {
    checkPath(c);
    const { timesteps, features } = shapeOf(model.recipe);
    return c.json({
      name: model.name,
      versions: [versionOf(c)],
      platform: "quickstep",
      inputs: [{ name: INPUT, datatype: Object.keys(INPUT_DATATYPES)[0], shape: [-1, timesteps, features] }],
      outputs: OUTPUTS.map((output) => ({ ...output, shape: [-1] })),
    });
  }

  function readiness(c: EdgeContext): Response {
    checkPath(c);
    return c.json({ name: model.name, ready: true });
  }

  async function infer(c: EdgeContext): Promise<Response> {
    checkPath(c);
    const { type } = mediaTypeOf(c.req.raw);
    const jsonLength = c.req.raw.headers.get(JSON_LENGTH);
    // Triton's clients send no type with JSON and this one, or none, with tensors.
    if (type !== "" && type !== "application/json" && (type !== "application/octet-stream" || jsonLength === null))
      refuseMediaType(c.req.raw, ["application/json", `application/octet-stream with ${JSON_LENGTH}`]);
    const query = queryOptions(c.req.url, model);
    const body = await readBytes(c.req.raw);
    const request = readInferRequest(body, parseJsonLength(jsonLength, body.length), shapeOf(model.recipe), maxSequences(model.recipe));
    const { id, parameters, values, pathOf } = request;
    const { operatingPoint, prior } = parameters;
    const options = bodyOptions({ operatingPoint, prior }, model, query, ["parameters"]);
    const { point, explain } = options;
    if (explain)
      throw new RequestError("parameter", "explain is a parameter of /v1/score: the Open Inference Protocol has no place for it");
    const { probabilities, outOfRange } = scoreValues(ready, values, pathOf, options);
    c.get("record").sequences = probabilities.length;
    const dataOf = (name: OutputName): OutputData => {
      switch (name) {
        case "probability":
          return Float64Array.from(probabilities);
        case "label":
          return Int32Array.from(probabilities, (probability) => labelAt(point, probability));
        case "outOfRange":
          return outOfRange;
      }
    };
    const head = {
      model_name: model.name,
      model_version: versionOf(c),
      ...(id !== undefined && { id }),
      parameters: { ...parameters, operatingPoint: point.name },
    };
    const answer = encodeInferAnswer(head, request.outputs, dataOf);
    if (answer.jsonBytes === undefined) return answerWith(c, answer.body, { "content-type": "application/json" });
    return answerWith(c, answer.body, { "content-type": "application/octet-stream", [JSON_LENGTH]: `${answer.jsonBytes}` });
  }

  const app = new Hono<EdgeEnv>();
  for (const path of ["/models/:name", "/models/:name/versions/:version"])
    app
      .get(path, metadata)
      .all(path, allowOnly("GET", "HEAD"))
      .get(`${path}/ready`, readiness)
      .all(`${path}/ready`, allowOnly("GET", "HEAD"))
      .post(`${path}/infer`, infer)
      .all(`${path}/infer`, allowOnly("POST"));
  return app;
}
