// The circuit breaker of a destination: when it opens, what it lets through, and what that costs rows and keys.
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { createBreaker, FAILURES_TO_OPEN } from "../../../edge/deliveries/breaker.ts";
import type { SqlValue } from "../../../edge/deliveries/sql.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams, type StreamsInNode } from "../../fixtures/streams.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A breaker on a clock that the test moves; `restart` gives what wakes on the same storage. */
function openBreaker() {
  const database = new DatabaseSync(":memory:");
  const sql = {
    exec: (query: string, ...bindings: SqlValue[]) => {
      if (query.includes(";")) database.exec(query);
      const rows = query.includes(";") ? [] : (database.prepare(query).all(...bindings) as Record<string, SqlValue>[]);
      return { toArray: () => rows };
    },
  };
  const time = { now: DAY_MS };
  const restart = () => createBreaker(sql, { now: () => time.now, random: () => 0 });
  const tables = () => sql.exec("SELECT name FROM sqlite_master").toArray();
  return { time, restart, tables, breaker: restart() };
}

async function fail(opened: ReturnType<typeof openBreaker>, times: number, everyMs: number) {
  let last: Awaited<ReturnType<typeof opened.breaker.failed>> | undefined;
  for (let i = 0; i < times; i++) {
    last = await opened.breaker.failed();
    if (i < times - 1) opened.time.now += everyMs;
  }
  return last;
}

describe("a circuit breaker", () => {
  test("opens after 10 failures in a row within 5 minutes, and not after 9", async () => {
    const opened = openBreaker();
    expect(await fail(opened, FAILURES_TO_OPEN - 1, 5000)).toEqual({ wasOpen: false, waitMs: null });
    expect(await opened.breaker.ask()).toEqual({ verdict: "closed" });
    expect(await opened.breaker.failed()).toEqual({ wasOpen: false, waitMs: MINUTE_MS });
    expect(await opened.breaker.view()).toEqual({ state: "open", openedAt: opened.time.now, probeAt: opened.time.now + MINUTE_MS });
  });

  test("does not open where the ten spread over more than 5 minutes, or a success stood between them", async () => {
    const slow = openBreaker();
    expect(await fail(slow, 50, 40_000)).toMatchObject({ waitMs: null });
    const flaky = openBreaker();
    for (let i = 0; i < 20; i++) {
      await fail(flaky, FAILURES_TO_OPEN - 1, 5000);
      await flaky.breaker.succeeded();
    }
    expect(await flaky.breaker.view()).toMatchObject({ state: "closed" });
  });

  test("does not open by a burst alone: whoever failed must have had the time to try again", async () => {
    const opened = openBreaker();
    expect(await fail(opened, 100, 10)).toMatchObject({ waitMs: null });
    opened.time.now += 20_000;
    expect(await opened.breaker.failed()).toMatchObject({ wasOpen: false, waitMs: MINUTE_MS });
  });

  test("lets one probe through a minute, whoever asks, and puts the others off for 1 to 5 minutes", async () => {
    const opened = openBreaker();
    await fail(opened, FAILURES_TO_OPEN, 5000);
    const granted: number[] = [];
    const waits = new Set<number>();
    const start = opened.time.now;
    for (; opened.time.now < start + HOUR_MS; opened.time.now += 500) {
      const admission = await opened.breaker.ask();
      if (admission.verdict === "probe") granted.push(opened.time.now - start);
      else if (admission.verdict === "open") waits.add(admission.waitMs);
    }
    expect(granted).toEqual(Array.from({ length: 59 }, (_, i) => (i + 1) * MINUTE_MS));
    expect([Math.min(...waits), Math.max(...waits)]).toEqual([MINUTE_MS, 5 * MINUTE_MS]);
  });

  test("is closed by a success, and knows after a restart what it knew", async () => {
    const opened = openBreaker();
    expect(opened.tables()).toEqual([]);
    await fail(opened, FAILURES_TO_OPEN, 5000);
    const woken = opened.restart();
    expect(await woken.view()).toEqual(await opened.breaker.view());
    await woken.succeeded();
    expect(await woken.ask()).toEqual({ verdict: "closed" });
    expect(await opened.restart().view()).toEqual({ state: "closed", openedAt: null, probeAt: null });
  });

  test("that opened by a clock that was ahead lets the next probe through", async () => {
    const opened = openBreaker();
    opened.time.now += DAY_MS;
    await fail(opened, FAILURES_TO_OPEN, 5000);
    opened.time.now -= DAY_MS;
    expect(await opened.breaker.ask()).toEqual({ verdict: "probe" });
  });
});

const servable = openModel(encodeArtifact(makeModel(kernel, { name: "fx" })), instantiateKernel(kernel).log, (m) =>
  createWasmEngine(kernel, m),
);
const KEYS = Array.from({ length: 20 }, (_, i) => `k${i}`);
const send = (streams: StreamsInNode, key: string, id: string, destinations: readonly string[] = ["desk", "wall"]) =>
  streams.accept(key, [{ id, timestamp: streams.clock, data: { values: [1, 2, 3, 4, 5] }, digest: id }], {
    source: "alerts",
    destinations,
  });

