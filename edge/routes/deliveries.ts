// /v1/deliveries: what was sent out, what was not, and sending it again. /v1/metrics: how much of each.
import { Hono } from "hono";
import { describe } from "../../shared/errors.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { parseQuery } from "../http/schema.ts";
import { deliveriesQuery, replayQuery } from "../streams/requests.ts";
import type { ListedDelivery } from "../streams/stream-object.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";

/** Deliveries, by filter and page, and their replays. `/replay` is matched as an id: a word beside a pattern puts all routes on Hono's slower router, 4 µs a request (measured). */
export function deliveryRoutes(dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const { state, key, destination, limit, cursor } = parseQuery(c.req.url, deliveriesQuery());
      const filter = { key, destination, state };
      const page = await storeOf(dependencies).deliveries(filter, limit, cursor);
      return c.json({ deliveries: page.items.map(show), cursor: page.cursor });
    })
    .post("/:id", async (c, next) => {
      if (c.req.param("id") !== "replay") return next();
      const { destination, cursor } = parseQuery(c.req.url, replayQuery());
      const { endpoints } = dependencies;
      if (!endpoints.destinations.has(destination))
        throw new RequestError("parameter", `destination must be one that DESTINATIONS lists, got ${describe(destination)}`);
      return c.json(await storeOf(dependencies).replayDead(destination, cursor));
    })
    .post("/:id/replay", async (c) => {
      if (!(await storeOf(dependencies).replay(c.req.param("id")))) throw new RequestError("notFound", "there is no delivery of this id");
      return c.body(null, 202);
    })
    .all("/", allowOnly("GET", "HEAD"))
    .all("/:id", (c, next) => (c.req.param("id") === "replay" ? allowOnly("POST")(c, next) : next()))
    .all("/:id/replay", allowOnly("POST"));
}

/** Counts of all streams and deliveries, and which destinations are paused. */
export function metricRoutes(dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const store = storeOf(dependencies);
      const names = [...dependencies.endpoints.destinations.keys()];
      const [{ streams, ...deliveries }, breakers] = await Promise.all([store.totals(), store.breakers(names)]);
      const destinations = breakers.map((view) => ({ ...view, openedAt: isoOrNull(view.openedAt), probeAt: isoOrNull(view.probeAt) }));
      return c.json({ streams, deliveries, destinations });
    })
    .all("/", allowOnly("GET", "HEAD"));
}

function show({ n, created, due, ...rest }: ListedDelivery) {
  return { ...rest, created: isoOrNull(created), due: isoOrNull(due) };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
