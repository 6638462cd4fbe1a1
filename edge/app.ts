// The HTTP surface: which routes there are, what surrounds them, how every failure reads.
import { Hono } from "hono";
import { ArtifactError, isQuickstepError } from "../shared/errors.ts";
import type { Deployment, Ready } from "./deployment.ts";
import { allowOnly, answerProblem, type EdgeEnv, guard, identify, type Surroundings, shareWith } from "./middleware.ts";
import { RequestError } from "./problem.ts";
import { healthRoutes } from "./routes/health.ts";
import { inferenceHealthRoutes, inferenceRoutes } from "./routes/inference-v2.ts";
import { modelRoutes } from "./routes/model.ts";
import { scoreRoutes } from "./routes/score.ts";

const ROUTES = {
  "POST /v1/score": "probabilities and labels of one sequence or many",
  "GET /v1/model": "the deployed model's card",
  "GET /v2": "the Open Inference Protocol: server metadata; /v2/models/{name}, its /ready and /infer",
  "GET /health/live": "whether this Worker runs",
  "GET /health/ready": "whether it has a proven model",
};

/** What needs a model. Its type is what the typed client knows. */
function modelled(ready: Ready) {
  return new Hono<EdgeEnv>()
    .route("/v1/score", scoreRoutes(ready))
    .route("/v1/model", modelRoutes(ready))
    .route("/v2", inferenceRoutes(ready));
}
export type Api = ReturnType<typeof modelled>;

export function createApp(deployment: Deployment, surroundings: Surroundings): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>();
  app.use(identify(deployment, surroundings), shareWith(surroundings.origins), guard(surroundings));
  app.get("/", (c) => c.json({ name: "quickstep", routes: ROUTES })).all("/", allowOnly("GET", "HEAD"));
  app.route("/health", healthRoutes(deployment, surroundings.access)).route("/v2", inferenceHealthRoutes(deployment));
  if ("unready" in deployment) {
    const refuse = () => {
      throw new ArtifactError(deployment.unready);
    };
    app.all("/v1/score", refuse).all("/v1/model", refuse).all("/v2/models/*", refuse);
  } else app.route("/", modelled(deployment));
  app.notFound((c) => answerProblem(c, new RequestError("notFound", `there is no ${c.req.path}: GET / lists what there is`)));
  app.onError((error, c) => {
    if (!isQuickstepError(error) && !(error instanceof RequestError)) surroundings.report(error);
    return answerProblem(c, error);
  });
  return app;
}
