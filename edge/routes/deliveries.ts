// /v1/deliveries: what was sent out, what was not, and sending it again. /v1/metrics: how much of each.
import type { Context } from "hono";
import type * as v from "valibot";
import { describe } from "../../shared/errors.ts";
import { renderTest, TEST_KEY } from "../deliveries/bodies.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { parseQuery, type Schema } from "../http/schema.ts";
import { deliveriesQuery, readFilter, replayQuery, testQuery } from "../streams/requests.ts";
import type { ListedDelivery } from "../streams/stream-object.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";

/** Deliveries, by filter and page, one of them, replays and tests. `/replay` and `/test` are matched as ids: a word beside a pattern is none that the router takes. */
export function deliveryRoutes(dependencies: Dependencies) {
  const destinationOf = (name: string) => {
    const destination = dependencies.endpoints.destinations.get(name);
    if (destination !== undefined) return destination;
    throw new RequestError("parameter", `destination must be one that DESTINATIONS lists, got ${describe(name)}`);
  };
  return new Hono<EdgeEnv>()
    .get("/", async (c: Asked<"/", ReturnType<typeof deliveriesQuery>>) => {
      const { limit, cursor, ...query } = parseQuery(c.req.url, deliveriesQuery());
      const filter = readFilter(query);
      const page = await storeOf(dependencies).deliveries(filter, limit, cursor);
      return c.json({ deliveries: page.items.map(show), cursor: page.cursor });
    })
    .get("/:id", async (c, next) => {
      if (isWord(c)) return next();
      const delivery = await storeOf(dependencies).delivery(c.req.param("id"));
      if (delivery === undefined) throw unknownDelivery();
      const { history, ...rest } = delivery;
      return c.json({ ...show(rest), history: history.map(({ at, ...attempt }) => ({ at: isoOrNull(at), ...attempt })) });
    })
    .post("/:id", async (c, next) => {
      if (!isWord(c)) return next();
      const store = storeOf(dependencies);
      if (c.req.param("id") === "replay") {
        const { cursor, ...query } = parseQuery(c.req.url, replayQuery());
        destinationOf(query.destination);
        return c.json(await store.replayAll(readFilter(query), cursor));
      }
      const { destination } = parseQuery(c.req.url, testQuery());
      const { body } = destinationOf(destination);
      const [id] = await store.announce(TEST_KEY, { [destination]: renderTest(body, dependencies.now()) }, true);
      return c.json({ id }, 202);
    })
    .post("/:id/replay", async (c) => {
      if (!(await storeOf(dependencies).replay(c.req.param("id")))) throw unknownDelivery();
      return c.body(null, 202);
    })
    .all("/", allowOnly("GET", "HEAD"))
    .all("/:id", (c, next) => (isWord(c) ? allowOnly("POST") : allowOnly("GET", "HEAD"))(c, next))
    .all("/:id/replay", allowOnly("POST"));
}

/** With a query, which the typed client may send. */
type Asked<Path extends string, Query extends Schema> = Context<EdgeEnv, Path, { in: { query: v.InferInput<Query> } }>;

/** Whether what stands for an id is a word of the API. */
const isWord = (c: EdgeContext): boolean => ["replay", "test"].includes(c.req.param("id")!);

function unknownDelivery(): RequestError {
  return new RequestError("notFound", "there is no delivery of this id");
}

/** Counts of all streams and deliveries, which destinations are paused, and what came of each source's webhooks. */
export function metricRoutes(dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const store = storeOf(dependencies);
      const names = [...dependencies.endpoints.destinations.keys()];
      const [{ streams, ...deliveries }, breakers, views] = await Promise.all([store.totals(), store.breakers(names), store.sources()]);
      const destinations = breakers.map((view) => ({ ...view, openedAt: isoOrNull(view.openedAt), probeAt: isoOrNull(view.probeAt) }));
      const sources = Array.from(dependencies.endpoints.sources.keys(), (name) => {
        const { hours = [], last = [] } = views.find((view) => view.name === name) ?? {};
        return {
          name,
          hours: hours.map(({ from, ...counts }) => ({ from: isoOrNull(from), ...counts })),
          last: last.map(({ at, ...event }) => ({ at: isoOrNull(at), ...event })),
        };
      });
      return c.json({ streams, deliveries, destinations, sources });
    })
    .all("/", allowOnly("GET", "HEAD"));
}

function show<Row extends ListedDelivery>({ n, created, due, attempted, ...rest }: Row) {
  return { ...rest, created: isoOrNull(created), due: isoOrNull(due), attempted: isoOrNull(attempted) };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
