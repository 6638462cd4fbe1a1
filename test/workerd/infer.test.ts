// The Open Inference Protocol as its clients speak it: what Triton's, KServe's and MLServer's libraries write beyond its plainest form.
import { describe, expect, test } from "vitest";
import { readAccess } from "../../edge/http/access.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { type App, openApp, post } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

const [N, T, F] = [3, 10, 5];
const shape = [N, T, F];
const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const open = (dependencies = {}): App => openApp(kernel, artifact, { now: () => 1_795_600_000_000, ...dependencies });
const app = open();
/** Whole numbers from 1 to 100, which every type can hold. */
const values = Array.from({ length: N * T * F }, (_, i) => ((i * 37) % 100) + 1);
const input = (more = {}) => ({ name: "sequences", shape, datatype: "FP64", data: values, ...more });

const infer = (body: unknown, path = "/v2/models/fx/infer", to = app) =>
  post(to, path, JSON.stringify(body), { "content-type": "application/json" });
const get = async (path: string, to = app) => (await to.request(path)).json();

interface Answer {
  id?: string;
  parameters: Record<string, unknown>;
  outputs: { name: string; data: number[] }[];
}
async function answerTo(body: unknown): Promise<Answer> {
  const response = await infer(body);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}
async function problemOf(body: unknown): Promise<[status: number, detail: string, pointer?: string]> {
  const response = await infer(body);
  const { detail, error, pointer } = await response.json();
  expect(error).toBe(detail);
  return [response.status, detail, pointer];
}

const expected = await answerTo({ inputs: [input()] });

describe("what may be left out may be null", () => {
  test.each([
    ["id", { id: null, inputs: [input()] }],
    ["parameters", { parameters: null, inputs: [input()] }],
    ["outputs", { outputs: null, inputs: [input()] }],
    ["an input's parameters", { inputs: [input({ parameters: null })] }],
    ["an output's parameters", { inputs: [input()], outputs: expected.outputs.map(({ name }) => ({ name, parameters: null })) }],
    ["parameters one by one", { inputs: [input({ parameters: { content_type: null, headers: null, binary_data_size: null } })] }],
    ["those of the request, too", { inputs: [input()], parameters: { operatingPoint: null, prior: null, binary_data_output: null } }],
  ])("%s", async (_, body) => {
    expect(await answerTo(body)).toEqual(expected);
  });

  test("data, where the numbers come as bytes", async () => {
    const json = JSON.stringify({ inputs: [input({ data: null, parameters: { binary_data_size: 8 * values.length } })] });
    const body = new Uint8Array([...new TextEncoder().encode(json), ...new Uint8Array(Float64Array.from(values).buffer)]);
    const response = await post(app, "/v2/models/fx/infer", body, { "inference-header-content-length": `${json.length}` });
    expect(await response.json()).toEqual(expected);
  });
});

test("parameters that nobody knows say nothing, whatever they are; texts, numbers and flags come back", async () => {
  const parameters = { sequence_id: 7, priority: 1, headers: { a: "b" }, list: [1], content_type: "np", deep: null };
  const answer = await answerTo({ inputs: [input({ parameters })], parameters, outputs: [{ name: "probability", parameters }] });
  expect(answer.parameters).toEqual({ sequence_id: 7, priority: 1, content_type: "np", operatingPoint: "balanced" });
  expect(answer.outputs).toEqual(expected.outputs.slice(0, 1));
});

test("the one input is called as the client likes", async () => {
  for (const name of ["input-0", "input-1", "lstm_input", ""]) expect(await answerTo({ inputs: [input({ name })] })).toEqual(expected);
  expect(await problemOf({ inputs: [input({ name: 7 })] })).toEqual([422, "inputs[0].name must be text, got 7", "/inputs/0/name"]);
});

test("JSON is taken under the types that Triton's clients and aiohttp give it", async () => {
  for (const type of ["", "application/json", "application/octet-stream"]) {
    const response = await post(app, "/v2/models/fx/infer", JSON.stringify({ inputs: [input()] }), { "content-type": type });
    expect(await response.json()).toEqual(expected);
  }
  expect((await post(app, "/v2/models/fx/infer", "{}", { "content-type": "text/csv" })).status).toBe(415);
});

