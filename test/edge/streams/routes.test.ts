// /v1/streams, /v1/deliveries and /v1/metrics over HTTP: what they take, what they refuse and where it stands, and who may.
import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAccess } from "../../../edge/http/access.ts";
import { parseAt } from "../../../edge/http/schema.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { eventSchema } from "../../../edge/streams/requests.ts";
import { readEvent } from "../../../edge/webhooks/event.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, post } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
const EVENT = { id: "e1", timestamp: "2026-01-31T12:00:00Z", values: [1, 2, 3, 4, 5] };
const JSON_TYPE = { "content-type": "application/json" };
const KEYS = { access: readAccess({ API_KEYS: "" }) };

function open(dependencies = {}) {
  const streams = openStreams(servable, {}, Date.parse(EVENT.timestamp));
  const app = openApp(kernel, artifact, { ...streams.dependencies, ...dependencies });
  const send = (body: unknown, key = "k") =>
    post(app, `/v1/streams/${encodeURIComponent(key)}/events`, typeof body === "string" ? body : JSON.stringify(body), JSON_TYPE);
  return { streams, app, send };
}

describe("a forged cursor", () => {
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test("is a 422 at every list and at the replay, and asks no object", async () => {
    const { app } = open({ access: await keyed() });
    const init = { headers: { authorization: "Bearer admin" } };
    for (const shard of [-1e300, -1_000_000, -1, 16, 1e9])
      for (const before of [null, 1])
        for (const [method, path] of [
          ["GET", "/v1/streams?"],
          ["GET", "/v1/deliveries?"],
          ["GET", "/v1/deliveries?key=k&"],
          ["POST", "/v1/deliveries/replay?destination=desk&"], // a destination of the fixture's
        ]) {
          const url = `${path}cursor=${forged([shard, "", before])}`;
          const response = await app.request(url, { ...init, method });
          expect([path, response.status]).toEqual([path, 422]);
          expect((await response.json()).detail).toMatch(/cursor must be one that an answer gave/);
        }
    const ofOneKey = await app.request(`/v1/deliveries?cursor=${forged([0, "", 5])}`, init);
    expect(ofOneKey.status).toBe(422);
    const longKey = await app.request(`/v1/deliveries?key=${"x".repeat(1000)}`, init);
    expect(longKey.status).toBe(422);
  });
});

