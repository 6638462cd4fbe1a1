// What the routes are given beside the model: who may call, what is configured, and where streams are kept. worker-env.ts fills it in.
import type { Access } from "../http/access.ts";
import { RequestError } from "../http/problem.ts";
import type { RequestRecord } from "../http/request-context.ts";
import type { StaticAssets } from "../http/static-assets.ts";
import type { Registry, RegistryDependencies } from "../models/registry.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Endpoints } from "../streams/endpoints.ts";
import type { StreamStore } from "../streams/store.ts";

/** What the routes of a bound registry are given. */
export interface ModelRegistry extends Pick<RegistryDependencies, "bucket" | "open" | "now"> {
  readonly registry: Registry;
  /** The artifact that is deployed with the Worker. */
  readonly artifact?: Uint8Array<ArrayBuffer>;
}

export interface Dependencies {
  readonly access: Access;
  /** The files that are deployed beside the Worker. Absent where none are bound. */
  readonly assets?: StaticAssets;
  /** Origins whose pages may call; none unless listed. */
  readonly origins: readonly string[];
  /** Whether one more request of this name is within its rate; absent: no limit. */
  readonly withinRate?: (name: string) => Promise<boolean>;
  /** The same of addresses whose keys are refused; absent: as withinRate. */
  readonly withinFailures?: (name: string) => Promise<boolean>;
  /** Who sends webhooks in, and where results go. */
  readonly endpoints: Endpoints;
  /** The bucket of models; absent where none is bound. */
  readonly registry?: ModelRegistry;
  /** Absent where the Worker has no storage bound. */
  readonly streams?: StreamStore;
  /** For what a webhook's scheme must look up, a certificate; absent: it cannot. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Absent where nothing is bound to watch with. */
  readonly monitor?: Monitor;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gets one record a request, when the answer is over. */
  readonly log: (record: RequestRecord) => void;
  /** Gets every error that nobody foresaw. */
  readonly report: (error: Error) => void;
}

/** The store of streams. Throws RequestError `unbound` where there is none. */
export function storeOf({ streams }: Pick<Dependencies, "streams">): StreamStore {
  if (streams !== undefined) return streams;
  throw new RequestError("unbound", "this deployment has no storage for streams: bind the Durable Objects as wrangler.toml does");
}
