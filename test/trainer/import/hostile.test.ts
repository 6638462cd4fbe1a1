// Files that are damaged, lie, or carry code: one sentence each, soon, and nothing of them is run.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import protobuf from "protobufjs/light.js";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { importBytes, rejection } from "../../fixtures/import/importing.ts";

const folder = new URL("../../fixtures/import/", import.meta.url);
const read = (name: string): Uint8Array => readFileSync(new URL(name, folder));
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** The file with NaN for every float32 of its middle that looks like a weight: between 1e-3 and 2 in size, six in a row. */
function withNaN(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const isWeight = (at: number): boolean => Math.abs(view.getFloat32(at, true)) > 1e-3 && Math.abs(view.getFloat32(at, true)) < 2;
  for (let at = 0; at + 24 < out.length; at++)
    if (Array.from({ length: 6 }, (_, k) => isWeight(at + 4 * k)).every(Boolean)) {
      view.setFloat32(at + 8, Number.NaN, true);
      return out;
    }
  throw new Error("no weights");
}

async function zip(files: Record<string, Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [name, bytes] of Object.entries(files)) await writer.add(name, new Uint8ArrayReader(bytes));
  return writer.close();
}

const PICKLE =
  "quickstep never reads a pickle, since a pickle can run code: save the state dict with safetensors.torch.save_file, or the model with torch.onnx.export";

test.each<[string, () => Promise<Uint8Array> | Uint8Array, RegExp | string]>([
  ["a file of torch.save", () => read("bad/model.pt"), `is a PyTorch file with a pickle in it; ${PICKLE}`],
  ["an old file of torch.save", () => read("bad/legacy.pt"), `is a pickle; ${PICKLE}`],
  [
    "a pickle",
    () => Uint8Array.of(0x80, 4, 0x95, ...text("cposix\nsystem\n(S'touch /tmp/quickstep-pickle'\ntR.")),
    `is a pickle; ${PICKLE}`,
  ],
  [
    "Python objects in HDF5",
    () => read("bad/objects.h5"),
    "is an HDF5 file without a Keras model in it: save the whole model with model.save",
  ],
  [
    "weights in bfloat16",
    () => read("bad/bfloat16.h5"),
    "model_weights/lstm/kernel:0 holds floats of 16 bits that are not IEEE 754's (bfloat16, perhaps): quickstep reads weights in float16",
  ],
  [
    "weights in int8",
    () => read("bad/int8.h5"),
    "model_weights/lstm/kernel:0 holds whole numbers of 8 bits: quickstep reads weights in float16, float32 and float64",
  ],
  [
    "HDF5 that claims 4 TB",
    () => read("bad/absurd.h5"),
    "cannot be read as HDF5: model_weights/lstm/kernel:0 claims 1000000 × 1000000 numbers, more than a model has",
  ],
  ["HDF5 that is cut short", () => read("good/lstm100.h5").subarray(0, 30_000), "cannot be read as HDF5: the file is cut short or damaged"],
  ["NaN weights in HDF5", () => withNaN(read("good/lstm100.h5")), "holds a number that is not finite: the weights are damaged"],
  ["HDF5's signature alone", () => read("good/lstm100.h5").subarray(0, 8), "cannot be read as HDF5: the file is cut short or damaged"],
  [
    "a .keras file that is cut short",
    () => read("good/normalization.keras").subarray(0, 9000),
    "is not a model as Keras saves it (.keras), or is cut short or damaged",
  ],
  ["a zip of something else", () => zip({ "word/document.xml": text("<xml/>") }), "is a zip archive without a config.json"],
  ["a .keras file without weights", () => zip({ "config.json": text("{}") }), "holds no model.weights.h5"],
  [
    "a config that is not JSON",
    () => zip({ "config.json": text("os.system('ls')"), "model.weights.h5": new Uint8Array(9) }),
    "holds a config that is not JSON",
  ],
  [
    "weights that are not HDF5",
    () => zip({ "config.json": text("{}"), "model.weights.h5": text("nothing") }),
    "model.weights.h5: cannot be read as HDF5",
  ],
  [
    "a zip bomb for a config",
    () => zip({ "config.json": new Uint8Array(2 ** 25), "model.weights.h5": new Uint8Array(9) }),
    "config.json: claims 33554432 bytes, expected at most 16777216",
  ],
  [
    "safetensors that are cut short",
    () => read("good/torch.safetensors").subarray(0, 2000),
    /claims \d+ numbers at bytes .* the file is cut short or damaged/,
  ],
  [
    "a header longer than the file",
    () => Uint8Array.of(0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x7b),
    "the header claims 65535 bytes, but the file has 9: the file is cut short",
  ],
  [
    "ONNX that is cut short",
    () => read("good/torch-state-9.onnx").subarray(0, 1500),
    "cannot be read as ONNX: the file is cut short or damaged",
  ],
  ["nothing at all", () => new Uint8Array(), "is no model file that quickstep knows: expected Keras"],
  ["a page", () => text("<!doctype html><title>404</title>"), "is no model file that quickstep knows"],
])("%s is refused in one sentence", async (_, make, sentence) => {
  const started = performance.now();
  const message = await rejection(await make());
  if (typeof sentence === "string") expect(message).toContain(sentence);
  else expect(message).toMatch(sentence);
  expect(message).toMatch(/^DataError: model: /);
  expect(message).not.toContain("\n");
  expect(performance.now() - started).toBeLessThan(10_000);
});

