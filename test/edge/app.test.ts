// The app without a network, in Node: routes, answers, and that no JSON whatever makes it fail.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createApp } from "../../edge/app.ts";
import { bundledOnly } from "../../edge/models/models.ts";
import { openModel } from "../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../shared/engine.ts";
import { labelAt } from "../../shared/model.ts";
import type { Channel } from "../../shared/recipe/channel.ts";
import { VERSION } from "../../shared/version.ts";
import { assetsOf, DEPENDENCIES, openApp, postScore } from "../fixtures/app.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";

const model = makeModel(kernel, { name: "fx" });
const artifact = encodeArtifact(model);
const app = openApp(kernel, artifact);

const row = [1.25, 0.75, 1.25, 0.75, 1.25];

interface Answer {
  model: string;
  operatingPoint: string;
  results: { probability: number; label: 0 | 1; outOfRange?: true }[];
}

async function score(body: unknown, of = app): Promise<Answer> {
  const response = await postScore(of, JSON.stringify(body));
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

describe("POST /v1/score", () => {
  const values = makeSequences(40, 10, 5, 9);
  const sequences = Array.from({ length: 40 }, (_, n) =>
    Array.from({ length: 10 }, (_, t) => [...values.subarray((n * 10 + t) * 5, (n * 10 + t) * 5 + 5)]),
  );

  test("answers one sequence with the model, the default operating point and its result", async () => {
    const answer = await score({ sequence: sequences[9] });
    expect(answer).toEqual({
      model: expect.stringMatching(/^fx@[0-9a-f]{12}$/),
      operatingPoint: "balanced",
      results: [{ probability: expect.any(Number), label: expect.any(Number) }],
    });
  });

  test("answers many in the order they came, each as it would be answered alone", async () => {
    const { results } = await score({ sequences });
    for (const [n, sequence] of sequences.entries()) expect((await score({ sequence })).results).toEqual([results[n]]);
    expect(new Set(results.map(({ probability }) => probability)).size).toBe(40);
  });

  test("a sequence without its padding rows is the same sequence", async () => {
    const short = sequences.map((rows) => rows.filter((numbers) => numbers.some((x) => x !== 0)));
    expect(short[0]).toHaveLength(1);
    expect(await score({ sequences: short })).toEqual(await score({ sequences }));
  });

  test("labels at the operating point that is asked for", async () => {
    for (const point of model.operatingPoints) {
      const answer = await score({ sequences, operatingPoint: point.name });
      expect(answer.operatingPoint).toBe(point.name);
      for (const { probability, label } of answer.results) expect(label).toBe(labelAt(point, probability));
    }
    const [balanced, sensitive] = await Promise.all(
      ["balanced", "sensitive"].map((operatingPoint) => score({ sequences, operatingPoint })),
    );
    expect(balanced.results).not.toEqual(sensitive.results);
  });

  test("says outOfRange only where a sequence lies outside what training saw", async () => {
    const { results } = await score({ sequences: [[row], [[1.25, 0.75, 1.25, 0, 1.25]]] });
    expect("outOfRange" in results[0]).toBe(false);
    expect(results[1].outOfRange).toBe(true);
  });

  test("the same key twice counts once, the last time, as JSON.parse has it", async () => {
    const response = await postScore(app, `{"sequence":null,"sequence":[[${row}]]}`);
    expect(await response.json()).toEqual(await score({ sequence: [row] }));
  });

  test("the largest and smallest numbers there are get a probability", async () => {
    const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -Number.MIN_VALUE, 1e300];
    const { results } = await score({ sequences: [[extremes], Array(10).fill(extremes), [row, extremes, row]] });
    for (const { probability } of results) expect(probability >= 0 && probability <= 1).toBe(true);
  });

  test("takes fewer sequences where they are so large that an isolate could not hold 1,000", async () => {
    const channels = Array<Channel>(64).fill({ base: "feature", a: 0, view: "delta" });
    const long = openApp(kernel, encodeArtifact(makeModel(kernel, { timesteps: 512, features: ["x"], channels, units: 1 })));
    expect((await score({ sequences: Array(128).fill([[1], [2]]) }, long)).results).toHaveLength(128);
    const response = await postScore(long, JSON.stringify({ sequences: Array(129).fill([[1], [2]]) }));
    expect(await response.json()).toMatchObject({ status: 413, detail: "at most 128 sequences a request, got 129: send them in parts" });
  });
});

test("GET /v1/model answers the card", async () => {
  const response = await app.request("/v1/model");
  const sha256 = response.headers.get("x-quickstep-model")!;
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  const { test: metrics, ...facts } = model.card;
  expect(await response.json()).toEqual({
    ...facts,
    name: "fx",
    id: `fx@${sha256.slice(0, 12)}`,
    sha256,
    format: "quickstep/2",
    version: VERSION,
    features: ["a", "b", "c", "d", "e"],
    timesteps: 10,
    recipe: {
      padding: "leading",
      channels: ["Δ a", "b − its mean", "log(c)", "Δ log(d)", "e − d", "log(d / e)"],
      clip: 10,
      lengths: [1, 10],
    },
    units: 8,
    members: [{ kind: "lstm", weight: 1, networks: 1, units: 8 }],
    calibration: model.calibration,
    operatingPoints: model.operatingPoints,
    metrics,
    limits: { sequences: 1000, bodyBytes: 2 * 1024 * 1024 },
  });
});

