// POST /hooks/{source} through the app and the objects of streams: what counts once, handshakes, what senders wrap.
import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import type { Dependencies } from "../../../edge/routes/dependencies.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { vectors } from "../../fixtures/providers/vectors.ts";
import { openStreams } from "../../fixtures/streams.ts";

const NOW = 1_795_600_000;
const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const PLACES = { key: "/key", timestamp: "/at", values: "/row" };
const EVENT = { key: "k", at: NOW, row: [1, 2] };
const model = makeModel(kernel, { name: "fx", timesteps: 3, features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] });
const artifact = encodeArtifact(model);
const hex = (content: string) => createHmac("sha256", SECRET).update(content).digest("hex");

/** An app with one source, `s`, and what its streams hold. */
function open(source: object, env: object = {}, more: Partial<Dependencies> = {}, bytes = artifact) {
  const streams = openStreams(
    openModel(bytes, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m)),
    {},
    NOW * 1000,
  );
  const endpoints = readEndpoints({ SECRET, SOURCES: { s: { secrets: ["SECRET"], ...PLACES, ...source } }, ...env });
  if (endpoints.unusable) throw new Error(endpoints.unusable);
  const records: RequestRecord[] = [];
  const app = openApp(kernel, bytes, {
    ...streams.dependencies,
    endpoints,
    now: () => opened.clock * 1000,
    log: (record) => records.push(record),
    ...more,
  });
  const send = async (body: string | object | Uint8Array, headers: Record<string, string> = {}, path = "", method = "POST") => {
    const text = body instanceof Uint8Array ? body : typeof body === "string" ? body : JSON.stringify(body);
    const sent = typeof text === "string" ? new TextEncoder().encode(text) : new Uint8Array(text);
    const init = { method, headers, ...(method === "POST" && { body: sent }) };
    const response = await app.request(`https://edge.test/hooks/s${path}`, init);
    const answer = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      sniffing: response.headers.get("x-content-type-options"),
      body: json ? JSON.parse(answer) : answer,
    };
  };
  const opened = { send, streams, records, clock: NOW };
  return opened;
}

describe("Mailgun signs a token, not the event", () => {
  const body = (token: string, event: object, at = NOW) => ({
    signature: { timestamp: `${at}`, token, signature: hex(`${at}${token}`) },
    "event-data": event,
  });
  const source = { scheme: "mailgun", key: "/event-data/key", timestamp: "/event-data/at", values: "/event-data/row" };

  test("the same request again gets the same answer; another body with the same token, for whatever key, a 401", async () => {
    const { send } = open(source);
    const token = "a".repeat(50);
    const first = await send(body(token, EVENT));
    expect(first).toMatchObject({ status: 200, body: { key: "k", seq: 1 } });
    expect((await send(body(token, EVENT))).body).toEqual(first.body);
    for (const forged of [
      { ...EVENT, row: [9, 9] },
      { ...EVENT, key: "other" },
    ])
      expect(await send(body(token, forged))).toMatchObject({
        status: 401,
        body: { detail: "what is signed was sent with another body before" },
      });
    expect(await send(body("b".repeat(50), { ...EVENT, row: [3, 4] }))).toMatchObject({ status: 200, body: { seq: 2 } });
  });
});

