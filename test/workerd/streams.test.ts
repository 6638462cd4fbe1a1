// Streams on workerd's own Durable Objects: what only the platform does, and the whole way in and out.
import { evictAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { ENVELOPE } from "../../edge/deliveries/bodies.ts";
import { Outbox } from "../../edge/deliveries/outbox.ts";
import artifact from "../../edge/model.safetensors";
import { migrateTables } from "../../edge/streams/schema.ts";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";

const { recipe, golden } = decodeArtifact(new Uint8Array(artifact));
const { timesteps: T } = recipe;
const F = recipe.features.length;
const KEY = { authorization: "Bearer test-key-score-read", "content-type": "application/json" };
const ADMIN = { authorization: "Bearer test-key-admin" };
const ask = (path: string, init: RequestInit = {}) => exports.default.fetch(`https://edge.test${path}`, { headers: KEY, ...init });
const send = (key: string, body: unknown) =>
  ask(`/v1/streams/${encodeURIComponent(key)}/events`, { method: "POST", body: JSON.stringify(body) });
const stubOf = (key: string) => env.STREAMS!.get(env.STREAMS!.idFromName(key));
const jsonOf = async (response: Response | Promise<Response>) => (await (await response).json()) as Record<string, unknown>;
const alarmOf = (key: string) => runInDurableObject(stubOf(key), (_, { storage }) => storage.getAlarm());

/** A golden vector of full length, row by row. */
const k = golden.probabilities.length - 3;
const rows = Array.from({ length: T }, (_, t) => [...golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F)]);
const events = rows.map((values, t) => ({ id: `e${t}`, timestamp: 1_700_000_000 + t, values }));

