// GET /metrics for Prometheus; drift and performance of a model; POST /v1/outcomes: what came true.

import { describe, LimitError, type Path, SequenceError } from "../../shared/errors.ts";
import { VERSION } from "../../shared/version.ts";
import { isWithin } from "../config/stream-patterns.ts";
import { mediaTypeOf, readJson, refuseMediaType } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import { RequestError } from "../http/problem.ts";
import { type EdgeContext, type EdgeEnv, waitUntil } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import { EXPOSITION_TYPE, expose } from "../monitor/exposition.ts";
import type { Monitor } from "../monitor/monitor.ts";
import { readPredictionId } from "../monitor/prediction-id.ts";
import { MAX_OUTCOMES } from "../monitor/predictions-object.ts";
import { parseName } from "../webhooks/event.ts";
import { API_SOURCE } from "../webhooks/sources.ts";
import type { Dependencies } from "./dependencies.ts";
import { type GivenOutcome, settleOutcomes } from "./outcome-places.ts";
import type { RequestModel } from "./request-model.ts";

/** The monitor. Throws RequestError `unbound` where there is none. */
export function monitorOf({ monitor }: Pick<Dependencies, "monitor">): Monitor {
  if (monitor !== undefined) return monitor;
  throw new RequestError("unbound", "this deployment binds nothing to watch with: wrangler.toml says how");
}

/** GET /metrics. */
export function expositionRoutes(modelOf: RequestModel, dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => {
      const monitor = monitorOf(dependencies);
      const served = await (async () => modelOf(c))().catch(() => undefined); // counts are told without a model, too
      const { streams } = dependencies;
      const names = [...dependencies.endpoints.destinations.keys()];
      const [counts, totals, destinations, drift] = await Promise.all([
        monitor.counts(),
        streams?.totals(),
        streams?.breakers(names),
        served && monitor.driftOrNone(served),
      ]);
      const text = expose({
        model: { id: served?.id ?? "none", version: VERSION },
        counts,
        totals,
        destinations,
        drift: drift && served && [{ model: served.id, report: drift }],
      });
      return c.body(text, 200, { "content-type": EXPOSITION_TYPE });
    })
    .all("/", allowOnly("GET", "HEAD"));
}

/** /v1/models/{name}/drift, /performance and /compare. */
export function watchRoutes(modelOf: RequestModel, dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .get("/:name/drift", async (c) => {
      const served = await modelOf(c, c.req.param("name"));
      return c.json({ model: served.id, ...(await monitorOf(dependencies).drift(served)) });
    })
    .delete("/:name/drift", async (c) => {
      const served = await modelOf(c, c.req.param("name"));
      await monitorOf(dependencies).forgetDrift(served);
      return c.body(null, 204);
    })
    .get("/:name/performance", async (c) => {
      const served = await modelOf(c, c.req.param("name"));
      const live = await monitorOf(dependencies).performance(served.id);
      const { card } = served.model;
      const trained = card?.test ? { ...card.test, intervals: card.intervals, reliability: card.reliability } : null;
      return c.json({ model: served.id, ...live, card: trained });
    })
    .get("/:name/compare", async (c) => {
      const name = c.req.param("name");
      const monitor = monitorOf(dependencies);
      await modelOf(c, name); // says so where there is no such model
      const trial = await dependencies.registry?.registry.trial(name, (promise) => waitUntil(c, promise));
      if (trial === undefined) throw new RequestError("notFound", `${name} has no challenger: quickstep publish --shadow 0.1 makes one`);
      const { served, other, challenger } = trial;
      const { sha256, ...part } = challenger;
      return c.json({ model: served.id, challenger: other.id, ...part, ...(await monitor.compare(trial)) });
    })
    .all("/:name/compare", allowOnly("GET", "HEAD"))
    .all("/:name/drift", allowOnly("GET", "HEAD", "DELETE"))
    .all("/:name/performance", allowOnly("GET", "HEAD"));
}

