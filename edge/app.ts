// The HTTP surface: which routes there are, what surrounds them, how every failure reads.

import { isQuickstepError } from "../shared/errors.ts";
import { authorize } from "./http/authorize.ts";
import { allowOrigins } from "./http/cors.ts";
import { Hono } from "./http/hono.ts";
import { RequestError } from "./http/problem.ts";
import { type EdgeEnv, requestContext } from "./http/request-context.ts";
import { answerProblem } from "./http/respond.ts";
import type { Models } from "./models/models.ts";
import { deliveryRoutes, metricRoutes } from "./routes/deliveries.ts";
import type { Dependencies } from "./routes/dependencies.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { inferenceHealthRoutes, inferenceRoutes } from "./routes/inference-v2.ts";
import { keyRoutes } from "./routes/key.ts";
import { modelRoutes } from "./routes/model.ts";
import { expositionRoutes, outcomeRoutes, watchRoutes } from "./routes/monitor.ts";
import { openapiRoutes } from "./routes/openapi.ts";
import { pageRoutes } from "./routes/page.ts";
import { predictRoutes } from "./routes/predict-v1.ts";
import { registryRoutes } from "./routes/registry.ts";
import { type RequestModel, requestModel } from "./routes/request-model.ts";
import { scoreRoutes } from "./routes/score.ts";
import { streamRoutes } from "./routes/streams.ts";

/** What the typed client knows: scoring, the model, and what the desk looks at. */
function typed(modelOf: RequestModel, dependencies: Dependencies) {
  const { access, now, assets, registry } = dependencies;
  return new Hono<EdgeEnv>()
    .route("/v1/key", keyRoutes(access))
    .route("/v1/deliveries", deliveryRoutes(dependencies))
    .route("/v1/metrics", metricRoutes(dependencies))
    .route("/v1/score", scoreRoutes(modelOf))
    .route("/v1/model", modelRoutes(modelOf))
    .route("/v1/models", predictRoutes(modelOf))
    .route("/v1/models/:name/score", scoreRoutes(modelOf))
    .route("/v1/models/:name/card", modelRoutes(modelOf))
    .route("/v1/models", watchRoutes(modelOf, dependencies))
    .route("/v2", inferenceRoutes(modelOf, registry, now))
    .route("/openapi.json", openapiRoutes(modelOf, assets));
}
export type Api = ReturnType<typeof typed>;

/** The app around `models`. Where none is usable, the routes that need one answer why. */
export function createApp(models: Models, dependencies: Dependencies): Hono<EdgeEnv> {
  const app = new Hono<EdgeEnv>();
  const { access, withinRate, withinFailures, origins, log, report } = dependencies;
  const modelOf = requestModel(models);
  app.use(requestContext(() => models.standing().sha256(), log, dependencies.now));
  if (origins.length > 0) app.use(allowOrigins(origins));
  app.use(authorize(access, withinRate, withinFailures));
  app.route("/", pageRoutes(dependencies.assets)).route("/docs", docsRoutes(dependencies.assets));
  app.route("/health", healthRoutes(modelOf, models, dependencies)).route("/v2", inferenceHealthRoutes(modelOf, dependencies.registry));
  app.route("/v1/models", registryRoutes(dependencies, models));
  app.route("/v1/streams", streamRoutes(modelOf, dependencies));
  app.route("/metrics", expositionRoutes(modelOf, dependencies)).route("/v1/outcomes", outcomeRoutes(modelOf, dependencies));
  app.route("/", typed(modelOf, dependencies)).route("/hooks", hookRoutes(modelOf, dependencies));
  app.notFound((c) => answerProblem(c, new RequestError("notFound", `there is no ${c.req.path}: GET /docs lists what there is`)));
  app.onError((error, c) => {
    if (!isQuickstepError(error) && !(error instanceof RequestError)) report(error);
    return answerProblem(c, error);
  });
  return app;
}
