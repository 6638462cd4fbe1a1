// The registry of models on workerd's R2: what is published answers, with its own bits; what is damaged, lost or away never does, and what
// was there stays.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import { digestOf } from "../../edge/http/hashes.ts";
import type { Bucket } from "../../edge/models/bucket.ts";
import { artifactKey, pointerKey } from "../../edge/models/pointer.ts";
import { Registry, type RegistrySettings } from "../../edge/models/registry.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { score } from "../../shared/model.ts";
import { artifactOpener, DEPENDENCIES } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

const { TEST_MODELS: r2, API_KEYS } = env as unknown as { TEST_MODELS: Bucket & { delete(key: string): Promise<void> }; API_KEYS: string };
const ADMIN = { authorization: "Bearer test-key-admin" };
const { log } = instantiateKernel(kernel);
const open = artifactOpener(kernel);

/** Models of one shape that answer differently. */
const models = [2, 3, 5, 7].map((seed) => makeModel(kernel, { name: "fx", units: 8 + seed }));
const artifacts = models.map((model) => encodeArtifact(model));
const hashes = await Promise.all(artifacts.map(digestOf));
const [bundled, A, B, C] = artifacts;
const [bundledHash, a, b, c] = hashes;
const rows = (k: number) => {
  const { timesteps: T, features } = models[0].recipe;
  const F = features.length;
  return Array.from({ length: T }, (_, t) => [...models[0].golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F)]);
};
const sequence = rows(models[0].golden.probabilities.length - 3);
/** What each artifact answers to `sequence`. */
const bits = new Map<string, number>();

/** A bucket that a test watches and breaks. */
interface Rig {
  readonly bucket: Bucket;
  readonly read: string[];
  /** Called before each call goes on; what it throws is the bucket's failure. */
  before: (call: "get" | "put" | "list", key: string) => void | Promise<void>;
  clock: number;
  readonly app: ReturnType<typeof createApp>;
}

function openRig(settings: Partial<RegistrySettings> = {}): Rig {
  const rig: Omit<Rig, "app" | "bucket"> & { app?: Rig["app"] } = { read: [], before: () => {}, clock: Date.UTC(2026, 0, 1) };
  const bucket: Bucket = {
    async get(key) {
      rig.read.push(key);
      await rig.before("get", key);
      return r2.get(key);
    },
    async put(key, value, options) {
      await rig.before("put", key);
      return r2.put(key, value, options);
    },
    async list(options) {
      await rig.before("list", "");
      return r2.list(options);
    },
  };
  const now = () => rig.clock;
  const registry = new Registry({ bundled: open(bundled).servable, bucket, open, now, log: () => {}, settings });
  const app = createApp(registry, {
    ...DEPENDENCIES,
    access: readAccess({ API_KEYS }),
    now,
    registry: { registry, bucket, open, now, artifact: bundled },
  });
  return Object.assign(rig, { app, bucket });
}

const put = (rig: Rig, name: string, bytes: BodyInit, sha256: string, query = "") =>
  rig.app.request(`https://edge.test/v1/models/${name}?sha256=${sha256}${query}`, {
    method: "PUT",
    body: bytes,
    headers: ADMIN,
    duplex: "half",
  } as RequestInit);

async function ask(rig: Rig, headers: Record<string, string> = {}, path = "/v1/score") {
  const init = {
    method: "POST",
    headers: { ...ADMIN, "content-type": "application/json", ...headers },
    body: JSON.stringify({ sequence }),
  };
  const response = await rig.app.request(`https://edge.test${path}`, init);
  const body = (await response.json()) as { model: string; detail?: string; results?: { probability: number }[] };
  return {
    status: response.status,
    hash: response.headers.get("x-quickstep-model"),
    unread: response.headers.get("x-quickstep-registry"),
    ...body,
    probability: body.results?.[0].probability,
  };
}

/** What the health route says of the registry. */
async function faultsOf(rig: Rig): Promise<Record<string, string>> {
  return (
    ((await (await rig.app.request("https://edge.test/health/ready", { headers: ADMIN })).json()) as { registry?: Record<string, string> })
      .registry ?? {}
  );
}

