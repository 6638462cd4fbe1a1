// One key's stream: the window it keeps, what it answers, and what it remembers.
import { describe, expect, test } from "vitest";
import { openModel, type Ready } from "../../../edge/models/servable-model.ts";
import { maxEventRows, maxOutboxRows } from "../../../edge/streams/limits.ts";
import type { StreamAnswer } from "../../../edge/streams/store.ts";
import type { Origin } from "../../../edge/streams/stream-object.ts";
import type { StreamEvent } from "../../../edge/webhooks/event.ts";
import { API_SOURCE } from "../../../edge/webhooks/sources.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, randomOf } from "../../fixtures/model.ts";
import { openStreams, type StreamsInNode } from "../../fixtures/streams.ts";

const DAY_MS = 86_400_000;
const API: Origin = { source: API_SOURCE, destinations: [] };
const model = makeModel(kernel, { name: "fx", timesteps: 10 });
const shortest3 = { ...model, recipe: { ...model.recipe, lengths: [3, 10] as const } };
const artifact = encodeArtifact(model);
const open = (bytes: Uint8Array<ArrayBuffer>) => openModel(bytes, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
const servable = open(artifact);
const app = openApp(kernel, artifact);

/** An event whose values say when it was. */
function eventAt(timestamp: number, id = `e${timestamp}`, values = rowOf(timestamp)): StreamEvent {
  return { id, timestamp, data: { values }, digest: JSON.stringify([timestamp, values]) };
}

function rowOf(seed: number): number[] {
  const random = randomOf(seed);
  return Array.from({ length: 5 }, (_, f) => (f % 2 === 0 ? 1.25 + 1e-4 * random() : 0.5 + random()));
}

async function send(streams: StreamsInNode, ...events: StreamEvent[]): Promise<StreamAnswer> {
  return (await streams.accept("k", events, API)).at(-1)!.answer;
}

/** What /v1/score says of these rows. */
async function scored(rows: readonly (readonly number[])[], by = app): Promise<number> {
  const response = await postScore(by, JSON.stringify({ sequence: rows }));
  return (await response.json()).results[0].probability;
}

describe("the window", () => {
  test("grows event by event, and each answer has the bits of /v1/score of just that window", async () => {
    const streams = openStreams(servable);
    const rows: number[][] = [];
    for (let i = 1; i <= 14; i++) {
      rows.push(rowOf(i));
      const answer = await send(streams, eventAt(i));
      const window = Array.from({ length: Math.min(i, 10) }, (_, t) => i - Math.min(i, 10) + t + 1);
      expect(answer).toMatchObject({ key: "k", source: "api", id: `e${i}`, seq: i, filled: Math.min(i, 10), timesteps: 10 });
      expect(answer.window).toEqual(window.map((seq) => ({ seq, id: `e${seq}` })));
      expect(answer.probability).toBe(await scored(rows.slice(-10)));
    }
  });

  test("is in the order of time, whatever the order of arrival", async () => {
    const streams = openStreams(servable);
    const random = randomOf(3);
    const times = Array.from({ length: 60 }, (_, i) => i + 1).sort(() => random() - 0.5);
    const held: number[] = [];
    for (const time of times) {
      const isLate = held.length === 10 && time < held[0];
      const answer = await send(streams, eventAt(time));
      expect(answer.late ?? false, `${time} into ${held}`).toBe(isLate);
      if (!isLate) held.push(time);
      held.sort((a, b) => a - b).splice(0, held.length - 10);
      const { window } = (await streams.store.view("k"))!;
      expect(window.map(({ timestamp }) => timestamp)).toEqual(held);
      if (isLate) expect(answer.probability).toBeUndefined();
      else expect(answer.probability).toBe(await scored(held.map(rowOf)));
    }
  });

  test("takes what has the same time behind what had it before", async () => {
    const streams = openStreams(servable);
    const answer = await send(streams, eventAt(1, "a"), eventAt(1, "b"), eventAt(2, "c"), eventAt(1, "d"));
    expect(answer.window.map(({ id }) => id)).toEqual(["a", "b", "d", "c"]);
  });

  test("is left by an event far ahead of the clock that an older version stored, and the events before come back", async () => {
    const streams = openStreams(servable);
    const before = Array.from({ length: 11 }, (_, i) => eventAt(streams.clock - 1000 + i));
    await send(streams, ...before, eventAt(streams.clock * 1000, "future"));
    expect((await streams.store.view("k"))!.window.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    for (const restart of [false, true]) {
      if (restart) streams.restart();
      const answer = await send(streams, eventAt(streams.clock + (restart ? 1 : 0), `now${restart}`));
      expect(answer.late).toBeUndefined();
      expect(answer.window.map(({ id }) => id)).not.toContain("future");
      expect(answer.filled).toBe(10);
    }
  });

  test("is the same after a restart", async () => {
    const streams = openStreams(servable);
    for (const time of [5, 1, 9, 3, 12, 7, 8, 20, 14, 2, 30, 4, 1]) await send(streams, eventAt(time, `${streams.clock++}`));
    const before = await streams.store.view("k");
    streams.restart();
    expect(await streams.store.view("k")).toEqual(before);
    expect((await send(streams, eventAt(31))).seq).toBe(14);
  });

  test("is warming below the model's shortest trained length, counted in rows that are no padding", async () => {
    const ready = { ...(open(artifact) as Ready), model: shortest3, sha256: servable.sha256 };
    const streams = openStreams(ready);
    const zeros = [0, 0, 0, 0, 0];
    const answers = [];
    for (const event of [eventAt(1, "pad", zeros), eventAt(2), eventAt(3), eventAt(4)]) answers.push(await send(streams, event));
    expect(answers.map(({ warming, filled }) => [warming ?? false, filled])).toEqual([
      [true, 1],
      [true, 2],
      [true, 3],
      [false, 4],
    ]);
    expect(answers.map(({ probability }) => probability !== undefined)).toEqual([false, false, false, true]);
  });

  test("begins anew after a model of another shape is deployed, and says so", async () => {
    let streams = openStreams(servable);
    await send(streams, eventAt(1), eventAt(2));
    const other = open(
      encodeArtifact(makeModel(kernel, { name: "two", features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] })),
    );
    streams = streams.deploy(other);
    const answer = (await streams.accept("k", [eventAt(3, "new", [1, 2])], API))[0].answer;
    expect(answer.fresh).toBe(true);
    expect(answer.window).toEqual([{ seq: 3, id: "new" }]);
    expect(answer.model).toMatch(/^two@/);
    await streams.store.forget("k");
    expect(streams.query("k", "SELECT count(row) AS n FROM events")).toEqual([{ n: 0 }]);
  });

  test("of a whole sequence is no window: it is scored as it is, and leaves the window alone", async () => {
    const streams = openStreams(servable);
    await send(streams, eventAt(1));
    const sequence = [rowOf(5), rowOf(6)];
    const answer = await send(streams, { id: "s", timestamp: 2, data: { sequence }, digest: "s" });
    expect(answer).toMatchObject({ seq: 2, filled: 1, window: [], probability: await scored(sequence) });
    const padding = { id: "z", timestamp: 2, data: { sequence: [[0, 0, 0, 0, 0]] }, digest: "z" };
    await expect(send(streams, padding)).rejects.toThrow("sequence must have at least one row that is not all zeros, got only padding");
    expect((await streams.store.view("k"))!.seq).toBe(2);
  });
});

describe("an id", () => {
  test("that comes again with the same digest is answered as before, and nothing is stored", async () => {
    const streams = openStreams(servable);
    const first = await streams.accept("k", [eventAt(1)], API);
    await send(streams, eventAt(2));
    streams.restart(open(encodeArtifact(makeModel(kernel, { name: "newer" }))));
    const again = await streams.accept("k", [eventAt(1)], API);
    expect([first[0].replayed, again[0].replayed]).toEqual([false, true]);
    expect(JSON.stringify(again[0].answer)).toBe(JSON.stringify(first[0].answer));
    expect((await streams.store.view("k"))!.seq).toBe(2);
  });

  test("that comes with another digest is a conflict, and of its batch nothing is stored", async () => {
    const streams = openStreams(servable);
    await send(streams, eventAt(1));
    const before = await streams.store.view("k");
    const batch = [eventAt(2), eventAt(3), eventAt(9, "e1"), eventAt(4)];
    await expect(streams.accept("k", batch, API)).rejects.toMatchObject({
      kind: "conflict",
      message: 'the id "e1" is taken by an event that says otherwise',
      path: ["events", 2, "id"],
    });
    expect(await streams.store.view("k")).toEqual(before);
    expect(streams.query("k", "SELECT count(*) AS n FROM events")).toEqual([{ n: 1 }]);
    expect((await send(streams, eventAt(2))).seq).toBe(2);
  });

  test("counts once within a batch, too", async () => {
    const streams = openStreams(servable);
    const accepted = await streams.accept("k", [eventAt(1), eventAt(1), eventAt(2)], API);
    expect(accepted.map(({ answer, replayed }) => [answer.seq, replayed])).toEqual([
      [1, false],
      [1, true],
      [2, false],
    ]);
  });

  test("belongs to its source and its key", async () => {
    const streams = openStreams(servable);
    await send(streams, eventAt(1, "x"));
    const [{ answer }] = await streams.accept("k", [eventAt(2, "x")], { source: "alerts", destinations: [], isBound: true });
    expect(answer).toMatchObject({
      seq: 2,
      source: "alerts",
      window: [
        { seq: 1, id: "x" },
        { seq: 2, id: "x" },
      ],
    });
    const [other] = await streams.accept("K", [eventAt(2, "x")], API);
    expect(other.answer.seq).toBe(1);
  });

  test("is remembered for seven days: past the window's expiry, past DELETE, past a restart; and not for ever", async () => {
    const streams = openStreams(servable, { idleTtlMs: 1000 });
    const start = streams.clock;
    const { probability } = await send(streams, eventAt(1));
    await streams.advance(start + 2000);
    expect((await streams.store.view("k"))!.window).toEqual([]);
    await send(streams, eventAt(2));
    await streams.store.forget("k");
    streams.restart();
    await streams.advance(start + 7 * DAY_MS - 1);
    expect(await send(streams, eventAt(1))).toMatchObject({ seq: 1, probability });
    await expect(send(streams, eventAt(5, "e1"))).rejects.toMatchObject({ kind: "conflict" });
    await streams.advance(start + 8 * DAY_MS);
    expect(await streams.store.view("k")).toBeUndefined();
    expect(streams.query("k", "SELECT name FROM sqlite_master WHERE name = 'events'")).toEqual([]);
    expect((await streams.store.keys(10)).items).toEqual([]);
    expect((await send(streams, eventAt(5, "e1"))).seq).toBe(1);
    expect((await streams.store.keys(10)).items).toHaveLength(1);
  });

  test("stays for as long as its event is in the window, and those that are not go while others come", async () => {
    const streams = openStreams(servable, { idleTtlMs: 100 * DAY_MS });
    const start = streams.clock;
    for (let i = 1; i <= 12; i++) await send(streams, eventAt(i));
    await streams.advance(start + 9 * DAY_MS);
    await send(streams, eventAt(13));
    await streams.advance(start + 9 * DAY_MS + 2 * 3_600_000);
    const ids = streams.query("k", "SELECT id FROM events ORDER BY seq").map(({ id }) => id);
    expect(ids).toEqual([...Array.from({ length: 9 }, (_, i) => `e${i + 4}`), "e13"]);
    expect((await send(streams, eventAt(14))).seq).toBe(14);
  });
});

test("a batch whose answers would be too long to come back is refused before any of it is stored", async () => {
  const streams = openStreams(open(encodeArtifact(makeModel(kernel, { name: "long", timesteps: 60 }))));
  const batch = Array.from({ length: 1000 }, (_, i) => eventAt(i, `${i}`.padEnd(250, "x")));
  await expect(send(streams, ...batch)).rejects.toMatchObject({ kind: "limit", message: expect.stringContaining("send them in parts") });
  expect(streams.query("k", "SELECT count(*) AS n FROM events")).toEqual([{ n: 0 }]);
  expect((await send(streams, ...batch.slice(0, 400))).seq).toBe(400);
});

describe("forgetting", () => {
  test("DELETE empties the window and erases the values, and seq goes on", async () => {
    const streams = openStreams(servable);
    await send(streams, eventAt(1), eventAt(2));
    expect(await streams.store.forget("k")).toBe(true);
    expect(streams.query("k", "SELECT count(row) AS n FROM events")).toEqual([{ n: 0 }]);
    const answer = await send(streams, eventAt(3));
    expect(answer).toMatchObject({ seq: 3, filled: 1, window: [{ seq: 3, id: "e3" }] });
    expect(answer.probability).toBe(await scored([rowOf(3)]));
    expect(await streams.store.forget("other")).toBe(false);
  });

  test("a window expires after its idle TTL to the millisecond, whether or not its alarm came", async () => {
    for (const [pause, filled] of [
      [1000, 2],
      [1001, 1],
    ]) {
      const streams = openStreams(servable, { idleTtlMs: 1000 });
      await send(streams, eventAt(1));
      streams.loseAlarm("k");
      streams.clock += pause;
      expect((await streams.store.view("k"))!.filled).toBe(filled - 1);
      expect((await send(streams, eventAt(2))).filled).toBe(filled);
    }
  });

  test("a clock that is set back turns no order around and expires nothing", async () => {
    const streams = openStreams(servable, { idleTtlMs: 1000 });
    await send(streams, eventAt(1));
    streams.clock -= 10 * DAY_MS;
    expect((await send(streams, eventAt(2))).filled).toBe(2);
    const arrivals = streams.query("k", "SELECT arrived FROM events ORDER BY seq").map(({ arrived }) => arrived);
    expect(arrivals[0]).toBe(arrivals[1]);
  });
});

test("the tables and columns that lie in people's objects keep their names, and an id of a delivery its generation", async () => {
  const streams = openStreams(servable);
  await streams.accept("k", [eventAt(1)], { source: API_SOURCE, destinations: ["desk"] });
  const columns = (table: string) => streams.query("k", `SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name);
  const added = ["schema", "windowFrom", "owner", "label", "labelModel", "model"];
  expect(columns("stream")).toEqual(["key", "incarnation", "delivered", "dropped", "version", "due", "reported", "reportedAt", ...added]);
  expect(columns("events")).toEqual(["seq", "source", "id", "digest", "arrived", "timestamp", "row", "answer", "lowest"]);
  const outbox = [
    "n",
    "seq",
    "destination",
    "state",
    "attempts",
    "created",
    "due",
    "status",
    "diagnostics",
    "body",
    "dueSet",
    "hops",
    "trace",
    "head",
  ];
  expect(columns("storage")).toEqual(["version"]);
  expect(columns("statics")).toEqual(["timestamp", "seq", "row"]);
  expect(columns("outbox")).toEqual(outbox);
  expect(columns("gone")).toEqual(["destination", "url"]);
  const [{ incarnation }] = streams.query("k", "SELECT incarnation FROM stream");
  streams.restart();
  const [{ id }] = (await streams.store.deliveries({ key: "k" }, 1)).items;
  expect(id.split("_")[2]).toBe(incarnation);
});

test("a key that is only asked for is not stored", async () => {
  const streams = openStreams(servable);
  expect(await streams.store.view("nobody")).toBeUndefined();
  expect(await streams.store.deliveries({ key: "nobody" }, 10)).toEqual({ items: [] });
  expect(streams.query("nobody", "SELECT name FROM sqlite_master")).toEqual([]);
  expect((await streams.store.totals()).streams).toBe(0);
});

test("without a usable model nothing is taken in, and nothing of a window goes", async () => {
  const streams = openStreams(servable, { idleTtlMs: 1000 });
  await send(streams, eventAt(1));
  streams.restart(open(new Uint8Array()));
  await expect(send(streams, eventAt(2))).rejects.toMatchObject({ kind: "artifact" });
  await streams.advance(streams.clock + 30 * DAY_MS);
  expect(streams.query("k", "SELECT count(row) AS n FROM events")).toEqual([{ n: 1 }]);
});

/** A model of these features and steps. */
const ofShape = (features: readonly string[], timesteps = 10) =>
  open(encodeArtifact(makeModel(kernel, { name: "other", features, timesteps, channels: [{ base: "feature", a: 0, view: "level" }] })));

describe("versions side by side", () => {
  test("an object of another version takes nothing of a Worker whose model has other features, another order or other steps: 503, sent again", async () => {
    const streams = openStreams(ofShape(["a", "b"]));
    const event = eventAt(1, "e1", [1, 2]);
    await streams.accept("k", [event], API);
    for (const other of [ofShape(["b", "a"]), ofShape(["a", "c"]), ofShape(["a", "b"], 9), ofShape(["a", "b", "c"])]) {
      const worker = streams.storeOf(other);
      await expect(worker.accept("k", [event], API)).rejects.toMatchObject({ kind: "storage" });
    }
    expect(await streams.store.view("k")).toMatchObject({ seq: 1, filled: 1 });
  });

  test("a call of a version before, which names no schema, is taken where its rows are as wide", async () => {
    const streams = openStreams(servable);
    const call = (values: number[]) => streams.objectOf("k").accept("k", [eventAt(1, "e1", values)], API);
    expect(await call([1, 2])).toMatchObject({ otherSchema: expect.stringMatching(/^\[10,/) });
    expect(await call(rowOf(1))).toMatchObject({ answers: [{ replayed: false }] });
  });

  test.each([
    ["features in another order", ["b", "a"], 10],
    ["another number of steps", ["a", "b"], 9],
    ["other features", ["a", "c"], 10],
  ])("rows for a model with %s are not mixed in, there and back again", async (_, features, timesteps) => {
    const streams = openStreams(ofShape(["a", "b"]));
    const at = (n: number) => eventAt(n, `e${n}`, [n, n]);
    await streams.accept("k", [at(1), at(2)], API);
    const other = streams.deploy(ofShape(features, timesteps));
    expect(await other.store.view("k")).toMatchObject({ filled: 0, seq: 2 });
    const answers = (await other.accept("k", [at(3), at(4)], API)).map(({ answer }) => answer);
    expect(answers.map(({ fresh, filled }) => [fresh, filled])).toEqual([
      [true, 1],
      [undefined, 2],
    ]);
    expect((await other.accept("k", [at(3)], API))[0]).toEqual({ answer: answers[0], replayed: true });
    const back = other.deploy(ofShape(["a", "b"]));
    expect((await back.accept("k", [at(5)], API))[0].answer).toMatchObject({ fresh: true, filled: 1 });
  });

  test("a model trained anew on the same features and steps goes on with the window", async () => {
    const streams = openStreams(ofShape(["a", "b"]));
    await streams.accept("k", [eventAt(1, "e1", [1, 2])], API);
    const next = streams.deploy(ofShape(["a", "b"]));
    const [{ answer }] = await next.accept("k", [eventAt(2, "e2", [3, 4])], API);
    expect([answer.fresh, answer.filled]).toEqual([undefined, 2]);
  });
});

describe("tables of version 1", () => {
  const VERSION_1 = `
    CREATE TABLE stream (
      key TEXT NOT NULL, incarnation TEXT NOT NULL, delivered INTEGER NOT NULL, dropped INTEGER NOT NULL,
      version INTEGER NOT NULL, due INTEGER, reported TEXT NOT NULL, reportedAt INTEGER NOT NULL);
    CREATE TABLE events (
      seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, arrived INTEGER NOT NULL,
      timestamp REAL, row TEXT, answer TEXT NOT NULL, UNIQUE (source, id));
    CREATE INDEX events_by_time ON events (timestamp, seq) WHERE row IS NOT NULL;
    CREATE TABLE outbox (
      n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, destination TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
      created INTEGER NOT NULL, due INTEGER, status INTEGER, diagnostics TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX outbox_by_due ON outbox (state, due);
    CREATE INDEX IF NOT EXISTS outbox_by_destination ON outbox (state, destination, due);
    CREATE TABLE gone (destination TEXT PRIMARY KEY, url TEXT NOT NULL);`;

  function openOld(sources: readonly string[]) {
    const streams = openStreams(servable);
    const write = (sql: string) => streams.run("k", sql);
    write(VERSION_1);
    write(`INSERT INTO stream VALUES ('k', '0a1b2c3d', 0, 0, 1, ${streams.clock}, '{}', ${streams.clock})`);
    for (const [i, source] of sources.entries()) {
      const answer = JSON.stringify({ key: "k", seq: i + 1, window: [{ seq: i + 1, id: `e${i + 1}` }] });
      const values = `${i + 1}, '${source}', 'e${i + 1}', 'd', ${streams.clock}, ${i + 1}, '[1,2,3,4,5]', '${answer}'`;
      write(`INSERT INTO events VALUES (${values})`);
    }
    const row = `1, 'desk', 'pending', 0, ${streams.clock}, ${streams.clock}, '', '{"data":{"id":"e1"}}'`;
    write(`INSERT INTO outbox (seq, destination, state, attempts, created, due, diagnostics, body) VALUES (${row})`);
    return streams;
  }

  test("become this version's: windows, ids, answers and deliveries go on", async () => {
    const streams = openOld(["api", "api"]);
    const [known, next] = await streams.accept("k", [{ ...eventAt(1), digest: "d" }, eventAt(3)], API);
    expect(known).toEqual({ answer: { key: "k", seq: 1, window: [{ seq: 1, id: "e1" }] }, replayed: true });
    expect(next.answer).toMatchObject({ seq: 3, filled: 3 });
    expect(next.answer.fresh).toBeUndefined();
    expect(streams.query("k", "SELECT version FROM storage")).toEqual([{ version: 7 }]);
    await streams.rearm("k");
    await streams.advance(streams.clock + 1000);
    expect((await streams.store.deliveries({ key: "k" }, 10)).items).toMatchObject([{ state: "delivered" }]);
  });

  test("are owned by the only source that wrote them, or by nobody where several did", async () => {
    const one = openOld(["alerts", "alerts"]);
    await expect(one.accept("k", [eventAt(3)], API)).rejects.toMatchObject({ kind: "forbidden" });
    expect(await one.store.view("k")).toMatchObject({ owner: "alerts" });
    const several = openOld(["alerts", "api"]);
    await several.accept("k", [eventAt(3)], API);
    await several.accept("k", [eventAt(4)], { source: "other", destinations: [] });
    expect(await several.store.view("k")).toMatchObject({ owner: "*", seq: 4 });
  });

  test("that are newer than this code are not touched", async () => {
    const streams = openStreams(servable);
    await send(streams, eventAt(1));
    streams.run("k", "UPDATE storage SET version = 99");
    streams.restart();
    await expect(send(streams, eventAt(2))).rejects.toMatchObject({ kind: "storage" });
    expect(JSON.stringify(streams.log)).toContain("version 99, newer than this Worker's 7");
  });
});

describe("a window's owner", () => {
  test("is the source that wrote it first: another may not write, unless the configuration binds it to the stream", async () => {
    const streams = openStreams(servable);
    const alerts = { source: "alerts", destinations: [] };
    await streams.accept("k", [eventAt(1)], alerts);
    await expect(send(streams, eventAt(2))).rejects.toMatchObject({ kind: "forbidden" });
    await expect(streams.accept("k", [eventAt(2)], { source: "other", destinations: [] })).rejects.toMatchObject({
      kind: "forbidden",
    });
    await streams.accept("k", [eventAt(2)], { ...API, isBound: true });
    await streams.accept("k", [eventAt(3)], alerts);
    streams.restart();
    expect(await streams.store.view("k")).toMatchObject({ owner: "alerts", seq: 3 });
    await streams.store.forget("k");
    expect(await send(streams, eventAt(4))).toMatchObject({ seq: 4, filled: 1 });
    expect(await streams.store.view("k")).toMatchObject({ owner: "api" });
  });
});

describe("what is stored", () => {
  test("names the ids of a window once: answers hold their seq, and come back byte for byte", async () => {
    const streams = openStreams(servable);
    const id = (n: number) => `${n} ${"é".repeat(120)}`;
    const answers = [];
    for (let n = 1; n <= 30; n++) answers.push(await send(streams, eventAt(n, id(n))));
    const [{ bytes }] = streams.query("k", "SELECT sum(length(CAST(answer AS BLOB))) AS bytes FROM events");
    expect(Number(bytes) / 30).toBeLessThan(800); // ten ids of 242 bytes are 2,420
    for (let n = 1; n <= 30; n++) expect(JSON.stringify(await send(streams, eventAt(n, id(n))))).toBe(JSON.stringify(answers[n - 1]));
  });

  test("answers come back byte for byte when ids that they name are forgotten meanwhile", async () => {
    const streams = openStreams(servable);
    const day = async (n: number) => {
      const answer = await send(streams, { ...eventAt(n), timestamp: n });
      await streams.advance(streams.clock + DAY_MS);
      return answer;
    };
    const answers = [];
    for (let n = 1; n <= 16; n++) answers.push(await day(n));
    const [{ oldest }] = streams.query("k", "SELECT min(seq) AS oldest FROM events");
    expect(Number(oldest)).toBeGreaterThan(3); // the window of event 12 began with 3
    for (let n = 12; n <= 16; n++) expect(JSON.stringify(await send(streams, eventAt(n)))).toBe(JSON.stringify(answers[n - 1]));
  });

  test("has limits in rows that keep an object well below 10 GB, whatever the shape", async () => {
    for (const [T, F] of [
      [1, 1],
      [10, 5],
      [512, 64],
    ]) {
      const bytesOfRow = 3 * 256 + F * 25 + T * 16;
      expect(maxEventRows(T, F)).toBeGreaterThan(100_000);
      expect(maxEventRows(T, F) * bytesOfRow).toBeLessThan(4e9);
      expect(maxOutboxRows(T) * T * 512).toBeLessThan(3e8);
    }
  });

  test("of events beyond the limit goes, the oldest first: which is logged, shown, and leaves the window and its answers alone", async () => {
    const streams = openStreams(servable);
    for (let n = 1; n <= 20; n++) await send(streams, eventAt(n));
    const max = maxEventRows(10, 5);
    streams.run("k", `UPDATE events SET seq = seq + ${max}, lowest = lowest + ${max} * (lowest > 11) WHERE seq > 11`); // as if all between had come
    streams.run(
      "k",
      `UPDATE events SET answer = json_set(answer, '$.window', json((SELECT json_group_array(value + ${max} * (value > 11))
      FROM json_each(answer, '$.window')))) WHERE seq > ${max}`,
    );
    streams.restart();
    const answer = await send(streams, eventAt(21));
    expect(answer.filled).toBe(10);
    expect(streams.log).toContainEqual({ event: "ids forgotten early", key: "k", forgotten: max + 11 });
    expect(await streams.store.view("k")).toMatchObject({ remembered: 10, filled: 10 });
    expect((await send(streams, eventAt(20))).window.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, i) => `e${i + 11}`));
  });

  test("undelivered rows go after thirty days, dead ones and waiting ones, and count as dropped", async () => {
    const streams = openStreams(servable);
    streams.fetch = async () => new Response(null, { status: 500 });
    await streams.accept("k", [eventAt(1)], { ...API, destinations: ["desk", "gone"] });
    await streams.advance(streams.clock + 29 * DAY_MS);
    expect((await streams.store.deliveries({ key: "k" }, 10)).items.map(({ state }) => state)).toContain("dead");
    await streams.advance(streams.clock + 2 * DAY_MS);
    expect((await streams.store.deliveries({ key: "k" }, 10)).items).toEqual([]);
    expect(await streams.store.totals()).toMatchObject({ pending: 0, dead: 0, dropped: 2 });
    expect(JSON.stringify(streams.log)).toContain('"event":"deliveries expired"');
  });

  test("of keys has a limit: one more is a 413, and those that are there go on", async () => {
    const streams = openStreams(servable, { keys: 16 });
    const tried = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        streams.accept(`key ${i}`, [eventAt(1)], API).then(
          () => "taken",
          (error) => error.kind,
        ),
      ),
    );
    expect(tried.filter((what) => what === "taken")).toHaveLength(16); // one a shard
    expect(new Set(tried)).toEqual(new Set(["taken", "limit"]));
    expect((await streams.store.totals()).streams).toBe(16);
    const taken = `key ${tried.indexOf("taken")}`;
    expect((await streams.accept(taken, [eventAt(2)], API))[0].answer.seq).toBe(2);
    expect(await streams.store.view(`key ${tried.indexOf("limit")}`)).toBeUndefined();
  });
});
