// What surrounds every route: who answered, and which methods a path knows.
import type { Handler, MiddlewareHandler } from "hono";
import { VERSION } from "../shared/version.ts";
import type { Deployment } from "./deployment.ts";
import { problem, RequestError } from "./problem.ts";

/** What middleware leaves for the routes behind it. */
export interface EdgeEnv {
  Variables: { sha256: string };
}

/** Names the artifact, the code and the request in the headers of every response, errors included. */
export function identify({ sha256 }: Deployment): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    c.set("sha256", await sha256());
    await next();
    c.res.headers.set("x-quickstep-model", c.get("sha256"));
    c.res.headers.set("x-quickstep-version", VERSION);
    c.res.headers.set("x-request-id", c.req.header("cf-ray") ?? crypto.randomUUID());
  };
}

/** Stands behind a path's own handlers and answers 405 to every other method. */
export function allowOnly(...methods: string[]): Handler {
  const allow = methods.join(", ");
  return (c) => {
    c.header("allow", allow);
    return problem(c, new RequestError("method", `${c.req.path} answers ${allow}, got ${c.req.method}`));
  };
}