async function expectAnswers(rig: Rig, hash: string, headers = {}): Promise<void> {
  const answer = await ask(rig, headers);
  expect(answer).toMatchObject({ status: 200, hash, model: `fx@${hash.slice(0, 12)}` });
  expect(answer.probability).toBe(bits.get(hash));
}

/** The same bytes, said to be of a format that this code does not read. */
function ofNewerFormat(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = new TextDecoder("latin1").decode(bytes).indexOf("quickstep/2");
  bytes[at + "quickstep/".length] = "9".charCodeAt(0);
  return bytes;
}

const pointerOf = async (name = "fx") => JSON.parse((await (await r2.get(pointerKey(name)))?.text()) ?? "null");

for (const [i, artifact] of artifacts.entries()) {
  const { servable } = open(artifact);
  if ("unready" in servable) throw new Error(servable.unready);
  const { timesteps: T, features } = servable.model.recipe;
  const values = new Float64Array(T * features.length);
  for (const [t, row] of sequence.entries()) values.set(row, t * features.length);
  bits.set(hashes[i], score(servable.model, servable.engine, log, values).probabilities[0]);
}

beforeEach(async () => {
  for (const name of ["fx", "other", "third"]) {
    await r2.delete(pointerKey(name));
    for (const hash of hashes) await r2.delete(artifactKey(name, hash));
  }
});

