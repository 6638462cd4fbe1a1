// POST /hooks/{source} through the app and the objects of streams: what counts once, handshakes, what senders wrap.
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
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
function open(source: object, env: object = {}) {
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
