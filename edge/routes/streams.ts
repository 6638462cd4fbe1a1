// /v1/streams: events into a key's window, and what is in it.
import { Hono } from "hono";
import type * as z from "zod/mini";
import { ArtifactError, LimitError, SequenceError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { mediaTypeOf, readJson, refuseMediaType } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import { lazy, parseAt, parseQuery } from "../http/schema.ts";
import type { Ready, ServableModel } from "../models/servable-model.ts";
import { eventSchemas, listQuery } from "../openapi/stream-schemas.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { checkUsable } from "../streams/endpoints.ts";
import { digestOf, parseName, type StreamEvent } from "../webhooks/event.ts";
import { API_SOURCE } from "../webhooks/sources.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";

/** An unready model takes no event in, and its windows can be looked at. */
export function streamRoutes(servable: ServableModel, dependencies: Dependencies) {
  const parseEvents = "unready" in servable ? undefined : eventParser(servable);

  async function take(c: EdgeContext): Promise<Response> {
    const store = storeOf(dependencies);
    if (parseEvents === undefined) throw new ArtifactError((servable as { unready: string }).unready);
    const { endpoints } = dependencies;
    checkUsable(endpoints, endpoints.settings.destinations, c.req.url);
    const key = keyOf(c);
    if (mediaTypeOf(c.req.raw).type !== "application/json") refuseMediaType(c.req.raw, ["application/json"]);
    const { events, isBatch } = await parseEvents(await readJson(c.req.raw));
    const accepted = await store.accept(key, events, { source: API_SOURCE, destinations: endpoints.settings.destinations });
    const results = accepted.map(({ answer }) => answer);
    c.get("record").sequences = accepted.filter(({ answer, replayed }) => answer.probability !== undefined && !replayed).length;
    return answerWith(c, JSON.stringify(isBatch ? { results } : results[0]), { "content-type": "application/json" });
  }

  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const { limit, cursor } = parseQuery(c.req.url, listQuery());
      const page = await storeOf(dependencies).keys(limit, cursor);
      const streams = page.items.map(({ key, pending, delivered, dead, dropped }) => ({ key, pending, delivered, dead, dropped }));
      return c.json({ streams, cursor: page.cursor });
    })
    .post("/:key/events", take)
    .get("/:key", async (c) => {
      const view = await storeOf(dependencies).view(keyOf(c));
      if (view === undefined) throw unknownKey();
      const iso = (ms: number) => new Date(ms).toISOString();
      const window = view.window.map(({ timestamp, ...row }) => ({ ...row, timestamp: iso(timestamp) }));
      return c.json({ ...view, window, expires: view.expires === null ? null : iso(view.expires) });
    })
    .delete("/:key", async (c) => {
      if (!(await storeOf(dependencies).forget(keyOf(c)))) throw unknownKey();
      return c.body(null, 204);
    })
    .all("/", allowOnly("GET", "HEAD"))
    .all("/:key", allowOnly("GET", "HEAD", "DELETE"))
    .all("/:key/events", allowOnly("POST"));
}

function keyOf(c: EdgeContext): string {
  try {
    return parseName(c.req.param("key"), ["key"]);
  } catch (error) {
    throw error instanceof SequenceError ? new RequestError("parameter", error.message) : error; // its place is no place in the body
  }
}

function unknownKey(): RequestError {
  return new RequestError("notFound", "no event of this key has come, or all are forgotten");
}

/** Reads a body's events: one, or a batch in an object. What it returns throws SequenceError and LimitError. */
function eventParser({ model }: Ready) {
  const maxEvents = maxSequences(model.recipe);
  const schemas = lazy(() => eventSchemas(shapeOf(model.recipe).features, maxEvents));
  const withDigest = async ({ id, timestamp, values }: z.output<ReturnType<typeof schemas>["event"]>): Promise<StreamEvent> => {
    return { id, timestamp, data: { values }, digest: await digestOf(JSON.stringify([timestamp, values])) };
  };
  return async (body: unknown): Promise<{ readonly events: readonly StreamEvent[]; readonly isBatch: boolean }> => {
    const { event, batch } = schemas();
    const isBatch = typeof body === "object" && body !== null && "events" in body;
    if (!isBatch) return { events: [await withDigest(parseAt(event, body, []))], isBatch };
    const given = body.events;
    if (Array.isArray(given) && given.length > maxEvents)
      // before each of them is looked at
      throw new LimitError(["events"], `at most ${maxEvents} events a request, got ${given.length}: send them in parts`, maxEvents);
    return { events: await Promise.all(parseAt(batch, body, []).events.map(withDigest)), isBatch };
  };
}
