// What is given once a sequence, in streams: an event may leave it out, and takes the latest that the key's events gave.
import { describe, expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import type { StreamAnswer } from "../../../edge/streams/store.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { INPUTS, type ModelOptions, makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const T = 3;
const DAY_MS = 86_400_000;
const OPTIONS: ModelOptions = {
  name: "fx",
  timesteps: T,
  inputs: INPUTS,
  channels: [
    { base: "feature", a: 0, view: "delta" },
    { base: "feature", a: 1, view: "level" },
    { base: "feature", a: 3, view: "level" },
    { base: "feature", a: 5, view: "level" },
  ],
};
const artifactOf = (options: Partial<ModelOptions> = {}) => encodeArtifact(makeModel(kernel, { ...OPTIONS, ...options }));
const open = (bytes: Uint8Array<ArrayBuffer>) => openModel(bytes, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
const JSON_TYPE = { "content-type": "application/json" };

const BASIC = { age: 0.5, plan: "basic" };
const PRO = { age: 0.75, plan: "pro" };
const rowAt = (t: number): [number, string] => [1.25 + t / 10_000, t % 2 === 0 ? "up" : "down"];

/** A stream's app, and what it answers to the event at `t` of `key`. */
function openStream(artifact = artifactOf()) {
  const streams = openStreams(open(artifact));
  const app = openApp(kernel, artifact, streams.dependencies);
  const send = async (body: object, key = "k"): Promise<StreamAnswer & { status: number; detail: string; pointer: string }> => {
    const response = await post(app, `/v1/streams/${key}/events`, JSON.stringify(body), JSON_TYPE);
    return { ...(await response.json()), status: response.status };
  };
  const scored = async (times: readonly number[], statics: object): Promise<number> =>
    (await (await postScore(app, JSON.stringify({ sequence: times.map(rowAt), static: statics }))).json()).results[0].probability;
  return { streams, app, send, scored };
}

/** `static` is left out where no statics are given. */
const eventAt = (t: number, statics?: object, id = `e${t}`) => ({
  id,
  timestamp: 1000 + t,
  values: rowAt(t),
  ...(statics && { static: statics }),
});

describe("an event that leaves out what is given once a sequence", () => {
  test("is scored with the latest that the key's events gave, by their times", async () => {
    const { send, scored } = openStream();
    expect((await send(eventAt(1, BASIC))).probability).toBe(await scored([1], BASIC));
    expect((await send(eventAt(3))).probability).toBe(await scored([1, 3], BASIC));
    expect((await send(eventAt(5, PRO))).probability).toBe(await scored([1, 3, 5], PRO));
    // late news: between two events, it is not the latest
    expect((await send(eventAt(4, BASIC))).probability).toBe(await scored([3, 4, 5], PRO));
    for (const t of [6, 7, 8, 9])
      expect((await send(eventAt(t))).probability).toBe(
        await scored(
          [t - 2, t - 1, t].map((at) => (at === 4 ? 4 : at)),
          PRO,
        ),
      );
    // of the same time, what came last
    expect((await send(eventAt(9, BASIC, "again"))).status).toBe(200);
    expect((await send(eventAt(10))).probability).toBe(await scored([9, 9, 10], BASIC));
  });

  test("may be older than the news, and still takes what is the latest", async () => {
    const { send, scored } = openStream();
    await send(eventAt(5, PRO));
    expect((await send(eventAt(2))).probability).toBe(await scored([2, 5], PRO));
  });

  test("is answered 422 where the key never had any, which says how to go on; nothing of its request is stored", async () => {
    const { send, streams } = openStream();
    const alone = await send(eventAt(1));
    expect(alone.status).toBe(422);
    expect(alone.pointer).toBe("/static");
    expect(alone.detail).toContain("static must be an object with plan, age");
    expect(alone.detail).toContain("give them once, later events may leave them out");
    const batch = await send({ events: [eventAt(1), eventAt(2, PRO)] });
    expect([batch.status, batch.pointer]).toEqual([422, "/events/0/static"]);
    expect(await streams.store.view("k")).toBeUndefined();
    expect((await send({ events: [eventAt(1, PRO), eventAt(2)] })).status).toBe(200);
    expect((await send(eventAt(3), "other")).status).toBe(422); // each key for itself
  });

  test("gives all or nothing: a part is refused by name", async () => {
    const { send } = openStream();
    await send(eventAt(1, PRO));
    const { status, detail } = await send(eventAt(2, { plan: "pro" }));
    expect(status).toBe(422);
    expect(detail).toContain("static.age must be a finite number, got nothing");
  });

  test("gets the same answer again, also after news; with them beside it is another event: 409", async () => {
    const { send } = openStream();
    await send(eventAt(1, BASIC));
    const { status: _, ...first } = await send(eventAt(2));
    await send(eventAt(3, PRO));
    expect(await send(eventAt(2))).toEqual({ ...first, status: 200 });
    expect((await send(eventAt(2, BASIC))).status).toBe(409);
  });

  test("finds it after the object lost its memory, its window went on, and ids were forgotten", async () => {
    const { send, scored, streams } = openStream();
    await send(eventAt(1, PRO));
    for (const t of [2, 3, 4, 5]) await send(eventAt(t));
    streams.restart();
    expect((await send(eventAt(6))).probability).toBe(await scored([4, 5, 6], PRO));
    streams.clock += 5 * DAY_MS;
    await send(eventAt(7));
    streams.clock += 5 * DAY_MS;
    await send(eventAt(8));
    await streams.advance(streams.clock + 2 * 3_600_000); // a look for ids that may be forgotten
    expect(streams.query("k", "SELECT min(seq) AS oldest FROM events WHERE seq > 5")).not.toEqual([{ oldest: null }]);
    expect(streams.query("k", "SELECT 1 AS n FROM events WHERE seq = 1")).toEqual([]);
    streams.restart();
    expect((await send(eventAt(9))).probability).toBe(await scored([7, 8, 9], PRO));
  });

  test("takes the values of the window's rows for scope admin as they are scored", async () => {
    const { send, streams, app } = openStream();
    await send(eventAt(1, BASIC));
    await send(eventAt(2));
    await send(eventAt(3, PRO));
    streams.restart();
    const { window } = await (await app.request("/v1/streams/k")).json();
    expect(window.map(({ values }: { values: number[] }) => values)).toEqual(
      [1, 2, 3].map((t) => [rowAt(t)[0], t % 2, 1 - (t % 2), 0, 1, 0.75]),
    );
  });

  test("a window that is emptied forgets it, and keeps none of its numbers", async () => {
    const { send, streams } = openStream();
    await send(eventAt(1, PRO));
    await send(eventAt(2));
    expect(await streams.store.forget("k")).toBe(true);
    expect(streams.query("k", "SELECT * FROM statics")).toEqual([]);
    expect((await send(eventAt(3))).status).toBe(422);
    expect((await send(eventAt(4, BASIC))).filled).toBe(1);
  });

  test("keeps two rows of it at the most, however many events give it", async () => {
    const { send, streams } = openStream();
    for (let t = 1; t <= 20; t++) await send(eventAt(t, t % 2 === 0 ? PRO : BASIC));
    expect(streams.query("k", "SELECT count(*) AS n FROM statics")).toEqual([{ n: 2 }]);
  });

  test("passes over what an event far ahead of the clock gave", async () => {
    const { send, scored, streams } = openStream();
    await send(eventAt(1, PRO));
    const ahead = { ...eventAt(0, BASIC, "ahead"), timestamp: streams.clock + 60_000 };
    await send(ahead);
    streams.clock -= DAY_MS; // it had been ahead by a day
    streams.run("k", `UPDATE events SET arrived = arrived - ${DAY_MS}`);
    streams.restart();
    expect((await send(eventAt(2))).probability).toBe(await scored([1, 2], PRO));
  });
});

test("with gaps and times: null among them stands for what is missing, and the row's time is the event's", async () => {
  const options: Partial<ModelOptions> = {
    inputs: [{ name: "x" }, { name: "plan", levels: ["", "pro"], static: true }, { name: "age", static: true }],
    features: ["x", "plan=", "plan=pro", "age", "time"],
    clock: true,
    gaps: [0, 3],
    channels: [
      { base: "feature", a: 0, view: "rate" },
      { base: "feature", a: 2, view: "level" },
      { base: "feature", a: 3, view: "level" },
    ],
  };
  const { send, app } = openStream(artifactOf(options));
  const statics = { plan: null, age: null };
  const at = (t: number, x: number | null, given?: object) => ({
    id: `e${t}`,
    timestamp: 1e12 + 1000 * t,
    values: [x],
    ...(given && { static: given }),
  });
  await send(at(1, 1.25, statics));
  const answer = await send(at(2, null));
  const body = { sequence: [[1.25], [null]], times: [1e12 + 1000, 1e12 + 2000], static: statics };
  expect(answer.probability).toBe((await (await postScore(app, JSON.stringify(body))).json()).results[0].probability);
});

describe("tables of version 2", () => {
  /** As an object that the version before wrote: every row holds what is given once a sequence. */
  const VERSION_2 = `
    CREATE TABLE stream (
      key TEXT NOT NULL, incarnation TEXT NOT NULL, delivered INTEGER NOT NULL, dropped INTEGER NOT NULL,
      version INTEGER NOT NULL, due INTEGER, reported TEXT NOT NULL, reportedAt INTEGER NOT NULL,
      schema TEXT, windowFrom INTEGER NOT NULL DEFAULT 0, owner TEXT);
    CREATE TABLE events (
      seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, arrived INTEGER NOT NULL,
      timestamp REAL, row TEXT, answer TEXT NOT NULL, lowest INTEGER, UNIQUE (source, id));
    CREATE INDEX events_by_time ON events (timestamp, seq) WHERE row IS NOT NULL;
    CREATE TABLE outbox (
      n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, destination TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
      created INTEGER NOT NULL, due INTEGER, status INTEGER, diagnostics TEXT NOT NULL, body TEXT NOT NULL,
      dueSet INTEGER, hops INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE gone (destination TEXT PRIMARY KEY, url TEXT NOT NULL);
    CREATE TABLE storage (version INTEGER NOT NULL);
    INSERT INTO storage VALUES (2);`;

  test("become this version's: what their latest row in time holds is what is known", async () => {
    const { send, scored, streams } = openStream();
    streams.run("k", VERSION_2);
    const schema = JSON.stringify([T, "x", "mode=down", "mode=up", "plan=basic", "plan=pro", "age"]);
    const facts = `'k', '0a1b2c3d', 0, 0, 1, NULL, '{}', ${streams.clock}, '${schema}', 0, 'api'`;
    streams.run("k", `INSERT INTO stream VALUES (${facts})`);
    const rows = [
      [1, [1.2501, 1, 0, 1, 0, 0.5]],
      [3, [1.2503, 1, 0, 0, 1, 0.75]],
      [2, [1.2502, 0, 1, 1, 0, 0.5]],
    ] as const;
    for (const [i, [t, row]] of rows.entries()) {
      const answer = JSON.stringify({ key: "k", seq: i + 1, window: [] });
      streams.run(
        "k",
        `INSERT INTO events VALUES (${i + 1}, 'api', 'e${t}', 'd', ${streams.clock}, ${1000 + t}, '${JSON.stringify(row)}', '${answer}', NULL)`,
      );
    }
    const answer = await send(eventAt(4));
    expect(answer).toMatchObject({ status: 200, seq: 4, filled: 3 });
    expect(answer.probability).toBe(await scored([2, 3, 4], PRO));
    expect(streams.query("k", "SELECT version FROM storage")).toEqual([{ version: 7 }]);
    expect((await send(eventAt(5, BASIC))).probability).toBe(await scored([3, 4, 5], BASIC));
  });

  test("of a model that takes nothing of the kind keep no row for it", async () => {
    const streams = openStreams(open(encodeArtifact(makeModel(kernel))));
    const event = (id: string) => ({ id, timestamp: 1000, data: { values: [1, 2, 3, 4, 5] }, digest: "d" });
    const accept = (id: string) => streams.accept("k", [event(id)], { source: "api", destinations: [] });
    await accept("a");
    streams.run("k", "INSERT INTO statics VALUES (1000, 1, '[1,2,3,4,5]')"); // as the step from version 2 does
    await streams.advance(streams.clock + 5 * DAY_MS);
    await accept("b");
    await streams.advance(streams.clock + 5 * DAY_MS);
    expect(streams.query("k", "SELECT * FROM statics")).toEqual([]);
  });
});
