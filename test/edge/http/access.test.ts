// Who gets in, what surrounds every answer, and what is told of it afterwards.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { type Access, readAccess } from "../../../edge/http/access.ts";
import { RATE_PERIOD_S } from "../../../edge/http/authorize.ts";
import type { RequestRecord } from "../../../edge/http/request-context.ts";
import type { Dependencies } from "../../../edge/routes/dependencies.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { type App, assetsOf, openApp, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");
const API_KEYS = `
  alice:${hashOf("alice-old")}
  alice:${hashOf("alice-new").toUpperCase()}, reader:${hashOf("reading")}:read
  scorer:${hashOf("scoring")}:score root:${hashOf("rooting")}:admin`;
const closed = (dependencies: Partial<Dependencies> = {}): App =>
  openApp(kernel, artifact, { access: readAccess({ API_KEYS }), ...dependencies });

const BODY = JSON.stringify({ sequence: [[1.25, 0.75, 1.25, 0.75, 1.25]] });
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const URL_OUTSIDE = "https://quickstep.example.workers.dev";

interface DirectoryReport {
  status: number;
  detail: string;
}

async function statusOf(app: App, path: string, headers: Record<string, string>, method = "GET"): Promise<number> {
  const init =
    method === "POST" ? { method, body: BODY, headers: { "content-type": "application/json", ...headers } } : { method, headers };
  return (await app.request(URL_OUTSIDE + path, init)).status;
}