describe("routes", () => {
  test("GET / is the page, which a browser need not fetch twice", async () => {
    const html = "<!doctype html><title>a page</title>";
    const withPage = openApp(kernel, artifact, { assets: assetsOf({ "page.html": html }) });
    const response = await withPage.request("/");
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(response.headers.get("content-security-policy")).toBe("frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toBe(html);
    const again = await withPage.request("/", { headers: { "if-none-match": response.headers.get("etag")! } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("GET / says what is missing where no assets are bound", async () => {
    const response = await openApp(kernel, artifact, { assets: undefined }).request("/");
    expect(await response.json()).toMatchObject({ status: 503, detail: expect.stringContaining("bind them as [assets] of wrangler.toml") });
  });

  test.each(["/nowhere", "/v1", "/v1/score/", "/v1/scores", "/health", "//", "/v1/%ff", "/V1/SCORE"])(
    "%s is a 404 that says where to look",
    async (path) => {
      const response = await app.request(`http://localhost${path}`, { method: "POST", body: "{" });
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({
        status: 404,
        type: "urn:quickstep:problem:notFound",
        detail: expect.stringContaining("GET /docs"),
      });
    },
  );

  test.each([
    ["GET", "/v1/score", "POST"],
    ["PUT", "/v1/score", "POST"],
    ["OPTIONS", "/v1/score", "POST"],
    ["POST", "/v1/model", "GET, HEAD"],
    ["DELETE", "/v1/model", "GET, HEAD"],
    ["POST", "/health/live", "GET, HEAD"],
    ["POST", "/health/ready", "GET, HEAD"],
    ["PUT", "/", "GET, HEAD"],
    ["GET", "/v1/deliveries/replay", "POST"],
    ["GET", "/v1/deliveries/msg_1/replay", "POST"],
  ])("%s %s is a 405 that allows %s", async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(response.headers.get("x-request-id")).toBeTruthy();
    expect(await response.json()).toMatchObject({ status: 405, detail: `${path} answers ${allow}, got ${method}` });
  });

  test("HEAD answers as GET does, without the body", async () => {
    const response = await app.request("/v1/model", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("x-quickstep-version")).toBe(VERSION);
  });
});

test("an error nobody foresaw is reported, and answered without its inside", async () => {
  const report = vi.fn();
  const { log } = instantiateKernel(kernel);
  const broken = { name: "broken", probabilities: () => new Float32Array([0]) };
  const opened = openModel(artifact, log, () => broken);
  expect(opened).toMatchObject({ unready: expect.stringMatching(/this broken engine does not compute what the trainer computed/) });
  const failing = { ...broken, probabilities: () => expect.fail("a secret") };
  const response = await postScore(
    createApp(bundledOnly({ model, log, engine: failing, format: "quickstep/2", sha256: opened.sha256 }), { ...DEPENDENCIES, report }),
    JSON.stringify({ sequence: [row] }),
  );
  expect(response.status).toBe(500);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("x-request-id")).toBeTruthy();
  expect(await response.text()).not.toContain("secret");
  expect(report).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: "a secret" }));
});

describe("whatever the body, the answer is a problem of the client's or a valid score", () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, Number.MAX_VALUE, Number.MIN_VALUE),
  );
  const junk = fc.oneof({ weight: 20, arbitrary: number }, { weight: 1, arbitrary: fc.jsonValue() });
  const nearlyRow = fc.oneof(
    { weight: 20, arbitrary: fc.array(junk, { minLength: 5, maxLength: 5 }) },
    { weight: 5, arbitrary: fc.record({ a: junk, b: junk, c: junk, d: junk, e: junk }) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const nearlySequence = fc.oneof(
    { weight: 20, arbitrary: fc.array(nearlyRow, { maxLength: 11 }) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const nearlyBody = fc.record(
    {
      sequence: nearlySequence,
      sequences: fc.array(nearlySequence, { maxLength: 4 }),
      operatingPoint: fc.constantFrom("balanced", "sensitive", "x", 7),
      explain: fc.constantFrom(true, false, true, 1),
    },
    { requiredKeys: [] },
  );

  async function expectAnswer(body: string): Promise<number> {
    const response = await postScore(app, body);
    const answer = await response.json();
    if (response.status === 200) {
      expect(answer.results.length).toBeGreaterThan(0);
      for (const { probability, label } of answer.results) {
        expect(probability >= 0 && probability <= 1 && Math.fround(probability) === probability).toBe(true);
        expect([0, 1]).toContain(label);
      }
    } else {
      expect(response.status >= 400 && response.status < 500).toBe(true);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(answer).toMatchObject({ status: response.status, detail: expect.any(String) });
      if (answer.pointer !== undefined) expect(answer.pointer).toMatch(/^\/(sequences?((\/\d+)*|(\/\d+)+\/[a-e])|operatingPoint|explain)$/);
    }
    return response.status;
  }

  test("any JSON", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => void (await expectAnswer(body))),
      { numRuns: 500, seed: 1 },
    );
  });

  test("nearly right JSON", async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(nearlyBody, async (body) => void seen.add(await expectAnswer(JSON.stringify(body)))),
      { numRuns: 2000, seed: 1 },
    );
    expect([...seen].sort()).toEqual([200, 422]);
  });

  test("any text, any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (body) => void (await expectAnswer(body))),
      { numRuns: 300, seed: 1 },
    );
    const bytes = fc.uint8Array({ maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(bytes, async (body) => {
        const { status } = await postScore(app, Uint8Array.from(body));
        expect(status >= 400 && status < 500).toBe(true);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
