// GET /openapi.json: the service as OpenAPI 3.1.
import { Hono } from "hono";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { Ready } from "../models/servable-model.ts";
import { describeService } from "../openapi/openapi.ts";

/** The document about the model that is served. */
export function openapiRoutes(ready: Ready) {
  let document: string | undefined; // written when first asked for: starting up stays short
  return new Hono<EdgeEnv>()
    .get("/", (c) => c.body((document ??= JSON.stringify(describeService(ready.model))), 200, { "content-type": "application/json" }))
    .all("/", allowOnly("GET", "HEAD"));
}
