// The monitor on workerd's own objects: counts, drift and outcomes, from requests to what is told of them.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import artifact from "../../edge/model.safetensors";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";

const model = decodeArtifact(new Uint8Array(artifact));
const { recipe, golden } = model;
const { timesteps: T } = recipe;
const F = recipe.features.length;
const KEY = { authorization: "Bearer test-key-score-read", "content-type": "application/json" };
const ADMIN = { authorization: "Bearer test-key-admin" };
const ask = (path: string, init: RequestInit = {}) => exports.default.fetch(`https://edge.test${path}`, { headers: KEY, ...init });
const post = (path: string, body: unknown) => ask(path, { method: "POST", body: JSON.stringify(body) });
const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Record<string, never>;
const path = `/v1/models/${encodeURIComponent(model.name)}`;
const k = golden.probabilities.length - 3;
const rows = Array.from({ length: T }, (_, t) => [...golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F)]);
const score = (more: object = {}) => post("/v1/score", { sequence: rows, ...more });
/** What an isolate gathers leaves 5 s after the first of it. */
const WAIT = { timeout: 15_000, interval: 250 };

describe("GET /metrics", () => {
  test("counts requests by route and status, batches, scores and the model, some seconds later", async () => {
    expect((await score()).status).toBe(200);
    expect((await post("/v1/score", { sequence: [] })).status).toBe(422);
    await vi.waitFor(async () => {
      const response = await ask("/metrics");
      expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      const text = await response.text();
      expect(text).toMatch(/quickstep_requests_total\{method="POST",route="\/v1\/score",status="200"\} [1-9]/);
      expect(text).toMatch(/quickstep_requests_total\{method="POST",route="\/v1\/score",status="422"\} [1-9]/);
      expect(text).toMatch(new RegExp(`quickstep_model_info\\{model="${model.name}@[0-9a-f]{12}",version="0.1.0"\\} 1`));
      expect(text).toMatch(/quickstep_score_count\{model="[^"]+"\} [1-9]/);
      expect(text).toMatch(/quickstep_batch_sequences_bucket\{le="1"\} [1-9]/);
      expect(text).toMatch(/quickstep_streams \d/);
    }, WAIT);
  });

  test("needs a key of scope read, and answers GET alone", async () => {
    expect((await ask("/metrics", { headers: {} })).status).toBe(401);
    expect((await ask("/metrics", { method: "POST" })).status).toBe(405);
  });
});

describe("a dataset of Analytics Engine", () => {
  test("has one point of each request, answered or refused: route, method, status, model, version, problem; milliseconds, sequences", async () => {
    const points = vi.spyOn(env.ANALYTICS!, "writeDataPoint");
    const sha256 = (await ask("/v1/model")).headers.get("x-quickstep-model")!;
    points.mockClear();
    expect((await post("/v1/score", { sequences: [rows, rows, rows] })).status).toBe(200);
    expect((await post("/v1/score", { sequence: [] })).status).toBe(422);
    expect((await ask("/v1/streams/nobody")).status).toBe(404);
    const written = points.mock.calls.map(([point]) => point);
    points.mockRestore();
    const [model, number] = [sha256.slice(0, 12), expect.any(Number)];
    const pointOf = (route: string, method: string, status: string, problem: string, sequences: number) => {
      return { indexes: [model], blobs: [route, method, status, model, "0.1.0", problem], doubles: [number, sequences] };
    };
    expect(written).toEqual([
      pointOf("/v1/score", "POST", "200", "", 3),
      pointOf("/v1/score", "POST", "422", "sequence", 0),
      pointOf("/v1/streams/:key", "GET", "404", "notFound", 0),
    ]);
  });
});

describe("GET /v1/models/{name}/drift", () => {
  test("knows how many sequences it took, and says nothing of another model", async () => {
    await score();
    await vi.waitFor(async () => {
      const drift = await jsonOf(ask(`${path}/drift`));
      expect(drift.sequences).toBeGreaterThan(0);
      expect(drift).toMatchObject({
        model: expect.stringContaining(`${model.name}@`),
        basis: model.reference.sequences ? "sequences" : "rows",
      });
    }, WAIT);
    expect((await ask("/v1/models/nobody/drift")).status).toBe(404);
  });

  test("of a stream takes one event of T, and what is kept holds no number of an input", async () => {
    await new Promise((done) => setTimeout(done, 6000)); // what was gathered before has left
    const before = (await jsonOf(ask(`${path}/drift`))).sequences as number;
    for (let n = 0; n < 2 * T; n++)
      await post("/v1/streams/watched/events", { id: `w${n}`, timestamp: 1_700_000_000 + n, values: rows[n % T] });
    await vi.waitFor(async () => expect((await jsonOf(ask(`${path}/drift`))).sequences).toBe(before + 2), WAIT);
    const { model: id } = await jsonOf(ask(`${path}/drift`));
    const stub = env.DRIFT!.get(env.DRIFT!.idFromName(id));
    const kept = await runInDurableObject(stub as never, (_, { storage }) => storage.sql.exec("SELECT json FROM kept").toArray());
    expect(Object.keys(JSON.parse(kept[0].json as string)).sort()).toEqual(["alarm", "running", "stopped", "stream", "taken"]);
  });

  test("begins anew for an admin alone", async () => {
    expect((await ask(`${path}/drift`, { method: "DELETE" })).status).toBe(403);
    expect((await ask(`${path}/drift`, { method: "DELETE", headers: ADMIN })).status).toBe(204);
    expect((await jsonOf(ask(`${path}/drift`))).sequences).toBe(0);
  });
});

describe("outcomes", () => {
  const settle = async (outcome: object) => jsonOf(post("/v1/outcomes", outcome));

  test("of a prediction: taken, repeated, contradicting; and the model's performance has it beside the card's", async () => {
    const { results } = (await jsonOf(score({ remember: true }))) as unknown as { results: { prediction: string; probability: number }[] };
    const [{ prediction, probability }] = results;
    expect(await settle({ prediction, label: 1 })).toEqual({ state: "waiting" }); // the prediction is written some seconds after the answer
    await vi.waitFor(async () => expect(await settle({ prediction, label: 1 })).toEqual({ state: "repeated" }), WAIT);
    expect(await settle({ prediction, label: 0 })).toEqual({ state: "contradicting" });
    await vi.waitFor(async () => {
      const performance = (await jsonOf(ask(`${path}/performance`))) as unknown as {
        outcomes: number;
        logLoss: { value: number };
        outcomesByState: Record<string, number>;
        days: { day: string }[];
        card: unknown;
      };
      expect(performance.outcomes).toBe(1);
      expect(performance.logLoss.value).toBeCloseTo(-Math.log(probability), 5);
      expect(performance.outcomesByState).toMatchObject({ waiting: 1, contradicting: 1 });
      expect(performance.days[0].day).toBe(new Date().toISOString().slice(0, 10));
      expect(performance.card).toMatchObject({ logLoss: model.card.test!.logLoss });
    }, WAIT);
  });

  test("of a stream's event count as soon as it is acknowledged; before it, and of what is none, they are unknown", async () => {
    const outcome = { stream: "judged", id: `j${T}`, label: 1 };
    expect(await settle(outcome)).toEqual({ state: "unknown" });
    for (let n = 0; n <= T; n++)
      await post("/v1/streams/judged/events", { id: `j${n}`, timestamp: Date.now() / 1000 - 100 + n, values: rows[n % T] });
    const { results } = (await settle({ outcomes: [outcome, { stream: "judged", source: "api", id: "nobody", label: 0 }] })) as unknown as {
      results: unknown[];
    };
    expect(results).toEqual([{ state: "taken" }, { state: "unknown" }]);
    expect(await settle(outcome)).toEqual({ state: "repeated" });
  });

  test("later than a prediction is kept are late", async () => {
    const old = `p0.${(await ask("/v1/model")).headers.get("x-quickstep-model")!.slice(0, 12)}.${(1_600_000_000_000).toString(36)}.aa-0`;
    expect(await settle({ prediction: old, label: 1 })).toEqual({ state: "late" });
  });

  test("of an id that nobody gave out leave nothing behind: their object deletes itself, and may begin again", async () => {
    const prediction = `p1.0123456789ab.${Date.now().toString(36)}.aa-0.nobody`;
    expect(await settle({ prediction, label: 1 })).toEqual({ state: "waiting" });
    const stub = env.OUTCOMES!.get(env.OUTCOMES!.idFromName("0123456789ab/1")) as never;
    const tables = () => runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT name FROM sqlite_master").toArray().length);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await tables()).toBeGreaterThan(1);
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("UPDATE predictions SET at = 0");
      storage.sql.exec("UPDATE outcome_counts SET state = '2020-01-01' || substr(state, 11)");
    });
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    expect(await tables()).toBeLessThan(2);
    expect(await settle({ prediction, label: 0 })).toEqual({ state: "waiting" });
  });

  test.each([
    [{ prediction: "nothing", label: 1 }, "/prediction"],
    [{ stream: "a", id: "b", label: 2 }, "/label"],
    [{ stream: "a", id: "b" }, "/label"],
    [{ stream: "a", label: 1 }, "/id"],
    [{ outcomes: [] }, "/outcomes"],
    [
      {
        outcomes: [
          { stream: "a", id: "b", label: 1 },
          { stream: "a", id: "", label: 1 },
        ],
      },
      "/outcomes/1/id",
    ],
  ])("%j is refused at its place", async (body, pointer) => {
    const response = await post("/v1/outcomes", body);
    expect([response.status, (await jsonOf(response)).pointer]).toEqual([422, pointer]);
  });

  test("what has no place for an id refuses to remember", async () => {
    const body = new Float64Array(golden.inputs.subarray(k * T * F, (k + 1) * T * F));
    const headers = { authorization: KEY.authorization, "content-type": "application/octet-stream" };
    const response = await ask("/v1/score?remember=true", { method: "POST", headers, body });
    expect(response.status).toBe(422);
    expect((await jsonOf(response)).detail).toContain("remember is a parameter of /v1/score's JSON and lines");
  });
});
