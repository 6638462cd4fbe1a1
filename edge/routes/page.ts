// GET /: the page for people. It holds nothing of the model: its script asks /v1, with a key where one is needed.
import { Hono } from "../http/hono.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { answerAsset, type StaticAssets } from "../http/static-assets.ts";

/** What a page cannot say of itself; what it may load is in its own policy, both hold. */
const POLICY = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The page, from `assets`. */
export function pageRoutes(assets: StaticAssets | undefined) {
  return new Hono<EdgeEnv>().get("/", (c) => answerAsset(c, assets, "page.html", POLICY)).all("/", allowOnly("GET", "HEAD"));
}
