// GET /health/live: the isolate runs. GET /health/ready: it has a model that reproduces its golden vectors, and keys and webhooks it can read.
import { Hono } from "hono";
import { ArtifactError } from "../../shared/errors.ts";
import { modelId } from "../../shared/model.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { ServableModel } from "../models/servable-model.ts";
import type { Dependencies } from "./dependencies.ts";

/** Readiness is a 503 that says what is wrong with model, keys or configuration. */
export function healthRoutes(servable: ServableModel, { access, endpoints }: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/live", (c) => c.json({ live: true }))
    .get("/ready", (c) => {
      if ("unready" in servable) throw new ArtifactError(servable.unready);
      if (access.unusable !== undefined) throw new RequestError("keys", access.unusable);
      if (endpoints.unusable !== undefined) throw new RequestError("configuration", endpoints.unusable);
      return c.json({ ready: true, model: modelId(servable.model, c.get("sha256")) });
    })
    .all("/live", allowOnly("GET", "HEAD"))
    .all("/ready", allowOnly("GET", "HEAD"));
}
