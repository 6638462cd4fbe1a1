// Pages of other origins: which may call, and read what they are answered.
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { EdgeEnv } from "./request-context.ts";

/** Middleware. An origin on the list is hono's own to answer; every other, a preflight too, goes on to where a key is asked for. */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<EdgeEnv> {
  const share = cors({
    origin: [...origins],
    allowMethods: ["GET", "HEAD", "POST", "DELETE"],
    allowHeaders: [
      "authorization",
      "content-type",
      "accept",
      "inference-header-content-length",
      "x-quickstep-model",
      "traceparent",
      "x-request-id",
    ],
    exposeHeaders: ["*"],
    maxAge: 86_400,
  });
  return async (c, next) => {
    if (origins.includes(c.req.header("origin") ?? "")) return share(c, next);
    await next();
    c.res.headers.append("vary", "origin");
  };
}