describe("a handshake", () => {
  const slack = (body: object) => ({
    "x-slack-request-timestamp": `${NOW}`,
    "x-slack-signature": `v0=${hex(`v0:${NOW}:${JSON.stringify(body)}`)}`,
  });
  const zoom = (body: object) => ({
    "x-zm-request-timestamp": `${NOW}`,
    "x-zm-signature": `v0=${hex(`v0:${NOW}:${JSON.stringify(body)}`)}`,
  });
  const isPlain = { status: 200, type: expect.stringMatching(/^text\/plain/), sniffing: "nosniff" };
  const isJson = { status: 200, type: expect.stringMatching(/^application\/json/), sniffing: "nosniff" };

  test("of Slack is answered once its signature fits, and for a source that asks for it", async () => {
    const body = { type: "url_verification", challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" };
    const { send, records } = open({ scheme: "slack", handshake: true });
    const answer = await send(body, slack(body));
    expect(answer).toMatchObject({ ...isPlain, body: body.challenge });
    expect(records.at(-1)).toMatchObject({ ignored: 1, source: "s" });
    expect((await send(body, { ...slack(body), "x-slack-request-timestamp": `${NOW - 1}` })).status).toBe(401);
    expect((await open({ scheme: "slack" }).send(body, slack(body))).status).toBe(422);
    for (const challenge of ["<script>", "a".repeat(129), "", "a:b", ["a"]]) {
      const strange = { ...body, challenge };
      expect((await send(strange, slack(strange))).status, `${challenge}`).toBe(422);
    }
  });

  test("of Zoom is answered with its token's HMAC, and never with that of an event", async () => {
    const body = (plainToken: string) => ({ event: "endpoint.url_validation", payload: { plainToken } });
    const { send } = open({ scheme: "zoom", handshake: true });
    expect(await send(body("qgg8vlvZRS6UYooatFL8Aw"), zoom(body("qgg8vlvZRS6UYooatFL8Aw")))).toMatchObject({
      ...isJson,
      body: { plainToken: "qgg8vlvZRS6UYooatFL8Aw", encryptedToken: hex("qgg8vlvZRS6UYooatFL8Aw") },
    });
    const oracle = body(`v0:${NOW}:{}`);
    expect((await send(oracle, zoom(oracle))).status).toBe(422);
    expect((await send(body("abc"), {})).status).toBe(401);
  });

  test("of Meta is answered where its token is the source's", async () => {
    const { send } = open({ scheme: "meta", handshake: true, verifyToken: "VERIFY" }, { VERIFY: "a token to verify with" });
    const ask = (query: string) => send("", {}, `?${query}`, "GET");
    const token = "hub.verify_token=a+token+to+verify+with";
    expect(await ask(`hub.mode=subscribe&hub.challenge=1158201444&${token}`)).toMatchObject({ ...isPlain, body: "1158201444" });
    for (const query of [
      `hub.mode=subscribe&hub.challenge=1158201444&${token}x`,
      "hub.mode=subscribe&hub.challenge=1158201444",
      `hub.challenge=1158201444&${token}`,
      `hub.mode=subscribe&hub.challenge=%3Cb%3E&${token}`,
    ])
      expect((await ask(query)).status, query).toBe(401);
    expect((await open({ scheme: "meta" }).send("", {}, "?hub.challenge=1", "GET")).status).toBe(405);
  });

  test("of Dropbox and of Microsoft Graph is echoed as text", async () => {
    expect(await open({ scheme: "dropbox", handshake: true }).send("", {}, "?challenge=abc-1_2", "GET")).toMatchObject({
      ...isPlain,
      body: "abc-1_2",
    });
    const { send } = open({ scheme: "graph", handshake: true });
    const sentence = "Validation: Testing client application reachability for subscription Request-Id: 52d4";
    const ask = (token: string) => send("", {}, `?validationToken=${encodeURIComponent(token)}`);
    expect(await ask(sentence)).toMatchObject({ ...isPlain, body: sentence });
    for (const token of ["ü", "a\nb", "a".repeat(1025), ""]) expect((await ask(token)).status, token).toBe(401);
    expect((await open({ scheme: "graph" }).send("", {}, "?validationToken=a")).status).toBe(401);
  });

  test("of Discord is a pong for an interaction, 204 for event webhooks, and no event is taken for one", async () => {
    const { generateKeyPairSync, sign } = await import("node:crypto");
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
    const { send } = open(
      { scheme: "discord", handshake: true, secrets: ["KEY"], key: "/event/key", timestamp: "/event/at", values: "/event/row" },
      { KEY: key },
    );
    const post = (body: object) => {
      const signature = sign(null, Buffer.from(`${NOW}${JSON.stringify(body)}`), privateKey).toString("hex");
      return send(body, { "x-signature-ed25519": signature, "x-signature-timestamp": `${NOW}` });
    };
    expect(await post({ type: 1, id: "1" })).toMatchObject({ ...isJson, body: { type: 1 } });
    expect(await post({ type: 0 })).toMatchObject({ status: 204, body: "" });
    expect(await post({ type: 1, event: EVENT })).toMatchObject({ status: 200, body: { key: "k", seq: 1 } });
    expect((await send({ type: 1 }, {})).status).toBe(401);
  });

  test("of SNS shows the address to the log, and fetches nothing but the certificate", async () => {
    const { body, table, certificate } = vectors.find((vector) => vector.body.includes("SubscribeURL"))!;
    const fetched: string[] = [];
    const fetch = async (url: string) => {
      fetched.push(url);
      return new Response(certificate);
    };
    const { send, records } = open({ scheme: "sns", secrets: undefined, handshake: true, ...table }, {}, { fetch });
    expect(await send(body)).toMatchObject({ ...isJson, body: { confirmed: false } });
    expect(records.at(-1)).toMatchObject({
      subscribe: expect.stringMatching(/^https:\/\/sns\.eu-central-1\.amazonaws\.com\/\?Action=ConfirmSubscription/),
    });
    expect(fetched).toEqual([expect.stringMatching(/\.pem$/)]);
  });

  test.each<[object, string]>([
    [{ scheme: "stripe", handshake: true }, "SOURCES.s.handshake must be left out, but for slack"],
    [{ scheme: "slack", handshake: "yes" }, "SOURCES.s.handshake must be true or false"],
    [{ scheme: "meta", handshake: true }, "SOURCES.s must have verifyToken"],
    [{ scheme: "slack", handshake: true, verifyToken: "SECRET" }, "SOURCES.s must have verifyToken"],
  ])("%j cannot be configured", (source, sentence) => {
    expect(() => open(source)).toThrow(sentence);
  });
});

describe("what senders wrap", () => {
  const signed = (text: string | Uint8Array) => ({ "x-signature": createHmac("sha256", SECRET).update(text).digest("hex") });
  const HMAC = { scheme: "hmac", header: "x-signature", encoding: "hex" };
  const post = (to: ReturnType<typeof open>, body: object | string, headers: Record<string, string> = {}, path = "") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return to.send(text, { ...signed(text), ...headers }, path);
  };
  /** The window's rows, oldest first. */
  const rowsOf = async ({ streams }: ReturnType<typeof open>, key = "k") =>
    (await streams.store.view(key))?.window.map(({ values }) => values);

  test("an array is one event an element, each with an id of its own; again it gets the same answers", async () => {
    const to = open(HMAC);
    const list = [EVENT, { ...EVENT, row: [3, 4] }, { ...EVENT, key: "other" }];
    const first = await post(to, list);
    expect(first).toMatchObject({
      status: 200,
      body: {
        results: [
          { key: "k", seq: 1 },
          { key: "k", seq: 2 },
          { key: "other", seq: 1 },
        ],
      },
    });
    const ids = first.body.results.map(({ id }: { id: string }) => id);
    expect(ids).toEqual([0, 1, 2].map((i) => expect.stringMatching(new RegExp(`^sha256:[0-9a-f]{64}#${i}$`))));
    expect((await post(to, list)).body).toEqual(first.body);
    expect(await rowsOf(to)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await post(to, [])).toMatchObject({ status: 200, body: { ignored: true } });
  });

  test("a list at a place has ids of its own or the body's, and what stands around it", async () => {
    const to = open({ ...HMAC, events: "/readings", key: "body:/device", id: "body:/id", timestamp: "/t", values: ["/a", "body:/scale"] });
    const body = {
      device: "d",
      id: "r1",
      scale: 7,
      readings: [
        { t: NOW - 1, a: 1 },
        { t: NOW, a: 2 },
      ],
    };
    expect((await post(to, body)).body.results).toMatchObject([
      { key: "d", id: "r1#0" },
      { key: "d", id: "r1#1" },
    ]);
    expect(await rowsOf(to, "d")).toEqual([
      [1, 7],
      [2, 7],
    ]);
    expect(await post(to, { ...body, readings: {} })).toMatchObject({ status: 422, body: { pointer: "/readings" } });
    expect(
      await post(to, {
        ...body,
        id: "r2",
        readings: [
          { t: NOW, a: 1 },
          { t: NOW, a: "x" },
        ],
      }),
    ).toMatchObject({
      status: 422,
      body: { pointer: "/readings/1/a" },
    });
    expect(await rowsOf(to, "d")).toHaveLength(2);
  });

  test("of a list what is not wanted is left out, and more than 40 keys or 1000 events are refused whole", async () => {
    const to = open({ ...HMAC, only: { "/kind": ["reading"] } });
    const mixed = await post(to, [
      { ...EVENT, kind: "ping" },
      { ...EVENT, kind: "reading" },
    ]);
    expect(mixed.body.results).toMatchObject([{ id: expect.stringMatching(/#1$/) }]);
    const keys = (n: number) => Array.from({ length: n }, (_, i) => ({ ...EVENT, kind: "reading", key: `k${i}` }));
    expect((await post(to, keys(40))).status).toBe(200);
    expect(await post(to, keys(41))).toMatchObject({ status: 413, body: { detail: "at most 40 keys a body, got 41: nothing is stored" } });
    expect(await to.streams.store.view("k40")).toBeUndefined();
    expect((await post(to, Array(1001).fill({}))).status).toBe(413);
  });

  test("where one key fails, sending the whole again stores the rest once", async () => {
    const to = open(HMAC);
    const list = [EVENT, { ...EVENT, key: "other" }];
    const { accept } = to.streams.store;
    let fails = true;
    Object.assign(to.streams.store, {
      accept: (key: string, ...rest: [never, never]) => {
        if (key === "other" && fails) throw new Error("no storage");
        return accept(key, ...rest);
      },
    });
    expect((await post(to, list).catch((error) => ({ status: error.message }))).status).toMatch(/no storage|503/);
    fails = false;
    expect((await post(to, list)).body.results).toMatchObject([
      { key: "k", seq: 1 },
      { key: "other", seq: 1 },
    ]);
  });

  test("numbers from texts, logarithms, constants and gaps make a row", async () => {
    const to = open({ ...HMAC, values: [{ number: "/price" }, { log: "/amount" }] });
    expect((await post(to, { ...EVENT, price: "10.00", amount: "7.5" })).status).toBe(200);
    expect(await rowsOf(to)).toEqual([[10, instantiateKernel(kernel).log(7.5)]]);
    expect(await post(to, { ...EVENT, price: "10.00", amount: 0 })).toMatchObject({
      status: 422,
      body: { detail: "amount must be greater than 0, for its logarithm, got 0" },
    });
    for (const price of ["", null, "1,5", "0x10", "Infinity", true, "1e999"])
      expect((await post(to, { ...EVENT, price, amount: 1 })).status, `${price}`).toBe(422);
    const constant = open({ ...HMAC, values: [{ constant: 5 }, { number: "header:x-amount" }] });
    expect((await post(constant, EVENT, { "x-amount": "-2.5e1" })).status).toBe(200);
    expect(await rowsOf(constant)).toEqual([[5, -25]]);
  });

  test("a gap is null where the model takes gaps", async () => {
    const gappy = encodeArtifact(
      makeModel(kernel, { timesteps: 3, gaps: [0, 1], features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] }),
    );
    const to = open({ ...HMAC, values: [{ number: "/a" }, { gap: true }] }, {}, {}, gappy);
    expect((await post(to, { ...EVENT, a: "" })).status).toBe(200);
    expect((await post(to, { ...EVENT, a: "1" })).status).toBe(200);
    expect(await rowsOf(to)).toEqual([
      [Number.NaN, Number.NaN],
      [1, Number.NaN],
    ]);
  });

  test("the key is a header's or the path's, the time a header's or that of arrival", async () => {
    const byHeader = open({ ...HMAC, key: "header:x-device", timestamp: "header:x-time" });
    expect((await post(byHeader, EVENT, { "x-device": "d", "x-time": `${NOW - 5}` })).body).toMatchObject({
      key: "d",
      timestamp: new Date((NOW - 5) * 1000).toISOString(),
    });
    expect(await post(byHeader, EVENT)).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("header:x-device must be text") },
    });
    const byPath = open({ ...HMAC, key: "path", timestamp: "arrival", id: "/id" });
    const body = { id: 1, row: [1, 2] };
    expect((await post(byPath, body, {}, "/north-7")).body).toMatchObject({
      key: "north-7",
      id: "1",
      timestamp: new Date(NOW * 1000).toISOString(),
    });
    byPath.clock = NOW + 60;
    expect((await post(byPath, body, {}, "/north-7")).body).toMatchObject({ seq: 1, timestamp: new Date(NOW * 1000).toISOString() });
    expect((await post(byPath, { id: 1, row: [1, 3] }, {}, "/north-7")).status).toBe(409);
    expect((await post(byPath, body)).status).toBe(422);
    expect((await post(byPath, body, {}, "/a/b")).status).toBe(404);
    const both = open({ scheme: "token", token: "path", key: "path" });
    expect((await both.send(EVENT, {}, `/${SECRET}/k`)).status).toBe(200);
    expect((await both.send(EVENT, {}, "/wrong-token-of-length/k")).status).toBe(401);
  });

  test("a form's fields are read by name, and JSON inside a text by its place", async () => {
    const form = open({
      ...HMAC,
      format: "form",
      key: "/From",
      id: "/MessageSid",
      timestamp: "/At",
      values: [{ number: "/NumMedia" }, { constant: 1 }],
    });
    expect(await post(form, `From=%2B1415&MessageSid=SM1&NumMedia=2&At=${NOW}&NumMedia=3`)).toMatchObject({
      status: 200,
      body: { key: "+1415", id: "SM1" },
    });
    expect(await rowsOf(form, "+1415")).toEqual([[2, 1]]);
    const github = open({
      scheme: "github",
      format: "form",
      json: "/payload",
      key: "/payload/key",
      timestamp: "/payload/at",
      values: "/payload/row",
    });
    const payload = new URLSearchParams({ payload: JSON.stringify(EVENT) }).toString();
    expect((await github.send(payload, { "x-hub-signature-256": `sha256=${hex(payload)}` })).body).toMatchObject({ key: "k", seq: 1 });
    const inside = open({ ...HMAC, json: "/Message", events: "/Message/list" });
    expect((await post(inside, { Message: JSON.stringify({ list: [EVENT] }) })).body.results).toMatchObject([{ key: "k" }]);
    for (const Message of ["{", `${"[".repeat(65)}${"]".repeat(65)}`]) expect((await post(inside, { Message })).status).toBe(400);
    const proto = await post(open({ ...HMAC, json: "/__proto__", key: "/__proto__/key" }), '{"__proto__":"{\\"key\\":\\"k\\"}"}');
    expect(proto).toMatchObject({ status: 422, body: { pointer: "/at" } });
  });

  test("gzip: the signature is over the content, or over what was sent where the source says so", async () => {
    const text = JSON.stringify(EVENT);
    const sent = gzipSync(text);
    const send = (source: object, of: string | Uint8Array, bytes: Uint8Array = sent) =>
      open({ ...HMAC, ...source }).send(bytes, { ...signed(of), "content-encoding": "gzip" });
    expect((await send({}, text)).status).toBe(200);
    expect((await send({}, sent)).status).toBe(401);
    expect((await send({ signedBody: "compressed" }, sent)).status).toBe(200);
    expect((await send({ signedBody: "compressed" }, text)).status).toBe(401);
    const bomb = gzipSync(Buffer.alloc(10_000_000, " "));
    expect((await send({ signedBody: "compressed" }, bomb, bomb)).status).toBe(413);
  });

  test("a token in a header, and senders by range of addresses", async () => {
    const gitlab = open({ scheme: "token", token: "header:X-Gitlab-Token", allowedIps: ["10.1.0.0/16", "2a00:5::/32"] });
    const send = (token: string, address: string) => gitlab.send(EVENT, { "x-gitlab-token": token, "cf-connecting-ip": address });
    for (const address of ["10.1.0.0", "10.1.255.255", "2a00:5::1", "2a00:5:0:ffff::"])
      expect((await send(SECRET, address)).status, address).toBe(200);
    for (const address of ["10.2.0.0", "10.0.255.255", "2a00:6::1", "::ffff:10.1.0.1", "x"])
      expect((await send(SECRET, address)).status, address).toBe(401);
    expect((await send(`${SECRET}x`, "10.1.0.1")).status).toBe(401);
    expect((await gitlab.send(EVENT, { "cf-connecting-ip": "10.1.0.1" })).status).toBe(401);
  });

  test.each<[object, string]>([
    [{ values: ["/a", { number: "/b", log: "/c" }] }, "SOURCES.s.values[1] must have one of number, log, constant and gap, got 2 of them"],
    [{ values: ["/a", { sum: "/b" }] }, "SOURCES.s.values[1] must have no keys but number, log, constant, gap"],
    [{ values: ["/a", { constant: true }] }, "SOURCES.s.values[1].constant must be a number, or a category's text, got true"],
    [{ key: "arrival" }, "SOURCES.s.key must be a JSON Pointer"],
    [{ timestamp: "path" }, "SOURCES.s.timestamp must be a JSON Pointer"],
    [{ id: "header:x-id" }, "SOURCES.s.id must be a JSON Pointer"],
    [{ format: "xml" }, "SOURCES.s.format must be one of json, form"],
    [{ signedBody: "gzip" }, "SOURCES.s.signedBody must be one of plain, compressed"],
    [{ allowedIps: ["10.0.0.0/33"] }, "SOURCES.s.allowedIps[0] must be an IPv4 or IPv6 address, or a range"],
  ])("%j cannot be configured", (source, sentence) => {
    expect(() => open({ ...HMAC, ...source })).toThrow(sentence);
  });
});