describe("a safetensors file is told from other formats by more than its first two bytes", () => {
  /** The same tensors behind a header of `length` bytes: the format lets the header end in spaces. */
  const withHeader = (length: number): Uint8Array => {
    const bytes = read("good/torch.safetensors");
    const end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = Buffer.alloc(8 + length, " ");
    header.writeBigUInt64LE(BigInt(length));
    header.set(bytes.subarray(8, end), 8);
    return Buffer.concat([header, bytes.subarray(end)]);
  };
  test.each([
    ["a pickle of protocol 2", 0x0280],
    ["a pickle of protocol 3", 0x0380],
    ["a pickle of protocol 4", 0x0480],
    ["a pickle of protocol 5", 0x0580],
    ["a zip", 0x4b50],
    ["a zip, to the third byte", 0x034b50],
    ["HDF5", 0x4889],
    ["ONNX", 0x0808],
    ["gzip", 0x8b1f],
  ])("where its length begins as %s does", async (_, length) => {
    const plain = await importBytes(read("good/torch.safetensors"));
    expect((await importBytes(withHeader(length))).model.members).toEqual(plain.model.members);
  });
});

test("an ONNX file is read whichever field it begins with", async () => {
  const bytes = read("good/torch-state-9.onnx");
  const reader = protobuf.Reader.create(bytes);
  const fields: Uint8Array[] = [];
  while (reader.pos < bytes.length) {
    const from = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    fields.push(bytes.subarray(from, reader.pos));
  }
  const plain = await importBytes(bytes);
  for (let k = 1; k < fields.length; k++)
    expect((await importBytes(Buffer.concat([...fields.slice(k), ...fields.slice(0, k)]))).model.members).toEqual(plain.model.members);
});

describe("a byte flipped or a tail lost, anywhere", () => {
  /** HDF5 starts a thread a file, so there are fewer of those. */
  const FLIPS: Record<string, number> = { h5: 3, keras: 3, onnx: 60, safetensors: 60 };
  test.each(readdirSync(fileURLToPath(new URL("good/", folder))).filter((name) => !/\.json$|lstm100/.test(name)))(
    "%s is imported, or refused as bad data; never our fault, never a score that is none",
    async (name) => {
      const bytes = read(`good/${name}`);
      const random = createRandom(name.length);
      for (let k = 0; k < FLIPS[name.split(".")[1]]; k++) {
        const damaged = Uint8Array.from(k % 4 === 3 ? bytes.subarray(0, random.integer(bytes.length)) : bytes);
        if (damaged.length > 0) damaged[random.integer(damaged.length)] ^= 1 << random.integer(8);
        try {
          const { parity } = await importBytes(damaged);
          expect(parity).toBeLessThanOrEqual(1e-5);
        } catch (error) {
          expect(`${(error as Error).name}: ${(error as Error).stack}`).toMatch(/^DataError/);
        }
      }
    },
    60_000,
  );
});

