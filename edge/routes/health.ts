// GET /health/live: the isolate runs. GET /health/ready: it has a model that reproduces its golden vectors, and keys and webhooks it can read.
import { Hono } from "hono";
import { ArtifactError } from "../../shared/errors.ts";
import { modelId } from "../../shared/model.ts";
import { allowOnly, type EdgeEnv, type Surroundings } from "../http/middleware.ts";
import { RequestError } from "../http/problem.ts";
import type { Deployment } from "../models/servable-model.ts";

export function healthRoutes(deployment: Deployment, { access, endpoints }: Surroundings) {
  return new Hono<EdgeEnv>()
    .get("/live", (c) => c.json({ live: true }))
    .get("/ready", (c) => {
      if ("unready" in deployment) throw new ArtifactError(deployment.unready);
      if (access.unusable !== undefined) throw new RequestError("keys", access.unusable);
      if (endpoints.unusable !== undefined) throw new RequestError("configuration", endpoints.unusable);
      return c.json({ ready: true, model: modelId(deployment.model, c.get("sha256")) });
    })
    .all("/live", allowOnly("GET", "HEAD"))
    .all("/ready", allowOnly("GET", "HEAD"));
}