describe("who may read and write a stream", () => {
  const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");
  const access = readAccess({
    API_KEYS: `any:${hashOf("any")} root:${hashOf("root")}:admin north:${hashOf("north")}:score+read:north-*+a%20b south:${hashOf("south")}:admin:s`,
  });
  const source = { scheme: "github", secrets: ["S"], key: "/k", timestamp: "/t", values: "/v" };
  const endpoints = readEndpoints({ S: "sixteen characters", SOURCES: { gauges: { ...source, streams: ["north-*"] }, free: source } });
  const { app } = open({ access, endpoints, now: () => Date.parse(EVENT.timestamp) });
  const ask = (key: string, path: string, method = "GET"): Promise<Response> =>
    Promise.resolve(
      app.request(`https://edge.test/v1/${path}`, {
        method,
        headers: { ...JSON_TYPE, authorization: `Bearer ${key}` },
        ...(method === "POST" && { body: JSON.stringify(EVENT) }),
      }),
    );

  test.each([
    ["north", "streams/north-7/events", "POST", 200],
    ["north", "streams/a%20b/events", "POST", 200],
    ["north", "streams/north/events", "POST", 403],
    ["north", "streams/south-1/events", "POST", 403],
    ["north", "streams/%6eorth-7", "GET", 200],
    ["north", "streams/south-1", "GET", 403],
    ["north", "streams", "GET", 403],
    ["north", "streams/", "GET", 403],
    ["north", "deliveries?key=north-7", "GET", 403],
    ["north", "metrics", "GET", 403],
    ["north", "model", "GET", 200],
    ["south", "streams/north-7", "DELETE", 403],
    ["south", "deliveries/msg_1/replay", "POST", 403],
    ["any", "streams/south-1/events", "POST", 200],
    ["any", "streams", "GET", 200],
  ])("a key is held to the streams it is bound to: %s, %s, %s → %i", async (key, path, method, status) => {
    expect((await ask(key, path, method)).status).toBe(status);
  });

  test("a source's own windows are not written by keys, unless API_KEYS binds a key to them", async () => {
    for (const key of ["any", "root"]) expect((await ask(key, "streams/north-7/events", "POST")).status).toBe(403);
    expect((await ask("north", "streams/north-7/events", "POST")).status).toBe(200);
  });

  test.each([
    ["gauges", "north-1", true],
    ["gauges", "south-1", false],
    ["free", "north-1", false],
    ["free", "south-2", true],
    ["free", "south-1", false], // a key writes it
  ])("source %s, stream %s: %s", async (name, key, isTaken) => {
    const body = JSON.stringify({ k: key, t: EVENT.timestamp, v: EVENT.values });
    const headers = { "x-hub-signature-256": `sha256=${createHmac("sha256", "sixteen characters").update(body).digest("hex")}` };
    const response = await app.request(`https://edge.test/hooks/${name}`, { method: "POST", body, headers });
    expect(response.status).toBe(isTaken ? 200 : 403);
  });

  test("rows as they came are for scope admin", async () => {
    await ask("any", "streams/rows/events", "POST");
    const windowOf = async (key: string) => (await (await ask(key, "streams/rows")).json()).window;
    expect(await windowOf("any")).toEqual([{ seq: 1, source: "api", id: "e1", timestamp: "2026-01-31T12:00:00.000Z" }]);
    expect(await windowOf("root")).toEqual([expect.objectContaining({ values: EVENT.values })]);
  });

  test.each(["*a", "a*b", "", "%", "a++b"])("a key that is bound to %j cannot be read", (streams) => {
    expect(readAccess({ API_KEYS: `a:${hashOf("a")}:read:${streams}` }).unusable).toMatch(/^entry 1 of API_KEYS/);
  });

  test("a source that is bound to no pattern cannot be used", () => {
    const { unusable } = readEndpoints({ S: "sixteen characters", SOURCES: { gauges: { ...source, streams: ["a*b"] } } });
    expect(unusable).toBe('SOURCES.gauges.streams[0] must have a star at its end alone, got "a*b"');
  });
});

