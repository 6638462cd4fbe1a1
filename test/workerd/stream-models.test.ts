// Streams and webhooks of models that a registry holds, on workerd's own objects and R2: which model scores what, and what becomes of a
// window when its model is swapped, changes its shape, or is not there.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../edge/app.ts";
import { readAccess } from "../../edge/http/access.ts";
import { digestOf } from "../../edge/http/hashes.ts";
import type { Bucket } from "../../edge/models/bucket.ts";
import type { ServedModel } from "../../edge/models/models.ts";
import { artifactKey, pointerKey } from "../../edge/models/pointer.ts";
import { Registry } from "../../edge/models/registry.ts";
import { shardOf } from "../../edge/streams/directory.ts";
import { readEndpoints } from "../../edge/streams/endpoints.ts";
import { createObjectStore, directoryOf, type Namespace } from "../../edge/streams/object-store.ts";
import type { ObjectContext } from "../../edge/streams/storage.ts";
import { Stream } from "../../edge/streams/stream.ts";
import type { StreamObject } from "../../edge/streams/stream-object.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../shared/engine.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { score } from "../../shared/model.ts";
import { artifactOpener, DEPENDENCIES } from "../fixtures/app.ts";
import { type ModelOptions, makeModel } from "../fixtures/model.ts";

const { TEST_MODELS: r2, API_KEYS } = env as unknown as { TEST_MODELS: Bucket & { delete(key: string): Promise<void> }; API_KEYS: string };
const ADMIN = { authorization: "Bearer test-key-admin" };
const { log } = instantiateKernel(kernel);
const open = artifactOpener(kernel);
const T = 10;
const START = Date.UTC(2026, 0, 31);
/** Seconds since 1970. */
const timeOf = (n: number): number => START / 1000 - 3600 + n;

/** An artifact with what it scores of rows. */
async function artifactOf(options: ModelOptions) {
  const model = makeModel(kernel, options);
  const bytes = encodeArtifact(model);
  const sha256 = await digestOf(bytes);
  const { servable } = open(bytes);
  if ("unready" in servable) throw new Error(servable.unready);
  const { timesteps, features } = servable.model.recipe;
  const probabilityOf = (rows: readonly (readonly number[])[]): number => {
    const values = new Float64Array(timesteps * features.length);
    for (const [i, row] of rows.entries()) values.set(row, (timesteps - rows.length + i) * features.length);
    return score(servable.model, servable.engine, log, values).probabilities[0];
  };
  return { bytes, sha256, hash: sha256.slice(0, 12), probabilityOf };
}

const BUNDLED = await artifactOf({ name: "fx" });
const A = await artifactOf({ name: "north", units: 9 });
const B = await artifactOf({ name: "north", units: 11 });
const C = await artifactOf({ name: "north", units: 13 });
const NARROW = await artifactOf({ name: "north", features: ["a", "b"], channels: [{ base: "feature", a: 0, view: "level" }] });

const CONFIGURATION = {
  TOKEN: "a token of sixteen characters",
  STREAM_MODELS: { "north-*": { model: "north" } },
  SOURCES: {
    alerts: {
      ...{ scheme: "token", secrets: ["TOKEN"], token: "path", model: "north", streams: ["gauge-*"] },
      ...{ key: "/key", id: "/id", timestamp: "/at", values: "/row" },
    },
  },
};

/** One isolate's registry, whose bucket a test may break. */
function openRegistry(clock: { now: number; isDown?: boolean }) {
  const bucket: Bucket = {
    get: async (key) => (clock.isDown ? Promise.reject(new Error("R2 is down")) : r2.get(key)),
    put: (key, value, options) => r2.put(key, value, options),
    list: (options) => r2.list(options),
  };
  const { servable: bundled } = open(BUNDLED.bytes.slice());
  return { bucket, registry: new Registry({ bundled, bucket, open, now: () => clock.now, log: () => {} }) };
}

