// The same sequences by every protocol: the same bits out, and the same refusals.
import { describe, expect, test } from "vitest";
import { MAX_LINE_BYTES } from "../../../edge/scoring/score-lines.ts";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { openApp, post, postScore } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";

const T = 10;
const F = 5;
const N = 40;
const model = makeModel(kernel, { name: "fx" });
const app = openApp(kernel, encodeArtifact(model));
const values = makeSequences(N, T, F, 9);
const singles = Float32Array.from(values);

const toRows = (numbers: ArrayLike<number>): number[][][] =>
  Array.from({ length: numbers.length / (T * F) }, (_, n) =>
    Array.from({ length: T }, (_, t) => Array.from({ length: F }, (_, f) => numbers[(n * T + t) * F + f])),
  );
const bytesOf = (numbers: Float64Array | Float32Array): Uint8Array<ArrayBuffer> => new Uint8Array(numbers.slice().buffer as ArrayBuffer);

interface Result {
  probability: number;
  label: 0 | 1;
  explanation?: { method: string; steps: (number | null)[]; features: number[] };
}

async function scoreJson(body: unknown, query = ""): Promise<Result[]> {
  const response = await post(app, `/v1/score${query}`, JSON.stringify(body), { "content-type": "application/json" });
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()).results;
}

const expected = await scoreJson({ sequences: toRows(values) });
const probabilities = expected.map(({ probability }) => probability);
const probabilitiesOfSingles = (await scoreJson({ sequences: toRows(singles) })).map(({ probability }) => probability);

async function expectProblem(response: Response, status: number, detail: string, pointer?: string): Promise<void> {
  expect(await response.json()).toMatchObject({ status, detail });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  if (pointer !== undefined) expect(await (await response.clone().json()).pointer).toBe(pointer);
}

test("the fixture tells float32 from float64", () => {
  expect(probabilitiesOfSingles).not.toEqual(probabilities);
});

describe("application/octet-stream", () => {
  const octets = (body: Uint8Array<ArrayBuffer>, type = "application/octet-stream", headers = {}, query = "") =>
    post(app, `/v1/score${query}`, body, { "content-type": type, ...headers });

  test("float64 in, the same probabilities out as float64", async () => {
    const response = await octets(bytesOf(values));
    expect(response.headers.get("content-type")).toBe("application/octet-stream; dtype=float64");
    expect([...new Float64Array(await response.arrayBuffer())]).toEqual(probabilities);
    expect(response.headers.get("x-quickstep-operating-point")).toBe("balanced");
    expect(response.headers.get("x-quickstep-threshold")).toBe("0.5");
  });

  test("float32 in, scored as its exact value, float32 out", async () => {
    const response = await octets(bytesOf(singles), 'application/octet-stream; dtype="float32"');
    expect(response.headers.get("content-type")).toBe("application/octet-stream; dtype=float32");
    expect([...new Float32Array(await response.arrayBuffer())]).toEqual(probabilitiesOfSingles);
  });

  test("answers as JSON does where JSON is accepted, at the operating point of the query", async () => {
    const response = await octets(bytesOf(values), undefined, { accept: "application/json" }, "?operatingPoint=sensitive");
    const body = JSON.stringify({ sequences: toRows(values), operatingPoint: "sensitive" });
    expect(await response.json()).toEqual(await (await postScore(app, body)).json());
  });

  test.each<[string, Uint8Array<ArrayBuffer>, string, number, string]>([
    [
      "no bytes",
      new Uint8Array(),
      "application/octet-stream",
      422,
      "the body must be whole sequences of 10 × 5 float64, 400 bytes each, got 0 bytes",
    ],
    [
      "a byte too few",
      bytesOf(values).slice(1),
      "application/octet-stream",
      422,
      "the body must be whole sequences of 10 × 5 float64, 400 bytes each, got 15999 bytes",
    ],
    [
      "another type",
      bytesOf(values),
      "application/octet-stream; dtype=int8",
      415,
      'content-type\'s dtype must be float64 or float32, got "int8"',
    ],
    [
      "too many",
      bytesOf(new Float32Array(1001 * T * F)),
      "application/octet-stream; dtype=float32",
      413,
      "at most 1000 sequences a request, got 1001: send them in parts",
    ],
    [
      "only padding",
      bytesOf(new Float64Array(T * F)),
      "application/octet-stream",
      422,
      "sequences[0] must have at least one row that is not all zeros, got only padding",
    ],
    ["NaN", bytesOf(values.with(73, Number.NaN)), "application/octet-stream", 422, "sequences[1][4][3] must be a finite number, got NaN"],
    [
      "Infinity",
      bytesOf(singles.with(0, Number.POSITIVE_INFINITY)),
      "application/octet-stream; dtype=float32",
      422,
      "sequences[0][0][0] must be a finite number, got Infinity",
    ],
  ])("refuses %s", async (_, body, type, status, detail) => {
    await expectProblem(await octets(body, type), status, detail);
  });

  test("refuses to explain where the answer has no place for it", async () => {
    await expectProblem(
      await octets(bytesOf(values), undefined, {}, "?explain=true"),
      422,
      "explain needs the header accept: application/json, since application/octet-stream; dtype=float64 has no place for it",
    );
  });
});