describe("an event", () => {
  test("is answered alone as itself, in a batch as one of the results", async () => {
    const { send } = open();
    const one = await (await send(EVENT)).json();
    expect(one).toMatchObject({ key: "k", id: "e1", timestamp: "2026-01-31T12:00:00.000Z", seq: 1, filled: 1, timesteps: 10 });
    const batch = await (await send({ events: [EVENT, { ...EVENT, id: "e2" }] })).json();
    expect(batch).toEqual({
      results: [
        one,
        expect.objectContaining({
          seq: 2,
          window: [
            { seq: 1, id: "e1" },
            { seq: 2, id: "e2" },
          ],
        }),
      ],
    });
  });

  test("is the same however its JSON is laid out, and whatever writes its time", async () => {
    const { send } = open();
    const first = await (await send(EVENT)).text();
    const seconds = Date.parse(EVENT.timestamp) / 1000;
    for (const again of [
      `{ "values": [1.0, 2e0, 3, 4, 5.00],\n"timestamp": "2026-01-31T13:00:00+01:00", "id": "e1" }`,
      JSON.stringify({ ...EVENT, timestamp: seconds }),
      JSON.stringify({ ...EVENT, timestamp: seconds * 1000 }),
    ])
      expect(await (await send(again)).text()).toBe(first);
    expect((await send({ ...EVENT, timestamp: seconds + 1 })).status).toBe(409);
  });

  test.each<[string, unknown, number, string, RegExp]>([
    ["null", null, 422, "", /must be an object with id, timestamp, values/],
    ["an array", [EVENT], 422, "", /must be an object/],
    ["no id", { ...EVENT, id: undefined }, 422, "/id", /must be text/],
    ["an empty id", { ...EVENT, id: "" }, 422, "/id", /must be text/],
    ["an id of 257 bytes", { ...EVENT, id: "é".repeat(129) }, 422, "/id", /at most|1 to 256 bytes/],
    ["an id with a control character", { ...EVENT, id: "a\u0000b" }, 422, "/id", /control characters/],
    ["no timestamp", { ...EVENT, timestamp: undefined }, 422, "/timestamp", /must be a time/],
    ["a time without its zone", { ...EVENT, timestamp: "2026-01-31T12:00:00" }, 422, "/timestamp", /must be a time/],
    ["a time below 1970", { ...EVENT, timestamp: -1 }, 422, "/timestamp", /must be a time/],
    ["a time that is none", { ...EVENT, timestamp: "2026-02-31T99:00:00Z" }, 422, "/timestamp", /must be a time/],
    ["a day that there is not", { ...EVENT, timestamp: "2026-02-30T12:00:00Z" }, 422, "/timestamp", /must be a time/],
    ["a time an hour ahead of the clock", { ...EVENT, timestamp: Date.now() + 3_600_000 }, 422, "/timestamp", /at the latest/],
    ["a time of the year 57870", { ...EVENT, timestamp: "+057870-01-01T00:00:00Z" }, 422, "/timestamp", /must be a time/],
    [
      "a batch with an event ahead of the clock",
      { events: [EVENT, { ...EVENT, timestamp: Date.now() + 400_000 }] },
      422,
      "/events/1/timestamp",
      /at the latest/,
    ],
    ["no values", { ...EVENT, values: undefined }, 422, "/values", /must be an array of 5 numbers/],
    ["four values", { ...EVENT, values: [1, 2, 3, 4] }, 422, "/values", /must have 5 numbers \(a, b, c, d, e\), got 4/],
    ["six values", { ...EVENT, values: [1, 2, 3, 4, 5, 6] }, 422, "/values", /must have 5 numbers \(a, b, c, d, e\), got 6/],
    ["a value that is null", { ...EVENT, values: [1, 2, null, 4, 5] }, 422, "/values/2", /must be a finite number, got null/],
    [
      "a value that is not finite",
      `{"id":"e","timestamp":1,"values":[1,2,3,4,1e400]}`,
      422,
      "/values/4",
      /must be a finite number, got Infinity/,
    ],
    ["a value that is text", { ...EVENT, values: [1, 2, 3, 4, "5"] }, 422, "/values/4", /must be a finite number/],
    ["another key", { ...EVENT, sequence: [] }, 422, "", /must have no keys but id, timestamp, values/],
    ["a batch of none", { events: [] }, 422, "/events", /must hold at least one event/],
    ["a batch that is none", { events: EVENT }, 422, "/events", /must be an array of events/],
    ["a batch and something else", { events: [EVENT], id: "x" }, 422, "", /must have no keys but events/],
    [
      "a batch with one bad event",
      { events: [EVENT, { ...EVENT, id: "x", values: [] }] },
      422,
      "/events/1/values",
      /events\[1\]\.values must have 5 numbers/,
    ],
    ["a batch of too many", { events: Array(1001).fill(EVENT) }, 413, "/events", /at most 1000 events/],
    ["a body that is too large", " ".repeat(2 ** 21) + JSON.stringify(EVENT), 413, "", /at most 2097152 bytes/],
    ["no JSON", "{", 400, "", /is not JSON/],
  ])("with %s is refused, and nothing of it is stored", async (_, body, status, pointer, detail) => {
    const { send, streams } = open();
    const response = await send(body);
    const problem = await response.json();
    expect([response.status, problem.pointer ?? "", response.headers.get("content-type")]).toEqual([
      status,
      pointer,
      "application/problem+json",
    ]);
    expect(problem.detail).toMatch(detail);
    expect(streams.query("k", "SELECT name FROM sqlite_master")).toEqual([]);
  });

  test("may be five minutes ahead of the clock, or as many seconds as STREAM_FUTURE_S says", async () => {
    const { streams } = open();
    const statusesAt = (endpoints: object, ...aheadMs: number[]) => {
      const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints: readEndpoints(endpoints), now: () => streams.clock });
      const send = (ahead: number) =>
        post(app, "/v1/streams/k/events", JSON.stringify({ ...EVENT, id: `${ahead}`, timestamp: streams.clock + ahead }), JSON_TYPE);
      return Promise.all(aheadMs.map(async (ahead) => (await send(ahead)).status));
    };
    expect(await statusesAt({}, 300_000, 300_001)).toEqual([200, 422]);
    expect(await statusesAt({ STREAM_FUTURE_S: "1" }, 1000, 1001)).toEqual([200, 422]);
  });

  test("read by hand is what the schema of the document reads", () => {
    const event = eventSchema({ features: 2 });
    const some = fc.oneof(fc.jsonValue(), fc.constantFrom("", ".", "..", "a\u0000", "x".repeat(257), "é".repeat(129), 2 ** 53));
    const times = fc.oneof(fc.double({ min: 0, max: 2e20 }), fc.constantFrom("2026-02-29T00:00:00Z", "2028-02-29 00:00+01:00", -1, 1e20));
    const values = fc.oneof(fc.array(fc.double(), { maxLength: 3 }), fc.jsonValue());
    fc.assert(
      fc.property(fc.record({ id: fc.oneof(fc.string(), some), timestamp: fc.oneof(times, some), values }), (value) => {
        const read = readEvent(value, 2);
        if (read !== undefined) expect(read).toEqual(parseAt(event, value, []));
        else expect(() => parseAt(event, value, [])).toThrow();
      }),
      { numRuns: 3000, seed: 5 },
    );
  });

  test("that is no JSON by its type is refused", async () => {
    const { app } = open();
    expect((await post(app, "/v1/streams/k/events", JSON.stringify(EVENT), { "content-type": "text/plain" })).status).toBe(415);
  });

  test("finds its stream by any key there can be, and by no other", async () => {
    const { send, app } = open();
    const key = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
      fc.constantFrom("a/b", "%", "%00", "%zz", "__proto__", "hasOwnProperty", "é".normalize("NFD")),
    );
    await fc.assert(
      fc.asyncProperty(key, async (text) => {
        const isKey =
          text.isWellFormed() && !/\p{Cc}/u.test(text) && text !== "." && text !== ".." && new TextEncoder().encode(text).length <= 256;
        if (!text.isWellFormed()) return; // no URL can hold it
        const response = await send(EVENT, text);
        if (text === "." || text === "..") return expect(response.status).toBeGreaterThanOrEqual(400);
        expect(response.status, JSON.stringify(text)).toBe(isKey ? 200 : 422);
        if (!isKey) return;
        const view = await (await app.request(`/v1/streams/${encodeURIComponent(text)}`)).json();
        expect(view).toMatchObject({ key: text, seq: 1 });
      }),
      { numRuns: 300, seed: 1 },
    );
    expect((await send(EVENT, "k".repeat(257))).status).toBe(422);
    expect((await app.request("/v1/streams/%ff")).status).toBeLessThan(500);
  });
});

