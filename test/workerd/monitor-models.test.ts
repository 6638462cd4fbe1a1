// The monitor of models by name, on workerd's R2 and Durable Objects: each published name has its own predictions, outcomes, performance and
// drift, also where two names have one artifact.
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import { digestOf } from "../../edge/http/hashes.ts";
import type { Bucket } from "../../edge/models/bucket.ts";
import { monitored } from "../../edge/models/monitored.ts";
import { Registry } from "../../edge/models/registry.ts";
import { type MonitorBindings, openMonitor } from "../../edge/monitor/bindings.ts";
import { hooksOf } from "../../edge/monitor/hooks.ts";
import { NO_ENDPOINTS } from "../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { artifactOpener, DEPENDENCIES } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

type Bindings = MonitorBindings & { TEST_MODELS: Bucket; API_KEYS: string };
const { TEST_MODELS: bucket, API_KEYS, DRIFT, OUTCOMES, METRICS } = env as unknown as Bindings;
const functions = instantiateKernel(kernel);
const WAIT = { timeout: 15_000, interval: 250 };

const open = artifactOpener(kernel);
const now = () => Date.now();
const report = (error: Error) => {
  throw error;
};
const { monitor } = openMonitor(
  { DRIFT, OUTCOMES, METRICS },
  { functions, now, report, endpoints: NO_ENDPOINTS, streams: () => undefined },
);
const [bundled, model] = [31, 32].map((units) => makeModel(kernel, { name: "watched", units }));
const { servable } = open(encodeArtifact(bundled));
const registry = new Registry({ bundled: servable, bucket, open, now, log: () => {} });
const app = createApp(
  monitored(registry, (served) => hooksOf(served, monitor!)),
  { ...DEPENDENCIES, access: readAccess({ API_KEYS }), now, monitor, registry: { registry, bucket, open, now } },
);
const call = async <Answer = Record<string, unknown>>(method: string, path: string, body?: BodyInit) => {
  const headers = { authorization: "Bearer test-key-admin", "content-type": "application/json" };
  const response = await app.request(`https://edge.test${path}`, { method, headers, body });
  expect(response.status, path).toBe(200);
  return (await response.json()) as Answer;
};

const { timesteps: T, features } = model.recipe;
const F = features.length;
const sequence = Array.from({ length: T }, (_, t) => [...model.golden.inputs.subarray(t * F, (t + 1) * F)]);

interface Scores {
  readonly model: string;
  readonly results: { readonly prediction: string; readonly probability: number }[];
}

test("each name of one artifact has its own predictions, outcomes, performance and drift", async () => {
  const artifact = encodeArtifact(model);
  const hash = await digestOf(artifact);
  const names = ["left", "right one"];
  const [left, right] = names.map((name) => `/v1/models/${encodeURIComponent(name)}`);
  for (const path of [left, right]) await call("PUT", `${path}?sha256=${hash}`, artifact);
  const score = (path: string) => call<Scores>("POST", `${path}/score`, JSON.stringify({ sequence, remember: true }));
  const [first, second, third] = [await score(left), await score(right), await score(right)];
  expect([first, second].map((answer) => answer.model)).toEqual(names.map((name) => `${name}@${hash.slice(0, 12)}`));
  const [ours, ...theirs] = [first, second, third].map(({ results }) => results[0].prediction);

  const outcomes = [ours, ...theirs].map((prediction, n) => ({ prediction, label: n === 0 ? 1 : 0 }));
  await call("POST", "/v1/outcomes", JSON.stringify({ outcomes })); // all of one artifact in one request
  const p = first.results[0].probability;
  await vi.waitFor(async () => {
    const [one, two] = [await call("GET", `${left}/performance`), await call("GET", `${right}/performance`)];
    expect([one.model, one.outcomes, two.model, two.outcomes]).toEqual([first.model, 1, second.model, 2]);
    expect((one.logLoss as { value: number }).value).toBeCloseTo(-Math.log(p), 5);
    expect((two.logLoss as { value: number }).value).toBeCloseTo(-Math.log(1 - p), 5);
  }, WAIT);
  await vi.waitFor(async () => {
    const drifts = [await call("GET", `${left}/drift`), await call("GET", `${right}/drift`)];
    expect(drifts.map((drift) => [drift.model, drift.sequences])).toEqual([
      [first.model, 1],
      [second.model, 2],
    ]);
  }, WAIT);
  expect(await call("GET", "/v1/models/watched/performance")).toMatchObject({ outcomes: 0 });
});
