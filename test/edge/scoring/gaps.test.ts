// Numbers that are missing: every way of asking takes them where the model does, with the same bits, and refuses them by place where not.
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { API_SOURCE } from "../../../edge/webhooks/sources.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { type App, openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { CHANNELS, makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const T = 3;
const channels = [...CHANNELS, { base: "observed", a: 2, view: "level" }, { base: "sinceObserved", a: 0, view: "level" }] as const;
const carrying = encodeArtifact(makeModel(kernel, { name: "fx", timesteps: T, gaps: [0, 2], channels }));
const refusing = encodeArtifact(makeModel(kernel, { name: "fx", timesteps: T }));
const [carryingApp, refusingApp] = [openApp(kernel, carrying), openApp(kernel, refusing)];

const ROWS: (number | null)[][] = [
  [null, 0.75, 1.5, 1.25, 0.5],
  [null, null, null, null, null],
  [1.5, 0.75, null, 1.25, 0.75],
];
const flat = ROWS.flat().map((x) => x ?? Number.NaN);
const V2 = "/v2/models/fx/infer";
const JSON_TYPE = { "content-type": "application/json" };

/** How the same rows are asked about, each answering a probability. */
const WAYS: [name: string, ask: (app: App) => Promise<Response>, probabilityOf: (response: Response) => Promise<number>][] = [
  ["JSON", (app) => postScore(app, JSON.stringify({ sequence: ROWS })), async (r) => (await r.json()).results[0].probability],
  [
    "JSON lines",
    (app) => post(app, "/v1/score", `${JSON.stringify(ROWS)}\n`, { "content-type": "application/x-ndjson" }),
    async (r) => (await r.json()).probability,
  ],
  [
    "raw binary",
    (app) => post(app, "/v1/score", new Uint8Array(Float64Array.from(flat).buffer), { "content-type": "application/octet-stream" }),
    async (r) => new Float64Array(await r.arrayBuffer())[0],
  ],
  [
    "raw float32",
    (app) =>
      post(app, "/v1/score", new Uint8Array(Float32Array.from(flat).buffer), { "content-type": "application/octet-stream; dtype=float32" }),
    async (r) => new Float32Array(await r.arrayBuffer())[0],
  ],
  [
    "an array of NumPy",
    (app) =>
      post(app, "/v1/score", encodeNpy(Float64Array.from(flat), [1, T, 5]), {
        "content-type": "application/x-npy",
        accept: "application/json",
      }),
    async (r) => (await r.json()).results[0].probability,
  ],
  [
    "v2, flat",
    (app) =>
      post(app, V2, JSON.stringify({ inputs: [{ name: "sequences", shape: [1, T, 5], datatype: "FP64", data: ROWS.flat() }] }), JSON_TYPE),
    async (r) => (await r.json()).outputs[0].data[0],
  ],
  [
    "v2, nested",
    (app) =>
      post(app, V2, JSON.stringify({ inputs: [{ name: "sequences", shape: [1, T, 5], datatype: "FP64", data: [ROWS] }] }), JSON_TYPE),
    async (r) => (await r.json()).outputs[0].data[0],
  ],
];

describe.each(WAYS)("a number that is missing, as %s,", (name, ask, probabilityOf) => {
  test("is scored with the same bits by a model that takes gaps", async () => {
    const expected = await WAYS[0][2](await WAYS[0][1](carryingApp));
    const response = await ask(carryingApp);
    expect(response.status).toBe(200);
    expect(await probabilityOf(response)).toBe(expected);
  });

  test("is refused by its place by a model that takes none", async () => {
    const response = await ask(refusingApp);
    const text = await response.text();
    if (name !== "JSON lines") expect(response.status).toBe(422);
    expect(text).toContain("must be a finite number, got");
    expect(text).toMatch(/\[0\](\[0\])?/);
  });
});

test("an infinite number is refused by both", async () => {
  const bytes = new Uint8Array(new Float64Array(T * 5).fill(Infinity).buffer);
  for (const app of [carryingApp, refusingApp])
    expect((await post(app, "/v1/score", bytes, { "content-type": "application/octet-stream" })).status).toBe(422);
});

test("the document says where null may stand, and the card which features lacked numbers in training", async () => {
  for (const [app, takes] of [
    [carryingApp, true],
    [refusingApp, false],
  ] as const) {
    const document = await (await app.request("/openapi.json")).json();
    const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "service");
    expect(ajv.getSchema("service#/components/schemas/ScoreRequest")!({ sequence: ROWS })).toBe(takes);
    const event = { id: "a", timestamp: 1, values: ROWS[0] };
    expect(ajv.getSchema("service#/components/schemas/StreamEvent")!(event)).toBe(takes);
    const card = await (await app.request("/v1/model")).json();
    expect(card.recipe.gaps).toEqual(takes ? ["a", "c"] : undefined);
    expect(card.format).toBe("quickstep/2");
  }
});

describe("a stream", () => {
  const open = (artifact: Uint8Array<ArrayBuffer>) =>
    openModel(artifact, instantiateKernel(kernel).log, (model) => createWasmEngine(kernel, model));
  const streams = openStreams(open(carrying));
  const app = openApp(kernel, carrying, streams.dependencies);
  const send = (n: number, to = app): Promise<Response> =>
    post(to, "/v1/streams/k/events", JSON.stringify({ id: `e${n}`, timestamp: 1000 + n, values: ROWS[n] }), JSON_TYPE);

  test("scores a window with gaps with the bits of /v1/score, and shows them as null", async () => {
    let answer = { probability: 0 };
    for (let n = 0; n < T; n++) answer = await (await send(n)).json();
    expect(answer.probability).toBe(await WAYS[0][2](await WAYS[0][1](app)));
    const { window } = await (await app.request("/v1/streams/k")).json();
    expect(window.map(({ values }: { values: unknown }) => values)).toEqual(ROWS);
  });

  test("refuses a gap by its place where the model takes none", async () => {
    const others = openStreams(open(refusing));
    const response = await send(0, openApp(kernel, refusing, others.dependencies));
    expect(response.status).toBe(422);
    expect((await response.json()).detail).toContain("values[0] must be a finite number, got null");
  });

  test("keeps a window's gaps while it sleeps", async () => {
    const store = openStreams(open(carrying));
    const events = ROWS.map((row, n) => ({
      id: `e${n}`,
      timestamp: 1000 + n,
      data: { values: row.map((x) => x ?? Number.NaN) },
      digest: `${n}`,
    }));
    await store.accept("k", events.slice(0, 2), { source: API_SOURCE, destinations: [] });
    store.restart();
    const [{ answer }] = await store.accept("k", events.slice(2), { source: API_SOURCE, destinations: [] });
    expect(answer.probability).toBe(await WAYS[0][2](await WAYS[0][1](app)));
  });
});
