// What a Worker is given by its configuration, and what it exports for it, whatever engine its composition root chose: the app, the
// sweep, and the classes of the Durable Objects.
import { waitUntil } from "cloudflare:workers";
import { createApp } from "./app.ts";
import type { Breaker } from "./deliveries/breaker.ts";
import { readAccess } from "./http/access.ts";
import type { StaticAssets } from "./http/static-assets.ts";
import type { Bucket } from "./models/bucket.ts";
import { bundledOnly, type Models } from "./models/models.ts";
import { monitored } from "./models/monitored.ts";
import { Registry, type RegistryDependencies } from "./models/registry.ts";
import type { ServableModel } from "./models/servable-model.ts";
import { type MonitorBindings, openMonitor, sleep } from "./monitor/bindings.ts";
import { hooksOf } from "./monitor/hooks.ts";
import type { Functions } from "./monitor/performance.ts";
import type { Dependencies } from "./routes/dependencies.ts";
import { type Directory, shardOf } from "./streams/directory.ts";
import { breakerClass, directoryClass, streamClass } from "./streams/durable-objects.ts";
import { readEndpoints } from "./streams/endpoints.ts";
import { createObjectStore, directoryOf, type Namespace, objectOf } from "./streams/object-store.ts";
import { watchSources } from "./streams/source-events.ts";
import type { StreamStore } from "./streams/store.ts";
import type { StreamDependencies } from "./streams/stream.ts";
import type { StreamObject } from "./streams/stream-object.ts";

/** wrangler.toml's vars and bindings, and the secret. All may be absent. */
export interface WorkerEnv extends MonitorBindings {
  readonly AUTH?: string;
  /** Of `--env onnx`: what the output of another's graph is, where the graph does not say it (shared/onnx/output.ts). */
  readonly ONNX_OUTPUT?: string;
  readonly API_KEYS?: string;
  /** Separated by white space or commas. */
  readonly CORS_ORIGINS?: string;
  /** Tables, or the same as JSON text: see webhooks/sources.ts and deliveries/destinations.ts. */
  readonly SOURCES?: unknown;
  readonly DESTINATIONS?: unknown;
  /** The Durable Objects: both or no streams. */
  readonly STREAMS?: Namespace<StreamObject>;
  readonly DIRECTORY?: Namespace<Directory>;
  /** The circuit breakers of destinations. Absent in deployments of before: then each key pauses by itself alone. */
  readonly BREAKERS?: Namespace<Breaker>;
  /** The bucket of models. Absent: the bundled model alone. */
  readonly MODELS?: Bucket;
  /** Seconds after which a pointer in it is looked at again. Empty: 10. */
  readonly MODELS_LOOK_S?: string;
  /** The page and the reference. Absent in deployments of before, and where nothing but the API is wanted. */
  readonly ASSETS?: StaticAssets;
  readonly RATE_LIMIT?: RateLimit;
  /** Of addresses whose keys are refused; absent in deployments of before: RATE_LIMIT's. */
  readonly FAILURE_LIMIT?: RateLimit;
}

