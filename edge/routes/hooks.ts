// POST /hooks/{source}: an event from outside, in the sender's own form. Size, signature, JSON, pointers, then into its stream; what
// fails on the way is answered before anything is stored. Senders prove who they are by what they sign, not by a key.
import { Hono } from "hono";
import { isQuickstepError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { parseJson, readBytes } from "../http/body.ts";
import { hopsOf } from "../http/hops.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { traceOf } from "../http/trace.ts";
import type { Ready } from "../models/servable-model.ts";
import { checkUsable, type Endpoints, endpointsFor } from "../streams/endpoints.ts";
import type { Accepted, StreamStore } from "../streams/store.ts";
import { contentDigest, digestOf } from "../webhooks/event.ts";
import { extractEvent, type HookEvent, maxBodyBytes } from "../webhooks/extraction.ts";
import { type Greeting, greetByBody, greetByQuery } from "../webhooks/handshakes.ts";
import { beginVerification, signsTime } from "../webhooks/signatures/schemes.ts";
import { mayWrite, refuseAddress, type Source } from "../webhooks/sources.ts";
import { unwantedAt } from "../webhooks/wanted.ts";
import { type Dependencies, storeOf } from "./dependencies.ts";
import type { RequestModel } from "./request-model.ts";

/** TradingView hangs up after 3 s and never comes back; a 503 before that it sends again. */
const PATIENCE_MS = 2500;
/** For a body to arrive, of whoever it is. */
const BODY_MS = 10_000;

/** What the routes here are given. */
type HookDependencies = Pick<Dependencies, "endpoints" | "streams" | "fetch" | "now" | "report">;

/**
 * An unsupported, unverified or unreadable event is answered with a problem, and nothing is stored. Nor is a verified one that its
 * source does not want: its sender gets a 200.
 */
export function hookRoutes(modelOf: RequestModel, dependencies: HookDependencies) {
  const { now } = dependencies;
  const only = allowOnly("POST");

  async function receive(c: EdgeContext): Promise<Response> {
    const served = await modelOf(c);
    const { recipe } = served.model;
    const endpoints = endpointsFor(dependencies.endpoints, recipe);
    const source = sourceOf(c, endpoints);
    const addressRefusal = refuseAddress(source, c.req.raw.headers);
    if (addressRefusal !== undefined) reject(c, addressRefusal);
    const greeting = source.handshake && (await greetByQuery(source.handshake, c.req.method, c.req.url));
    if (greeting !== undefined) return greet(c, greeting);
    if (c.req.method !== "POST")
      return source.handshake === undefined ? only(c, async () => {}) : reject(c, "this is not the provider's question");
    const from = { hops: hopsOf(c.req.raw.headers), trace: traceOf(c.req.raw.headers) };
    const streams = storeOf(dependencies);
    const incoming = { headers: c.req.raw.headers, token: c.req.param("token"), url: c.req.url, fetch: dependencies.fetch };
    const begun = await beginVerification(source, incoming, Math.floor(now() / 1000));
    if (typeof begun !== "function") return reject(c, begun.refusal); // before its body is read
    const reading = readBytes(c.req.raw, maxBodyBytes(source.pointers.content, shapeOf(recipe)), "let the sender send less");
    const bytes = await within(reading, BODY_MS, new RequestError("slow", `the body took more than ${BODY_MS} ms to arrive`));
    const verdict = await begun(bytes);
    if (!verdict.ok) return reject(c, verdict.refusal);
    const bodyDigest = await digestOf(bytes);
    if (verdict.once !== undefined && !(await streams.claim(`${source.name} ${verdict.once}`, bodyDigest)))
      return reject(c, "what is signed was sent with another body before");
    const document = parseJson(bytes);
    const answer = source.handshake && (await greetByBody(source.handshake, document));
    if (answer !== undefined) return greet(c, answer);
    const unwanted = unwantedAt(source.only, c.req.raw.headers, document);
    if (unwanted !== undefined) {
      c.get("record").ignored = 1;
      return c.json({ source: source.name, ignored: true });
    }
    const { futureMs, idsMs } = endpoints.settings;
    const event = extractEvent(document, source.pointers, recipe, {
      digest: bodyDigest,
      signedId: verdict.id,
      latest: now() + futureMs,
      // an id is known for idsMs after it came, which may have been futureMs before the event's own time
      ...(!signsTime(source) && { earliest: now() - idsMs + futureMs }),
    });
    if (!mayWrite(source, endpoints.sources, event.key))
      throw new RequestError("forbidden", "this source may not write the event's stream");
    const hasId = source.pointers.id !== undefined || verdict.id !== undefined;
    const accepted = await store(streams, served, source, hasId ? await digested(event) : event, from, dependencies.report);
    if (accepted.answer.probability !== undefined && !accepted.replayed) c.get("record").sequences = 1;
    return c.json(accepted.answer);
  }

  return new Hono<EdgeEnv>()
    .get("/:source", receive)
    .post("/:source", receive)
    .post("/:source/:token", receive)
    .all("/:source", only)
    .all("/:source/:token", only);
}

/** The source that the path names; the record, too, names it. Throws RequestError where there is none, or its destinations cannot be used. */
function sourceOf(c: EdgeContext, endpoints: Endpoints): Source {
  checkUsable(endpoints, [], c.req.url);
  const name = c.req.param("source") ?? "";
  const source = endpoints.sources.get(name);
  const takesToken = source?.scheme.kind === "token" && source.scheme.at === "path";
  if (source === undefined || (c.req.param("token") !== undefined && !takesToken))
    throw new RequestError("notFound", "no such source is configured: SOURCES in wrangler.toml lists them");
  c.get("record").source = name;
  checkUsable(endpoints, source.destinations, c.req.url);
  return source;
}

/** The same event, told from others by what it says rather than by its body. */
async function digested({ key, event }: HookEvent): Promise<HookEvent> {
  return { key, event: { ...event, digest: await contentDigest(event.timestamp, event.data) } };
}

/** Answered late, a sender gives up for good; answered 503, it sends again, and the id keeps it one event. */
async function store(
  streams: StreamStore,
  ready: Ready,
  { name, destinations, streams: bound }: Source,
  { key, event }: HookEvent,
  from: { readonly hops: number; readonly trace?: string },
  report: (error: Error) => void,
): Promise<Accepted> {
  try {
    const storing = streams.accept(key, [event], { ready, source: name, destinations, isBound: bound !== undefined, ...from });
    const [accepted] = await within(storing, PATIENCE_MS, new RequestError("storage", `storing took more than ${PATIENCE_MS} ms`));
    return accepted;
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
