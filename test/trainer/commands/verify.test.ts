// verify against the app itself, whole and tampered with, on a socket of its own.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { createApp } from "../../../edge/app.ts";
import { readAccess } from "../../../edge/http/access.ts";
import type { Bucket } from "../../../edge/models/bucket.ts";
import { artifactKey, pointerKey } from "../../../edge/models/pointer.ts";
import { Registry } from "../../../edge/models/registry.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import type { Predictor } from "../../../shared/members.ts";
import { findVersion, verify, type WorkerVersion } from "../../../trainer/commands/verify.ts";
import { type App, DEPENDENCIES, openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { INPUTS, type ModelOptions, makeModel } from "../../fixtures/model.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));
const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const path = join(folder, "fx.safetensors");
writeFileSync(path, artifact);

const engines = {
  module: kernel,
  kernel: instantiateKernel(kernel),
  createEngine: (predictor: Predictor) => createWasmEngine(kernel, predictor),
};

let server: Server | undefined;
afterEach(() => server?.close());

/** Serves `app`, each answer passed through `change`. */
async function listen(app: App, change: (response: Response) => Response | Promise<Response> = (response) => response): Promise<string> {
  server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const headers = incoming.headers as Record<string, string>;
    const response = await change(
      await app.request(`http://${headers.host}${incoming.url}`, { method: incoming.method, headers, body: Buffer.concat(chunks) }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function verified(url: string, key?: string, file = path, version?: WorkerVersion): Promise<string> {
  const printed: string[] = [];
  await verify({ url, artifact: file, key, version, json: false }, engines, { print: (line: string) => printed.push(line) });
  return printed.join("\n");
}

test("a deployment of the artifact is verified, bit for bit", async () => {
  const url = await listen(openApp(kernel, artifact));
  expect(await verified(`${url}/`)).toMatch(
    /serves fx@[0-9a-f]{12} with quickstep 0\.1\.0: 32 golden vectors as JSON and as float64, bit for bit$/,
  );
});

test("a model of the registry is verified by its name; one that is not there, and another artifact, are told", async () => {
  const open = (bytes: Uint8Array<ArrayBuffer>) => ({
    servable: openModel(bytes, engines.kernel.log, engines.createEngine),
    bytes: bytes.length,
  });
  const sha256 = createHash("sha256").update(artifact).digest("hex");
  const objects = new Map([
    [pointerKey("north"), Buffer.from(JSON.stringify({ sha256 }))],
    [artifactKey("north", sha256), Buffer.from(artifact)],
  ]);
  const bucket: Bucket = {
    async get(key) {
      const value = objects.get(key);
      return value === undefined
        ? null
        : { etag: "", size: value.length, text: async () => `${value}`, arrayBuffer: async () => new Uint8Array(value).buffer };
    },
    put: async () => null,
    list: async () => ({ delimitedPrefixes: [], truncated: false }),
  };
  const { servable: bundled } = open(encodeArtifact(makeModel(kernel, { name: "fx", seed: 2 })));
  const url = await listen(createApp(new Registry({ bundled, bucket, open, now: () => 0, log: () => {} }), DEPENDENCIES));
  const ask = (name?: string) =>
    verify({ url, artifact: path, name, json: false }, engines, { print: (line: string) => printed.push(line) });
  const printed: string[] = [];
  await ask("north");
  expect(printed).toEqual([expect.stringMatching(new RegExp(`serves north@${sha256.slice(0, 12)} with quickstep .*bit for bit$`))]);
  await expect(ask()).rejects.toThrow(/serves the artifact [0-9a-f]{12}, expected fx@/);
  await expect(ask("south")).rejects.toThrow("answered 404: there is no model south");
});

test.each(["application/json", "application/octet-stream"])("one bit of one probability as %s is found", async (type) => {
  const url = await listen(openApp(kernel, artifact), async (response) => {
    if (!response.headers.get("content-type")!.startsWith(type)) return response;
    const { headers } = response;
    if (type === "application/json") {
      const answer = await response.json();
      const bits = new Uint32Array(Float32Array.of(answer.results[17].probability).buffer);
      bits[0] ^= 1;
      answer.results[17].probability = new Float32Array(bits.buffer)[0];
      return Response.json(answer, { headers: { "x-quickstep-model": headers.get("x-quickstep-model")! } });
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    bytes[17 * 8] ^= 1;
    return new Response(bytes, { headers });
  });
  await expect(verified(url)).rejects.toThrow(/golden vector 17 as \w+ scored .*, expected .*: roll this version back$/);
});

test("another artifact of the same name is told apart", async () => {
  const url = await listen(openApp(kernel, encodeArtifact(makeModel(kernel, { name: "fx", seed: 2 }))));
  await expect(verified(url)).rejects.toThrow(/serves the artifact [0-9a-f]{12}, expected fx@[0-9a-f]{12}: deploy it/);
});

test("a key is sent, and asked for where it is missing", async () => {
  const access = readAccess({ API_KEYS: `deploy:${createHash("sha256").update("secret").digest("hex")}:score` });
  const url = await listen(openApp(kernel, artifact, { access }));
  expect(await verified(url, "secret")).toContain("bit for bit");
  await expect(verified(url)).rejects.toThrow(/answered 401: .*; a key goes into the variable QUICKSTEP_KEY$/);
});

test("a large model goes in parts", async () => {
  const large = encodeArtifact(
    makeModel(kernel, {
      timesteps: 100,
      features: Array.from({ length: 30 }, (_, f) => `f${f}`),
      units: 1,
      channels: [{ base: "feature", a: 1, view: "level" }],
    }),
  );
  const file = join(folder, "large.safetensors");
  writeFileSync(file, large);
  expect(await verified(await listen(openApp(kernel, large)), undefined, file)).toContain("32 golden vectors");
});

test.each<[string, (response: Response) => Response, RegExp]>([
  ["a page", () => new Response("<html>"), /answered 200 without the header x-quickstep-model: this is no Quickstep Worker$/],
  [
    "a redirect",
    () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
    /answered 302 without the header/,
  ],
  [
    "something else",
    (response) => new Response("{}", { headers: response.headers }),
    /answered something else than probabilities as JSON$/,
  ],
  [
    "too few",
    (response) => new Response('{"results":[]}', { headers: response.headers }),
    /answered 0 probabilities to 32 golden vectors$/,
  ],
])("%s is no servable", async (_, change, message) => {
  await expect(verified(await listen(openApp(kernel, artifact), change))).rejects.toThrow(message);
});

test("nobody there is said so", async () => {
  await expect(verified("http://127.0.0.1:9")).rejects.toThrow(/cannot be reached/);
});

describe("--version", () => {
  test("of the command is not that of the program", () => {
    const main = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
    const argv = [main, "verify", "http://127.0.0.1:9", "--artifact", path, "--version", "not an id", "--worker", "quickstep"];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    expect(stderr).toMatch(
      /^quickstep: --version must be the id that wrangler versions list shows, got not an id\nsee .* verify --help\n$/,
    );
    expect(status).toBe(2);
  });

  const NEW = "9d2b4f0e-3c1a-4f7b-8a54-0f6f2c1f9f11";
  const old = encodeArtifact(makeModel(kernel, { name: "fx", seed: 2 }));

  /** As Cloudflare does: the version that the header asks for where it is part of the deployment, else the deployment's own choice. */
  async function deploy(): Promise<{ url: string; asked: (string | undefined)[] }> {
    const asked: (string | undefined)[] = [];
    const apps = { old: openApp(kernel, old), new: openApp(kernel, artifact) };
    const served = createServer(async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const headers = incoming.headers as Record<string, string>;
      asked.push(headers["cloudflare-workers-version-overrides"]);
      const app = asked.at(-1) === `quickstep="${NEW}"` ? apps.new : apps.old;
      const response = await app.request(`http://${headers.host}${incoming.url}`, {
        method: incoming.method,
        headers,
        body: Buffer.concat(chunks),
      });
      outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(Buffer.from(await response.arrayBuffer()));
    });
    server = served;
    await new Promise<void>((done) => served.listen(0, "127.0.0.1", done));
    return { url: `http://127.0.0.1:${(served.address() as AddressInfo).port}`, asked };
  }

  test("asks that version with every request, and says that it answered", async () => {
    const { url, asked } = await deploy();
    expect(await verified(url, undefined, path, { worker: "quickstep", id: NEW })).toMatch(
      new RegExp(`serves fx@[0-9a-f]{12} with quickstep 0\\.1\\.0 as version ${NEW}: 32 golden vectors`),
    );
    expect(asked).toEqual([`quickstep="${NEW}"`, `quickstep="${NEW}"`]);
  });

  test("without it no version is asked for", async () => {
    const { url, asked } = await deploy();
    await expect(verified(url)).rejects.toThrow(/expected fx@[0-9a-f]{12}: deploy it, or name the artifact/);
    expect(asked).toEqual([undefined]);
  });

  test("a version that was not reached is said so", async () => {
    const { url } = await deploy();
    await expect(verified(url, undefined, path, { worker: "quickstep", id: "another" })).rejects.toThrow(
      /serves the artifact [0-9a-f]{12}, expected fx@[0-9a-f]{12}: version another of quickstep was not reached, or it holds another artifact/,
    );
  });

  test("takes the Worker's name from --worker, or from wrangler.toml", () => {
    const config = '# name = "comment"\nname = "mine" # ours\nmain = "worker.js"\n[env.onnx]\nname = "other"\n';
    expect(findVersion({ version: NEW }, config)).toEqual({ worker: "mine", id: NEW });
    expect(findVersion({ version: NEW, worker: "theirs" }, config)).toEqual({ worker: "theirs", id: NEW });
    expect(findVersion({}, config)).toBeUndefined();
    expect(() => findVersion({ version: NEW }, "")).toThrow(/^--version needs the Worker's name: .*--worker NAME$/);
    expect(() => findVersion({ worker: "theirs" }, config)).toThrow("--worker goes with --version ID");
    expect(() => findVersion({ version: 'x", y="z' }, config)).toThrow(/^--version must be the id that wrangler versions list shows/);
    expect(() => findVersion({ version: NEW, worker: "a b" }, config)).toThrow(/^--worker must be a Worker's name/);
  });
});

test.each<[string, ModelOptions]>([
  ["statics and categories", { inputs: INPUTS }],
  ["categories in rows and gaps", { inputs: INPUTS.filter((input) => !input.static), gaps: [0] }],
])("a model with %s is verified: golden vectors as numbers, a sample as JSON", async (_, options) => {
  const bytes = encodeArtifact(
    makeModel(kernel, { name: "fx", timesteps: 3, channels: [{ base: "feature", a: 0, view: "delta" }], ...options }),
  );
  const file = join(folder, "given.safetensors");
  writeFileSync(file, bytes);
  expect(await verified(await listen(openApp(kernel, bytes)), undefined, file)).toMatch(
    /: 32 golden vectors as float64, and a sample as JSON, bit for bit$/,
  );
  server?.close();
  const off = await listen(openApp(kernel, bytes), async (response) => {
    if (!response.headers.get("content-type")?.includes("json")) return response;
    const { results } = (await response.json()) as { results: { probability: number }[] };
    results[0].probability += 2 ** -50;
    return Response.json({ results }, { headers: response.headers });
  });
  await expect(verified(off, undefined, file)).rejects.toThrow(/sample 0 as JSON scored [\d.]+, expected [\d.]+: roll this version back$/);
});
