// What /openapi.json says is what the Worker does: the same routes, the same bodies taken and refused, the answers it describes.
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { client, type ScoreAnswer } from "../../../edge/client.ts";
import { openModel } from "../../../edge/models/servable-model.ts";
import type { Document } from "../../../edge/openapi/openapi.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { openStreams } from "../../fixtures/streams.ts";

const model = makeModel(kernel, { name: "fx" });
const artifact = encodeArtifact(model);
const servable = openModel(artifact, instantiateKernel(kernel).log, (m) => createWasmEngine(kernel, m));
const streams = openStreams(servable);
const app = openApp(kernel, artifact, streams.dependencies);
const document: Document = await (await app.request("/openapi.json")).json();
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, "service");
const validatorOf = (name: string) => ajv.getSchema(`service#/components/schemas/${name}`)!;

/**
 * `/v2/models/{name}` as the router writes it, `/v2/models/:name`; the words that are routed as a name or an id, and told from others by
 * their handlers; and names with the verb behind them, which are routed as one.
 */
const patternOf = (path: string): string =>
  path
    .replace(/\{\w+\}:predict$/, ":call")
    .replace(/^(\/v1\/models\/.*)\{\w+\}$/, "$1:call")
    .replace(/\{(\w+)\}/g, ":$1")
    .replace(/^\/v1\/deliveries\/(replay|test)$/, "/v1/deliveries/:id")
    .replace(/^\/v2\/models\/stats$/, "/v2/models/:name");

