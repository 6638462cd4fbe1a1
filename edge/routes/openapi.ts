// GET /openapi.json: the service as OpenAPI 3.1, with the figures of the model that is served.
import { Hono } from "../http/hono.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { fetchAsset, type StaticAssets } from "../http/static-assets.ts";
import { figuresOf } from "../openapi/figures.ts";
import { fill } from "../openapi/fill.ts";
import { ofModel, type RequestModel } from "./request-model.ts";

/** The document about the model that is served, filled in when first asked for. */
export function openapiRoutes(modelOf: RequestModel, assets: StaticAssets | undefined) {
  const documentOf = ofModel(async ({ model }) =>
    JSON.stringify(fill(await (await fetchAsset(assets, "openapi.json")).json(), figuresOf(model))),
  );
  return new Hono<EdgeEnv>()
    .get("/", async (c) => c.body(await documentOf(await modelOf(c)), 200, { "content-type": "application/json" }))
    .all("/", allowOnly("GET", "HEAD"));
}
