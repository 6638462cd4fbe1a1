// The Open Inference Protocol v2, as its specification words it, and the binary tensors of Triton and KServe.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { VERSION } from "../../../shared/version.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";

const [N, T, F] = [12, 10, 5];
const model = makeModel(kernel, { name: "fx" });
const app = openApp(kernel, encodeArtifact(model));
const values = makeSequences(N, T, F, 9);
const shape = [N, T, F];
const nested = Array.from({ length: N }, (_, n) =>
  Array.from({ length: T }, (_, t) => Array.from({ length: F }, (_, f) => values[(n * T + t) * F + f])),
);
const v1: { results: { probability: number; label: number; outOfRange?: true }[] } = await (
  await postScore(app, JSON.stringify({ sequences: nested }))
).json();
const probabilities = v1.results.map(({ probability }) => probability);

interface Output {
  name: string;
  datatype: string;
  shape: number[];
  data?: (number | boolean)[];
  parameters?: { binary_data_size: number };
}
interface Answer {
  id?: string;
  model_name: string;
  model_version: string;
  parameters: Record<string, unknown>;
  outputs: Output[];
}

const input = (data: unknown, datatype = "FP64", of = shape) => ({ name: "sequences", shape: of, datatype, data });
const infer = (body: unknown, path = "/v2/models/fx/infer", headers = {}) =>
  post(app, path, typeof body === "string" ? body : JSON.stringify(body), { "content-type": "application/json", ...headers });

async function answerTo(body: unknown): Promise<Answer> {
  const response = await infer(body);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

/** JSON, then tensors. */
function binaryBody(json: unknown, ...tensors: ArrayBufferView[]): [Uint8Array<ArrayBuffer>, Record<string, string>] {
  const head = new TextEncoder().encode(JSON.stringify(json));
  const parts = [head, ...tensors.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))];
  const body = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return [body, { "content-type": "application/octet-stream", "inference-header-content-length": `${head.length}` }];
}