describe("application/x-npy", () => {
  const npy = (body: Uint8Array<ArrayBuffer>, headers = {}) =>
    post(app, "/v1/score", body, { "content-type": "application/x-npy", ...headers });

  test("an array in, an array of the same type out", async () => {
    const wide = await npy(encodeNpy(values, [N, T, F]));
    expect(wide.headers.get("content-type")).toBe("application/x-npy");
    const answer = readNpy(new Uint8Array(await wide.arrayBuffer()), "answer");
    expect(answer).toEqual({ shape: [N], data: Float64Array.from(probabilities), dtype: "float64" });
    const narrow = readNpy(new Uint8Array(await (await npy(encodeNpy(singles, [N, T, F]))).arrayBuffer()), "answer");
    expect(narrow).toEqual({ shape: [N], data: Float64Array.from(probabilitiesOfSingles), dtype: "float32" });
  });

  test("fewer steps than the model's are padded in front", async () => {
    const last = Float64Array.from({ length: N * F }, (_, i) => values[(Math.floor(i / F) * T + T - 1) * F + (i % F)]);
    const answer = readNpy(new Uint8Array(await (await npy(encodeNpy(last, [N, 1, F]))).arrayBuffer()), "answer");
    const alone = await scoreJson({ sequences: toRows(values).map((rows) => rows.slice(-1)) });
    expect([...(answer.data as Float64Array)]).toEqual(alone.map(({ probability }) => probability));
  });

  test.each<[string, Uint8Array<ArrayBuffer>, number, string]>([
    [
      "no array",
      new TextEncoder().encode("hello"),
      400,
      "the body: does not start like an array of NumPy: write it with np.save or np.savez",
    ],
    ["text", encodeNpy(["a"], [1]), 422, "the body must be an array of numbers, got text"],
    ["two dimensions", encodeNpy(values, [N * T, F]), 422, "the body must have shape [sequences, 1 to 10 steps, 5 features], got [400, 5]"],
    [
      "another width",
      encodeNpy(values, [N, F, T]),
      422,
      "the body must have shape [sequences, 1 to 10 steps, 5 features], got [40, 5, 10]",
    ],
    [
      "no sequence",
      encodeNpy(new Float64Array(), [0, T, F]),
      422,
      "the body must have shape [sequences, 1 to 10 steps, 5 features], got [0, 10, 5]",
    ],
    ["NaN", encodeNpy(values.with(73, Number.NaN), [N, T, F]), 422, "sequences[1][4][3] must be a finite number, got NaN"],
  ])("refuses %s", async (_, body, status, detail) => {
    await expectProblem(await npy(body), status, detail);
  });
});

