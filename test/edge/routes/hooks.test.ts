// POST /hooks/{source} beside its signatures: what is no event, what storage does, and what anybody may see of it.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readAccess } from "../../../edge/http/access.ts";
import { RequestError } from "../../../edge/http/problem.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import type { Dependencies } from "../../../edge/routes/dependencies.ts";
import { readEndpoints } from "../../../edge/streams/endpoints.ts";
import { MAX_EVENT_BODY_BYTES, maxBodyBytes } from "../../../edge/webhooks/extraction.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { acceptOnly, BODY, ENV, fakeStreams, NOW, SENDERS, type Sent, TAMPERINGS, TICKER } from "../../fixtures/senders.ts";
import { openStreams } from "../../fixtures/streams.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const endpoints = readEndpoints(ENV);
const HIDDEN =
  "the configuration cannot be used: the log says why, as does GET /health/ready on the Worker's own machine, or to a key of scope admin";
let taken: { key: string }[] = [];
const streams = fakeStreams((key) => taken.push({ key }));
const open = (dependencies: Partial<Dependencies> = {}) =>
  openApp(kernel, artifact, { endpoints, streams, now: () => NOW * 1000, ...dependencies });
const post = (app: ReturnType<typeof open>, { path, body, headers }: Sent) =>
  app.request(`https://edge.test${path}`, { method: "POST", body: new TextEncoder().encode(body), headers });
const github = (change: object = {}): Promise<Sent> => SENDERS.github(JSON.stringify({ ...JSON.parse(BODY), ...change }), "GITHUB");
beforeEach(() => {
  taken = [];
});

async function problemOf(response: Response | Promise<Response>): Promise<{ status: number; detail: string; pointer?: string }> {
  const answer = await response;
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const problem = await answer.json();
  expect(problem.status).toBe(answer.status);
  return problem;
}

const problemOrStatus = async (response: Response) => (response.status === 200 ? 200 : problemOf(response));

