// GET /: the page for people. It holds nothing of the model: its script asks /v1, with a key where one is needed.
import { Hono } from "hono";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";

/** What a page cannot say of itself; what it may load is in its own policy, both hold. */
const POLICY = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** `page`: the HTML. */
export function pageRoutes(page: string) {
  return new Hono<EdgeEnv>()
    .get("/", (c) => c.html(page, 200, { "content-security-policy": POLICY, "cache-control": "no-cache" }))
    .all("/", allowOnly("GET", "HEAD"));
}
