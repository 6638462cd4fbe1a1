// Sequences in a file are the same as in memory: by number, in blocks, joined from batches of several lengths, and read from an .npz in
// pieces, stored or deflated.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { afterAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../../../shared/npy.ts";
import { openNumberFile } from "../../../trainer/files/number-file.ts";
import type { Batch } from "../../../trainer/readers/batch.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { joinBatches } from "../../../trainer/readers/join.ts";
import { openSequenceStore, type StoredSequences } from "../../../trainer/readers/stored-sequences.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-stored-"));
afterAll(() => rmSync(folder, { recursive: true }));

const numbersFrom = (first: number, count: number): Float64Array => Float64Array.from({ length: count }, (_, i) => first + i);

describe("a file of numbers", () => {
  test.skipIf(process.platform === "win32")("has no name, so that nothing is left of it", () => {
    const file = openNumberFile(folder);
    expect(readdirSync(folder)).toEqual([]);
    file.append(Float64Array.of(1, Number.NaN, -0));
    const target = new Float64Array(2);
    file.read(1, target);
    expect(target).toEqual(Float64Array.of(Number.NaN, -0));
    file.close();
  });

  test("says where it stands when it cannot be written, or is asked for more than it holds", () => {
    expect(() => openNumberFile(join(folder, "nowhere"))).toThrow(
      /nowhere.*cannot be written, where rows are kept that memory is too small for/,
    );
    const file = openNumberFile(folder);
    file.append(Float64Array.of(1));
    expect(() => file.read(0, new Float64Array(2))).toThrow(/cannot be read.*it holds 1 numbers, and 2 from number 0 on are asked for/);
    file.close();
  });
});

describe("a store of sequences", () => {
  const F = 2;
  const store = openSequenceStore(folder, F);
  afterAll(() => store.close());
  store.add({ values: numbersFrom(1, 3 * 2 * F), shape: { timesteps: 2, features: F } });
  store.add({ values: numbersFrom(101, 2 * 1 * F), shape: { timesteps: 1, features: F } });
  store.add({ values: numbersFrom(201, 1 * 2 * F), shape: { timesteps: 2, features: F } });
  const stored = store.finish(2);
  // sequences of one step are padded in front
  const all = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12],
    [0, 0, 101, 102],
    [0, 0, 103, 104],
    [201, 202, 203, 204],
  ];

  test("gives any of them, in the order in which they are asked for", () => {
    for (const wanted of [[0, 1, 2, 3, 4, 5], [5, 3, 0], [2, 3], [4], [1, 1], [3, 4, 0, 1, 2, 1, 5]])
      expect([...stored.read(Int32Array.from(wanted))]).toEqual(wanted.flatMap((n) => all[n]));
    expect(stored.count).toBe(6);
  });

  test("gives all in blocks", () => {
    expect([...stored.blocks()].flatMap((block) => [...block])).toHaveLength(24);
    const blocks: number[] = [];
    for (const block of stored.blocks()) blocks.push(...block);
    expect(blocks).toEqual(all.flat());
  });
});

const batchOf = (first: number, N: number, timesteps: number): Batch => ({
  values: numbersFrom(first, N * timesteps * 2),
  shape: { timesteps, features: 2 },
  labels: Uint8Array.from({ length: N }, (_, n) => n % 2),
  labelName: "y",
  columns: { id: Array.from({ length: N }, (_, n) => `${first}.${n}`) },
  probability: null,
  test: null,
  features: null,
  dtype: "float64",
});

test("batches joined into a file are the same as those joined in memory; few sequences stay in memory", async () => {
  const batches = async function* (): AsyncGenerator<Batch> {
    yield batchOf(1, 4, 3);
    yield batchOf(101, 5, 2);
    yield batchOf(201, 2, 3);
  };
  const inMemory = await joinBatches(batches(), "a");
  const { stored, values, ...rest } = await joinBatches(batches(), "a", { store: { above: 6, folder } });
  expect({ ...rest, values: readAll(stored!) }).toEqual(inMemory);
  expect(values).toHaveLength(0);
  stored?.close();
  expect(await joinBatches(batches(), "a", { store: { above: 11, folder } })).toEqual(inMemory);
});