describe("an event", () => {
  test("is answered with what its stream says, and goes to its source's destinations", async () => {
    const origins: unknown[] = [];
    const told = acceptOnly((key, events, origin) => {
      origins.push({ ...origin, ready: origin.ready?.model.name });
      return streams.accept(key, events, origin);
    });
    const response = await post(open({ streams: told }), await SENDERS.standard(BODY, "STANDARD"));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ source: "standard", id: "msg_1", seq: 1, warming: true });
    expect(origins).toEqual([{ source: "standard", destinations: ["desk"], isBound: false, hops: 0, ready: expect.any(String) }]);
  });

  test("needs no key, whatever keys there are; and a key is no signature", async () => {
    const access = readAccess({ API_KEYS: `a:${"0".repeat(64)}` });
    expect((await post(open({ access }), await github())).status).toBe(200);
    const unsigned = { path: "/hooks/github", body: BODY, headers: { authorization: "Bearer a" } };
    expect((await post(open(), unsigned)).status).toBe(401);
  });

  test("may say that it is text, or nothing of what it is", async () => {
    for (const type of ["text/plain; charset=utf-8", "application/octet-stream", ""])
      expect((await post(open(), { ...(await github()), headers: { ...(await github()).headers, "content-type": type } })).status).toBe(
        200,
      );
  });

  test.each<[object, string, string]>([
    [
      { ticker: undefined },
      "ticker must be text of 1 to 256 bytes without control characters, not . or .., or a whole number, got nothing",
      "/ticker",
    ],
    [{ ticker: ["a"] }, "ticker must be text", "/ticker"],
    [
      { time: "yesterday" },
      'time must be a time with its zone, such as 2026-11-25T09:30:00Z, or seconds, milliseconds, microseconds or nanoseconds since 1970, got "yesterday"',
      "/time",
    ],
    [{ bar: [1, 2, 3, 4] }, "bar must have 5 numbers (a, b, c, d, e), got 4", "/bar"],
    [{ bar: [1, 2, 3, 4, null] }, "bar[4] must be a finite number, got null", "/bar/4"],
    [{ bar: { o: 1 } }, "bar must be an array of 5 numbers (a, b, c, d, e), got an object", "/bar"],
  ])("of which the pointers miss something is a 422 that names it: %j", async (change, detail, pointer) => {
    const problem = await problemOf(post(open(), await github(change)));
    expect(problem).toMatchObject({ status: 422, pointer });
    expect(problem.detail).toContain(detail);
    expect(taken).toEqual([]);
  });

  test.each(["github", "hmac", "path"] as const)(
    "of a source that signs no time is refused once its id may be forgotten: %s",
    async (name) => {
      const secrets = { github: "GITHUB", hmac: "HMAC", path: "TOKEN" } as const;
      const at = async (seconds: number) => {
        const sent = await SENDERS[name](JSON.stringify({ ...JSON.parse(BODY), time: NOW - seconds }), secrets[name]);
        return problemOrStatus(await post(open(), sent));
      };
      const days7 = 7 * 86_400;
      expect(await at(days7 - 301)).toBe(200);
      expect(await at(days7 - 299)).toMatchObject({ status: 422, pointer: "/time" });
      expect(taken).toHaveLength(1);
    },
  );

  test("of a source that signs when it was sent may be of any time before", async () => {
    const old = JSON.stringify({ ...JSON.parse(BODY), time: NOW - 400 * 86_400 });
    for (const sent of [await SENDERS.standard(old, "STANDARD"), await SENDERS.stripe(old, "STRIPE")])
      expect((await post(open(), sent)).status).toBe(200);
  });

  test("that has been through four Workers of this kind is a 508: a circle through another host name ends", async () => {
    const sent = await github();
    const through = (hops: string) => post(open(), { ...sent, headers: { ...sent.headers, "x-quickstep-hops": hops } });
    expect((await through("3")).status).toBe(200);
    for (const hops of ["4", "5", "9999"]) expect(await problemOf(through(hops))).toMatchObject({ status: 508 });
    expect(taken).toHaveLength(1);
  });

  test("with a number that JSON cannot hold is refused, not rounded to infinity", async () => {
    const sent = await SENDERS.github(BODY.replace("[1.25", "[1e999"), "GITHUB");
    expect(await problemOf(post(open(), sent))).toMatchObject({ status: 422, detail: "bar[0] must be a finite number, got Infinity" });
  });

  test.each([
    ["no JSON", "the body is not JSON"],
    [" ", "the body is empty, expected JSON"],
    ["null", "ticker must be text"],
  ])("signed, but %j, is refused", async (body, detail) => {
    const problem = await problemOf(post(open(), await SENDERS.github(body, "GITHUB")));
    expect([400, 422]).toContain(problem.status);
    expect(problem.detail).toContain(detail);
    expect(taken).toEqual([]);
  });

  test("signed, but no UTF-8, is refused", async () => {
    const { path, headers } = await SENDERS.hmac("\u00ff", "HMAC");
    const response = open().request(`https://edge.test${path}`, { method: "POST", body: Uint8Array.of(0xff), headers });
    expect((await problemOf(response)).status).toBe(401); // other bytes than those signed
  });

  test("larger than one row needs is a 413 before its signature is looked at, declared or not", async () => {
    const body = new Uint8Array(MAX_EVENT_BODY_BYTES + 1);
    const url = "https://edge.test/hooks/github";
    const signature = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const declared = { method: "POST", body, headers: { ...signature, "content-length": `${body.length}` } };
    const streamed = { method: "POST", body: new Blob([body]).stream(), duplex: "half", headers: signature };
    for (const init of [declared, streamed])
      expect(await problemOf(open().request(url, init))).toMatchObject({
        status: 413,
        detail: expect.stringMatching(/^the body must have at most 262144 bytes, got (262145|more): let the sender send less$/),
      });
  });

  test("may be longer where it holds a whole sequence, as the model's shape needs, and never than a mebibyte", () => {
    const at: readonly string[] = [];
    expect(maxBodyBytes({ kind: "row", at }, { timesteps: 512, features: 64 })).toBe(256 * 1024);
    expect(maxBodyBytes({ kind: "sequence", at }, { timesteps: 10, features: 5 })).toBe(256 * 1024 + 1250);
    expect(maxBodyBytes({ kind: "sequence", at }, { timesteps: 512, features: 64 })).toBe(1024 * 1024);
  });

  test.each([
    ["github", {}],
    ["github", { "x-hub-signature-256": "sha1=00" }],
    ["hmac", {}],
    ["stripe", {}],
    ["stripe", { "stripe-signature": `t=${NOW - 400},v1=00` }],
    ["standard", {}],
    ["standard", { "webhook-id": "a", "webhook-timestamp": `${NOW - 400}`, "webhook-signature": "v1,AA==" }],
    ["path/wrong", {}],
  ])("whose headers or path prove nothing is a 401 before its body is read: %s, %j", async (path, headers) => {
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
    const init = { method: "POST", body, duplex: "half", headers } as RequestInit;
    expect((await problemOf(open().request(`https://edge.test/hooks/${path}`, init))).status).toBe(401);
    expect(pulled).toBe(0);
  });

  test("whose body takes more than 10 s to arrive is a 408", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const init = {
        method: "POST",
        body: new ReadableStream(),
        duplex: "half",
        headers: { "x-hub-signature-256": `sha256=${"0".repeat(64)}` },
      };
      const answered = Promise.resolve(open().request("https://edge.test/hooks/github", init as RequestInit));
      while (vi.getTimerCount() === 0) await new Promise(setImmediate); // until the body is waited for
      await vi.advanceTimersByTimeAsync(10_001);
      expect(await problemOf(answered)).toMatchObject({ status: 408 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("of more than 64 arrays inside each other is a 400 before an object is made of it; brackets in texts do not count", async () => {
    const deep = (depth: number) => SENDERS.github(BODY.replace("{", `{"x":${"[".repeat(depth)}${"]".repeat(depth)},`), "GITHUB");
    expect((await post(open(), await deep(63))).status).toBe(200);
    expect(await problemOf(post(open(), await deep(64)))).toMatchObject({ status: 400 });
    expect(await problemOf(post(open(), await SENDERS.github("[".repeat(200_000), "GITHUB")))).toMatchObject({ status: 400 });
    const inText = await SENDERS.github(BODY.replace("{", `{"x":${JSON.stringify('\\"[['.repeat(100))},`), "GITHUB");
    expect((await post(open(), inText)).status).toBe(200);
  });

  test("that says it is compressed and is not is a 400, and what nobody here unpacks a 415", async () => {
    const sent = await github();
    for (const [coding, status] of [
      ["gzip", 400],
      ["br", 415],
    ] as const)
      expect((await post(open(), { ...sent, headers: { ...sent.headers, "content-encoding": coding } })).status).toBe(status);
  });
});

describe("a source with `only`", () => {
  const table = ENV.SOURCES.github;
  const withOnly = (only: unknown) => readEndpoints({ ...ENV, SOURCES: { github: { ...table, only } } });
  const send = async (only: unknown, change: object, headers: Record<string, string> = {}) => {
    const records: object[] = [];
    const sent = await github(change);
    const app = open({ endpoints: withOnly(only), log: (record) => records.push(record) });
    const response = await post(app, { ...sent, headers: { ...sent.headers, ...headers } });
    return { status: response.status, answer: await response.json(), records };
  };

  test.each<[string, unknown, object, Record<string, string>]>([
    ["GitHub's ping", { "header:x-github-event": ["push"] }, { zen: "Design for failure.", bar: undefined }, { "x-github-event": "ping" }],
    ["Stripe's other types", { "/type": ["charge.succeeded"] }, { type: "charge.failed", bar: undefined }, {}],
    ["an event without the place", { "/type": ["charge.succeeded"] }, {}, {}],
    ["an event with half of it", { "/type": ["a"], "header:x-github-event": ["push"] }, { type: "a" }, { "x-github-event": "ping" }],
  ])("answers %s with 200, counts and logs it, and stores nothing", async (_, only, change, headers) => {
    const { status, answer, records } = await send(only, change, headers);
    expect([status, answer]).toEqual([200, { source: "github", ignored: true }]);
    expect(records).toMatchObject([{ source: "github", status: 200, ignored: 1 }]);
    expect(taken).toEqual([]);
  });

  test("takes what it wants", async () => {
    expect(
      (await send({ "/type": ["b", "a"], "header:X-GitHub-Event": ["push"] }, { type: "a" }, { "x-github-event": "push" })).status,
    ).toBe(200);
    expect((await send({ "/number": ["7"] }, { number: 7 })).status).toBe(200);
    expect(taken).toHaveLength(2);
  });

  test("wants nothing that is not signed", async () => {
    const sent = { ...(await SENDERS.github(BODY, "STRANGE")), path: "/hooks/github" };
    expect((await post(open({ endpoints: withOnly({ "/type": ["a"] }) }), sent)).status).toBe(401);
  });

  test.each<[unknown, string]>([
    [{}, "SOURCES.github.only must name at least one place, got none"],
    [["push"], "SOURCES.github.only must be a table, got an array of 1"],
    [{ type: ["a"] }, 'SOURCES.github.only must have keys that are a JSON Pointer such as /type, or "header:" and a name, got "type"'],
    [
      { "header:a b": ["a"] },
      'SOURCES.github.only must have keys that are a JSON Pointer such as /type, or "header:" and a name, got "header:a b"',
    ],
    [{ "/type": "a" }, 'SOURCES.github.only./type must be an array of texts, got "a"'],
    [{ "/type": [] }, "SOURCES.github.only./type must hold at least 1 of texts, got an empty array"],
  ])("that says %j cannot be used", (only, sentence) => {
    expect(withOnly(only).unusable).toBe(sentence);
  });
});

describe("with streams behind it", () => {
  const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));

  test("an event that is sent again is the same event, however often it is signed anew; another under its id is a 409", async () => {
    const { store } = openStreams(servable, {}, NOW * 1000);
    const app = open({ streams: store });
    const answers = new Set<string>();
    for (const at of [NOW, NOW + 5, NOW + 300]) {
      const response = await post(app, await SENDERS.standard(BODY, "STANDARD", at));
      expect(response.status).toBe(200);
      answers.add(await response.text());
    }
    expect(answers.size).toBe(1);
    const other = await SENDERS.standard(BODY.replace("0.75", "0.5"), "STANDARD");
    expect((await problemOf(post(app, other))).status).toBe(409);
    expect(await store.view(TICKER)).toMatchObject({ seq: 1, filled: 1 });
    expect((await post(app, await SENDERS.asymmetric(BODY, "ASYMMETRIC"))).status).toBe(403); // and another source's window is its own
    expect(await store.view(TICKER)).toMatchObject({ seq: 1, filled: 1, owner: "standard" });
  });

  test("with an id, an event that says the same in another body is the same event", async () => {
    const { store } = openStreams(servable, {}, NOW * 1000);
    const app = open({ streams: store });
    const first = await post(app, await SENDERS.standard(BODY, "STANDARD"));
    const spaced = JSON.stringify({ ...JSON.parse(BODY), pending_webhooks: 0 }, null, 2);
    const again = await post(app, await SENDERS.standard(spaced, "STANDARD"));
    expect([again.status, await again.text()]).toEqual([200, await first.text()]);
    expect(await store.view(TICKER)).toMatchObject({ seq: 1 });
  });

  test("nothing that is tampered with leaves a trace", async () => {
    const { store } = openStreams(servable);
    const app = open({ streams: store });
    for (const { make } of TAMPERINGS) expect((await post(app, await make())).status).toBe(401);
    expect((await store.keys(10)).items).toEqual([]);
    expect(await store.view(TICKER)).toBeUndefined();
  });

  test("a whole sequence is scored to the bits of /v1/score, and leaves the window alone", async () => {
    const { store } = openStreams(servable);
    const whole = readEndpoints({ ...ENV, SOURCES: { github: { ...ENV.SOURCES.github, values: undefined, sequence: "/bar" } } });
    const app = open({ streams: store, endpoints: whole });
    const sequence = Array.from({ length: 10 }, (_, t) => [1.25, 0.75, 1.25 + t / 64, 0.75, 1.25]);
    const { probability } = await (await post(app, await github({ bar: sequence }))).json();
    const { results } = await (await postScore(app, JSON.stringify({ sequence }))).json();
    expect(probability).toBe(results[0].probability);
    expect(await store.view(TICKER)).toMatchObject({ filled: 0 });
  });
});

