// A challenger in the shadow, and one that answers a share, on workerd's R2 and Durable Objects: who answers, what is compared, and what
// came true of it.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import { digestOf } from "../../edge/http/hashes.ts";
import type { Bucket } from "../../edge/models/bucket.ts";
import { monitored } from "../../edge/models/monitored.ts";
import { artifactKey, pointerKey } from "../../edge/models/pointer.ts";
import { Registry } from "../../edge/models/registry.ts";
import { type MonitorBindings, openMonitor } from "../../edge/monitor/bindings.ts";
import type { Comparison } from "../../edge/monitor/comparison.ts";
import { hooksOf } from "../../edge/monitor/hooks.ts";
import { predictionsName } from "../../edge/monitor/prediction-id.ts";
import { NO_ENDPOINTS } from "../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { score } from "../../shared/model.ts";
import { artifactOpener, DEPENDENCIES } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

const {
  TEST_MODELS: r2,
  API_KEYS,
  OUTCOMES,
} = env as unknown as MonitorBindings & { TEST_MODELS: Bucket & { delete(key: string): Promise<void> }; API_KEYS: string };
const ADMIN = { authorization: "Bearer test-key-admin" };
const functions = instantiateKernel(kernel);
const { log } = functions;
const open = artifactOpener(kernel);
/** Objects outlive a test: each has models of its own. */
let units = 20;
const newModel = (more: object = {}) => makeModel(kernel, { name: "duel", units: units++, ...more });
const WAIT = { timeout: 15_000, interval: 250 };

/** A Worker with a registry and what is bound to watch with. */
function openRig(bindings: MonitorBindings) {
  const now = () => Date.now();
  const report = (error: Error) => {
    throw error;
  };
  const { monitor } = openMonitor(bindings, { functions, now, report, endpoints: NO_ENDPOINTS, streams: () => undefined });
  const registry = new Registry({
    bundled: open(encodeArtifact(makeModel(kernel, { name: "duel" }))).servable,
    bucket: r2,
    open,
    now,
    log: () => {},
  });
  const models = monitor ? monitored(registry, (served) => hooksOf(served, monitor)) : registry;
  const app = createApp(models, {
    ...DEPENDENCIES,
    access: readAccess({ API_KEYS }),
    now,
    monitor,
    registry: { registry, bucket: r2, open, now },
  });
  const call = async (method: string, path: string, body?: BodyInit, type = "application/json") => {
    const headers = { ...ADMIN, "content-type": type };
    const response = await app.request(`https://edge.test${path}`, { method, headers, body });
    return {
      status: response.status,
      body: (type === "application/json" ? await response.json() : await response.arrayBuffer()) as Record<string, never>,
    };
  };
  const publish = async (artifact: Uint8Array<ArrayBuffer>, query = "") => {
    const answer = await call("PUT", `/v1/models/duel?sha256=${await digestOf(artifact)}${query}`, artifact);
    await call("POST", "/v1/score", JSON.stringify({ sequence: rowsOf(model, 0) })); // the look
    return answer;
  };
  return { call, publish, monitor };
}

const model = newModel();
function rowsOf({ recipe, golden }: typeof model, k: number): number[][] {
  const { timesteps: T, features } = recipe;
  const F = features.length;
  return Array.from({ length: T }, (_, t) => [...golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F)]);
}
/** Of golden inputs 8 to 11. */
const KS = [8, 9, 10, 11];
const sequences = KS.map((k) => rowsOf(model, k));
const probabilitiesOf = (m: typeof model) =>
  score(m, createWasmEngine(kernel, m), log, Float64Array.from(sequences.flat(2)), (n) => [n]).probabilities;
const compareOf = async (rig: ReturnType<typeof openRig>) =>
  (await rig.call("GET", "/v1/models/duel/compare")).body as unknown as Comparison & {
    model: string;
    challenger: string;
    shadow?: number;
    share?: number;
  };

beforeEach(() => r2.delete(pointerKey("duel")));

/** A current model and a challenger of it, published. */
async function openDuel(query: string) {
  const [ours, theirs] = [newModel(), newModel()];
  const [artifact, other] = [encodeArtifact(ours), encodeArtifact(theirs)];
  const rig = openRig({ OUTCOMES });
  expect((await rig.publish(artifact)).status).toBe(200);
  expect((await rig.publish(other, query)).status).toBe(200);
  return { rig, p: probabilitiesOf(ours), q: probabilitiesOf(theirs), hash: await digestOf(artifact), otherHash: await digestOf(other) };
}

