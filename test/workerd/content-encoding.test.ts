// Compressed bodies in the real runtime, whose DecompressionStream knows no backpressure: the same answers as to plain ones by every route
// that takes a body, and no more memory.
import { describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../edge/http/body.ts";
import { readEndpoints } from "../../edge/streams/endpoints.ts";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { encodeNpy } from "../../shared/npy.ts";
import { openApp, post, postScore } from "../fixtures/app.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";
import { BODY, ENV, fakeStreams, NOW, SENDERS } from "../fixtures/senders.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
const app = openApp(kernel, artifact, { endpoints: readEndpoints(ENV), streams: fakeStreams(() => {}), now: () => NOW * 1000 });

type Bytes = Uint8Array<ArrayBuffer>;
const encode = (text: string): Bytes => new TextEncoder().encode(text);
const streamOf = (...chunks: Bytes[]) => new Blob(chunks).stream() as ReadableStream<Bytes>;
const piecesOf = (bytes: Bytes) => {
  let at = 0;
  return new ReadableStream<Bytes>({ pull: (c) => (at < bytes.length ? c.enqueue(bytes.slice(at, ++at)) : c.close()) });
};
const bytesOf = async (stream: ReadableStream): Promise<Bytes> => new Uint8Array(await new Response(stream).arrayBuffer());
const pack = (bytes: Bytes, format: CompressionFormat = "gzip"): Promise<Bytes> =>
  bytesOf(streamOf(bytes).pipeThrough(new CompressionStream(format) as unknown as ReadableWritablePair<Bytes, Bytes>));
const join = (...parts: Bytes[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]));

const row = [1.25, 0.75, 1.25, 0.75, 1.25];
const good = JSON.stringify({ sequence: [row, row] });
const goodAnswer = await (await postScore(app, good)).text();
const values = makeSequences(12, 10, 5, 9);

interface Sent {
  path: string;
  headers: Record<string, string>;
  body: Bytes;
}
const typed = (path: string, type: string, body: Bytes | string): Sent => ({
  path,
  headers: { "content-type": type },
  body: typeof body === "string" ? encode(body) : body,
});
const tensor = { name: "sequences", shape: [12, 10, 5], datatype: "FP64" };
const head = JSON.stringify({ inputs: [{ ...tensor, parameters: { binary_data_size: values.byteLength } }] });
const hook = await SENDERS.github(BODY, "GITHUB");
const SENT: Record<string, Sent> = {
  "JSON to score": typed("/v1/score", "application/json", good),
  lines: typed("/v1/score", "application/x-ndjson", `${JSON.stringify([row])}\n`.repeat(3000)),
  "raw binary": typed("/v1/score", "application/octet-stream", new Uint8Array(values.slice().buffer)),
  "an array of NumPy": typed("/v1/score", "application/x-npy", encodeNpy(values, [12, 10, 5])),
  "an infer request": typed("/v2/models/fx/infer", "application/json", JSON.stringify({ inputs: [{ ...tensor, data: [...values] }] })),
  "an infer request with binary tensors": {
    path: "/v2/models/fx/infer",
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": `${head.length}` },
    body: join(encode(head), new Uint8Array(values.slice().buffer)),
  },
  predict: typed("/v1/models/fx:predict", "application/json", JSON.stringify({ instances: [[row]] })),
  "an event": typed("/v1/streams/a/events", "application/json", JSON.stringify({ id: "a", timestamp: NOW, values: row })),
  "a webhook, whose signature is over what is compressed": { path: hook.path, headers: hook.headers, body: encode(hook.body) },
};

describe.each(Object.entries(SENT))("%s", (_, { path, headers, body }) => {
  test("is read alike plain, and as gzip, deflate and identity say", async () => {
    const plain = await post(app, path, body, headers);
    expect(plain.status).toBe(200);
    const answer = await bytesOf(plain.body!);
    for (const [coding, format] of [
      ["gzip", "gzip"],
      ["x-gzip", "gzip"],
      ["GZip ", "gzip"],
      ["deflate", "deflate"],
      ["identity", undefined],
      ["", undefined],
    ] as const) {
      const sent = format === undefined ? body : await pack(body, format);
      for (const given of [sent, streamOf(sent)]) {
        const response = await post(app, path, given, { ...headers, "content-encoding": coding });
        expect(await bytesOf(response.body!), coding).toEqual(answer);
        expect(response.status).toBe(200);
      }
    }
  });

  test("that expands without end is given up at the limit", async () => {
    const { stream, sent } = bomb();
    const response = await post(app, path, stream, { ...headers, "content-encoding": "gzip" });
    if (headers["content-type"] === "application/x-ndjson") {
      expect(JSON.parse(await response.text())).toMatchObject({
        line: 1,
        error: { status: 413, detail: "the body must stand for at most 100 times its bytes, got more: send it plain" },
      });
    } else
      expect([response.status, (await response.json()).detail]).toEqual([
        413,
        expect.stringMatching(/^the body must have at most \d+ bytes, got more: /),
      ]);
    expect(sent.bytes).toBeLessThan(100_000);
    expect(sent.cancelled).toBe(true);
  });
});

const CHUNK_BYTES = 16 * 1024;
const BOMB_BYTES = 2 ** 30;

/** A GiB of zeros as gzip writes them, and how much of it was taken: a byte of 0 in the middle is 4 matches of 258 zeros at 2 bits each. */
function bomb() {
  const sent = { bytes: 0, cancelled: false };
  let piece = 0;
  const source: UnderlyingDefaultSource<Bytes> = {
    pull(controller) {
      // header of gzip; a block of fixed codes is 8 bits a match at least: a dynamic one, as zlib writes it for zeros
      const bytes = piece++ === 0 ? START_OF_ZEROS : new Uint8Array(CHUNK_BYTES).fill(MIDDLE_OF_ZEROS);
      sent.bytes += bytes.length;
      controller.enqueue(bytes);
      if (sent.bytes * 1032 > BOMB_BYTES) controller.close();
    },
    cancel() {
      sent.cancelled = true;
    },
  };
  return { stream: new ReadableStream(source, { highWaterMark: 0 }), sent };
}