describe("application/x-ndjson", () => {
  const ndjson = (body: string | ReadableStream, query = "") =>
    post(app, `/v1/score${query}`, body, { "content-type": "application/x-ndjson" });
  const linesOf = async (response: Response): Promise<unknown[]> =>
    (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  test("a line in, a line out, in order, each as it would be answered alone", async () => {
    const text = toRows(values)
      .map((sequence, n) => JSON.stringify(n % 2 ? sequence : { sequence }))
      .join("\n");
    const response = await ndjson(text);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await linesOf(response)).toEqual(expected);
  });

  test("labels at the operating point of the query, and explains", async () => {
    const [line] = await linesOf(await ndjson(JSON.stringify(toRows(values)[9]), "?operatingPoint=sensitive&explain=true"));
    const [result] = await scoreJson({ sequence: toRows(values)[9], operatingPoint: "sensitive", explain: true });
    expect(line).toEqual(result);
  });

  test("a bad line is answered with its number and its place, and the rest go on", async () => {
    const good = JSON.stringify(toRows(values)[9]);
    const bad = [
      "{",
      "7",
      '{"sequence":[[1,2,3,4,null]]}',
      '{"sequence":[[0,0,0,0,0]]}',
      '{"sequences":[]}',
      '{"sequence":[[1,2,3,4,1e999]]}',
      "\ufffd\u0000",
    ];
    const answers = await linesOf(await ndjson([good, "", ...bad, " \r", " ".repeat(MAX_LINE_BYTES + 1), `${good}\r`].join("\n")));
    const problem = (line: number, status: number, detail: unknown, pointer?: string) => ({
      line,
      error: expect.objectContaining({ status, detail, ...(pointer !== undefined && { pointer }) }),
    });
    expect(answers).toEqual([
      expected[9],
      problem(3, 400, expect.stringContaining("the line is not JSON")),
      problem(4, 422, "line must be a sequence or an object with one, got 7"),
      problem(5, 422, "sequence[0][4] must be a finite number, got null", "/sequence/0/4"),
      problem(6, 422, "sequence must have at least one row that is not all zeros, got only padding", "/sequence"),
      problem(7, 422, 'line must have no key but sequence, got "sequences"'),
      problem(8, 422, "sequence[0][4] must be a finite number, got Infinity", "/sequence/0/4"),
      problem(9, 400, expect.stringContaining("the line is not JSON")),
      problem(11, 400, "the line must have at most 1048576 bytes, got more"),
      expected[9],
    ]);
  });

  test("results leave while lines arrive, and nothing is read ahead of what is taken", async () => {
    let sent = 0;
    let cancelled = false;
    const line = `${JSON.stringify(toRows(values)[9])}\n`;
    const source = new ReadableStream(
      {
        pull(controller) {
          sent++;
          controller.enqueue(new TextEncoder().encode(line));
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const reader = (await ndjson(source)).body!.getReader();
    for (let taken = 1; taken <= 20; taken++) {
      const { value } = await reader.read();
      expect(JSON.parse(new TextDecoder().decode(value))).toEqual(expected[9]);
      expect(sent).toBeLessThanOrEqual(taken + 1);
    }
    await reader.cancel();
    expect(cancelled).toBe(true);
  });

  test("a body that breaks off breaks the answer off", async () => {
    const source = new ReadableStream({
      pull(controller) {
        controller.error(new Error("gone"));
      },
    });
    await expect((await ndjson(source)).text()).rejects.toThrow("gone");
  });
});

describe("explain", () => {
  const explained = async (sequence: number[][], of = app): Promise<Result["explanation"]> => {
    const response = await postScore(of, JSON.stringify({ sequence, explain: true }));
    return (await response.json()).results[0].explanation;
  };

  test.each([true, false])("a planted step and feature rank first (standardised: %s)", async (standardise) => {
    const channels = Array.from({ length: F }, (_, a) => ({ base: "feature", view: "level", a }) as const);
    const planted = makeModel(kernel, { channels, standardise, units: 16 });
    const { featureMean, featureScale } = planted.recipe;
    const sequence = Array.from({ length: T }, () => [...featureMean]);
    sequence[6][3] += 4 * featureScale[3];
    const { method, steps, features } = (await explained(sequence, openApp(kernel, encodeArtifact(planted))))!;
    expect(method).toBe("occlusion");
    const first = (changes: (number | null)[]) =>
      changes.map((x) => Math.abs(x ?? 0)).reduce((best, x, i, all) => (x > all[best] ? i : best), 0);
    expect([first(steps), first(features)]).toEqual([6, 3]);
    expect(Math.abs(steps[6]!)).toBeGreaterThan(1e-3);
    for (const [t, change] of steps.entries()) if (t !== 6) expect(Math.abs(change!)).toBeLessThan(1e-4);
  });

  test("padding has no change, and every number is finite", async () => {
    const { steps, features } = (await explained(toRows(values)[3].slice(-4)))!;
    expect(steps.slice(0, 6)).toEqual(Array(6).fill(null));
    for (const change of [...steps.slice(6), ...features]) expect(Number.isFinite(change)).toBe(true);
    expect(features).toHaveLength(F);
  });

  test("a saturated probability is explained in finite numbers", async () => {
    const sure = openApp(kernel, encodeArtifact(makeModel(kernel, { units: 8, steep: 1e4 })));
    const { steps, features } = (await explained(toRows(values)[9], sure))!; // of full length; JSON writes null for what is not finite
    for (const change of [...steps, ...features]) expect(change).toEqual(expect.any(Number));
  });

  test("changes no score", async () => {
    const plain = (await scoreJson({ sequences: toRows(values), explain: true })).map(({ explanation: _, ...rest }) => rest);
    expect(plain).toEqual(expected);
  });

  test("no more sequences than a request may cost", async () => {
    const sequences = Array(126).fill(toRows(values)[9]);
    await expectProblem(
      await postScore(app, JSON.stringify({ sequences, explain: true })),
      413,
      "at most 125 sequences a request are explained, got 126: send them in parts",
    );
  });
});

test.each(["application/json", "application/octet-stream", "application/x-npy"])(
  "a body of %s that breaks off is no fault of ours",
  async (type) => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
    await expectProblem(await post(app, "/v1/score", body, { "content-type": type }), 400, "the body broke off");
  },
);

test.each([
  ["?operatingPoint=best", 'operatingPoint must be one of balanced, sensitive, got "best"'],
  ["?explain=yes", 'explain must be true or false, got "yes"'],
  ["?prior=0", 'prior must be a number above 0 and below 1, got "0"'],
  ["?prior=", 'prior must be a number above 0 and below 1, got ""'],
  ["?operatingpoint=balanced", 'the query must have no parameters but operatingPoint, explain, prior, remember, got "operatingpoint"'],
])("the query %s is refused", async (query, detail) => {
  const body = JSON.stringify({ sequence: [[1, 2, 3, 4, 5]] });
  await expectProblem(await post(app, `/v1/score${query}`, body, { "content-type": "application/json" }), 422, detail);
});

test("options in a JSON body decide over the query's", async () => {
  const results = await scoreJson({ sequences: toRows(values), operatingPoint: "balanced" }, "?operatingPoint=sensitive");
  expect(results).toEqual(expected);
});

describe("another base rate", () => {
  const prior = 0.1;
  const logit = (p: number): number => Math.log(p / (1 - p));
  const shift = logit(prior) - logit(model.positiveRate);

  test("moves every logit by the difference of the rates' logits", async () => {
    const results = await scoreJson({ sequences: toRows(values), prior });
    // float32 probabilities of logits within ±10: their own rounding, 6e-8, over p(1 − p)
    for (const [n, { probability }] of results.entries()) {
      const p = probabilities[n];
      expect(Math.abs(logit(probability) - logit(p) - shift)).toBeLessThan(1e-6 / Math.min(p * (1 - p), probability * (1 - probability)));
    }
  });

  test("is the same by body, by query, as numbers and by the Open Inference Protocol", async () => {
    const results = await scoreJson({ sequences: toRows(values), prior });
    expect(await scoreJson({ sequences: toRows(values) }, `?prior=${prior}`)).toEqual(results);
    const octets = await post(app, `/v1/score?prior=${prior}`, bytesOf(values), { "content-type": "application/octet-stream" });
    expect([...new Float64Array(await octets.arrayBuffer())]).toEqual(results.map(({ probability }) => probability));
    const inputs = [{ name: "sequences", datatype: "FP64", shape: [N, T, F], data: [...values] }];
    const infer = await post(app, "/v2/models/fx/infer", JSON.stringify({ parameters: { prior }, inputs }), {
      "content-type": "application/json",
    });
    const { outputs } = (await infer.json()) as { outputs: { name: string; data: number[] }[] };
    expect(outputs.find(({ name }) => name === "probability")?.data).toEqual(results.map(({ probability }) => probability));
  });

  test("that of training changes nothing", async () => {
    expect(await scoreJson({ sequences: toRows(values), prior: model.positiveRate })).toEqual(expected);
  });

  test.each([0, 1, -0.5, "0.1", null])("%j is refused", async (wrong) => {
    const body = JSON.stringify({ sequences: toRows(values), prior: wrong });
    const got = typeof wrong === "string" ? JSON.stringify(wrong) : `${wrong}`;
    await expectProblem(await postScore(app, body), 422, `prior must be a number above 0 and below 1, got ${got}`);
  });
});