/** A Worker and its objects; each with its own isolate's view of the bucket where `apart`. */
function openRig({ apart = false, configuration = CONFIGURATION as object, keys = "" } = {}) {
  const clock: { now: number; isDown?: boolean } = { now: START };
  const worker = openRegistry(clock);
  const objects = apart ? openRegistry(clock) : worker;
  const endpoints = readEndpoints(configuration);
  const live = new Map<string, Stream>();
  const stub = (id: unknown) => env.STREAMS!.get(id);
  const inObject = <R>(id: unknown, call: (stream: Stream) => Promise<R>): Promise<R> =>
    runInDurableObject(stub(id), async (_, state) => {
      const dependencies = {
        models: objects.registry,
        endpoints,
        directoryOf: shard,
        breakerOf: () => undefined,
        fetch,
        now: () => clock.now,
        random: () => 0,
        log: () => {},
      };
      const stream = live.get(`${id}`) ?? new Stream(state as unknown as ObjectContext, dependencies);
      live.set(`${id}`, stream);
      return call(stream);
    });
  const shard = (key: string) => directoryOf(env.DIRECTORY!, shardOf(key));
  const streams = {
    idFromName: (name: string) => env.STREAMS!.idFromName(name),
    idFromString: (id: string) => env.STREAMS!.idFromString(id),
    get: (id: unknown) =>
      ({
        accept: (...given: Parameters<Stream["accept"]>) => inObject(id, (stream) => stream.accept(...given)),
        view: () => inObject(id, (stream) => stream.view()),
      }) as unknown as StreamObject,
  } as Namespace<StreamObject>;
  const store = createObjectStore(
    worker.registry,
    { streams, directory: env.DIRECTORY! },
    () => clock.now,
    (error) => console.error(error),
  );
  const now = () => clock.now;
  const access = readAccess({ API_KEYS: `${API_KEYS}\n${keys}` });
  const app = createApp(worker.registry, { ...DEPENDENCIES, access, now, endpoints, streams: store, registry: { ...worker, open, now } });
  return {
    clock,
    app,
    /** Objects lose their memory. */
    evict: () => live.clear(),
    alarm: (key: string) => inObject(env.STREAMS!.idFromName(key), (stream) => stream.alarm()),
    see: (registry: "worker" | "objects") =>
      (registry === "worker" ? worker : objects).registry.choose({ name: "north", isLatest: true }) as Promise<ServedModel>,
  };
}

type Rig = ReturnType<typeof openRig>;
let run = 0;
/** A stream that no test before wrote to. */
const fresh = (prefix: string): string => `${prefix}-${++run}`;
const rowOf = (n: number, F = 5): number[] => Array.from({ length: F }, (_, f) => 1 + ((n * 7 + f * 3) % 11) / 4);
const eventOf = (n: number, F = 5) => ({ id: `e${n}`, timestamp: timeOf(n), values: rowOf(n, F) });

interface Sent {
  status: number;
  /** Of the header. */
  sha256: string | null;
  model: string;
  probability: number;
  filled: number;
  fresh?: true;
  seq: number;
  detail?: string;
  pointer?: string;
  window: { id: string }[];
}

