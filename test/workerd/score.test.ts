// POST /v1/score in the real runtime: what it takes, what it refuses and how, and that a refusal leaves nothing behind.
import { describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../edge/http/body.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { openApp, postScore } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

const app = openApp(kernel, encodeArtifact(makeModel(kernel)));

const row = [1.25, 0.75, 1.25, 0.75, 1.25];
const good = JSON.stringify({ sequence: [row, row] });
const goodAnswer = await (await postScore(app, good)).text();

interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  pointer?: string;
}

async function expectProblem(response: Response, status: number, detail: string, pointer?: string): Promise<void> {
  const problem: Problem = await response.json();
  expect(problem.detail).toBe(detail);
  expect(problem.pointer).toBe(pointer);
  expect(problem.status).toBe(status);
  expect(problem.type).toMatch(/^urn:quickstep:problem:\w+$/);
  expect(problem.title).toMatch(/^[A-Z]/);
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(Object.keys(problem)).not.toContain("results");
  // and the isolate goes on as if nothing had been
  expect(await (await postScore(app, good)).text()).toBe(goodAnswer);
}

/** Seven numbers of `sequences[3]`'s third row, one of them replaced. */
function sequencesWith(number: string): string {
  const rows = [`[${row}]`, `[${row}]`, `[1,2,3,4,${number}]`];
  return `{"sequences":[[[${row}]],[[${row}]],[[${row}]],[${rows}]]}`;
}

describe("values that are not finite numbers are named with their place", () => {
  test.each([
    ["null", "null"],
    ["true", "true"],
    ['"1.5"', '"1.5"'],
    ['"NaN"', '"NaN"'],
    ["1e999", "Infinity"],
    ["-1e999", "-Infinity"],
    ["[1]", "an array of 1"],
    ["[]", "an empty array"],
    ["{}", "an object"],
    [JSON.stringify("x".repeat(100_000)), "a string of 100000 characters"],
  ])("%.20s", async (number, got) => {
    const detail = `sequences[3][2][4] must be a finite number, got ${got}`;
    await expectProblem(await postScore(app, sequencesWith(number)), 422, detail, "/sequences/3/2/4");
  });
});

