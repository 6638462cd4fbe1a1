// POST /v1/score: sequences in, their probabilities and labels out, in the order they came; as JSON, as a stream of JSON lines, as raw
// binary numbers, or as an array of NumPy.
import type { Handler, TypedResponse } from "hono";
import { contentStream, mediaTypeOf, readBytes, readJson, refuseMediaType } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerJsonText, answerWith } from "../http/respond.ts";
import type { ServedModel } from "../models/models.ts";
import { dtypeOf, encodeNpyNumbers, encodeRawNumbers, type NumericRequest, parseNpy, parseRawBinary } from "../scoring/numeric-request.ts";
import { type Options, queryOptions, refuseRemember } from "../scoring/options.ts";
import { scoreLines } from "../scoring/score-lines.ts";
import { type ParsedRequest, parseScoreRequest, SCORE_PATHS, SCORE_TYPES } from "../scoring/score-request.ts";
import { resultsOf, type ScoreAnswer, type ScoreRequest, scoreValues } from "../scoring/scoring.ts";
import type { RequestModel } from "./request-model.ts";

type Answer = Response & TypedResponse<ScoreAnswer, 200, "json">;
type ScoreHandler = Handler<EdgeEnv, "/", { in: { json: ScoreRequest }; out: { json: ScoreRequest } }, Promise<Answer>>;

/** Behind the handler stands nothing. */
const NOBODY = async () => {};

/** The route's type is the JSON form's alone: JSON is what the typed client speaks. */
export function scoreRoutes(modelOf: RequestModel) {
  const score: ScoreHandler = async (c) => {
    const ready = await modelOf(c, c.req.param("name" as never)); // behind /v1/models/{name}; /v1/score has none
    const query = queryOptions(c.req.url, ready.model);
    const { type, parameters } = mediaTypeOf(c.req.raw);
    switch (type) {
      case "application/json":
        return answerJson(c, ready, parseScoreRequest(await readJson(c.req.raw), ready, query));
      case "application/x-ndjson":
        return answerLines(c, ready, query) as Answer;
      case "application/octet-stream": {
        const dtype = dtypeOf(parameters);
        const request = parseRawBinary(await readBytes(c.req.raw), dtype, ready);
        const encode = (probabilities: Float32Array) => encodeRawNumbers(probabilities, dtype);
        return answerNumbers(c, ready, { ...request, options: query }, `application/octet-stream; dtype=${dtype}`, encode) as Answer;
      }
      case "application/x-npy": {
        const request = parseNpy(await readBytes(c.req.raw), ready);
        const encode = (probabilities: Float32Array) => encodeNpyNumbers(probabilities, request.dtype);
        return answerNumbers(c, ready, { ...request, options: query }, "application/x-npy", encode) as Answer;
      }
      default:
        return refuseMediaType(c.req.raw, SCORE_TYPES);
    }
  };
  const app = new Hono<EdgeEnv>();
  for (const [name, type] of Object.entries(SCORE_PATHS))
    app
      .post(`/${name}`, (c) => (mediaTypeOf(c.req.raw).type === type ? score(c as never, NOBODY) : refuseMediaType(c.req.raw, [type])))
      .all(`/${name}`, allowOnly("POST"));
  return app.post("/", score).all("/", allowOnly("POST"));
}

function answerJson(c: EdgeContext, ready: ServedModel, { values, pathOf, options }: ParsedRequest): Answer {
  const results = resultsOf(ready, values, pathOf, options);
  c.get("record").sequences = results.length;
  const answer: ScoreAnswer = { model: ready.id, operatingPoint: options.point.name, results };
  return answerJsonText(c, JSON.stringify(answer)) as Answer;
}

/** Numbers came, numbers go, in the type they came: (N) probabilities. Labels and explanations are for `accept: application/json`. */
function answerNumbers(
  c: EdgeContext,
  ready: ServedModel,
  request: NumericRequest & { readonly options: Options },
  type: string,
  encode: (probabilities: Float32Array) => Uint8Array<ArrayBuffer>,
): Response {
  const { values, pathOf, options } = request;
  if (c.req.header("accept")?.includes("application/json")) return answerJson(c, ready, request);
  refuseRemember(options, type);
  if (options.explain)
    throw new RequestError("parameter", `explain needs the header accept: application/json, since ${type} has no place for it`);
  const { probabilities, outOfRange } = scoreValues(ready, values, pathOf, options);
  c.get("record").sequences = probabilities.length;
  return answerWith(c, encode(probabilities), {
    "content-type": type,
    "x-quickstep-operating-point": encodeURIComponent(options.point.name),
    "x-quickstep-threshold": `${options.point.threshold}`,
    "x-quickstep-out-of-range": `${outOfRange.reduce((sum, flag) => sum + flag, 0)}`,
  });
}

/** Results leave while lines arrive; the record is complete, and logged, when the last has left. */
function answerLines(c: EdgeContext, ready: ServedModel, query: Options): Response {
  const body = contentStream(c.req.raw);
  if (body === null) throw new RequestError("malformed", "the body is empty, expected lines of JSON");
  const record = c.get("record");
  const finished = Promise.withResolvers<void>();
  c.set("finished", finished.promise);
  const stream = scoreLines(ready, body, query, ({ sequences, errors }, failure) => {
    record.sequences = sequences;
    record.lineErrors = errors;
    if (failure !== undefined) record.problem = "broken";
    finished.resolve();
  });
  return answerWith(c, stream, {
    "content-type": "application/x-ndjson",
    "x-quickstep-operating-point": encodeURIComponent(query.point.name),
  });
}
