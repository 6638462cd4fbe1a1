// GET /openapi.json: the service as OpenAPI 3.1, with the figures of the model that is served.
import { Hono } from "hono";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { fetchAsset, type StaticAssets } from "../http/static-assets.ts";
import type { Ready } from "../models/servable-model.ts";
import { figuresOf } from "../openapi/figures.ts";
import { fill } from "../openapi/fill.ts";

/** The document about the model that is served, filled in when first asked for. */
export function openapiRoutes(ready: Ready, assets: StaticAssets | undefined) {
  let document: string | undefined;
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      document ??= JSON.stringify(fill(await (await fetchAsset(assets, "openapi.json")).json(), figuresOf(ready.model)));
      return c.body(document, 200, { "content-type": "application/json" });
    })
    .all("/", allowOnly("GET", "HEAD"));
}