describe("publishing", () => {
  test("what nobody published is the bundled model's, and is said to be read", async () => {
    const rig = openRig();
    await expectAnswers(rig, bundledHash);
    expect(await ask(rig)).toMatchObject({ unread: null });
    expect(await faultsOf(rig)).toEqual({});
  });

  test("the models answer differently: else nothing here could fail", () => {
    expect(new Set(bits.values()).size).toBe(artifacts.length);
  });

  test("an artifact answers from the next request on, and rolls back", async () => {
    const rig = openRig();
    await expectAnswers(rig, bundledHash);
    expect((await put(rig, "fx", A, a)).status).toBe(200);
    await expectAnswers(rig, a);
    expect(await pointerOf()).toMatchObject({ sha256: a, by: "root", revision: expect.any(String), when: "2026-01-01T00:00:00.000Z" });
    await put(rig, "fx", B, b);
    await expectAnswers(rig, b);
    const back = await rig.app.request("https://edge.test/v1/models/fx/rollback", { method: "POST", headers: ADMIN });
    expect(await back.json()).toMatchObject({ name: "fx", sha256: a, previous: b });
    await expectAnswers(rig, a);
    const list = await rig.app.request("https://edge.test/v1/models", { headers: ADMIN });
    expect(await list.json()).toMatchObject({ defaultModel: "fx", models: [{ name: "fx", sha256: a, previous: b }] });
  });

  test("the first publication rolls back to the bundled artifact, which another deployment may no longer have", async () => {
    const rig = openRig();
    await expectAnswers(rig, bundledHash);
    await put(rig, "fx", A, a);
    expect(await pointerOf()).toMatchObject({ sha256: a, previous: bundledHash });
    const back = await rig.app.request("https://edge.test/v1/models/fx/rollback", { method: "POST", headers: ADMIN });
    expect(await back.json()).toMatchObject({ sha256: bundledHash, previous: a });
    await expectAnswers(rig, bundledHash);
    expect(new Uint8Array((await (await r2.get(artifactKey("fx", bundledHash)))?.arrayBuffer()) ?? [])).toEqual(bundled);
  });

  test("under another name than the bundled artifact's nothing answered before: there is nothing to go back to", async () => {
    const rig = openRig();
    await put(rig, "other", A, a);
    const back = await rig.app.request("https://edge.test/v1/models/other/rollback", { method: "POST", headers: ADMIN });
    expect(await back.json()).toMatchObject({ detail: "other has no previous artifact to go back to" });
  });

  test("is for admins alone", async () => {
    const rig = openRig();
    const headers = { authorization: "Bearer test-key-score-read" };
    for (const [path, method] of [
      [`fx?sha256=${a}`, "PUT"],
      ["fx/rollback", "POST"],
      ["fx/challenger", "DELETE"],
    ])
      expect(
        (await rig.app.request(`https://edge.test/v1/models/${path}`, { method, headers, ...(method !== "DELETE" && { body: A }) })).status,
      ).toBe(403);
    expect((await rig.app.request("https://edge.test/v1/models", { headers })).status).toBe(200);
  });

  test("a truncated upload is a 400 that says what came, and nothing is stored", async () => {
    const rig = openRig();
    const response = await put(rig, "fx", A.slice(0, A.length - 1), a);
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
      400,
      expect.stringContaining(`expected ${a}`),
    ]);
    expect([await r2.get(artifactKey("fx", a)), await pointerOf()]).toEqual([null, null]);
  });

  test("an upload that is killed half-way stores nothing", async () => {
    const rig = openRig();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(A.slice(0, 1000));
      },
      pull(controller) {
        controller.error(new Error("the connection was reset"));
      },
    });
    expect((await put(rig, "fx", body, a)).status).toBe(400);
    expect([await r2.get(artifactKey("fx", a)), await pointerOf()]).toEqual([null, null]);
  });

  test.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>, RegExp]>([
    ["damaged", (bytes) => bytes.with(bytes.length - 40, bytes.at(-40)! ^ 1) as Uint8Array<ArrayBuffer>, /checksum is/],
    ["of a newer format", ofNewerFormat, /quickstep\/9/],
    [
      "whose goldens differ",
      () => encodeArtifact({ ...models[1], recipe: { ...models[1].recipe, padding: "any" } }),
      /golden vector \d+ scored/,
    ],
  ])("an artifact %s moves no pointer", async (_, change, reason) => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    const bytes = change(B.slice());
    const response = await put(rig, "fx", bytes, await digestOf(bytes));
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([422, expect.stringMatching(reason)]);
    expect(await pointerOf()).toMatchObject({ sha256: a });
    await expectAnswers(rig, a);
  });

  test("of two publishers at once one wins, and the other hears of it", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    let meanwhile = true;
    rig.before = async (call, key) => {
      if (call !== "put" || key !== pointerKey("fx") || !meanwhile) return;
      meanwhile = false;
      expect((await put(openRig(), "fx", C, c)).status).toBe(200);
    };
    const loser = await put(rig, "fx", B, b);
    expect([loser.status, ((await loser.json()) as { type: string }).type]).toEqual([409, "urn:quickstep:problem:moved"]);
    expect(await pointerOf()).toMatchObject({ sha256: c, previous: a });
  });

  test("after A, B, A a publisher that read the first A loses: its condition is on that very write", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    let meanwhile = true;
    rig.before = async (call, key) => {
      if (call !== "put" || key !== pointerKey("fx") || !meanwhile) return;
      meanwhile = false;
      const other = openRig();
      await put(other, "fx", B, b);
      await put(other, "fx", A, a);
    };
    expect((await put(rig, "fx", C, c)).status).toBe(409);
    expect(await pointerOf()).toMatchObject({ sha256: a, previous: b });
  });

  test("of two first publishers one creates the pointer", async () => {
    const rig = openRig();
    let meanwhile = true;
    rig.before = async (call, key) => {
      if (call !== "put" || key !== pointerKey("fx") || !meanwhile) return;
      meanwhile = false;
      await put(openRig(), "fx", A, a);
    };
    expect((await put(rig, "fx", B, b)).status).toBe(409);
    expect(await pointerOf()).toMatchObject({ sha256: a });
  });

  test.each(["a:b", "..", "a%2Fb", ""])("the name %j is none", async (name) => {
    expect((await put(openRig(), name, A, a)).status).toBeGreaterThanOrEqual(400);
  });
});

