// Sources that tell what came true: configured by pointers, verified as all are, settled as POST /v1/outcomes settles.
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openMonitor } from "../../fixtures/monitor.ts";
import { openStreams } from "../../fixtures/streams.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const OF_EVENT = { label: "/data/won", stream: "/data/ticker", id: "/data/bar", source: "alerts" };

function open(outcome: object, more: object = {}) {
  const streams = openStreams(openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m)));
  const watched = openMonitor(kernel);
  const alerts = { scheme: "github", secrets: ["SECRET"], key: "/k", timestamp: "/t", values: "/v", streams: ["own-*"] };
  const SOURCES = { alerts, results: { scheme: "github", secrets: ["SECRET"], outcome, ...more } };
  const endpoints = readEndpoints({ SECRET, SOURCES });
  const app = openApp(kernel, artifact, { ...streams.dependencies, endpoints, monitor: watched.monitor, now: () => streams.clock });
  const send = async (body: object, secret = SECRET) => {
    const text = JSON.stringify(body);
    const signature = `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
    const init = { method: "POST", headers: { "x-hub-signature-256": signature }, body: new TextEncoder().encode(text) };
    const response = await app.request("https://edge.test/hooks/results", init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, headers: response.headers };
  };
  return { endpoints, streams, watched, send };
}

const sequence = Array.from({ length: 10 }, (_, t) => [1, 2, 3, 4, 5 + t]);
const store = (streams: ReturnType<typeof openStreams>, id: string, key = "EURUSD") =>
  streams.accept(key, [{ id, timestamp: streams.clock, data: { sequence }, digest: id }], { source: "alerts", destinations: [] });

describe("a source of outcomes", () => {
  test("is answered what became of each; before its event came, 503 with retry-after, so that the sender sends again", async () => {
    const { send, streams, watched } = open(OF_EVENT);
    const body = { data: { won: true, ticker: "EURUSD", bar: "b1" } };
    const early = await send(body);
    expect([early.status, early.headers.get("retry-after")]).toEqual([503, "5"]);
    const [{ answer }] = await store(streams, "b1");
    expect(await send(body)).toMatchObject({ status: 200, body: { source: "results", state: "taken" } });
    expect(await send(body)).toMatchObject({ body: { state: "repeated" } });
    expect(await send({ data: { ...body.data, won: 0 } })).toMatchObject({ body: { state: "contradicting" } });
    expect(await watched.monitor.performance(answer.model)).toMatchObject({
      outcomes: 1,
      positiveRate: 1,
      outcomesByState: { unknown: 1 },
    });
  });

  test("of predictions tells them by their ids", async () => {
    const { send, watched } = open({ label: "/won", prediction: "/prediction" });
    const [prediction] = watched.monitor.remember("0123456789ab".padEnd(64, "0"), Float32Array.of(0.5));
    expect(await send({ won: "1", prediction })).toMatchObject({ body: { state: "waiting" } });
    expect(await send({ won: "1", prediction: "b1" })).toMatchObject({ status: 422, body: { pointer: "/prediction" } });
  });

  test("is refused where it is not signed, says no label, or tells of another source's own stream", async () => {
    const { send, streams } = open(OF_EVENT);
    await store(streams, "b1", "own-1");
    const body = { data: { won: 1, ticker: "own-1", bar: "b1" } };
    expect((await send(body, "another")).status).toBe(401);
    expect(await send({ data: { ...body.data, won: "yes" } })).toMatchObject({ status: 422, body: { pointer: "/data/won" } });
    expect((await send(body)).status).toBe(403);
  });

  test.each([
    [{ label: "/won" }, {}, "SOURCES.results.outcome.stream must be a JSON Pointer such as /data/ticker, got nothing"],
    [{ ...OF_EVENT, label: "won" }, {}, "SOURCES.results.outcome.label must be"],
    [{ ...OF_EVENT, source: "" }, {}, "SOURCES.results.outcome.source must be the name of the source that sends the events"],
    [{ ...OF_EVENT, more: 1 }, {}, "SOURCES.results.outcome must have no keys but label, stream, id, source"],
    [OF_EVENT, { values: "/v" }, "SOURCES.results.values must be left out of a source that tells outcomes"],
  ])("%j beside %j cannot be used", (outcome, more, sentence) => {
    expect(open(outcome, more).endpoints.unusable).toContain(sentence);
  });
});