describe("a stream", () => {
  test("scores a golden vector, sent row by row, with the trainer's bits", async () => {
    let last: unknown;
    for (const event of events) {
      const response = await send("golden", event);
      expect(response.status, await response.clone().text()).toBe(200);
      last = await response.json();
    }
    expect(last).toMatchObject({ seq: T, filled: T, probability: golden.probabilities[k] });
  });

  test("lives on when its object is evicted, and knows what it knew", async () => {
    await send("evicted", { events: events.slice(0, 4) });
    const before = await jsonOf(ask("/v1/streams/evicted"));
    await evictAllDurableObjects();
    expect(await jsonOf(ask("/v1/streams/evicted"))).toEqual(before);
    expect(await jsonOf(send("evicted", events[2]))).toMatchObject({ seq: 3 });
  });

  test("takes one id once, however many send it at the same time", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await send("crowd", events[i % 4])).text()));
    expect(new Set(answers).size).toBe(4);
    expect(await jsonOf(ask("/v1/streams/crowd"))).toMatchObject({ seq: 4, filled: 4 });
  });

  test("stores nothing of a batch that holds a conflict", async () => {
    await send("batch", events[0]);
    const refused = await send("batch", { events: [events[1], { ...events[0], values: rows[1] }] });
    expect([refused.status, await jsonOf(refused)]).toMatchObject([409, { pointer: "/events/1/id" }]);
    expect(await jsonOf(ask("/v1/streams/batch"))).toMatchObject({ seq: 1, filled: 1 });
  });

  test("asks for a key of every kind by its own name, and for nothing that was only asked for", async () => {
    for (const key of ["ключ 🔑", "a/b", "../../etc", "%2e%2e", "__proto__", "constructor", "'; DROP TABLE events; --", "?x=1#y", " "]) {
      const response = await send(key, events[0]);
      expect([key, response.status]).toEqual([key, 200]);
      expect(await jsonOf(ask(`/v1/streams/${encodeURIComponent(key)}`))).toMatchObject({ key, seq: 1 });
    }
    const missing = await ask("/v1/streams/never");
    expect(missing.status).toBe(404);
    const tables = await runInDurableObject(stubOf("never"), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("a delivery", () => {
  /** What the configuration says, tests say by the object's own call. */
  const deliverTo = (key: string, names: readonly string[], count = 1) =>
    (stubOf(key) as unknown as { accept(...parameters: unknown[]): Promise<unknown> }).accept(
      key,
      events.slice(0, T - 1 + count).map(({ id, timestamp, values }) => ({ id, timestamp, data: { values }, digest: id })),
      { source: "api", destinations: names },
    );

  test("is written with its event and its alarm, and attempted by the alarm, which sets itself again", async () => {
    const before = Date.now();
    await deliverTo("out", ["nowhere"]);
    const alarm = await alarmOf("out");
    expect(alarm === null || (alarm >= before && alarm <= Date.now())).toBe(true); // null while it runs
    await vi.waitFor(async () => {
      const { deliveries } = await jsonOf(ask("/v1/deliveries?key=out"));
      expect(deliveries).toMatchObject([{ state: "pending", attempts: 1, diagnostics: "no destination nowhere is configured" }]);
    });
    const [row] = (await jsonOf(ask("/v1/deliveries?key=out"))).deliveries as { due: string }[];
    await vi.waitFor(async () => expect(await alarmOf("out")).toBe(Date.parse(row.due)));
  });

  test("whose alarm was lost is found by the cron, wherever it is", async () => {
    await deliverTo("lost", ["nowhere"]);
    await vi.waitFor(async () => expect(await jsonOf(ask("/v1/deliveries?key=lost"))).toMatchObject({ deliveries: [{ attempts: 1 }] }));
    await runInDurableObject(stubOf("lost"), async (_, { storage }) => {
      storage.sql.exec("UPDATE outbox SET due = 1");
      storage.sql.exec("UPDATE stream SET due = 1");
      await storage.deleteAlarm();
    });
    await evictAllDurableObjects();
    for (let shard = 0; shard < 16; shard++)
      await runInDurableObject(env.DIRECTORY!.get(env.DIRECTORY!.idFromName(`${shard}`)), (_, { storage }) => {
        const isThere = storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'streams'").toArray().length > 0;
        if (isThere) storage.sql.exec("UPDATE streams SET due = 1, checked = 0 WHERE key = 'lost'");
      });
    expect(await alarmOf("lost")).toBeNull();
    await exports.default.scheduled({ scheduledTime: Date.now(), cron: "17 * * * *" });
    await vi.waitFor(async () => expect(await jsonOf(ask("/v1/deliveries?key=lost"))).toMatchObject({ deliveries: [{ attempts: 2 }] }));
  });

  test("is sent again, and all dead ones are, by admins alone", async () => {
    await deliverTo("again", ["nowhere"]);
    const [{ id }] = (await jsonOf(ask("/v1/deliveries?key=again"))).deliveries as { id: string }[];
    const post = (path: string, headers: HeadersInit) => ask(path, { method: "POST", headers });
    expect((await post(`/v1/deliveries/${id}/replay`, KEY)).status).toBe(403);
    expect((await post(`/v1/deliveries/${id}/replay`, ADMIN)).status).toBe(202);
    expect((await post(`/v1/deliveries/${id.replace("msg_", "msg_0")}/replay`, ADMIN)).status).toBe(404);
    const foreign = `msg_${"0".repeat(64)}_00000000_1`; // an id of no object of this namespace
    expect((await post(`/v1/deliveries/${foreign}/replay`, ADMIN)).status).toBe(404);
    expect((await post("/v1/deliveries/replay?destination=nowhere", KEY)).status).toBe(403);
    expect((await post("/v1/deliveries/replay?destination=nowhere", ADMIN)).status).toBe(422);
    expect((await ask("/v1/streams/again", { method: "DELETE" })).status).toBe(403);
    expect((await ask("/v1/streams/again", { method: "DELETE", headers: ADMIN })).status).toBe(204);
    expect(await jsonOf(ask("/v1/streams/again"))).toMatchObject({ filled: 0, window: [], seq: T });
  });

  test("is counted in the metrics, and its key is in the list", async () => {
    await deliverTo("counted", ["nowhere"]);
    await vi.waitFor(async () => expect(await jsonOf(ask("/v1/deliveries?key=counted"))).toMatchObject({ deliveries: [{ attempts: 1 }] }));
    await runInDurableObject(stubOf("counted"), (_, { storage }) => storage.sql.exec("UPDATE stream SET reportedAt = 0"));
    await evictAllDurableObjects();
    await runDurableObjectAlarm(stubOf("counted"));
    const { streams, deliveries } = (await jsonOf(ask("/v1/metrics"))) as { streams: number; deliveries: { pending: number } };
    expect(streams).toBeGreaterThan(0);
    expect(deliveries.pending).toBeGreaterThan(0);
    const listed = (await jsonOf(ask("/v1/streams?limit=200"))).streams as { key: string }[];
    expect(listed).toContainEqual({ key: "counted", pending: 1, delivered: 0, dead: 0, dropped: 0 });
  });
});

describe("a batch, on the platform's own SQLite", () => {
  const PREFIX = "msg_0_0_";
  const destinations = new Map([["desk", { batch: { rows: 3, seconds: 5 }, ordered: true, body: ENVELOPE }]]);
  const add = (outbox: Outbox, seq: number, now: number) =>
    outbox.add({ seq, destination: "desk", url: undefined, body: `{"seq":${seq}}`, now, due: now, hops: seq });
  const failed = { verdict: "retry", status: 500, diagnostics: "no" } as const;

  test("is written before its first attempt, and what became of it is its rows'", async () => {
    await send("batched", events[0]); // the object has tables then
    await runInDurableObject(stubOf("batched"), (_, { storage }) => {
      const outbox = new Outbox(storage.sql, destinations);
      for (let seq = 1; seq <= 4; seq++) add(outbox, seq, 1000);
      expect(outbox.nextDueOfEach(1000).get("desk")).toBe(1000);
      const [first, ...more] = outbox.due(1000, "desk", 6, [], PREFIX);
      expect(more).toEqual([]);
      const body = '[{"id":"msg_0_0_1","seq":1},{"id":"msg_0_0_2","seq":2},{"id":"msg_0_0_3","seq":3}]';
      expect(first).toMatchObject({ n: 1, rows: 3, hops: 3, body });
      // killed here, it is there again, as it was, whatever came
      add(outbox, 5, 2000);
      const again = new Outbox(storage.sql, destinations);
      expect(again.due(9000, "desk", 6, [], PREFIX)).toMatchObject([{ n: 1, rows: 3, body }]);
      const outcome = { attempt: failed, url: undefined, spent: true, started: 9000, now: 9100 };
      expect(again.settle(first, { ...outcome, nextDelayMs: 1000 })).toBe("pending");
      expect(again.nextDueOfEach(9100).get("desk")).toBe(10_100);
      expect(again.due(9100, "desk", 6, [], PREFIX)).toEqual([]); // what is newer waits for it
      expect(again.settle(first, { ...outcome, nextDelayMs: undefined })).toBe("dead");
      expect(again.list({}, 99, 99).map(({ n, state, batch }) => [n, state, batch])).toEqual([
        ...[5, 4].map((n) => [n, "pending", null]),
        ...[3, 2, 1].map((n) => [n, "dead", 1]),
      ]);
      expect(again.find(3)).toMatchObject({ due: null, history: [{ status: 500 }, { status: 500 }] });
      expect(again.due(9100, "desk", 6, [], PREFIX)).toMatchObject([{ n: 4, rows: 2 }]);
      expect(again.replay(2, 9200)).toBe("desk");
      expect(again.due(9200, "desk", 6, [], PREFIX)).toMatchObject([{ n: 1, rows: 3, attempts: 0, body }]);
      expect(again.expire(1500)).toBe(5);
      expect(again.isEmpty).toBe(true);
    });
  });

  test("may come into an object of the version before", async () => {
    await send("older", events[0]);
    await runInDurableObject(stubOf("older"), (_, { storage }) => {
      const { sql } = storage;
      new Outbox(sql, new Map()).add({ seq: 1, destination: "desk", url: undefined, body: "{}", now: 1, due: 1, hops: 0 });
      for (const undo of ["DROP INDEX outbox_by_head", "DROP INDEX outbox_waiting", "ALTER TABLE outbox DROP COLUMN head"]) sql.exec(undo);
      sql.exec("UPDATE storage SET version = 6");
      expect(migrateTables(storage)).toBe(true);
      const outbox = new Outbox(sql, destinations);
      expect(outbox.due(2, "desk", 6, [], PREFIX)).toMatchObject([{ n: 1, rows: null, body: "{}" }]);
    });
  });
});
