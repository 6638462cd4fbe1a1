// Whatever comes, on whatever route, by whatever method: an answer of the client's fault or a valid one, never one of ours.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import { openModel } from "../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../shared/engine.ts";
import { encodeNpy } from "../../shared/npy.ts";
import { openApp, post } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";
import { openStreams } from "../fixtures/streams.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
const { dependencies } = openStreams(servable);
const app = openApp(kernel, artifact, dependencies);
const RUNS = { numRuns: 400, seed: 5 };

const BROKEN = [
  "",
  " ",
  "null",
  "true",
  "0",
  '"',
  "{",
  "[",
  "{}",
  "[]",
  "[[]]",
  "[[[]]]",
  '{"a":}',
  "{'sequence':[]}",
  '{"sequence":[[1,2,3,4,5]],}',
  '{"sequence":[[1,2,3,4,05]]}',
  '{"sequence":[[1,2,3,4,+5]]}',
  '{"sequence":[[1,2,3,4,.5]]}',
  '{"sequence":[[1,2,3,4,5.]]}',
  '{"sequence":[[1,2,3,4,0x5]]}',
  '{"sequence":[[1,2,3,4,NaN]]}',
  '{"sequence":[[1,2,3,4,Infinity]]}',
  '{"sequence":[[1,2,3,4,1e400]]}',
  '{"sequence":[[1,2,3,4,"5"]]}',
  '{"sequence":[[1,2,3,4]]}',
  '{"sequence":[1,2,3,4,5]}',
  '{"sequence":"[[1,2,3,4,5]]"}',
  '{"sequence":{"length":1}}',
  '{"sequences":[[[1,2,3,4,5]]],"sequence":null}',
  '{"inputs":null}',
  '{"inputs":[null]}',
  '{"inputs":[{}]}',
  '{"inputs":[{"name":"sequences","shape":[1e9,10,5],"datatype":"FP64","data":[]}]}',
  '{"inputs":[{"name":"sequences","shape":[1,10,5],"datatype":"FP64","data":{"length":50}}]}',
  '{"__proto__":{"sequence":[[1,2,3,4,5]]}}',
  '{"constructor":1}',
  "\u0000",
  "\ufeff{}",
  "[[1,2,3,4,5]",
  "]",
  "{}{}",
  "<xml/>",
  "a=b&c=d",
  "[".repeat(10_001),
];
const PATHS = [
  "/v1/score",
  "/v1/model",
  "/v2",
  "/v2/models/fx",
  "/v2/models/fx/infer",
  "/v2/models/fx/ready",
  "/v1/streams",
  "/v1/streams/k",
  "/v1/streams/k/events",
  "/v1/deliveries",
  "/v1/deliveries/replay",
  "/v1/deliveries/msg_1/replay",
  "/v1/metrics",
  "/health/ready",
  "/openapi.json",
  "/docs",
  "/",
  "/nowhere",
];
const TYPES = ["application/json", "application/x-ndjson", "application/octet-stream", "application/x-npy", "text/plain"];

async function expectForeseen(response: Response): Promise<void> {
  expect(response.status).toBeLessThan(500);
  const text = await response.text();
  if (response.status < 400) return;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(JSON.parse(text)).toMatchObject({
    status: response.status,
    type: expect.stringMatching(/^urn:quickstep:problem:/),
    detail: expect.any(String),
  });
}

test("broken bodies of every type, on every route", async () => {
  for (const path of PATHS)
    for (const type of TYPES)
      for (const body of BROKEN) {
        const response = await post(app, path, body, { "content-type": type });
        expect(
          response.status !== 200 || (path === "/v1/score" && type === "application/x-ndjson"),
          `${path} ${type} ${body.slice(0, 60)}`,
        ).toBe(true);
        await expectForeseen(response);
      }
});

describe("any bytes", () => {
  test.each(["application/octet-stream", "application/octet-stream; dtype=float32", "application/x-npy", "application/x-ndjson"])(
    "%s",
    async (type) => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 900 }),
        fc.uint8Array({ minLength: 400, maxLength: 400 }),
        fc.uint8Array({ minLength: 200, maxLength: 200 }),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (body) =>
          expectForeseen(await post(app, "/v1/score", Uint8Array.from(body), { "content-type": type })),
        ),
        RUNS,
      );
    },
  );

  test("an array of NumPy with any bytes changed", async () => {
    const whole = encodeNpy(makeSequences(2, 10, 5, 1), [2, 10, 5]);
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(whole.length), async (edits, length) => {
        const body = whole.slice(0, length > whole.length / 2 ? whole.length : length);
        for (const [at, byte] of edits) if (at < body.length) body[at] = byte;
        await expectForeseen(await post(app, "/v1/score", body, { "content-type": "application/x-npy" }));
      }),
      RUNS,
    );
  });
});

test("any path, method, query and headers, with keys and without", async () => {
  const closed = openApp(kernel, artifact, { ...dependencies, access: readAccess({ API_KEYS: `a:${"0".repeat(64)}` }) });
  const header = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 30 });
  const request = fc.record({
    path: fc.oneof(fc.constantFrom(...PATHS), fc.webPath()),
    query: fc.oneof(fc.constant(""), fc.webQueryParameters()),
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"),
    headers: fc.dictionary(
      fc.constantFrom(
        "authorization",
        "content-type",
        "accept",
        "origin",
        "content-encoding",
        "inference-header-content-length",
        "access-control-request-method",
        "if-none-match",
        "range",
      ),
      header,
    ),
  });
  await fc.assert(
    fc.asyncProperty(request, fc.boolean(), async ({ path, query, method, headers }, isOpen) => {
      const url = `http://${isOpen ? "localhost" : "outside.test"}${path.startsWith("/") ? path : `/${path}`}${query === "" ? "" : `?${query}`}`;
      const body = method === "GET" || method === "HEAD" ? undefined : '{"sequence":[[1,2,3,4,5]]}';
      const response = await (isOpen ? app : closed).request(url, { method, headers, body });
      if (method === "HEAD") expect(response.status).toBeLessThan(500);
      else await expectForeseen(response);
      expect(response.headers.get("x-request-id")).toBeTruthy();
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      if (!isOpen && response.status === 200)
        expect(url).toMatch(/\.test(\/+|\/docs|\/openapi\.json|\/health\/.*|\/v2\/health\/.*)(\?.*)?$/);
    }),
    { numRuns: 1500, seed: 5 },
  );
});