describe("reading", () => {
  test("shows the window with what it was told, and when it expires", async () => {
    const { send, app, streams } = open();
    await send({ events: [EVENT, { ...EVENT, id: "e2", values: [5, 4, 3, 2, 1] }] });
    const view = await (await app.request("/v1/streams/k")).json();
    const row = { source: "api", timestamp: "2026-01-31T12:00:00.000Z" };
    expect(view).toEqual({
      key: "k",
      seq: 2,
      filled: 2,
      timesteps: 10,
      window: [
        { ...row, seq: 1, id: "e1", values: [1, 2, 3, 4, 5] },
        { ...row, seq: 2, id: "e2", values: [5, 4, 3, 2, 1] },
      ],
      expires: new Date(streams.clock + 7 * 86_400_000).toISOString(),
      remembered: 2,
      owner: "api",
      deliveries: { pending: 0, delivered: 0, dead: 0, dropped: 0 },
    });
    expect((await app.request("/v1/streams/other")).status).toBe(404);
  });

  test.each([
    "/v1/streams?limit=0",
    "/v1/streams?limit=201",
    "/v1/streams?limit=ten",
    "/v1/streams?cursor=x",
    "/v1/streams?cursor=bnVsbA",
    "/v1/streams?limit=1&limit=2",
    "/v1/streams?page=2",
    "/v1/deliveries?state=lost",
    "/v1/deliveries?cursor=W10",
    "/v1/deliveries?from=1",
  ])("%s is a 422 that says what there is", async (path) => {
    const response = await open().app.request(path);
    expect([response.status, (await response.json()).type]).toEqual([422, "urn:quickstep:problem:parameter"]);
  });
});