describe("number types", () => {
  const ARRAYS = {
    FP64: Float64Array,
    FP32: Float32Array,
    FP16: Float16Array,
    INT8: Int8Array,
    INT16: Int16Array,
    INT32: Int32Array,
    UINT8: Uint8Array,
    UINT16: Uint16Array,
    UINT32: Uint32Array,
  };
  const bytesOf: Record<string, (numbers: readonly number[]) => Uint8Array> = {
    ...Object.fromEntries(
      Object.entries(ARRAYS).map(([name, Numbers]) => [name, (numbers: readonly number[]) => new Uint8Array(Numbers.from(numbers).buffer)]),
    ),
    INT64: (numbers) => new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer),
    UINT64: (numbers) => new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer),
    // the upper half of a float32
    BF16: (numbers) =>
      new Uint8Array(Uint16Array.from(new Uint16Array(Float32Array.from(numbers).buffer).filter((_, i) => i % 2 === 1)).buffer),
  };

  test.each(Object.keys(bytesOf))("%s as bytes is scored as the numbers it holds, whatever the alignment", async (datatype) => {
    const tensor = bytesOf[datatype](values);
    for (const id of ["", "a", "ab", "abc"]) {
      const json = JSON.stringify({ id, inputs: [input({ datatype, data: undefined, parameters: { binary_data_size: tensor.length } })] });
      const body = new Uint8Array([...new TextEncoder().encode(json), ...tensor]);
      const response = await post(app, "/v2/models/fx/infer", body, { "inference-header-content-length": `${json.length}` });
      expect((await response.json()).outputs).toEqual(expected.outputs);
    }
  });

  test.each(Object.keys(bytesOf).filter((name) => name !== "BF16"))("%s in JSON", async (datatype) => {
    expect((await answerTo({ inputs: [input({ datatype })] })).outputs).toEqual(expected.outputs);
  });

  test("what is below zero, and what is finer than the type, is read as NumPy reads it", async () => {
    const scores = async (datatype: string, numbers: readonly number[]) => {
      const tensor = bytesOf[datatype](numbers);
      const json = JSON.stringify({ inputs: [input({ datatype, data: undefined, parameters: { binary_data_size: tensor.length } })] });
      const body = new Uint8Array([...new TextEncoder().encode(json), ...tensor]);
      return (await (await post(app, "/v2/models/fx/infer", body, { "inference-header-content-length": `${json.length}` })).json()).outputs;
    };
    const exact = async (numbers: readonly number[]) => (await answerTo({ inputs: [input({ data: numbers })] })).outputs;
    const negative = values.map((value, i) => (i % 2 ? -value : value));
    for (const datatype of ["INT8", "INT16", "INT32", "INT64", "FP16", "BF16"])
      expect(await scores(datatype, negative), datatype).toEqual(await exact(negative));
    const fine = values.map((value) => value / 7);
    const halves = fine.map((value) => new Float16Array([value])[0]);
    expect(halves).not.toEqual(fine);
    expect(await scores("FP16", fine)).toEqual(await exact(halves));
    expect((await answerTo({ inputs: [input({ datatype: "FP16", data: fine })] })).outputs).toEqual(await exact(halves));
    // 1.0078125 is the bfloat16 after 1: 0x3f81
    expect(
      await scores(
        "BF16",
        values.map(() => 1.0078125),
      ),
    ).toEqual(await exact(values.map(() => 1.0078125)));
  });

  test.each([
    ["INT8", 128, "inputs[0].data[7] must be a whole number from -128 to 127, as INT8 says, got 128"],
    ["INT8", -129, "inputs[0].data[7] must be a whole number from -128 to 127, as INT8 says, got -129"],
    ["UINT16", -1, "inputs[0].data[7] must be a whole number from 0 to 65535, as UINT16 says, got -1"],
    ["INT32", 1.5, "inputs[0].data[7] must be a whole number from -2147483648 to 2147483647, as INT32 says, got 1.5"],
    ["FP16", 65520, "inputs[0].data[7] must be a finite number, got Infinity"],
  ])("%s does not hold %s", async (datatype, value, detail) => {
    expect(await problemOf({ inputs: [input({ datatype, data: values.with(7, value) })] })).toEqual([422, detail, "/inputs/0/data/7"]);
  });

  test.each(["BOOL", "BYTES", "fp64", "toString", 7, null])("%s is refused", async (datatype) => {
    const list = "FP64, FP32, FP16, BF16, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64";
    const detail = `inputs[0].datatype must be one of ${list}, got ${JSON.stringify(datatype)}`;
    expect(await problemOf({ inputs: [input({ datatype })] })).toEqual([422, detail, "/inputs/0/datatype"]);
  });

  test("BF16 has no form in JSON", async () => {
    const [status, detail] = await problemOf({ inputs: [input({ datatype: "BF16" })] });
    expect([status, detail]).toEqual([422, expect.stringMatching(/ in JSON: send BF16 as binary data, got BF16$/)]);
  });
});

test("class_count, which Triton's clients send as classification, is refused by name", async () => {
  const outputs = [{ name: "probability", parameters: { classification: 2 } }];
  expect(await problemOf({ inputs: [input()], outputs })).toEqual([
    422,
    "outputs[0].parameters.classification must be left out (class_count, in Triton's clients): the outputs probability and label say it all, got 2",
    "/outputs/0/parameters/classification",
  ]);
});