describe("metadata and health", () => {
  const get = async (path: string) => (await app.request(path)).json();

  test("say what the server is, what the model takes and gives, and that both are well", async () => {
    expect(await get("/v2")).toEqual({
      name: "quickstep",
      version: VERSION,
      extensions: ["binary_tensor_data", "model_configuration", "statistics"],
    });
    expect(await get("/v2/health/live")).toEqual({ live: true });
    expect(await get("/v2/health/ready")).toEqual({ ready: true });
    const metadata = await get("/v2/models/fx");
    expect(metadata).toEqual({
      name: "fx",
      versions: [expect.stringMatching(/^[0-9a-f]{12}$/), "1"],
      platform: "quickstep",
      inputs: [{ name: "sequences", datatype: "FP64", shape: [-1, 10, 5] }],
      outputs: [
        { name: "probability", datatype: "FP64", shape: [-1] },
        { name: "label", datatype: "INT32", shape: [-1] },
        { name: "outOfRange", datatype: "BOOL", shape: [-1] },
      ],
    });
    expect(await get("/v2/models/fx/ready")).toEqual({ name: "fx", ready: true });
    const version = `/v2/models/fx/versions/${metadata.versions[0]}`;
    expect(await get(version)).toEqual(metadata);
    expect(await get(`${version}/ready`)).toEqual({ name: "fx", ready: true });
    expect((await infer({ inputs: [input(nested)] }, `${version}/infer`)).status).toBe(200);
  });

  test.each([
    ["/v2/models/other", "there is no model other: this Worker serves fx"],
    ["/v2/models/other/ready", "there is no model other: this Worker serves fx"],
    ["/v2/models/fx/versions/2", /^there is no version 2 of fx: this Worker serves [0-9a-f]{12}, also called 1$/],
    ["/v2/nothing", "there is no /v2/nothing: GET /docs lists what there is"],
  ])("%s is a 404", async (path, detail) => {
    const response = await app.request(path);
    expect(response.status).toBe(404);
    const problem = await response.json();
    expect(problem.detail).toEqual(detail instanceof RegExp ? expect.stringMatching(detail) : detail);
    expect(problem.error).toBe(problem.detail);
  });

  test("a model whose name needs escaping is found by it", async () => {
    const odd = openApp(kernel, encodeArtifact(makeModel(kernel, { name: "été 1/2" })));
    expect(await (await odd.request(`/v2/models/${encodeURIComponent("été 1/2")}/ready`)).json()).toEqual({ name: "été 1/2", ready: true });
  });

  test.each([
    ["GET", "/v2/models/fx/infer", "POST"],
    ["POST", "/v2/models/fx", "GET, HEAD"],
    ["POST", "/v2", "GET, HEAD"],
    ["PUT", "/v2/health/ready", "GET, HEAD"],
  ])("%s %s is a 405 that allows %s", async (method, path, allow) => {
    const response = await app.request(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
  });
});

describe("infer in JSON", () => {
  test("FP64 is bit-equal to /v1/score, nested and flat", async () => {
    for (const data of [nested, Array.from(values)]) {
      const { outputs, ...head } = await answerTo({ id: "request 7", inputs: [input(data)], parameters: { trace: "x", deep: 7 } });
      expect(head).toEqual({
        model_name: "fx",
        model_version: expect.stringMatching(/^[0-9a-f]{12}$/),
        id: "request 7",
        parameters: { trace: "x", deep: 7, operatingPoint: "balanced" },
      });
      expect(outputs).toEqual([
        { name: "probability", datatype: "FP64", shape: [N], data: probabilities },
        { name: "label", datatype: "INT32", shape: [N], data: v1.results.map(({ label }) => label) },
        { name: "outOfRange", datatype: "BOOL", shape: [N], data: v1.results.map(({ outOfRange }) => outOfRange === true) },
      ]);
    }
  });

  test("FP32 is scored as its exact value", async () => {
    const singles = Float32Array.from(values);
    const wide = await answerTo({ inputs: [input(Array.from(singles))] });
    const narrow = await answerTo({ inputs: [input(Array.from(values), "FP32")] });
    expect(narrow.outputs).toEqual(wide.outputs);
    expect(narrow.outputs[0].data).not.toEqual(probabilities);
  });

  test("answers the outputs that are asked for, in that order", async () => {
    const { outputs } = await answerTo({ inputs: [input(nested)], outputs: [{ name: "label" }, { name: "probability" }] });
    expect(outputs.map(({ name }) => name)).toEqual(["label", "probability"]);
  });

  test("labels at the operating point among the parameters", async () => {
    const { outputs, parameters } = await answerTo({ inputs: [input(nested)], parameters: { operatingPoint: "sensitive" } });
    expect(parameters.operatingPoint).toBe("sensitive");
    expect(outputs[1].data).toEqual(probabilities.map((p) => Number(p >= 0.25)));
  });

  test("takes fewer steps, padded in front", async () => {
    const last = nested.map((rows) => rows.slice(-1));
    const { outputs } = await answerTo({ inputs: [input(last, "FP64", [N, 1, F])] });
    const alone = await (await postScore(app, JSON.stringify({ sequences: last }))).json();
    expect(outputs[0].data).toEqual(alone.results.map(({ probability }: { probability: number }) => probability));
  });

  test.each<[string, unknown, string, string?]>([
    ["no object", [], "the body must be an object, got an empty array"],
    ["no inputs", {}, "inputs must be an array of one input, sequences, got nothing", "/inputs"],
    ["two inputs", { inputs: [1, 2] }, "inputs must be an array of one input, sequences, got an array of 2", "/inputs"],
    ["no name", { inputs: [{ ...input(nested), name: undefined }] }, "inputs[0].name must be text, got nothing", "/inputs/0/name"],
    [
      "another datatype",
      { inputs: [input(nested, "BOOL")] },
      'inputs[0].datatype must be one of FP64, FP32, FP16, BF16, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, got "BOOL"',
      "/inputs/0/datatype",
    ],
    [
      "no shape",
      { inputs: [{ name: "sequences", datatype: "FP64", data: [] }] },
      "inputs[0].shape must be an array of whole numbers, got nothing",
      "/inputs/0/shape",
    ],
    [
      "a shape of text",
      { inputs: [input(nested, "FP64", ["1"] as never)] },
      'inputs[0].shape must be an array of whole numbers, got ["1"]',
      "/inputs/0/shape",
    ],
    [
      "another shape",
      { inputs: [input(nested, "FP64", [N, 50])] },
      "inputs[0].shape must have shape [sequences, 1 to 10 steps, 5 features], got [12, 50]",
      "/inputs/0/shape",
    ],
    [
      "a negative shape",
      { inputs: [input(nested, "FP64", [-1, T, F])] },
      "inputs[0].shape must have shape [sequences, 1 to 10 steps, 5 features], got [-1, 10, 5]",
      "/inputs/0/shape",
    ],
    [
      "a thousand dimensions",
      { inputs: [input(nested, "FP64", Array(1000).fill(1))] },
      "inputs[0].shape must have shape [sequences, 1 to 10 steps, 5 features], got 1000 dimensions",
      "/inputs/0/shape",
    ],
    ["too few numbers", { inputs: [input([1])] }, "inputs[0].data must have 600 numbers, as the shape says, got 1", "/inputs/0/data"],
    [
      "a short row",
      { inputs: [input(nested.with(3, nested[3].with(2, [1])))] },
      "inputs[0].data[3][2] must have 5 entries, as the shape says, got 1",
      "/inputs/0/data/3/2",
    ],
    [
      "a number too deep",
      { inputs: [input(nested.with(3, nested[3].with(2, [1, 2, [3] as never, 4, 5])))] },
      "inputs[0].data[3][2][2] must be a finite number, got an array of 1",
      "/inputs/0/data/3/2/2",
    ],
    [
      "null",
      { inputs: [input(Array.from<number | null>(values).with(7, null))] },
      "inputs[0].data[7] must be a finite number, got null",
      "/inputs/0/data/7",
    ],
    [
      "more than a float32 holds",
      { inputs: [input(Array.from(values).with(7, 1e300), "FP32")] },
      "inputs[0].data[7] must be a finite number, got Infinity",
      "/inputs/0/data/7",
    ],
    [
      "only padding",
      {
        inputs: [
          input(
            nested.with(
              3,
              nested[0].map(() => [0, 0, 0, 0, 0]),
            ),
          ),
        ],
      },
      "inputs[0].data[3] must have at least one row that is not all zeros, got only padding",
      "/inputs/0/data/3",
    ],
    [
      "an unknown output",
      { inputs: [input(nested)], outputs: [{ name: "score" }] },
      'outputs[0].name must be one of probability, label, outOfRange, got "score"',
      "/outputs/0/name",
    ],
    [
      "an output twice",
      { inputs: [input(nested)], outputs: [{ name: "label" }, { name: "label" }] },
      'outputs[1].name must name each output once, got "label"',
      "/outputs/1/name",
    ],
    ["an id of another type", { id: 7, inputs: [input(nested)] }, "id must be text, got 7", "/id"],
    [
      "an unknown operating point",
      { inputs: [input(nested)], parameters: { operatingPoint: "best" } },
      'parameters.operatingPoint must be one of balanced, sensitive, got "best"',
      "/parameters/operatingPoint",
    ],
    [
      "an operating point of another type",
      { inputs: [input(nested)], parameters: { operatingPoint: {} } },
      "parameters.operatingPoint must be one of balanced, sensitive, got an object",
      "/parameters/operatingPoint",
    ],
    [
      "a prior of another type",
      { inputs: [input(nested)], parameters: { prior: [0.2] } },
      expect.stringMatching(/^parameters\.prior must be .*, got an array/),
      "/parameters/prior",
    ],
    [
      "parameters of another type",
      { inputs: [input(nested)], parameters: [] },
      "parameters must be an object, got an empty array",
      "/parameters",
    ],
  ])("refuses %s", async (_, body, detail, pointer) => {
    const response = await infer(body);
    expect(await response.json()).toMatchObject({ status: 422, detail, error: detail, ...(pointer !== undefined && { pointer }) });
    expect(response.status).toBe(422);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  test("refuses 1,001 sequences", async () => {
    const response = await infer({ inputs: [input([], "FP64", [1001, T, F])] });
    expect(await response.json()).toMatchObject({ status: 413, detail: "at most 1000 sequences a request, got 1001: send them in parts" });
  });
});

describe("infer with binary tensors", () => {
  const binaryInput = (bytes: number, datatype = "FP64") => ({
    name: "sequences",
    shape,
    datatype,
    parameters: { binary_data_size: bytes },
  });

  test("in and out, bit-equal to /v1/score, whatever the alignment", async () => {
    for (const id of ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg"]) {
      const json = { id, inputs: [binaryInput(values.byteLength)], parameters: { binary_data_output: true } };
      const [body, headers] = binaryBody(json, values);
      const response = await post(app, "/v2/models/fx/infer", body, headers);
      expect(response.status, await response.clone().text()).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/octet-stream");
      const bytes = new Uint8Array(await response.arrayBuffer());
      const jsonBytes = Number(response.headers.get("inference-header-content-length"));
      const answer: Answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, jsonBytes)));
      expect(answer.id).toBe(id);
      expect(answer.parameters).toEqual({ operatingPoint: "balanced" });
      expect(answer.outputs.map(({ parameters }) => parameters!.binary_data_size)).toEqual([8 * N, 4 * N, N]);
      expect([...new Float64Array(bytes.slice(jsonBytes, jsonBytes + 8 * N).buffer)]).toEqual(probabilities);
      expect([...new Int32Array(bytes.slice(jsonBytes + 8 * N, jsonBytes + 12 * N).buffer)]).toEqual(v1.results.map(({ label }) => label));
      expect(bytes.length).toBe(jsonBytes + 13 * N);
    }
  });

  test("FP32 in, one output as tensor and one as JSON", async () => {
    const singles = Float32Array.from(values);
    const outputs = [
      { name: "label", parameters: { binary_data: false } },
      { name: "probability", parameters: { binary_data: true } },
    ];
    const [body, headers] = binaryBody({ inputs: [binaryInput(singles.byteLength, "FP32")], outputs }, singles);
    const response = await post(app, "/v2/models/fx/infer", body, headers);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const jsonBytes = Number(response.headers.get("inference-header-content-length"));
    const answer: Answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, jsonBytes)));
    expect(answer.outputs[0].data).toHaveLength(N);
    const inJson = await answerTo({ inputs: [input(Array.from(singles))] });
    expect([...new Float64Array(bytes.slice(jsonBytes).buffer)]).toEqual(inJson.outputs[0].data);
  });

  test("clients that send no content type, as Triton's does", async () => {
    const [body, { "content-type": _, ...headers }] = binaryBody({ inputs: [binaryInput(values.byteLength)] }, values);
    expect((await post(app, "/v2/models/fx/infer", body, headers)).status).toBe(200);
  });

  test.each<[string, unknown, ArrayBufferView[], string, Record<string, string>?]>([
    [
      "a size that is not the shape's",
      { inputs: [binaryInput(8)] },
      [values],
      "inputs[0].parameters.binary_data_size must be 4800, what the shape and datatype take, got 8",
    ],
    [
      "fewer bytes than said",
      { inputs: [binaryInput(values.byteLength)] },
      [values.subarray(1)],
      "inputs[0].parameters.binary_data_size must be what follows the JSON, 4792 bytes, got 4800",
    ],
    [
      "bytes that nothing speaks of",
      { inputs: [input(nested)] },
      [values],
      "the body must end where its JSON ends, since no input has binary data, got 4800 bytes more",
    ],
    [
      "data both ways",
      { inputs: [{ ...binaryInput(values.byteLength), data: [1] }] },
      [values],
      "inputs[0].data must be left out where binary_data_size is given, got an array of 1",
    ],
    [
      "NaN",
      { inputs: [binaryInput(values.byteLength)] },
      [values.with(7, Number.NaN)],
      "inputs[0].data[7] must be a finite number, got NaN",
    ],
    [
      "a header length beyond the body",
      {},
      [],
      'the header inference-header-content-length must be 0 to 2, the body\'s bytes, got "3"',
      { "inference-header-content-length": "3" },
    ],
    [
      "a header length of text",
      {},
      [],
      'the header inference-header-content-length must be 0 to 2, the body\'s bytes, got "-1"',
      { "inference-header-content-length": "-1" },
    ],
    ["a header length of nothing", {}, [], "the body is empty, expected JSON", { "inference-header-content-length": "0" }],
    [
      "JSON cut short",
      {},
      [],
      "the body is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
      { "inference-header-content-length": "1" },
    ],
  ])("refuses %s", async (_, json, tensors, detail, changed = {}) => {
    const [body, headers] = binaryBody(json, ...tensors);
    const response = await post(app, "/v2/models/fx/infer", body, { ...headers, ...changed });
    expect(await response.json()).toMatchObject({ detail, error: detail });
    expect(response.status).toBeOneOf([400, 422]);
  });
});