test("the log counts what came: new events, known ones, and those later than a full window", async () => {
  const { send, records } = open({ scheme: "hmac", header: "x-signature", encoding: "hex", events: "/all", id: "/id" });
  const row = (n: number, at = NOW + n - 10) => ({ ...EVENT, id: `e${n}`, at });
  const sendAll = async (...all: object[]) => {
    const body = JSON.stringify({ all });
    return (await send(body, { "x-signature": hex(body) })).status;
  };
  expect(await sendAll(row(1), row(2), row(3))).toBe(200);
  expect(await sendAll(row(3), row(4), row(5, NOW - 100))).toBe(200);
  expect((await send("{}", { "x-signature": hex("another") })).status).toBe(401);
  const wrong = JSON.stringify({ all: [{ ...row(6), row: [1, "x"] }] });
  expect((await send(wrong, { "x-signature": hex(wrong) })).status).toBe(422);
  expect(records.map(({ taken, replayed, late, problem, pointer }) => [taken, replayed, late, problem, pointer])).toEqual([
    [3, undefined, undefined, undefined, undefined],
    [1, 1, 1, undefined, undefined],
    [undefined, undefined, undefined, "signature", undefined],
    [undefined, undefined, undefined, "sequence", "/all/0/row/1"],
  ]);
});
