// What goes out: each result to each destination, again until it is taken, or dead and listed; and what the directory knows of it.
import { describe, expect, test } from "vitest";
import { MAX_DIAGNOSTICS_BYTES } from "../../../edge/deliveries/delivery.ts";
import { SCHEDULE_S } from "../../../edge/deliveries/schedule.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import { DIRECTORY_SHARDS, shardOf } from "../../../edge/streams/directory.ts";
import { NO_ENDPOINTS } from "../../../edge/streams/endpoints.ts";
import type { ListedDelivery } from "../../../edge/streams/stream-object.ts";
import type { StreamEvent } from "../../../edge/webhooks/event.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { VERSION } from "../../../shared/version.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams, type StreamsInNode } from "../../fixtures/streams.ts";

const HOUR_MS = 3_600_000;
const servable = openModel(encodeArtifact(makeModel(kernel, { name: "fx" })), instantiateKernel(kernel).log, (m) =>
  createWasmEngine(kernel, m),
);
const eventAt = (n: number): StreamEvent => ({ id: `e${n}`, timestamp: n, data: { values: [1, 2, 3, 4, 5] }, digest: `${n}` });
const send = (streams: StreamsInNode, destinations: readonly string[], count = 1, key = "k", first = 1) =>
  streams.accept(
    key,
    Array.from({ length: count }, (_, i) => eventAt(first + i)),
    { source: "alerts", destinations },
  );
const list = async (streams: StreamsInNode, filter: object = {}): Promise<readonly ListedDelivery[]> =>
  (await streams.store.deliveries(filter, 200)).items;
/** Lets what is due now be delivered. */
const settle = (streams: StreamsInNode) => streams.advance(streams.clock);