describe("bodies of the wrong shape are named with their place", () => {
  test.each<[body: string, detail: string, pointer?: string]>([
    ["[]", "the body must be an object with sequence or sequences, got an empty array"],
    ["null", "the body must be an object with sequence or sequences, got null"],
    ['"sequence"', 'the body must be an object with sequence or sequences, got "sequence"'],
    ["7", "the body must be an object with sequence or sequences, got 7"],
    ["{}", "the body must have either sequence or sequences, got neither"],
    ['{"sequence":[[1,2,3,4,5]],"sequences":[[[1,2,3,4,5]]]}', "the body must have either sequence or sequences, got both"],
    [
      '{"sequence":[[1,2,3,4,5]],"threshold":0.5}',
      'the body must have no keys but sequence, sequences, operatingPoint, explain, prior, remember, got "threshold"',
    ],
    [
      '{"sequence":[[1,2,3,4,5]],"__proto__":{}}',
      'the body must have no keys but sequence, sequences, operatingPoint, explain, prior, remember, got "__proto__"',
    ],
    [
      `{"${"k".repeat(1e6)}":1}`,
      "the body must have no keys but sequence, sequences, operatingPoint, explain, prior, remember, got a string of 1000000 characters",
    ],
    ['{"sequence":null}', "sequence must be an array of up to 10 rows, got null", "/sequence"],
    ['{"sequence":[]}', "sequence must have 1 to 10 rows, got an empty array", "/sequence"],
    ['{"sequence":[1,2,3,4,5]}', "sequence[0] must be an array of 5 numbers (a, b, c, d, e), got 1", "/sequence/0"],
    ['{"sequence":[[1,2,3,4]]}', "sequence[0] must have 5 numbers (a, b, c, d, e), got 4", "/sequence/0"],
    ['{"sequence":[[1,2,3,4,5,6]]}', "sequence[0] must have 5 numbers (a, b, c, d, e), got 6", "/sequence/0"],
    ['{"sequence":[[[1,2,3,4,5]]]}', "sequence[0] must be an array of 5 numbers (a, b, c, d, e), got an array of arrays", "/sequence/0"],
    ['{"sequence":[[]]}', "sequence[0] must have 5 numbers (a, b, c, d, e), got 0", "/sequence/0"],
    ['{"sequence":{"0":[1,2,3,4,5],"length":1}}', "sequence must be an array of up to 10 rows, got an object", "/sequence"],
    [JSON.stringify({ sequence: Array(11).fill(row) }), "sequence must have at most 10 rows, got 11", "/sequence"],
    ['{"sequence":[[0,0,0,0,0]]}', "sequence must have at least one row that is not all zeros, got only padding", "/sequence"],
    ['{"sequences":[]}', "sequences must hold at least one sequence, got an empty array", "/sequences"],
    ['{"sequences":{"a":1}}', "sequences must be an array of sequences, got an object", "/sequences"],
    ['{"sequences":[[[1,2,3,4,5]],[]]}', "sequences[1] must have 1 to 10 rows, got an empty array", "/sequences/1"],
    [
      '{"sequences":[[[1,2,3,4,5]],[[0,-0,0,0,0],[0,0,0,0,0]]]}',
      "sequences[1] must have at least one row that is not all zeros, got only padding",
      "/sequences/1",
    ],
    [
      '{"sequence":[[1,2,3,4,5]],"operatingPoint":"best"}',
      'operatingPoint must be one of balanced, sensitive, got "best"',
      "/operatingPoint",
    ],
    ['{"sequence":[[1,2,3,4,5]],"operatingPoint":null}', "operatingPoint must be one of balanced, sensitive, got null", "/operatingPoint"],
    [
      '{"sequence":[[1,2,3,4,5]],"operatingPoint":"constructor"}',
      'operatingPoint must be one of balanced, sensitive, got "constructor"',
      "/operatingPoint",
    ],
  ])("%.60s", async (body, detail, pointer) => {
    await expectProblem(await postScore(app, body), 422, detail, pointer);
  });

  test("100,000 nested arrays", async () => {
    const nested = "[".repeat(100_000) + "]".repeat(100_000);
    const detail = "sequence[0] must be an array of 5 numbers (a, b, c, d, e), got an array of arrays";
    await expectProblem(await postScore(app, `{"sequence":${nested}}`), 422, detail, "/sequence/0");
    await expectProblem(
      await postScore(app, `{"sequence":[[1,2,3,4,${nested}]]}`),
      422,
      "sequence[0][4] must be a finite number, got an array of 1",
      "/sequence/0/4",
    );
  });
});

