// Models with categories, gaps, times and what is given once a sequence: the document takes what the Worker takes, and refuses what it refuses.
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openModel } from "../../../edge/models/servable-model.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { type ModelOptions, makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const LEVEL = { base: "feature", a: 0, view: "level" } as const;
const MODELS: Readonly<Record<string, ModelOptions>> = {
  "numbers with gaps": { features: ["a", "b"], gaps: [1] },
  "numbers with times": { features: ["a", "b", "time"], clock: true },
  "numbers with gaps and times": { features: ["a", "b", "time"], gaps: [1], clock: true },
  categories: { inputs: [{ name: "x" }, { name: "mode", levels: ["down", "up"] }] },
  statics: { inputs: [{ name: "x" }, { name: "y" }, { name: "age", static: true }] },
  "all of it": {
    gaps: [0, 3],
    clock: true,
    inputs: [
      { name: "x" },
      { name: "mode", levels: ["down", "up"] },
      { name: "plan", levels: ["", "pro"], static: true },
      { name: "age", static: true },
    ],
    features: ["x", "mode=down", "mode=up", "plan=", "plan=pro", "age", "time"],
  },
};
const JSON_TYPE = { "content-type": "application/json" };

async function openAll(options: ModelOptions) {
  const artifact = encodeArtifact(makeModel(kernel, { name: "fx", timesteps: 3, channels: [LEVEL], ...options }));
  const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
  const app = openApp(kernel, artifact, openStreams(servable).dependencies);
  const document = await (await app.request("/openapi.json")).json();
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, "service");
  return { app, document, takes: (name: string) => ajv.getSchema(`service#/components/schemas/${name}`)! };
}

const value = fc.constantFrom<unknown>(1.5, 0.25, 2, 1, 0.5, 1, null, "up", "pro", true, []);
const time = fc.constantFrom<unknown>(1e12, 1e12 + 500, 1e12 + 700, "2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z", "2026-01-05", null, -1);
const statics = fc.option(
  fc.oneof(
    fc.record({ age: fc.constantFrom<unknown>(1, null, "x"), plan: fc.constantFrom<unknown>("pro", null, 3, {}) }),
    fc.constantFrom<unknown>({ age: 1 }, {}, null, [], { age: 1, other: 2 }),
  ),
  { nil: undefined, freq: 1 },
);
const rowOf = (widths: readonly number[]) => fc.oneof(...widths.map((n) => fc.array(value, { minLength: n, maxLength: n })));

describe.each(Object.entries(MODELS))("a model of %s", (_, options) => {
  test("shows an event and a request that work", async () => {
    const { app, document, takes } = await openAll(options);
    for (const [path, name, url] of [
      ["/v1/streams/{key}/events", "StreamRequest", "/v1/streams/k/events"],
      ["/v1/score", "ScoreRequest", "/v1/score"],
    ]) {
      const { example } = document.paths[path].post.requestBody.content["application/json"];
      expect(takes(name)(example), name).toBe(true);
      const response = await post(app, url, JSON.stringify(example), JSON_TYPE);
      expect(response.status, await response.text()).toBe(200);
    }
  });

  test("describes just the events that it takes", async () => {
    const { app, takes } = await openAll(options);
    const seen = { taken: 0, refused: 0 };
    const event = fc.record(
      { id: fc.uuid(), timestamp: time, values: rowOf([1, 2, 2, 2, 3, 6]), static: statics },
      { requiredKeys: ["id", "timestamp", "values"] },
    );
    await fc.assert(
      fc.asyncProperty(event, fc.nat(1e9), async (body, key) => {
        const text = JSON.stringify(body);
        const isDescribed = takes("StreamRequest")(JSON.parse(text));
        const response = await post(app, `/v1/streams/${key}/events`, text, JSON_TYPE);
        const problem = response.status === 200 ? "" : (await response.json()).detail;
        const isFirst = problem.includes("no event of this stream has given them"); // which no schema can say
        const isTaken = response.status === 200 || isFirst;
        seen[isTaken ? "taken" : "refused"]++;
        expect(isDescribed, `${text} ${problem}`).toBe(isTaken);
      }),
      { numRuns: 600, seed: 3 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(5);
  });

  test("describes all requests that it scores, and none with a value of another kind", async () => {
    const { app, takes } = await openAll(options);
    const seen = { taken: 0, kind: 0 };
    const body = fc.record(
      {
        sequence: fc.oneof(
          ...[1, 2, 2, 3, 7].map((n) => fc.array(fc.array(value, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 2 })),
        ),
        times: fc.option(fc.array(time, { minLength: 1, maxLength: 2 }), { nil: undefined }),
        static: statics,
      },
      { requiredKeys: ["sequence"] },
    );
    await fc.assert(
      fc.asyncProperty(body, async (request) => {
        const text = JSON.stringify(request);
        const isDescribed = takes("ScoreRequest")(JSON.parse(text));
        const response = await postScore(app, text);
        const problem = response.status === 200 ? "" : (await response.json()).detail;
        if (response.status === 200) expect(isDescribed, text).toBe(true);
        const isOfKind = /must be (a finite number|text|a time|an array of \d+ numbers|an object|an array of times)/.test(problem);
        if (isOfKind) expect(isDescribed, `${text} ${problem}`).toBe(false);
        if (response.status === 200) seen.taken++;
        if (isOfKind) seen.kind++;
      }),
      { numRuns: 600, seed: 3 },
    );
    expect(seen.kind).toBeGreaterThan(5);
  });
});