describe("in the shadow", () => {
  test("a challenger answers nothing, and both probabilities of a prediction are judged by its outcome", async () => {
    const { rig, p, q, hash, otherHash } = await openDuel("&shadow=1");
    const { body } = await rig.call("POST", "/v1/score", JSON.stringify({ sequences, remember: true }));
    const { results } = body as unknown as { results: { probability: number; prediction: string }[] };
    expect(body.model).toBe(`duel@${hash.slice(0, 12)}`);
    expect(results.map(({ probability }) => probability)).toEqual([...p]);
    const pinned = await rig.call("POST", "/v1/score", JSON.stringify({ sequence: sequences[0] }));
    expect(pinned.body.model).toBe(`duel@${hash.slice(0, 12)}`);
    const labels = [1, 0, 1, 1];
    const outcomes = results.map(({ prediction }, n) => ({ prediction, label: labels[n] }));
    await rig.call("POST", "/v1/outcomes", JSON.stringify({ outcomes: outcomes.slice(0, 2) })); // before what was said is written
    await vi.waitFor(async () => expect((await compareOf(rig)).outcomes.model).toBe(2), WAIT);
    await rig.call("POST", "/v1/outcomes", JSON.stringify({ outcomes }));
    const compared = await compareOf(rig);
    expect(compared).toMatchObject({
      model: `duel@${hash.slice(0, 12)}`,
      challenger: `duel@${otherHash.slice(0, 12)}`,
      shadow: 1,
      paired: true,
    });
    // 4 remembered, 1 alone, and the two looks of publishing, of which the second saw the challenger
    expect(compared.sequences.model).toBeGreaterThanOrEqual(5);
    expect(compared.outcomes).toEqual({ model: 4, challenger: 4 });
    const lossOf = (x: number, label: number) => -Math.log(label === 1 ? x : 1 - x);
    const differences = labels.map((label, n) => lossOf(q[n], label) - lossOf(p[n], label));
    const mean = differences.reduce((sum, d) => sum + d, 0) / 4;
    const half = 1.959964 * Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / 3 / 4);
    const { difference, model: ours } = compared.logLoss!;
    expect(ours).toBeCloseTo(labels.reduce((sum, label, n) => sum + lossOf(p[n], label), 0) / 4, 6);
    expect([difference!.value, difference!.low, difference!.high].map((x, i) => x - [mean, mean - half, mean + half][i])).toEqual(
      [0, 0, 0].map((zero) => expect.closeTo(zero, 6)),
    );
    const left = await runInDurableObject(
      OUTCOMES!.get(OUTCOMES!.idFromName(predictionsName(hash.slice(0, 12), Number(results[0].prediction[1])))) as never,
      (_, { storage }) => storage.sql.exec("SELECT * FROM shadows").toArray(),
    );
    expect(left).toEqual([]);
  });

  test("a challenger is compared in every form that sequences come in, by labels, too", async () => {
    const { rig } = await openDuel("&shadow=1");
    const json = "application/json";
    for (const [path, type, body] of [
      ["/v1/score", json, JSON.stringify({ sequences })],
      ["/v1/models/duel/score", "application/x-ndjson", sequences.map((sequence) => `${JSON.stringify(sequence)}\n`).join("")],
      ["/v1/score", "application/octet-stream", Float64Array.from(sequences.flat(2))],
      ["/v1/models/duel:predict", json, JSON.stringify({ instances: sequences })],
    ] as const) {
      const before = (await compareOf(rig)).sequences.model;
      expect((await rig.call("POST", path, body, type)).status).toBe(200);
      await vi.waitFor(async () => expect((await compareOf(rig)).sequences.model).toBeGreaterThanOrEqual(before + 4), WAIT);
    }
    const { sequences: counts, meanDifference, labels, agreement, differences } = await compareOf(rig);
    expect(labels!.flat().reduce((sum, n) => sum + n, 0)).toBe(counts.model);
    expect(differences!.reduce((sum, n) => sum + n, 0)).toBe(counts.model);
    expect(agreement).toBe((labels![0][0] + labels![1][1]) / counts.model);
    expect(meanDifference!.low).toBeLessThan(meanDifference!.value);
  });

  test("a challenger is asked for its part alone, the same keys always", async () => {
    const { rig } = await openDuel("&shadow=0.5");
    await vi.waitFor(async () => expect((await compareOf(rig)).sequences.model).toBeGreaterThanOrEqual(0), WAIT);
    for (let i = 0; i < 60; i++) await rig.call("POST", "/v1/score", JSON.stringify({ sequence: sequences[0] }));
    await vi.waitFor(async () => expect(Math.abs((await compareOf(rig)).sequences.model - 30)).toBeLessThan(16), WAIT);
  });

  test("a challenger that knows no missing numbers, which the model takes, scores nothing, and the health route says why", async () => {
    const rig = openRig({ OUTCOMES });
    await rig.publish(encodeArtifact(newModel({ gaps: [1] })));
    expect((await rig.publish(encodeArtifact(newModel()), "&shadow=1")).status).toBe(200);
    expect(JSON.stringify((await rig.call("GET", "/health/ready")).body)).toContain("reads rows otherwise");
    expect((await rig.call("GET", "/v1/models/duel/compare")).status).toBe(404);
  });

  test.each(["&shadow=0", "&shadow=2", "&shadow=x", "&shadow=0.1&share=0.1", "&shadow="])("%s is refused", async (query) => {
    const rig = openRig({ OUTCOMES });
    await rig.publish(encodeArtifact(model));
    const { status, body } = await rig.publish(encodeArtifact(newModel()), query);
    expect([status, body.detail]).toEqual([422, expect.stringContaining("expected share or shadow (one of them, above 0 and at most 1)")]);
  });

  test("where nothing keeps what it says, it is refused", async () => {
    const rig = openRig({});
    await rig.publish(encodeArtifact(model));
    const { status, body } = await rig.publish(encodeArtifact(newModel()), "&shadow=1");
    expect([status, body.detail]).toEqual([503, expect.stringContaining("bind OUTCOMES")]);
  });

  test("a pointer that is put by hand may name it", async () => {
    const [bytes, other] = [encodeArtifact(newModel()), encodeArtifact(newModel())];
    const [sha256, challenger] = [await digestOf(bytes), await digestOf(other)];
    await r2.put(artifactKey("duel", sha256), bytes);
    await r2.put(artifactKey("duel", challenger), other);
    await r2.put(pointerKey("duel"), JSON.stringify({ sha256, challenger: { sha256: challenger, shadow: 0.5 } }));
    const rig = openRig({ OUTCOMES });
    expect(await compareOf(rig)).toMatchObject({
      shadow: 0.5,
      sequences: { model: 0, challenger: 0 },
      meanDifference: null,
      logLoss: null,
    });
  });
});

