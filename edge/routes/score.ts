// POST /v1/score: sequences in, their probabilities and labels out, in the order they came; as JSON, as a stream of JSON lines,
// as bare numbers, or as an array of NumPy.

import { type Handler, Hono, type TypedResponse } from "hono";
import { DataError, describe, type Path, SequenceError } from "../../shared/errors.ts";
import { modelId } from "../../shared/model.ts";
import { encodeNpy, readNpy } from "../../shared/npy.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { mediaTypeOf, readBytes, readJson, refuseEncoding, refuseMediaType } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import type { Ready } from "../models/servable-model.ts";
import { type Options, queryOptions } from "../scoring/options.ts";
import { scoreLines } from "../scoring/score-lines.ts";
import { parseScoreRequest, SCORE_TYPES } from "../scoring/score-request.ts";
import { maxSequences, resultsOf, type ScoreAnswer, type ScoreRequest, scoreValues } from "../scoring/scoring.ts";
import { alignTensor, BYTES_PER_NUMBER, checkShape, type Dtype, readNumbers } from "../scoring/tensor.ts";

type Answer = Response & TypedResponse<ScoreAnswer, 200, "json">;
type ScoreHandler = Handler<EdgeEnv, "/", { in: { json: ScoreRequest }; out: { json: ScoreRequest } }, Promise<Answer>>;

export function scoreRoutes(ready: Ready) {
  const { model } = ready;

  async function scoreJson(c: EdgeContext, query: Options): Promise<Answer> {
    const { values, pathOf, options } = parseScoreRequest(await readJson(c.req.raw), ready, query);
    return answerJson(c, values, pathOf, options);
  }

  function answerJson(c: EdgeContext, values: Float64Array, pathOf: (n: number) => Path, options: Options): Answer {
    const results = resultsOf(ready, values, pathOf, options);
    c.get("record").sequences = results.length;
    const answer: ScoreAnswer = { model: modelId(model, c.get("sha256")), operatingPoint: options.point.name, results };
    return answerWith(c, JSON.stringify(answer), { "content-type": "application/json" }) as Answer;
  }

  /** Numbers came, numbers go, in the type they came: (N) probabilities. Labels and explanations are for `accept: application/json`. */
  function answerNumbers(
    c: EdgeContext,
    values: Float64Array,
    options: Options,
    type: string,
    encode: (probabilities: Float32Array) => Uint8Array<ArrayBuffer>,
  ): Response {
    const pathOf = (n: number): Path => ["sequences", n];
    if (c.req.header("accept")?.includes("application/json")) return answerJson(c, values, pathOf, options);
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

  async function scoreOctets(c: EdgeContext, query: Options, dtype: Dtype): Promise<Response> {
    const { recipe } = model;
    const { timesteps: T, features: F } = shapeOf(recipe);
    const bytes = await readBytes(c.req.raw);
    const sequenceBytes = T * F * BYTES_PER_NUMBER[dtype];
    if (bytes.length === 0 || bytes.length % sequenceBytes !== 0)
      throw new SequenceError([], `must be whole sequences of ${T} × ${F} ${dtype}, ${sequenceBytes} bytes each`, `${bytes.length} bytes`);
    const shape = [bytes.length / sequenceBytes, T, F];
    checkShape(shape, shapeOf(recipe), maxSequences(recipe), []);
    const numbers = readNumbers(bytes, 0, bytes.length / BYTES_PER_NUMBER[dtype], dtype);
    const values = alignTensor(numbers, shape, shapeOf(recipe), placeIn(T, F));
    const type = `application/octet-stream; dtype=${dtype}`;
    return answerNumbers(
      c,
      values,
      query,
      type,
      (p) => new Uint8Array((dtype === "float32" ? p : Float64Array.from(p)).buffer as ArrayBuffer),
    );
  }

  async function scoreNpy(c: EdgeContext, query: Options): Promise<Response> {
    const { recipe } = model;
    const { data, shape, dtype } = parseNpy(await readBytes(c.req.raw));
    if (!(data instanceof Float64Array)) throw new SequenceError([], "must be an array of numbers", "text");
    checkShape(shape, shapeOf(recipe), maxSequences(recipe), []);
    const values = alignTensor(data, shape, shapeOf(recipe), placeIn(shape[1], shape[2]));
    return answerNumbers(c, values, query, "application/x-npy", (p) =>
      encodeNpy(dtype === "float32" ? p : Float64Array.from(p), [p.length]),
    );
  }

  function scoreStream(c: EdgeContext, query: Options): Response {
    refuseEncoding(c.req.raw);
    const { body } = c.req.raw;
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

  const answer: ScoreHandler = async (c) => {
    const query = queryOptions(c.req.url, model);
    const { type, parameters } = mediaTypeOf(c.req.raw);
    switch (type) {
      case "application/json":
        return scoreJson(c, query);
      case "application/x-ndjson":
        return scoreStream(c, query) as Answer; // only JSON has a type: it is what the typed client speaks
      case "application/octet-stream":
        return (await scoreOctets(c, query, dtypeOf(parameters))) as Answer;
      case "application/x-npy":
        return (await scoreNpy(c, query)) as Answer;
      default:
        return refuseMediaType(c.req.raw, SCORE_TYPES);
    }
  };
  return new Hono<EdgeEnv>().post("/", answer).all("/", allowOnly("POST"));
}

function dtypeOf(parameters: ReadonlyMap<string, string>): Dtype {
  const dtype = parameters.get("dtype") ?? "float64";
  if (dtype !== "float32" && dtype !== "float64")
    throw new RequestError("mediaType", `content-type's dtype must be float64 or float32, got ${describe(dtype)}`);
  return dtype;
}

function parseNpy(bytes: Uint8Array): ReturnType<typeof readNpy> {
  try {
    return readNpy(bytes, "the body");
  } catch (error) {
    throw error instanceof DataError ? new RequestError("malformed", error.message) : error;
  }
}

/** The place of number `i` of (N,t,F), as the JSON body would have it. */
function placeIn(t: number, F: number): (i: number) => Path {
  return (i) => ["sequences", Math.floor(i / (t * F)), Math.floor(i / F) % t, i % F];
}