describe("the document", () => {
  test("is OpenAPI 3.1 about the model that is deployed", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info.title).toBe("Quickstep: fx");
  });

  test("is valid by the specification's own schema, of which a misplaced word is no part", async () => {
    expect(await new Validator().validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true });
    const flawed = JSON.parse(JSON.stringify(document));
    flawed.paths["/v1/score/npy"].post.requestBody.content["application/x-npy"].description = "misplaced";
    expect((await new Validator().validate(flawed)).valid).toBe(false);
  });

  test("names every operation once, and each tag", () => {
    const operations = [document.paths, document.components.pathItems].flatMap((paths) =>
      Object.values(paths).flatMap((methods) => Object.values(methods)),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const operation of operations) for (const tag of operation.tags) expect(tags).toContain(tag);
  });

  test("has every route there is, and none that there is not", () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${patternOf(path)}`),
    );
    const routed = app.routes
      .filter(({ method, path }) => method !== "ALL" && path !== "/docs/:file")
      .map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(described)].sort()).toEqual([...new Set(routed)].sort());
  });

  test("refers to nothing that is missing", () => {
    for (const [, kind, name] of JSON.stringify(document).matchAll(/"#\/components\/(schemas|responses|pathItems)\/(\w+)"/g))
      expect(document.components[kind as "schemas" | "responses" | "pathItems"]).toHaveProperty(name);
  });

  test("has an example for each body and each answer, and each is what its schema says", () => {
    const operations = [document.paths, document.components.pathItems].flatMap((paths) =>
      Object.values(paths).flatMap((methods) => Object.values(methods)),
    );
    type Media = { schema: object; example?: unknown };
    const described = operations.flatMap(({ operationId, requestBody, responses }) =>
      [requestBody, ...Object.values(responses)].map((body) => ({ operationId, body })),
    );
    const refused = Object.entries(document.components.responses).map(([operationId, body]) => ({ operationId, body }));
    const bodies = [...described, ...refused].flatMap(({ operationId, body }) =>
      Object.entries((body as { content?: Record<string, Media> })?.content ?? {}).map(([type, media]) => ({
        operationId,
        type,
        ...media,
      })),
    );
    expect(bodies.length).toBeGreaterThan(60);
    for (const { operationId, type, schema, example } of bodies) {
      if (type === "application/octet-stream" || type === "application/x-npy") continue; // bytes
      expect(example, `${operationId} ${type}`).toBeDefined();
      const isValid = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"service#/components')));
      expect(isValid(example), `${operationId} ${type} ${JSON.stringify(isValid.errors)}`).toBe(true);
    }
  });

  test("shows what the routes answer, where that is the model's alone", async () => {
    const shown = "0123456789ab";
    const { versions }: { versions: string[] } = await (await app.request("/v2/models/fx")).json();
    type Answered = { content: { "application/json": { schema: { $ref: string }; example: unknown } } };
    let count = 0;
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, { operationId, tags, requestBody, security = [], parameters = [], responses }] of Object.entries(methods)) {
        if (operationId === "getCardOfModel") continue; // a part of the card is shown, as getModel shows it
        if (tags.includes("monitor")) continue; // nothing is bound here: test/workerd/monitor.test.ts
        if (security.some(({ key }) => (key as string[]).includes("admin"))) continue; // needs a registry
        const isModels = /^\/(v1\/models|v2|health)/.test(path) && requestBody === undefined;
        if (!isModels || parameters.some(({ in: place }) => place !== "path")) continue;
        const url = path.replace("{name}", "fx").replace("{version}", versions[0]);
        const answer = await (await app.request(url, { method: method.toUpperCase() })).text();
        const { example } = (responses["200"] as Answered).content["application/json"];
        expect(JSON.parse(answer.replaceAll(versions[0], shown)), operationId).toEqual(example);
        count++;
      }
    expect(count).toBe(18);
  });

  test("lets generated clients know each answer by one type, and requires no property because it has a default", () => {
    for (const methods of Object.values(document.paths))
      for (const { operationId, responses } of Object.values(methods))
        for (const answer of Object.values(responses)) {
          const types = Object.keys((answer as { content?: object }).content ?? {});
          expect(types.length, operationId).toBeLessThanOrEqual(1);
        }
    expect(JSON.stringify(document)).not.toMatch(/"\*\/\*"|"const":true/);
    expect(JSON.stringify(document.components.schemas)).not.toContain('"default"');
  });

  test("gives examples that work", async () => {
    let count = 0;
    for (const [path, { post: operation }] of Object.entries(document.paths)) {
      const example = operation?.requestBody?.content["application/json"]?.example;
      if (example === undefined || path.startsWith("/hooks")) continue; // where numbers stand in a webhook, its source says
      if (operation.tags.includes("monitor")) continue; // nothing is bound here: test/workerd/monitor.test.ts
      const { versions }: { versions: string[] } = await (await app.request("/v2/models/fx")).json();
      const url = path.replace("{name}", "fx").replace("{version}", versions[0]).replace("{key}", "k");
      const response = await post(app, url, JSON.stringify(example), { "content-type": "application/json" });
      expect(response.status, await response.clone().text()).toBe(200);
      count++;
    }
    expect(count).toBe(7);
    const [[type, { example }]] = Object.entries(document.paths["/v1/score/lines"].post.requestBody!.content);
    const lines = await post(app, "/v1/score/lines", example as string, { "content-type": type });
    expect(Object.keys(JSON.parse(await lines.text()))).toEqual(["probability", "label"]);
  });

  test("names the scopes that the routes ask for", async () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, { security, responses }] of Object.entries(methods)) {
        const url = `https://outside.test${path.replace(/\{\w+\}/g, "fx")}`;
        const response = await app.request(url, { method: method.toUpperCase() });
        expect(response.status === 401, `${method} ${path}`).toBe(security !== undefined);
        if (security !== undefined) expect(responses, `${method} ${path}`).toHaveProperty("401");
      }
  });
});