describe("a share", () => {
  test("is compared by the outcomes of each, unpaired, and says so", async () => {
    const { rig, otherHash } = await openDuel("&share=0.5");
    const byModel = new Map<string, string[]>();
    for (let i = 0; i < 30; i++) {
      const { body } = await rig.call("POST", "/v1/score", JSON.stringify({ sequence: sequences[i % 4], remember: true }));
      const { results } = body as unknown as { results: { prediction: string }[] };
      byModel.set(body.model, [...(byModel.get(body.model) ?? []), results[0].prediction]);
    }
    expect(byModel.size).toBe(2);
    const outcomes = [...byModel.values()].flat().map((prediction, i) => ({ prediction, label: i % 2 }));
    await rig.call("POST", "/v1/outcomes", JSON.stringify({ outcomes }));
    await vi.waitFor(async () => {
      const compared = await compareOf(rig);
      expect(compared).toMatchObject({ share: 0.5, paired: false, agreement: null, labels: null });
      expect(compared.outcomes.challenger).toBe(byModel.get(`duel@${otherHash.slice(0, 12)}`)!.length);
      expect(compared.outcomes.model + compared.outcomes.challenger).toBe(30);
      expect(compared.logLoss!.difference!.high).toBeGreaterThan(compared.logLoss!.difference!.low);
    }, WAIT);
  });

  test("what is read is the current model's, whatever part its challenger answers", async () => {
    const { rig, hash } = await openDuel("&share=1");
    expect((await rig.call("GET", "/v1/model")).body.sha256).toBe(hash);
    expect((await rig.call("GET", "/v1/models/duel/performance")).body.model).toBe(`duel@${hash.slice(0, 12)}`);
  });
});

test("a model without a challenger has nothing to compare: 404", async () => {
  const rig = openRig({ OUTCOMES });
  await rig.publish(encodeArtifact(model));
  const { status, body } = await rig.call("GET", "/v1/models/duel/compare");
  expect([status, body.detail]).toEqual([404, expect.stringContaining("duel has no challenger")]);
});
