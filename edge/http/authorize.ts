// Which scope a request needs, and whether its key has it. Closed by default.
import type { MiddlewareHandler } from "hono";
import { type Access, isLocal, type Scope, verifyKey } from "./access.ts";
import { RequestError } from "./problem.ts";
import type { EdgeEnv } from "./request-context.ts";

/** The period of the rate limit in wrangler.toml: after it, a key may go on for certain. */
export const RATE_PERIOD_S = 60;

/** Whether one more request of this name is within its rate. */
type WithinRate = (name: string) => Promise<boolean>;

/** What anybody may see: that there is a service, how to call it, and whether it is well. Webhooks are verified by their signatures. */
const PUBLIC = /^\/($|docs(\/|$)|openapi\.json$|health\/|v2\/health\/|hooks\/)/;

/** What of it is more than a few bytes, or has a signature verified. */
const COSTLY = /^\/(docs(\/|$)|openapi\.json$|hooks\/)/;

/** Throws RequestError where an address, as Cloudflare knows it, has used up what it may ask for without a key. */
async function checkAddress(request: Request, withinRate?: WithinRate): Promise<void> {
  const address = request.headers.get("cf-connecting-ip");
  if (address === null || withinRate === undefined || isLocal(request)) return;
  if (!(await withinRate(`address ${address}`)))
    // no key is called so: its name has no space
    throw new RequestError("rate", `this address has used up its requests without a key: wait ${RATE_PERIOD_S} seconds`);
}

/** What lists or counts across streams, or finds a delivery of any. */
const ALL_STREAMS = /^\/(metrics|v1\/(streams\/*$|deliveries|metrics))/;

/**
 * Middleware: whatever is not public, a route that does not exist included, needs a key with the scope its method asks for. Throws
 * RequestError. `withinRate`: absent: no limit. `withinFailures`: the same, of addresses whose keys are refused.
 */
export function authorize(access: Access, withinRate?: WithinRate, withinFailures = withinRate): MiddlewareHandler<EdgeEnv> {
  return async (c, next) => {
    if (PUBLIC.test(c.req.path)) {
      if (COSTLY.test(c.req.path)) await checkAddress(c.req.raw, withinRate);
      return next();
    }
    const {
      name,
      scopes,
      streams,
      isLocal: isDeveloper,
    } = await verifyKey(access, c.req.raw, ...scopesOf(c.req.method, c.req.path)).catch(async (error) => {
      await checkAddress(c.req.raw, withinFailures); // who guesses keys
      throw error;
    });
    c.get("record").key = name;
    c.set("isTrusted", isDeveloper || scopes.includes("admin"));
    c.set("streams", streams);
    if (streams !== undefined && ALL_STREAMS.test(c.req.path))
      throw new RequestError("forbidden", `the key ${name} is bound to some streams, this is about all`);
    if (!isDeveloper && withinRate !== undefined && !(await withinRate(name)))
      throw new RequestError("rate", `the key ${name} has used up its requests: wait ${RATE_PERIOD_S} seconds`);
    return next();
  };
}

/** Paths of the Open Inference Protocol and of TensorFlow Serving, whose clients ask for metadata and readiness before they score. */
export const OTHER_PROTOCOLS = /^\/(v2|v1\/models)(\/|$)/;
const REPOSITORY_INDEX = "/v2/repository/index";

/** What is known of a model beyond what whoever scores must know. */
const KNOWN_OF_MODEL = /^\/v1\/models\/[^/]+\/(card|drift|performance|compare)$/;

/** Of which one is enough. Reading reads; scoring only adds; whatever takes something away or sends something again is for admins. */
function scopesOf(method: string, path: string): readonly Scope[] {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS")
    return (OTHER_PROTOCOLS.test(path) && !KNOWN_OF_MODEL.test(path)) || path === "/v1/key" ? ["read", "score"] : ["read"];
  if (path === REPOSITORY_INDEX) return ["read", "score"];
  const changesModels = path.startsWith("/v1/models/") && (method !== "POST" || path.endsWith("/rollback"));
  const isForAdmins = changesModels || path.startsWith("/v1/deliveries") || (method === "DELETE" && path.startsWith("/v1/streams"));
  return [isForAdmins ? "admin" : "score"];
}
