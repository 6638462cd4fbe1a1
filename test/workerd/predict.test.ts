// TensorFlow Serving's REST predict, which clients of Keras models and of KServe's v1 protocol speak.
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { openApp, post, postScore } from "../fixtures/app.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";

const [N, T, F] = [4, 10, 5];
const app = openApp(kernel, encodeArtifact(makeModel(kernel, { name: "fx" })));
const values = makeSequences(N, T, F, 9);
const sequences = Array.from({ length: N }, (_, n) =>
  Array.from({ length: T }, (_, t) => Array.from({ length: F }, (_, f) => values[(n * T + t) * F + f])),
);
const { results } = await (await postScore(app, JSON.stringify({ sequences }))).json();
const rows = results.map(({ probability }: { probability: number }) => [probability]);

const send = (body: unknown, path = "/v1/models/fx:predict", headers: Record<string, string> = { "content-type": "application/json" }) =>
  post(app, path, typeof body === "string" ? body : JSON.stringify(body), headers);

describe("predict", () => {
  test.each([
    ["instances", { instances: sequences }],
    ["instances under the input's name", { instances: sequences.map((sequence) => ({ lstm_input: sequence })) }],
    ["with the signature", { signature_name: "serving_default", instances: sequences }],
    ["with no signature", { signature_name: null, instances: sequences }],
  ])("%s → predictions, in the shape of Keras' predict", async (_, body) => {
    const response = await send(body);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ predictions: rows });
  });

  test.each([
    ["inputs", { inputs: sequences }],
    ["inputs under the input's name", { inputs: { lstm_input: sequences } }],
  ])("%s → outputs", async (_, body) => {
    expect(await (await send(body)).json()).toEqual({ outputs: rows });
  });

  test("shorter sequences, which need not be equally long", async () => {
    const shorter = sequences.map((sequence, n) => sequence.slice(-1 - n));
    const alone = await (await postScore(app, JSON.stringify({ sequences: shorter }))).json();
    const { predictions } = await (await send({ instances: shorter })).json();
    expect(predictions).toEqual(alone.results.map(({ probability }: { probability: number }) => [probability]));
  });

  test("by version, and whatever curl and requests say of the body", async () => {
    const { "x-quickstep-model": sha256 } = Object.fromEntries((await app.request("/health/live")).headers);
    for (const version of ["1", sha256.slice(0, 12)])
      expect(await (await send({ instances: sequences }, `/v1/models/fx/versions/${version}:predict`)).json()).toEqual({
        predictions: rows,
      });
    for (const type of ["", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8"])
      expect(await (await send({ instances: sequences }, undefined, { "content-type": type })).json()).toEqual({ predictions: rows });
  });

  test("at another base rate, as the query says", async () => {
    const { results } = await (await postScore(app, JSON.stringify({ sequences, prior: 0.1 }))).json();
    const { predictions } = await (await send({ instances: sequences }, "/v1/models/fx:predict?prior=0.1")).json();
    expect(predictions).toEqual(results.map(({ probability }: { probability: number }) => [probability]));
  });

  test("of a model whose name needs escaping, or has a colon", async () => {
    for (const name of ["été 1/2", "a:b", "a:predict"]) {
      const odd = openApp(kernel, encodeArtifact(makeModel(kernel, { name })));
      const path = `/v1/models/${encodeURIComponent(name)}`;
      expect(await (await post(odd, `${path}:predict`, JSON.stringify({ instances: sequences }))).json()).toEqual({ predictions: rows });
    }
  });
});