describe("a delivery", () => {
  test("goes to each destination once, signed, as prediction.created with the stored answer", async () => {
    const streams = openStreams(servable);
    const requests: { url: string; init: RequestInit }[] = [];
    streams.fetch = async (url, init) => {
      requests.push({ url, init });
      return new Response(null, { status: 204 });
    };
    const [{ answer }] = await send(streams, ["desk", "wall"]);
    expect(requests).toEqual([]); // not before the alarm
    await settle(streams);
    expect(requests.map(({ url }) => url).sort()).toEqual(["https://desk.example.com/in", "https://wall.example.com/in"]);
    for (const { init } of requests) {
      expect(init).toMatchObject({ method: "POST", redirect: "manual" });
      expect(JSON.parse(init.body as string)).toEqual({ type: "prediction.created", timestamp: "2026-01-31T00:00:00.000Z", data: answer });
    }
    const deliveries = await list(streams);
    expect(deliveries.map(({ state, attempts, status, seq, key }) => [state, attempts, status, seq, key])).toEqual(
      Array(2).fill(["delivered", 1, 204, 1, "k"]),
    );
    expect(new Set(deliveries.map(({ id }) => id)).size).toBe(2);
    for (const { id } of deliveries) expect(id).toMatch(/^msg_[0-9a-f]{64}_[0-9a-f]{8}_\d+$/);
    await streams.advance(streams.clock + HOUR_MS);
    expect(requests).toHaveLength(2);
  });

  test("is tried at 0 s, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h with one id and one body, then it is dead", async () => {
    const streams = openStreams(servable);
    const attempts: { at: number; id: string; timestamp: string; body: string }[] = [];
    streams.fetch = async (_, { headers, body }) => {
      const sent = headers as Record<string, string>;
      attempts.push({ at: streams.clock, id: sent["webhook-id"], timestamp: sent["webhook-timestamp"], body: body as string });
      return new Response("no room", { status: 500 });
    };
    const start = streams.clock;
    await send(streams, ["desk"]);
    await streams.advance(start + 100 * HOUR_MS);
    let at = start;
    expect(attempts.map((attempt) => attempt.at)).toEqual(SCHEDULE_S.map((seconds) => (at += seconds * 1000)));
    expect(attempts).toHaveLength(10);
    expect(new Set(attempts.map(({ id }) => id)).size).toBe(1);
    expect(new Set(attempts.map(({ body }) => body)).size).toBe(1);
    expect(attempts.map(({ timestamp }) => Number(timestamp))).toEqual(attempts.map((attempt) => attempt.at / 1000));
    expect(await list(streams)).toMatchObject([{ state: "dead", attempts: 10, status: 500, diagnostics: "no room", due: null }]);
    expect(streams.log).toContainEqual({ event: "delivery dead", key: "k", id: attempts[0].id, destination: "desk" });
  });

  test.each<[string, () => Response | Promise<Response>, object]>([
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example.com/" } }), { status: 302 }],
    ["a 404", () => new Response("who?", { status: 404 }), { status: 404, diagnostics: "who?" }],
    ["a reset", () => Promise.reject(new TypeError("fetch failed")), { status: null, diagnostics: "TypeError: fetch failed" }],
    [
      "a body that breaks off",
      () => new Response(new ReadableStream({ pull: (c) => c.error(new Error("gone")) }), { status: 500 }),
      { status: 500 },
    ],
  ])("that meets %s waits for its next attempt", async (_, answer, expected) => {
    const streams = openStreams(servable);
    streams.fetch = async () => answer();
    await send(streams, ["desk"]);
    await settle(streams);
    expect(await list(streams)).toMatchObject([{ state: "pending", attempts: 1, due: streams.clock + 5000, ...expected }]);
  });

  test.each<[string, () => Response, string]>([
    ["says ok", () => new Response("ok"), "ok"],
    ["says much", () => new Response("é".repeat(1000)), "é".repeat(128)],
    ["says nothing", () => new Response(null, { status: 204 }), ""],
    ["says nothing for ever", () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })), ""],
    ["breaks off", () => new Response(new ReadableStream({ pull: (c) => c.error(new Error("gone")) })), ""],
  ])("to a receiver that takes it and %s keeps the beginning with the attempt", async (_, answer, expected) => {
    const streams = openStreams(servable);
    streams.fetch = async () => answer();
    await send(streams, ["desk"]);
    await settle(streams);
    const [row] = await list(streams);
    expect(row).toMatchObject({ state: "delivered", attempts: 1, diagnostics: "" });
    const { history } = (await streams.store.delivery(row.id))!;
    expect(history.map(({ diagnostics }) => diagnostics)).toEqual([expected]);
  });

  test("carries a User-Agent with the version", async () => {
    const streams = openStreams(servable);
    const agents: (string | null)[] = [];
    streams.fetch = async (_, { headers }) => {
      agents.push(new Headers(headers).get("user-agent"));
      return new Response(null, { status: 204 });
    };
    await send(streams, ["desk"]);
    await settle(streams);
    expect(agents).toEqual([`quickstep/${VERSION}`]);
  });

  test("whose outcome could not be written down is not sent again: the outcome is written later", async () => {
    const streams = openStreams(servable);
    let sent = 0;
    streams.fetch = async () => {
      sent++;
      return new Response(null, { status: 204 });
    };
    await send(streams, ["desk"]);
    streams.query("k", "CREATE TRIGGER full BEFORE UPDATE ON outbox BEGIN SELECT raise(FAIL, 'database or disk is full'); END");
    await streams.advance(streams.clock + HOUR_MS / 10);
    expect(sent).toBe(1);
    expect(await list(streams)).toMatchObject([{ state: "pending", attempts: 0 }]);
    streams.query("k", "DROP TRIGGER full");
    await streams.advance(streams.clock + 10_000);
    expect(sent).toBe(1);
    expect(await list(streams)).toMatchObject([{ state: "delivered", attempts: 1 }]);
  });

  test("is not put off by a clock that was a day ahead when an earlier event came", async () => {
    const streams = openStreams(servable);
    await send(streams, ["desk"]);
    const real = streams.clock;
    streams.clock += 24 * HOUR_MS;
    await send(streams, ["desk"], 1, "k", 2);
    await settle(streams);
    streams.clock = real;
    await send(streams, ["desk"], 1, "k", 3);
    await streams.advance(real + 1000);
    expect(await list(streams)).toMatchObject(Array(3).fill({ state: "delivered" }));
  });

  test("that failed while the clock was a day ahead is tried as long after that as its schedule says", async () => {
    const streams = openStreams(servable);
    let fails = true;
    streams.fetch = async () => new Response(null, { status: fails ? 500 : 204 });
    const real = streams.clock;
    streams.clock += 24 * HOUR_MS;
    await send(streams, ["desk"]);
    await settle(streams);
    fails = false;
    streams.clock = real;
    streams.restart();
    await streams.rearm("k");
    expect(await list(streams)).toMatchObject([{ state: "pending", attempts: 1, due: real + 5000 }]);
    await streams.advance(real + 5000);
    expect(await list(streams)).toMatchObject([{ state: "delivered", attempts: 2 }]);
  });

  test("says how many Workers of this kind the event has been through, this one among them", async () => {
    const streams = openStreams(servable);
    const hops: (string | null)[] = [];
    streams.fetch = async (_, { headers }) => {
      hops.push(new Headers(headers).get("x-quickstep-hops"));
      return new Response(null, { status: 204 });
    };
    await send(streams, ["desk"]);
    await streams.accept("k", [eventAt(2)], { source: "alerts", destinations: ["desk"], hops: 3 });
    await settle(streams);
    expect(hops).toEqual(["1", "4"]);
  });

  test("waits as long as Retry-After asks, if that is longer", async () => {
    const streams = openStreams(servable);
    streams.fetch = async () => new Response(null, { status: 429, headers: { "retry-after": "100" } });
    await send(streams, ["desk"]);
    await settle(streams);
    expect(await list(streams)).toMatchObject([{ state: "pending", due: streams.clock + 100_000 }]);
  });

  test("keeps at most 1 KiB of a complaint, and reads no more of it", async () => {
    const streams = openStreams(servable);
    let pulled = 0;
    streams.fetch = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled++;
            controller.enqueue(new TextEncoder().encode("é".repeat(300)));
          },
        }),
        { status: 500 },
      );
    await send(streams, ["desk"]);
    await settle(streams);
    const [{ diagnostics }] = await list(streams);
    expect(new TextEncoder().encode(diagnostics).length).toBeLessThanOrEqual(MAX_DIAGNOSTICS_BYTES);
    expect(diagnostics.length).toBeGreaterThan(500);
    expect(pulled).toBeLessThan(5);
  });

  test("is one of at most six at once, and one that waits holds up no other", async () => {
    const streams = openStreams(servable);
    let open = 0;
    let most = 0;
    const held: (() => void)[] = [];
    streams.fetch = async () => {
      most = Math.max(most, ++open);
      if (held.length < 6) await new Promise<void>((done) => held.push(done));
      open--;
      return new Response(null, { status: 200 });
    };
    await send(streams, ["desk"], 20);
    const done = settle(streams);
    await expect.poll(() => held.length).toBe(6);
    for (const release of held.slice(0, 3)) release();
    await expect.poll(async () => (await list(streams, { state: "delivered" })).length).toBe(17);
    await send(streams, ["desk"], 1, "k", 100); // while the alarm waits for three
    await expect.poll(async () => (await list(streams, { state: "delivered" })).length).toBe(18);
    for (const release of held) release();
    await done;
    expect(most).toBe(6);
    expect(await list(streams, { state: "delivered" })).toHaveLength(21);
  });

  test("to a destination that is not configured any more is tried to the end and dies of that", async () => {
    const streams = openStreams(servable, { scheduleS: [0, 1] });
    await send(streams, ["gone"]);
    await streams.advance(streams.clock + 5000);
    expect(await list(streams)).toMatchObject([{ state: "dead", attempts: 2, diagnostics: "no destination gone is configured" }]);
  });

  test("spends no attempt while the configuration cannot be used", async () => {
    const streams = openStreams(servable);
    const { endpoints } = streams;
    await send(streams, ["desk"]);
    streams.restart(undefined, { ...NO_ENDPOINTS, unusable: "SOURCES must be a table, got text" });
    await streams.advance(streams.clock + HOUR_MS);
    expect(await list(streams)).toMatchObject([{ state: "pending", attempts: 0 }]);
    streams.restart(undefined, endpoints);
    await streams.advance(streams.clock + 60_000);
    expect(await list(streams)).toMatchObject([{ state: "delivered", attempts: 1 }]);
  });

  test("does not happen for what has no score", async () => {
    const streams = openStreams(servable);
    await send(streams, ["desk"], 10, "k", 100);
    const [{ answer }] = await send(streams, ["desk"], 1, "k", 1);
    expect(answer.late).toBe(true);
    expect(await list(streams)).toHaveLength(10);
  });
});

