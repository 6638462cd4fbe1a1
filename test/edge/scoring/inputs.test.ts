// Categories and what is given once a sequence: every way of asking gives the same bits as plain features, and refuses by place.
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { openScorer } from "../../../shared/scorer.ts";
import { type App, openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { INPUTS, makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const T = 3;
const channels = [
  { base: "feature", a: 0, view: "delta" },
  { base: "feature", a: 1, view: "level" },
  { base: "feature", a: 3, view: "level" },
  { base: "feature", a: 5, view: "level" },
] as const;
const artifact = encodeArtifact(makeModel(kernel, { name: "fx", timesteps: T, inputs: INPUTS, channels }));
const app = openApp(kernel, artifact);
const plain = openApp(kernel, encodeArtifact(makeModel(kernel, { name: "fx", timesteps: T })));

const ROWS = [
  [1.25, "up"],
  [1.2501, "down"],
  [1.2502, "up"],
];
const STATIC = { age: 0.75, plan: "pro" };
const FEATURES = [
  [1.25, 0, 1, 0, 1, 0.75],
  [1.2501, 1, 0, 0, 1, 0.75],
  [1.2502, 0, 1, 0, 1, 0.75],
];
const flat = Float64Array.from(FEATURES.flat());
const JSON_TYPE = { "content-type": "application/json" };
const detailOf = async (body: unknown, to: App = app): Promise<string> => (await (await postScore(to, JSON.stringify(body))).json()).detail;

test("JSON, lines, arrays, raw binary, v2, the package and a stream answer alike", async () => {
  const bits = async (response: Response): Promise<number> => (await response.json()).results[0].probability;
  const expected = await bits(await postScore(app, JSON.stringify({ sequence: ROWS, static: STATIC })));
  expect(expected).toBeGreaterThan(0);
  expect(await bits(await postScore(app, JSON.stringify({ sequences: [ROWS], static: [STATIC] })))).toBe(expected);
  const line = await post(app, "/v1/score", `${JSON.stringify({ sequence: ROWS, static: STATIC })}\n`, {
    "content-type": "application/x-ndjson",
  });
  expect((await line.json()).probability).toBe(expected);
  const npy = encodeNpy(flat, [1, T, 6]);
  expect(await bits(await post(app, "/v1/score", npy, { "content-type": "application/x-npy", accept: "application/json" }))).toBe(expected);
  const raw = await post(app, "/v1/score", new Uint8Array(flat.buffer), { "content-type": "application/octet-stream" });
  expect(new Float64Array(await raw.arrayBuffer())[0]).toBe(expected);
  const v2 = { inputs: [{ name: "sequences", shape: [1, T, 6], datatype: "FP64", data: [...flat] }] };
  expect((await (await post(app, "/v2/models/fx/infer", JSON.stringify(v2), JSON_TYPE)).json()).outputs[0].data[0]).toBe(expected);
  expect(openScorer(artifact, kernel).score([ROWS], [STATIC])[0].probability).toBe(expected);

  const servable = openModel(artifact, instantiateKernel(kernel).log, (model) => createWasmEngine(kernel, model));
  const own = openApp(kernel, artifact, openStreams(servable).dependencies);
  let answer = { probability: 0 };
  for (let t = 0; t < T; t++) {
    const event = { id: `e${t}`, timestamp: 1000 + t, values: ROWS[t], static: t < T - 1 ? { age: 9, plan: "basic" } : STATIC };
    answer = await (await post(own, "/v1/streams/k/events", JSON.stringify(event), JSON_TYPE)).json();
  }
  expect(answer.probability).toBe(expected); // the latest that is known, in all rows
  const again = { id: "e3", timestamp: 1003, values: FEATURES[2] };
  expect((await post(own, "/v1/streams/k/events", JSON.stringify({ events: [again] }), JSON_TYPE)).status).toBe(200);
});

test("rows of texts where features belong are refused with the way to send them", async () => {
  const advice = "as the model's card lists them (a category is a 0 or 1 for each level): /v1/score takes texts and static as they are";
  const predict = await post(app, "/v1/models/fx:predict", JSON.stringify({ instances: [ROWS] }), JSON_TYPE);
  expect((await predict.json()).detail).toBe(`instances[0][0] must have 6 numbers, ${advice}, got 2`);
  const npy = await post(app, "/v1/score", encodeNpy(new Float64Array(6), [1, 3, 2]), { "content-type": "application/x-npy" });
  expect((await npy.json()).detail).toContain(`must have shape [sequences, 1 to 3 steps, 6 features], ${advice}, got [1, 3, 2]`);
});

test("a text that no row of the training part had is out of range, and no level", async () => {
  const scored = async (mode: string, plan: string) =>
    (
      await (
        await postScore(app, JSON.stringify({ sequence: ROWS.map(([x]) => [x, mode]), static: { age: 0.75, plan }, explain: true }))
      ).json()
    ).results[0];
  const unknown = await scored("sideways", "gold");
  expect(unknown.outOfRange).toBe(true);
  expect(unknown.explanation.features).toHaveLength(6);
  const zeros = FEATURES.map(([x, , , , , age]) => [x, 0, 0, 0, 0, age]);
  const same = await post(app, "/v1/score", encodeNpy(Float64Array.from(zeros.flat()), [1, T, 6]), {
    "content-type": "application/x-npy",
    accept: "application/json",
  });
  expect((await same.json()).results[0].probability).toBe(unknown.probability);
});

test("what is wrong is refused by its place", async () => {
  expect(await detailOf({ sequence: ROWS })).toContain("static must be an object with plan, age, got nothing");
  expect(await detailOf({ sequences: [ROWS, ROWS], static: [STATIC] })).toContain("static must be an array of 2 objects, one a sequence");
  expect(await detailOf({ sequences: [ROWS, ROWS], static: [STATIC, { plan: "pro" }] })).toContain("static[1].age must be a finite number");
  expect(await detailOf({ sequence: FEATURES, static: STATIC })).toContain("sequence[0] must have 2 values (x, mode), got 6");
  expect(await detailOf({ sequence: [[1, 2, 3, 4, 5]], static: STATIC }, plain)).toContain("static must be left out");
  const stream = openStreams(openModel(artifact, instantiateKernel(kernel).log, (model) => createWasmEngine(kernel, model)));
  const own = openApp(kernel, artifact, stream.dependencies);
  const event = { id: "a", timestamp: 1000, values: [1, 7.5, 2], static: STATIC };
  const response = await post(own, "/v1/streams/k/events", JSON.stringify(event), JSON_TYPE);
  expect(response.status).toBe(422);
  expect((await response.json()).detail).toContain("values must have 2 values (x, mode), got 3");
});

test("the document takes what the Worker takes, and the card names the inputs", async () => {
  const document = await (await app.request("/openapi.json")).json();
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "service");
  const takes = ajv.getSchema("service#/components/schemas/ScoreRequest")!;
  expect(takes({ sequence: ROWS, static: STATIC })).toBe(true);
  expect(takes({ sequences: [ROWS], static: [STATIC] })).toBe(true);
  expect(takes({ sequence: ROWS, static: { age: 1 } })).toBe(false);
  expect(takes({ sequence: FEATURES, static: STATIC })).toBe(false);
  const { example } = document.paths["/v1/score"].post.requestBody.content["application/json"];
  expect(takes(example)).toBe(true);
  expect((await postScore(app, JSON.stringify(example))).status).toBe(200);
  expect((await (await app.request("/v1/model")).json()).recipe.inputs).toEqual(INPUTS);
});
