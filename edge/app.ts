// The HTTP surface: which routes there are, what surrounds them, how every failure reads.
import { Hono } from "hono";
import { ArtifactError, isQuickstepError } from "../shared/errors.ts";
import { authorize } from "./http/authorize.ts";
import { allowOrigins } from "./http/cors.ts";
import { RequestError } from "./http/problem.ts";
import { type EdgeEnv, requestContext } from "./http/request-context.ts";
import { answerProblem } from "./http/respond.ts";
import type { Ready, ServableModel } from "./models/servable-model.ts";
import { deliveryRoutes, metricRoutes } from "./routes/deliveries.ts";
import type { Dependencies } from "./routes/dependencies.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { inferenceHealthRoutes, inferenceRoutes } from "./routes/inference-v2.ts";
import { modelRoutes } from "./routes/model.ts";
import { openapiRoutes } from "./routes/openapi.ts";
import { pageRoutes } from "./routes/page.ts";
import { predictRoutes } from "./routes/predict-v1.ts";
import { scoreRoutes } from "./routes/score.ts";
import { streamRoutes } from "./routes/streams.ts";
import { endpointsFor } from "./streams/endpoints.ts";

/** What needs a model. Its type is what the typed client knows. */
function modelled(ready: Ready, { now, assets }: Dependencies) {
  return new Hono<EdgeEnv>()
    .route("/v1/score", scoreRoutes(ready))
    .route("/v1/model", modelRoutes(ready))
    .route("/v1/models", predictRoutes(ready))
    .route("/v2", inferenceRoutes(ready, now))
    .route("/openapi.json", openapiRoutes(ready, assets))
    .route("/docs", docsRoutes(ready, assets));
}
export type Api = ReturnType<typeof modelled>;

/** The app around `servable`. An unready model leaves the routes that need one answering why. */
export function createApp(servable: ServableModel, given: Dependencies): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>();
  const dependencies = "unready" in servable ? given : { ...given, endpoints: endpointsFor(given.endpoints, servable.model.recipe) };
  const { access, withinRate, withinFailures, origins, log, report } = dependencies;
  app.use(requestContext(servable.sha256, log, dependencies.now));
  if (origins.length > 0) app.use(allowOrigins(origins));
  app.use(authorize(access, withinRate, withinFailures));
  app.route("/", pageRoutes(dependencies.assets));
  app.route("/health", healthRoutes(servable, dependencies)).route("/v2", inferenceHealthRoutes(servable));
  app.route("/v1/streams", streamRoutes(servable, dependencies));
  app.route("/v1/deliveries", deliveryRoutes(dependencies)).route("/v1/metrics", metricRoutes(dependencies));
  if ("unready" in servable) {
    const refuse = () => {
      throw new ArtifactError(servable.unready);
    };
    for (const path of ["/v1/score", "/v1/model", "/v1/models/*", "/hooks/*", "/v2/models/*", "/openapi.json", "/docs"])
      app.all(path, refuse);
  } else app.route("/", modelled(servable, dependencies)).route("/hooks", hookRoutes(servable, dependencies));
  app.notFound((c) => answerProblem(c, new RequestError("notFound", `there is no ${c.req.path}: GET /docs lists what there is`)));
  app.onError((error, c) => {
    if (!isQuickstepError(error) && !(error instanceof RequestError)) report(error);
    return answerProblem(c, error);
  });
  return app;
}