describe("410", () => {
  test("kills what waits for that destination and key, and later ones; a replay brings it back", async () => {
    const streams = openStreams(servable);
    let status = 500;
    const fetched: string[] = [];
    streams.fetch = async (url) => {
      fetched.push(url);
      return new Response(null, { status: url.includes("wall") ? status : 200 });
    };
    await send(streams, ["desk", "wall"], 3);
    await settle(streams);
    status = 410;
    await streams.advance(streams.clock + 6000);
    expect((await list(streams, { destination: "wall" })).map(({ state }) => state)).toEqual(["dead", "dead", "dead"]);
    streams.restart();
    fetched.length = 0;
    await send(streams, ["desk", "wall"], 1, "k", 50);
    await streams.advance(streams.clock + 6000);
    expect(fetched).toEqual(["https://desk.example.com/in"]);
    const [latest] = await list(streams, { destination: "wall" });
    expect(latest).toMatchObject({ state: "dead", attempts: 0, diagnostics: expect.stringContaining("410") });
    status = 200;
    expect(await streams.store.replay(latest.id)).toBe(true);
    await send(streams, ["wall"], 1, "k", 60);
    await settle(streams);
    expect((await list(streams, { destination: "wall" })).map(({ state }) => state)).toEqual([
      "delivered",
      "delivered",
      "dead",
      "dead",
      "dead",
    ]);
  });
});

