// /v1/streams: events into a key's window, and what is in it.

import { LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import { orderRow } from "../../shared/recipe/given-rows.ts";
import { type Recipe, shapeOf } from "../../shared/recipe/recipe.ts";
import { widthWithoutTime } from "../../shared/sequence.ts";
import { isWithin } from "../config/stream-patterns.ts";
import { mediaTypeOf, readJson, refuseMediaType } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { hopsOf } from "../http/hops.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerJsonText } from "../http/respond.ts";
import { lazy, parseAt, parseQuery } from "../http/schema.ts";
import { traceOf } from "../http/trace.ts";
import type { Ready } from "../models/servable-model.ts";
import { maxSequences } from "../scoring/scoring.ts";
import { formatAnswers, hasField } from "../streams/answers.ts";
import { checkUsable, endpointsFor } from "../streams/endpoints.ts";
import { batchSchema, eventSchema, listQuery } from "../streams/requests.ts";
import { modelFor } from "../streams/stream-models.ts";
import { contentDigest, parseName, readEvent, refuseFuture, restoreGaps, type StreamEvent } from "../webhooks/event.ts";
import { expandEventRow } from "../webhooks/event-row.ts";
import { API_SOURCE, isOwned } from "../webhooks/sources.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";
import { configuredModel, nameScorer, ofModel, pinOf, type RequestModel, takeWith } from "./request-model.ts";

/** An unready model takes no event in, and its windows can be looked at. */
export function streamRoutes(modelOf: RequestModel, dependencies: Dependencies) {
  const parserOf = ofModel(async (served) => eventParser(served));

  async function take(c: EdgeContext): Promise<Response> {
    const store = storeOf(dependencies);
    const name = modelFor(c.req.param("key") ?? "", dependencies.endpoints);
    const served = await configuredModel(modelOf, c, name);
    const endpoints = endpointsFor(dependencies.endpoints, served.model.recipe, name);
    checkUsable(endpoints, endpoints.settings.destinations, c.req.url);
    const key = keyOf(c);
    const from = { hops: hopsOf(c.req.raw.headers), trace: traceOf(c.req.raw.headers) };
    if (mediaTypeOf(c.req.raw).type !== "application/json") refuseMediaType(c.req.raw, ["application/json"]);
    if (c.get("streams") === undefined && isOwned(endpoints.sources, key))
      throw new RequestError("forbidden", "this stream is a source's own: bind the key to the stream in API_KEYS to write there, too");
    const body = await readJson(c.req.raw);
    const { destinations, futureMs } = endpoints.settings;
    const origin = { source: API_SOURCE, destinations, isBound: c.get("streams") !== undefined, ...from, model: name, pin: pinOf(c) };
    const latest = () => configuredModel(modelOf, c, name, true);
    const { accepted, isBatch } = await takeWith(served, latest, async (ready) => {
      const { events, isBatch } = await (await parserOf(ready))(body, dependencies.now() + futureMs);
      return { accepted: await store.accept(key, events, { ...origin, ready }), isBatch };
    });
    nameScorer(c, accepted);
    c.get("record").sequences = accepted.filter(({ answer, replayed }) => !replayed && hasField(answer, "probability")).length;
    return answerJsonText(c, formatAnswers(accepted, isBatch));
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
      const shows = c.get("isTrusted"); // rows are somebody's data: who may read the card may not read them
      const window = view.window.map(({ timestamp, values, ...row }) => ({ ...row, timestamp: iso(timestamp), ...(shows && { values }) }));
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

/** Throws RequestError: the path names no key, or one that who asks is not bound to. */
function keyOf(c: EdgeContext): string {
  try {
    const key = parseName(c.req.param("key"), ["key"]);
    const bound = c.get("streams");
    if (bound === undefined || isWithin(key, bound)) return key;
    throw new RequestError("forbidden", `the key ${c.get("record").key} is bound to other streams`);
  } catch (error) {
    throw error instanceof SequenceError ? new RequestError("parameter", error.message) : error; // its place is no place in the body
  }
}

function unknownKey(): RequestError {
  return new RequestError("notFound", "no event of this key has come, or all are forgotten");
}

/** Reads a body's events: one, or a batch in an object. What it returns throws SequenceError and LimitError. */
function eventParser({ model: { recipe } }: Ready) {
  const maxEvents = maxSequences(recipe);
  const read = eventReader(recipe);
  const batch = lazy(() => batchSchema(maxEvents));
  /** `latest`: later events are refused, in milliseconds since 1970. */
  return async (body: unknown, latest: number): Promise<{ readonly events: readonly StreamEvent[]; readonly isBatch: boolean }> => {
    const isBatch = typeof body === "object" && body !== null && "events" in body;
    if (!isBatch) return { events: [await read(body, [], latest)], isBatch };
    const given = body.events;
    if (Array.isArray(given) && given.length > maxEvents)
      // before each of them is looked at
      throw new LimitError(["events"], `at most ${maxEvents} events a request, got ${given.length}: send them in parts`, maxEvents);
    const { events } = parseAt(batch(), body, []);
    return { events: await Promise.all(events.map((event, i) => read(event, ["events", i], latest))), isBatch };
  };
}

/** Reads one event, which stands at `path`. What it returns throws SequenceError. */
function eventReader(recipe: Recipe) {
  const shape = shapeOf(recipe);
  const ownShape = { ...shape, features: shape.features - (shape.statics ?? 0) };
  const [whole, own] = [shape, ownShape].map((rows) => ({ width: widthWithoutTime(rows), schema: lazy(() => eventSchema(rows)) }));
  return async (event: unknown, path: Path, latest: number): Promise<StreamEvent> => {
    const { expanded, isOwn } = expandEvent(event, path, recipe);
    const { width, schema } = isOwn ? own : whole;
    const { id, timestamp, values } = readEvent(expanded, width) ?? parseAt(schema(), expanded, path);
    refuseFuture(timestamp, latest, [...path, "timestamp"]);
    const row = restoreGaps(values);
    const data = isOwn ? { own: row } : { values: row };
    return { id, timestamp, data, digest: await contentDigest(timestamp, data) };
  };
}

/** An event with a row of features in place of what the model takes, and whether what is given once a sequence is left out. */
function expandEvent(event: unknown, path: Path, recipe: Recipe): { readonly expanded: unknown; readonly isOwn: boolean } {
  if (typeof event !== "object" || event === null || !("values" in event)) return { expanded: event, isOwn: false };
  if (recipe.inputs === undefined) {
    const row = orderRow(event.values, [...path, "values"], recipe, false);
    return { expanded: row === event.values ? event : { ...event, values: row }, isOwn: false };
  }
  const { static: statics, values, ...others } = event as Record<string, unknown>;
  const { row, isOwn } = expandEventRow(values, { path: [...path, "values"], statics, staticPath: [...path, "static"] }, recipe);
  return { expanded: { ...others, values: row }, isOwn };
}