describe("what is refused is said in `error`, in the words and at the places of all formats", () => {
  const bad = sequences.with(3, sequences[3].with(2, [1, 2, 3, 4, null as never]));
  test.each<[string, unknown, number, string, string?]>([
    ["null", { instances: bad }, 422, "instances[3][2][4] must be a finite number, got null", "/instances/3/2/4"],
    ["null in columns", { inputs: bad }, 422, "inputs[3][2][4] must be a finite number, got null", "/inputs/3/2/4"],
    ["under a name", { instances: [{ x: bad[3] }] }, 422, "instances[0].x[2][4] must be a finite number, got null", "/instances/0/x/2/4"],
    ["under a name in columns", { inputs: { x: bad } }, 422, "inputs.x[3][2][4] must be a finite number, got null", "/inputs/x/3/2/4"],
    [
      "only padding",
      { instances: [sequences[0], [[0, 0, 0, 0, 0]]] },
      422,
      "instances[1] must have at least one row that is not all zeros, got only padding",
      "/instances/1",
    ],
    ["two inputs", { instances: [{ a: [], b: [] }] }, 422, "instances[0] must have one key, the input's name, got 2", "/instances/0"],
    ["no inputs", { inputs: {} }, 422, "inputs must have one key, the input's name, got 0", "/inputs"],
    ["neither", {}, 422, "the body must have either instances or inputs, got neither"],
    ["both", { instances: [], inputs: [] }, 422, "the body must have either instances or inputs, got both"],
    ["another key", { instances: [], x: 1 }, 422, 'the body must have no keys but signature_name, instances, inputs, got "x"'],
    ["no object", [], 422, "the body must be an object with instances or inputs, got an empty array"],
    ["nothing", "", 400, "the body is empty, expected JSON"],
    ["no sequence", { instances: [] }, 422, "instances must hold at least one sequence, got an empty array", "/instances"],
    ["no list", { instances: 7 }, 422, "instances must be an array of sequences, got 7", "/instances"],
    [
      "another signature",
      { signature_name: "classify", instances: sequences },
      422,
      'signature_name must be "serving_default", or be left out, got "classify"',
      "/signature_name",
    ],
    [
      "too many",
      { instances: Array(1001).fill([[1, 2, 3, 4, 5]]) },
      413,
      "at most 1000 sequences a request, got 1001: send them in parts",
      "/instances",
    ],
  ])("%s", async (_, body, status, error, pointer) => {
    const response = await send(body);
    expect(await response.json()).toMatchObject({ error, detail: error, status, ...(pointer !== undefined && { pointer }) });
    expect(response.status).toBe(status);
  });

  test.each([
    ["POST", "/v1/models/other:predict", 404, "there is no model other: this Worker serves fx"],
    ["POST", "/v1/models/fx/versions/2:predict", 404, "there is no version 2 of fx: this Worker serves 1"],
    ["GET", "/v1/models/other", 404, "there is no model other: this Worker serves fx"],
    ["GET", "/v1/models/fx/versions/2", 404, "there is no version 2 of fx: this Worker serves 1"],
    ["GET", "/v1/models/fx:predict", 405, "/v1/models/fx:predict answers POST, got GET"],
    ["POST", "/v1/models/fx", 405, "/v1/models/fx answers GET, HEAD, PUT, got POST"],
    ["POST", "/v1/models/fx:explain", 405, "/v1/models/fx:explain answers GET, HEAD, PUT, got POST"],
    ["POST", "/v1/models/fx:predict?explain=true", 422, "explain is a parameter of /v1/score: predict has no place for it"],
    ["POST", "/v1/models/fx:predict?x=1", 422, 'the query must have no parameters but operatingPoint, explain, prior, remember, got "x"'],
  ])("%s %s", async (method, path, status, error) => {
    const response = await app.request(path, { method, ...(method === "POST" && { body: "{}" }) });
    expect(await response.json()).toMatchObject({ error });
    expect(response.status).toBe(status);
  });
});

test("the status is KServe's and TensorFlow Serving's", async () => {
  const status = {
    name: "fx",
    ready: true,
    model_version_status: [{ version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }],
  };
  for (const path of ["/v1/models/fx", "/v1/models/fx/versions/1"]) expect(await (await app.request(path)).json()).toMatchObject(status);
});

test("without a usable model, both say why", async () => {
  const unready = openApp(kernel, new Uint8Array(7));
  for (const [method, path] of [
    ["GET", "/v1/models/fx"],
    ["POST", "/v1/models/fx:predict"],
    ["POST", "/v2/repository/index"],
  ]) {
    const response = await unready.request(path, { method });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/artifact/) });
  }
});
