// POST /hooks/{source} through the app and the objects of streams: what counts once, handshakes, what senders wrap.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
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
import { openStreams } from "../../fixtures/streams.ts";

const NOW = 1_795_600_000;
const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const PLACES = { key: "/key", timestamp: "/at", values: "/row" };
const EVENT = { key: "k", at: NOW, row: [1, 2] };
const model = makeModel(kernel, { name: "fx", timesteps: 3, features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] });
const artifact = encodeArtifact(model);
const hex = (content: string) => createHmac("sha256", SECRET).update(content).digest("hex");

/** An app with one source, `s`, and what its streams hold. */
function open(source: object, env: object = {}, more: Partial<Dependencies> = {}) {
  const streams = openStreams(
    openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m)),
    {},
    NOW * 1000,
  );
  const endpoints = readEndpoints({ SECRET, SOURCES: { s: { secrets: ["SECRET"], ...PLACES, ...source } }, ...env });
  if (endpoints.unusable) throw new Error(endpoints.unusable);
  const records: RequestRecord[] = [];
  const app = openApp(kernel, artifact, {
    ...streams.dependencies,
    endpoints,
    now: () => NOW * 1000,
    log: (record) => records.push(record),
    ...more,
  });
  const send = async (body: string | object, headers: Record<string, string> = {}, path = "", method = "POST") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init = { method, headers, ...(method === "POST" && { body: new TextEncoder().encode(text) }) };
    const response = await app.request(`https://edge.test/hooks/s${path}`, init);
    const answer = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      headers: response.headers,
      body: json ? JSON.parse(answer) : answer,
    };
  };
  return { send, streams, records };
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
  const isPlain = { status: 200, type: expect.stringMatching(/^text\/plain/) };

  test("of Slack is answered once its signature fits, and for a source that asks for it", async () => {
    const body = { type: "url_verification", challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" };
    const { send, records } = open({ scheme: "slack", handshake: true });
    const answer = await send(body, slack(body));
    expect(answer).toMatchObject({ ...isPlain, body: body.challenge });
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
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
      status: 200,
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
    expect(await post({ type: 1, id: "1" })).toMatchObject({ status: 200, body: { type: 1 } });
    expect(await post({ type: 0 })).toMatchObject({ status: 204, body: "" });
    expect(await post({ type: 1, event: EVENT })).toMatchObject({ status: 200, body: { key: "k", seq: 1 } });
    expect((await send({ type: 1 }, {})).status).toBe(401);
  });

  test("of SNS shows the address to the log, and fetches nothing but the certificate", async () => {
    const vectors = JSON.parse(readFileSync(new URL("../../fixtures/providers/vectors.json", import.meta.url), "utf8"));
    const { body, table, certificate } = vectors.find(({ body }: { body: string }) => body.includes("SubscribeURL"));
    const fetched: string[] = [];
    const fetch = async (url: string) => {
      fetched.push(url);
      return new Response(certificate);
    };
    const { send, records } = open({ scheme: "sns", secrets: undefined, handshake: true, ...table }, {}, { fetch });
    expect(await send(body)).toMatchObject({ status: 200, body: { confirmed: false } });
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
