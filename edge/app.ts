// The HTTP surface: which routes there are, what surrounds them, how every failure reads.
import { Hono } from "hono";
import { ArtifactError, isQuickstepError } from "../shared/errors.ts";
import { endpointsFor } from "./config/endpoints.ts";
import { answerProblem, type EdgeEnv, guard, identify, type Surroundings, shareWith } from "./http/middleware.ts";
import { RequestError } from "./http/problem.ts";
import type { Deployment, Ready } from "./models/servable-model.ts";
import { openapiRoutes } from "./openapi/openapi.ts";
import { deliveryRoutes, metricRoutes } from "./routes/deliveries.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { inferenceHealthRoutes, inferenceRoutes } from "./routes/inference-v2.ts";
import { modelRoutes } from "./routes/model.ts";
import { pageRoutes } from "./routes/page.ts";
import { scoreRoutes } from "./routes/score.ts";
import { streamRoutes } from "./routes/streams.ts";

/** What needs a model. Its type is what the typed client knows. */
function modelled(ready: Ready) {
  return new Hono<EdgeEnv>()
    .route("/v1/score", scoreRoutes(ready))
    .route("/v1/model", modelRoutes(ready))
    .route("/v2", inferenceRoutes(ready))
    .route("/openapi.json", openapiRoutes(ready))
    .route("/docs", docsRoutes(ready));
}
export type Api = ReturnType<typeof modelled>;

export function createApp(deployment: Deployment, given: Surroundings): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>();
  const features = "unready" in deployment ? undefined : deployment.model.recipe.features.length;
  const surroundings = features === undefined ? given : { ...given, endpoints: endpointsFor(given.endpoints, features) };
  app.use(identify(deployment, surroundings));
  if (surroundings.origins.length > 0) app.use(shareWith(surroundings.origins));
  app.use(guard(surroundings));
  app.route("/", pageRoutes(surroundings.page));
  app.route("/health", healthRoutes(deployment, surroundings)).route("/v2", inferenceHealthRoutes(deployment));
  app.route("/v1/streams", streamRoutes(deployment, surroundings));
  app.route("/v1/deliveries", deliveryRoutes(surroundings)).route("/v1/metrics", metricRoutes(surroundings));
  if ("unready" in deployment) {
    const refuse = () => {
      throw new ArtifactError(deployment.unready);
    };
    app
      .all("/v1/score", refuse)
      .all("/v1/model", refuse)
      .all("/hooks/*", refuse)
      .all("/v2/models/*", refuse)
      .all("/openapi.json", refuse)
      .all("/docs", refuse);
  } else app.route("/", modelled(deployment)).route("/hooks", hookRoutes(deployment, surroundings));
  app.notFound((c) => answerProblem(c, new RequestError("notFound", `there is no ${c.req.path}: GET /docs lists what there is`)));
  app.onError((error, c) => {
    if (!isQuickstepError(error) && !(error instanceof RequestError)) surroundings.report(error);
    return answerProblem(c, error);
  });
  return app;
}