describe("anything whatever", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("v1,", "t=1,v1=", "sha256=", "v7:", `${NOW}`));
  const header = text.map((value) => value.replace(/[^\x20-\x7e]/g, "~"));

  test("in headers and body is refused, and never our fault", async () => {
    const app = open();
    const names = [
      "webhook-id",
      "webhook-timestamp",
      "webhook-signature",
      "stripe-signature",
      "x-hub-signature-256",
      "x-signature",
      "cf-connecting-ip",
    ];
    const headers = fc.record(Object.fromEntries(names.map((name) => [name, header])), { requiredKeys: [] });
    const path = fc.oneof(fc.constantFrom(...endpoints.sources.keys()), text.map(encodeURIComponent));
    await fc.assert(
      fc.asyncProperty(path, headers, fc.oneof(text, fc.json()), async (name, given, body) => {
        const { status } = await post(app, { path: `/hooks/${name}`, body, headers: given as Record<string, string> });
        expect([401, 404]).toContain(status);
      }),
      { numRuns: 1000, seed: 5 },
    );
    expect(taken).toEqual([]);
  });

  test("signed is an event, or refused at its place", async () => {
    const app = open();
    const often = <T>(usual: T) =>
      fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
    const event = fc.record({ ticker: often("k"), time: often("2026-11-25T09:30:00Z"), bar: often([1, 2, 3, 4, 5]) }, { requiredKeys: [] });
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: event }, fc.jsonValue()), async (value) => {
        const response = await post(app, await SENDERS.github(JSON.stringify(value), "GITHUB"));
        if (response.status === 200)
          seen.taken += Number(((await response.json()) as { ignored?: true }).ignored !== true); // an empty list
        else {
          seen.refused++;
          const { status, pointer } = await problemOf(response);
          expect(status).toBe(422);
          expect(pointer).toMatch(Array.isArray(value) ? /^\/\d+\/(ticker|time|bar)/ : /^\/(ticker|time|bar)/);
        }
      }),
      { numRuns: 1000, seed: 5 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(100);
    expect(taken).toHaveLength(seen.taken);
  });
});