test("events go to the destinations of the configuration, and deliveries are listed and counted", async () => {
  const streams = openStreams(servable);
  const endpoints = { ...streams.endpoints, settings: { ...streams.endpoints.settings, destinations: ["desk"] } };
  const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints });
  await post(app, "/v1/streams/k/events", JSON.stringify(EVENT), JSON_TYPE);
  await streams.advance(streams.clock + 20_000);
  const { deliveries } = await (await app.request("/v1/deliveries?key=k&state=delivered&destination=desk")).json();
  expect(deliveries).toEqual([
    {
      id: expect.stringMatching(/^msg_/),
      key: "k",
      seq: 1,
      destination: "desk",
      state: "delivered",
      attempts: 1,
      created: "2026-01-31T00:00:00.000Z",
      due: null,
      status: 204,
      diagnostics: "",
      attempted: "2026-01-31T00:00:00.000Z",
      ms: 0,
      batch: null,
    },
  ]);
  expect(await (await app.request("/v1/metrics")).json()).toEqual({
    streams: 1,
    deliveries: { pending: 0, delivered: 1, dead: 0, dropped: 0 },
    destinations: ["desk", "wall"].map((name) => ({ name, state: "closed", openedAt: null, probeAt: null })),
    sources: [],
  });
  expect((await (await app.request("/v1/streams")).json()).streams).toEqual([{ key: "k", pending: 0, delivered: 1, dead: 0, dropped: 0 }]);
});

test("what came of each configured source is in the metrics", async () => {
  const source = { scheme: "github", secrets: ["S"], key: "/k", timestamp: "/t", values: "/v" };
  const { app, streams } = open({ endpoints: readEndpoints({ S: "sixteen characters", SOURCES: { gauges: source, free: source } }) });
  const at = streams.clock;
  await streams.store.hear("gauges", { counts: { taken: 3, refused: 1 }, last: [{ at, outcome: "refused", reason: "no header" }] });
  await streams.store.hear("gone", { counts: { taken: 1 }, last: [{ at, outcome: "taken", reason: "" }] });
  expect((await (await app.request("/v1/metrics")).json()).sources).toEqual([
    {
      name: "gauges",
      hours: [{ from: "2026-01-31T12:00:00.000Z", taken: 3, replayed: 0, late: 0, refused: 1, ignored: 0 }],
      last: [{ at: "2026-01-31T12:00:00.000Z", outcome: "refused", reason: "no header" }],
    },
    { name: "free", hours: [], last: [] },
  ]);
});