/** POST /v1/outcomes. */
export function outcomeRoutes(modelOf: RequestModel, dependencies: Dependencies) {
  return new Hono<EdgeEnv>()
    .post("/", async (c) => {
      const monitor = monitorOf(dependencies);
      if (mediaTypeOf(c.req.raw).type !== "application/json") refuseMediaType(c.req.raw, ["application/json"]);
      const { given, isBatch } = parseOutcomes(await readJson(c.req.raw));
      checkBounds(c, given);
      const states = await settleOutcomes(given, await modelOf(c), monitor, dependencies.streams, dependencies.report);
      const results = states.map((state) => ({ state }));
      return c.json(isBatch ? { results } : results[0]);
    })
    .all("/", allowOnly("POST"));
}

function parseOutcomes(body: unknown): { readonly given: readonly GivenOutcome[]; readonly isBatch: boolean } {
  const { outcomes } = asTable(body, []);
  if (outcomes === undefined) return { given: [parseOutcome(body, [])], isBatch: false };
  if (Object.keys(body as object).length > 1) throw new SequenceError([], "must have no key beside outcomes", "another");
  if (!Array.isArray(outcomes) || outcomes.length === 0)
    throw new SequenceError(["outcomes"], "must be an array of outcomes", describe(outcomes));
  if (outcomes.length > MAX_OUTCOMES)
    throw new LimitError(
      ["outcomes"],
      `at most ${MAX_OUTCOMES} outcomes a request, got ${outcomes.length}: send them in parts`,
      MAX_OUTCOMES,
    );
  return { given: outcomes.map((one, i) => parseOutcome(one, ["outcomes", i])), isBatch: true };
}

const PREDICTION_KEYS = ["prediction", "label"];
const STREAM_KEYS = ["stream", "source", "id", "label"];

/** Throws SequenceError. */
function parseOutcome(value: unknown, path: Path): GivenOutcome {
  const table = asTable(value, path);
  const keys = "prediction" in table ? PREDICTION_KEYS : STREAM_KEYS;
  const unknownKey = Object.keys(table).find((key) => !keys.includes(key));
  if (unknownKey !== undefined) throw new SequenceError(path, `must have no keys but ${keys.join(", ")}`, describe(unknownKey));
  const { label } = table;
  if (label !== 0 && label !== 1) throw new SequenceError([...path, "label"], "must be 0 or 1", describe(label));
  if ("prediction" in table) return { prediction: parsePrediction(table.prediction, [...path, "prediction"]), label };
  const { stream, source = API_SOURCE, id } = table;
  return {
    stream: parseName(stream, [...path, "stream"]),
    source: parseName(source, [...path, "source"]),
    id: parseName(id, [...path, "id"]),
    label,
  };
}

/** The id of a prediction. Throws SequenceError. */
export function parsePrediction(value: unknown, path: Path): string {
  if (typeof value === "string" && readPredictionId(value) !== undefined) return value;
  throw new SequenceError(path, "must be an id that an answer of /v1/score gave", describe(value));
}

/** 0 or 1, as JSON or as text. Throws SequenceError. */
export function parseLabel(value: unknown, path: Path): 0 | 1 {
  if (value === 0 || value === "0" || value === false) return 0;
  if (value === 1 || value === "1" || value === true) return 1;
  throw new SequenceError(path, "must be 0 or 1", describe(value));
}

function asTable(value: unknown, path: Path): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SequenceError(path, "must be an object with prediction and label, or with stream, id and label", describe(value));
}

/** A key that is bound to streams knows no others. Throws RequestError. */
function checkBounds(c: EdgeContext, given: readonly GivenOutcome[]): void {
  const bound = c.get("streams");
  if (bound === undefined) return;
  if (given.some((one) => !("stream" in one) || !isWithin(one.stream, bound)))
    throw new RequestError("forbidden", `the key ${c.get("record").key} is bound to other streams`);
}
