// The HTTP surface: which routes there are, what every response carries, how every failure reads.
import { Hono } from "hono";
import { ArtifactError, isQuickstepError } from "../shared/errors.ts";
import type { Deployment } from "./deployment.ts";
import { allowOnly, type EdgeEnv, identify } from "./middleware.ts";
import { problem, RequestError } from "./problem.ts";
import { healthRoutes } from "./routes/health.ts";
import { modelRoutes } from "./routes/model.ts";
import { scoreRoutes } from "./routes/score.ts";

const ROUTES = {
  "POST /v1/score": "probabilities and labels of one sequence or many",
  "GET /v1/model": "the deployed model's card",
  "GET /health/live": "whether this Worker runs",
  "GET /health/ready": "whether it has a proven model",
};

/** `report` is told of every error that nobody foresaw. */
export function createApp(deployment: Deployment, report: (error: Error) => void): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>();
  app.use(identify(deployment));
  app.get("/", (c) => c.json({ name: "quickstep", routes: ROUTES })).all("/", allowOnly("GET", "HEAD"));
  app.route("/health", healthRoutes(deployment));
  if ("unready" in deployment) {
    const refuse = () => {
      throw new ArtifactError(deployment.unready);
    };
    app.all("/v1/score", refuse).all("/v1/model", refuse);
  } else app.route("/v1/score", scoreRoutes(deployment)).route("/v1/model", modelRoutes(deployment));
  app.notFound((c) => problem(c, new RequestError("notFound", `there is no ${c.req.path}: GET / lists what there is`)));
  app.onError((error, c) => {
    if (!isQuickstepError(error) && !(error instanceof RequestError)) report(error);
    return problem(c, error);
  });
  return app;
}