test("a delivery is shown whole by its id: what it sends, and each attempt", async () => {
  const streams = openStreams(servable);
  const endpoints = { ...streams.endpoints, settings: { ...streams.endpoints.settings, destinations: ["desk"] } };
  const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints });
  let status = 503;
  streams.fetch = async () => {
    streams.clock += 120;
    return new Response("no room", { status });
  };
  await post(app, "/v1/streams/k/events", JSON.stringify(EVENT), JSON_TYPE);
  await streams.advance(streams.clock);
  const [{ id }] = (await (await app.request("/v1/deliveries?key=k")).json()).deliveries;
  status = 200;
  await streams.advance(streams.clock + 20_000);
  const whole = await (await app.request(`/v1/deliveries/${id}`)).json();
  expect(whole).toMatchObject({
    id,
    key: "k",
    state: "delivered",
    attempts: 2,
    status: 200,
    ms: 120,
    attempted: "2026-01-31T00:00:05.120Z",
  });
  expect(JSON.parse(whole.body)).toMatchObject({ type: "prediction.created", data: { key: "k", id: "e1" } });
  expect(whole.history).toEqual([
    { at: "2026-01-31T00:00:00.000Z", ms: 120, status: 503, diagnostics: "no room" },
    { at: "2026-01-31T00:00:05.120Z", ms: 120, status: 200, diagnostics: "no room" },
  ]);
  for (const unknown of [id.replace(/_[0-9a-f]{8}_/, "_00000000_"), `${id}9`, "msg_1", "x"])
    expect((await app.request(`/v1/deliveries/${unknown}`)).status).toBe(404);
});

test("deliveries are listed and sent again by key, state and the time they were made", async () => {
  const streams = openStreams(servable);
  const endpoints = { ...streams.endpoints, settings: { ...streams.endpoints.settings, destinations: ["desk"] } };
  const { store } = streams;
  for (const key of ["a", "b"]) {
    for (const n of [1, 2]) {
      await store.accept(key, [{ id: `e${n}`, timestamp: n, data: { values: [1, 2, 3, 4, 5] }, digest: `${n}` }], {
        source: "api",
        destinations: ["desk"],
      });
      await streams.advance(streams.clock + 60_000);
    }
  }
  const sent: string[] = [];
  streams.fetch = async (_, { headers }) => {
    sent.push((headers as Record<string, string>)["webhook-id"]);
    return new Response(null, { status: 204 });
  };
  const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints, access: await keyed() });
  const ask = (path: string, method = "GET") =>
    app.request(`https://edge.test/v1/deliveries${path}`, { method, headers: { authorization: "Bearer admin" } });
  const listed = async (query: string) =>
    (await (await ask(`?${query}`)).json()).deliveries.map((d: { key: string; seq: number }) => d.key + d.seq);
  expect(await listed("since=2026-01-31T00:01:00Z&until=2026-01-31T00:03:00Z")).toEqual(expect.arrayContaining(["a2", "b1"]));
  expect(await listed("since=2026-01-31T00:01:00Z&until=2026-01-31T00:03:00Z")).toHaveLength(2);
  expect(await (await ask("/replay?destination=desk", "POST")).json()).toEqual({ replayed: 0 }); // none is dead
  expect(await (await ask("/replay?destination=desk&state=delivered&key=a", "POST")).json()).toEqual({ replayed: 2 });
  await streams.advance(streams.clock);
  expect(sent).toHaveLength(2);
  expect(await (await ask("/replay?destination=desk&state=delivered&since=2026-01-31T00:03:00Z", "POST")).json()).toEqual({ replayed: 1 });
  await streams.advance(streams.clock);
  expect(new Set(sent).size).toBe(3);
  for (const wrong of ["since=yesterday", "until=5", "state=lost"])
    expect((await ask(`/replay?destination=desk&${wrong}`, "POST")).status).toBe(422);
});