test("whatever the body, the answer is a problem of the client's or scores", async () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const data = fc.oneof(
    fc.array(fc.oneof(fc.double(), fc.jsonValue()), { maxLength: 51 }),
    fc.constant(nested.slice(0, 1)),
    fc.jsonValue(),
  );
  const anyInput = fc.record(
    {
      name: fc.oneof({ weight: 9, arbitrary: fc.constant("sequences") }, scalar),
      shape: fc.oneof({ weight: 9, arbitrary: fc.constantFrom([1, T, F], [1, 1, F], [1, 2, F]) }, fc.array(fc.integer()), fc.jsonValue()),
      datatype: fc.oneof({ weight: 9, arbitrary: fc.constantFrom("FP64", "FP32", "INT64", "FP16", "BF16") }, scalar),
      data,
      parameters: fc.oneof(
        { weight: 5, arbitrary: fc.constant({}) },
        fc.record({ binary_data_size: fc.integer({ min: 0, max: 500 }) }),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  );
  const request = fc.record(
    {
      id: fc.oneof({ weight: 9, arbitrary: fc.string() }, scalar),
      inputs: fc.oneof({ weight: 9, arbitrary: fc.tuple(anyInput) }, fc.jsonValue()),
      outputs: fc.oneof(
        fc.constant(undefined),
        fc.array(fc.record({ name: fc.constantFrom("probability", "label", "x") })),
        fc.jsonValue(),
      ),
      parameters: fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, fc.jsonValue()),
    },
    { requiredKeys: ["inputs"] },
  );
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(request, fc.uint8Array({ maxLength: 64 }), fc.boolean(), async (json, tail, isBinary) => {
      const [body, headers] = isBinary ? binaryBody(json, tail) : binaryBody(json);
      const response = await post(app, "/v2/models/fx/infer", body, headers);
      statuses.add(response.status);
      if (response.status === 200) return;
      expect(response.status).toBeOneOf([400, 413, 422]);
      expect(await response.json()).toMatchObject({ status: response.status, error: expect.any(String) });
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect([...statuses]).toEqual(expect.arrayContaining([200, 422]));
});
