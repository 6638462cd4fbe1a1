// What a caller calls its request: traces and ids, kept where they are ones, and passed on to deliveries.
import { expect, test } from "vitest";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import { callersId, traceOf } from "../../../edge/http/trace.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const artifact = encodeArtifact(makeModel(kernel));
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const sequence = JSON.stringify({ sequences: [[[1, 2, 3, 4, 5]], [[2, 3, 4, 5, 6]]] });

test.each([
  ["of another version", TRACE.replace("00-", "01-")],
  ["with a trace of zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
  ["with a parent of zeros", `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`],
  ["in capitals", TRACE.toUpperCase()],
  ["with more behind it", `${TRACE}-x`],
  ["of anything", "hello"],
])("a traceparent %s is passed over", (_, traceparent) => {
  expect(traceOf(new Headers({ traceparent }))).toBeUndefined();
});

test.each(["", "a".repeat(129), "a b", 'a"b', "a/b", "ü"])("an x-request-id %j is not kept", (id) => {
  expect(callersId(new Headers({ "x-request-id": id }))).toBeUndefined();
});

test("a request's log line has its caller's id, trace, duration, model and count", async () => {
  const records: RequestRecord[] = [];
  const times = [1000, 1250];
  const app = openApp(kernel, artifact, { log: (record) => records.push({ ...record }), now: () => times.shift() ?? 2000 });
  const headers = { "x-request-id": "order-7:1", traceparent: TRACE };
  const response = await postScore(app, sequence, headers);
  expect(response.headers.get("x-request-id")).toBe("order-7:1");
  expect(records).toMatchObject([
    {
      id: "order-7:1",
      trace: TRACE.slice(3, 35),
      durationMs: 250,
      sequences: 2,
      route: "/v1/score",
      model: expect.stringMatching(/^[0-9a-f]{12}$/),
    },
  ]);
});

test("an id that is none gives way to Cloudflare's, and a clock that is set back to no time", async () => {
  const records: RequestRecord[] = [];
  const times = [5000, 1000];
  const app = openApp(kernel, artifact, { log: (record) => records.push({ ...record }), now: () => times.shift() ?? 1000 });
  const response = await postScore(app, sequence, { "x-request-id": "a b", "cf-ray": "8f-AMS" });
  expect(response.headers.get("x-request-id")).toBe("8f-AMS");
  expect(records[0].durationMs).toBe(0);
  expect(records[0].trace).toBeUndefined();
});

test("both headers may be sent by pages of other origins", async () => {
  const app = openApp(kernel, artifact, { origins: ["https://desk.example"] });
  const response = await app.request("/v1/score", {
    method: "OPTIONS",
    headers: { origin: "https://desk.example", "access-control-request-method": "POST" },
  });
  const allowed = response.headers.get("access-control-allow-headers") ?? "";
  expect(allowed.split(",")).toEqual(expect.arrayContaining(["traceparent", "x-request-id"]));
});

test("an event's deliveries carry its trace on, at every attempt; an event without one carries none", async () => {
  const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
  const streams = openStreams(servable);
  const sent: (string | undefined)[] = [];
  streams.fetch = async (_, { headers }) => {
    sent.push((headers as Record<string, string>).traceparent);
    return new Response(null, { status: sent.length === 1 ? 500 : 204 });
  };
  const event = (n: number) => ({ id: `e${n}`, timestamp: n, data: { values: [1, 2, 3, 4, 5] }, digest: `${n}` });
  await streams.accept("k", [event(1)], { source: "alerts", destinations: ["desk"], trace: TRACE });
  await streams.advance(streams.clock + 10_000);
  expect(sent).toEqual([TRACE, TRACE]);
  await streams.accept("k", [event(2)], { source: "alerts", destinations: ["desk"] });
  await streams.advance(streams.clock + 10_000);
  expect(sent.at(-1)).toBeUndefined();
});