describe("bodies", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const often = <A, B>(arbitrary: fc.Arbitrary<A>, seldom: fc.Arbitrary<B>) =>
    fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: seldom });
  const row = fc.array(often(number, fc.jsonValue({ maxDepth: 1 })), { minLength: 5, maxLength: 5 });
  const anyRow = often(row, fc.oneof(fc.array(number, { maxLength: 6 }), fc.jsonValue({ maxDepth: 1 })));
  const sequence = often(
    fc.array(anyRow, { minLength: 1, maxLength: 10 }),
    fc.oneof(fc.array(row, { maxLength: 12 }), fc.jsonValue({ maxDepth: 1 })),
  );
  const key = fc.oneof(fc.constantFrom("sequence", "sequences"), fc.string());
  const body = often(
    fc.oneof(
      fc.record(
        {
          sequence,
          operatingPoint: often(fc.constantFrom("balanced", "sensitive"), fc.jsonValue()),
          explain: often(fc.boolean(), fc.jsonValue()),
        },
        { requiredKeys: ["sequence"] },
      ),
      fc.record({ sequences: often(fc.array(sequence, { maxLength: 4 }), fc.jsonValue()) }),
      fc.dictionary(key, sequence, { maxKeys: 2 }),
    ),
    fc.jsonValue(),
  );
  const isRequest = validatorOf("ScoreRequest");
  const isAnswer = validatorOf("ScoreAnswer");
  const isProblem = validatorOf("Problem");

  test("are taken just where the schema allows them, but for padding alone", async () => {
    const seen = { taken: 0, refused: 0, padding: 0 };
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const text = JSON.stringify(value);
        const isDescribed = isRequest(JSON.parse(text));
        const response = await postScore(app, text);
        const answer = await response.json();
        if (response.status === 200) {
          seen.taken++;
          expect(isDescribed, text).toBe(true);
          expect(isAnswer(answer), JSON.stringify(isAnswer.errors)).toBe(true);
        } else if (isDescribed) {
          seen.padding++;
          expect(answer.detail).toMatch(/must have at least one row that is not all zeros, got only padding$/);
        } else {
          seen.refused++;
          expect(response.status).toBe(422);
          expect(isProblem(answer), JSON.stringify(isProblem.errors)).toBe(true);
        }
      }),
      { numRuns: 3000, seed: 3 },
    );
    for (const count of [seen.taken, seen.refused]) expect(count).toBeGreaterThan(300);
  });

  test("are taken up to the very counts that the schema names", async () => {
    const rowsOf = (count: number, width = 5) => Array.from({ length: count }, () => Array(width).fill(1));
    const edges = [
      ...[0, 1, 10, 11].map((rows) => ({ sequence: rowsOf(rows) })),
      ...[4, 5, 6].map((width) => ({ sequence: rowsOf(1, width) })),
      ...[0, 1, 1000, 1001].map((count) => ({ sequences: Array(count).fill(rowsOf(1)) })),
    ];
    const taken = await Promise.all(edges.map(async (edge) => (await postScore(app, JSON.stringify(edge))).status === 200));
    expect(taken).toEqual(edges.map((edge) => isRequest(edge)));
    expect(taken).toEqual([false, true, true, false, false, true, false, false, true, true, false]);
  });

  test("of lines and of /v2 are answered as described", async () => {
    const isLine = ajv.compile({
      oneOf: [{ $ref: "service#/components/schemas/Result" }, { $ref: "service#/components/schemas/LineError" }],
    });
    const isInferAnswer = validatorOf("InferAnswer");
    const isInferRequest = validatorOf("InferRequest");
    const lines = ["[[1,2,3,4,5]]", '{"sequence":[[1,2,3,4,5]]}', "{", "7", "[[1,2,3,4,null]]"].join("\n");
    const stream = await post(app, "/v1/score?explain=true", lines, { "content-type": "application/x-ndjson" });
    for (const line of (await stream.text()).trim().split("\n")) expect(isLine(JSON.parse(line)), line).toBe(true);
    const request = { id: "x", inputs: [{ name: "sequences", datatype: "FP64", shape: [1, 1, 5], data: [1, 2, 3, 4, 5] }] };
    expect(isInferRequest(request)).toBe(true);
    const taken = await post(app, "/v2/models/fx/infer", JSON.stringify(request), { "content-type": "application/json" });
    expect(isInferAnswer(await taken.json()), JSON.stringify(isInferAnswer.errors)).toBe(true);
    const refused = await post(app, "/v2/models/fx/infer", "{}", { "content-type": "application/json" });
    expect(isProblem(await refused.json())).toBe(true);
  });
});

