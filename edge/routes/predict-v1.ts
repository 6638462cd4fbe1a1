// /v1/models/{name}: TensorFlow Serving's REST predict and status, which KServe's v1 protocol has, too, so that clients of either work
// unchanged. Same validation, same numbers as /v1/score.
import { Hono } from "hono";
import { parseJson, readBytes } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import type { Ready } from "../models/servable-model.ts";
import { queryOptions } from "../scoring/options.ts";
import { describePredictions, describeStatus, parsePredictRequest, STATUS_VERSION } from "../scoring/predict-request.ts";
import { scoreValues } from "../scoring/scoring.ts";

/** The verb behind the name: `fx:predict`. In a pattern of its own it would put all routes on Hono's slower router, as in routes/deliveries.ts. */
const VERB = ":predict";

/** Status and predict; each with and without a version in the path. */
export function predictRoutes(ready: Ready) {
  const app = new Hono<EdgeEnv>();
  for (const path of ["/:call", "/:name/versions/:call"])
    app
      .get(path, (c, next) => {
        if (verbOf(c) !== "") return next();
        checkNames(c, ready);
        return c.json(describeStatus(ready.model.name));
      })
      .post(path, (c, next) => {
        if (verbOf(c) === "") return next();
        checkNames(c, ready);
        return predict(c, ready);
      })
      .all(path, (c, next) => allowOnly(...(verbOf(c) === "" ? ["GET", "HEAD"] : ["POST"]))(c, next));
  return app;
}

/** `:predict`, or nothing. */
function verbOf(c: EdgeContext): string {
  return c.req.param("call")!.endsWith(VERB) ? VERB : "";
}

/** Throws RequestError where the path names another model or version. */
function checkNames(c: EdgeContext, { model }: Ready): void {
  const { name, call } = c.req.param() as { name?: string; call: string };
  const last = call.slice(0, call.length - verbOf(c).length);
  const [asked, version] = name === undefined ? [last, STATUS_VERSION] : [name, last];
  if (asked !== model.name) throw new RequestError("notFound", `there is no model ${asked}: this Worker serves ${model.name}`);
  if (version !== STATUS_VERSION && version !== c.get("sha256").slice(0, 12))
    throw new RequestError("notFound", `there is no version ${version} of ${asked}: this Worker serves ${STATUS_VERSION}`);
}

/** TensorFlow Serving does not look at content-type, and its users' `curl -d` says that JSON is a form. */
async function predict(c: EdgeContext, ready: Ready): Promise<Response> {
  const query = queryOptions(c.req.url, ready.model);
  if (query.explain) throw new RequestError("parameter", "explain is a parameter of /v1/score: predict has no place for it");
  const { values, pathOf, isColumnar } = parsePredictRequest(parseJson(await readBytes(c.req.raw)), ready);
  const { probabilities } = scoreValues(ready, values, pathOf, query);
  c.get("record").sequences = probabilities.length;
  return answerWith(c, JSON.stringify(describePredictions(probabilities, isColumnar)), { "content-type": "application/json" });
}
