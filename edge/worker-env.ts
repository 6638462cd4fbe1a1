// What a Worker is given by its configuration, as the app takes it: keys, webhooks, origins, the rate limit, and where log lines go.

import { type Endpoints, readEndpoints } from "./config/endpoints.ts";
import { readAccess } from "./http/access.ts";
import type { Surroundings } from "./http/middleware.ts";
import type { Deployment } from "./models/servable-model.ts";
import { type Directory, shardOf } from "./streams/directory.ts";
import { createObjectStore, directoryOf, type Namespace } from "./streams/object-store.ts";
import type { StreamStore } from "./streams/store.ts";
import type { StreamSurroundings } from "./streams/stream.ts";
import type { StreamObject } from "./streams/stream-object.ts";

/** wrangler.toml's vars and bindings, and the secret. All may be absent. */
export interface WorkerEnv {
  readonly AUTH?: string;
  readonly API_KEYS?: string;
  /** Separated by white space or commas. */
  readonly CORS_ORIGINS?: string;
  /** Tables, or the same as JSON text: see webhooks/sources.ts and webhooks/destinations.ts. */
  readonly SOURCES?: unknown;
  readonly DESTINATIONS?: unknown;
  /** The Durable Objects: both or no streams. */
  readonly STREAMS?: Namespace<StreamObject>;
  readonly DIRECTORY?: Namespace<Directory>;
  readonly RATE_LIMIT?: { limit(options: { readonly key: string }): Promise<{ readonly success: boolean }> };
}

export function surroundingsOf(env: WorkerEnv, page: string): Surroundings {
  const { RATE_LIMIT, CORS_ORIGINS = "" } = env;
  const access = readAccess(env);
  const endpoints = readEndpoints(env);
  for (const { unusable } of [access, endpoints]) if (unusable !== undefined) console.error(unusable);
  return {
    access,
    endpoints,
    now: () => Date.now(),
    page,
    origins: CORS_ORIGINS.split(/[\s,]+/).filter((origin) => origin !== ""),
    withinRate: RATE_LIMIT && (async (key) => (await RATE_LIMIT.limit({ key })).success),
    log: (record) => console.log(JSON.stringify(record)),
    report: (error) => console.error(error),
  };
}

/** Undefined where no Durable Objects are bound. */
export function storeOf({ STREAMS, DIRECTORY }: WorkerEnv, deployment: Deployment): StreamStore | undefined {
  if (STREAMS === undefined || DIRECTORY === undefined) return undefined;
  return createObjectStore(
    deployment,
    { streams: STREAMS, directory: DIRECTORY },
    () => Date.now(),
    (error) => console.error(error),
  );
}

export function streamSurroundingsOf({ DIRECTORY }: WorkerEnv, deployment: Deployment, endpoints: Endpoints): StreamSurroundings {
  return {
    deployment,
    endpoints,
    directoryOf: (key) => directoryOf(DIRECTORY!, shardOf(key)),
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    random: () => crypto.getRandomValues(new Uint32Array(1))[0] / 4294967296,
    log: (record) => console.log(JSON.stringify(record)),
  };
}