describe("sending again", () => {
  test("one, whatever became of it, under the id it has; none of an id there is not", async () => {
    const streams = openStreams(servable);
    const ids: string[] = [];
    streams.fetch = async (_, { headers }) => {
      ids.push((headers as Record<string, string>)["webhook-id"]);
      return new Response(null, { status: 200 });
    };
    await send(streams, ["desk"]);
    await settle(streams);
    expect(await streams.store.replay(ids[0])).toBe(true);
    await settle(streams);
    expect(ids).toEqual([ids[0], ids[0]]);
    for (const id of [
      "",
      "msg",
      `${ids[0]}0`,
      ids[0].replace("msg_", ""),
      ids[0].replace(/_\w{8}_/, "_00000000_"),
      ids[0].replace(/^msg_./, "msg_g"),
    ])
      expect(await streams.store.replay(id), id).toBe(false);
  });

  test("all dead ones of a destination, over more keys than one call visits", async () => {
    const streams = openStreams(servable, { scheduleS: [0] });
    let status = 500;
    streams.fetch = async () => new Response(null, { status });
    for (let i = 0; i < 230; i++) await send(streams, ["desk", "wall"], 1, `key ${i}`);
    await settle(streams);
    status = 200;
    let replayed = 0;
    let calls = 0;
    for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
      const page = await streams.store.replayAll({ destination: "desk" }, cursor);
      replayed += page.replayed;
      ({ cursor } = page);
      calls++;
    }
    expect([replayed, calls]).toEqual([230, 3]);
    await settle(streams);
    const all: ListedDelivery[] = [];
    for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
      const page = await streams.store.deliveries({}, 7, cursor);
      all.push(...page.items);
      ({ cursor } = page);
    }
    expect(all).toHaveLength(460);
    expect(new Set(all.map(({ id }) => id)).size).toBe(460);
    const kinds = new Set(all.map(({ destination, state }) => `${destination} ${state}`));
    expect([...kinds].sort()).toEqual(["desk delivered", "wall dead"]);
  });
});

describe("storage", () => {
  test("of a key whose destination is down has a limit: delivered rows go first, then the oldest, counted and logged", async () => {
    const streams = openStreams(servable, { outboxRows: 20, scheduleS: [0, 1e6] });
    await send(streams, ["desk"], 5);
    await settle(streams);
    streams.fetch = async () => new Response(null, { status: 500 });
    await send(streams, ["desk"], 18, "k", 10);
    await settle(streams);
    expect(await list(streams)).toHaveLength(20);
    expect(await list(streams, { state: "delivered" })).toHaveLength(2);
    expect(streams.log).toEqual([]);
    await send(streams, ["desk"], 7, "k", 50);
    expect((await list(streams)).map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => 30 - i));
    expect(streams.log).toEqual(Array(5).fill({ event: "deliveries dropped", key: "k", dropped: 1, limit: 20 }));
    await streams.advance(streams.clock + 20_000);
    expect(await streams.store.totals()).toEqual({ streams: 1, pending: 20, delivered: 5, dead: 0, dropped: 5 });
  });

  test("keeps the last 100 delivered rows, and none for longer than ids", async () => {
    const streams = openStreams(servable, { idleTtlMs: 1e12 });
    await send(streams, ["desk"], 150);
    await settle(streams);
    expect(await list(streams)).toHaveLength(100);
    await streams.advance(streams.clock + 8 * 24 * HOUR_MS);
    expect(await list(streams)).toEqual([]);
    expect((await streams.store.totals()).delivered).toBe(150);
  });

  test("that is emptied leaves its counts behind", async () => {
    const streams = openStreams(servable);
    await send(streams, ["desk"], 3);
    await streams.advance(streams.clock + 30 * 24 * HOUR_MS);
    expect(await streams.store.totals()).toEqual({ streams: 0, pending: 0, delivered: 3, dead: 0, dropped: 0 });
    expect(streams.alarmOf("k")).toBeUndefined();
  });
});