/** Streams of some keys whose desk is dead, an event of each every ten minutes for so many hours. */
async function runDead(hours: number, keys = KEYS, streams = openStreams(servable)) {
  const attempts: { readonly url: string; readonly at: number }[] = [];
  let isDead = true;
  streams.fetch = async (url) => {
    attempts.push({ url, at: streams.clock });
    return new Response(null, { status: isDead && url.includes("desk") ? 503 : 204 });
  };
  const start = streams.clock;
  for (let round = 0; round < hours * 6; round++) {
    for (const key of keys) await send(streams, key, `e${round}`);
    await streams.advance(start + (round + 1) * 10 * MINUTE_MS);
  }
  const toDesk = () => attempts.filter(({ url }) => url.includes("desk"));
  const list = async (state: "pending" | "delivered" | "dead", destination: string) =>
    (await Promise.all(keys.map(async (key) => (await streams.store.deliveries({ key, state, destination }, 200)).items))).flat();
  return { streams, start, toDesk, list, recover: () => (isDead = false) };
}

describe("a destination that fails everywhere", () => {
  test("is tried once a minute by all keys together, and its rows spend no attempts meanwhile", async () => {
    const { streams, start, toDesk, list } = await runDead(2);
    expect(await streams.store.breakers(["desk", "wall"])).toMatchObject([{ state: "open" }, { state: "closed" }]);
    const late = toDesk().filter(({ at }) => at >= start + 10 * MINUTE_MS);
    expect(late.length).toBeLessThanOrEqual(110);
    for (const [i, { at }] of late.entries()) if (i > 0) expect(at - late[i - 1].at).toBeGreaterThanOrEqual(MINUTE_MS);
    const waiting = await list("pending", "desk");
    expect(waiting).toHaveLength(20 * 12);
    expect(Math.max(...waiting.map(({ attempts }) => attempts))).toBeLessThanOrEqual(3);
    expect(waiting.filter(({ attempts }) => attempts > 0).length).toBeLessThanOrEqual(60);
    for (const { due } of waiting) expect(due).toBeGreaterThan(streams.clock - MINUTE_MS);
    expect(await list("delivered", "wall")).toHaveLength(20 * 12);
  });

  test("has all of its rows delivered within minutes once it answers again, after longer than the whole schedule", async () => {
    const { streams, list, recover } = await runDead(1, KEYS.slice(0, 4));
    await streams.advance(streams.clock + 4 * DAY_MS);
    expect(await list("dead", "desk")).toEqual([]);
    recover();
    await streams.advance(streams.clock + 6 * MINUTE_MS);
    expect(await streams.store.breakers(["desk"])).toMatchObject([{ state: "closed" }]);
    await streams.advance(streams.clock + 5 * MINUTE_MS);
    expect(await list("pending", "desk")).toEqual([]);
    expect(await list("delivered", "desk")).toHaveLength(4 * 6);
  });

  test("is not asked for by a key that has not failed itself, nor flooded by keys that wake", async () => {
    const { streams, toDesk } = await runDead(1);
    const before = toDesk().length;
    await send(streams, "new", "e0");
    await streams.advance(streams.clock + 1);
    expect(toDesk().length).toBeLessThanOrEqual(before + 2); // the new key's own first attempt, and a probe at most
    streams.restart();
    const [woken, start] = [toDesk().length, streams.clock];
    for (const key of KEYS) await send(streams, key, "woken");
    await streams.advance(start + 1);
    expect(toDesk().length).toBeLessThanOrEqual(woken + 1);
  });

  test("is tried at once by a replay, which leaves the pauses of other destinations as they are", async () => {
    const streams = openStreams(servable);
    const tried: string[] = [];
    streams.fetch = async (url) => {
      tried.push(new URL(url).hostname.split(".")[0]);
      return new Response(null, { status: 503 });
    };
    await send(streams, "k", "e0");
    await streams.advance(streams.clock);
    const { items } = await streams.store.deliveries({ destination: "desk" }, 10);
    await send(streams, "k", "e1");
    tried.length = 0;
    await streams.store.replay(items[0].id);
    await streams.advance(streams.clock);
    expect(new Set(tried)).toEqual(new Set(["desk"]));
    tried.length = 0;
    await streams.store.replayAll({ destination: "wall" });
    await streams.advance(streams.clock);
    expect(new Set(tried)).toEqual(new Set(["wall"]));
  });

  test("costs nobody a delivery where the breaker itself does not answer: each key pauses by itself", async () => {
    const streams = openStreams(servable);
    streams.breakersFail = true;
    const { list } = await runDead(1, KEYS, streams);
    expect(await list("delivered", "wall")).toHaveLength(20 * 6);
    expect(Math.max(...(await list("pending", "desk")).map(({ attempts }) => attempts))).toBeGreaterThan(1);
  });
});
