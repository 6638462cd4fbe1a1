// What a Worker is given by its configuration, as the app takes it: keys, webhooks, origins, the rate limit, and where log lines go.
import { readAccess } from "./access.ts";
import type { Surroundings } from "./middleware.ts";
import { readEndpoints } from "./webhooks/endpoints.ts";

/** wrangler.toml's vars and bindings, and the secret. All may be absent. */
export interface WorkerEnv {
  readonly AUTH?: string;
  readonly API_KEYS?: string;
  /** Separated by white space or commas. */
  readonly CORS_ORIGINS?: string;
  /** Tables, or the same as JSON text: see webhooks/sources.ts and webhooks/destinations.ts. */
  readonly SOURCES?: unknown;
  readonly DESTINATIONS?: unknown;
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
