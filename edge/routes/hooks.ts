// POST /hooks/{source}: an event from outside, in the sender's own form. Size, signature, JSON, pointers, then into its stream; what
// fails on the way is answered before anything is stored. Senders prove who they are by what they sign, not by a key.

import { isQuickstepError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { readBytes, unpack } from "../http/body.ts";
import { digestOf } from "../http/hashes.ts";
import { Hono } from "../http/hono.ts";
import { hopsOf } from "../http/hops.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly, answerJsonText } from "../http/respond.ts";
import { traceOf } from "../http/trace.ts";
import type { ServedModel } from "../models/models.ts";
import type { Ready } from "../models/servable-model.ts";
import { formatAnswers, hasField } from "../streams/answers.ts";
import { checkUsable, type Endpoints, endpointsFor } from "../streams/endpoints.ts";
import type { Accepted, EventOrigin, StreamAnswer, StreamStore } from "../streams/store.ts";
import { checkStreams } from "../streams/stream-rights.ts";
import { type HookEvent, maxBodyBytes } from "../webhooks/extraction.ts";
import { type Greeting, greetByQuery } from "../webhooks/handshakes.ts";
import { type Believed, readEvents } from "../webhooks/receiving.ts";
import { beginVerification } from "../webhooks/signatures/schemes.ts";
import { refuseAddress, type Source } from "../webhooks/sources.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";
import { settleHook } from "./hook-outcome.ts";
import { configuredModel, nameScorer, pinOf, type RequestModel, takeWith } from "./request-model.ts";

/** TradingView hangs up after 3 s and never comes back; a 503 before that it sends again. */
const PATIENCE_MS = 2500;
/** For a body to arrive, of whoever it is. */
const BODY_MS = 10_000;

/** What the routes here are given. */
type HookDependencies = Pick<Dependencies, "endpoints" | "streams" | "monitor" | "fetch" | "now" | "report">;

/**
 * An unsupported, unverified or unreadable event is answered with a problem, and nothing is stored. Nor is a verified one that its
 * source does not want: its sender gets a 200.
 */
export function hookRoutes(modelOf: RequestModel, dependencies: HookDependencies) {
  const only = allowOnly("POST");

  async function receive(c: EdgeContext): Promise<Response> {
    const name = dependencies.endpoints.sources.get(c.req.param("source") ?? "")?.model;
    const ready = await configuredModel(modelOf, c, name);
    const endpoints = endpointsFor(dependencies.endpoints, ready.model.recipe, name);
    const named = sourceOf(c, endpoints);
    const { source } = named;
    const { headers } = c.req.raw;
    const addressRefusal = refuseAddress(source, headers);
    if (addressRefusal !== undefined) reject(c, addressRefusal);
    const greeting = source.handshake && (await greetByQuery(source.handshake, c.req.method, c.req.url));
    if (greeting !== undefined) return greet(c, greeting);
    if (c.req.method !== "POST")
      return source.handshake === undefined ? only(c, async () => {}) : reject(c, "this is not the provider's question");
    const streams = storeOf(dependencies);
    const believed = await believe(c, named, ready, streams, dependencies);
    const latest = () => configuredModel(modelOf, c, name, true);
    return takeWith(ready, latest, (served) => takeBelieved(c, named, believed, served, streams, dependencies));
  }

  const routes = new Hono<EdgeEnv>().get("/:source", receive);
  for (const path of ["/:source", "/:source/:token", "/:source/:token/:key"]) routes.post(path, receive).all(path, only);
  return routes;
}

/** What a verified body says goes to its streams, or where outcomes go. Throws as readEvents and StreamStore.accept. */
async function takeBelieved(
  c: EdgeContext,
  { source, key }: Named,
  believed: Believed,
  served: ServedModel,
  streams: StreamStore,
  dependencies: HookDependencies,
): Promise<Response> {
  const { endpoints, now, report } = dependencies;
  const { headers } = c.req.raw;
  const { futureMs, idsMs } = endpoints.settings;
  const beside = { headers, pathKey: key, log: served.log, now: now(), futureMs, idsMs };
  const received = await readEvents(source, believed, served.model.recipe, beside);
  if ("greeting" in received) return greet(c, received.greeting);
  if ("told" in received) return c.json(await settleHook(received, source, served, dependencies));
  const { events, isList } = received;
  if (events.length === 0) {
    c.get("record").ignored = 1;
    return c.json({ source: source.name, ignored: true });
  }
  checkStreams(
    events.map(({ key }) => key),
    source,
    endpoints,
  );
  const from = { hops: hopsOf(headers), trace: traceOf(headers), pin: pinOf(c) };
  const accepted = await store(streams, served, source, events, from, report);
  nameScorer(c, accepted);
  const count = (name: keyof StreamAnswer) => accepted.filter((one) => !one.replayed && hasField(one.answer, name)).length;
  const [scored, late] = [count("probability"), count("late")];
  if (scored > 0) c.get("record").sequences = scored;
  const replayed = accepted.filter((one) => one.replayed).length;
  Object.assign(c.get("record"), {
    taken: accepted.length - replayed - late,
    ...(replayed > 0 && { replayed }),
    ...(late > 0 && { late }),
  });
  return answerJsonText(c, formatAnswers(accepted, isList));
}

/** Reads and verifies the body. Throws RequestError, LimitError. */
async function believe(
  c: EdgeContext,
  { source, token }: Named,
  { model }: Ready,
  streams: StreamStore,
  { now, fetch }: HookDependencies,
): Promise<Believed> {
  const request = c.req.raw;
  const incoming = { headers: request.headers, token, url: c.req.url, fetch };
  const begun = await beginVerification(source, incoming, Math.floor(now() / 1000));
  if (typeof begun !== "function") return reject(c, begun.refusal); // before its body is read
  const [max, fix] = [maxBodyBytes(source.pointers.content, shapeOf(model.recipe)), "let the sender send less"];
  const reading = readBytes(request, max, fix, source.signsCompressed);
  const sent = await within(reading, BODY_MS, new RequestError("slow", `the body took more than ${BODY_MS} ms to arrive`));
  const verdict = await begun(sent);
  if (!verdict.ok) return reject(c, verdict.refusal);
  const digest = await digestOf(sent);
  if (verdict.once !== undefined && !(await streams.claim(`${source.name} ${verdict.once}`, digest)))
    return reject(c, "what is signed was sent with another body before");
  return { bytes: source.signsCompressed ? await unpack(request, sent, max, fix) : sent, digest, signedId: verdict.id };
}

/** A source, and what follows it in the path. */
interface Named {
  readonly source: Source;
  readonly token?: string;
  readonly key?: string;
}

/** The source that the path names; the record, too, names it. Throws RequestError where there is none, or its destinations cannot be used. */
function sourceOf(c: EdgeContext, endpoints: Endpoints): Named {
  checkUsable(endpoints, [], c.req.url);
  const name = c.req.param("source") ?? "";
  const source = endpoints.sources.get(name);
  const segments = [c.req.param("token"), c.req.param("key")].filter((segment) => segment !== undefined);
  const token = source?.scheme.kind === "token" && source.scheme.at === "path" ? segments.shift() : undefined;
  const key = source?.pointers.key === "path" ? segments.shift() : undefined;
  if (source === undefined || segments.length > 0)
    throw new RequestError("notFound", "no such source is configured: SOURCES in wrangler.toml lists them");
  c.get("record").source = name;
  checkUsable(endpoints, source.destinations, c.req.url);
  return { source, token, key };
}

/**
 * In the order of the events. Where one key's fails, those of others may be stored: sent again, they are known. Answered late, a sender
 * gives up for good; answered 503, it sends again, and the id keeps it one event.
 */
async function store(
  streams: StreamStore,
  ready: Ready,
  { name, model, destinations, streams: bound }: Source,
  events: readonly HookEvent[],
  from: Pick<EventOrigin, "hops" | "trace" | "pin">,
  report: (error: Error) => void,
): Promise<readonly Accepted[]> {
  const byKey = Map.groupBy(events, ({ key }) => key);
  const origin = { ready, model, source: name, destinations, isBound: bound !== undefined, ...from };
  try {
    const storing = Promise.all(
      [...byKey].map(([key, of]) =>
        streams.accept(
          key,
          of.map(({ event }) => event),
          origin,
        ),
      ),
    );
    const accepted = await within(storing, PATIENCE_MS, new RequestError("storage", `storing took more than ${PATIENCE_MS} ms`));
    const answers = new Map([...byKey.values()].flatMap((of, k) => of.map((event, i) => [event, accepted[k][i]] as const)));
    return events.map((event) => answers.get(event)!);
  } catch (error) {
    if (isQuickstepError(error) || error instanceof RequestError) throw error;
    report(error as Error);
    throw new RequestError("storage", "the event could not be stored: send it again");
  }
}

/** What `promise` comes to. Throws `error` where that takes more than `ms`. */
async function within<T>(promise: Promise<T>, ms: number, error: Error): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(error), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A provider's answer, which the browser of whoever follows its link does not take for a page. */
function greet(c: EdgeContext, { status, body, subscribe }: Greeting): Response {
  c.get("record").ignored = 1;
  if (subscribe !== undefined) c.get("record").subscribe = subscribe;
  if (status === 204) return c.body(null, 204);
  return typeof body === "string" ? c.text(body) : c.json(body);
}

/** Throws RequestError `signature`; the record, too, says why. */
function reject(c: EdgeContext, refusal: string): never {
  c.get("record").refusal = refusal;
  throw new RequestError("signature", refusal);
}
