// The Worker as it is deployed: edge/worker.ts with edge/model.safetensors, whatever model that is.
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import artifact from "../../edge/model.safetensors";
import { forCommand, readDependencies } from "../../edge/worker-env.ts";
import { decodeArtifact } from "../../shared/artifact/artifact.ts";
import { VERSION } from "../../shared/version.ts";

const { recipe, golden, name } = decodeArtifact(new Uint8Array(artifact));
const sha256 = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", artifact)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");

const KEY = { authorization: "Bearer test-key-score-read" };
const get = (path: string, headers = {}) => exports.default.fetch(`https://edge.test${path}`, { headers: { ...KEY, ...headers } });

/** The golden inputs as a client sends them: T rows of F numbers. */
const sequences = Array.from(golden.probabilities, (_, k) =>
  Array.from({ length: recipe.timesteps }, (_, t) => {
    const from = (k * recipe.timesteps + t) * recipe.features.length;
    return [...golden.inputs.subarray(from, from + recipe.features.length)];
  }),
);

async function score(body: unknown): Promise<{ model: string; results: { probability: number }[] }> {
  const init = { method: "POST", headers: { ...KEY, "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await exports.default.fetch("https://edge.test/v1/score", init);
  expect(response.status).toBe(200);
  return response.json();
}

describe("the deployed Worker", () => {
  test("is live and ready", async () => {
    expect(await (await get("/health/live")).json()).toEqual({ live: true });
    const ready = await get("/health/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, model: `${name}@${sha256.slice(0, 12)}` });
  });

  test("answers every golden vector with the trainer's probability, bit for bit, through JSON", async () => {
    const { results } = await score({ sequences });
    expect(results).toHaveLength(golden.probabilities.length);
    results.forEach(({ probability }, k) => {
      expect(Math.fround(probability)).toBe(probability);
      expect(Object.is(probability, golden.probabilities[k]), `golden vector ${k}`).toBe(true);
    });
  });

  test("answers one at a time as it answers many", async () => {
    for (const k of [0, 7, 31]) {
      const { results } = await score({ sequence: sequences[k] });
      expect(results.map(({ probability }) => probability)).toEqual([golden.probabilities[k]]);
    }
  });

  test("names artifact, code and request in every response", async () => {
    for (const path of ["/", "/health/live", "/health/ready", "/v1/model", "/v1/score", "/nowhere"]) {
      const { headers } = await get(path, { "cf-ray": "8f0000000000abcd-AMS" });
      expect(headers.get("x-quickstep-model"), path).toBe(sha256);
      expect(headers.get("x-quickstep-version"), path).toBe(VERSION);
      expect(headers.get("x-request-id"), path).toBe("8f0000000000abcd-AMS");
    }
  });

  test("gives requests without a ray an id of their own", async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => (await get("/health/live")).headers.get("x-request-id")));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test("many requests at once get their own answers", async () => {
    const answers = await Promise.all(sequences.map((sequence) => score({ sequence })));
    answers.forEach(({ results }, k) => {
      expect(results[0].probability).toBe(golden.probabilities[k]);
    });
  });

  test("is shut to who has no key, and to a key without the scope", async () => {
    const outside = (path: string, headers = {}, method = "GET") => exports.default.fetch(`https://edge.test${path}`, { headers, method });
    for (const [path, method] of [
      ["/v1/model", "GET"],
      ["/v1/score", "POST"],
      [`/v2/models/${name}`, "GET"],
    ])
      expect((await outside(path, {}, method)).status, path).toBe(401);
    const reader = { authorization: "Bearer test-key-read" };
    expect((await outside("/v1/model", reader)).status).toBe(200);
    expect((await outside("/v1/score", reader, "POST")).status).toBe(403);
    for (const path of ["/", "/docs", "/openapi.json", "/health/ready", "/v2/health/ready"])
      expect((await outside(path)).status, path).toBe(200);
  });

  test("serves the page that the build put together, with a policy of its own", async () => {
    const page = await (await get("/")).text();
    expect(page).toMatch(/http-equiv="content-security-policy" content="default-src 'none'; [^"]*script-src 'sha256-/);
    expect(page).not.toContain("{{");
  });

  test.each(["deploy", "versions upload", "", "Dev"])("does not know AUTH=open where wrangler's command was %j", (command) => {
    expect(readAccess(forCommand({ AUTH: "open" }, command)).openLocally).toBe(false);
    expect(readAccess(forCommand({ AUTH: "opn" }, command)).fault).toMatch(/AUTH must be open or empty/);
  });

  test("knows AUTH=open where `wrangler dev` built it", () => {
    expect(readAccess(forCommand({ AUTH: "open" }, "dev")).openLocally).toBe(true);
  });

  test("has the rate limit of wrangler.toml bound", async () => {
    expect(await readDependencies(env).withinRate!("a key of its own")).toBe(true);
  });

  test("streams lines, and takes what else it takes, with the trainer's bits", async () => {
    const send = (type: string, body: BodyInit) =>
      exports.default.fetch("https://edge.test/v1/score", { method: "POST", headers: { ...KEY, "content-type": type }, body });
    const lines = await (await send("application/x-ndjson", sequences.map((sequence) => JSON.stringify(sequence)).join("\n"))).text();
    const streamed = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).probability);
    expect(Float32Array.from(streamed)).toEqual(golden.probabilities);
    const octets = await send("application/octet-stream", new Uint8Array(golden.inputs.slice().buffer));
    expect(Float32Array.from(new Float64Array(await octets.arrayBuffer()))).toEqual(golden.probabilities);
  });
});