test("a destination gets a test event at once, in the form of its deliveries, and it can be looked up", async () => {
  const streams = openStreams(servable);
  const app = openApp(kernel, artifact, { ...streams.dependencies, access: await keyed() });
  const bodies: string[] = [];
  streams.fetch = async (_, { body }) => {
    bodies.push(body as string);
    return new Response("who are you?", { status: 401 });
  };
  const ask = (path: string, method: string, key = "admin") =>
    app.request(`https://edge.test/v1/deliveries/${path}`, { method, headers: { authorization: `Bearer ${key}` } });
  const answer = await ask("test?destination=desk", "POST");
  const { id } = await answer.json();
  expect([answer.status, id]).toEqual([202, expect.stringMatching(/^msg_/)]);
  await streams.advance(streams.clock);
  expect(JSON.parse(bodies[0])).toMatchObject({ type: "destination.test", data: { key: "quickstep:test", label: 0 } });
  expect(await (await ask(id, "GET", "read")).json()).toMatchObject({ id, history: [{ status: 401, diagnostics: "who are you?" }] });
  await ask("test?destination=desk", "POST");
  await streams.advance(streams.clock);
  expect(bodies).toHaveLength(2); // though the destination has just failed
  expect((await ask("test?destination=nowhere", "POST")).status).toBe(422);
  expect((await ask("test?destination=desk", "POST", "read")).status).toBe(403);
});

test("only the words replay and test are routes beside an id's own, and they want a destination", async () => {
  const { app } = open({ access: await keyed() });
  const send = (id: string) =>
    app.request(`https://edge.test/v1/deliveries/${id}`, { method: "POST", headers: { authorization: "Bearer admin" } });
  expect((await send("msg_1")).status).toBe(405);
  for (const word of ["replay", "test"])
    expect(await (await send(word)).json()).toMatchObject({ status: 422, detail: expect.stringContaining("destination must be one") });
});

const SCOPES = ["read", "score", "admin"];

/** A key of each scope, by its name. */
async function keyed() {
  const digest = async (text: string) => Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("hex");
  const entries = await Promise.all(SCOPES.map(async (name) => `${name}:${await digest(name)}:${name}`));
  return readAccess({ API_KEYS: entries.join(" ") });
}

describe("who may", () => {
  test.each([
    ["GET", "/v1/streams", "read"],
    ["GET", "/v1/streams/k", "read"],
    ["GET", "/v1/deliveries", "read"],
    ["GET", "/v1/deliveries/msg_x", "read"],
    ["POST", "/v1/deliveries/test", "admin"],
    ["GET", "/v1/metrics", "read"],
    ["POST", "/v1/streams/k/events", "score"],
    ["DELETE", "/v1/streams/k", "admin"],
    ["POST", "/v1/deliveries/msg_x/replay", "admin"],
    ["POST", "/v1/deliveries/replay", "admin"],
  ])("%s %s: who has the scope %s or admin", async (method, path, scope) => {
    const { app } = open({ access: await keyed() });
    for (const name of SCOPES) {
      const response = await app.request(`https://edge.test${path}`, { method, headers: { authorization: `Bearer ${name}` } });
      expect([name, response.status === 403]).toEqual([name, name !== scope && name !== "admin"]);
      expect(response.status).not.toBe(401);
    }
    expect((await open(KEYS).app.request(`https://edge.test${path}`, { method })).status).toBe(401);
  });
});

test("a key of any scope may ask what it may do, and an admin's says so where AUTH=open lets everybody in", async () => {
  const access = await keyed();
  const { app } = open({ access });
  const ask = (of: typeof app, name?: string) =>
    of.request("/v1/key", name === undefined ? {} : { headers: { authorization: `Bearer ${name}` } });
  for (const scope of SCOPES) expect(await (await ask(app, scope)).json()).toEqual({ name: scope, scopes: [scope] });
  expect((await ask(app)).status).toBe(401);
  const local = open({ access: { ...access, openLocally: true } }).app;
  expect(await (await ask(local)).json()).toEqual({ name: "local", scopes: ["score", "read"] });
  expect(await (await ask(local, "admin")).json()).toEqual({ name: "admin", scopes: ["admin"] });
});

