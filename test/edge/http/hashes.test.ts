import { expect, test } from "vitest";
import { digestOf, fnv1a } from "../../../edge/http/hashes.ts";

test("FNV-1a is as its authors publish it (test_fnv.c)", () => {
  expect(["", "a", "foobar"].map(fnv1a)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

test("SHA-256 of a text is that of its UTF-8 (FIPS 180-2, B.1)", async () => {
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(await digestOf("abc")).toBe(expected);
  expect(await digestOf(Uint8Array.of(0x61, 0x62, 0x63))).toBe(expected);
});
