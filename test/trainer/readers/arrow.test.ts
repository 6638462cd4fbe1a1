// What Arrow's buffers are packed with, and damaged files. Whole files are pairs that dataset.test.ts runs.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { unpackLz4Frame } from "../../../trainer/readers/lz4-frame.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/readers/${name}`, import.meta.url));

test("buffers of more than one LZ4 block, each of which refers to those before, are unpacked whole", async () => {
  const { values } = await readDataset([fixture("arrow-blocks.feather")], {}); // made by make-ordinary.py
  expect(values.length).toBe(40_000);
  const wrong = values.findIndex((value, i) => value !== (i % 2 === 0 ? Math.floor(i / 2 / 500) * 1.5 : (i >> 1) % 1000));
  expect(wrong).toBe(-1);
});

/** `lz4.frame.compress(b"abc" * 54, store_size=False)` of Python's lz4 */
const FRAME = Uint8Array.of(4, 34, 77, 24, 96, 64, 130, 13, 0, 0, 0, 63, 97, 98, 99, 3, 0, 135, 80, 98, 99, 97, 98, 99, 0, 0, 0, 0);

test("an LZ4 frame that unpacks to more than it may, or is damaged, is refused", () => {
  expect(Buffer.from(unpackLz4Frame(FRAME, 162)).toString()).toBe("abc".repeat(54));
  expect(() => unpackLz4Frame(FRAME, 161)).toThrow("more than it should");
  expect(() => unpackLz4Frame(FRAME.subarray(0, 20), 162)).toThrow("ends early");
  expect(() => unpackLz4Frame(FRAME.with(15, 9), 162)).toThrow("damaged"); // a match from before the beginning
  expect(() => unpackLz4Frame(new Uint8Array(20), 162)).toThrow("no LZ4 frame");
});

describe("a damaged file", () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-arrow-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (bytes: Uint8Array) => {
    const path = join(folder, "damaged.arrow");
    writeFileSync(path, bytes);
    return readDataset([path], {});
  };
  const good = (name: string): Uint8Array =>
    Uint8Array.from(readFileSync(fileURLToPath(new URL(`../../fixtures/readers/good/${name}`, import.meta.url))));
  const turn = (bytes: Uint8Array, place: number, bit: number): Uint8Array => bytes.map((byte, i) => (i === place ? byte ^ bit : byte));

  test("ends soon where a count in its metadata is a thousand million more", async () => {
    for (const name of ["arrow-polars-lz4.arrow", "arrow-stream.arrow"]) {
      const whole = good(name);
      for (let place = 3; place < whole.length; place += 4) {
        const started = performance.now();
        const error = await read(turn(whole, place, 0x40)).catch((thrown) => thrown);
        if (error instanceof Error) expect(error, `${name}, byte ${place}: ${error.stack}`).toBeInstanceOf(DataError);
        expect(performance.now() - started, `${name}, byte ${place}`).toBeLessThan(10_000);
      }
    }
  }, 60_000);

  test("is refused where no record batch stands at its place: nobody looks there for ever", async () => {
    await expect(read(turn(good("arrow-polars-lz4.arrow"), 434, 4))).rejects.toThrow("cut short or damaged");
  });

  test("is refused where its footer lists fewer record batches than there are, or has another type for a column", async () => {
    const bytes = Uint8Array.from(readFileSync(fixture("arrow-batches.arrow"))); // made by make-ordinary.py: two batches of two rows
    const { values } = await read(bytes);
    expect(Array.from(values)).toEqual([1, 2, 3, 4, 2, 3, 4, 5, 5, 6, 7, 8, 6, 7, 8, 9]);
    const length = new DataView(bytes.buffer).getInt32(bytes.length - 10, true); // of the footer
    const start = bytes.length - 10 - length;
    const outcomes = new Set<string>();
    for (let place = start; place < bytes.length - 10; place++)
      for (const bit of [1, 2]) {
        const result = await read(turn(bytes, place, bit)).catch((error: Error) => error.message);
        if (typeof result === "string") outcomes.add(/\((.*)\), so write/.exec(result)?.[1] ?? result);
        else expect(result.values, `byte ${place}`).toEqual(values);
      }
    expect([...outcomes].join("\n")).toMatch(/record batches, of which the footer lists/);
    expect([...outcomes].join("\n")).toMatch(/the footer has another schema than the head/);
  });
});
