// What each source of a configuration would make of a captured request: the verdict on its signature, and what is in it. Plain data in and
// out: `quickstep hooks check` calls the bundle of this file, which shares no class with it.
import { shapeOf, type TakenRecipe } from "../shared/recipe/recipe.ts";
import { unpack } from "./http/body.ts";
import { digestOf } from "./http/hashes.ts";
import { type Endpoints, endpointsFor, readEndpoints } from "./streams/endpoints.ts";
import { checkStreams } from "./streams/stream-rights.ts";
import { maxBodyBytes } from "./webhooks/extraction.ts";
import { greetByQuery } from "./webhooks/handshakes.ts";
import { readEvents } from "./webhooks/receiving.ts";
import { verify } from "./webhooks/signatures/schemes.ts";
import { refuseAddress, type Source } from "./webhooks/sources.ts";

/** A request as it was captured. */
export interface CapturedRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
  /** What followed the source in the path, and the query. */
  readonly segments: readonly string[];
  readonly query: string;
  readonly method: string;
  /** As of when, in milliseconds since 1970. */
  readonly now: number;
}

export interface CheckedSource {
  readonly name: string;
  /** `skipped`: it is believed, but the model that its events are read for was not given. */
  readonly outcome: "taken" | "told" | "ignored" | "handshake" | "refused" | "skipped";
  /** Whether the signature fits; absent: nothing is signed in a provider's question. */
  readonly verified?: boolean;
  /** Why it is refused, ignored or skipped, or what a provider is answered. */
  readonly why?: string;
  readonly events?: readonly { readonly key: string; readonly id: string; readonly timestamp: string; readonly data: unknown }[];
}

/** Numbers are read as JSON has them, with the kernel's logarithm. */
interface Model {
  readonly recipe: TakenRecipe;
  readonly log: (value: number) => number;
}

/** That of sources that name none, and those of others by their names. */
interface CheckedModels {
  readonly standing: Model;
  readonly named: ReadonlyMap<string, Model>;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Each source's answer to the request; or why the configuration, vars and secrets in one, cannot be used. Never throws. */
export async function checkHooks(
  env: object,
  request: CapturedRequest,
  models: CheckedModels,
  fetch: Fetch,
): Promise<{ readonly unusable?: string; readonly sources: readonly CheckedSource[] }> {
  // sources are asked about: a destination may be what it may under wrangler dev
  const endpoints = readEndpoints({ ...env, AUTH: "open" });
  for (const [name, { recipe }] of [[undefined, models.standing] as const, ...models.named]) {
    const { unusable } = endpointsFor(endpoints, recipe, name);
    if (unusable !== undefined) return { unusable, sources: [] };
  }
  const sources = [...endpoints.sources.values()].map(async (source): Promise<CheckedSource> => {
    try {
      return { name: source.name, ...(await checkSource(source, request, modelOf(source, models), endpoints, fetch)) };
    } catch (error) {
      return { name: source.name, outcome: "refused", verified: true, why: (error as Error).message };
    }
  });
  return { sources: await Promise.all(sources) };
}

/** Undefined where it was not given. What tells outcomes is read for no model. */
function modelOf({ model: name, outcome }: Source, { standing, named }: CheckedModels): Model | undefined {
  return name === undefined || outcome !== undefined ? standing : named.get(name);
}

async function checkSource(
  source: Source,
  { body, headers: given, segments, query, method, now }: CapturedRequest,
  model: Model | undefined,
  endpoints: Endpoints,
  fetch: Fetch,
): Promise<Omit<CheckedSource, "name">> {
  const headers = new Headers(given);
  const url = `https://worker.example/hooks/${source.name}${query}`;
  const greeting = source.handshake && (await greetByQuery(source.handshake, method, url));
  if (greeting !== undefined) return { outcome: "handshake", why: JSON.stringify(greeting.body) };
  const address = headers.has("cf-connecting-ip") ? refuseAddress(source, headers) : undefined;
  if (address !== undefined) return { outcome: "refused", verified: false, why: address };
  const rest = [...segments];
  const token = source.scheme.kind === "token" && source.scheme.at === "path" ? rest.shift() : undefined;
  const request = new Request(url, { method: "POST", headers });
  const plain = source.signsCompressed ? body : await unpack(request, body, MAX_BYTES, "send less");
  const verdict = await verify(source, { headers, token, url, fetch }, plain, Math.floor(now / 1000));
  if (!verdict.ok) return { outcome: "refused", verified: false, why: verdict.refusal };
  if (model === undefined) return { outcome: "skipped", verified: true, why: `its events are read for the model ${source.model}` };
  const { recipe, log } = model;
  const bytes = source.signsCompressed ? await unpack(request, body, MAX_BYTES, "send less") : plain;
  const max = maxBodyBytes(source.pointers.content, shapeOf(recipe));
  const length = Math.max(body.length, bytes.length);
  if (length > max) return { outcome: "refused", verified: true, why: `the body must have at most ${max} bytes, got ${length}` };
  const believed = { bytes, digest: await digestOf(plain), signedId: verdict.id };
  const { futureMs, idsMs } = endpoints.settings;
  const received = await readEvents(source, believed, recipe, { futureMs, idsMs, now, headers, pathKey: rest.shift(), log });
  if ("greeting" in received) return { outcome: "handshake", verified: true, why: JSON.stringify(received.greeting.body) };
  if ("told" in received) return { outcome: "told", verified: true, why: JSON.stringify(received.told) };
  checkStreams(
    received.events.map(({ key }) => key),
    source,
    endpoints,
  );
  const events = received.events.map(({ key, event: { id, timestamp, data } }) => {
    return { key, id, timestamp: new Date(timestamp).toISOString(), data };
  });
  if (events.length > 0) return { outcome: "taken", verified: true, events };
  return { outcome: "ignored", verified: true, why: `only: what stands at ${received.unwanted ?? "the list"} is not wanted` };
}

const MAX_BYTES = 1024 * 1024;