describe("bodies that are not JSON", () => {
  test.each([
    ["", "the body is empty, expected JSON"],
    [" \r\n", "the body is empty, expected JSON"],
    ["{", "the body is not JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
    [
      '{"sequence":[[1,2,3,4,NaN]]}',
      `the body is not JSON: Unexpected token 'N', ..."[[1,2,3,4,NaN]]}" is not valid JSON (line 1 column 23); JSON knows neither NaN nor Infinity: null stands for a missing number, where the model takes gaps`,
    ],
    [
      '{"sequence":[[1,2,3,4,5]]}}',
      "the body is not JSON: Unexpected non-whitespace character after JSON at position 26 (line 1 column 27)",
    ],
    ["sequence=1", `the body is not JSON: Unexpected token 's', "sequence=1" is not valid JSON (line 1 column 1)`],
    ["[".repeat(100_000), "the body is not JSON: Unexpected end of JSON input"],
  ])("%.40s", async (body, detail) => {
    await expectProblem(await postScore(app, body), 400, detail);
  });

  test("no body at all", async () => {
    const request = new Request("http://localhost/v1/score", { method: "POST", headers: { "content-type": "application/json" } });
    await expectProblem(await app.request(request), 400, "the body is empty, expected JSON");
  });

  test.each([
    ["a byte that no character has", [0xff]],
    ["a character cut short at the end", [0x22, 0xe2, 0x82]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["half a surrogate pair", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ["gzip", [0x1f, 0x8b, 0x08, 0x00]],
  ])("invalid UTF-8: %s", async (_, bytes) => {
    await expectProblem(await postScore(app, Uint8Array.from(bytes)), 400, "the body is not valid UTF-8");
  });
});

describe("content types", () => {
  test.each(["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8", " application/json "])(
    "takes %s",
    async (type) => {
      expect(await (await postScore(app, good, { "content-type": type })).text()).toBe(goodAnswer);
    },
  );

  test.each([
    ["text/plain", ""],
    ["application/x-www-form-urlencoded", ", which curl says where no -H names another"],
    ["application/jsonp", ""],
    ["application/problem+json", ""],
    ["text/json", ""],
    [";application/json", ""],
  ])("refuses %s", async (type, hint) => {
    const detail = `content-type must be application/json, application/x-ndjson, application/octet-stream or application/x-npy, got ${type}${hint}`;
    await expectProblem(await postScore(app, good, { "content-type": type }), 415, detail);
  });

  test("refuses none", async () => {
    const request = new Request("http://localhost/v1/score", { method: "POST", body: new TextEncoder().encode(good) });
    await expectProblem(
      await app.request(request),
      415,
      "content-type must be application/json, application/x-ndjson, application/octet-stream or application/x-npy, got none",
    );
  });

  test("refuses a body that nobody here unpacks, by its name rather than by its bytes", async () => {
    const detail = 'content-encoding must be gzip, deflate or identity, got "br"';
    await expectProblem(await postScore(app, good, { "content-encoding": "br" }), 415, detail);
  });
});

describe("limits", () => {
  const tooLarge = (got: string) => `the body must have at most 2097152 bytes, got ${got}: send the sequences in parts`;

  test("takes a body of exactly 2 MiB, refuses one byte more, with its length and without", async () => {
    const exact = good.padEnd(MAX_BODY_BYTES, " ");
    expect(await (await postScore(app, exact)).text()).toBe(goodAnswer);
    expect(await (await postScore(app, new Blob([exact]).stream())).text()).toBe(goodAnswer);
    await expectProblem(await postScore(app, `${exact} `), 413, tooLarge("2097153"));
    await expectProblem(await postScore(app, new Blob([exact, " "]).stream()), 413, tooLarge("more"));
  });

  test("counts bytes, not characters", async () => {
    const body = `{"${"€".repeat(MAX_BODY_BYTES / 3)}":1}`;
    await expectProblem(await postScore(app, body), 413, tooLarge("2097156"));
  });

  test("refuses by content-length before it reads a byte", async () => {
    const { stream, sent } = endlessStream();
    await expectProblem(await postScore(app, stream, { "content-length": "2097153" }), 413, tooLarge("2097153"));
    expect(sent.bytes).toBe(0);
  });

  test("stops reading a stream of unknown length at the limit, and cancels it", async () => {
    const { stream, sent } = endlessStream();
    await expectProblem(await postScore(app, stream), 413, tooLarge("more"));
    expect(sent.cancelled).toBe(true);
    expect(sent.bytes).toBeLessThanOrEqual(MAX_BODY_BYTES + 2 * CHUNK_BYTES);
  });

  test("takes 1,000 sequences, refuses 1,001", async () => {
    const body = (count: number) => JSON.stringify({ sequences: Array(count).fill([row]) });
    const answer: { results: unknown[] } = await (await postScore(app, body(1000))).json();
    expect(answer.results).toHaveLength(1000);
    const detail = "at most 1000 sequences a request, got 1001: send them in parts";
    await expectProblem(await postScore(app, body(1001)), 413, detail, "/sequences");
  });

  test("puts a body together that arrives in pieces, split within a character", async () => {
    const bytes = new TextEncoder().encode(`{"sequence":[[1,2,3,4,"€"]]}`);
    const pieces = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    await expectProblem(await postScore(app, pieces), 422, 'sequence[0][4] must be a finite number, got "€"', "/sequence/0/4");
  });
});

const CHUNK_BYTES = 64 * 1024;

/** Spaces without end, and a record of how much was taken. */
function endlessStream(): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; sent: { bytes: number; cancelled: boolean } } {
  const sent = { bytes: 0, cancelled: false };
  const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    pull(controller) {
      sent.bytes += CHUNK_BYTES;
      controller.enqueue(new Uint8Array(CHUNK_BYTES).fill(0x20));
    },
    cancel() {
      sent.cancelled = true;
    },
  };
  return { stream: new ReadableStream(source, { highWaterMark: 0 }), sent };
}