describe("the directory", () => {
  test("knows a key before its first event is acknowledged: without it nothing is taken in", async () => {
    const streams = openStreams(servable);
    streams.directoryFails = true;
    await expect(send(streams, ["desk"])).rejects.toMatchObject({ kind: "storage" });
    expect(streams.query("k", "SELECT name FROM sqlite_master")).toEqual([]);
    streams.directoryFails = false;
    await send(streams, ["desk"]);
    expect((await streams.store.keys(10)).items).toMatchObject([{ key: "k" }]);
  });

  test("that is away keeps no delivery back, and hears of it later", async () => {
    const streams = openStreams(servable);
    await send(streams, ["desk"]);
    streams.directoryFails = true;
    await streams.advance(streams.clock + 60_000);
    expect(streams.log.filter(({ event }) => event === "alarm failed").length).toBeGreaterThan(1);
    expect(streams.log.filter(({ event }) => event === "alarm failed").length).toBeLessThan(15); // it waits between
    streams.directoryFails = false;
    expect(await list(streams)).toMatchObject([{ state: "delivered" }]);
    await streams.advance(streams.clock + 60_000);
    expect(await streams.store.totals()).toMatchObject({ pending: 0, delivered: 1 });
  });

  test("lists every key once, page by page, and spreads keys evenly over its shards", async () => {
    const streams = openStreams(servable);
    const keys = Array.from({ length: 400 }, (_, i) => `klíč ${i}`);
    for (const key of keys) await send(streams, [], 1, key);
    const listed: string[] = [];
    for (let cursor: string | undefined, isMore = true; isMore; isMore = cursor !== undefined) {
      const page = await streams.store.keys(37, cursor);
      listed.push(...page.items.map(({ key }) => key));
      ({ cursor } = page);
    }
    expect(listed.sort()).toEqual(keys.sort());
    const shares = Array(DIRECTORY_SHARDS).fill(0);
    for (let i = 0; i < 10_000; i++) shares[shardOf(`klíč ${i}`)]++;
    for (const share of shares) expect(share).toBeGreaterThan(500);
  });

  test("takes no late report for news, and forgets nobody it has newer news of", async () => {
    const directory = openStreams(servable).directoryOf("k");
    const summary = (version: number) => ({ version, due: version, pending: version, delivered: 0, dead: 0, dropped: 0 });
    await directory.report("k", summary(5), 1000);
    await directory.report("k", summary(4), 1000);
    await directory.forget("k", 5);
    expect(await directory.page("", 10)).toEqual([{ key: "k", ...summary(5) }]);
    await directory.forget("k", 6);
    expect(await directory.page("", 10)).toEqual([]);
  });
});

describe("the sweep", () => {
  test("has nothing to do where all alarms do their work", async () => {
    const streams = openStreams(servable);
    for (let i = 0; i < 30; i++) await send(streams, ["desk"], 1, `key ${i}`);
    const padding = { ...eventAt(1), data: { values: [0, 0, 0, 0, 0] } };
    await streams.accept("warming", [padding], { source: "alerts", destinations: ["desk"] });
    await streams.advance(streams.clock + HOUR_MS);
    expect(await streams.store.sweep()).toBe(0);
  });

  test("wakes what lost its alarm, and finds nothing more to do then", async () => {
    const streams = openStreams(servable);
    for (let i = 0; i < 100; i++) {
      await send(streams, ["desk"], 1, `key ${i}`);
      streams.loseAlarm(`key ${i}`);
    }
    streams.restart();
    await streams.advance(streams.clock + HOUR_MS);
    expect(await list(streams, { state: "delivered" })).toEqual([]);
    expect(await streams.store.sweep()).toBe(100);
    await settle(streams);
    expect(await list(streams, { state: "delivered" })).toHaveLength(100);
    await streams.advance(streams.clock + HOUR_MS);
    await streams.store.sweep();
    await streams.advance(streams.clock + HOUR_MS);
    expect(await streams.store.sweep()).toBe(0);
  });

  test("is told of a delivery that comes after it found nothing", async () => {
    const streams = openStreams(servable);
    await send(streams, ["desk"]);
    await streams.advance(streams.clock + HOUR_MS);
    await streams.store.sweep();
    expect((await streams.store.keys(1)).items).toMatchObject([{ due: null }]);
    await send(streams, ["desk"], 1, "k", 2);
    expect((await streams.store.keys(1)).items).toMatchObject([{ due: streams.clock }]);
    streams.loseAlarm("k");
    streams.restart();
    await streams.advance(streams.clock + HOUR_MS);
    expect(await streams.store.sweep()).toBe(1);
    await settle(streams);
    expect(await list(streams, { state: "delivered" })).toHaveLength(2);
  });
});
