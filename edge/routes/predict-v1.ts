// /v1/models/{name}: TensorFlow Serving's REST predict and status, which KServe's v1 protocol has, too, so that clients of either work
// unchanged. Same validation, same numbers as /v1/score.

import { parseJson, readBytes } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerJsonText } from "../http/respond.ts";
import type { ServedModel } from "../models/models.ts";
import { describeTaken } from "../models/taken.ts";
import { queryOptions, refuseRemember } from "../scoring/options.ts";
import { describePredictions, describeStatus, parsePredictRequest, STATUS_VERSION } from "../scoring/predict-request.ts";
import { scoreValues } from "../scoring/scoring.ts";
import type { RequestModel } from "./request-model.ts";

/** The verb behind the name: `fx:predict`. A pattern of its own is none that the router takes, as in routes/deliveries.ts. */
const VERB = ":predict";

/** Status and predict; each with and without a version in the path. */
export function predictRoutes(modelOf: RequestModel) {
  const app = new Hono<EdgeEnv>();
  const named = { "/:call": ["GET", "HEAD", "PUT"], "/:name/versions/:call": ["GET", "HEAD"] }; // registryRoutes have PUT
  for (const [path, methods] of Object.entries(named))
    app
      .get(path, async (c, next) => {
        if (verbOf(c) !== "") return next();
        const served = await namedModel(c, modelOf);
        return c.json({ ...describeStatus(served.model.name), ...describeTaken(served) });
      })
      .post(path, async (c, next) => {
        if (verbOf(c) === "") return next();
        return predict(c, await namedModel(c, modelOf));
      })
      .all(path, (c, next) => allowOnly(...(verbOf(c) === "" ? methods : ["POST"]))(c, next));
  return app;
}

/** `:predict`, or nothing. */
function verbOf(c: EdgeContext): string {
  return c.req.param("call")!.endsWith(VERB) ? VERB : "";
}

/** The model that the path names. Throws as RequestModel, and RequestError where the path names another version. */
async function namedModel(c: EdgeContext, modelOf: RequestModel): Promise<ServedModel> {
  const { name, call } = c.req.param() as { name?: string; call: string };
  const last = call.slice(0, call.length - verbOf(c).length);
  const [asked, version] = name === undefined ? [last, STATUS_VERSION] : [name, last];
  const served = await modelOf(c, asked);
  if (version !== STATUS_VERSION && version !== served.sha256.slice(0, 12))
    throw new RequestError("notFound", `there is no version ${version} of ${asked}: this Worker serves ${STATUS_VERSION}`);
  return served;
}

/** TensorFlow Serving does not look at content-type, and its users' `curl -d` says that JSON is a form. */
async function predict(c: EdgeContext, ready: ServedModel): Promise<Response> {
  const query = queryOptions(c.req.url, ready.model);
  refuseRemember(query, "predict");
  if (query.explain) throw new RequestError("parameter", "explain is a parameter of /v1/score: predict has no place for it");
  const { values, pathOf, isColumnar } = parsePredictRequest(parseJson(await readBytes(c.req.raw)), ready);
  const { probabilities } = scoreValues(ready, values, pathOf, query);
  c.get("record").sequences = probabilities.length;
  return answerJsonText(c, JSON.stringify(describePredictions(probabilities, isColumnar)));
}