describe("a swap", () => {
  test("is looked for every ten seconds by one request, and the pointer may be put by hand", async () => {
    const rig = openRig();
    await expectAnswers(rig, bundledHash);
    await r2.put(artifactKey("fx", a), A);
    await r2.put(pointerKey("fx"), JSON.stringify({ sha256: a }));
    const { length } = rig.read;
    for (let second = 1; second < 10; second++) {
      rig.clock += 1000;
      await expectAnswers(rig, bundledHash);
    }
    expect(rig.read).toHaveLength(length);
    rig.clock += 1000;
    await Promise.all(Array.from({ length: 5 }, () => ask(rig))); // which start the look and do not wait for it
    await expect.poll(async () => (await ask(rig)).hash).toBe(a);
    expect(rig.read.slice(length)).toEqual([pointerKey("fx"), artifactKey("fx", a)]);
    await expectAnswers(rig, a);
  });

  test("a cold isolate waits a second at most for a bucket that hangs, then serves what it has and says so", async () => {
    const rig = openRig({ patienceMs: 50 });
    rig.before = () => new Promise((done) => setTimeout(done, 400));
    expect(await ask(rig)).toMatchObject({ status: 200, hash: bundledHash, unread: "unread" });
    expect(await faultsOf(rig)).toEqual({ fx: "the bucket did not answer within 50 ms" });
    expect(await ask(rig)).toMatchObject({ hash: bundledHash });
  });

  test("whose bucket is away keeps what is loaded, says so, and ends with the fault", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    await expectAnswers(rig, a);
    rig.before = () => {
      throw new Error("R2 is down");
    };
    rig.clock += 61_000;
    expect(await ask(rig)).toMatchObject({ status: 200, hash: a, unread: "unread" });
    expect((await faultsOf(rig)).fx).toMatch(/the bucket does not answer \(Error: R2 is down\)/);
    expect((await put(rig, "fx", B, b)).status).toBe(503);
    rig.before = () => {};
    rig.clock += 61_000;
    expect(await ask(rig)).toMatchObject({ hash: a, unread: null });
    expect(await faultsOf(rig)).toEqual({});
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a pointer to nothing", () => r2.put(pointerKey("fx"), JSON.stringify({ sha256: b })), /which the pointer names, is not there/],
    ["a pointer that is gone", () => r2.delete(pointerKey("fx")), /current is gone: what was loaded answers/],
    ["a pointer that is no JSON", () => r2.put(pointerKey("fx"), "{"), /is no JSON/],
    ["a pointer without a hash", () => r2.put(pointerKey("fx"), "{}"), /must have sha256/],
    [
      "an object that is cut short",
      async () => {
        await r2.put(artifactKey("fx", b), B.slice(0, 2000));
        await r2.put(pointerKey("fx"), JSON.stringify({ sha256: b }));
      },
      /has the SHA-256 .*damaged or cut short/,
    ],
  ])("to %s keeps what is loaded, and says why", async (_, harm, reason) => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    await expectAnswers(rig, a);
    await harm();
    rig.clock += 61_000;
    await expectAnswers(rig, a);
    expect((await faultsOf(rig)).fx).toMatch(reason);
  });

  test("an object that is lost does not matter while it is loaded, and a cold isolate serves the bundled one and says why", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    await expectAnswers(rig, a);
    await r2.delete(artifactKey("fx", a));
    rig.clock += 61_000;
    await expectAnswers(rig, a);
    const cold = openRig();
    expect(await ask(cold)).toMatchObject({ hash: bundledHash, unread: "unread" });
    expect((await faultsOf(cold)).fx).toMatch(/is not there/);
  });
});

describe("a request may pin", () => {
  test("the current, the previous and the bundled artifact; any other is a 409 without a read", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    await put(rig, "fx", B, b);
    await expectAnswers(rig, b);
    for (const hash of [a, b, bundledHash]) await expectAnswers(rig, hash, { "x-quickstep-model": hash });
    const { length } = rig.read;
    for (const pin of [c, "0".repeat(64), "current"]) expect(await ask(rig, { "x-quickstep-model": pin })).toMatchObject({ status: 409 });
    expect(rig.read).toHaveLength(length);
  });
});

describe("a challenger", () => {
  test("answers its share, the same keys always, and none once it is withdrawn; one of another shape answers nothing", async () => {
    const rig = openRig();
    await put(rig, "fx", A, a);
    expect((await put(rig, "fx", B, b, "&share=0.5")).status).toBe(200);
    const byKey = async () => {
      const hashes = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await ask(rig, { "x-quickstep-key": `k${i}` })).hash));
      return hashes;
    };
    await byKey(); // the look
    const first = await byKey();
    expect(new Set(first)).toEqual(new Set([a, b]));
    expect(await byKey()).toEqual(first);
    expect(Math.abs(first.filter((hash) => hash === b).length - 20)).toBeLessThan(12);
    expect((await rig.app.request("https://edge.test/v1/models/fx/challenger", { method: "DELETE", headers: ADMIN })).status).toBe(200);
    await ask(rig);
    expect(new Set(await byKey())).toEqual(new Set([a]));
    const narrow = encodeArtifact(makeModel(kernel, { name: "fx", timesteps: 4 }));
    await put(rig, "fx", narrow, await digestOf(narrow), "&share=1");
    await ask(rig);
    expect(new Set(await byKey())).toEqual(new Set([a]));
    expect((await faultsOf(rig)).fx).toMatch(/takes other features or steps/);
  });
});

