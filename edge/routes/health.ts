// GET /health/live: the isolate runs. GET /health/ready: it has a model that reproduces its golden vectors.
import { Hono } from "hono";
import { ArtifactError } from "../../shared/errors.ts";
import type { Deployment } from "../deployment.ts";
import { allowOnly, type EdgeEnv } from "../middleware.ts";
import { modelId } from "./score.ts";

export function healthRoutes(deployment: Deployment): Hono<EdgeEnv> {
  return new Hono<EdgeEnv>()
    .get("/live", (c) => c.json({ live: true }))
    .get("/ready", (c) => {
      if ("unready" in deployment) throw new ArtifactError(deployment.unready);
      return c.json({ ready: true, model: modelId(deployment.model, c.get("sha256")) });
    })
    .all("/live", allowOnly("GET", "HEAD"))
    .all("/ready", allowOnly("GET", "HEAD"));
}