interface RateLimit {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

const now = (): number => Date.now();
const random = (): number => crypto.getRandomValues(new Uint32Array(1))[0] / 4294967296;

/**
 * A Worker's exports. `open`: decodes and proves an artifact out of the bucket, beside `artifact`, the bundled one; absent: this Worker serves
 * the bundled model alone.
 * `command`: which of wrangler's built it. What is wrong with model or configuration is
 * logged, and answered to who asks.
 */
export function openWorker(
  given: WorkerEnv,
  servable: ServableModel,
  command: string,
  kernel: Functions,
  open?: RegistryDependencies["open"],
  artifact?: Uint8Array<ArrayBuffer>,
) {
  const env = forCommand(given, command);
  if ("unready" in servable) console.error(servable.unready);
  const read = readDependencies(env);
  const { monitor, ...classes } = openMonitor(env, {
    functions: kernel,
    now,
    report: read.report,
    endpoints: read.endpoints,
    streams: () => streams,
  });
  const dependencies = monitor ? { ...read, monitor, log: both((record) => monitor.isolate.request(record), read.log) } : read;
  const { MODELS: bucket } = env;
  const log = (record: Readonly<Record<string, unknown>>) => console.log(JSON.stringify(record));
  const registry = bucket && open && new Registry({ bundled: servable, bucket, open, now, log, settings: lookSetting(env) });
  const plain = registry ?? bundledOnly(servable);
  const models = monitor ? monitored(plain, (served) => hooksOf(served, monitor)) : plain;
  const bound = registry && { registry, bucket, open, now, artifact };
  const streams = openStreams(env, models);
  const watch = streams && watchSources({ send: streams.hear, waitUntil, sleep, now });
  const app: Dependencies = { ...dependencies, ...(watch && { log: both(watch, dependencies.log) }) };
  return {
    ...classes,
    Stream: streamClass(streamDependencies(env, models, dependencies)),
    Directory: directoryClass(),
    Breaker: breakerClass({ now, random }),
    handlers: {
      fetch: createApp(models, { ...app, streams, ...(bound && { registry: bound }) }).fetch,
      /** The sweep of wrangler.toml's cron. */
      async scheduled(): Promise<void> {
        const woken = await streams?.sweep();
        console.log(JSON.stringify({ event: "sweep", woken }));
      },
    },
  };
}

/** A word that is no number of seconds is as if it were not there, and logged. */
function lookSetting({ MODELS_LOOK_S = "" }: WorkerEnv): { readonly lookMs?: number } {
  if (MODELS_LOOK_S === "") return {};
  const seconds = Number(MODELS_LOOK_S);
  if (seconds >= 0 && seconds <= 3600) return { lookMs: 1000 * seconds };
  console.error(`MODELS_LOOK_S must be 0 to 3600, got ${JSON.stringify(MODELS_LOOK_S)}: 10 counts`);
  return {};
}

/**
 * `AUTH` = `open` is for development alone: a Worker that `wrangler dev` did not build does not know it, behind whatever gateway or tunnel
 * it stands. Other words stay what they are, a fault.
 */
export function forCommand(env: WorkerEnv, command: string): WorkerEnv {
  if (env.AUTH !== "open" || command === "dev") return env;
  console.error("AUTH=open counts under `wrangler dev` alone: this Worker was built otherwise, and is closed to whoever has no key");
  return { ...env, AUTH: "" };
}

/** What the app is given beside its model. */
export function readDependencies(env: WorkerEnv): Dependencies {
  const { ASSETS, RATE_LIMIT, FAILURE_LIMIT, CORS_ORIGINS = "" } = env;
  const access = readAccess(env);
  const endpoints = readEndpoints(env);
  for (const fault of [access.unusable, access.fault, endpoints.unusable]) if (fault !== undefined) console.error(fault);
  return {
    access,
    endpoints,
    fetch: (url, init) => fetch(url, init),
    now,
    assets: ASSETS,
    origins: CORS_ORIGINS.split(/[\s,]+/).filter((origin) => origin !== ""),
    withinRate: RATE_LIMIT && (async (key) => (await RATE_LIMIT.limit({ key })).success),
    withinFailures: FAILURE_LIMIT && (async (key) => (await FAILURE_LIMIT.limit({ key })).success),
    log: (record) => console.log(JSON.stringify(record)),
    report: (error) => console.error(error),
  };
}

/** Undefined where no Durable Objects are bound. */
function openStreams({ STREAMS, DIRECTORY, BREAKERS }: WorkerEnv, models: Models): StreamStore | undefined {
  if (STREAMS === undefined || DIRECTORY === undefined) return undefined;
  return createObjectStore(models, { streams: STREAMS, directory: DIRECTORY, breakers: BREAKERS }, now, (error) => console.error(error));
}

function both(first: Dependencies["log"], second: Dependencies["log"]): Dependencies["log"] {
  return (record) => {
    first(record);
    second(record);
  };
}

function streamDependencies(
  { DIRECTORY, BREAKERS }: WorkerEnv,
  models: Models,
  { endpoints, monitor }: Pick<Dependencies, "endpoints" | "monitor">,
): StreamDependencies {
  return {
    onSettled: monitor && ((destination, state) => monitor.isolate.delivery(destination, state)),
    models,
    endpoints,
    directoryOf: (key) => directoryOf(DIRECTORY!, shardOf(key)),
    breakerOf: (destination) => (endpoints.destinations.has(destination) ? BREAKERS && objectOf(BREAKERS, destination) : undefined),
    fetch: (url, init) => fetch(url, init),
    now,
    random,
    log: (record) => console.log(JSON.stringify(record)),
  };
}
