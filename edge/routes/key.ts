// GET /v1/key: what the key that asks may do, so that a page offers no more.
import { type Access, verifyKey } from "../http/access.ts";
import { Hono } from "../http/hono.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";

/** Whoever has a key of any scope may ask. */
export function keyRoutes(access: Access) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      // where AUTH=open lets everybody in, an admin's key is still one
      const { name, scopes } = await verifyKey(access, c.req.raw, "admin").catch(() => verifyKey(access, c.req.raw, "read", "score"));
      return c.json({ name, scopes });
    })
    .all("/", allowOnly("GET", "HEAD"));
}