test("names in a file reach no terminal with control characters, nor as a page", async () => {
  const name = `\u001b[31mred\n\u0007${"x".repeat(5000)}`;
  const header = text(JSON.stringify({ [name]: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }));
  const bytes = new Uint8Array(8 + header.length + 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  const message = await rejection(bytes);
  expect(message).toContain("DataError: model: holds ");
  expect(message).not.toMatch(/\p{Cc}/u);
  expect(message.length).toBeLessThan(600);
});

test("a bomb of a quarter of a gibibyte and more in place of weights is never unpacked", async () => {
  const bytes = await zip({ "config.json": text("{}"), "model.weights.h5": new Uint8Array(2 ** 28 + 1) });
  expect(bytes.length).toBeLessThan(2 ** 20);
  const before = process.memoryUsage.rss();
  expect(await rejection(bytes)).toContain("model.weights.h5: claims 268435457 bytes, expected at most 268435456");
  expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 26);
});

describe("ONNX that would take far more memory than its bytes", () => {
  /** A field that holds `bytes`. */
  const field = (id: number, bytes: Uint8Array): Uint8Array =>
    new protobuf.Writer()
      .uint32(id * 8 + 2)
      .bytes(bytes)
      .finish();
  const [GRAPH, NODE, INITIALIZER, ATTRIBUTE] = [7, 1, 5, 5];
  const [FLOAT_DATA, INT64_DATA, METADATA, DOC_STRING] = [4, 7, 14, 6];
  const model = (...fields: Uint8Array[]): Uint8Array => Buffer.concat([Uint8Array.of(8, 8), ...fields]);
  const nested = (id: number, depth: number): Uint8Array =>
    Array.from({ length: depth }).reduce<Uint8Array>((inner) => field(id, inner), new Uint8Array());

  test.each<[string, () => Uint8Array, string]>([
    [
      "32 million empty nodes",
      () => model(field(GRAPH, Buffer.alloc(2 ** 26, Uint8Array.of(NODE * 8 + 2, 0)))),
      "more fields than a model has",
    ],
    [
      "32 million whole numbers in a list",
      () => model(field(GRAPH, field(INITIALIZER, field(INT64_DATA, new Uint8Array(2 ** 25))))),
      "more integers than a model has",
    ],
    [
      "34 million floats in a list",
      () => model(field(GRAPH, field(INITIALIZER, field(FLOAT_DATA, new Uint8Array(2 ** 27 + 4))))),
      "more floats than a model has",
    ],
    [
      "8 million numbers, one field each",
      () => model(field(GRAPH, field(INITIALIZER, Buffer.alloc(2 ** 24, Uint8Array.of(INT64_DATA * 8, 1))))),
      "more fields than a model has",
    ],
    ["a text of 32 MiB", () => model(field(METADATA, field(1, new Uint8Array(2 ** 25).fill(65)))), "more text than a model has"],
    ["a text longer than its message", () => model(field(GRAPH, Uint8Array.of(2 * 8 + 2, 5, 65))), "name claims 5 bytes, where 1 are left"],
    ["groups 200,000 deep", () => model(Buffer.alloc(200_000, 3 * 8 + 3)), "max depth exceeded"],
    [
      "graphs in attributes of nodes, 2,000 deep",
      () => model(field(GRAPH, field(NODE, field(ATTRIBUTE, nested(6, 2000)))), Uint8Array.of(8 * 8 + 2, 2, 16, 17)),
      "takes no input",
    ],
    ["a field that goes on and on", () => model(field(DOC_STRING, new Uint8Array(3)), Buffer.alloc(2 ** 20, 0xff)), "invalid tag encoding"],
  ])("%s", async (_, make, sentence) => {
    const bytes = make();
    const before = process.memoryUsage.rss();
    const started = performance.now();
    expect(await rejection(bytes)).toMatch(new RegExp(`^DataError: model: .*${sentence}`));
    expect(performance.now() - started).toBeLessThan(2000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 26);
  });
});