describe("beside infer", () => {
  test("version 1 and the hash name the model's one version", async () => {
    const { versions } = await get("/v2/models/fx");
    expect(versions).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), "1"]);
    for (const version of versions) {
      const path = `/v2/models/fx/versions/${version}`;
      expect(await get(path)).toEqual(await get("/v2/models/fx"));
      expect(await get(`${path}/ready`)).toEqual({ name: "fx", ready: true });
      expect(await get(`${path}/config`)).toEqual(await get("/v2/models/fx/config"));
      expect(await get(`${path}/stats`)).toEqual(await get("/v2/models/fx/stats"));
      expect(await (await infer({ inputs: [input()] }, `${path}/infer`)).json()).toEqual(expected);
    }
    expect((await app.request("/v2/models/fx/versions/2")).status).toBe(404);
  });

  test("config is the model configuration that Triton's clients read", async () => {
    expect(await get("/v2/models/fx/config")).toEqual({
      name: "fx",
      platform: "quickstep",
      backend: "quickstep",
      max_batch_size: 1000,
      input: [{ name: "sequences", data_type: "TYPE_FP64", dims: [10, 5] }],
      output: [
        { name: "probability", data_type: "TYPE_FP64", dims: [1], reshape: { shape: [] } },
        { name: "label", data_type: "TYPE_INT32", dims: [1], reshape: { shape: [] } },
        { name: "outOfRange", data_type: "TYPE_BOOL", dims: [1], reshape: { shape: [] } },
      ],
    });
  });

  test("stats count this isolate's requests, and say so", async () => {
    const counted = open();
    for (const body of [{ inputs: [input()] }, { inputs: [input()] }, {}]) await infer(body, undefined, counted);
    const { note, model_stats } = await get("/v2/models/fx/stats", counted);
    expect(note).toMatch(/^counted since this isolate of the Worker started/);
    expect(model_stats).toMatchObject([
      {
        name: "fx",
        inference_count: 2 * N,
        execution_count: 2,
        last_inference: 1_795_600_000_000,
        inference_stats: { success: { count: 2, ns: 0 }, fail: { count: 1, ns: 0 } },
      },
    ]);
    expect(await get("/v2/models/stats", counted)).toEqual(await get("/v2/models/fx/stats", counted));
    expect((await get("/v2/models/fx/stats", open())).model_stats[0].execution_count).toBe(0);
  });

  test("a model that is called stats is asked for by its name", async () => {
    const odd = openApp(kernel, encodeArtifact(makeModel(kernel, { name: "stats" })));
    expect(await get("/v2/models/stats", odd)).toMatchObject({ name: "stats", platform: "quickstep" });
    expect(await get("/v2/models/stats/stats", odd)).toMatchObject({ model_stats: [{ name: "stats" }] });
  });

  test("the repository has the one model", async () => {
    const index = [{ name: "fx", version: expect.stringMatching(/^[0-9a-f]{12}$/), state: "READY", reason: "" }];
    for (const body of ["", "{}", '{"ready":true}'])
      expect(await (await post(app, "/v2/repository/index", body, { "content-type": "application/json" })).json()).toEqual(index);
    const response = await app.request("/v2/repository/index");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

test("a key of scope score may read metadata and readiness, and no more", async () => {
  const digest = async (text: string) =>
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  const API_KEYS = `scorer:${await digest("s")}:score reader:${await digest("r")}:read`;
  const closed = open({ access: readAccess({ API_KEYS }) });
  const status = async (key: string, method: string, path: string) =>
    (await closed.request(`https://edge.test${path}`, { method, headers: { authorization: `Bearer ${key}` } })).status;
  const about = ["/v2", "/v2/models/fx", "/v2/models/fx/ready", "/v2/models/fx/config", "/v2/models/fx/stats", "/v1/models/fx"];
  for (const key of ["s", "r"]) {
    for (const path of about) expect(await status(key, "GET", path), path).toBe(200);
    expect(await status(key, "POST", "/v2/repository/index")).toBe(200);
    expect(await status("x", "POST", "/v2/repository/index")).toBe(401);
  }
  expect(await status("s", "GET", "/v1/model")).toBe(403);
  for (const path of ["/v2/models/fx/infer", "/v1/models/fx:predict", "/v1/score"]) expect(await status("r", "POST", path), path).toBe(403);
  const refused = await closed.request("https://edge.test/v1/model", { headers: { authorization: "Bearer s" } });
  expect(await refused.json()).toMatchObject({ detail: "the key scorer has the scopes score, this needs read" });
});