describe("keys", () => {
  test.each([
    ["alice-old", 200, 200],
    ["alice-new", 200, 200],
    ["reading", 403, 200],
    ["scoring", 200, 403],
    ["rooting", 200, 200],
  ])("%s: %i to score, %i to read", async (key, score, read) => {
    const app = closed();
    expect(await statusOf(app, "/v1/score", bearer(key), "POST")).toBe(score);
    expect(await statusOf(app, "/v1/model", bearer(key))).toBe(read);
  });

  test.each<[string, Record<string, string>]>([
    ["no key", {}],
    ["a wrong key", bearer("alice")],
    ["an empty key", { authorization: "Bearer " }],
    ["a key's digest", bearer(hashOf("alice-old"))],
    ["a name and its digest", bearer(`alice:${hashOf("alice-old")}`)],
    ["another scheme", { authorization: `Basic ${btoa("alice:alice-old")}` }],
    ["no scheme", { authorization: "alice-old" }],
    ["two keys", { authorization: "Bearer alice-old, Bearer alice-new" }],
  ])("%s is a 401 that says how, whatever the route", async (_, headers) => {
    const app = closed();
    for (const path of ["/v1/score", "/v1/model", "/v1/nothing", "/admin/keys", "/v2"]) {
      const response = await app.request(URL_OUTSIDE + path, { headers });
      expect(response.status, path).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="quickstep"');
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("an address whose keys are refused has a rate of its own", async () => {
    const asked: string[] = [];
    const app = closed({ withinRate: async () => true, withinFailures: async (name) => asked.push(name) < 3 });
    const ask = (key: string) =>
      app.request("https://edge.test/v1/model", { headers: { ...bearer(key), "cf-connecting-ip": "203.0.113.7" } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask("guess")).status);
    expect(statuses).toEqual([401, 401, 429]);
    expect(new Set(asked)).toEqual(new Set(["address 203.0.113.7"]));
    expect((await ask("alice-new")).status).toBe(200);
  });

  test("a wrong key is answered alike, near or far from a right one", async () => {
    const app = closed();
    const answers = await Promise.all(
      ["alice-ole", "x", "reading2", "e".repeat(5000)].map(async (key) =>
        (await app.request(`${URL_OUTSIDE}/v1/model`, { headers: bearer(key) })).json(),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test("a key whose digest begins, or ends, as a right one's is wrong", async () => {
    const app = closed();
    const right = hashOf("alice-new");
    for (const isNear of [(hash: string) => hash.startsWith(right.slice(0, 2)), (hash: string) => hash.endsWith(right.slice(-2))]) {
      let n = 0;
      while (!isNear(hashOf(`near-${n}`))) n++;
      expect(await statusOf(app, "/v1/model", bearer(`near-${n}`))).toBe(401);
    }
  });

  test("what needs admin, score and read do not open", async () => {
    const app = closed();
    const replay = (key: string) => app.request(`${URL_OUTSIDE}/v1/deliveries/msg_1/replay`, { method: "POST", headers: bearer(key) });
    expect((await replay("alice-new")).status).toBe(403);
    expect((await replay("rooting")).status).toBe(503); // no storage is bound here
  });

  test("without a list of keys nobody comes in", async () => {
    const app = closed({ access: readAccess({}) });
    expect(await statusOf(app, "/v1/score", bearer(""), "POST")).toBe(401);
    expect(await statusOf(app, "/v1/model", bearer("alice-old"))).toBe(401);
  });

  test("what says only that there is a service is open", async () => {
    const app = closed({ assets: assetsOf({ "page.html": "<!doctype html>" }) });
    for (const path of ["/", "/health/live", "/health/ready"]) expect(await statusOf(app, path, {}), path).toBe(200);
  });
});

describe("a list of keys that cannot be read shuts everything, and says where without showing it", () => {
  test.each([
    ["alice:the-key-itself", 1],
    [`alice:${hashOf("a")} bob:${hashOf("b")}:write`, 2],
    [`alice:${hashOf("a").slice(1)}`, 1],
    [`:${hashOf("a")}`, 1],
    [`alice:${hashOf("a")}:`, 1],
  ])("%s", async (API_KEYS, entry) => {
    const access = readAccess({ API_KEYS });
    expect(access.keys).toEqual([]);
    const app = closed({ access });
    for (const [path, method] of [
      ["/v1/score", "POST"],
      ["/health/ready", "GET"],
    ]) {
      const response = await app.request(URL_OUTSIDE + path, { method, headers: bearer("a") });
      expect(response.status).toBe(503);
      const { detail }: DirectoryReport = await response.json();
      expect(detail).toBe(`entry ${entry} of API_KEYS must be name:sha256 or name:sha256:scopes, with scopes of score+read+admin`);
    }
  });
});

test("a key that was found needs no digest again, and may do no more than before; what is no key is none each time", async () => {
  const app = closed();
  const digest = vi.spyOn(crypto.subtle, "digest");
  const digestsOf = async (key: string, status: number, method = "GET"): Promise<number> => {
    digest.mockClear();
    expect(await statusOf(app, method === "GET" ? "/v1/model" : "/v1/score", bearer(key), method)).toBe(status);
    return digest.mock.calls.length;
  };
  await digestsOf("alice-old", 200); // the artifact's may be taken here, too
  const first = await digestsOf("reading", 200);
  expect(await digestsOf("reading", 200)).toBe(first - 1);
  expect(await digestsOf("reading", 403, "POST")).toBe(first - 1);
  for (let i = 0; i < 2; i++) expect(await digestsOf("another", 401)).toBe(first);
  expect(await digestsOf("alice-old", 200)).toBe(first - 1);
  digest.mockRestore();
});

describe("nothing opens by accident", () => {
  const DIGEST_OF_NOTHING = hashOf("");

  test.each(["Bearer ", "Bearer", "bearer  ", "Basic YTpi", "alice-old", "Bearer a b", ""])(
    "an authorization of %j matches no digest, that of nothing included",
    async (authorization) => {
      const access: Access = {
        keys: [{ name: "x", digest: Uint8Array.from(Buffer.from(DIGEST_OF_NOTHING, "hex")), scopes: ["admin"] }],
        openLocally: false,
      };
      expect(await statusOf(closed({ access }), "/v1/model", { authorization })).toBe(401);
    },
  );

  test.each([DIGEST_OF_NOTHING, DIGEST_OF_NOTHING.toUpperCase(), hashOf("\n")])(
    "an entry with the digest of nothing, %s, is refused at start",
    async (digest) => {
      const access = readAccess({ API_KEYS: `alice:${hashOf("alice-old")} bob:${digest}:admin` });
      expect(access.keys).toEqual([]);
      const response = await closed({ access }).request(`${URL_OUTSIDE}/health/ready`);
      const { status, detail }: DirectoryReport = await response.json();
      expect(status).toBe(503);
      expect(detail).toMatch(/^entry 2 of API_KEYS must have the digest of a key, got the digest of nothing/);
    },
  );

  test("a key that is named local has a rate like any other", async () => {
    const withinRate = vi.fn(async () => false);
    const access = readAccess({ API_KEYS: `local:${hashOf("a")}` });
    expect(await statusOf(closed({ access, withinRate }), "/v1/model", bearer("a"))).toBe(429);
    expect(withinRate).toHaveBeenCalledWith("local");
  });

  test.each<[string, { AUTH?: string; API_KEYS?: string }, string]>([
    ["without any key", {}, "no key is configured, so that nobody may call: set the secret API_KEYS"],
    [
      "open to this machine, seen from elsewhere",
      { AUTH: "open" },
      "no key is configured, so that nobody may call: set the secret API_KEYS",
    ],
    ["with AUTH misspelt", { AUTH: "opn", API_KEYS }, "AUTH must be open or empty, got another word"],
  ])("a Worker %s says so at /health/ready", async (_, env, sentence) => {
    const app = closed({ access: readAccess(env) });
    const response = await app.request(`${URL_OUTSIDE}/health/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: sentence });
    if (env.API_KEYS) expect(await statusOf(app, "/v1/model", bearer("reading"))).toBe(200); // keys count none the less
  });

  test("open to this machine, a Worker without any key is ready there", async () => {
    const app = closed({ access: readAccess({ AUTH: "open" }) });
    expect((await app.request("http://localhost:8787/health/ready")).status).toBe(200);
  });
});

describe("AUTH=open", () => {
  const app = openApp(kernel, artifact, { access: readAccess({ AUTH: "open", API_KEYS }) });
  const ask = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
    (await app.request(`${url}/v1/model`, { headers })).status;

  test.each(["http://localhost:8787", "http://127.0.0.1:8787", "http://127.1.2.3", "http://[::1]:8787", "http://localhost"])(
    "opens %s",
    async (url) => {
      expect(await ask(url)).toBe(200);
      expect(await ask(url, { "cf-connecting-ip": "127.0.0.1" })).toBe(200);
      expect(await ask(url, { "cf-connecting-ip": "::1" })).toBe(200);
    },
  );

  test.each([
    "https://quickstep.example.workers.dev",
    "https://localhost.example.com",
    "https://127.0.0.1.example.com",
    "https://mylocalhost",
    "http://192.168.0.7:8787",
    "http://0.0.0.0:8787",
    "http://[::2]",
    "https://example.com/localhost",
  ])("leaves %s shut", async (url) => {
    expect(await ask(url)).toBe(401);
  });

  test.each<[string, Record<string, string>]>([
    ["a host header", { host: "localhost" }],
    ["a forwarded host", { "x-forwarded-host": "localhost", forwarded: "host=localhost;for=127.0.0.1" }],
    ["a forwarded address", { "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" }],
    ["an address", { "cf-connecting-ip": "127.0.0.1" }],
  ])("is not opened from outside by %s", async (_, headers) => {
    expect(await ask("https://quickstep.example.workers.dev", headers)).toBe(401);
  });

  test("leaves shut what came through Cloudflare, whatever it calls itself", async () => {
    expect(await ask("http://localhost", { "cf-ray": "8f0000000000abcd-AMS" })).toBe(401);
    expect(await ask("http://localhost", { "cf-connecting-ip": "203.0.113.7" })).toBe(401);
  });

  test("opens nothing that changes anything", async () => {
    expect((await app.request("http://localhost/v1/streams/k", { method: "DELETE" })).status).toBe(401);
  });

  test.each(["Open", "open ", "true", "1", ""])("AUTH=%s is not open", (AUTH) => {
    expect(readAccess({ AUTH }).openLocally).toBe(false);
  });
});

test("wrangler.toml is closed: AUTH is empty, and there are no keys", () => {
  const toml = readFileSync(new URL("../../../wrangler.toml", import.meta.url), "utf8");
  expect(toml).toMatch(/^AUTH = ""$/m);
  expect(toml).not.toMatch(/^API_KEYS/m);
});

describe("the rate of a key", () => {
  const withinRate = vi.fn(async (name: string) => name !== "alice");
  const app = closed({ withinRate });

  test("is counted by its name, and beyond it is a 429 that says when to come back", async () => {
    for (const key of ["alice-old", "alice-new"]) {
      const response = await app.request(`${URL_OUTSIDE}/v1/model`, { headers: bearer(key) });
      expect(response.status).toBe(429);
      expect(response.headers.get("retry-after")).toBe("60");
      expect(await response.json()).toMatchObject({ detail: "the key alice has used up its requests: wait 60 seconds" });
    }
    expect(await statusOf(app, "/v1/model", bearer("reading"))).toBe(200);
  });

  test("is not spent by who has no key, who may not, or who is local", async () => {
    withinRate.mockClear();
    await statusOf(app, "/v1/model", bearer("wrong"));
    await statusOf(app, "/v1/model", bearer("scoring"));
    await statusOf(app, "/health/live", bearer("alice-old"));
    const local = openApp(kernel, artifact, { withinRate });
    expect((await local.request("/v1/model")).status).toBe(200);
    expect(withinRate).not.toHaveBeenCalled();
  });

  test("who has no key, or a wrong one, has the rate of an address", async () => {
    const seen: string[] = [];
    const ask = async (path: string, headers: Record<string, string>, limited = true): Promise<number> => {
      const app = closed({ withinRate: async (name) => seen.push(name) > 0 && !(limited && name.startsWith("address ")) });
      return (await app.request(URL_OUTSIDE + path, { headers: { "cf-connecting-ip": "203.0.113.7", ...headers } })).status;
    };
    for (const path of ["/docs", "/openapi.json", "/hooks/nobody", "/v1/model", "/nowhere"]) expect(await ask(path, {}), path).toBe(429);
    expect(await ask("/v1/model", bearer("wrong"))).toBe(429);
    expect(await ask("/v1/model", bearer("wrong"), false)).toBe(401);
    expect(new Set(seen)).toEqual(new Set(["address 203.0.113.7"]));
    expect(await ask("/v1/model", bearer("reading"))).toBe(200); // right keys have their own
    expect(await ask("/health/ready", {})).toBe(200);
  });

  test("has the period of wrangler.toml", () => {
    const toml = readFileSync(new URL("../../../wrangler.toml", import.meta.url), "utf8");
    expect(toml).toMatch(new RegExp(`^simple = \\{ limit = \\d+, period = ${RATE_PERIOD_S} \\}$`, "m"));
  });
});

describe("pages of other origins", () => {
  const app = closed({ origins: ["https://app.example"] });
  const preflight = (origin: string): Promise<Response> =>
    Promise.resolve(
      app.request(`${URL_OUTSIDE}/v1/score`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" },
      }),
    );

  test("on the list may call, and read every answer", async () => {
    const allowed = await preflight("https://app.example");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(allowed.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(allowed.headers.get("vary")).toMatch(/^origin\b/i);
    for (const headers of [bearer("reading"), bearer("wrong")]) {
      const answer = await app.request(`${URL_OUTSIDE}/v1/model`, { headers: { origin: "https://app.example", ...headers } });
      expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
      expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
    }
  });

  test.each(["https://evil.example", "http://app.example", "https://app.example.evil", "null", "*"])(
    "%s is not on the list",
    async (origin) => {
      const refused = await preflight(origin);
      expect(refused.status).toBe(401);
      expect(refused.headers.has("access-control-allow-origin")).toBe(false);
      expect(refused.headers.get("vary")).toBe("origin");
    },
  );

  test("are none unless listed", async () => {
    const answer = await closed().request(`${URL_OUTSIDE}/health/live`, { headers: { origin: "https://app.example" } });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
  });
});

test("every answer carries the security headers and names artifact, code and request, errors included", async () => {
  const scoring = { method: "POST", body: BODY, headers: { ...bearer("alice-new"), "content-type": "application/json" } };
  const app = closed();
  for (const [path, init] of [
    ["/health/live", {}],
    ["/v1/model", { headers: bearer("reading") }],
    ["/v1/model", {}],
    ["/nowhere", { headers: bearer("rooting") }],
    ["/v1/score", scoring],
    ["/v1/score", { ...scoring, body: "{" }],
  ] as const) {
    const { headers: got } = await app.request(URL_OUTSIDE + path, { ...init, headers: { ...init.headers, "cf-ray": `ray ${path}` } });
    expect(Object.fromEntries(got), path).toMatchObject({
      "x-quickstep-model": expect.stringMatching(/^[0-9a-f]{64}$/),
      "x-quickstep-version": "0.1.0",
      "x-request-id": `ray ${path}`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "strict-transport-security": "max-age=31536000",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
  }
});

describe("one record a request", () => {
  async function recordsOf(ask: (app: App) => Promise<Response>): Promise<RequestRecord[]> {
    const records: RequestRecord[] = [];
    const response = await ask(closed({ log: (record) => records.push(record) }));
    await response.text();
    await new Promise((done) => setTimeout(done, 0));
    return records;
  }

  test("names key, route, status and count", async () => {
    const records = await recordsOf((app) =>
      Promise.resolve(
        app.request(`${URL_OUTSIDE}/v1/score?operatingPoint=sensitive`, {
          method: "POST",
          body: BODY,
          headers: { ...bearer("alice-new"), "content-type": "application/json", "cf-ray": "ray-AMS" },
        }),
      ),
    );
    expect(records).toEqual([
      {
        id: "ray-AMS",
        method: "POST",
        route: "/v1/score",
        status: 200,
        model: expect.stringMatching(/^[0-9a-f]{12}$/),
        version: "0.1.0",
        durationMs: expect.any(Number),
        key: "alice",
        sequences: 1,
      },
    ]);
  });

  test("of a stream, once it is over", async () => {
    const records = await recordsOf((app) =>
      Promise.resolve(
        app.request(`${URL_OUTSIDE}/v1/score`, {
          method: "POST",
          body: `[[1,2,3,4,5]]\n[]\n[[1,2,3,4,6]]`,
          headers: { ...bearer("alice-new"), "content-type": "application/x-ndjson" },
        }),
      ),
    );
    expect(records).toEqual([expect.objectContaining({ status: 200, sequences: 2, lineErrors: 1 })]);
  });

  test("names the problem, and holds no key, no input, nothing else of what the client wrote", async () => {
    const secret = "s3cret-value";
    for (const headers of [bearer(secret), bearer("alice-new"), {}]) {
      const records = await recordsOf((app) =>
        Promise.resolve(
          app.request(`${URL_OUTSIDE}/v1/${secret}?${secret}=${secret}`, {
            method: "POST",
            body: `{"${secret}":"${secret}"}`,
            headers: { ...headers, "user-agent": secret, "content-type": secret },
          }),
        ),
      );
      expect(records).toHaveLength(1);
      expect(records[0].problem).toBeOneOf(["unauthorised", "notFound"]);
      expect(JSON.stringify(records)).not.toContain(secret);
      expect(JSON.stringify(records)).not.toContain("alice-new");
    }
  });
});

test("the health of a closed Worker is told to those who watch it", async () => {
  expect((await postScore(closed(), BODY)).status).toBe(401);
  expect(await (await closed().request(`${URL_OUTSIDE}/health/ready`)).json()).toMatchObject({ ready: true });
});