describe("a deployment", () => {
  test("without Durable Objects says so on each of these routes, and scores as ever", async () => {
    const app = openApp(kernel, artifact);
    for (const path of ["/v1/streams", "/v1/streams/k", "/v1/deliveries", "/v1/metrics"]) {
      const response = await app.request(path);
      expect([path, response.status, (await response.json()).type]).toEqual([path, 503, "urn:quickstep:problem:unbound"]);
    }
    expect((await post(app, "/v1/streams/k/events", JSON.stringify(EVENT), JSON_TYPE)).status).toBe(503);
    expect((await post(app, "/v1/score", JSON.stringify({ sequence: [[1, 2, 3, 4, 5]] }), JSON_TYPE)).status).toBe(200);
  });

  test("whose configuration cannot be used takes no event in: it could go nowhere", async () => {
    const endpoints = readEndpoints({ STREAM_DESTINATIONS: "desk" });
    expect(endpoints.unusable).toBe('STREAM_DESTINATIONS must name some of DESTINATIONS, got "desk"');
    const { send, streams } = open({ endpoints });
    const response = await send(EVENT);
    expect([response.status, (await response.json()).type]).toEqual([503, "urn:quickstep:problem:configuration"]);
    expect(streams.query("k", "SELECT name FROM sqlite_master")).toEqual([]);
  });

  test("whose own host is a destination takes no event in: results would come back as requests", async () => {
    const { endpoints } = openStreams(servable);
    const settings = { ...endpoints.settings, destinations: ["desk"] };
    const { app } = open({ endpoints: { ...endpoints, settings }, access: await keyed() });
    const headers = { ...JSON_TYPE, authorization: "Bearer score" };
    const sendTo = (host: string) =>
      app.request(`https://${host}/v1/streams/k/events`, { method: "POST", headers, body: JSON.stringify(EVENT) });
    expect((await sendTo("desk.example.com")).status).toBe(503);
    expect((await sendTo("edge.example.com")).status).toBe(200);
  });

  test.each([
    [{ STREAM_QUIET_S: "soon" }, 'STREAM_QUIET_S must be 1 to 1000000000, got "soon"'],
    [{ STREAM_QUIET_S: "0" }, 'STREAM_QUIET_S must be 1 to 1000000000, got "0"'],
    [{ STREAM_QUIET_S: "1 2" }, "STREAM_QUIET_S must be one number, got 2"],
    [{ STREAM_IDLE_TTL_S: "soon" }, 'STREAM_IDLE_TTL_S must be 1 to 1000000000, got "soon"'],
    [{ STREAM_IDLE_TTL_S: "1", STREAM_QUIET_S: "1" }, "STREAM_IDLE_TTL_S must be set without STREAM_QUIET_S, its older name, got both"],
    [{ STREAM_OUTBOX_ROWS: "-1" }, 'STREAM_OUTBOX_ROWS must be 1 to 1000000, got "-1"'],
    [{ RETRY_SCHEDULE_S: "0 five" }, 'RETRY_SCHEDULE_S must be 0 to 1000000, got "five"'],
  ])("refuses %o", (env, reason) => {
    expect(readEndpoints(env).unusable).toBe(reason);
  });

  test.each(["STREAM_IDLE_TTL_S", "STREAM_QUIET_S"])("takes %s, by its new name and its older one", (name) => {
    expect(readEndpoints({ STREAM_IDLE_TTL_S: "", STREAM_QUIET_S: "", [name]: "600" }).settings.idleTtlMs).toBe(600_000);
  });

  test("whose storage fails answers 503, is asked again in some seconds, and reports what it was", async () => {
    const { send, streams } = open();
    streams.directoryFails = true;
    const response = await send(EVENT);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.text()).not.toContain("away");
    expect(streams.log).toEqual([{ error: "Error: the directory is away" }]);
  });
});