const zeros = await pack(new Uint8Array(2 ** 21));
const MIDDLE_OF_ZEROS = zeros[zeros.length >> 1];
const START_OF_ZEROS = zeros.slice(0, zeros.length >> 1);

test("the bomb is one: the same zeros at any length", async () => {
  expect(zeros.slice(64, -64).every((byte) => byte === MIDDLE_OF_ZEROS)).toBe(true);
  expect(2 ** 21 / zeros.length).toBeGreaterThan(900);
});

describe("a body that is not what content-encoding says is a 400", () => {
  const notWhat = (format: string) => `the body is not what ${format} writes: it is damaged, cut short, or has bytes behind its end`;
  const refused: Record<string, [coding: "gzip" | "deflate", make: (bytes: Bytes) => Promise<Bytes>]> = {
    "plain JSON": ["gzip", async (bytes) => bytes],
    nothing: ["gzip", async () => new Uint8Array()],
    "half of it": ["gzip", async (bytes) => (await pack(bytes)).slice(0, -20)],
    "without its last byte": ["gzip", async (bytes) => (await pack(bytes)).slice(0, -1)],
    "a byte behind it": ["gzip", async (bytes) => join(await pack(bytes), Uint8Array.of(0))],
    "a second member": ["gzip", async (bytes) => join(await pack(bytes.slice(0, 5)), await pack(bytes.slice(5)))],
    "another checksum": ["gzip", async (bytes) => (await pack(bytes)).with(-6, 7) as Bytes],
    "gzip twice": ["gzip", async (bytes) => pack(await pack(bytes))],
    "deflate without zlib's header": ["deflate", (bytes) => pack(bytes, "deflate-raw")],
    "gzip as deflate": ["deflate", (bytes) => pack(bytes)],
    "two streams of zlib": [
      "deflate",
      async (bytes) => join(await pack(bytes.slice(0, 5), "deflate"), await pack(bytes.slice(5), "deflate")),
    ],
  };

  test.each(Object.entries(refused))("%s", async (title, [coding, make]) => {
    const sent = await make(encode(good));
    for (const body of [sent, piecesOf(sent)]) {
      const response = await postScore(app, body, { "content-encoding": coding });
      const problem = await response.json();
      expect(response.status, title).toBe(400);
      if (title === "gzip twice") expect(problem.detail).toBe("the body is not valid UTF-8");
      else expect(problem.detail).toBe(notWhat(coding));
    }
    expect(await (await postScore(app, good)).text()).toBe(goodAnswer);
  });

  test("lines that came before the damage are answered, then a line says what is wrong", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${JSON.stringify([row.map((x, f) => x + ((i * (f + 7)) % 1013) / 1e4)])}\n`);
    const packed = await pack(encode(lines.join("")));
    const response = await post(app, "/v1/score", packed.slice(0, -8), {
      "content-type": "application/x-ndjson",
      "content-encoding": "gzip",
    });
    const answers = (await response.text()).trimEnd().split("\n");
    const last = JSON.parse(answers.pop()!);
    expect(last.error).toMatchObject({ status: 400, detail: notWhat("gzip") });
    expect(last.line).toBe(answers.length + 1);
    expect(answers.length).toBeGreaterThan(10_000);
  });
});

test.each(["br", "zstd", "gzip, gzip", "deflate, gzip", "__proto__", "constructor"])(
  "%s is a 415 that names what is taken",
  async (coding) => {
    const response = await postScore(app, good, { "content-encoding": coding });
    expect(await response.json()).toMatchObject({
      status: 415,
      detail: `content-encoding must be gzip, deflate or identity, got "${coding}"`,
    });
  },
);

test("the limit is of what a body stands for, to the byte", async () => {
  const send = async (text: string) => postScore(app, await pack(encode(text)), { "content-encoding": "gzip" });
  expect(await (await send(good.padEnd(MAX_BODY_BYTES))).text()).toBe(goodAnswer);
  expect((await send(good.padEnd(MAX_BODY_BYTES + 1))).status).toBe(413);
  for (const length of [65535, 65536, 65537, 131072]) expect(await (await send(good.padEnd(length))).text()).toBe(goodAnswer);
});

test("and of what is sent: blocks of nothing without end are given up, too", async () => {
  const block = Uint8Array.of(0, 0, 0, 0xff, 0xff); // stored, not the last, 0 bytes
  const header = (await pack(new Uint8Array())).slice(0, 10);
  const some = join(header, ...Array<Bytes>(5000).fill(block));
  const raw = await pack(encode(good), "deflate-raw");
  const trailer = (await pack(encode(good))).slice(-8);
  const response = await postScore(app, join(some, raw, trailer), { "content-encoding": "gzip" });
  expect(await response.text()).toBe(goodAnswer);
  const sent = { bytes: 0 };
  const many = new Uint8Array(5 * 10_000);
  for (let at = 0; at < many.length; at += 5) many.set(block, at);
  const stream = new ReadableStream<Bytes>(
    {
      start: (c) => c.enqueue(header),
      pull(c) {
        sent.bytes += many.length;
        c.enqueue(many.slice());
      },
    },
    { highWaterMark: 0 },
  );
  expect((await postScore(app, stream, { "content-encoding": "gzip" })).status).toBe(413);
  expect(sent.bytes).toBeLessThan(MAX_BODY_BYTES + 200_000);
});