async function post({ app }: Rig, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Sent> {
  const init = { method: "POST", headers: { ...ADMIN, "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
  const response = await app.request(`https://edge.test${path}`, init);
  return { status: response.status, sha256: response.headers.get("x-quickstep-model"), ...((await response.json()) as object) } as Sent;
}

const send = (rig: Rig, key: string, body: unknown, headers = {}) => post(rig, `/v1/streams/${key}/events`, body, headers);
const hook = (rig: Rig, key: string, n: number, source = "alerts") =>
  post(rig, `/hooks/${source}/${encodeURIComponent(CONFIGURATION.TOKEN)}`, { key, id: `e${n}`, at: timeOf(n), row: rowOf(n) });

async function publish({ bytes, sha256 }: typeof A, name = "north"): Promise<void> {
  await r2.put(artifactKey(name, sha256), bytes);
  await r2.put(pointerKey(name), JSON.stringify({ sha256 }));
}

const view = async ({ app }: Rig, key: string) =>
  (await (await app.request(`https://edge.test/v1/streams/${key}`, { headers: ADMIN })).json()) as { filled: number; seq: number };

beforeEach(async () => {
  for (const name of ["north", "fx"]) await r2.delete(pointerKey(name));
});

describe("which model scores an event", () => {
  test("the one that STREAM_MODELS names by the key, the one that the webhook's source names, else the default one", async () => {
    await publish(A);
    const rig = openRig();
    const rows = [rowOf(1)];
    for (const [sent, { hash, probabilityOf, sha256 }] of [
      [await send(rig, fresh("north"), eventOf(1)), A],
      [await hook(rig, fresh("gauge"), 1), A],
      [await send(rig, fresh("south"), eventOf(1)), BUNDLED],
    ] as const) {
      expect(sent).toMatchObject({ status: 200, model: expect.stringMatching(new RegExp(`^(north|fx)@${hash}$`)), sha256 });
      expect(sent.probability).toBe(probabilityOf(rows));
    }
  });

  test("a key that may write a source's own streams is scored by that source's model", async () => {
    await publish(A);
    const keys = `bound:${await digestOf(new TextEncoder().encode("bound"))}:score:gauge-*`;
    const rig = openRig({ keys });
    expect(await send(rig, fresh("gauge"), eventOf(1), { authorization: "Bearer bound" })).toMatchObject({
      status: 200,
      model: `north@${A.hash}`,
    });
  });

  test("a source and STREAM_MODELS that name two models for one stream are a 503 that names both, and nothing is stored", async () => {
    await publish(A);
    const { streams, ...unbound } = CONFIGURATION.SOURCES.alerts;
    const { model, ...plain } = unbound;
    const rig = openRig({ configuration: { ...CONFIGURATION, SOURCES: { alerts: unbound, plain } } });
    const key = fresh("north");
    expect(await hook(rig, key, 1, "plain")).toMatchObject({ status: 503 });
    expect(await view(rig, key)).toMatchObject({ status: 404 });
    expect(await hook(rig, key, 1)).toMatchObject({ status: 200, model: `north@${A.hash}` });
  });

  test("a pin is the object's too: header, model and bits are one artifact's, and an unknown one is a 409", async () => {
    await publish(A);
    await r2.put(artifactKey("north", B.sha256), B.bytes);
    await r2.put(pointerKey("north"), JSON.stringify({ sha256: B.sha256, previous: A.sha256 }));
    const rig = openRig({ apart: true });
    await rig.see("worker");
    const key = fresh("north");
    const sent = await send(rig, key, eventOf(1), { "x-quickstep-model": A.sha256 });
    expect(sent).toMatchObject({ status: 200, sha256: A.sha256, model: `north@${A.hash}` });
    expect(sent.probability).toBe(A.probabilityOf([rowOf(1)]));
    expect(await send(rig, key, eventOf(2), { "x-quickstep-model": C.sha256 })).toMatchObject({ status: 409 });
    expect(await view(rig, key)).toMatchObject({ seq: 1 });
  });
});

describe("a swap", () => {
  test("in the middle of a window goes on with the window: the next answer has the next model's id and its bits", async () => {
    await publish(A);
    const rig = openRig();
    const key = fresh("north");
    for (let n = 1; n <= 4; n++) expect((await send(rig, key, eventOf(n))).model).toBe(`north@${A.hash}`);
    await publish(B);
    await rig.see("objects");
    const sent = await send(rig, key, eventOf(5));
    expect(sent).toMatchObject({ status: 200, model: `north@${B.hash}`, sha256: B.sha256, filled: 5, seq: 5 });
    expect(sent.fresh).toBeUndefined();
    expect(sent.probability).toBe(B.probabilityOf([1, 2, 3, 4, 5].map((n) => rowOf(n))));
    expect((await send(rig, key, eventOf(4))).model).toBe(`north@${A.hash}`); // known: as it was answered
  });

  test("under load: each answer's id agrees with its bits, and no event is lost or counted twice", async () => {
    await publish(A);
    const rig = openRig({ apart: true });
    const byId = new Map([A, B, C].map((one) => [`north@${one.hash}`, one.probabilityOf]));
    const keys = Array.from({ length: 4 }, () => fresh("north"));
    const seen = new Set<string>();
    await Promise.all(
      keys.map(async (key, k) => {
        for (let n = 1; n <= 30; n++) {
          if (k === 0 && n % 5 === 0) {
            await publish([A, B, C][(n / 5) % 3]);
            rig.clock.now += 10_000; // the next request looks, behind its answer
          }
          const sent = await send(rig, key, eventOf(n));
          expect(sent).toMatchObject({ status: 200, seq: n, filled: Math.min(n, T) });
          expect(sent.fresh).toBeUndefined();
          seen.add(sent.model);
          const rows = sent.window.map(({ id }) => rowOf(Number(id.slice(1))));
          expect(sent.probability).toBe(byId.get(sent.model)!(rows));
          expect(sent.sha256!.slice(0, 12)).toBe(sent.model.slice(-12));
        }
      }),
    );
    expect(seen.size).toBe(3);
  });
});

describe("a swap to another shape", () => {
  test("that the Worker knows first: the object looks, and the window begins anew with the event, which says so", async () => {
    await publish(A);
    const rig = openRig({ apart: true });
    const key = fresh("north");
    await send(rig, key, { events: [eventOf(1), eventOf(2)] });
    await publish(NARROW);
    await rig.see("worker");
    expect(await send(rig, key, eventOf(3, 2))).toMatchObject({
      status: 200,
      model: `north@${NARROW.hash}`,
      fresh: true,
      filled: 1,
      seq: 3,
    });
    expect(await send(rig, key, eventOf(1))).toMatchObject({ status: 422, pointer: "/values" }); // of the old shape, and known
  });

  test("that the object knows first: the Worker looks, reads the event anew, and an event of the old shape is a 422 at its place", async () => {
    await publish(A);
    const rig = openRig({ apart: true });
    const key = fresh("north");
    await send(rig, key, { events: [eventOf(1), eventOf(2)] });
    await publish(NARROW);
    await rig.see("objects");
    expect(await send(rig, key, eventOf(3))).toMatchObject({ status: 422, pointer: "/values", detail: expect.stringContaining("2") });
    expect(await view(rig, key)).toMatchObject({ seq: 2 });
    expect(await send(rig, key, eventOf(3, 2))).toMatchObject({ status: 200, model: `north@${NARROW.hash}`, fresh: true, seq: 3 });
  });

  test("of which the object cannot hear is a 503, and the same event again is counted once", async () => {
    await publish(A);
    const rig = openRig({ apart: true });
    const key = fresh("gauge");
    await hook(rig, key, 1);
    await publish(NARROW);
    await rig.see("objects");
    rig.clock.isDown = true;
    expect(await hook(rig, key, 2)).toMatchObject({ status: 503, detail: expect.stringContaining("send the event again") });
    rig.clock.isDown = false;
    await publish(B);
    await rig.see("objects");
    rig.clock.now += 61_000;
    for (let again = 0; again < 2; again++)
      expect(await hook(rig, key, 2)).toMatchObject({ status: 200, seq: 2, model: `north@${B.hash}` });
  });
});

describe("a model that is not there", () => {
  test("is a 503 that says which, nothing is stored, and the service is not ready; once it is published the same event counts", async () => {
    const rig = openRig();
    const key = fresh("gauge");
    for (const sent of [await hook(rig, key, 1), await send(rig, fresh("north"), eventOf(1))])
      expect(sent).toMatchObject({ status: 503, detail: expect.stringContaining("no model north, which the configuration names") });
    const ready = await rig.app.request("https://edge.test/health/ready", { headers: ADMIN });
    expect([ready.status, await ready.json()]).toMatchObject([503, { detail: expect.stringContaining("no model north") }]);
    expect(await send(rig, fresh("south"), eventOf(1))).toMatchObject({ status: 200 });
    await publish(A);
    rig.clock.now += 10_000;
    expect(await hook(rig, key, 1)).toMatchObject({ status: 200, seq: 1, model: `north@${A.hash}` });
    expect((await rig.app.request("https://edge.test/health/ready", { headers: ADMIN })).status).toBe(200);
  });

  test("any more is heard of by the health route, whose look is kept alive after its answer", async () => {
    await publish(A);
    const rig = openRig();
    await send(rig, fresh("north"), eventOf(1));
    await r2.delete(pointerKey("north"));
    rig.clock.now += 10_000;
    const kept: Promise<unknown>[] = [];
    const context = { waitUntil: (promise: Promise<unknown>) => kept.push(promise) };
    const get = async (path: string) =>
      (await rig.app.request(`https://edge.test${path}`, { headers: ADMIN }, {}, context as never)).json();
    await get("/v1/model"); // the default one's look
    await Promise.all(kept.splice(0));
    expect(await get("/health/ready")).not.toHaveProperty("registry");
    expect(kept).toHaveLength(1);
    await kept[0];
    expect(await get("/health/ready")).toMatchObject({ registry: { north: expect.stringContaining("is gone") } });
  });

  test("whose pointer is gone goes on while it is loaded; an object that wakes without it keeps the window", async () => {
    await publish(NARROW); // of another shape than the default one
    const rig = openRig({ apart: true });
    const key = fresh("north");
    await send(rig, key, { events: [eventOf(1, 2), eventOf(2, 2)] });
    await r2.delete(pointerKey("north"));
    rig.clock.now += 61_000;
    expect(await send(rig, key, eventOf(3, 2))).toMatchObject({ status: 200, filled: 3 });
    rig.evict();
    rig.clock.now += 30 * 86_400_000; // all would be forgotten, were it known how long a window is
    await rig.alarm(key);
    await publish(NARROW);
    rig.clock.now += 61_000;
    expect(await view(rig, key)).toMatchObject({ seq: 3 });
  });

  test("a stream of a model of another shape than the default one keeps its window when its object wakes", async () => {
    await publish(NARROW);
    const rig = openRig();
    const key = fresh("north");
    await send(rig, key, { events: [eventOf(1, 2), eventOf(2, 2)] });
    rig.evict();
    expect(await view(rig, key)).toMatchObject({ filled: 2, seq: 2 });
    rig.evict();
    await rig.alarm(key);
    expect(await send(rig, key, eventOf(3, 2))).toMatchObject({ filled: 3, seq: 3, model: `north@${NARROW.hash}` });
  });
});
