// POST /hooks/{source}: an event from outside, in the sender's own form. Size, signature, JSON, pointers, then into its stream; what
// fails on the way is answered before anything is stored. Senders prove who they are by what they sign, not by a key.
import { Hono } from "hono";
import { isQuickstepError } from "../../shared/errors.ts";
import { shapeOf } from "../../shared/recipe/recipe.ts";
import { parseJson, readBytes } from "../http/body.ts";
import { RequestError } from "../http/problem.ts";
import type { EdgeContext, EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { Ready } from "../models/servable-model.ts";
import { checkUsable } from "../streams/endpoints.ts";
import type { Accepted, StreamStore } from "../streams/store.ts";
import { digestOf } from "../webhooks/event.ts";
import { extractEvent, type HookEvent, MAX_HOOK_BYTES } from "../webhooks/extraction.ts";
import { verify } from "../webhooks/signatures/schemes.ts";
import { refuseAddress, type Source } from "../webhooks/sources.ts";
import type { Dependencies } from "./dependencies.ts";

/** TradingView hangs up after 3 s and never comes back; a 503 before that it sends again. */
const PATIENCE_MS = 2500;

export function hookRoutes({ model }: Ready, { endpoints, streams, now, report }: Dependencies) {
  const shape = shapeOf(model.recipe);

  async function receive(c: EdgeContext): Promise<Response> {
    const source = sourceOf(c);
    const refused = refuseAddress(source, c.req.raw.headers);
    if (refused !== undefined) refuse(c, refused);
    if (streams === undefined)
      throw new RequestError("unbound", "this deployment has no storage for streams: bind it, as wrangler.toml does");
    const bytes = await readBytes(c.req.raw, MAX_HOOK_BYTES, "let the sender send less");
    const incoming = { headers: c.req.raw.headers, token: c.req.param("token") };
    const verdict = await verify(source, incoming, bytes, Math.floor(now() / 1000));
    if (!verdict.ok) return refuse(c, verdict.refusal);
    const event = extractEvent(parseJson(bytes), source.pointers, shape, await digestOf(bytes), verdict.id);
    const { answer, replayed } = await stored(streams, source, event);
    if (answer.probability !== undefined && !replayed) c.get("record").sequences = 1;
    return c.json(answer);
  }

  function sourceOf(c: EdgeContext): Source {
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

  /** Answered late, a sender gives up for good; answered 503, it sends again, and the id keeps it one event. */
  async function stored(streams: StreamStore, { name, destinations }: Source, { key, event }: HookEvent): Promise<Accepted> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new RequestError("storage", `storing took more than ${PATIENCE_MS} ms`)), PATIENCE_MS);
    try {
      const [accepted] = await Promise.race([streams.accept(key, [event], { source: name, destinations }), late.promise]);
      return accepted;
    } catch (error) {
      if (isQuickstepError(error) || error instanceof RequestError) throw error;
      report(error as Error);
      throw new RequestError("storage", "the event could not be stored: send it again");
    } finally {
      clearTimeout(timer);
    }
  }

  const only = allowOnly("POST");
  return new Hono<EdgeEnv>().post("/:source", receive).post("/:source/:token", receive).all("/:source", only).all("/:source/:token", only);
}

function refuse(c: EdgeContext, refusal: string): never {
  c.get("record").refusal = refusal;
  throw new RequestError("signature", refusal);
}
