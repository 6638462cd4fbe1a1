// /v1/streams: events into a key's window, and what is in it.
import { Hono } from "hono";
import { ArtifactError, describe, LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { mediaTypeOf, readJson, refuseMediaType } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import { parseLimit, parseQuery } from "../http/query.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerWith } from "../http/respond.ts";
import type { Ready, ServableModel } from "../models/servable-model.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { checkUsable } from "../streams/endpoints.ts";
import { digestOf, parseName, parseRow, parseTimestamp, type StreamEvent } from "../webhooks/event.ts";
import { API_SOURCE } from "../webhooks/sources.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";

const EVENT_KEYS = ["id", "timestamp", "values"] as const;

export function streamRoutes(servable: ServableModel, dependencies: Dependencies) {
  async function take(c: EdgeContext): Promise<Response> {
    const store = storeOf(dependencies);
    if ("unready" in servable) throw new ArtifactError(servable.unready);
    const { endpoints } = dependencies;
    checkUsable(endpoints, endpoints.settings.destinations, c.req.url);
    const key = keyOf(c);
    if (mediaTypeOf(c.req.raw).type !== "application/json") refuseMediaType(c.req.raw, ["application/json"]);
    const body = await readJson(c.req.raw);
    const isBatch = typeof body === "object" && body !== null && "events" in body;
    const events = await (isBatch ? parseBatch(body, servable) : parseEvent(body, [], servable).then((event) => [event]));
    const accepted = await store.accept(key, events, { source: API_SOURCE, destinations: endpoints.settings.destinations });
    const results = accepted.map(({ answer }) => answer);
    c.get("record").sequences = accepted.filter(({ answer, replayed }) => answer.probability !== undefined && !replayed).length;
    return answerWith(c, JSON.stringify(isBatch ? { results } : results[0]), { "content-type": "application/json" });
  }

  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const { limit, cursor } = parseQuery(c.req.url, ["limit", "cursor"]);
      const page = await storeOf(dependencies).keys(parseLimit(limit), cursor);
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

/** Throws SequenceError and LimitError. */
async function parseBatch(body: object, ready: Ready): Promise<StreamEvent[]> {
  checkKeys(body, ["events"], []);
  const { events } = body as { events: unknown };
  if (!Array.isArray(events)) throw new SequenceError(["events"], "must be an array of events", describe(events));
  if (events.length === 0) throw new SequenceError(["events"], "must hold at least one event", describe(events));
  const most = maxSequences(ready.model.recipe);
  if (events.length > most)
    throw new LimitError(["events"], `at most ${most} events a request, got ${events.length}: send them in parts`, most);
  return Promise.all(events.map((event, i) => parseEvent(event, ["events", i], ready)));
}

/** Throws SequenceError. */
async function parseEvent(value: unknown, path: Path, { model }: Ready): Promise<StreamEvent> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SequenceError(path, `must be an object with ${EVENT_KEYS.join(", ")}`, describe(value));
  checkKeys(value, EVENT_KEYS, path);
  const given = value as Record<(typeof EVENT_KEYS)[number], unknown>;
  const id = parseName(given.id, [...path, "id"]);
  const timestamp = parseTimestamp(given.timestamp, [...path, "timestamp"]);
  const values = parseRow(given.values, [...path, "values"], shapeOf(model.recipe));
  return { id, timestamp, data: { values }, digest: await digestOf(JSON.stringify([timestamp, values])) };
}

function checkKeys(value: object, keys: readonly string[], path: Path): void {
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new SequenceError(path, `must have no keys but ${keys.join(", ")}`, describe(unknown));
}