describe("streams", () => {
  const row = fc.oneof(
    { weight: 20, arbitrary: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 5, maxLength: 5 }) },
    fc.oneof(fc.array(fc.double(), { maxLength: 7 }), fc.jsonValue({ maxDepth: 1 })),
  );
  const often = <A, B>(arbitrary: fc.Arbitrary<A>, seldom: fc.Arbitrary<B>) =>
    fc.oneof({ weight: 20, arbitrary }, { weight: 1, arbitrary: seldom });
  const event = fc.record(
    {
      id: often(fc.uuid(), fc.oneof(fc.integer(), fc.jsonValue({ maxDepth: 1 }))),
      timestamp: often(
        fc.date({ min: new Date(0), max: new Date("2026-01-01"), noInvalidDate: true }).map((date) => date.toISOString()),
        fc.jsonValue(),
      ),
      values: row,
    },
    { requiredKeys: ["id", "timestamp", "values"] },
  );
  const body = often(fc.oneof(event, fc.record({ events: often(fc.array(event, { maxLength: 3 }), fc.jsonValue()) })), fc.jsonValue());

  test("take only bodies that the schema allows, and answer as it says", async () => {
    const [isRequest, isAnswer, isProblem] = ["StreamRequest", "StreamAnswers", "Problem"].map(validatorOf);
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(body, fc.nat(20), async (value, key) => {
        const text = JSON.stringify(value);
        const isDescribed = isRequest(JSON.parse(text));
        const response = await post(app, `/v1/streams/${key}/events`, text, { "content-type": "application/json" });
        const answer = await response.json();
        seen[response.status === 200 ? "taken" : "refused"]++;
        if (response.status === 200) expect(isDescribed, text).toBe(true);
        else expect([409, 413, 422], text).toContain(response.status);
        const isValid = response.status === 200 ? isAnswer : isProblem;
        expect(isValid(answer), JSON.stringify([answer, isValid.errors])).toBe(true);
      }),
      { numRuns: 1500, seed: 4 },
    );
    for (const count of [seen.taken, seen.refused]) expect(count).toBeGreaterThan(200);
  });

  test("are listed as the schemas say", async () => {
    const origin = { source: "alerts", destinations: ["desk", "wall"] };
    const data = { values: [1, 2, 3, 4, 5] };
    await streams.accept(
      "listed",
      [
        { id: "a", timestamp: 1, data, digest: "a" },
        { id: "b", timestamp: 2, data, digest: "b" },
      ],
      origin,
    );
    await streams.advance(streams.clock);
    for (const [path, name] of [
      ["/v1/streams", "ListedStreams"],
      ["/v1/streams/listed", "StreamView"],
      ["/v1/deliveries?limit=1", "Deliveries"],
      ["/v1/deliveries", "Deliveries"],
      ["/v1/metrics", "Metrics"],
    ]) {
      const isValid = validatorOf(name);
      expect(isValid(await (await app.request(path)).json()), `${path} ${JSON.stringify(isValid.errors)}`).toBe(true);
    }
  });
});

describe("the typed client", () => {
  const local = client("http://localhost", {
    fetch: (url: RequestInfo | URL, init?: RequestInit) => Promise.resolve(app.request(url as string, init)),
  });

  test("scores, with the types of the routes", async () => {
    const response = await local.v1.score.$post({
      json: { sequences: [[[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 6]]], operatingPoint: "sensitive" },
    });
    const answer: ScoreAnswer = await response.json();
    const raw = await postScore(app, JSON.stringify({ sequences: [[[1, 2, 3, 4, 5]], [[1, 2, 3, 4, 6]]], operatingPoint: "sensitive" }));
    expect(answer).toEqual(await raw.json());
    // @ts-expect-error: a sequence is rows of numbers
    await local.v1.score.$post({ json: { sequence: "1,2,3" } });
  });

  test("reads the card", async () => {
    const card = await (await local.v1.model.$get()).json();
    expect([card.name, card.timesteps, card.operatingPoints[0].name]).toEqual(["fx", 10, "balanced"]);
    // @ts-expect-error: no such field
    expect(card.nothing).toBeUndefined();
  });
});
