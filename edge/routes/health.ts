// GET /health/live: the isolate runs. GET /health/ready: it has a model that reproduces its golden vectors, and keys and webhooks it can read.

import { type Access, faultOf, isLocal, verifyKey } from "../http/access.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import { type EdgeContext, type EdgeEnv, waitUntil } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { Models } from "../models/models.ts";
import { checkUsable, type Endpoints, endpointsFor } from "../streams/endpoints.ts";
import type { Dependencies } from "./dependencies.ts";
import { configuredModel, type RequestModel } from "./request-model.ts";

/**
 * Unready is a 503 that says what is wrong with model or keys; of the rest of the configuration, it says what is wrong to admins and on
 * a developer's machine.
 */
export function healthRoutes(modelOf: RequestModel, models: Models, { access, endpoints }: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/live", (c) => c.json({ live: true }))
    .get("/ready", async (c) => {
      const { id, model } = await modelOf(c);
      const fault = faultOf(access, c.req.raw);
      if (fault !== undefined) throw new RequestError("keys", fault);
      await checkConfiguration(c, access, endpointsFor(endpoints, model.recipe));
      // The answer names none of these.
      const named: RequestModel = (c, name) => models.choose({ name, waitUntil: (promise) => waitUntil(c, promise) });
      const names = new Set([...endpoints.sources.values(), ...endpoints.streamModels].map((one) => one.model));
      for (const name of names) {
        if (name === undefined) continue;
        const { model } = await configuredModel(named, c, name);
        await checkConfiguration(c, access, endpointsFor(endpoints, model.recipe, name));
      }
      const faults = models.faults();
      return c.json({ ready: true, model: id, ...(faults && { registry: faults }) });
    })
    .all("/live", allowOnly("GET", "HEAD"))
    .all("/ready", allowOnly("GET", "HEAD"));
}

/** Throws RequestError where webhooks or deliveries cannot be used. */
async function checkConfiguration(c: EdgeContext, access: Access, endpoints: Endpoints): Promise<void> {
  const { sources, settings } = endpoints;
  const used = [...settings.destinations, ...[...sources.values()].flatMap(({ destinations }) => destinations)];
  try {
    checkUsable(endpoints, used, c.req.url);
  } catch (error) {
    c.set("isTrusted", (access.openLocally && isLocal(c.req.raw)) || (await isAdmin(access, c.req.raw)));
    throw error;
  }
}

async function isAdmin(access: Access, request: Request): Promise<boolean> {
  try {
    await verifyKey(access, request, "admin");
    return true;
  } catch {
    return false;
  }
}