describe("several models", () => {
  test("answer under their names in every protocol, and one that there is not is a 404 that costs one look", async () => {
    const rig = openRig();
    expect((await put(rig, "other", B, b)).status).toBe(200);
    expect(await ask(rig, {}, "/v1/models/other/score")).toMatchObject({
      status: 200,
      hash: b,
      model: `other@${b.slice(0, 12)}`,
      probability: bits.get(b),
    });
    await expectAnswers(rig, bundledHash);
    const predicted = await rig.app.request("https://edge.test/v1/models/other:predict", {
      method: "POST",
      headers: ADMIN,
      body: JSON.stringify({ instances: [sequence] }),
    });
    expect(await predicted.json()).toEqual({ predictions: [[bits.get(b)]] });
    expect(await (await rig.app.request("https://edge.test/v2/models/other", { headers: ADMIN })).json()).toMatchObject({
      name: "other",
      versions: [b.slice(0, 12), "1"],
    });
    const { length } = rig.read;
    for (let i = 0; i < 5; i++) expect(await ask(rig, {}, "/v1/models/nobody/score")).toMatchObject({ status: 404 });
    expect(rig.read.slice(length)).toEqual([pointerKey("nobody")]);
  });

  test("are all in v2's repository index, what is wrong with one included, and have statistics of their own", async () => {
    const rig = openRig();
    const json = async (path: string, method = "GET", body?: string) =>
      (
        await rig.app.request(`https://edge.test${path}`, { method, headers: { ...ADMIN, "content-type": "application/json" }, body })
      ).json();
    await put(rig, "other", B, b);
    await r2.put(pointerKey("third"), "{");
    const index = (await json("/v2/repository/index", "POST")) as { name: string }[];
    expect(index.sort((one, two) => (one.name < two.name ? -1 : 1))).toEqual([
      { name: "fx", version: bundledHash.slice(0, 12), state: "READY", reason: "" },
      { name: "other", version: b.slice(0, 12), state: "READY", reason: "" },
      { name: "third", version: "", state: "UNAVAILABLE", reason: expect.stringContaining("is no JSON") },
    ]);
    const data = sequence.flat();
    const inputs = [{ name: "x", datatype: "FP64", shape: [1, sequence.length, sequence[0].length], data }];
    for (const name of ["other", "other", "fx"]) await json(`/v2/models/${name}/infer`, "POST", JSON.stringify({ inputs }));
    const counted = async (path: string) => {
      const { model_stats } = (await json(path)) as { model_stats: { name: string; version: string; inference_count: number }[] };
      return Object.fromEntries(model_stats.map((one) => [`${one.name}@${one.version}`, one.inference_count]));
    };
    const other = { [`other@${b.slice(0, 12)}`]: 2 };
    expect(await counted("/v2/models/other/stats")).toEqual(other);
    expect(await counted("/v2/models/stats")).toEqual({ ...other, [`fx@${bundledHash.slice(0, 12)}`]: 1, "third@": 0 });
  });

  test("beyond the isolate's room the one asked for longest ago is dropped, and read again when it is asked for; the default one stays", async () => {
    const { bytes } = open(A);
    const rig = openRig({ maxBytes: Math.floor(2.5 * bytes) });
    for (const [name, artifact, hash] of [
      ["fx", A, a],
      ["other", B, b],
      ["third", C, c],
    ] as const) {
      expect((await put(rig, name, artifact, hash)).status).toBe(200);
      rig.clock += 1;
      expect(await ask(rig, {}, `/v1/models/${name}/score`)).toMatchObject({ status: 200, hash });
    }
    const { length } = rig.read;
    await expectAnswers(rig, a);
    expect(rig.read).toHaveLength(length);
    expect(await ask(rig, {}, "/v1/models/other/score")).toMatchObject({ status: 200, probability: bits.get(b) });
    expect(rig.read.slice(length)).toContain(artifactKey("other", b));
  });
});
