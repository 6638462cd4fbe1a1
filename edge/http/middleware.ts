// What surrounds every route: who asks and who answers, one record a request, and which methods a path knows.
import type { Context, Handler, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { VERSION } from "../../shared/version.ts";
import type { Endpoints } from "../config/endpoints.ts";
import type { Deployment } from "../models/servable-model.ts";
import type { StreamStore } from "../streams/store.ts";
import { type Access, authorise, LOCAL, type Scope } from "./access.ts";
import { problemKind, problemResponse, RequestError } from "./problem.ts";

/** What is known of a request when it is over: never an input, never a key, never a signature. */
export interface RequestRecord {
  id: string;
  method: string;
  /** The route's pattern, not what the client wrote. */
  route: string;
  status: number;
  model: string;
  version: string;
  /** The name of the key. */
  key?: string;
  /** Of a webhook: its source, and why it was not believed. */
  source?: string;
  refusal?: string;
  /** Sequences scored. */
  sequences?: number;
  /** Lines of a stream that were answered with an error. */
  lineErrors?: number;
  /** The kind of problem it was answered with. */
  problem?: string;
}

/** What middleware leaves for the routes behind it. */
export interface EdgeEnv {
  Variables: {
    sha256: string;
    record: RequestRecord;
    /** What every answer carries but the request's id. */
    headers: Headers;
    /** The answer that carries them already. */
    named?: Response;
    finished?: Promise<void>;
  };
}
export type EdgeContext = Context<EdgeEnv>;

/** What the app needs of the world beside its model. */
export interface Surroundings {
  readonly access: Access;
  /** The page of GET /, as HTML that brings its own policy for what it loads. */
  readonly page: string;
  /** Origins whose pages may call; none unless listed. */
  readonly origins: readonly string[];
  /** Whether one more request of this name is within its rate; absent: no limit. */
  readonly withinRate?: (name: string) => Promise<boolean>;
  /** Who sends webhooks in, and where results go. */
  readonly endpoints: Endpoints;
  /** Absent where the deployment has no storage bound. */
  readonly streams?: StreamStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of every request that is over. */
  readonly log: (record: RequestRecord) => void;
  /** Told of every error that nobody foresaw. */
  readonly report: (error: Error) => void;
}

/** The period of the rate limit in wrangler.toml: after it, a key may go on for certain. */
export const RATE_PERIOD_S = 60;

/** Where a sender heeds it: enough for storage to move or restart. */
const STORAGE_RETRY_S = 5;

/** What every answer carries; a page replaces the first two by its own. */
const SECURITY_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Outermost: names the artifact, the code and the request in the headers of every response, errors included, with the security
 * headers; and logs the request when its answer is over.
 */
export function identify({ sha256 }: Deployment, { log }: Surroundings): MiddlewareHandler<EdgeEnv> {
  let headers: Headers | undefined;
  return async (c, next) => {
    const hash = await sha256();
    headers ??= new Headers({ ...SECURITY_HEADERS, "x-quickstep-model": hash, "x-quickstep-version": VERSION });
    const id = c.req.raw.headers.get("cf-ray") ?? crypto.randomUUID();
    const record: RequestRecord = { id, method: c.req.method, route: "", status: 0, model: hash.slice(0, 12), version: VERSION };
    c.set("sha256", hash);
    c.set("record", record);
    c.set("headers", headers);
    await next();
    if (c.res !== c.get("named")) {
      const sent = c.res.headers;
      for (const [name, value] of headers) if (!sent.has(name)) sent.set(name, value);
      sent.set("x-request-id", id);
    }
    record.route = routePath(c, -1);
    record.status = c.res.status;
    const finished = c.get("finished"); // a streamed answer is over later
    if (finished === undefined) log(record);
    else
      waitUntil(
        c,
        finished.then(() => log(record)),
      );
  };
}

/** A 200 on a copy of the headers of all: in workerd 3 µs, where a record of ten takes 9, and setting ten afterwards 24 (measured). */
export function answerWith(c: EdgeContext, body: BodyInit, headers: Record<string, string>): Response {
  const response = new Response(body, { headers: c.get("headers") });
  for (const name in headers) response.headers.set(name, headers[name]);
  response.headers.set("x-request-id", c.get("record").id);
  c.set("named", response);
  return response;
}

/** Cross-origin pages: an origin on the list gets its answers read, and its preflights answered. */
export function shareWith(origins: readonly string[]): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    const origin = c.req.header("origin");
    const isAllowed = origin !== undefined && origins.includes(origin);
    if (isAllowed && c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined)
      c.res = new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-methods": "GET, HEAD, POST, DELETE",
          "access-control-allow-headers": "authorization, content-type, accept, inference-header-content-length",
          "access-control-max-age": "86400",
        },
      });
    else await next();
    if (origins.length > 0) c.res.headers.append("vary", "origin");
    if (!isAllowed) return;
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", "*");
  };
}

/** What anybody may see: that there is a service, how it is spoken to, and whether it is well. Webhooks prove themselves otherwise. */
const PUBLIC = /^\/($|docs$|openapi\.json$|health\/|v2\/health\/|hooks\/)/;

/** Closed by default: whatever is not public, a route that does not exist included, needs a key with the scope its method asks for. */
export function guard({ access, withinRate }: Surroundings): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    if (PUBLIC.test(c.req.path)) return next();
    const name = await authorise(access, c.req.raw, scopeOf(c.req.method, c.req.path));
    c.get("record").key = name;
    if (name !== LOCAL && withinRate !== undefined && !(await withinRate(name)))
      throw new RequestError("rate", `the key ${name} has used up its requests: wait ${RATE_PERIOD_S} seconds`);
    return next();
  };
}

/** Reading reads; scoring only adds; whatever takes something away or sends something again is for admins. */
function scopeOf(method: string, path: string): Scope {
  if (path.startsWith("/admin/")) return "admin";
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return "read";
  const isForAdmins = path.startsWith("/v1/deliveries") || (method === "DELETE" && path.startsWith("/v1/streams"));
  return isForAdmins ? "admin" : "score";
}

/** Any failure as a problem, with the headers its kind calls for; v2 clients look for `error`. */
export function answerProblem(c: EdgeContext, error: unknown): Response {
  const kind = problemKind(error);
  c.get("record").problem = kind;
  const response = problemResponse(error, c.req.path.startsWith("/v2"));
  if (kind === "signature") response.headers.set("www-authenticate", 'Signature realm="quickstep"');
  if (kind === "storage") response.headers.set("retry-after", `${STORAGE_RETRY_S}`);
  if (kind === "unauthorised") response.headers.set("www-authenticate", 'Bearer realm="quickstep"');
  if (kind === "rate") response.headers.set("retry-after", `${RATE_PERIOD_S}`);
  return response;
}

/** Stands behind a path's own handlers and answers 405 to every other method. */
export function allowOnly(...methods: string[]): Handler<EdgeEnv> {
  const allow = methods.join(", ");
  return (c) => {
    const response = answerProblem(c, new RequestError("method", `${c.req.path} answers ${allow}, got ${c.req.method}`));
    response.headers.set("allow", allow);
    return response;
  };
}

/** Outside workerd there is nothing to keep alive. */
function waitUntil(c: EdgeContext, promise: Promise<void>): void {
  try {
    c.executionCtx.waitUntil(promise);
  } catch {
    void promise;
  }
}