function readAll(stored: StoredSequences): Float64Array {
  return stored.read(Int32Array.from({ length: stored.count }, (_, n) => n));
}

describe("an .npz that is too large for one piece", () => {
  const N = 90_000; // 36 MB
  const random = createRandom(1);
  const values = Float64Array.from({ length: N * 50 }, () => random.uniform());
  values.fill(0, 0, 50 * 3);
  const X = encodeNpy(values, [N, 10, 5]);
  const y = Uint8Array.from({ length: N }, (_, n) => (n % 3 === 0 ? 1 : 0));
  const probability = Float64Array.from({ length: N }, (_, n) => n / N);

  async function write(name: string, level: number, given = X, beside = probability): Promise<string> {
    const writer = new ZipWriter(new Uint8ArrayWriter(), { level, useWebWorkers: false });
    for (const [file, bytes] of [
      ["X", given],
      ["y", encodeNpy(y, [N])],
      ["probability", encodeNpy(beside, [N])],
    ] as const)
      await writer.add(`${file}.npy`, new Uint8ArrayReader(bytes));
    const path = join(folder, name);
    writeFileSync(path, await writer.close());
    return path;
  }
  const store = { above: 1000, folder };

  test.each([
    ["stored.npz", 0],
    ["deflated.npz", 1],
  ])(
    "is the same in a file, %s",
    async (name, level) => {
      const path = await write(name, level);
      const inMemory = await readDataset([path], {});
      const { stored, values: none, ...rest } = await readDataset([path], { store });
      expect(none).toHaveLength(0);
      expect(stored?.count).toBe(N);
      expect(
        Buffer.compare(
          Buffer.from(readAll(stored!).buffer),
          Buffer.from(inMemory.values.buffer, inMemory.values.byteOffset, inMemory.values.byteLength),
        ),
      ).toBe(0);
      stored?.close();
      const { values: _, ...expected } = inMemory;
      expect(rest).toEqual(expected);
      expect(rest.facts.zeroSequences).toBe(3);
    },
    60_000,
  );

  test("is sorted in a file as in memory", async () => {
    const times = Float64Array.from({ length: N }, (_, n) => ((n * 7919) % 1000) / 1000); // many are equal
    const path = await write("sorted.npz", 0, X, times);
    const { values: sorted, ...expected } = await readDataset([path], { time: "probability" });
    const { stored, values: none, ...rest } = await readDataset([path], { time: "probability", store });
    expect(none).toHaveLength(0);
    expect(rest).toEqual(expected);
    expect(rest.orderedBy).toBe("probability");
    expect(Buffer.compare(Buffer.from(readAll(stored!).buffer), Buffer.from(sorted.buffer))).toBe(0);
    let at = 0;
    for (const block of stored!.blocks()) {
      expect(
        Buffer.compare(Buffer.from(block.buffer, block.byteOffset, block.byteLength), Buffer.from(sorted.buffer, 8 * at, block.byteLength)),
      ).toBe(0);
      at += block.length;
    }
    expect(at).toBe(sorted.length);
    stored!.close();
  }, 60_000);

  test("says where a number is not finite, and that it is damaged", async () => {
    const broken = X.slice();
    new Float64Array(broken.buffer, broken.length - 8 * values.length)[50 * 89_000 + 7] = Number.POSITIVE_INFINITY;
    await expect(readDataset([await write("infinite.npz", 0, broken)], { store })).rejects.toThrow("X[89000][1][2] is Infinity");
    const path = await write("damaged.npz", 0);
    expect(X.length).toBeGreaterThan(2 ** 25);
    const archive = readFileSync(path);
    archive[20_000_000] ^= 1;
    writeFileSync(path, archive);
    await expect(readDataset([path], { store })).rejects.toThrow(/X: cannot be unpacked: it is damaged/);
    expect(readdirSync(folder).filter((name) => name.endsWith(".rows"))).toEqual([]);
  }, 60_000);
});
