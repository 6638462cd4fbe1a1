// What Arrow's buffers are packed with. The files themselves are pairs that dataset.test.ts runs.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
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