describe("a source", () => {
  test.each(["/hooks/nobody", "/hooks/__proto__", "/hooks/constructor", "/hooks/github/token", "/hooks/nobody/token"])(
    "that is not configured is a 404: %s",
    async (path) => {
      const response = await post(open(), { ...(await github()), path });
      expect(response.status).toBe(404);
      expect(taken).toEqual([]);
    },
  );

  test("answers POST alone", async () => {
    for (const path of ["/hooks/github", "/hooks/path/a"]) {
      const response = await open().request(`https://edge.test${path}`);
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  test("whose destination is the Worker's own host is a 503; readiness, asked for by that name, says so to an admin", async () => {
    const own = readEndpoints({
      ...ENV,
      DESTINATIONS: { desk: { url: "https://edge.example.com/hooks/standard", secrets: ["STANDARD"] } },
    });
    const { body, headers } = await SENDERS.standard(BODY, "STANDARD");
    const access = readAccess({ API_KEYS: `root:${createHash("sha256").update("root").digest("hex")}:admin` });
    const app = open({ endpoints: own, access });
    const response = app.request("https://edge.example.com/hooks/standard", { method: "POST", body, headers });
    expect(await problemOf(response)).toMatchObject({ status: 503, detail: HIDDEN });
    const ready = app.request("https://edge.example.com/health/ready", { headers: { authorization: "Bearer root" } });
    expect(await problemOf(ready)).toMatchObject({
      status: 503,
      detail: "DESTINATIONS.desk.url must be another host than this Worker's own, got edge.example.com",
    });
    expect(taken).toEqual([]);
  });
});

describe("a configuration that cannot be used", () => {
  const broken = readEndpoints({ ...ENV, SOURCES: { github: { ...ENV.SOURCES.github, key: "ticker" } } });
  const detail = 'SOURCES.github.key must be a JSON Pointer such as /data/ticker, got "ticker"';

  test("is a 503, also for readiness, with the sentence on a developer's machine, and keeps nothing else from working", async () => {
    const app = open({ endpoints: broken });
    expect(await problemOf(post(app, await github()))).toMatchObject({ status: 503, detail: HIDDEN });
    expect(await problemOf(app.request("/health/ready"))).toMatchObject({ status: 503, detail });
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"sequence":[[1,2,3,4,5]]}' };
    expect((await app.request("http://localhost/v1/score", init)).status).toBe(200);
  });

  test("is shown to admins and in the log, and to nobody else: a secret may stand where its name belongs", async () => {
    const secret = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
    const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");
    const access = readAccess({ API_KEYS: `s:${hashOf("scorer")} root:${hashOf("root")}:admin` });
    const table = ENV.SOURCES.github;
    const faults: Record<string, unknown>[] = [
      { SOURCES: { github: { ...table, secrets: [secret] } } },
      { SOURCES: { github: { ...table, key: secret } } },
      { SOURCES: { github: { ...table, [secret]: 1 } } },
      { SOURCES: { github: { ...table, scheme: secret } } },
      { SOURCES: { [secret]: table } },
      { SOURCES: secret },
      { DESTINATIONS: { desk: { url: `https://desk.example.com/#${secret}`, secrets: ["STANDARD"] } } },
      { STREAM_DESTINATIONS: secret },
      { RETRY_SCHEDULE_S: secret },
    ];
    for (const fault of faults) {
      const records: object[] = [];
      const app = open({ access, endpoints: readEndpoints({ ...ENV, ...fault }), log: (record) => records.push(record) });
      const ask = async (path: string, key = "", init: RequestInit = {}): Promise<string> => {
        const headers = { "content-type": "application/json", ...(key !== "" && { authorization: `Bearer ${key}` }) };
        const response = await app.request(`https://edge.test${path}`, { ...init, headers });
        expect(response.status).toBe(503);
        return response.text();
      };
      const event = { method: "POST", body: '{"id":"1","timestamp":1,"values":[1,2,3,4,5]}' };
      for (const answer of [
        await ask("/health/ready"),
        await ask("/health/ready", "scorer"),
        await ask("/health/ready", "wrong"),
        await ask("/hooks/github", "", event),
        await ask("/hooks/github", "root", event),
        await ask("/v1/streams/k/events", "scorer", event),
      ])
        expect(answer).not.toContain("c2VjcmV0");
      const logged = JSON.stringify(records);
      expect(await ask("/health/ready", "root")).toMatch(/SOURCES|DESTINATIONS|RETRY_SCHEDULE_S/);
      expect(logged).toMatch(/"fault":"(SOURCES|DESTINATIONS|STREAM_DESTINATIONS|RETRY_SCHEDULE_S)/);
    }
  });

  test("that names other than one place a feature is one, too", async () => {
    const places = ["/o", "/h", "/l", "/c"];
    const app = open({ endpoints: readEndpoints({ ...ENV, SOURCES: { github: { ...ENV.SOURCES.github, values: places } } }) });
    const sentence = "SOURCES.github.values must name 5 places, one a feature of the model, got 4";
    expect(await problemOf(post(app, await github()))).toMatchObject({ status: 503, detail: HIDDEN });
    expect(await problemOf(app.request("/health/ready"))).toMatchObject({ status: 503, detail: sentence });
    const fits = readEndpoints({ ...ENV, SOURCES: { github: { ...ENV.SOURCES.github, values: [...places, "/v"] } } });
    expect((await open({ endpoints: fits }).request("/health/ready")).status).toBe(200);
  });

  test("without storage is a 503, without a model, too", async () => {
    expect(await problemOf(post(open({ streams: undefined }), await github()))).toMatchObject({
      status: 503,
      detail: expect.stringContaining("no storage"),
    });
    const unready = openApp(kernel, artifact.slice(0, 100), { endpoints, streams });
    expect((await post(unready, await github())).status).toBe(503);
  });
});

describe("storage", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => vi.useRealTimers());

  test("that fails is a 503 the sender is asked to repeat, and is reported", async () => {
    const failure = new Error("Network connection lost: internal detail");
    const report = vi.fn();
    const response = await post(open({ report, streams: acceptOnly(() => Promise.reject(failure)) }), await github());
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.text()).not.toContain("internal detail");
    expect(report).toHaveBeenCalledExactlyOnceWith(failure);
  });

  test("that takes too long is a 503 before TradingView's three seconds are over, never a 504", async () => {
    const answer = Promise.resolve(post(open({ streams: acceptOnly(() => new Promise(() => {})) }), await github()));
    while (vi.getTimerCount() === 0) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(2499);
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(isAnswered).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await problemOf(answer)).toMatchObject({ status: 503, detail: "storing took more than 2500 ms" });
  });

  test("that refuses an event says so in its own words, and no timer is left behind", async () => {
    const conflict = new RequestError("conflict", "the id e1 is taken");
    const response = await post(open({ streams: acceptOnly(() => Promise.reject(conflict)) }), await github());
    expect(await problemOf(response)).toMatchObject({ status: 409, detail: "the id e1 is taken" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
