// The monitor of a Worker, from what its configuration binds: nothing bound, nothing gathered.
import { waitUntil } from "cloudflare:workers";
import { renderWord } from "../deliveries/bodies.ts";
import type { RequestRecord } from "../http/request-context.ts";
import type { Endpoints } from "../streams/endpoints.ts";
import { type Namespace, objectOf } from "../streams/object-store.ts";
import type { StreamStore } from "../streams/store.ts";
import { type Announce, announceKey } from "./announce.ts";
import type { DriftObject } from "./drift-object.ts";
import { driftClass, metricsClass, predictionsClass } from "./durable-objects.ts";
import { IsolateMonitor } from "./isolate-monitor.ts";
import type { MetricsObject } from "./metrics-object.ts";
import { createMonitor, type Monitor } from "./monitor.ts";
import type { Functions } from "./performance.ts";
import { predictionsName } from "./prediction-id.ts";
import type { PredictionsObject } from "./predictions-object.ts";

/** Bindings, all optional. */
export interface MonitorBindings {
  readonly METRICS?: Namespace<MetricsObject>;
  readonly DRIFT?: Namespace<DriftObject>;
  readonly OUTCOMES?: Namespace<PredictionsObject>;
  /** A dataset of Workers Analytics Engine: one point a request. */
  readonly ANALYTICS?: Dataset;
}

interface Dataset {
  writeDataPoint(point: { readonly indexes: string[]; readonly blobs: string[]; readonly doubles: number[] }): void;
}

export interface MonitorSurroundings {
  /** The kernel's. */
  readonly functions: Functions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: (error: Error) => void;
  readonly endpoints: Pick<Endpoints, "settings" | "destinations">;
  /** Asked when there is something to send word of. */
  readonly streams: () => StreamStore | undefined;
}

/** Resolves after so many milliseconds. */
export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** The monitor, undefined where nothing is bound, and the classes of its objects, which are exported bound or not. */
export function openMonitor({ METRICS, DRIFT, OUTCOMES, ANALYTICS }: MonitorBindings, surroundings: MonitorSurroundings) {
  const { functions, now, report, streams } = surroundings;
  const { settings, destinations } = surroundings.endpoints;
  const objects = {
    ...(METRICS && { metrics: () => objectOf(METRICS, "metrics") }),
    ...(DRIFT && { driftOf: (model: string) => objectOf(DRIFT, model) }),
    ...(OUTCOMES && { predictionsOf: (name: string) => objectOf(OUTCOMES, name) }),
  };
  const point = ANALYTICS && ((record: RequestRecord) => ANALYTICS.writeDataPoint(pointOf(record)));
  const announce: Announce = async (type, model, data) => {
    const store = streams();
    const key = announceKey(model);
    const time = new Date(now()).toISOString();
    const bodies = settings.monitorDestinations.map((name) => [name, renderWord(destinations.get(name)!.body, key, type, data, time)]);
    if (bodies.length > 0 && store !== undefined) await store.announce(key, Object.fromEntries(bodies));
  };
  const mayTell: PredictionsObject["mayTell"] = (model, shard) => objectOf(OUTCOMES!, predictionsName(model, 0)).mayTell(model, shard);
  const isBound = Object.keys(objects).length > 0 || point !== undefined;
  const monitor: Monitor | undefined = isBound
    ? createMonitor(objects, new IsolateMonitor({ ...objects, point, waitUntil, sleep, now, report }), functions, now)
    : undefined;
  return {
    monitor,
    Metrics: metricsClass({ now, sleep }),
    Drift: driftClass({ log: functions.log, announce }),
    Outcomes: predictionsClass({ functions, now, keptMs: settings.outcomesMs, announce, mayTell }),
  };
}

/** Blobs: route, method, status, model, version, problem. Doubles: milliseconds, sequences. */
function pointOf({ route, method, status, model, version, problem = "", durationMs, sequences = 0 }: RequestRecord) {
  return { indexes: [model], blobs: [route, method, `${status}`, model, version, problem], doubles: [durationMs, sequences] };
}
